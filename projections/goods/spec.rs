//! Given events, then rows: the catalogue, prices, stock, its ledger and its totals.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use daybook_schema::{
    DomainEvent,
    goods::{
        LocalizedName, PriceEvent, PriceId, PriceListEvent, PriceListId, PriceTier, ProductDetails,
        ProductEvent, ProductId, StockItemEvent, StockItemId, WarehouseEvent, WarehouseId,
    },
    kernel::{Amount, BigInt, Currency, Name, Quantity},
};

use super::{
    LedgerFilter, MovementKind, NoPrice, ProductRow, ProductStockRow, StockItemRow,
    WarehouseStockRow, movements, quote,
};
use crate::{
    spec::{History, given, id, value},
    store::Row,
};

pub(crate) fn tea() -> ProductId {
    id(11)
}

pub(crate) fn cup() -> ProductId {
    id(12)
}

pub(crate) fn north() -> WarehouseId {
    id(21)
}

fn south() -> WarehouseId {
    id(22)
}

fn retail() -> PriceListId {
    id(31)
}

fn tea_in(warehouse: WarehouseId) -> StockItemId {
    StockItemId {
        product: tea(),
        warehouse,
    }
}

pub(crate) fn cny(amount: &str) -> Amount {
    let exact: daybook_schema::kernel::Decimal = value(amount);
    Amount::new(exact.0, Currency::CNY)
}

fn details(name: &str, category: &str) -> ProductDetails {
    ProductDetails {
        name: value(name),
        names: vec![LocalizedName {
            language: value("zh-CN"),
            name: value("龙井绿茶"),
            description: None,
        }],
        description: None,
        category: Some(value(category)),
        unit: value("pcs"),
        labels: Vec::new(),
    }
}

fn opened(code: &str) -> WarehouseEvent {
    WarehouseEvent::WarehouseOpened {
        code: value(code),
        name: value(code),
        address: None,
    }
}

/// Two products and two warehouses.
pub(crate) fn shop() -> History {
    let listed = |sku: &str, name: &str, category: &str| ProductEvent::ProductListed {
        sku: value(sku),
        details: details(name, category),
    };
    given()
        .event(north(), opened("NORTH"))
        .event(south(), opened("SOUTH"))
        .event(tea(), listed("TEA-1", "Green tea", "Drinks"))
        .event(cup(), listed("CUP-1", "Cup", "Tableware"))
}

fn received(quantity: &str, unit_cost: &str, worth: &str) -> StockItemEvent {
    StockItemEvent::StockReceived {
        quantity: value(quantity),
        unit_cost: cny(unit_cost),
        value: cny(worth),
        reference: Some(value("D-1")),
    }
}

fn reserved(quantity: &str) -> StockItemEvent {
    StockItemEvent::StockReserved {
        quantity: value(quantity),
        reference: value("fair"),
    }
}

fn issued(quantity: &str, worth: &str, reservation: Option<&str>) -> StockItemEvent {
    StockItemEvent::StockIssued {
        quantity: value(quantity),
        value: cny(worth),
        reservation: reservation.map(value),
        reference: None,
    }
}

fn transferred(quantity: &str, worth: &str) -> Vec<(String, DomainEvent)> {
    let out = StockItemEvent::StockTransferredOut {
        to: south(),
        quantity: value(quantity),
        value: cny(worth),
        reference: None,
    };
    let taken_in = StockItemEvent::StockTransferredIn {
        from: north(),
        quantity: value(quantity),
        value: cny(worth),
        reference: None,
    };
    vec![
        (tea_in(north()).to_string(), out.into()),
        (tea_in(south()).to_string(), taken_in.into()),
    ]
}

fn stocked() -> History {
    shop()
        .event(tea_in(north()), received("10", "2.5", "25"))
        .event(tea_in(north()), reserved("4"))
        .event(tea_in(north()), issued("3", "7.5", Some("fair")))
        .commit(transferred("2", "5"))
}

#[test]
fn stock_shows_what_lies_there_what_is_kept_and_what_it_cost() {
    let shown = stocked().then();
    let row = shown.get::<StockItemRow>(&tea_in(north()).to_string());
    let row = row.unwrap().unwrap();
    assert_eq!((row.on_hand, row.reserved), (value("5"), value("1")));
    assert_eq!(
        (row.available, row.value),
        (value("4"), Some(value("12.5")))
    );
    assert_eq!(row.average_cost, Some(value("2.5")));
    assert_eq!(row.warehouse_code, value("NORTH"));
    assert_eq!(row.stamp.version, BigInt(4));
}

