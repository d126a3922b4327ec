//! Whatever is done to stock, in whatever order, quantity and value are conserved.

use daybook_schema::{
    DomainCommand,
    goods::{
        CountStock, IssueStock, ReceiveStock, ReleaseReservation, ReserveStock, TransferStock,
        WarehouseId, WriteOffStock,
    },
    kernel::{Amount, Currency, Quantity},
};
use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};
use rust_decimal::Decimal as Exact;

use crate::spec::{
    shop::{Books, NORTH, SOUTH, TEA, shop},
    t,
};

/// More than nothing, in thousandths.
fn quantity() -> impl Strategy<Value = Quantity> {
    (1_i64..20_000).prop_map(|thousandths| Quantity(Exact::new(thousandths, 3)))
}

fn warehouse() -> impl Strategy<Value = WarehouseId> {
    prop_oneof![Just(NORTH), Just(SOUTH)]
}

/// One command to the stock of tea; `kind` chooses among seven.
fn command(kind: u8, warehouse: WarehouseId, quantity: Quantity, millionths: i64) -> DomainCommand {
    let (product, reference) = (TEA, None);
    match kind {
        0 => ReceiveStock {
            product,
            warehouse,
            quantity,
            unit_cost: Amount::new(Exact::new(millionths, 6), Currency::CNY),
            reference,
        }
        .into(),
        1 => IssueStock {
            product,
            warehouse,
            quantity,
            reference,
        }
        .into(),
        2 => TransferStock {
            product,
            from: warehouse,
            to: if warehouse == NORTH { SOUTH } else { NORTH },
            quantity,
            reference,
        }
        .into(),
        3 => CountStock {
            product,
            warehouse,
            counted: quantity,
            note: None,
        }
        .into(),
        4 => WriteOffStock {
            product,
            warehouse,
            quantity,
            because: t("damp"),
        }
        .into(),
        5 => ReserveStock {
            product,
            warehouse,
            quantity,
            reference: t("fair"),
        }
        .into(),
        _ => ReleaseReservation {
            product,
            warehouse,
            reference: t("fair"),
            quantity: None,
        }
        .into(),
    }
}

fn commands() -> impl Strategy<Value = Vec<DomainCommand>> {
    let kind = prop_oneof![3 => Just(0_u8), 6 => 1_u8..7];
    let one = (kind, warehouse(), quantity(), 0_i64..50_000_000);
    let one = one.prop_map(|(kind, warehouse, quantity, millionths)| {
        command(kind, warehouse, quantity, millionths)
    });
    prop::collection::vec(one, 1..60)
}

proptest! {
    #[test]
    fn stock_is_conserved_and_never_promised_twice(commands in commands()) {
        let shop = shop();
        let mut books = Books::default();
        for (number, command) in (100..).zip(commands) {
            if let Ok(events) = shop.attempt(number, command) {
                books.read(&events);
            }
            books.assert_conserved();
        }
    }
}
