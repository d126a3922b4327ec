use daybook_schema::{
    DomainEvent,
    customers::DeactivateCustomer,
    goods::StockItemEvent,
    kernel::{Address, Name},
    orders::{
        AmendOrder, CancelOrder, CancelOrderLine, ConfirmOrder, ConfirmedLine, HoldOrder,
        OrderEvent, OrderLineDraft, PlaceOrder, ReleaseOrder,
    },
    pipeline::OpportunityId,
};

use crate::spec::{
    Given,
    shop::{
        CUP, CUSTOMER, NORTH, SOUTH, TEA, TEA_NORTH, cny, confirm, draft, line, order, place,
        prepare, receive, shop, shop_with, yuan,
    },
    t, uuid,
};

/// A shop with ten of each product in the north, and an order 50 of 6 teas and 4 cups.
fn ordered() -> Given {
    shop()
        .done(41, receive(TEA, "10", "4"))
        .done(42, receive(CUP, "10", "2"))
        .done(50, place(vec![draft(TEA, "6"), draft(CUP, "4")]))
}

fn amend(lines: Vec<OrderLineDraft>) -> AmendOrder {
    AmendOrder {
        order: order(50),
        lines,
        charges: None,
        ship_to: None,
        requested_on: None,
        customer_reference: None,
    }
}

fn hold() -> HoldOrder {
    HoldOrder {
        order: order(50),
        because: t("address unclear"),
    }
}

fn go_on() -> ReleaseOrder {
    ReleaseOrder { order: order(50) }
}

fn cancel() -> CancelOrder {
    CancelOrder {
        order: order(50),
        because: t("changed their mind"),
    }
}

fn cancel_line(index: usize, quantity: Option<&str>) -> CancelOrderLine {
    CancelOrderLine {
        order: order(50),
        line: line(50, index),
        quantity: quantity.map(t),
        because: t("too many"),
    }
}

#[test]
fn an_order_is_placed_with_all_that_a_reader_needs() {
    let ship_to = Address {
        street: None,
        city: Some(t("上海")),
        region: None,
        postal_code: None,
        country: None,
    };
    let command = PlaceOrder {
        charges: Some(yuan("8")),
        ship_to: Some(ship_to.clone()),
        requested_on: Some(t("2026-03-09")),
        placed_through: Some(t("online")),
        salesperson: Some(t("zhang.min")),
        customer_reference: Some(t("PO 4711")),
        ..place(vec![draft(TEA, "6")])
    };
    let events = shop()
        .when(command)
        .then_types(&["DocumentNumberIssued", "OrderPlaced"]);
    let DomainEvent::Order(OrderEvent::OrderPlaced { lines, .. }) = &events[1].event else {
        panic!("{:?}", events[1]);
    };
    assert_eq!(lines[0].line, line(99, 0));
    assert_eq!(lines[0].sku, t("TEA-1"));
    assert_eq!(lines[0].name, t::<Name>("Green tea"));
    let placed = OrderEvent::OrderPlaced {
        number: 1,
        customer: CUSTOMER,
        currency: t("CNY"),
        lines: lines.clone(),
        lines_net: cny("60"),
        charges: yuan("8"),
        total: yuan("68"),
        ship_to: Some(ship_to),
        requested_on: Some(t("2026-03-09")),
        placed_through: Some(t("online")),
        salesperson: Some(t("zhang.min")),
        opportunity: None,
        customer_reference: Some(t("PO 4711")),
        external_number: None,
    };
    assert_eq!(events[1].event, placed.into());
}

#[test]
fn an_order_that_names_no_salesperson_is_credited_to_nobody() {
    let events = shop()
        .actor("web.shop")
        .when(place(vec![draft(TEA, "6")]))
        .then_types(&["DocumentNumberIssued", "OrderPlaced"]);
    let DomainEvent::Order(OrderEvent::OrderPlaced { salesperson, .. }) = &events[1].event else {
        panic!("{:?}", events[1]);
    };
    assert_eq!(*salesperson, None);
}

#[test]
fn only_active_customers_order() {
    let stranger = PlaceOrder {
        customer: uuid(5).into(),
        ..place(vec![draft(TEA, "1")])
    };
    shop().when(stranger).then_refused("NOT_FOUND");
    let close = DeactivateCustomer {
        customer: CUSTOMER,
        because: t("out of business"),
    };
    shop()
        .done(41, close)
        .when(place(vec![draft(TEA, "1")]))
        .then_refused("CUSTOMER_INACTIVE");
}

#[test]
fn an_order_has_one_to_two_hundred_lines() {
    let lines = |count| vec![draft(TEA, "1"); count];
    shop()
        .when(place(lines(0)))
        .then_refused("LINE_COUNT_OUT_OF_RANGE");
    shop()
        .when(place(lines(201)))
        .then_refused("LINE_COUNT_OUT_OF_RANGE");
    shop()
        .when(place(lines(200)))
        .then_types(&["DocumentNumberIssued", "OrderPlaced"]);
}

