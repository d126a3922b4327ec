//! Specs of the goods context.

mod conservation;
mod price;
mod product;
mod stock_item;
mod warehouse;
