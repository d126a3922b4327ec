use daybook_schema::{
    DomainEvent,
    goods::{ClosePriceList, PriceExplanation, PriceSource},
    kernel::{Amount, BasisPoints, Currency, Money, Quantity},
    orders::{OrderEvent, OrderLine, OrderLineDraft, PlaceOrder},
};
use proptest::prelude::{prop, proptest};
use rust_decimal::Decimal as Exact;

use crate::spec::{
    Given, Outcome,
    shop::{CUP, RETAIL, TEA, cny, draft, open_price_list, place, points, shop, yuan},
    t,
};

/// Tea at the price of the list.
fn listed(quantity: &str) -> OrderLineDraft {
    OrderLineDraft {
        price_list: Some(RETAIL),
        unit_price: None,
        ..draft(TEA, quantity)
    }
}

/// Lines, their sum and the total of the order that was placed.
#[track_caller]
fn placed(outcome: Outcome) -> (Vec<OrderLine>, Amount, Money) {
    let events = outcome.then_types(&["DocumentNumberIssued", "OrderPlaced"]);
    match &events[1].event {
        DomainEvent::Order(OrderEvent::OrderPlaced {
            lines,
            lines_net,
            total,
            ..
        }) => (lines.clone(), *lines_net, *total),
        other => panic!("no order: {other:?}"),
    }
}

#[track_caller]
fn explained(shop: Given, line: OrderLineDraft) -> (PriceExplanation, Amount) {
    let (lines, _, _) = placed(shop.when(place(vec![line])));
    (lines[0].price.clone(), lines[0].net)
}

#[test]
fn a_listed_price_carries_its_list_its_version_and_its_tier() {
    let explanation = PriceExplanation {
        source: PriceSource::List,
        price_list: Some(RETAIL),
        price_version: Some(1),
        tier_min_quantity: Some(t("10")),
        list_unit_price: Some(t("11")),
        unit_price: t("11"),
        discount: BasisPoints::ZERO,
    };
    assert_eq!(explained(shop(), listed("12")), (explanation, cny("132")));
}

#[test]
fn a_price_of_the_line_itself_is_explained_as_an_override() {
    let explanation = PriceExplanation {
        source: PriceSource::Override,
        price_list: None,
        price_version: None,
        tier_min_quantity: None,
        list_unit_price: None,
        unit_price: t("10"),
        discount: BasisPoints::ZERO,
    };
    assert_eq!(explained(shop(), draft(TEA, "2")), (explanation, cny("20")));
}

#[test]
fn a_line_with_both_prices_keeps_the_listed_one_on_record() {
    let both = OrderLineDraft {
        unit_price: Some(t("9.99")),
        ..listed("1")
    };
    let (explanation, net) = explained(shop(), both);
    assert_eq!(explanation.source, PriceSource::Override);
    assert_eq!(explanation.list_unit_price, Some(t("12.5")));
    assert_eq!(explanation.unit_price, t("9.99"));
    assert_eq!(net, cny("9.99"));
}

#[test]
fn a_discount_is_taken_off_and_rounded_once_at_six_places() {
    let discounted = |quantity: &str, unit_price: &str, discount: i64| OrderLineDraft {
        unit_price: Some(t(unit_price)),
        discount: points(discount),
        ..draft(TEA, quantity)
    };
    let net = |quantity, unit_price, discount| {
        explained(shop(), discounted(quantity, unit_price, discount)).1
    };
    assert_eq!(net("3", "10", 1500), cny("25.5"));
    assert_eq!(net("3", "10", 10_000), cny("0"));
    assert_eq!(net("0.333333", "0.333333", 1), cny("0.1111"));
    assert_eq!(net("1.000001", "1.5", 0), cny("1.500002"));
}

#[test]
fn a_discount_is_a_share_of_the_price() {
    for discount in [-1, 10_001] {
        let line = OrderLineDraft {
            discount: points(discount),
            ..draft(TEA, "1")
        };
        shop()
            .when(place(vec![line]))
            .then_refused("DISCOUNT_OUT_OF_RANGE");
    }
}

#[test]
fn an_order_of_an_earlier_day_has_the_price_of_that_day() {
    let early = || place(vec![listed("1")]);
    shop()
        .occurred_at("2025-12-31T23:59:59Z")
        .when(early())
        .then_refused("NO_PRICE_IN_FORCE");
    placed(shop().occurred_at("2026-01-01T00:00:00Z").when(early()));
}

#[test]
fn a_line_without_any_price_is_refused() {
    let priceless = OrderLineDraft {
        unit_price: None,
        ..draft(TEA, "1")
    };
    shop()
        .when(place(vec![priceless]))
        .then_refused("PRICE_MISSING");
    shop()
        .when(place(vec![listed("0.5")]))
        .then_refused("NO_PRICE_IN_FORCE");
    let cup = OrderLineDraft {
        product: CUP,
        ..listed("1")
    };
    shop()
        .when(place(vec![cup]))
        .then_refused("NO_PRICE_IN_FORCE");
}

