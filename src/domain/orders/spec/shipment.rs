use daybook_schema::{
    goods::StockItemEvent,
    governance::{PolicyRules, PublishPolicy, StockRules},
    kernel::Name,
    orders::{
        CancelOrder, CancelOrderLine, CancelShipment, DelayShipment, DeliverShipment,
        DispatchShipment, HoldOrder, OrderEvent, PrepareShipment, PreparedLine, ProofOfDelivery,
        ReportShipmentDamage, ReportShipmentLost, ShipmentEvent, ShipmentLine,
    },
};

use crate::spec::{
    Given, NOW,
    shop::{
        CUP, CUSTOMER, NORTH, TEA, TEA_NORTH, cny, confirm, draft, line, order, place, prepare,
        receive, shipment, shop_with, shop_without_rules,
    },
    t,
};

/// What the delivery of a whole order of two lines records.
const ALL_DELIVERED: &[&str] = &[
    "ShipmentDelivered",
    "OrderLineDelivered",
    "OrderLineDelivered",
    "OrderCompleted",
];

/// A shop with an over-delivery allowance (in basis points), twenty of each product and a
/// confirmed order 50 of 10 teas and 4 cups.
fn confirmed_with(over_delivery: i64) -> Given {
    shop_with(false, over_delivery)
        .done(41, receive(TEA, "20", "4"))
        .done(42, receive(CUP, "20", "2"))
        .done(50, place(vec![draft(TEA, "10"), draft(CUP, "4")]))
        .done(51, confirm(50))
}

fn confirmed() -> Given {
    confirmed_with(0)
}

/// The whole order lies ready in shipment 60.
fn prepared() -> Given {
    confirmed().done(60, prepare(50, &[(0, "10"), (1, "4")]))
}

/// The whole order is on its way in shipment 60.
fn dispatched() -> Given {
    prepared().done(61, dispatch(60))
}

fn dispatch(command_id: u128) -> DispatchShipment {
    DispatchShipment {
        shipment: shipment(command_id),
        tracking_number: None,
    }
}

fn deliver(command_id: u128) -> DeliverShipment {
    DeliverShipment {
        shipment: shipment(command_id),
        proof: ProofOfDelivery {
            signed_by: t("王芳"),
            note: None,
            delivered_at: None,
        },
    }
}

fn deliver_at(command_id: u128, instant: &str) -> DeliverShipment {
    let proof = ProofOfDelivery {
        delivered_at: Some(t(instant)),
        ..deliver(command_id).proof
    };
    DeliverShipment {
        proof,
        ..deliver(command_id)
    }
}

fn lose(command_id: u128) -> ReportShipmentLost {
    ReportShipmentLost {
        shipment: shipment(command_id),
        note: t("the lorry burned"),
    }
}

fn put_back(command_id: u128) -> CancelShipment {
    CancelShipment {
        shipment: shipment(command_id),
        because: t("wrong box"),
    }
}

fn delay(promised_on: &str) -> DelayShipment {
    DelayShipment {
        shipment: shipment(60),
        new_promised_on: t(promised_on),
        because: t("snow"),
    }
}

fn damage(lines: &[(usize, &str)]) -> ReportShipmentDamage {
    ReportShipmentDamage {
        shipment: shipment(60),
        note: t("a wet corner"),
        lines: prepare(50, lines).lines,
    }
}

fn hold() -> HoldOrder {
    HoldOrder {
        order: order(50),
        because: t("address unclear"),
    }
}

fn cancel_rest(index: usize) -> CancelOrderLine {
    CancelOrderLine {
        order: order(50),
        line: line(50, index),
        quantity: None,
        because: t("not needed any more"),
    }
}

#[test]
fn a_shipment_is_prepared_with_all_that_a_reader_needs() {
    let command = PrepareShipment {
        carrier: Some(t("SF Express")),
        promised_on: Some(t("2026-03-05")),
        ..prepare(50, &[(0, "3")])
    };
    let events = confirmed().when(command).then_types(&[
        "DocumentNumberIssued",
        "OrderLinePrepared",
        "ShipmentPrepared",
    ]);
    let prepared = ShipmentEvent::ShipmentPrepared {
        number: 1,
        order: order(50),
        customer: CUSTOMER,
        lines: vec![PreparedLine {
            line: line(50, 0),
            product: TEA,
            warehouse: NORTH,
            quantity: t("3"),
        }],
        ship_to: None,
        carrier: Some(t("SF Express")),
        promised_on: Some(t("2026-03-05")),
    };
    assert_eq!(events[2].event, prepared.into());
}

