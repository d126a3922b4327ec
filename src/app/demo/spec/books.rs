//! What must add up in the books, whatever happened.

use std::collections::BTreeMap;

use daybook_schema::{
    DomainEvent, goods::StockItemEvent, governance::NumberSeriesEvent, kernel::Quantity,
    orders::OrderEvent,
};
use rust_decimal::Decimal;

use super::{open, read, small};
use crate::demo::{DemoOptions, fill};

/// What the events of a company say of its goods, added up.
#[derive(Default)]
struct Books {
    shelves: BTreeMap<String, Shelf>,
    /// Value of goods that came in or surfaced, less what left: what must lie there.
    value: Decimal,
    moved_out: Decimal,
    moved_in: Decimal,
    /// Cost of goods as the stock issued them for orders, and as the orders shipped them.
    issued: Decimal,
    shipped: Decimal,
    on_the_way: BTreeMap<String, Quantity>,
    numbers: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Shelf {
    on_hand: Quantity,
    value: Decimal,
    reserved: Quantity,
}

impl Books {
    fn enter(&mut self, stream: &str, event: &DomainEvent) {
        match event {
            DomainEvent::StockItem(event) => self.enter_stock(stream, event),
            DomainEvent::Order(event) => self.enter_order(stream, event),
            DomainEvent::NumberSeries(NumberSeriesEvent::DocumentNumberIssued {
                number, ..
            }) => {
                let last = self.numbers.entry(stream.to_owned()).or_default();
                *last += 1;
                assert_eq!(*last, *number, "{stream}");
            }
            _ => {}
        }
    }

    fn enter_stock(&mut self, stream: &str, event: &StockItemEvent) {
        use StockItemEvent as E;
        let (quantity, value) = match event {
            E::StockReceived {
                quantity, value, ..
            }
            | E::StockAdjusted {
                delta: quantity,
                value,
            } => (quantity.0, value.amount.0),
            E::StockTransferredIn {
                quantity, value, ..
            } => {
                self.moved_in += value.amount.0;
                (quantity.0, value.amount.0)
            }
            E::StockTransferredOut {
                quantity, value, ..
            } => {
                self.moved_out += value.amount.0;
                (-quantity.0, -value.amount.0)
            }
            E::StockIssued {
                quantity,
                value,
                reservation,
                ..
            } => {
                if reservation.is_some() {
                    self.issued += value.amount.0;
                    self.shelves.entry(stream.to_owned()).or_default().reserved -= *quantity;
                }
                (-quantity.0, -value.amount.0)
            }
            E::StockWrittenOff {
                quantity, value, ..
            } => (-quantity.0, -value.amount.0),
            E::StockReserved { quantity, .. } => {
                self.shelves.entry(stream.to_owned()).or_default().reserved += *quantity;
                (Decimal::ZERO, Decimal::ZERO)
            }
            E::ReservationReleased { quantity, .. } => {
                self.shelves.entry(stream.to_owned()).or_default().reserved -= *quantity;
                (Decimal::ZERO, Decimal::ZERO)
            }
            E::StockCounted { .. } => (Decimal::ZERO, Decimal::ZERO),
        };
        self.value += value;
        let shelf = self.shelves.entry(stream.to_owned()).or_default();
        shelf.on_hand += Quantity(quantity);
        shelf.value += value;
    }

    fn enter_order(&mut self, stream: &str, event: &OrderEvent) {
        let on_the_way = self.on_the_way.entry(stream.to_owned()).or_default();
        match event {
            OrderEvent::OrderLineShipped { quantity, cost, .. } => {
                self.shipped += cost.amount.0;
                *on_the_way += *quantity;
            }
            OrderEvent::OrderLineDelivered { quantity, .. }
            | OrderEvent::OrderLineShipmentLost { quantity, .. } => *on_the_way -= *quantity,
            OrderEvent::OrderCompleted {} | OrderEvent::OrderCancelled { .. } => {
                assert!(!on_the_way.is_positive(), "{stream}");
            }
            _ => {}
        }
    }

    /// What must hold after every commit.
    fn check(&self) {
        for (stream, shelf) in &self.shelves {
            assert!(shelf.reserved >= Quantity::ZERO, "{stream}");
            assert!(shelf.on_hand >= shelf.reserved, "{stream}");
            assert!(shelf.value >= Decimal::ZERO, "{stream}");
            assert!(
                shelf.on_hand.is_positive() || shelf.value.is_zero(),
                "{stream}"
            );
        }
        assert_eq!(self.moved_in, self.moved_out);
        assert_eq!(self.issued, self.shipped);
        let on_shelves: Decimal = self.shelves.values().map(|shelf| shelf.value).sum();
        assert_eq!(on_shelves, self.value);
    }
}

#[test]
fn goods_values_and_numbers_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = open(folder.path());
    let options = DemoOptions {
        scale: 0.2,
        ..small(4)
    };
    let summary = fill(&organisation, options, &mut |_, _| {}).unwrap();
    let mut books = Books::default();
    let mut events = 0;
    read(&organisation, &mut |position, _, recorded| {
        events += recorded.len();
        for (stream, event) in &recorded {
            books.enter(stream, event);
        }
        if position % 100 == 0 {
            books.check();
        }
    });
    books.check();
    assert!(books.shipped > Decimal::ZERO);
    assert_eq!(books.numbers["numberSeries-order"], summary.orders);
    assert_eq!(books.numbers["numberSeries-shipment"], summary.shipments);
    assert_eq!(books.numbers["numberSeries-customer"], summary.customers);
    assert_eq!(books.numbers["numberSeries-complaint"], summary.complaints);
    // The founding records one event per commit.
    assert_eq!(u64::try_from(events).unwrap(), summary.events + 5);
    organisation.close().unwrap();
}
