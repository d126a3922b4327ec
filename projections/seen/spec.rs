//! A restricted snapshot answers everything as if nothing else were there.
//!
//! Lists and counts are compared with the rows of the full snapshot, filtered by who holds what
//! in the made-up company. What is summed up and counted is compared with the same answer of a
//! company in which what is not seen never happened.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

mod fixed;

use std::{collections::HashSet, sync::Arc};

use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::world::{Dice, KINDS, World, kind, view};
use crate::{
    access::{AccountRow, ApiKeyRow, TeamRow},
    audit::{self, AuditFilter},
    customers::{CustomerOverviewRow, CustomerRow, InteractionRow, timeline},
    goods::{
        LedgerFilter, PriceListRow, ProductRow, ProductStockRow, StockItemRow, WarehouseRow,
        WarehouseStockRow, movements,
    },
    measure::Period,
    orders::{OrderRow, SalesTotalRow, ShipmentRow, time_line},
    pipeline::{LeadRow, OpportunityRow, board, funnel, outcomes},
    service::{ComplaintRow, patterns},
    spec::value,
    store::{
        Class, Condition, Direction, Operator, Order, PageRequest, Reach, Row, Snapshot, View,
    },
};

struct Case {
    world: World,
    view: View,
    full: Snapshot,
    seen: Snapshot,
}

impl Case {
    fn reach(&self, kind: &str, class: Option<Class>) -> &[Reach] {
        let kind = self.view.kinds.get(kind);
        kind.map_or(&[], |kind| match class {
            None => &kind.reach,
            Some(Class::Personal) => &kind.personal,
            Some(Class::Cost) => &kind.cost,
        })
    }

    /// Whether an object, or a class of its fields, is seen.
    fn sees(&self, id: &str, class: Option<Class>) -> bool {
        self.sees_as(kind(id), id, class)
    }

    /// The same for an object that is seen like those of a kind.
    fn sees_as(&self, kind: &str, id: &str, class: Option<Class>) -> bool {
        let reach = self.reach(kind, class);
        if KINDS.contains(&kind) {
            self.world.reaches(reach, &self.view.login, id)
        } else {
            !reach.is_empty()
        }
    }

    /// Compares lists, pages and counts of a table whose rows are seen like objects of a kind.
    fn lists<R: Row>(&self, like: Option<&str>, dice: &mut Dice) {
        let column = dice.of(R::COLUMNS.len());
        let sees = |id: &str, class| self.sees_as(like.unwrap_or(kind(id)), id, class);
        let all = list::<R>(&self.full, &everything(Vec::new()));
        let hidden = all.iter().any(|(id, _)| {
            let class = R::COLUMNS[column].class;
            class.is_some_and(|class| !sees(id, Some(class)))
        });
        let order = (!hidden).then(|| Order {
            column,
            direction: dice.one(&[Direction::Ascending, Direction::Descending]),
            nulls_first: dice.yes(),
        });
        let mut request = everything(order.into_iter().collect());
        if let Some((_, document)) = (!hidden && dice.yes()).then(|| all.first()).flatten() {
            let row: R = serde_json::from_value(document.clone()).unwrap();
            request.condition = Condition::Is {
                column,
                operator: dice.one(&[Operator::Eq, Operator::Ne, Operator::Gte]),
                values: vec![row.values()[column].clone()],
            };
        }
        let mut expected = list::<R>(&self.full, &request);
        expected.retain(|(id, _)| sees(id, None));
        for (id, document) in &mut expected {
            for class in [Class::Personal, Class::Cost] {
                if !sees(id, Some(class)) {
                    R::members_of(class)
                        .iter()
                        .for_each(|path| hide(document, path));
                }
            }
        }
        assert_eq!(list::<R>(&self.seen, &request), expected, "{}", R::TABLE);
        let many = u64::try_from(expected.len()).unwrap();
        assert_eq!(self.seen.count::<R>(&request.condition).unwrap(), many);
        assert_eq!(by_pages::<R>(&self.seen, request), expected);
        let ids: Vec<String> = all.iter().map(|(id, _)| id.clone()).collect();
        let found = self.seen.documents::<R>(&ids).unwrap();
        assert!(found.iter().all(|document| sees(document.id(), None)));
    }
}

fn everything(order: Vec<Order>) -> PageRequest {
    PageRequest {
        condition: Condition::EVERYTHING,
        order,
        after: None,
        before: None,
        limit: 1_000,
        backwards: false,
    }
}