#[test]
fn only_a_confirmed_order_that_goes_on_is_prepared() {
    shop_with(false, 0)
        .done(50, place(vec![draft(TEA, "10")]))
        .when(prepare(50, &[(0, "1")]))
        .then_refused("ORDER_NOT_CONFIRMED");
    confirmed()
        .done(60, hold())
        .when(prepare(50, &[(0, "1")]))
        .then_refused("ORDER_ON_HOLD");
    confirmed()
        .when(prepare(5, &[(0, "1")]))
        .then_refused("NOT_FOUND");
}

#[test]
fn a_shipment_holds_each_line_once_and_something_of_it() {
    let refused = |lines: &[(usize, &str)], code| {
        confirmed().when(prepare(50, lines)).then_refused(code);
    };
    refused(&[], "SHIPMENT_LINE_COUNT_OUT_OF_RANGE");
    refused(&[(0, "1"), (0, "1")], "LINE_STANDS_TWICE");
    refused(&[(0, "0")], "QUANTITY_NOT_POSITIVE");
    refused(&[(2, "1")], "LINE_UNKNOWN");
}

#[test]
fn no_more_is_prepared_than_was_ordered() {
    confirmed()
        .when(prepare(50, &[(0, "10.000001")]))
        .then_refused("OVER_DELIVERY");
    confirmed()
        .done(60, prepare(50, &[(0, "7")]))
        .when(prepare(50, &[(0, "4")]))
        .then_refused("OVER_DELIVERY");
    confirmed()
        .done(60, cancel_rest(0))
        .when(prepare(50, &[(0, "1")]))
        .then_refused("OVER_DELIVERY");
}

#[test]
fn the_allowance_lets_more_be_shipped_and_reserves_it_first() {
    let generous = || confirmed_with(1_000);
    generous()
        .when(prepare(50, &[(0, "11.1")]))
        .then_refused("OVER_DELIVERY");
    let events = generous().when(prepare(50, &[(0, "11")])).then_types(&[
        "DocumentNumberIssued",
        "StockReserved",
        "OrderLinePrepared",
        "ShipmentPrepared",
    ]);
    let line_prepared = OrderEvent::OrderLinePrepared {
        line: line(50, 0),
        shipment: shipment(99),
        quantity: t("11"),
        reserved: t("1"),
    };
    assert_eq!(events[2].event, line_prepared.into());
}

#[test]
fn the_allowance_takes_nothing_that_is_promised_to_others() {
    confirmed_with(1_000)
        .done(52, place(vec![draft(TEA, "10")]))
        .done(53, confirm(52))
        .when(prepare(50, &[(0, "11")]))
        .then_refused("INSUFFICIENT_STOCK");
}

#[test]
fn without_order_rules_nothing_is_prepared() {
    let rules = PublishPolicy {
        name: None,
        rules: PolicyRules::Stock(StockRules {
            allow_back_orders: true,
        }),
        effective_from: t("2020-01-01"),
    };
    shop_without_rules()
        .done(2, rules)
        .done(50, place(vec![draft(TEA, "10")]))
        .done(51, confirm(50))
        .when(prepare(50, &[(0, "1")]))
        .then_refused("POLICY_NOT_IN_FORCE");
}

#[test]
fn a_dispatched_shipment_takes_its_goods_out_of_the_stock() {
    let events = prepared().when(dispatch(60)).then_types(&[
        "ShipmentDispatched",
        "StockIssued",
        "OrderLineShipped",
        "StockIssued",
        "OrderLineShipped",
    ]);
    let issued = StockItemEvent::StockIssued {
        quantity: t("10"),
        value: cny("40"),
        reservation: Some(Name::of_id(&order(50))),
        reference: Some(Name::of_id(&shipment(60))),
    };
    assert_eq!(events[1].stream, TEA_NORTH.to_string());
    assert_eq!(events[1].event, issued.into());
    let shipped = OrderEvent::OrderLineShipped {
        line: line(50, 0),
        shipment: shipment(60),
        quantity: t("10"),
        cost: cny("40"),
    };
    assert_eq!(events[2].event, shipped.into());
}

#[test]
fn what_is_reserved_but_not_there_is_not_dispatched() {
    shop_with(true, 0)
        .done(50, place(vec![draft(TEA, "10")]))
        .done(51, confirm(50))
        .done(60, prepare(50, &[(0, "10")]))
        .when(dispatch(60))
        .then_refused("INSUFFICIENT_STOCK");
}

#[test]
fn an_order_on_hold_dispatches_nothing_but_may_put_back() {
    let held = || prepared().done(61, hold());
    held().when(dispatch(60)).then_refused("ORDER_ON_HOLD");
    held().when(put_back(60)).then_types(&[
        "ShipmentCancelled",
        "OrderLinePutBack",
        "OrderLinePutBack",
    ]);
}

