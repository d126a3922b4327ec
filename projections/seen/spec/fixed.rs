//! What is hidden stays hidden, whichever way one asks, and indexes serve all the same.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use daybook_schema::{
    access::{AccountEvent, AccountId, TeamEvent, TeamId, Verifier},
    customers::{CustomerDetails, CustomerEvent, CustomerId},
    goods::{StockItemEvent, StockItemId},
    orders::{OrderEvent, OrderId},
};
use rusqlite::types::Value as Cell;
use tempfile::TempDir;

use super::{super::world::placed, by_pages, everything, list};
use crate::{
    READ_MODELS,
    customers::CustomerRow,
    goods::{
        StockItemRow,
        spec::{cny, north, shop, tea},
    },
    orders::{OrderRow, SalesTotalRow},
    spec::{History, customer_details, id, value},
    store::{
        Condition, Database, Direction, KindView, Operator, Order, PageRequest, Reach, Readers,
        Row, Snapshot, StoreError, View, Way,
    },
};

fn view(kinds: &[(&'static str, &[Reach], &[Reach])]) -> Arc<View> {
    let kinds = kinds.iter().map(|(kind, reach, personal)| {
        let view = KindView {
            reach: reach.to_vec(),
            personal: personal.to_vec(),
            cost: Vec::new(),
        };
        (*kind, view)
    });
    Arc::new(View {
        login: "li.wei".to_owned(),
        kinds: kinds.collect::<BTreeMap<_, _>>(),
        refusals_of_all: false,
    })
}

fn registered(history: History, number: u128, owner: &str) -> History {
    let details = CustomerDetails {
        tax_number: Some(value(&format!("TAX{}", 9_999 - number))),
        phone: Some(value(&format!("555{number}"))),
        ..customer_details("北京乳业")
    };
    let registered = CustomerEvent::CustomerRegistered {
        number: u64::try_from(number).unwrap(),
        details,
        owner: value(owner),
    };
    history.event(id::<CustomerId>(number), registered)
}

/// Four customers, two of whom are li.wei's, and some tea.
fn company() -> History {
    let item = StockItemId {
        product: tea(),
        warehouse: north(),
    };
    let received = StockItemEvent::StockReceived {
        quantity: value("10"),
        unit_cost: cny("2"),
        value: cny("20"),
        reference: None,
    };
    let mut history = shop().event(item, received);
    for (number, owner) in [
        (1, "li.wei"),
        (2, "wang.fang"),
        (3, "li.wei"),
        (4, "chen.yu"),
    ] {
        history = registered(history, number, owner);
    }
    history
}

fn column<R: Row>(name: &str) -> usize {
    R::COLUMNS
        .iter()
        .position(|column| column.name == name)
        .unwrap()
}

fn by<R: Row>(name: &str) -> PageRequest {
    everything(vec![Order {
        column: column::<R>(name),
        direction: Direction::Ascending,
        nulls_first: false,
    }])
}

fn is<R: Row>(name: &str, operator: Operator, value: Cell) -> Condition {
    Condition::Is {
        column: column::<R>(name),
        operator,
        values: vec![value],
    }
}

fn ids<R: Row>(snapshot: &Snapshot, request: &PageRequest) -> Vec<String> {
    let rows = list::<R>(snapshot, request).into_iter();
    rows.map(|(id, _)| id).collect()
}

#[test]
fn what_is_personal_is_not_read_filtered_sorted_or_searched() {
    let (readers, _folder) = company().served();
    let all: &[Reach] = &[Reach::Organisation];
    let full = readers.snapshot(None).unwrap();
    let seen = readers
        .snapshot_for(None, &view(&[("customer", all, &[])]))
        .unwrap();
    let first = id::<CustomerId>(1).to_string();
    let row: CustomerRow = seen.get(&first).unwrap().unwrap();
    assert_eq!((row.details.tax_number, row.details.phone), (None, None));
    assert_eq!(row.details.name, value("北京乳业"));
    let tax = |operator, cell| is::<CustomerRow>("tax_number", operator, cell);
    let equal = tax(Operator::Eq, Cell::Text("TAX9998".to_owned()));
    assert_eq!(full.count::<CustomerRow>(&equal).unwrap(), 1);
    assert_eq!(seen.count::<CustomerRow>(&equal).unwrap(), 0);
    let empty = tax(Operator::IsNull, Cell::Integer(1));
    assert_eq!(seen.count::<CustomerRow>(&empty).unwrap(), 4);
    let sorted = by::<CustomerRow>("tax_number");
    let by_id = everything(Vec::new());
    assert_ne!(
        ids::<CustomerRow>(&full, &sorted),
        ids::<CustomerRow>(&full, &by_id)
    );
    assert_eq!(
        ids::<CustomerRow>(&seen, &sorted),
        ids::<CustomerRow>(&full, &by_id)
    );
    assert_eq!(full.search("5551", &["customer"], 9).unwrap().len(), 1);
    assert_eq!(seen.search("5551", &["customer"], 9).unwrap(), Vec::new());
    assert_eq!(seen.search("北京", &["customer"], 9).unwrap().len(), 4);
}

#[test]
fn costs_that_nobody_tells_neither_show_nor_sort() {
    let (readers, _folder) = company().served();
    let all: &[Reach] = &[Reach::Organisation];
    let seen = readers
        .snapshot_for(None, &view(&[("stockItem", all, all)]))
        .unwrap();
    let rows = list::<StockItemRow>(&seen, &by::<StockItemRow>("value"));
    assert_eq!(rows.len(), 1);
    let row: StockItemRow = serde_json::from_value(rows[0].1.clone()).unwrap();
    assert_eq!((row.value, row.average_cost), (None, None));
    assert_eq!(row.on_hand, value("10"));
    let dear = is::<StockItemRow>("value", Operator::Gt, Cell::Integer(0));
    assert_eq!(seen.count::<StockItemRow>(&dear).unwrap(), 0);
}

/// Columns that never are empty are so where they are hidden, and pages must not lose rows by it.
#[test]
fn a_list_by_a_column_that_is_partly_hidden_has_every_row_once() {
    let (readers, _folder) = company().served();
    let reach: &[Reach] = &[Reach::Organisation];
    let view = view(&[("customer", reach, &[Reach::Own])]);
    let seen = readers.snapshot_for(None, &view).unwrap();
    let request = by::<CustomerRow>("tax_number");
    let paged: Vec<String> = by_pages::<CustomerRow>(&seen, request)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    let expected = [3, 1, 2, 4].map(|number| id::<CustomerId>(number).to_string());
    assert_eq!(paged, expected);
}

#[test]
fn a_column_that_may_be_hidden_sorts_as_one_that_may_be_empty() {
    let request = by::<StockItemRow>("value");
    assert!(
        request
            .sql::<StockItemRow>(Way::Plain, true)
            .text
            .contains("(value IS NULL) ASC")
    );
    assert!(
        !request
            .sql::<StockItemRow>(Way::Plain, false)
            .text
            .contains("IS NULL")
    );
}

/// Nothing may be read any more after that, because it would not be of one position.
#[test]
fn sums_are_bounded_by_the_deadline() {
    let mut history = registered(company(), 1_000, "li.wei");
    for number in 0..6_000 {
        let order: OrderId = id(10_000 + u128::try_from(number).unwrap());
        history = history.event(order, placed(number, 0, None, true));
    }
    let (readers, _folder) = history.served();
    let view = view(&[
        ("order", &[Reach::Own], &[]),
        ("customer", &[Reach::Own], &[]),
    ]);
    let begun = readers.snapshot_for(None, &view).unwrap();
    let all = everything(Vec::new());
    assert!(!list::<SalesTotalRow>(&begun, &all).is_empty());
    let own = list::<OrderRow>(&begun, &all).len();
    let late = readers.snapshot_for(Some(Instant::now()), &view).unwrap();
    let sums = late.page::<SalesTotalRow>(&all);
    assert!(
        matches!(sums, Err(StoreError::Interrupted)),
        "{own} orders are too few"
    );
    let more = late.count::<CustomerRow>(&Condition::EVERYTHING);
    assert!(matches!(more, Err(StoreError::Interrupted)));
}

#[test]
fn tables_without_a_rule_are_seen_by_nobody() {
    let (readers, _folder) = company().served();
    let full = readers.snapshot(None).unwrap();
    let seen = readers.snapshot_for(None, &view(&[])).unwrap();
    let count = |snapshot: &Snapshot, table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        snapshot.select(&sql, Vec::new(), |row| row.get(0)).unwrap()[0]
    };
    for table in [
        "search_text",
        "search_text_content",
        "customer",
        "audit",
        "product",
    ] {
        assert!(count(&full, table) > 0, "{table}");
        assert_eq!(count(&seen, table), 0, "{table}");
    }
}

fn account(login: &str) -> AccountId {
    value(&format!("account-{login}"))
}

fn colleagues() -> History {
    let team: TeamId = value("team-north");
    let mut history = company().event(
        team.clone(),
        TeamEvent::TeamFormed {
            name: value("North"),
            parent: None,
        },
    );
    for login in ["li.wei", "wang.fang"] {
        let invited = AccountEvent::UserInvited {
            name: value(login),
            email: None,
            verifier: Verifier::new("digest"),
        };
        history = history.event(account(login), invited);
    }
    let team = Some(team);
    history.event(account("li.wei"), AccountEvent::TeamAssigned { team })
}

#[test]
fn a_connection_that_is_used_again_knows_the_members_of_its_own_position() {
    let (readers, folder) = colleagues().served();
    let view = view(&[("customer", &[Reach::Team(None)], &[])]);
    let many = |readers: &Readers| {
        let seen = readers.snapshot_for(None, &view).unwrap();
        seen.count::<CustomerRow>(&Condition::EVERYTHING).unwrap()
    };
    assert_eq!(many(&readers), 2);
    let team = Some(value("team-north"));
    let joined = colleagues().event(account("wang.fang"), AccountEvent::TeamAssigned { team });
    follow(&folder, &joined);
    assert_eq!(many(&readers), 3);
    let team: TeamId = value("team-north");
    follow(
        &folder,
        &joined.event(team, TeamEvent::TeamDissolved { because: None }),
    );
    assert_eq!(many(&readers), 0);
}

/// Whether a rebuild writes a customer's rows before or after the customer changes hands, and
/// whether that is projected live: the rows say what the customer says.
#[test]
fn what_is_a_customers_goes_into_other_hands_with_it() {
    let placed = placed(1, 1, None, true);
    let OrderEvent::OrderPlaced { customer, .. } = placed else {
        panic!("an order begins by being placed")
    };
    let registered = CustomerEvent::CustomerRegistered {
        number: 9,
        details: customer_details("北京乳业"),
        owner: value("wang.fang"),
    };
    let sold = || {
        let history = shop().event(customer, registered.clone());
        history.event(id::<OrderId>(50), placed.clone())
    };
    let (owner, territory) = (value("li.wei"), Some(value("north")));
    let handed_over = sold()
        .event(customer, CustomerEvent::CustomerOwnerAssigned { owner })
        .event(
            customer,
            CustomerEvent::CustomerTerritoryAssigned { territory },
        );
    let seen = |readers: &Readers, reach: Reach| {
        let view = view(&[("order", &[reach], &[])]);
        let seen = readers.snapshot_for(None, &view).unwrap();
        ids::<OrderRow>(&seen, &everything(Vec::new())).len()
    };
    let north = || Reach::Territory(value("north"));
    let (readers, folder) = sold().served();
    assert_eq!(
        (seen(&readers, Reach::Own), seen(&readers, north())),
        (0, 0)
    );
    follow(&folder, &handed_over);
    let database = Database::new(folder.path(), READ_MODELS).unwrap();
    let live = database.digest().unwrap();
    assert_eq!(
        (seen(&readers, Reach::Own), seen(&readers, north())),
        (1, 1)
    );
    for flush_each in [true, false] {
        let folder = TempDir::new().unwrap();
        let database = Database::new(folder.path(), READ_MODELS).unwrap();
        let mut projector = database.begin_rebuild().unwrap();
        handed_over.fold(&mut projector, flush_each);
        database.finish_rebuild(projector).unwrap();
        database.adopt().unwrap();
        assert_eq!(database.digest().unwrap(), live, "{flush_each}");
    }
}

fn follow(folder: &TempDir, history: &History) {
    let database = Database::new(folder.path(), READ_MODELS).unwrap();
    let mut projector = database.projector().unwrap();
    history.fold(&mut projector, true);
}

#[test]
fn indexes_serve_restricted_lists_as_they_serve_full_ones() {
    let (readers, _folder) = company().served();
    let held = [
        Reach::Own,
        Reach::Team(None),
        Reach::Territory(value("north")),
    ];
    let seen = readers
        .snapshot_for(None, &view(&[("order", &held, &[Reach::Own])]))
        .unwrap();
    let plan = |sql: &str, many: usize| -> String {
        let parameters = vec![Cell::Text("order-1".to_owned()); many];
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let steps: Vec<String> = seen.select(&sql, parameters, |row| row.get(3)).unwrap();
        steps.join("\n")
    };
    let point = plan("SELECT id, document FROM \"order\" WHERE id = ?1", 1);
    assert!(
        point.contains("SEARCH it USING INDEX sqlite_autoindex_order_1"),
        "{point}"
    );
    let mut request = by::<OrderRow>("number");
    request.limit = 20;
    let page = plan(&request.sql::<OrderRow>(Way::Walk, true).text, 0);
    assert!(
        page.contains("SCAN it USING INDEX order_by_number"),
        "{page}"
    );
    assert!(!page.contains("USE TEMP B-TREE"), "{page}");
    assert!(!page.contains("SEARCH"), "{page}");
    request.order.clear();
    request.condition = is::<OrderRow>("customer", Operator::Eq, Cell::Null);
    let of_customer = plan(&request.sql::<OrderRow>(Way::Walk, true).text, 1);
    assert!(
        of_customer.contains("order_by_customer (customer=?)"),
        "{of_customer}"
    );
    assert!(!of_customer.contains("USE TEMP B-TREE"), "{of_customer}");
    for way in [Way::Find, Way::Plain] {
        let count = plan(&Condition::EVERYTHING.count_sql::<OrderRow>(way).text, 0);
        for index in ["salesperson", "held_by_id", "held_in_id"] {
            assert!(count.contains(&format!("order_by_{index} (")), "{count}");
        }
    }
    request.condition = Condition::EVERYTHING;
    let found = plan(&request.sql::<OrderRow>(Way::Find, true).text, 0);
    for index in ["salesperson", "held_by_id", "held_in_id"] {
        assert!(found.contains(&format!("order_by_{index} (")), "{found}");
    }
    assert!(
        found.contains("SEARCH it USING INTEGER PRIMARY KEY (rowid=?)"),
        "{found}"
    );
}