fn list<R: Row>(snapshot: &Snapshot, request: &PageRequest) -> Vec<(String, Value)> {
    let page = snapshot.page::<R>(request).unwrap();
    let rows = page.rows.iter().map(|(document, _)| {
        let row = document.row().unwrap();
        assert_eq!(Row::id(&row), document.id());
        let json = serde_json::from_slice(document.json()).unwrap();
        (document.id().to_owned(), json)
    });
    rows.collect()
}

fn by_pages<R: Row>(snapshot: &Snapshot, mut request: PageRequest) -> Vec<(String, Value)> {
    request.limit = 2;
    let mut rows = Vec::new();
    loop {
        let page = snapshot.page::<R>(&request).unwrap();
        rows.extend(list::<R>(snapshot, &request));
        request.after = page.rows.last().map(|(_, place)| place.clone());
        if !page.has_next {
            return rows;
        }
    }
}

/// Hides a member the long way.
fn hide(document: &mut Value, path: &str) {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(a, b)| (a, Some(b)));
    let Some(object) = document.as_object_mut() else {
        return;
    };
    match (rest, first.strip_suffix("[]"), first.strip_suffix('!')) {
        (Some(rest), Some(list), _) => {
            let items = object.get_mut(list).and_then(Value::as_array_mut);
            items
                .into_iter()
                .flatten()
                .for_each(|item| hide(item, rest));
        }
        (Some(rest), None, _) => {
            object
                .get_mut(first)
                .into_iter()
                .for_each(|inner| hide(inner, rest));
        }
        (None, _, Some(text)) => {
            object
                .get_mut(text)
                .into_iter()
                .for_each(|text| *text = "withheld".into());
        }
        (None, _, None) => {
            object.remove(first);
        }
    }
}

fn year() -> Period {
    Period {
        from: value("2026-01-01"),
        to: value("2027-01-01"),
    }
}

fn tables(case: &Case, dice: &mut Dice) {
    case.lists::<CustomerRow>(None, dice);
    case.lists::<InteractionRow>(None, dice);
    case.lists::<LeadRow>(None, dice);
    case.lists::<OpportunityRow>(None, dice);
    case.lists::<ComplaintRow>(None, dice);
    case.lists::<OrderRow>(None, dice);
    case.lists::<ShipmentRow>(None, dice);
    case.lists::<AccountRow>(None, dice);
    case.lists::<TeamRow>(None, dice);
    case.lists::<ApiKeyRow>(None, dice);
    case.lists::<WarehouseRow>(None, dice);
    case.lists::<ProductRow>(None, dice);
    case.lists::<PriceListRow>(None, dice);
    case.lists::<StockItemRow>(None, dice);
    case.lists::<ProductStockRow>(Some("stockItem"), dice);
    case.lists::<WarehouseStockRow>(Some("stockItem"), dice);
}

fn overviews(case: &Case) {
    let customers = case.reach("customer", None);
    let summed = [
        "order",
        "shipment",
        "opportunity",
        "complaint",
        "lead",
        "interaction",
    ];
    let all = summed.into_iter().all(|kind| {
        let reach = case.reach(kind, None);
        reach.contains(&Reach::Organisation) || customers.iter().all(|one| reach.contains(one))
    });
    let shown = list::<CustomerOverviewRow>(&case.seen, &everything(Vec::new()));
    let mut expected = list::<CustomerOverviewRow>(&case.full, &everything(Vec::new()));
    expected.retain(|(id, _)| all && case.sees_as("customer", id, None));
    assert_eq!(shown, expected);
}

fn ledgers(case: &Case) {
    for customer in case.world.customers() {
        let mut expected = timeline(&case.full, &customer, None, 100).unwrap();
        expected.retain(|line| case.sees(&line.object, None));
        for line in &mut expected {
            if !case.sees(&line.object, Some(Class::Personal)) {
                line.title.clear();
            }
        }
        assert_eq!(
            timeline(&case.seen, &customer, None, 100).unwrap(),
            expected
        );
    }
    for order in case.world.objects() {
        let Ok(id) = order.parse() else { continue };
        let mut expected = time_line(&case.full, id, 100).unwrap();
        expected.retain(|step| {
            let shipment = step.shipment_id.map(|id| id.to_string());
            case.sees(&order, None) && shipment.is_none_or(|id| case.sees(&id, None))
        });
        for step in &mut expected {
            let shipment = step.shipment_id.map(|id| id.to_string());
            let shown = |id: &str| case.sees(id, Some(Class::Personal));
            if !shown(&order) || shipment.is_some_and(|id| !shown(&id)) {
                step.note = None;
            }
        }
        assert_eq!(time_line(&case.seen, id, 100).unwrap(), expected);
    }
    let mut stock = movements(&case.full, &LedgerFilter::default(), 100).unwrap();
    stock.retain(|_| case.sees("stockItem-", None));
    if !case.sees("stockItem-", Some(Class::Cost)) {
        for line in &mut stock {
            (line.value, line.value_change) = (None, None);
        }
    }
    assert_eq!(
        movements(&case.seen, &LedgerFilter::default(), 100).unwrap(),
        stock
    );
}

