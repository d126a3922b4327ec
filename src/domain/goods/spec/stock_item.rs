use daybook_schema::{
    goods::{
        CountStock, IssueStock, ReceiveStock, ReleaseReservation, ReserveStock, StockItemEvent,
        StockItemId, TransferStock, WriteOffStock,
    },
    kernel::Amount,
};

use crate::spec::{
    shop::{
        NORTH, SOUTH, TEA, TEA_NORTH, cny, order, receive, shop, shop_with, shop_without_rules,
    },
    t, uuid,
};

fn reserve(quantity: &str, reference: &str) -> ReserveStock {
    ReserveStock {
        product: TEA,
        warehouse: NORTH,
        quantity: t(quantity),
        reference: t(reference),
    }
}

fn release(quantity: Option<&str>, reference: &str) -> ReleaseReservation {
    ReleaseReservation {
        product: TEA,
        warehouse: NORTH,
        reference: t(reference),
        quantity: quantity.map(t),
    }
}

fn issue(quantity: &str) -> IssueStock {
    IssueStock {
        product: TEA,
        warehouse: NORTH,
        quantity: t(quantity),
        reference: Some(t("sample")),
    }
}

fn transfer(quantity: &str) -> TransferStock {
    TransferStock {
        product: TEA,
        from: NORTH,
        to: SOUTH,
        quantity: t(quantity),
        reference: None,
    }
}

fn count(counted: &str) -> CountStock {
    CountStock {
        product: TEA,
        warehouse: NORTH,
        counted: t(counted),
        note: None,
    }
}

fn write_off(quantity: &str) -> WriteOffStock {
    WriteOffStock {
        product: TEA,
        warehouse: NORTH,
        quantity: t(quantity),
        because: t("damp"),
    }
}

fn issued(quantity: &str, value: &str) -> StockItemEvent {
    StockItemEvent::StockIssued {
        quantity: t(quantity),
        value: cny(value),
        reservation: None,
        reference: Some(t("sample")),
    }
}

#[test]
fn received_goods_are_worth_what_they_cost() {
    shop().when(receive(TEA, "3", "1.333333")).then(&[(
        &TEA_NORTH,
        StockItemEvent::StockReceived {
            quantity: t("3"),
            unit_cost: cny("1.333333"),
            value: cny("3.999999"),
            reference: None,
        }
        .into(),
    )]);
}

#[test]
fn stock_is_valued_in_the_base_currency_only() {
    let in_euro = ReceiveStock {
        unit_cost: Amount {
            currency: t("EUR"),
            ..cny("1")
        },
        ..receive(TEA, "1", "1")
    };
    shop().when(in_euro).then_refused("CURRENCY_DIFFERS");
}

#[test]
fn nothing_and_less_than_nothing_is_refused() {
    shop()
        .when(receive(TEA, "0", "1"))
        .then_refused("QUANTITY_NOT_POSITIVE");
    shop()
        .when(receive(TEA, "1", "-0.01"))
        .then_refused("AMOUNT_NEGATIVE");
    for quantity in ["0", "-1"] {
        let stocked = || shop().done(41, receive(TEA, "5", "1"));
        let code = "QUANTITY_NOT_POSITIVE";
        stocked().when(reserve(quantity, "fair")).then_refused(code);
        stocked().when(issue(quantity)).then_refused(code);
        stocked().when(transfer(quantity)).then_refused(code);
        stocked().when(write_off(quantity)).then_refused(code);
        stocked()
            .done(42, reserve("1", "fair"))
            .when(release(Some(quantity), "fair"))
            .then_refused(code);
    }
    shop().when(count("-1")).then_refused("QUANTITY_NEGATIVE");
}

#[test]
fn stock_is_kept_of_listed_products_in_known_warehouses() {
    let unknown_product = ReceiveStock {
        product: uuid(5).into(),
        ..receive(TEA, "1", "1")
    };
    shop().when(unknown_product).then_refused("NOT_FOUND");
    let unknown_warehouse = CountStock {
        warehouse: uuid(5).into(),
        ..count("1")
    };
    shop().when(unknown_warehouse).then_refused("NOT_FOUND");
}