#[test]
fn goods_leave_once() {
    dispatched()
        .when(dispatch(60))
        .then_refused("SHIPMENT_DISPATCHED");
    dispatched()
        .when(put_back(60))
        .then_refused("SHIPMENT_DISPATCHED");
}

#[test]
fn what_was_put_back_can_be_prepared_again() {
    prepared()
        .done(61, put_back(60))
        .when(prepare(50, &[(0, "10"), (1, "4")]))
        .then_types(&[
            "DocumentNumberIssued",
            "OrderLinePrepared",
            "OrderLinePrepared",
            "ShipmentPrepared",
        ]);
    prepared()
        .done(61, put_back(60))
        .when(dispatch(60))
        .then_refused("SHIPMENT_CANCELLED");
}

#[test]
fn what_was_reserved_for_the_allowance_is_free_after_it_was_put_back() {
    let put_back_line = OrderEvent::OrderLinePutBack {
        line: line(50, 0),
        shipment: shipment(60),
        quantity: t("11"),
        released: t("1"),
    };
    let events = confirmed_with(1_000)
        .done(60, prepare(50, &[(0, "11")]))
        .when(put_back(60))
        .then_types(&[
            "ShipmentCancelled",
            "ReservationReleased",
            "OrderLinePutBack",
        ]);
    assert_eq!(events[2].event, put_back_line.into());
}

#[test]
fn an_order_is_complete_when_everything_is_delivered() {
    dispatched().when(deliver(60)).then_types(ALL_DELIVERED);
}

#[test]
fn a_delivery_in_parts_completes_the_order_with_its_last_part() {
    let first = || {
        confirmed()
            .done(60, prepare(50, &[(0, "10")]))
            .done(61, dispatch(60))
    };
    first()
        .when(deliver(60))
        .then_types(&["ShipmentDelivered", "OrderLineDelivered"]);
    first()
        .done(62, deliver(60))
        .when(cancel_rest(1))
        .then_types(&[
            "ReservationReleased",
            "OrderLineCancelled",
            "OrderCompleted",
        ]);
    first()
        .done(62, prepare(50, &[(1, "4")]))
        .done(63, dispatch(62))
        .done(64, deliver(62))
        .when(deliver(60))
        .then_types(&["ShipmentDelivered", "OrderLineDelivered", "OrderCompleted"]);
}

#[test]
fn an_order_is_not_complete_while_anything_is_on_its_way() {
    let more_on_its_way = || {
        confirmed_with(1_000)
            .done(60, prepare(50, &[(0, "10"), (1, "4")]))
            .done(61, dispatch(60))
            .done(62, prepare(50, &[(0, "1")]))
    };
    more_on_its_way().when(deliver(60)).then_types(&[
        "ShipmentDelivered",
        "OrderLineDelivered",
        "OrderLineDelivered",
    ]);
    more_on_its_way()
        .done(63, deliver(60))
        .when(put_back(62))
        .then_types(&[
            "ShipmentCancelled",
            "ReservationReleased",
            "OrderLinePutBack",
            "OrderCompleted",
        ]);
    more_on_its_way()
        .done(63, deliver(60))
        .done(64, dispatch(62))
        .when(lose(62))
        .then_types(&["ShipmentLost", "OrderLineShipmentLost", "OrderCompleted"]);
    let both_on_their_way = || more_on_its_way().done(63, dispatch(62));
    both_on_their_way().when(deliver(60)).then_types(&[
        "ShipmentDelivered",
        "OrderLineDelivered",
        "OrderLineDelivered",
    ]);
    both_on_their_way()
        .done(64, deliver(60))
        .when(deliver(62))
        .then_types(&["ShipmentDelivered", "OrderLineDelivered", "OrderCompleted"]);
}

#[test]
fn a_completed_order_accepts_nothing() {
    let completed = || dispatched().done(62, deliver(60));
    let cancel = CancelOrder {
        order: order(50),
        because: t("too late"),
    };
    completed().when(cancel).then_refused("ORDER_COMPLETED");
    completed()
        .when(prepare(50, &[(0, "1")]))
        .then_refused("ORDER_COMPLETED");
    completed().when(hold()).then_refused("ORDER_COMPLETED");
}

#[test]
fn a_shipment_is_delivered_once() {
    let delivered = || dispatched().done(62, deliver(60));
    delivered()
        .when(deliver(60))
        .then_refused("SHIPMENT_DELIVERED");
    delivered()
        .when(lose(60))
        .then_refused("SHIPMENT_DELIVERED");
}

