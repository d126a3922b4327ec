use daybook_schema::{
    goods::{ClosePriceList, EndPrice, PriceEvent, PriceId, PriceListEvent, PriceTier, SetPrice},
    kernel::{Currency, Date, Decimal, Quantity},
};
use proptest::prelude::{Strategy, prop, proptest};
use rust_decimal::Decimal as Exact;

use crate::{
    Aggregate,
    goods::price::{ListPrice, Price, price_for},
    spec::{
        shop::{CUP, RETAIL, TEA, open_price_list, set_price, shop, tiers},
        t, uuid,
    },
};

const CUP_PRICE: PriceId = PriceId {
    list: RETAIL,
    product: CUP,
};

fn price(from: &str, to: Option<&str>) -> SetPrice {
    SetPrice {
        price_list: RETAIL,
        product: CUP,
        tiers: tiers(&[("1", "20")]),
        from: t(from),
        to: to.map(t),
    }
}

fn with_tiers(prices: &[(&str, &str)]) -> SetPrice {
    SetPrice {
        tiers: tiers(prices),
        ..price("2026-01-01", None)
    }
}

fn end(from: &str, to: &str) -> EndPrice {
    EndPrice {
        price_list: RETAIL,
        product: CUP,
        from: t(from),
        to: t(to),
    }
}

fn found(price: &Price, quantity: &str, on: &str) -> Option<(u32, Decimal)> {
    let found = price_for(price, t(quantity), t(on));
    found.map(|ListPrice { version, tier }| (version, tier.unit_price))
}

#[test]
fn a_price_is_numbered_and_names_the_currency_of_its_list() {
    let set = PriceEvent::PriceSet {
        version: 1,
        currency: Currency::CNY,
        tiers: tiers(&[("1", "20")]),
        from: t("2026-01-01"),
        to: None,
    };
    shop()
        .when(price("2026-01-01", None))
        .then(&[(&CUP_PRICE, set.into())]);
}

#[test]
fn a_quantity_falls_into_the_tier_that_begins_at_or_below_it() {
    let tea = PriceId {
        list: RETAIL,
        product: TEA,
    };
    let price: Price = shop().state(&tea);
    let unit_price = |quantity| found(&price, quantity, "2026-03-02").map(|(_, price)| price);
    assert_eq!(unit_price("0.5"), None);
    assert_eq!(unit_price("1"), Some(t("12.5")));
    assert_eq!(unit_price("9.999999"), Some(t("12.5")));
    assert_eq!(unit_price("10"), Some(t("11")));
    assert_eq!(unit_price("100"), Some(t("10")));
    assert_eq!(unit_price("1000000"), Some(t("10")));
}

#[test]
fn a_price_holds_from_its_first_day_and_not_on_its_last() {
    let price: Price = shop()
        .done(41, price("2026-01-01", Some("2026-02-01")))
        .done(42, price("2026-02-01", None))
        .state(&CUP_PRICE);
    let version = |on| found(&price, "1", on).map(|(version, _)| version);
    assert_eq!(version("2025-12-31"), None);
    assert_eq!(version("2026-01-01"), Some(1));
    assert_eq!(version("2026-01-31"), Some(1));
    assert_eq!(version("2026-02-01"), Some(2));
    assert_eq!(version("2030-01-01"), Some(2));
}

#[test]
fn two_prices_never_hold_on_one_day() {
    let january = || shop().done(41, price("2026-01-01", Some("2026-02-01")));
    for (from, to) in [
        ("2026-01-31", None),
        ("2025-01-01", None),
        ("2025-12-01", Some("2026-01-02")),
        ("2026-01-10", Some("2026-01-11")),
        ("2026-01-01", Some("2026-02-01")),
    ] {
        january()
            .when(price(from, to))
            .then_refused("PRICE_PERIODS_OVERLAP");
    }
    january()
        .when(price("2025-12-01", Some("2026-01-01")))
        .then_types(&["PriceSet"]);
}

#[test]
fn an_open_ended_price_must_be_ended_before_the_next() {
    let open = || shop().done(41, price("2026-01-01", None));
    open()
        .when(price("2026-06-01", None))
        .then_refused("PRICE_PERIODS_OVERLAP");
    open()
        .done(42, end("2026-01-01", "2026-06-01"))
        .when(price("2026-06-01", None))
        .then_types(&["PriceSet"]);
}

#[test]
fn a_price_ended_on_its_first_day_never_holds() {
    let withdrawn = shop()
        .done(41, price("2026-01-01", None))
        .done(42, end("2026-01-01", "2026-01-01"))
        .done(43, price("2025-01-01", None));
    let price: Price = withdrawn.state(&CUP_PRICE);
    assert_eq!(
        found(&price, "1", "2026-01-01").map(|(version, _)| version),
        Some(2)
    );
    withdrawn
        .when(end("2026-01-01", "2026-03-01"))
        .then_refused("PRICE_UNKNOWN");
}

