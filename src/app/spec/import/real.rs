//! Two real databases, imported whole and compared with figures that were computed without us.
//!
//! Everything here is computed from the facts in the log; what the read models show of them is
//! compared in `totals`.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use daybook_schema::{
    DomainEvent,
    commit::CommitMeta,
    customers::{CustomerDetails, CustomerEvent, CustomerId},
    goods::{ProductDetails, ProductEvent, ProductId, StockItemEvent, WarehouseEvent},
    kernel::{Actor, Date},
    orders::{OrderEvent, OrderId, OrderLine, ShipmentEvent},
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;
use tempfile::TempDir;

use super::totals::{self, Shown};
use crate::{
    Founding, Organisation, OrganisationOptions,
    import::{ImportOptions, ImportSummary, Mapping, run},
};

const NORTHWIND: &str = include_str!("../../../../tests/import/northwind.toml");
const ORACLE_OE: &str = include_str!("../../../../tests/import/oracle_oe.toml");

/// The folder with the databases: `data` in the folder that `DAYBOOK_SHARED` names, or in `shared`
/// beside the workspace. They are not a part of the workspace, so they may be absent.
fn data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("DAYBOOK_SHARED").map_or_else(beside, PathBuf::from);
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    println!("skipped: there is no folder {}", data.display());
    None
}

/// An organisation with one database in it, and the figures that are true of it.
pub(super) struct Trial {
    truth: Value,
    summary: ImportSummary,
    pub(super) facts: Facts,
    pub(super) shown: Shown,
    _folder: TempDir,
}

impl Trial {
    /// Imports a database twice; the second import changes nothing.
    fn of(name: &str, mapping: &str) -> Option<Self> {
        let data = data()?;
        let truth = std::fs::read(data.join("truth").join(format!("{name}.json"))).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let organisation = open(folder.path());
        let mapping = Mapping::parse(mapping).unwrap();
        let options = ImportOptions {
            rejects: Some(folder.path().join("rejects.ndjson")),
            ..ImportOptions::new("importer".parse().unwrap())
        };
        let import = || {
            run(
                &organisation,
                &mapping,
                &[data.join(name)],
                &options,
                &mut |_| {},
            )
        };
        let summary = import().unwrap();
        let rejects = std::fs::read_to_string(folder.path().join("rejects.ndjson")).unwrap();
        assert!(summary.is_clean(), "{summary}\n{rejects}");
        let head = organisation.log().head();
        let again = import().unwrap();
        assert_eq!(organisation.log().head(), head);
        assert_eq!(again.total().replayed, summary.total().accepted);
        println!("{summary}");
        let facts = Facts::read(&organisation);
        let shown = Shown::read(&organisation, &["显示器", "顯示器", "モニター"]);
        organisation.close().unwrap();
        Some(Self {
            truth: serde_json::from_slice(&truth).unwrap(),
            summary,
            facts,
            shown,
            _folder: folder,
        })
    }

    pub(super) fn truth(&self, path: &str) -> &Value {
        self.truth.pointer(path).unwrap()
    }

    /// Asserts that amounts by a key are those of the truth, to the cent.
    #[track_caller]
    pub(super) fn assert_amounts<K: ToString>(&self, path: &str, amounts: &BTreeMap<K, Decimal>) {
        let amounts = amounts.iter();
        let amounts: Value = amounts
            .map(|(key, sum)| (key.to_string(), cents(*sum)))
            .collect();
        assert_eq!(&amounts, self.truth(path));
    }

    /// Asserts that an amount is that of the truth, to the cent.
    #[track_caller]
    pub(super) fn assert_amount(&self, path: &str, amount: Decimal) {
        assert_eq!(&cents(amount), self.truth(path));
    }
}

fn open(folder: &Path) -> Organisation {
    let founding = Founding {
        name: "Spec".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        founder: "founder".parse().unwrap(),
        policies_from: "1996-07-01".parse().unwrap(),
        keeps_house: false,
        founded_at: None,
    };
    let options = OrganisationOptions {
        min_free_bytes: Some(0),
        ..Default::default()
    };
    Organisation::open(folder, options, &founding, &mut |_, _| {})
        .unwrap()
        .0
}

