//! Goods in the API, and the questions about prices and stock.

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use daybook_projections::goods::{
    LedgerFilter, PriceListRow, PriceQuote as Quote, PriceRow, ProductRow, ProductStockRow,
    StockItemRow, StockMovement as Movement, WarehouseRow, WarehouseStockRow, movements, quote,
};
use daybook_schema::{
    goods::{PriceId, PriceListId, ProductId},
    kernel::{BigInt, Date, Quantity},
};

use super::{
    connection::{Connection, PageArguments},
    fault::{Answer, Fault},
    filter::{OrderBy, Where},
    links::{objects, totals},
    object::linked,
    orders::{Order, Shipment},
    reading::Reading,
    shown::Shown,
};

objects! {
    /// A place where goods lie (仓库).
    Warehouse(WarehouseRow) = "warehouse", warehouse, warehouses {
        one {
            /// Its stock over all products; empty before anything was booked.
            stock: WarehouseStock = "id";
        }
        many {
            /// What lies there, by product (库存).
            stock_items: StockItem = "warehouse";
        }
    }

    /// A product that we sell (货品).
    Product(ProductRow) = "product", product, products {
        one {
            /// Its stock over all warehouses; empty before anything was booked.
            stock: ProductStock = "id";
        }
        many {
            /// Its stock, by warehouse (库存).
            stock_items: StockItem = "product";
            /// Its prices, by price list (价格).
            prices: Price = "product";
        }
    }

    /// A list of prices in one currency (价目表).
    PriceList(PriceListRow) = "priceList", priceList, priceLists {
        many {
            /// The prices in it, by product.
            prices: Price = "price_list";
        }
    }

    /// All prices of a product in a price list (阶梯价).
    Price(PriceRow) = "price", price, prices {
        one {
            /// The price list.
            price_list: PriceList = "priceList";
            /// The product.
            product: Product = "product";
        }
    }

    /// The stock of a product in a warehouse (库存).
    StockItem(StockItemRow) = "stockItem", stockItem, stockItems {
        one {
            /// The product.
            product: Product = "product";
            /// The warehouse.
            warehouse: Warehouse = "warehouse";
        }
    }
}

totals! {
    /// The stock of a product in all warehouses together (按货品的库存).
    ProductStock(ProductStockRow) {
        /// The product.
        product: Product = |row| Some(row.id().to_owned());
    }

    /// The stock in a warehouse, over all products (按仓库的库存).
    WarehouseStock(WarehouseStockRow) {
        /// The warehouse.
        warehouse: Warehouse = |row| Some(row.id().to_owned());
    }
}

/// The greatest page of the stock ledger.
const LINES_MAX: usize = 200;

/// One line of the stock ledger (库存流水).
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct StockMovement {
    #[graphql(flatten)]
    row: Movement,
}