#[test]
fn a_reservation_without_stock_is_available_below_zero_and_has_no_cost() {
    let shown = shop().event(tea_in(north()), reserved("4")).then();
    let row = shown.get::<StockItemRow>(&tea_in(north()).to_string());
    let row = row.unwrap().unwrap();
    assert_eq!((row.available, row.average_cost), (value("-4"), None));
}

#[test]
fn totals_per_warehouse_and_per_product_follow_every_movement() {
    let shown = stocked().then();
    let total = |id: WarehouseId| shown.get::<WarehouseStockRow>(&id.to_string());
    let (north, south) = (
        total(north()).unwrap().unwrap(),
        total(south()).unwrap().unwrap(),
    );
    assert_eq!((north.skus, north.on_hand), (BigInt(1), value("5")));
    assert_eq!((south.skus, south.value), (BigInt(1), Some(value("5"))));
    let product = shown
        .get::<ProductStockRow>(&tea().to_string())
        .unwrap()
        .unwrap();
    assert_eq!(
        (product.on_hand, product.reserved),
        (value("7"), value("1"))
    );
    assert_eq!(
        (product.available, product.value),
        (value("6"), Some(value("17.5")))
    );
    let places: Vec<_> = product.places.iter().map(|place| place.on_hand).collect();
    assert_eq!(places, [value::<Quantity>("5"), value("2")]);
}

#[test]
fn a_warehouse_that_was_emptied_holds_no_product() {
    let shown = shop()
        .event(tea_in(north()), received("10", "2.5", "25"))
        .event(tea_in(north()), issued("10", "25", None))
        .then();
    let total = shown.get::<WarehouseStockRow>(&north().to_string());
    let total = total.unwrap().unwrap();
    assert_eq!((total.skus, total.value), (BigInt(0), Some(value("0"))));
}

#[test]
fn the_ledger_has_a_line_per_movement_with_the_balance_after_it() {
    let shown = stocked().then();
    let lines = movements(&shown, &LedgerFilter::default(), 100).unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(
        kinds,
        [
            MovementKind::Received,
            MovementKind::Reserved,
            MovementKind::Issued,
            MovementKind::TransferredOut,
            MovementKind::TransferredIn,
        ]
    );
    let issue = &lines[2];
    assert_eq!(
        (issue.on_hand_change, issue.reserved_change),
        (value("-3"), value("-3"))
    );
    assert_eq!(
        (issue.on_hand, issue.value),
        (value("7"), Some(value("17.5")))
    );
    assert_eq!(issue.reference.as_deref(), Some("fair"));
    assert_eq!(lines[3].other_warehouse, Some(south()));
}

#[test]
fn the_ledger_is_read_page_by_page_in_both_directions() {
    let shown = stocked().then();
    let page = |after, newest_first| {
        let filter = LedgerFilter {
            warehouse: Some(north()),
            after,
            newest_first,
            ..LedgerFilter::default()
        };
        let lines = movements(&shown, &filter, 2).unwrap();
        lines.iter().map(|line| line.number.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None, false), [1, 2]);
    assert_eq!(page(Some(2), false), [3, 4]);
    assert_eq!(page(None, true), [4, 3]);
    assert_eq!(page(Some(3), true), [2, 1]);
}

#[test]
fn a_count_that_finds_what_the_book_says_moves_nothing() {
    let counted = |found: &str| StockItemEvent::StockCounted {
        counted: value(found),
        book: value("10"),
        note: None,
    };
    let adjusted = StockItemEvent::StockAdjusted {
        delta: value("-1"),
        value: cny("-2.5"),
    };
    let item = tea_in(north());
    let shown = shop()
        .event(item, received("10", "2.5", "25"))
        .event(item, counted("10"))
        .commit(vec![
            (item.to_string(), counted("9").into()),
            (item.to_string(), adjusted.into()),
        ])
        .then();
    let lines = movements(&shown, &LedgerFilter::default(), 100).unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (lines[1].kind, lines[1].on_hand),
        (MovementKind::Adjusted, value("9"))
    );
    let row = shown
        .get::<StockItemRow>(&item.to_string())
        .unwrap()
        .unwrap();
    assert_eq!(row.last_count_difference, Some(value("-1")));
}