/// As in the truth: two places, half away from zero.
pub(super) fn cents(amount: Decimal) -> Value {
    let mut rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded.to_string().into()
}

pub(super) fn sums<K: Ord>(pairs: impl Iterator<Item = (K, Decimal)>) -> BTreeMap<K, Decimal> {
    let mut sums = BTreeMap::new();
    for (key, amount) in pairs {
        *sums.entry(key).or_default() += amount;
    }
    sums
}

/// An order as its facts tell it.
pub(super) struct Order {
    number: String,
    customer: CustomerId,
    pub(super) salesperson: Option<Actor>,
    pub(super) mode: String,
    pub(super) reason: String,
    lines: Vec<OrderLine>,
    pub(super) freight: Decimal,
    ordered_on: Date,
    requested_on: Option<Date>,
    carrier: Option<String>,
    pub(super) shipped_on: Option<Date>,
    pub(super) cancelled: bool,
}

impl Order {
    pub(super) fn net(&self) -> Decimal {
        self.lines.iter().map(|line| line.net.amount.0).sum()
    }
}

/// What the log says, folded for this purpose only.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) customers: HashMap<CustomerId, (CustomerDetails, Actor)>,
    pub(super) products: HashMap<ProductId, ProductDetails>,
    warehouses: HashMap<String, String>,
    retired: u64,
    pub(super) orders: HashMap<OrderId, Order>,
    shipments: HashMap<String, OrderId>,
    /// Quantity and value by the name of the stock item.
    stock: BTreeMap<String, (Decimal, Decimal)>,
}

impl Facts {
    fn read(organisation: &Organisation) -> Self {
        let mut facts = Self::default();
        let log = organisation.log();
        for position in 1..=log.head().position {
            let commit = log.commit(position).unwrap().unwrap();
            let meta: CommitMeta = organisation.seals().meta(commit.meta()).unwrap();
            assert_eq!(meta.refusal, None);
            for event in commit.events() {
                let (version, stream) = (event.type_version, event.stream);
                let data = organisation.seals().event(&event);
                let fact = DomainEvent::decode(stream, event.type_name, version, &data);
                facts.fold(&meta, stream, fact.unwrap());
            }
        }
        facts
    }

    fn fold(&mut self, meta: &CommitMeta, stream: &str, fact: DomainEvent) {
        match fact {
            DomainEvent::Customer(CustomerEvent::CustomerRegistered { details, owner, .. }) => {
                self.customers
                    .insert(stream.parse().unwrap(), (details, owner));
            }
            DomainEvent::Product(ProductEvent::ProductListed { details, .. }) => {
                self.products.insert(stream.parse().unwrap(), details);
            }
            DomainEvent::Product(ProductEvent::ProductRetired { .. }) => self.retired += 1,
            DomainEvent::Warehouse(WarehouseEvent::WarehouseOpened { name, .. }) => {
                let id = stream.trim_start_matches("warehouse-").to_owned();
                self.warehouses.insert(id, name.to_string());
            }
            DomainEvent::StockItem(event) => self.stock(stream, &event),
            DomainEvent::Order(event) => self.order(meta, stream, event),
            DomainEvent::Shipment(event) => self.shipment(meta, stream, event),
            _ => {}
        }
    }

    fn stock(&mut self, stream: &str, event: &StockItemEvent) {
        let (quantity, value) = self.stock.entry(stream.to_owned()).or_default();
        match event {
            StockItemEvent::StockReceived {
                quantity: more,
                value: worth,
                ..
            } => (*quantity, *value) = (*quantity + more.0, *value + worth.amount.0),
            StockItemEvent::StockIssued {
                quantity: less,
                value: worth,
                ..
            } => (*quantity, *value) = (*quantity - less.0, *value - worth.amount.0),
            _ => {}
        }
    }