#[ComplexObject]
impl StockMovement {
    /// The stock item.
    async fn stock_item(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<Shown<StockItem>>> {
        Ok(linked(ctx, Some(self.row.stock_item.to_string())).await?)
    }

    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Product>>> {
        Ok(linked(ctx, Some(self.row.stock_item.product.to_string())).await?)
    }

    /// The warehouse.
    async fn warehouse(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<Shown<Warehouse>>> {
        Ok(linked(ctx, Some(self.row.stock_item.warehouse.to_string())).await?)
    }

    /// The other warehouse of a transfer.
    async fn other_warehouse(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<Shown<Warehouse>>> {
        let id = self.row.other_warehouse;
        Ok(linked(ctx, id.map(|id| id.to_string())).await?)
    }

    /// The order that the reference names.
    async fn order(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Order>>> {
        Ok(linked(ctx, self.referred("order")).await?)
    }

    /// The shipment that the reference names.
    async fn shipment(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Shipment>>> {
        Ok(linked(ctx, self.referred("shipment")).await?)
    }
}

impl StockMovement {
    /// The reference, where it is an id of this kind.
    fn referred(&self, prefix: &str) -> Option<String> {
        let reference = self.row.reference.clone();
        reference.filter(|reference| daybook_schema::prefix(reference) == prefix)
    }
}

/// A part of the stock ledger.
#[derive(SimpleObject)]
pub(super) struct StockLedgerPage {
    /// The lines.
    nodes: Vec<StockMovement>,
    /// Whether there are more beyond these.
    has_next_page: bool,
    /// The number of the last line here, to ask for those after it.
    end_cursor: Option<BigInt>,
}

/// What a quantity of a product costs by a price list on a day, and why.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct PriceQuote {
    #[graphql(flatten)]
    row: Quote,
    #[graphql(skip)]
    id: PriceId,
}

#[ComplexObject]
impl PriceQuote {
    /// The product; it may have been taken off sale.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Product>>> {
        Ok(linked(ctx, Some(self.id.product.to_string())).await?)
    }

    /// The price list; it may have been closed.
    async fn price_list(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<Shown<PriceList>>> {
        Ok(linked(ctx, Some(self.id.list.to_string())).await?)
    }
}

/// Questions about goods.
#[derive(Default)]
pub(super) struct GoodsQueries;

#[Object]
impl GoodsQueries {
    /// What a quantity of a product costs by a price list on a day, and why; or why there is no
    /// price.
    async fn price_quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] product: ProductId,
        #[graphql(desc = "The price list.")] price_list: PriceListId,
        #[graphql(desc = "How much is bought at once, in the product's unit; more than zero.")]
        quantity: Quantity,
        #[graphql(desc = "The day of the order.")] on: Date,
    ) -> async_graphql::Result<PriceQuote> {
        if !quantity.is_positive() {
            let message = format!("`quantity` is {quantity}; it must be more than zero");
            return Err(Fault::bad_input(message).into());
        }
        let id = PriceId {
            list: price_list,
            product,
        };
        let snapshot = Reading::of(ctx).snapshot()?;
        let row = quote(&snapshot, id, quantity, on).map_err(Fault::from)?;
        Ok(PriceQuote { row, id })
    }

    /// The stock ledger: every movement of a stock item, of a product, in a warehouse, or of all.
    #[expect(
        clippy::too_many_arguments,
        reason = "the restrictions of a list and its page"
    )]
    async fn stock_ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this stock item.")] stock_item: Option<ID>,
        #[graphql(desc = "Only of this product.")] product: Option<ID>,
        #[graphql(desc = "Only in this warehouse.")] warehouse: Option<ID>,
        #[graphql(default = 50, desc = "How many at most, up to 200.")] first: i32,
        #[graphql(desc = "After the line with this number, in the order of the list.")]
        after: Option<BigInt>,
        #[graphql(default, desc = "Newest first instead of oldest first.")] newest_first: bool,
    ) -> async_graphql::Result<StockLedgerPage> {
        let filter = LedgerFilter {
            stock_item: parsed(stock_item)?,
            product: parsed(product)?,
            warehouse: parsed(warehouse)?,
            after: after.map(|number| number.0),
            newest_first,
        };
        Ok(ledger(Reading::of(ctx), &filter, first)?)
    }

    /// The stock of every warehouse, over all products (按仓库的库存).
    #[expect(clippy::too_many_arguments, reason = "a Relay connection has as many")]
    async fn stock_by_warehouse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, at most 100.")] first: Option<i32>,
        #[graphql(desc = "After the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before the one with this cursor.")] before: Option<String>,
        #[graphql(name = "where", desc = "Which warehouses.")] filter: Option<
            Where<WarehouseStock>,
        >,
        #[graphql(desc = "In which order; by warehouse where nothing is said.")] order_by: Option<
            Vec<OrderBy<WarehouseStock>>,
        >,
    ) -> async_graphql::Result<Connection<WarehouseStock>> {
        let arguments = PageArguments::new(first, after, last, before, filter, order_by);
        Ok(arguments.read(Reading::of(ctx), None)?)
    }

    /// The stock of every product, over all warehouses (按货品的库存).
    #[expect(clippy::too_many_arguments, reason = "a Relay connection has as many")]
    async fn stock_by_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, at most 100.")] first: Option<i32>,
        #[graphql(desc = "After the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before the one with this cursor.")] before: Option<String>,
        #[graphql(name = "where", desc = "Which products.")] filter: Option<Where<ProductStock>>,
        #[graphql(desc = "In which order; by product where nothing is said.")] order_by: Option<
            Vec<OrderBy<ProductStock>>,
        >,
    ) -> async_graphql::Result<Connection<ProductStock>> {
        let arguments = PageArguments::new(first, after, last, before, filter, order_by);
        Ok(arguments.read(Reading::of(ctx), None)?)
    }
}

/// Reads an id of a known kind.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(id: Option<ID>) -> Answer<Option<T>> {
    let read = id.map(|id| id.parse()).transpose();
    read.map_err(|error: T::Err| Fault::bad_input(error.to_string()))
}

fn ledger(reading: &Reading, filter: &LedgerFilter, first: i32) -> Answer<StockLedgerPage> {
    let limit = usize::try_from(first)
        .ok()
        .filter(|first| *first <= LINES_MAX);
    let limit = limit.ok_or_else(|| {
        Fault::bad_input(format!("`first` is {first}; 0 to {LINES_MAX} are allowed"))
    })?;
    // One line more than wanted tells whether there are more.
    let mut lines = movements(&*reading.snapshot()?, filter, limit + 1)?;
    let has_next_page = lines.len() > limit;
    lines.truncate(limit);
    Ok(StockLedgerPage {
        has_next_page,
        end_cursor: lines.last().map(|line| line.number),
        nodes: lines.into_iter().map(|row| StockMovement { row }).collect(),
    })
}