#[test]
fn goods_leave_at_the_moving_average() {
    shop()
        .done(41, receive(TEA, "10", "1"))
        .done(42, receive(TEA, "5", "4"))
        .when(issue("3"))
        .then(&[(&TEA_NORTH, issued("3", "6").into())]);
}

#[test]
fn the_last_goods_take_all_value_that_is_left() {
    shop()
        .done(41, receive(TEA, "2", "1"))
        .done(42, receive(TEA, "1", "3"))
        .done(43, issue("1"))
        .done(44, issue("1"))
        .when(issue("1"))
        .then(&[(&TEA_NORTH, issued("1", "1.666666").into())]);
}

#[test]
fn no_more_leaves_than_is_there() {
    let refusal = shop()
        .done(41, receive(TEA, "5", "1"))
        .when(issue("5.000001"))
        .then_refused("INSUFFICIENT_STOCK");
    assert_eq!(refusal.field, ["quantity"]);
}

#[test]
fn reserved_stock_is_neither_issued_nor_moved_nor_promised_twice() {
    let kept = || {
        shop()
            .done(41, receive(TEA, "5", "1"))
            .done(42, reserve("4", "fair"))
    };
    kept().when(issue("2")).then_refused("INSUFFICIENT_STOCK");
    kept()
        .when(transfer("2"))
        .then_refused("INSUFFICIENT_STOCK");
    kept()
        .when(reserve("2", "museum"))
        .then_refused("INSUFFICIENT_STOCK");
    kept().when(issue("1")).then_types(&["StockIssued"]);
}

#[test]
fn back_orders_let_more_be_reserved_but_never_issued_than_is_there() {
    let promised = || {
        shop_with(true, 0)
            .done(41, receive(TEA, "5", "1"))
            .done(42, reserve("8", "fair"))
    };
    promised()
        .when(reserve("1", "museum"))
        .then_types(&["StockReserved"]);
    promised()
        .when(issue("1"))
        .then_refused("INSUFFICIENT_STOCK");
}

#[test]
fn without_stock_rules_nothing_is_reserved() {
    shop_without_rules()
        .done(41, receive(TEA, "5", "1"))
        .when(reserve("1", "fair"))
        .then_refused("POLICY_NOT_IN_FORCE");
}

#[test]
fn a_reservation_is_given_free_in_parts_and_once() {
    let kept = || {
        shop()
            .done(41, receive(TEA, "5", "1"))
            .done(42, reserve("4", "fair"))
    };
    kept()
        .when(release(Some("5"), "fair"))
        .then_refused("RESERVATION_TOO_SMALL");
    kept()
        .when(release(None, "museum"))
        .then_refused("RESERVATION_TOO_SMALL");
    let rest = StockItemEvent::ReservationReleased {
        quantity: t("3"),
        reference: t("fair"),
    };
    let partly = kept().done(43, release(Some("1"), "fair"));
    partly
        .when(release(None, "fair"))
        .then(&[(&TEA_NORTH, rest.into())]);
    kept()
        .done(43, release(None, "fair"))
        .when(release(None, "fair"))
        .then_refused("RESERVATION_TOO_SMALL");
}

#[test]
fn nobody_but_the_order_touches_its_reservations() {
    let of_order = order(41).to_string();
    let stocked = || shop().done(41, receive(TEA, "5", "1"));
    stocked()
        .when(reserve("1", &of_order))
        .then_refused("RESERVATION_OF_ORDER");
    stocked()
        .when(release(None, &of_order))
        .then_refused("RESERVATION_OF_ORDER");
}

#[test]
fn a_transfer_takes_in_exactly_what_went_out() {
    let out = StockItemEvent::StockTransferredOut {
        to: SOUTH,
        quantity: t("2"),
        value: cny("2.666667"),
        reference: None,
    };
    let taken_in = StockItemEvent::StockTransferredIn {
        from: NORTH,
        quantity: t("2"),
        value: cny("2.666667"),
        reference: None,
    };
    let south = StockItemId {
        product: TEA,
        warehouse: SOUTH,
    };
    shop()
        .done(41, receive(TEA, "2", "1"))
        .done(42, receive(TEA, "1", "2"))
        .when(transfer("2"))
        .then(&[(&TEA_NORTH, out.into()), (&south, taken_in.into())]);
}

