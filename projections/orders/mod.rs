//! Orders: what customers bought, how it gets to them, and what all of it sums up to.
//!
//! | file | what stands there |
//! |---|---|
//! | `order` | an order with its lines, how far it has come |
//! | `shipment` | a shipment: on its way, late, damaged, delivered |
//! | `timeline` | what happened to an order, step by step |
//! | `sales` | totals by customer, product, month and so on, kept as rows |

mod order;
mod sales;
mod shipment;
mod timeline;

#[cfg(test)]
mod spec;

use daybook_schema::DomainEvent;

use crate::store::{Fact, FoldError, ReadModel, Tables};

pub use order::{OrderLineRow, OrderRow};
pub(crate) use sales::sum_sales;
pub use sales::{SalesDimension, SalesTotalRow};
pub use shipment::{DamageReport, ShipmentDelay, ShipmentItemRow, ShipmentRow, ShipmentState};
pub use timeline::{OrderStep, TimeLineEntry, time_line};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "orders",
    version: 1,
    tables: |definitions| {
        definitions.rows::<OrderRow>();
        definitions.rows::<ShipmentRow>();
        definitions.rows::<SalesTotalRow>();
        definitions.entries::<timeline::Line>();
    },
    fold,
};

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Order(event) = &fact.event {
        return order::fold(fact, event, tables);
    }
    if let DomainEvent::Shipment(event) = &fact.event {
        return shipment::fold(fact, event, tables);
    }
    Ok(())
}