#[test]
fn a_line_orders_something_that_exists() {
    shop()
        .when(place(vec![draft(TEA, "0")]))
        .then_refused("QUANTITY_NOT_POSITIVE");
    shop()
        .when(place(vec![draft(uuid(5).into(), "1")]))
        .then_refused("NOT_FOUND");
    let from_nowhere = OrderLineDraft {
        warehouse: Some(uuid(5).into()),
        ..draft(TEA, "1")
    };
    shop()
        .when(place(vec![from_nowhere]))
        .then_refused("NOT_FOUND");
}

#[test]
fn an_external_number_belongs_to_one_order() {
    let imported = |number: &str| PlaceOrder {
        external_number: Some(t(number)),
        ..place(vec![draft(TEA, "1")])
    };
    let once = || shop().done(50, imported("SO43659"));
    once()
        .when(imported("so43659"))
        .then_refused("NATURAL_KEY_TAKEN");
    let events = once().when(imported("SO43660")).then_types(&[
        "NaturalKeyReserved",
        "DocumentNumberIssued",
        "OrderPlaced",
    ]);
    assert_eq!(events[1].version, 2, "numbers have no gap");
}

#[test]
fn an_order_is_amended_whole_before_its_confirmation() {
    let events = ordered()
        .when(amend(vec![draft(CUP, "1")]))
        .then_types(&["OrderAmended"]);
    let DomainEvent::Order(OrderEvent::OrderAmended { lines, total, .. }) = &events[0].event else {
        panic!("{:?}", events[0]);
    };
    assert_eq!(*total, yuan("10"));
    assert_eq!(lines[0].line, line(99, 0));
    ordered()
        .when(amend(Vec::new()))
        .then_refused("LINE_COUNT_OUT_OF_RANGE");
    ordered()
        .done(51, amend(vec![draft(CUP, "1")]))
        .when(cancel_line(0, None))
        .then_refused("LINE_UNKNOWN");
}

#[test]
fn lines_and_prices_never_change_after_the_confirmation() {
    let confirmed = || ordered().done(51, confirm(50));
    confirmed()
        .when(amend(vec![draft(CUP, "1")]))
        .then_refused("ORDER_CONFIRMED");
    confirmed()
        .when(confirm(50))
        .then_refused("ORDER_CONFIRMED");
}

#[test]
fn the_confirmation_reserves_the_stock_of_every_line() {
    let events = ordered().when(confirm(50)).then_types(&[
        "StockReserved",
        "StockReserved",
        "OrderConfirmed",
    ]);
    let reserved = StockItemEvent::StockReserved {
        quantity: t("6"),
        reference: Name::of_id(&order(50)),
    };
    assert_eq!(events[0].stream, TEA_NORTH.to_string());
    assert_eq!(events[0].event, reserved.into());
    let source = |index, quantity: &str| ConfirmedLine {
        line: line(50, index),
        warehouse: NORTH,
        reserved: t(quantity),
    };
    let confirmed = OrderEvent::OrderConfirmed {
        lines: vec![source(0, "6"), source(1, "4")],
    };
    assert_eq!(events[2].event, confirmed.into());
}

#[test]
fn two_lines_of_one_product_do_not_oversell_it() {
    let twice = |first: &str, second: &str| {
        shop()
            .done(41, receive(TEA, "10", "4"))
            .done(50, place(vec![draft(TEA, first), draft(TEA, second)]))
            .when(confirm(50))
    };
    twice("6", "5").then_refused("INSUFFICIENT_STOCK");
    twice("6", "4").then_types(&["StockReserved", "StockReserved", "OrderConfirmed"]);
}

#[test]
fn two_orders_do_not_get_the_same_goods() {
    ordered()
        .done(51, confirm(50))
        .done(60, place(vec![draft(TEA, "5")]))
        .when(confirm(60))
        .then_refused("INSUFFICIENT_STOCK");
}

#[test]
fn back_orders_let_an_order_be_confirmed_before_its_goods_come() {
    shop_with(true, 0)
        .done(50, place(vec![draft(TEA, "5")]))
        .when(confirm(50))
        .then_types(&["StockReserved", "OrderConfirmed"]);
}

#[test]
fn every_line_needs_a_warehouse_when_the_order_is_confirmed() {
    let anywhere = OrderLineDraft {
        warehouse: None,
        ..draft(TEA, "1")
    };
    let ordered = || {
        shop()
            .done(41, receive(TEA, "10", "4"))
            .done(50, place(vec![anywhere.clone(), draft(TEA, "1")]))
    };
    ordered()
        .when(confirm(50))
        .then_refused("LINE_WITHOUT_WAREHOUSE");
    let from = |warehouse| ConfirmOrder {
        default_warehouse: Some(warehouse),
        ..confirm(50)
    };
    ordered()
        .when(from(NORTH))
        .then_types(&["StockReserved", "StockReserved", "OrderConfirmed"]);
    ordered()
        .when(from(SOUTH))
        .then_refused("INSUFFICIENT_STOCK");
}

