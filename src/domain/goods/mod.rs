//! Products, prices and stock.

pub(crate) mod price;
pub(crate) mod price_list;
pub(crate) mod product;
#[cfg(test)]
mod spec;
pub(crate) mod stock_item;
pub(crate) mod warehouse;