    fn order(&mut self, meta: &CommitMeta, stream: &str, event: OrderEvent) {
        let id = stream.parse().unwrap();
        match event {
            OrderEvent::OrderPlaced {
                customer,
                lines,
                lines_net,
                charges,
                requested_on,
                placed_through,
                salesperson,
                external_number,
                ..
            } => {
                let order = Order {
                    number: external_number.unwrap().to_string(),
                    customer,
                    salesperson,
                    mode: placed_through.map_or(String::new(), |mode| mode.to_string()),
                    reason: meta.reason.as_ref().unwrap().to_string(),
                    lines,
                    freight: charges.amount(),
                    ordered_on: meta.effective_on(),
                    requested_on,
                    carrier: None,
                    shipped_on: None,
                    cancelled: false,
                };
                assert_eq!(order.net(), lines_net.amount.0);
                self.orders.insert(id, order);
            }
            OrderEvent::OrderCancelled { .. } => {
                self.orders.get_mut(&id).unwrap().cancelled = true;
            }
            _ => {}
        }
    }

    fn shipment(&mut self, meta: &CommitMeta, stream: &str, event: ShipmentEvent) {
        match event {
            ShipmentEvent::ShipmentPrepared { order, carrier, .. } => {
                self.shipments.insert(stream.to_owned(), order);
                let carrier = carrier.map(|carrier| carrier.to_string());
                self.orders.get_mut(&order).unwrap().carrier = carrier;
            }
            ShipmentEvent::ShipmentDispatched { .. } => {
                let order = self.shipments.get(stream).unwrap();
                let order = self.orders.get_mut(order).unwrap();
                order.shipped_on = Some(meta.effective_on());
            }
            _ => {}
        }
    }

    /// The net of all orders by something about the order.
    fn net_by<K: Ord>(&self, key: impl Fn(&Order) -> K) -> BTreeMap<K, Decimal> {
        sums(self.orders.values().map(|order| (key(order), order.net())))
    }

    /// The net of all lines by something about the product.
    fn net_by_product<K: Ord>(&self, key: impl Fn(&ProductDetails) -> K) -> BTreeMap<K, Decimal> {
        let lines = self.orders.values().flat_map(|order| &order.lines);
        sums(lines.map(|line| (key(&self.products[&line.product]), line.net.amount.0)))
    }

    fn customer(&self, order: &Order) -> &CustomerDetails {
        &self.customers[&order.customer].0
    }

    fn net(&self) -> Decimal {
        self.orders.values().map(Order::net).sum()
    }

    fn on_hand(&self) -> Decimal {
        self.stock.values().map(|(quantity, _)| quantity).sum()
    }
}

pub(super) fn user_name(name: &str) -> String {
    name.to_lowercase().replace(' ', ".")
}

#[test]
fn northwind_equals_its_published_figures() {
    let Some(trial) = Trial::of("northwind", NORTHWIND) else {
        return;
    };
    let facts = &trial.facts;
    assert_eq!(facts.customers.len(), 91);
    assert_eq!(facts.products.len(), 77);
    assert_eq!(facts.orders.len(), 830);
    assert_eq!(trial.summary.total().accepted, 3_583);
    northwind_amounts(&trial);
    northwind_shipping(&trial);
    let value = facts.stock.values().map(|(_, value)| value).sum();
    trial.assert_amount("/stock_value_at_list", value);
    assert_eq!(
        facts.on_hand(),
        Decimal::from(trial.truth("/units_in_stock").as_i64().unwrap())
    );
    assert_eq!(Some(facts.retired), trial.truth("/discontinued").as_u64());
    totals::northwind(&trial);
}