#[test]
fn an_order_on_hold_is_neither_amended_nor_confirmed() {
    let held = || ordered().done(51, hold());
    held()
        .when(amend(vec![draft(CUP, "1")]))
        .then_refused("ORDER_ON_HOLD");
    held().when(confirm(50)).then_refused("ORDER_ON_HOLD");
    held().when(hold()).then_refused("ORDER_ON_HOLD");
}

#[test]
fn a_released_order_goes_on_where_it_was_stopped() {
    ordered().when(go_on()).then_refused("ORDER_NOT_ON_HOLD");
    ordered()
        .done(51, hold())
        .done(52, go_on())
        .when(confirm(50))
        .then_types(&["StockReserved", "StockReserved", "OrderConfirmed"]);
    ordered()
        .done(51, confirm(50))
        .done(52, hold())
        .done(53, go_on())
        .when(confirm(50))
        .then_refused("ORDER_CONFIRMED");
}

#[test]
fn a_cancelled_order_gives_its_stock_free() {
    ordered().when(cancel()).then_types(&["OrderCancelled"]);
    ordered().done(51, confirm(50)).when(cancel()).then_types(&[
        "ReservationReleased",
        "ReservationReleased",
        "OrderCancelled",
    ]);
    ordered()
        .done(51, confirm(50))
        .done(52, hold())
        .done(53, cancel())
        .done(60, place(vec![draft(TEA, "10")]))
        .when(confirm(60))
        .then_types(&["StockReserved", "OrderConfirmed"]);
}

#[test]
fn an_order_of_which_something_is_prepared_is_not_cancelled() {
    ordered()
        .done(51, confirm(50))
        .done(52, prepare(50, &[(0, "1")]))
        .when(cancel())
        .then_refused("ORDER_UNDER_WAY");
}

#[test]
fn a_cancelled_order_accepts_nothing() {
    let cancelled = || ordered().done(51, cancel());
    cancelled().when(cancel()).then_refused("ORDER_CANCELLED");
    cancelled()
        .when(confirm(50))
        .then_refused("ORDER_CANCELLED");
    cancelled()
        .when(cancel_line(0, None))
        .then_refused("ORDER_CANCELLED");
    cancelled()
        .when(prepare(50, &[(0, "1")]))
        .then_refused("ORDER_CANCELLED");
}

#[test]
fn a_part_of_a_line_is_cancelled_with_its_stock_and_its_price() {
    let cancelled = |released: &str| OrderEvent::OrderLineCancelled {
        line: line(50, 0),
        quantity: t("2"),
        released: t(released),
        net: cny("40"),
        lines_net: cny("80"),
        total: yuan("80"),
        because: t("too many"),
    };
    ordered()
        .when(cancel_line(0, Some("2")))
        .then(&[(&order(50), cancelled("0").into())]);
    let released = StockItemEvent::ReservationReleased {
        quantity: t("2"),
        reference: Name::of_id(&order(50)),
    };
    ordered()
        .done(51, confirm(50))
        .when(cancel_line(0, Some("2")))
        .then(&[
            (&TEA_NORTH, released.into()),
            (&order(50), cancelled("2").into()),
        ]);
}

#[test]
fn no_more_of_a_line_is_cancelled_than_is_open() {
    let prepared = || {
        ordered()
            .done(51, confirm(50))
            .done(52, prepare(50, &[(0, "5")]))
    };
    prepared()
        .when(cancel_line(0, Some("2")))
        .then_refused("LINE_NOT_OPEN");
    prepared()
        .when(cancel_line(0, Some("0")))
        .then_refused("QUANTITY_NOT_POSITIVE");
    prepared()
        .done(53, cancel_line(0, None))
        .when(cancel_line(0, None))
        .then_refused("LINE_NOT_OPEN");
}

#[test]
fn an_order_without_anything_left_is_cancelled() {
    ordered()
        .done(51, confirm(50))
        .done(52, cancel_line(0, None))
        .when(cancel_line(1, None))
        .then_types(&[
            "ReservationReleased",
            "OrderLineCancelled",
            "OrderCancelled",
        ]);
}

#[test]
fn a_cancelled_line_is_not_reserved() {
    ordered()
        .done(51, cancel_line(0, None))
        .when(confirm(50))
        .then_types(&["StockReserved", "OrderConfirmed"]);
}

#[test]
fn an_order_that_does_not_exist_is_named_in_the_refusal() {
    let refusal = shop().when(confirm(5)).then_refused("NOT_FOUND");
    assert!(
        refusal.message.contains(&order(5).to_string()),
        "{}",
        refusal.message
    );
}

#[test]
fn an_order_closes_an_opportunity_of_its_own_customer_only() {
    let unknown = PlaceOrder {
        opportunity: Some(OpportunityId(uuid(77))),
        ..place(vec![draft(TEA, "1")])
    };
    shop().when(unknown).then_refused("NOT_FOUND");
}