/// Of every commit the stream of its event; a refusal has none.
fn commits(case: &Case) {
    let sql = "SELECT position, stream, actor FROM audit ORDER BY position";
    let lines = case.full.select(sql, Vec::new(), |row| {
        Ok((
            row.get(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    });
    let mut expected: Vec<u64> = Vec::new();
    for (position, stream, actor) in lines.unwrap() {
        let refusal = case.view.refusals_of_all || actor == case.view.login;
        if (stream.is_empty() && refusal) || case.sees(&stream, None) {
            expected.push(position);
        }
    }
    let shown = audit::positions(&case.seen, &AuditFilter::default(), false, 1_000).unwrap();
    assert_eq!(shown, expected);
    let ids = case.world.objects();
    let mut seen: HashSet<String> = ids.iter().cloned().collect();
    seen.retain(|id| case.sees(id, None));
    assert_eq!(case.seen.visible(&ids).unwrap(), seen);
}

fn searches(case: &Case) {
    let tables = [
        "customer",
        "lead",
        "complaint",
        "order",
        "opportunity",
        "product",
    ];
    let covers = |kind: &str| {
        let personal = case.reach(kind, Some(Class::Personal));
        let reach = case.reach(kind, None);
        personal.contains(&Reach::Organisation) || reach.iter().all(|one| personal.contains(one))
    };
    for typed in ["北京", "tea", "冷链", "设备"] {
        let mut expected = case.full.search(typed, &tables, 100).unwrap();
        expected.retain(|hit| case.sees(&hit.id, None));
        assert_eq!(
            case.seen.search(typed, &tables, 100).unwrap(),
            expected,
            "{typed}"
        );
    }
    for personal in ["5550", "TAX1", "peking", "张三"] {
        let mut expected = case.full.search(personal, &["customer"], 100).unwrap();
        expected.retain(|hit| covers("customer") && case.sees(&hit.id, None));
        assert_eq!(
            case.seen.search(personal, &["customer"], 100).unwrap(),
            expected
        );
    }
}

/// The totals without what says when they changed, and without those that are empty again.
fn sales(snapshot: &Snapshot) -> Vec<(String, Value)> {
    let mut totals = list::<SalesTotalRow>(snapshot, &everything(Vec::new()));
    totals.retain(|(_, total)| total["orders"] != "0");
    for (_, total) in &mut totals {
        total["stamp"] = Value::Null;
    }
    totals
}

fn sums(case: &Case) {
    // An order's row says who carries it, whoever sees the shipments.
    let kept = |id: &str| match (kind(id), case.world.parent(id)) {
        ("customer", _) => true,
        ("shipment", Some(order)) => case.sees(order, None),
        _ => case.sees(id, None),
    };
    let (readers, _folder) = case.world.history(kept).served();
    let alone = readers.snapshot(None).unwrap();
    let pipeline = value("default");
    let (seen, year) = (&case.seen, year());
    assert_eq!(sales(seen), sales(&alone));
    assert_eq!(
        board(seen, &pipeline, None).unwrap(),
        board(&alone, &pipeline, None).unwrap()
    );
    assert_eq!(
        funnel(seen, &pipeline, year).unwrap(),
        funnel(&alone, &pipeline, year).unwrap()
    );
    assert_eq!(
        outcomes(seen, year, None, None).unwrap(),
        outcomes(&alone, year, None, None).unwrap()
    );
    assert_eq!(
        patterns(seen, year, 90).unwrap(),
        patterns(&alone, year, 90).unwrap()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_restricted_snapshot_knows_of_nothing_else(drawn in vec(any::<u8>(), 160)) {
        let mut dice = Dice::new(drawn);
        let world = World::new(&mut dice);
        let (readers, _folder) = world.history(|_| true).served();
        let view = view(&mut dice);
        let full = readers.snapshot(None).unwrap();
        let seen = readers.snapshot_for(None, &Arc::new(view.clone())).unwrap();
        prop_assert!(seen.is_restricted() && !full.is_restricted());
        prop_assert_eq!(full.parked().unwrap(), Vec::new());
        let case = Case { world, view, full, seen };
        tables(&case, &mut dice);
        overviews(&case);
        ledgers(&case);
        commits(&case);
        searches(&case);
        sums(&case);
    }
}