#[test]
fn prices_below_nothing_are_refused() {
    let gift = |unit_price: &str| OrderLineDraft {
        unit_price: Some(t(unit_price)),
        ..draft(TEA, "1")
    };
    shop()
        .when(place(vec![gift("-0.01")]))
        .then_refused("AMOUNT_NEGATIVE");
    assert_eq!(explained(shop(), gift("0")).1, cny("0"));
}

#[test]
fn a_list_prices_orders_of_its_own_currency_and_while_it_is_open() {
    let in_euro = OrderLineDraft {
        price_list: Some(crate::spec::uuid(41).into()),
        ..listed("1")
    };
    shop()
        .done(41, open_price_list("EUR"))
        .when(place(vec![in_euro]))
        .then_refused("CURRENCY_DIFFERS");
    let close = ClosePriceList {
        price_list: RETAIL,
        because: t("new season"),
    };
    shop()
        .done(41, close)
        .when(place(vec![listed("1")]))
        .then_refused("PRICE_LIST_CLOSED");
}

#[test]
fn the_total_is_rounded_once_from_lines_and_charges() {
    let thirds = OrderLineDraft {
        unit_price: Some(t("0.333")),
        ..draft(TEA, "1")
    };
    let order = PlaceOrder {
        charges: Some(yuan("5.50")),
        ..place(vec![thirds.clone(), thirds.clone(), thirds])
    };
    let (_, lines_net, total) = placed(shop().when(order));
    assert_eq!(lines_net, cny("0.999"));
    assert_eq!(total, yuan("6.50"));
}

#[test]
fn charges_are_in_the_currency_of_the_order_and_not_negative() {
    let with_charges = |charges| PlaceOrder {
        charges: Some(charges),
        ..place(vec![draft(TEA, "1")])
    };
    shop()
        .when(with_charges(yuan("-0.01")))
        .then_refused("AMOUNT_NEGATIVE");
    shop()
        .when(with_charges(Money::from_minor(100, t("EUR"))))
        .then_refused("CURRENCY_DIFFERS");
}

#[test]
fn a_currency_without_a_minor_unit_is_rounded_to_the_whole() {
    let order = PlaceOrder {
        currency: t("JPY"),
        ..place(vec![OrderLineDraft {
            unit_price: Some(t("0.5")),
            ..draft(TEA, "3")
        }])
    };
    let (_, lines_net, total) = placed(shop().when(order));
    assert_eq!(lines_net.amount, t("1.5"));
    assert_eq!(total, Money::from_minor(2, t("JPY")));
}

#[test]
fn amounts_that_cannot_be_written_down_are_refused() {
    let dear = OrderLineDraft {
        unit_price: Some(t("1000000000000")),
        ..draft(TEA, "1")
    };
    shop()
        .when(place(vec![dear.clone(), dear.clone()]))
        .then_refused("AMOUNT_OUT_OF_RANGE");
    let too_many = OrderLineDraft {
        quantity: t("1000000000000"),
        ..dear.clone()
    };
    shop()
        .when(place(vec![too_many]))
        .then_refused("AMOUNT_OUT_OF_RANGE");
    let with_charges = PlaceOrder {
        charges: Some(yuan("0.01")),
        ..place(vec![dear])
    };
    shop()
        .when(with_charges)
        .then_refused("AMOUNT_OUT_OF_RANGE");
}

proptest! {
    #[test]
    fn totals_are_the_sum_of_the_lines_exactly(
        lines in prop::collection::vec(
            (1_i64..1_000_000, 0_i64..1_000_000_000, 0_i64..=10_000),
            1..40,
        ),
        freight in 0_i64..1_000_000,
    ) {
        let line = |(thousandths, ten_thousandths, discount)| OrderLineDraft {
            quantity: Quantity(Exact::new(thousandths, 3)),
            unit_price: Some(Exact::new(ten_thousandths, 4).into()),
            discount: points(discount),
            ..draft(TEA, "1")
        };
        let charges = Money::from_minor(freight, Currency::CNY);
        let order = PlaceOrder {
            charges: Some(charges),
            ..place(lines.into_iter().map(line).collect())
        };
        let (lines, lines_net, total) = placed(shop().when(order));
        let sum: Exact = lines.iter().map(|line| line.net.amount.0).sum();
        assert_eq!(lines_net.amount.0, sum);
        let due = sum + charges.amount();
        assert!((total.amount() - due).abs() <= Exact::new(5, 3));
        for line in &lines {
            let exact = line.quantity.0 * line.price.unit_price.0;
            let exact = exact - line.price.discount.of(exact);
            assert!((line.net.amount.0 - exact).abs() <= Exact::new(5, 7));
        }
    }
}