fn northwind_amounts(trial: &Trial) {
    let facts = &trial.facts;
    trial.assert_amount("/total_net", facts.net());
    trial.assert_amount(
        "/total_freight",
        facts.orders.values().map(|order| order.freight).sum(),
    );
    let lines = facts.orders.values().flat_map(|order| &order.lines);
    let gross = lines
        .map(|line| line.price.unit_price.0 * line.quantity.0)
        .sum();
    trial.assert_amount("/total_gross", gross);
    let number = |order: &Order| facts.customer(order).external_number.clone().unwrap();
    trial.assert_amounts("/net_by/customer", &facts.net_by(number));
    let year = |order: &Order| order.ordered_on.to_string()[..4].to_owned();
    trial.assert_amounts("/net_by/year", &facts.net_by(year));
    let month = |order: &Order| order.ordered_on.to_string()[..7].to_owned();
    trial.assert_amounts("/net_by/month", &facts.net_by(month));
    let name = |product: &ProductDetails| product.name.clone();
    trial.assert_amounts("/net_by/product", &facts.net_by_product(name));
    let category = |product: &ProductDetails| product.category.clone().unwrap();
    trial.assert_amounts("/net_by/category", &facts.net_by_product(category));

    let by_person = facts.net_by(|order| order.salesperson.clone().unwrap().to_string());
    let truth = trial.truth("/net_by/employee").as_object().unwrap();
    let truth = truth
        .iter()
        .map(|(name, net)| (user_name(name), net.clone()));
    let by_person = by_person.into_iter().map(|(name, net)| (name, cents(net)));
    assert_eq!(by_person.collect::<BTreeMap<_, _>>(), truth.collect());
    northwind_countries(trial);
}

/// The truth counts customers of four countries under their postal codes; those are left out.
fn northwind_countries(trial: &Trial) {
    let country = |order: &Order| {
        let address = trial.facts.customer(order).address.clone();
        address.unwrap().country.unwrap().to_string()
    };
    let mut nets = trial.facts.net_by(country);
    assert_eq!(nets.len(), 21);
    nets.retain(|name, _| !["Belgium", "Brazil", "France", "Spain"].contains(&name.as_str()));
    for (name, net) in nets {
        assert_eq!(&cents(net), trial.truth(&format!("/net_by/country/{name}")));
    }
}

fn northwind_shipping(trial: &Trial) {
    let facts = &trial.facts;
    let shipper = |order: &Order| order.reason.replace("Shipped by ", "");
    let freight = sums(
        facts
            .orders
            .values()
            .map(|order| (shipper(order), order.freight)),
    );
    trial.assert_amounts("/freight_by_shipper", &freight);
    let mut orders: BTreeMap<String, u64> = BTreeMap::new();
    facts
        .orders
        .values()
        .for_each(|order| *orders.entry(shipper(order)).or_default() += 1);
    assert_eq!(
        &serde_json::to_value(orders).unwrap(),
        trial.truth("/orders_by_shipper")
    );

    let mut late = Vec::new();
    let (mut unshipped, mut days) = (0, Vec::new());
    for order in facts.orders.values() {
        let Some(shipped_on) = order.shipped_on else {
            unshipped += 1;
            continue;
        };
        assert_eq!(order.carrier.as_ref(), Some(&shipper(order)));
        days.push((shipped_on.0 - order.ordered_on.0).num_days());
        if shipped_on > order.requested_on.unwrap() {
            late.push(order.number.parse::<u64>().unwrap());
        }
    }
    late.sort_unstable();
    assert_eq!(
        &serde_json::to_value(late).unwrap(),
        trial.truth("/late_order_ids")
    );
    assert_eq!(trial.truth("/unshipped_orders"), unshipped);
    let count = Decimal::from(days.len());
    let average = Decimal::from(days.iter().sum::<i64>()) / count;
    assert_eq!(
        average.round_dp(3).to_string(),
        trial.truth("/avg_days_to_ship").to_string()
    );
}