#[test]
fn the_end_of_a_price_may_move_but_not_into_the_next_one() {
    let two = || {
        shop()
            .done(41, price("2026-01-01", Some("2026-02-01")))
            .done(42, price("2026-03-01", None))
    };
    two()
        .when(end("2026-01-01", "2026-03-01"))
        .then_types(&["PriceEnded"]);
    two()
        .when(end("2026-01-01", "2026-03-02"))
        .then_refused("PRICE_PERIODS_OVERLAP");
    two()
        .when(end("2026-01-01", "2026-02-01"))
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn a_price_does_not_end_before_it_begins() {
    shop()
        .when(price("2026-01-01", Some("2026-01-01")))
        .then_refused("PRICE_PERIOD_INVERTED");
    shop()
        .done(41, price("2026-01-01", None))
        .when(end("2026-01-01", "2025-12-31"))
        .then_refused("PRICE_PERIOD_INVERTED");
}

#[test]
fn a_broken_price_is_refused_when_it_is_set() {
    for (prices, code) in [
        (&[][..], "TIER_COUNT_OUT_OF_RANGE"),
        (&[("0", "1")][..], "QUANTITY_NOT_POSITIVE"),
        (&[("1", "-0.01")][..], "AMOUNT_NEGATIVE"),
        (&[("1", "2"), ("1", "1")][..], "TIERS_NOT_RISING"),
        (&[("10", "2"), ("5", "1")][..], "TIERS_NOT_RISING"),
    ] {
        shop().when(with_tiers(prices)).then_refused(code);
    }
    let many: Vec<String> = (1..=101).map(|number| number.to_string()).collect();
    let many: Vec<_> = many.iter().map(|number| (number.as_str(), "1")).collect();
    shop()
        .when(with_tiers(&many))
        .then_refused("TIER_COUNT_OUT_OF_RANGE");
}

#[test]
fn a_closed_list_takes_no_price_and_closes_once() {
    let close = ClosePriceList {
        price_list: RETAIL,
        because: t("new season"),
    };
    let closed = || {
        let because = t("new season");
        shop().event(RETAIL, PriceListEvent::PriceListClosed { because })
    };
    shop().when(close.clone()).then_types(&["PriceListClosed"]);
    closed()
        .when(price("2026-01-01", None))
        .then_refused("PRICE_LIST_CLOSED");
    closed()
        .when(end("2026-01-01", "2026-02-01"))
        .then_refused("PRICE_LIST_CLOSED");
    closed().when(close).then_refused("PRICE_LIST_CLOSED");
}

#[test]
fn a_price_needs_a_list_and_a_product() {
    let unknown_list = SetPrice {
        price_list: uuid(5).into(),
        ..set_price(&[("1", "1")])
    };
    shop().when(unknown_list).then_refused("NOT_FOUND");
    let unknown_product = SetPrice {
        product: uuid(5).into(),
        ..set_price(&[("1", "1")])
    };
    shop().when(unknown_product).then_refused("NOT_FOUND");
    shop()
        .when(open_price_list("EUR"))
        .then_types(&["PriceListOpened"]);
}

/// Tiers that rise strictly, in hundredths of a unit.
fn rising() -> impl Strategy<Value = Vec<PriceTier>> {
    prop::collection::btree_map(1_i64..10_000, 0_i64..100_000, 1..20).prop_map(|tiers| {
        let tier = |(min, price): (i64, i64)| PriceTier {
            min_quantity: Quantity(Exact::new(min, 2)),
            unit_price: Exact::new(price, 2).into(),
        };
        tiers.into_iter().map(tier).collect()
    })
}

proptest! {
    #[test]
    fn every_quantity_falls_into_exactly_one_tier_or_below_the_first(
        tiers in rising(),
        hundredths in 1_i64..12_000,
    ) {
        let quantity = Quantity(Exact::new(hundredths, 2));
        let from: Date = t("2026-01-01");
        let price = Price::default().evolve(&PriceEvent::PriceSet {
            version: 1,
            currency: Currency::CNY,
            tiers: tiers.clone(),
            from,
            to: None,
        });
        let brackets = tiers.iter().enumerate().filter(|(index, tier)| {
            let next = tiers.get(index + 1);
            tier.min_quantity <= quantity && next.is_none_or(|next| quantity < next.min_quantity)
        });
        let expected: Vec<PriceTier> = brackets.map(|(_, tier)| *tier).collect();
        let found: Vec<PriceTier> =
            price_for(&price, quantity, from).map(|found| found.tier).into_iter().collect();
        assert_eq!(found, expected);
    }
}
