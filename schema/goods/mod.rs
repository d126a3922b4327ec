//! Goods: what we sell, at which price, and how much of it lies where (货品).

mod price;
mod price_list;
mod product;
mod stock_item;
mod warehouse;

pub use price::{
    EndPrice, PriceCommand, PriceEvent, PriceExplanation, PriceId, PriceSource, PriceTier, SetPrice,
};
pub use price_list::{
    ClosePriceList, OpenPriceList, PriceListCommand, PriceListEvent, PriceListId,
};
pub use product::{
    ChangeProductDetails, ListProduct, LocalizedName, ProductCommand, ProductDetails, ProductEvent,
    ProductId, ReinstateProduct, RetireProduct,
};
pub use stock_item::{
    CountStock, IssueStock, ReceiveStock, ReleaseReservation, ReserveStock, StockItemCommand,
    StockItemEvent, StockItemId, TransferStock, WriteOffStock,
};
pub use warehouse::{
    CloseWarehouse, OpenWarehouse, RenameWarehouse, WarehouseCommand, WarehouseEvent, WarehouseId,
};