#[test]
fn oracle_order_entry_equals_its_own_totals() {
    let Some(trial) = Trial::of("oracle_oe", ORACLE_OE) else {
        return;
    };
    let facts = &trial.facts;
    assert_eq!(facts.customers.len(), 319);
    assert_eq!(facts.products.len(), 288);
    assert_eq!(facts.orders.len(), 105);
    trial.assert_amount("/line_total", facts.net());
    trial.assert_amount("/order_total", facts.net());
    let people = oracle_people();
    let rep = |order: &Order| match &order.salesperson {
        Some(name) => people[name.as_str()].clone(),
        None => String::new(),
    };
    assert_totals(&trial, "/by_mode", |order| order.mode.clone());
    assert_totals(&trial, "/by_rep", rep);
    let status = |order: &Order| {
        let status = order.reason.trim_start_matches("Status ").split_once(':');
        status.unwrap().0.to_owned()
    };
    assert_totals(&trial, "/by_status", status);
    for order in facts.orders.values() {
        let status: u32 = status(order).parse().unwrap();
        assert_eq!(order.cancelled, matches!(status, 2 | 3));
        assert_eq!(order.shipped_on.is_some(), status >= 4);
    }
    oracle_goods(&trial);
    totals::oracle(&trial);
    let mut managers: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, owner) in facts.customers.values() {
        let manager = people.get(owner.as_str()).map_or("", String::as_str);
        *managers.entry(manager).or_default() += 1;
    }
    assert_eq!(
        &serde_json::to_value(managers).unwrap(),
        trial.truth("/customers_by_manager")
    );
}

/// The numbers of the employees by their user names.
pub(super) fn oracle_people() -> HashMap<String, String> {
    let path = data().unwrap().join("oracle_oe/employees.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| {
        (
            user_name(&format!("{} {}", &row[1], &row[2])),
            row[0].to_owned(),
        )
    })
    .collect()
}

/// Asserts that the number and the net of the orders by a key are those of the truth.
#[track_caller]
fn assert_totals(trial: &Trial, path: &str, key: impl Fn(&Order) -> String) {
    let mut totals: BTreeMap<String, (u64, Decimal)> = BTreeMap::new();
    for order in trial.facts.orders.values() {
        let total = totals.entry(key(order)).or_default();
        *total = (total.0 + 1, total.1 + order.net());
    }
    let totals = totals.into_iter().map(|(key, (orders, total))| {
        let total = cents(total);
        (key, serde_json::json!({ "orders": orders, "total": total }))
    });
    assert_eq!(&totals.collect::<Value>(), trial.truth(path));
}

fn oracle_goods(trial: &Trial) {
    let facts = &trial.facts;
    let mut stock: BTreeMap<&str, Decimal> = BTreeMap::new();
    for (item, (quantity, _)) in &facts.stock {
        let (_, warehouse) = item.split_once('.').unwrap();
        *stock.entry(&facts.warehouses[warehouse]).or_default() += quantity;
    }
    let stock = stock.into_iter().map(|(name, quantity)| {
        let quantity: u64 = quantity.normalize().to_string().parse().unwrap();
        (name.to_owned(), Value::from(quantity))
    });
    assert_eq!(
        &stock.collect::<Value>(),
        trial.truth("/stock_by_warehouse")
    );
    assert_eq!(
        facts.on_hand(),
        Decimal::from(trial.truth("/stock_total").as_i64().unwrap())
    );

    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    for product in facts.products.values() {
        let status = product
            .labels
            .first()
            .unwrap()
            .to_string()
            .replace('-', " ");
        *statuses.entry(status).or_default() += 1;
        assert_eq!(product.names.len(), 7);
    }
    assert_eq!(
        &serde_json::to_value(statuses).unwrap(),
        trial.truth("/products_by_status")
    );
    assert_eq!(facts.retired, 16);
    let monitors = |language: &str, word: &str| {
        let names = facts.products.values().flat_map(|product| &product.names);
        let names = names.filter(|name| name.language.as_str() == language);
        names
            .filter(|name| name.name.as_str().contains(word))
            .count()
    };
    let searches = [
        ("ZHS:显示器", "zh-CN"),
        ("ZHT:顯示器", "zh-TW"),
        ("JA:モニター", "ja"),
    ];
    for (search, language) in searches {
        let truth = trial.truth("/cjk_name_search")[search].as_array().unwrap();
        let (_, word) = search.split_once(':').unwrap();
        assert_eq!(monitors(language, word), truth.len(), "{search}");
    }
}