#[test]
fn new_names_reach_every_row_that_shows_them() {
    let renamed = WarehouseEvent::WarehouseRenamed {
        name: value("北方仓"),
    };
    let changed = ProductEvent::ProductDetailsChanged {
        details: details("White tea", "Fine drinks"),
    };
    let shown = stocked()
        .event(north(), renamed)
        .event(tea(), changed)
        .then();
    let row = shown.get::<StockItemRow>(&tea_in(north()).to_string());
    let row = row.unwrap().unwrap();
    assert_eq!(row.warehouse_name, value::<Name>("北方仓"));
    assert_eq!(row.product_name, value::<Name>("White tea"));
    let other = shown.get::<StockItemRow>(&tea_in(south()).to_string());
    let other = other.unwrap().unwrap();
    assert_eq!(other.warehouse_name, value::<Name>("SOUTH"));
    assert_eq!(other.category, Some(value("Fine drinks")));
    let total = shown.get::<WarehouseStockRow>(&north().to_string());
    assert_eq!(
        total.unwrap().unwrap().warehouse_name,
        value::<Name>("北方仓")
    );
}

#[test]
fn a_product_is_found_by_sku_by_any_of_its_names_and_by_category() {
    let shown = shop().then();
    for typed in ["tea-1", "green", "龙井", "longjing", "drinks"] {
        let hits = shown.search(typed, &[ProductRow::TABLE], 10).unwrap();
        let found = hits.iter().any(|hit| hit.id == tea().to_string());
        assert!(found, "`{typed}` finds nothing");
    }
}

#[test]
fn stock_of_a_product_that_nobody_listed_is_parked_and_changes_nothing() {
    let unknown = StockItemId {
        product: id(99),
        warehouse: north(),
    };
    let shown = shop().event(unknown, received("1", "1", "1")).show();
    assert_eq!(shown.parked().unwrap()[0].stream, unknown.to_string());
    let total = shown.get::<WarehouseStockRow>(&north().to_string());
    assert_eq!(total.unwrap(), None);
    let lines = movements(&shown, &LedgerFilter::default(), 100).unwrap();
    assert_eq!(lines, []);
}

#[test]
fn a_price_is_explained_by_its_period_and_tier() {
    let tier = |from: &str, price: &str| PriceTier {
        min_quantity: value(from),
        unit_price: value(price),
    };
    let price = PriceId {
        list: retail(),
        product: tea(),
    };
    let set = PriceEvent::PriceSet {
        version: 1,
        currency: Currency::CNY,
        tiers: vec![tier("1", "12.5"), tier("10", "11")],
        from: value("2026-01-01"),
        to: None,
    };
    let ended = PriceEvent::PriceEnded {
        version: 1,
        to: value("2026-03-01"),
    };
    let list = PriceListEvent::PriceListOpened {
        name: value("Retail"),
        currency: Currency::CNY,
    };
    let priced = shop().event(retail(), list).event(price, set);
    let shown = priced.event(price, ended).then();
    let ask = |quantity: &str, on: &str| quote(&shown, price, value(quantity), value(on)).unwrap();

    let last_day = ask("9.999999", "2026-02-28");
    assert_eq!(last_day.unit_price, Some(cny("12.5")));
    assert_eq!(last_day.next_tier, Some(tier("10", "11")));
    let by_ten = ask("10", "2026-01-01");
    assert_eq!(by_ten.line_total, Some(cny("110")));
    assert_eq!((by_ten.no_price, by_ten.next_tier), (None, None));
    assert_eq!(ask("10", "2026-03-01").no_price, Some(NoPrice::NoPeriod));
    assert_eq!(
        ask("0.5", "2026-01-01").no_price,
        Some(NoPrice::BelowFirstTier)
    );
    let unpriced = PriceId {
        product: cup(),
        ..price
    };
    let nothing = quote(&shown, unpriced, value("1"), value("2026-01-01")).unwrap();
    assert_eq!(nothing.no_price, Some(NoPrice::NeverPriced));
}

#[test]
fn totals_beyond_the_range_of_a_single_number_are_kept() {
    let most = || received("1000000000000", "1", "1000000000000");
    let cups = StockItemId {
        product: cup(),
        warehouse: north(),
    };
    let shown = shop()
        .event(tea_in(north()), most())
        .event(cups, most())
        .then();
    let total = shown.get::<WarehouseStockRow>(&north().to_string());
    let total = total.unwrap().unwrap();
    assert_eq!(total.on_hand.to_string(), "2000000000000");
    assert_eq!(total.value.unwrap().to_string(), "2000000000000");
}
