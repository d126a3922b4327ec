//! Goods: the catalogue, its prices, and how much lies where (货品).
//!
//! | file | what stands there |
//! |---|---|
//! | `catalogue` | warehouses and products |
//! | `price` | price lists and prices, and why a quantity costs what it costs |
//! | `stock` | the stock of a product in a warehouse |
//! | `totals` | stock per product and per warehouse, kept as rows |
//! | `ledger` | every movement of stock, one line each |

mod catalogue;
mod ledger;
mod price;
mod stock;
mod totals;

#[cfg(test)]
pub(crate) mod spec;

use daybook_schema::DomainEvent;

use crate::store::{Fact, FoldError, ReadModel, Tables};

pub use catalogue::{ProductRow, WarehouseRow};
pub use ledger::{LedgerFilter, MovementKind, StockMovement, movements};
pub use price::{NoPrice, PriceListRow, PriceQuote, PriceRow, PriceVersion, quote};
pub use stock::StockItemRow;
pub use totals::{ProductStockRow, StockPlace, WarehouseStockRow};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "goods",
    version: 1,
    tables: |definitions| {
        definitions.rows::<WarehouseRow>();
        definitions.rows::<ProductRow>();
        definitions.rows::<PriceListRow>();
        definitions.rows::<PriceRow>();
        definitions.rows::<StockItemRow>();
        definitions.rows::<ProductStockRow>();
        definitions.rows::<WarehouseStockRow>();
        definitions.entries::<ledger::Line>();
    },
    fold,
};

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::StockItem(event) = &fact.event {
        return stock::fold(fact, event, tables);
    }
    if let DomainEvent::Product(event) = &fact.event {
        return catalogue::product(fact, event, tables);
    }
    if let DomainEvent::Warehouse(event) = &fact.event {
        return catalogue::warehouse(fact, event, tables);
    }
    if let DomainEvent::PriceList(event) = &fact.event {
        return price::price_list(fact, event, tables);
    }
    if let DomainEvent::Price(event) = &fact.event {
        return price::price(fact, event, tables);
    }
    Ok(())
}