#[test]
fn a_transfer_needs_two_known_warehouses() {
    let in_place = TransferStock {
        to: NORTH,
        ..transfer("1")
    };
    shop().when(in_place).then_refused("SAME_WAREHOUSE");
    let to_nowhere = TransferStock {
        to: uuid(5).into(),
        ..transfer("1")
    };
    shop()
        .done(41, receive(TEA, "1", "1"))
        .when(to_nowhere)
        .then_refused("NOT_FOUND");
}

#[test]
fn a_count_that_fits_the_book_adjusts_nothing() {
    shop()
        .done(41, receive(TEA, "5", "1"))
        .when(count("5.0"))
        .then_types(&["StockCounted"]);
}

#[test]
fn a_count_compares_with_the_book_of_its_own_commit() {
    let counted = |book: &str, counted: &str| StockItemEvent::StockCounted {
        counted: t(counted),
        book: t(book),
        note: None,
    };
    let adjusted = |delta: &str, value: &str| StockItemEvent::StockAdjusted {
        delta: t(delta),
        value: cny(value),
    };
    let stocked = || {
        shop()
            .done(41, receive(TEA, "10", "2"))
            .done(42, issue("4"))
    };
    stocked().when(count("5")).then(&[
        (&TEA_NORTH, counted("6", "5").into()),
        (&TEA_NORTH, adjusted("-1", "-2").into()),
    ]);
    stocked().when(count("9")).then(&[
        (&TEA_NORTH, counted("6", "9").into()),
        (&TEA_NORTH, adjusted("3", "6").into()),
    ]);
    stocked().when(count("0")).then(&[
        (&TEA_NORTH, counted("6", "0").into()),
        (&TEA_NORTH, adjusted("-6", "-12").into()),
    ]);
    shop().when(count("3")).then(&[
        (&TEA_NORTH, counted("0", "3").into()),
        (&TEA_NORTH, adjusted("3", "0").into()),
    ]);
}

#[test]
fn neither_a_count_nor_a_write_off_leaves_less_than_is_reserved() {
    let kept = |back_orders| {
        shop_with(back_orders, 0)
            .done(41, receive(TEA, "5", "1"))
            .done(42, reserve("4", "fair"))
    };
    kept(false)
        .when(count("3"))
        .then_refused("STOCK_IS_RESERVED");
    kept(false)
        .when(write_off("2"))
        .then_refused("STOCK_IS_RESERVED");
    kept(true)
        .when(count("3"))
        .then_types(&["StockCounted", "StockAdjusted"]);
    kept(true)
        .when(write_off("2"))
        .then_types(&["StockWrittenOff"]);
}

#[test]
fn written_off_goods_take_their_value_along() {
    let written_off = StockItemEvent::StockWrittenOff {
        quantity: t("2"),
        value: cny("5"),
        because: t("damp"),
    };
    let stocked = || shop().done(41, receive(TEA, "4", "2.5"));
    stocked()
        .when(write_off("2"))
        .then(&[(&TEA_NORTH, written_off.into())]);
    stocked()
        .when(write_off("5"))
        .then_refused("INSUFFICIENT_STOCK");
}

#[test]
fn what_cannot_be_written_down_exactly_is_refused() {
    let million = "1000000";
    shop()
        .when(receive(TEA, "1000000.000001", million))
        .then_refused("AMOUNT_OUT_OF_RANGE");
    shop()
        .when(receive(TEA, "1000000000000", "1000000000000"))
        .then_refused("AMOUNT_OUT_OF_RANGE");
    shop()
        .done(41, receive(TEA, million, million))
        .when(receive(TEA, "1", "0.000001"))
        .then_refused("AMOUNT_OUT_OF_RANGE");
    shop()
        .done(41, receive(TEA, "1000000000000", "0"))
        .when(receive(TEA, "1", "0"))
        .then_refused("AMOUNT_OUT_OF_RANGE");
}
