//! Whatever is ordered, shipped, lost and cancelled, in whatever order, nothing is promised
//! twice, shipped beyond the allowance, or left reserved for an order that wants it no more.

use daybook_schema::{
    DomainCommand, DomainEvent,
    kernel::{Name, Quantity},
    orders::{
        CancelOrder, CancelOrderLine, CancelShipment, DeliverShipment, DispatchShipment, HoldOrder,
        OrderEvent, ProofOfDelivery, ReleaseOrder, ReportShipmentLost,
    },
};
use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};
use rust_decimal::Decimal as Exact;

use crate::{
    RecordedEvent,
    orders::{
        lines::{Line, Record},
        order::Order,
    },
    spec::{
        Given,
        shop::{
            Books, CUP, TEA, TEA_NORTH, confirm, draft, line, order, place, prepare, receive,
            shipment, shop_with,
        },
        t,
    },
};

/// Two orders compete for the tea; each has two lines of it and one of cups.
const ORDERS: [u128; 2] = [50, 51];
/// 10 %.
const OVER_DELIVERY: i64 = 1_000;

/// What somebody does next: which verb, to which order and line, with how much, and to which of
/// the shipments so far.
#[derive(Clone, Debug)]
struct Step {
    verb: u8,
    order: u128,
    line: usize,
    quantity: u8,
    shipment: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verb = prop_oneof![4 => Just(0_u8), 4 => Just(1_u8), 3 => Just(2_u8), 4 => 3_u8..9];
    let order = prop_oneof![Just(ORDERS[0]), Just(ORDERS[1])];
    let step = (verb, order, 0..3_usize, 1..8_u8, 0..4_usize);
    let step = step.prop_map(|(verb, order, line, quantity, shipment)| Step {
        verb,
        order,
        line,
        quantity,
        shipment,
    });
    prop::collection::vec(step, 1..60)
}

fn command(step: &Step, shipments: &[u128]) -> DomainCommand {
    let of_order = order(step.order);
    let recent = shipments.iter().rev().nth(step.shipment);
    let shipment = shipment(recent.copied().unwrap_or(1));
    match step.verb {
        0 => prepare(step.order, &[(step.line, &step.quantity.to_string())]).into(),
        1 => DispatchShipment {
            shipment,
            tracking_number: None,
        }
        .into(),
        2 => DeliverShipment {
            shipment,
            proof: ProofOfDelivery {
                signed_by: t("王芳"),
                note: None,
                delivered_at: None,
            },
        }
        .into(),
        3 => ReportShipmentLost {
            shipment,
            note: t("gone"),
        }
        .into(),
        4 => CancelShipment {
            shipment,
            because: t("wrong box"),
        }
        .into(),
        5 => CancelOrderLine {
            order: of_order,
            line: line(step.order, step.line),
            quantity: Some(Quantity(Exact::from(step.quantity))),
            because: t("too many"),
        }
        .into(),
        6 => HoldOrder {
            order: of_order,
            because: t("wait"),
        }
        .into(),
        7 => ReleaseOrder { order: of_order }.into(),
        _ => CancelOrder {
            order: of_order,
            because: t("changed their mind"),
        }
        .into(),
    }
}

#[expect(clippy::expect_used, reason = "what is told of nothing proves nothing")]
/// Both orders are placed and confirmed; five teas more than they want are there.
fn open_shop(books: &mut Books) -> Given {
    let shop = shop_with(false, OVER_DELIVERY);
    let lines = || vec![draft(TEA, "10"), draft(TEA, "5"), draft(CUP, "3")];
    let begin: [(u128, DomainCommand); 6] = [
        (41, receive(TEA, "35", "4").into()),
        (42, receive(CUP, "7", "2.333333").into()),
        (ORDERS[0], place(lines()).into()),
        (ORDERS[1], place(lines()).into()),
        (52, confirm(ORDERS[0]).into()),
        (53, confirm(ORDERS[1]).into()),
    ];
    for (id, command) in begin {
        let events = shop.attempt(id, command);
        books.read(&events.expect("the shop can be opened"));
    }
    shop
}

fn record(order: &Order) -> Option<&Record> {
    match order {
        Order::Placed(record) | Order::Confirmed(record) | Order::OnHold { record, .. } => {
            Some(record)
        }
        Order::Unplaced | Order::Completed { .. } | Order::Cancelled { .. } => None,
    }
}

#[track_caller]
fn assert_line(line: &Line) {
    let progress = line.progress;
    let wanted = progress.wanted();
    let limit = Quantity(wanted.0 * Exact::new(11, 1));
    assert!(wanted >= Quantity::ZERO, "{line:?}");
    assert!(progress.delivered <= progress.shipped, "{line:?}");
    assert!(progress.shipped + line.prepared <= limit, "{line:?}");
    assert!(line.prepared <= line.reserved, "{line:?}");
    assert!(line.prepared >= Quantity::ZERO, "{line:?}");
}

/// The stock keeps for an order exactly what its lines say, and nothing for one that is closed.
#[track_caller]
fn assert_reserved(shop: &Given, books: &Books) {
    for id in ORDERS {
        let state: Order = shop.state(&order(id));
        let lines = record(&state).map_or(&[][..], |record| &record.lines);
        let of_tea = lines.iter().filter(|line| line.product == TEA);
        let expected: Quantity = of_tea.map(|line| line.reserved).sum();
        let shelf = &books.shelves[&TEA_NORTH.to_string()];
        let kept = shelf.reserved.get(&Name::of_id(&order(id)));
        assert_eq!(kept.copied().unwrap_or_default(), expected, "{state:?}");
        for line in lines {
            assert_line(line);
        }
    }
}

/// An order is never left open when everything is delivered, and totals follow the lines.
#[track_caller]
fn assert_settled(shop: &Given, events: &[RecordedEvent]) {
    for id in ORDERS {
        let state: Order = shop.state(&order(id));
        assert!(
            record(&state).is_none_or(|record| !record.is_settled()),
            "{state:?}"
        );
    }
    for recorded in events {
        let event = &recorded.event;
        if let DomainEvent::Order(OrderEvent::OrderLineCancelled {
            lines_net, total, ..
        }) = event
        {
            assert_eq!(lines_net.amount.0, total.amount(), "{event:?}");
            assert_eq!(
                lines_net.amount.0 % Exact::from(10),
                Exact::ZERO,
                "{event:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn goods_are_promised_once_and_shipped_within_the_allowance(steps in steps()) {
        let mut books = Books::default();
        let shop = open_shop(&mut books);
        let mut shipments = Vec::new();
        for (id, step) in (100..).zip(steps) {
            let Ok(events) = shop.attempt(id, command(&step, &shipments)) else {
                continue;
            };
            if step.verb == 0 {
                shipments.push(id);
            }
            books.read(&events);
            books.assert_conserved();
            assert_reserved(&shop, &books);
            assert_settled(&shop, &events);
        }
    }
}