#[test]
fn a_delivery_carries_its_proof_and_its_time() {
    let delivered = |instant: &str| ShipmentEvent::ShipmentDelivered {
        signed_by: t("王芳"),
        note: None,
        delivered_at: t(instant),
    };
    let events = dispatched().when(deliver(60)).then_types(ALL_DELIVERED);
    assert_eq!(events[0].event, delivered(NOW).into());
    let earlier = "2026-03-01T18:00:00Z";
    let events = dispatched()
        .when(deliver_at(60, earlier))
        .then_types(ALL_DELIVERED);
    assert_eq!(events[0].event, delivered(earlier).into());
    dispatched()
        .when(deliver_at(60, "2026-03-02T09:00:01Z"))
        .then_refused("DELIVERY_IN_FUTURE");
}

#[test]
fn nothing_happens_on_the_way_before_the_goods_leave() {
    let code = "SHIPMENT_NOT_DISPATCHED";
    prepared().when(deliver(60)).then_refused(code);
    prepared().when(lose(60)).then_refused(code);
    prepared().when(damage(&[])).then_refused(code);
}

#[test]
fn a_shipped_order_is_delivered_even_if_it_is_stopped_meanwhile() {
    dispatched()
        .done(62, hold())
        .when(deliver(60))
        .then_types(ALL_DELIVERED);
}

#[test]
fn a_damaged_shipment_may_still_be_delivered() {
    let damaged = ShipmentEvent::ShipmentDamaged {
        note: t("a wet corner"),
        lines: vec![ShipmentLine {
            line: line(50, 0),
            quantity: t("2"),
        }],
    };
    dispatched()
        .when(damage(&[(0, "2")]))
        .then(&[(&shipment(60), damaged.into())]);
    dispatched()
        .done(62, damage(&[]))
        .when(deliver(60))
        .then_types(ALL_DELIVERED);
}

#[test]
fn only_what_was_shipped_is_damaged() {
    let on_its_way = || {
        confirmed()
            .done(60, prepare(50, &[(0, "3")]))
            .done(61, dispatch(60))
    };
    for (lines, code) in [
        (&[(1, "1")][..], "LINE_NOT_IN_SHIPMENT"),
        (&[(0, "4")][..], "DAMAGE_ABOVE_SHIPMENT"),
        (&[(0, "0")][..], "QUANTITY_NOT_POSITIVE"),
        (&[(0, "1"), (0, "1")][..], "LINE_STANDS_TWICE"),
    ] {
        on_its_way().when(damage(lines)).then_refused(code);
    }
}

#[test]
fn a_delay_moves_the_promise_to_a_later_day() {
    let promised = || {
        let prepare = PrepareShipment {
            promised_on: Some(t("2026-03-05")),
            ..prepare(50, &[(0, "3")])
        };
        confirmed().done(60, prepare)
    };
    let delayed = ShipmentEvent::ShipmentDelayed {
        promised_on: t("2026-03-08"),
        because: t("snow"),
    };
    promised()
        .when(delay("2026-03-08"))
        .then(&[(&shipment(60), delayed.into())]);
    promised()
        .when(delay("2026-03-05"))
        .then_refused("DELAY_NOT_LATER");
    promised()
        .done(61, dispatch(60))
        .done(62, delay("2026-03-08"))
        .when(delay("2026-03-07"))
        .then_refused("DELAY_NOT_LATER");
    prepared()
        .when(delay("2026-03-01"))
        .then_types(&["ShipmentDelayed"]);
}

#[test]
fn lost_goods_are_open_again_and_reserved_when_they_are_prepared_again() {
    let lost = || dispatched().done(62, lose(60));
    dispatched().when(lose(60)).then_types(&[
        "ShipmentLost",
        "OrderLineShipmentLost",
        "OrderLineShipmentLost",
    ]);
    lost().when(prepare(50, &[(0, "10")])).then_types(&[
        "DocumentNumberIssued",
        "StockReserved",
        "OrderLinePrepared",
        "ShipmentPrepared",
    ]);
    lost()
        .done(63, place(vec![draft(TEA, "10")]))
        .done(64, confirm(63))
        .when(prepare(50, &[(0, "10")]))
        .then_refused("INSUFFICIENT_STOCK");
    lost().when(deliver(60)).then_refused("SHIPMENT_LOST");
}

#[test]
fn an_order_whose_goods_all_got_lost_can_be_cancelled() {
    let cancel = CancelOrder {
        order: order(50),
        because: t("waited long enough"),
    };
    dispatched()
        .when(cancel.clone())
        .then_refused("ORDER_UNDER_WAY");
    dispatched()
        .done(62, lose(60))
        .when(cancel)
        .then_types(&["OrderCancelled"]);
}

#[test]
fn a_shipment_that_does_not_exist_cannot_leave() {
    confirmed().when(dispatch(5)).then_refused("NOT_FOUND");
}
