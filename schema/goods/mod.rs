//! Goods: what we sell, at which price, and how much of it lies where (货品).

mod price;
mod price_list;
mod product;
mod stock_item;
mod warehouse;

pub use price::*;
pub use price_list::*;
pub use product::*;
pub use stock_item::*;
pub use warehouse::*;
