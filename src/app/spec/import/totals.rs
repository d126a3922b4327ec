//! What the read models show of two real databases, against figures that were computed without us.
//!
//! The totals of sales leave cancelled orders out, which the figures of Oracle's database do not.
//! So what its cancelled orders come to, as the log tells it, is put to the totals first.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use daybook_projections::{
    customers::{CustomerOverviewRow, CustomerRow},
    goods::{ProductRow, ProductStockRow, WarehouseStockRow},
    orders::{OrderRow, SalesDimension, SalesTotalRow},
    store::{Condition, PageRequest, Row, Snapshot},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::real::{Order, Trial, cents, oracle_people, sums, user_name};
use crate::Organisation;

/// Every row of the read models that hold totals, at the position of the log's head.
pub(super) struct Shown {
    sales: Vec<SalesTotalRow>,
    orders: Vec<OrderRow>,
    customers: Vec<CustomerRow>,
    overviews: Vec<CustomerOverviewRow>,
    products: Vec<ProductStockRow>,
    warehouses: Vec<WarehouseStockRow>,
    /// The products (SKU) found, by what was searched for.
    found: BTreeMap<String, BTreeSet<String>>,
}

impl Shown {
    /// Waits until the read models show everything, and reads them.
    pub(super) fn read(organisation: &Organisation, searches: &[&str]) -> Self {
        let head = organisation.log().head().position;
        let applied = organisation.applied();
        while applied.borrow().position < head {
            assert_eq!(applied.borrow().stopped, None);
            thread::sleep(Duration::from_millis(10));
        }
        let snapshot = organisation.readers().snapshot(None).unwrap();
        assert!(snapshot.parked().unwrap().is_empty());
        let found = searches.iter().map(|text| {
            let hits = snapshot.search(text, &["product"], 100).unwrap();
            let row = |id: &str| snapshot.get::<ProductRow>(id).unwrap().unwrap();
            let skus = hits.iter().map(|hit| row(&hit.id).sku.to_string());
            ((*text).to_owned(), skus.collect())
        });
        Self {
            found: found.collect(),
            sales: all(&snapshot),
            orders: all(&snapshot),
            customers: all(&snapshot),
            overviews: all(&snapshot),
            products: all(&snapshot),
            warehouses: all(&snapshot),
        }
    }

    /// The totals by one dimension, under the names that the figures have for its values.
    fn by(
        &self,
        dimension: SalesDimension,
        name: impl Fn(&str) -> String,
    ) -> BTreeMap<String, &SalesTotalRow> {
        let rows = self.sales.iter().filter(|row| row.dimension == dimension);
        let rows = rows.map(|row| (row.key.as_deref().map_or(String::new(), &name), row));
        let named: Vec<_> = rows.collect();
        let by: BTreeMap<_, _> = named.iter().cloned().collect();
        assert_eq!(by.len(), named.len(), "two totals have one name");
        by
    }

    fn net_by(
        &self,
        dimension: SalesDimension,
        name: impl Fn(&str) -> String,
    ) -> BTreeMap<String, Decimal> {
        let by = self.by(dimension, name).into_iter();
        by.map(|(name, row)| (name, row.net.0)).collect()
    }
}

fn all<R: Row>(snapshot: &Snapshot) -> Vec<R> {
    let request = PageRequest {
        condition: Condition::EVERYTHING,
        order: Vec::new(),
        after: None,
        before: None,
        limit: 10_000,
        backwards: false,
    };
    let page = snapshot.page::<R>(&request).unwrap();
    assert!(!page.has_next);
    let rows = page
        .rows
        .iter()
        .map(|(document, _)| document.row().unwrap());
    rows.collect()
}

fn as_told(key: &str) -> String {
    key.to_owned()
}

/// Compares everything that is shown of Northwind.
pub(super) fn northwind(trial: &Trial) {
    northwind_sales(trial);
    northwind_customers(trial);
    northwind_carriers(trial);
    northwind_orders(trial);
    let stock: Decimal = trial.shown.products.iter().map(|row| row.on_hand.0).sum();
    assert_eq!(
        json!(stock.normalize().to_string()),
        text(trial.truth("/units_in_stock"))
    );
    let values = trial
        .shown
        .products
        .iter()
        .map(|row| row.value.unwrap_or_default().0);
    trial.assert_amount("/stock_value_at_list", values.sum());
    let warehouses = trial
        .shown
        .warehouses
        .iter()
        .map(|row| row.value.unwrap_or_default().0);
    trial.assert_amount("/stock_value_at_list", warehouses.sum());
}

/// A number of the figures as text.
fn text(number: &Value) -> Value {
    json!(number.to_string())
}

fn northwind_sales(trial: &Trial) {
    let (shown, facts) = (&trial.shown, &trial.facts);
    let all = shown.by(SalesDimension::All, as_told);
    let [all] = all.values().collect::<Vec<_>>()[..] else {
        panic!("sales are in one currency")
    };
    trial.assert_amount("/total_net", all.net.0);
    trial.assert_amount("/total_freight", all.charges.0);
    assert_eq!(trial.truth("/rows/orders"), all.orders.0);
    let sold = all.quantity.0.normalize().to_string();
    assert_eq!(json!(sold), text(trial.truth("/units_sold")));
    let product = |id: &str| facts.products[&id.parse().unwrap()].name.to_string();
    let products = shown.net_by(SalesDimension::Product, product);
    trial.assert_amounts("/net_by/product", &products);
    let categories = shown.net_by(SalesDimension::Category, as_told);
    trial.assert_amounts("/net_by/category", &categories);
    let months = shown.net_by(SalesDimension::Month, as_told);
    trial.assert_amounts("/net_by/month", &months);
    let years = months
        .iter()
        .map(|(month, net)| (month[..4].to_owned(), *net));
    trial.assert_amounts("/net_by/year", &sums(years));
    let people = shown.net_by(SalesDimension::Salesperson, as_told);
    let truth = trial.truth("/net_by/employee").as_object().unwrap();
    let truth = truth
        .iter()
        .map(|(name, net)| (user_name(name), net.clone()));
    let people = people.into_iter().map(|(name, net)| (name, cents(net)));
    assert_eq!(people.collect::<BTreeMap<_, _>>(), truth.collect());
    let mut countries = shown.net_by(SalesDimension::Country, as_told);
    assert_eq!(countries.len(), 21);
    // The figures count customers of these four under their postal codes.
    for misread in ["Belgium", "Brazil", "France", "Spain"] {
        countries.remove(misread).unwrap();
    }
    for (name, net) in countries {
        trial.assert_amount(&format!("/net_by/country/{name}"), net);
    }
}

fn northwind_customers(trial: &Trial) {
    let (shown, facts) = (&trial.shown, &trial.facts);
    let number = |id: &str| {
        let (details, _) = &facts.customers[&id.parse().unwrap()];
        details.external_number.clone().unwrap().to_string()
    };
    let customers = shown.net_by(SalesDimension::Customer, number);
    trial.assert_amounts("/net_by/customer", &customers);
    let overviews = shown.overviews.iter().flat_map(|row| {
        let sales = row.sales.iter();
        sales.map(|sales| (number(&row.id.to_string()), sales.net.0))
    });
    trial.assert_amounts("/net_by/customer", &sums(overviews));
    let mut best: Vec<_> = customers.iter().collect();
    best.sort_by_key(|(_, net)| std::cmp::Reverse(**net));
    let best = best.into_iter().take(10);
    let best: Value = best.map(|(name, net)| json!([name, cents(*net)])).collect();
    assert_eq!(&best, trial.truth("/top10_customers"));
    let without = shown
        .customers
        .iter()
        .map(|row| number(&row.id.to_string()));
    let mut without: Vec<_> = without
        .filter(|name| !customers.contains_key(name))
        .collect();
    without.sort();
    assert_eq!(&json!(without), trial.truth("/customers_without_orders"));
}

/// Carriers are known once there is a shipment; the figures name those of unshipped orders too.
fn northwind_carriers(trial: &Trial) {
    let carriers = trial.shown.by(SalesDimension::Carrier, as_told);
    let unshipped = carriers[""];
    assert_eq!(trial.truth("/unshipped_orders"), unshipped.orders.0);
    let waiting = trial
        .facts
        .orders
        .values()
        .filter(|order| order.shipped_on.is_none());
    let shipper = |order: &Order| order.reason.replace("Shipped by ", "");
    let mut freight = sums(waiting.clone().map(|order| (shipper(order), order.freight)));
    let mut orders: BTreeMap<_, u64> = BTreeMap::new();
    waiting.for_each(|order| *orders.entry(shipper(order)).or_default() += 1);
    for (name, row) in carriers.iter().filter(|(name, _)| !name.is_empty()) {
        *freight.entry(name.clone()).or_default() += row.charges.0;
        *orders.entry(name.clone()).or_default() += row.orders.0;
    }
    trial.assert_amounts("/freight_by_shipper", &freight);
    assert_eq!(&json!(orders), trial.truth("/orders_by_shipper"));
}

fn northwind_orders(trial: &Trial) {
    let orders = &trial.shown.orders;
    let number = |order: &OrderRow| order.external_number.clone().unwrap().to_string();
    let mut largest: Vec<_> = orders.iter().collect();
    largest.sort_by_key(|order| std::cmp::Reverse(order.lines_net.amount.0));
    let largest = largest.into_iter().take(5);
    let largest: Value = largest
        .map(|order| json!([number(order), cents(order.lines_net.amount.0)]))
        .collect();
    assert_eq!(&largest, trial.truth("/largest_order_net"));
    let late = orders.iter().filter(|order| order.shipped_late);
    let mut late: Vec<u64> = late.map(|order| number(order).parse().unwrap()).collect();
    late.sort_unstable();
    assert_eq!(&json!(late), trial.truth("/late_order_ids"));
    let days: Vec<_> = orders
        .iter()
        .filter_map(|order| order.days_to_ship)
        .collect();
    assert_eq!(*trial.truth("/unshipped_orders"), orders.len() - days.len());
    let average = Decimal::from(days.iter().sum::<i32>()) / Decimal::from(days.len());
    assert_eq!(
        average.round_dp(3).to_string(),
        trial.truth("/avg_days_to_ship").to_string()
    );
}

/// Compares everything that is shown of Oracle's order-entry sample.
pub(super) fn oracle(trial: &Trial) {
    oracle_sales(trial);
    let mut managers: BTreeMap<String, u64> = BTreeMap::new();
    let people = oracle_people();
    for row in &trial.shown.customers {
        let manager = people.get(row.owner.as_str()).cloned().unwrap_or_default();
        *managers.entry(manager).or_default() += 1;
    }
    assert_eq!(&json!(managers), trial.truth("/customers_by_manager"));
    let stock = trial.shown.warehouses.iter().map(|row| {
        let on_hand: u64 = row.on_hand.0.normalize().to_string().parse().unwrap();
        (row.warehouse_name.to_string(), Value::from(on_hand))
    });
    assert_eq!(
        &stock.collect::<Value>(),
        trial.truth("/stock_by_warehouse")
    );
    let on_hand: Decimal = trial.shown.products.iter().map(|row| row.on_hand.0).sum();
    assert_eq!(
        json!(on_hand.normalize().to_string()),
        text(trial.truth("/stock_total"))
    );
    for (words, found) in &trial.shown.found {
        let truth = trial.truth("/cjk_name_search").as_object().unwrap();
        let truth = truth
            .iter()
            .find(|(name, _)| name.ends_with(words.as_str()));
        let numbers = truth
            .into_iter()
            .flat_map(|(_, numbers)| numbers.as_array().unwrap());
        let skus = numbers.map(|number| format!("OE-{number}"));
        assert_eq!(*found, skus.collect(), "{words}");
    }
}

fn oracle_sales(trial: &Trial) {
    let all = trial.shown.by(SalesDimension::All, as_told);
    let all = all.values().map(|row| (row.orders.0, row.net.0));
    let all = all.fold((0, Decimal::ZERO), |sum, row| {
        (sum.0 + row.0, sum.1 + row.1)
    });
    let figure = |path: &str| {
        let total = trial.truth(&format!("{path}/total")).as_str().unwrap();
        let orders = trial.truth(&format!("{path}/orders")).as_u64().unwrap();
        (orders, total.parse::<Decimal>().unwrap())
    };
    // Status 2 and 3 are the cancelled ones.
    let (two, three) = (figure("/by_status/2"), figure("/by_status/3"));
    let cancelled = (two.0 + three.0, two.1 + three.1);
    let total: Decimal = trial
        .truth("/line_total")
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let orders = trial.truth("/rows/orders").as_u64().unwrap();
    assert_eq!(all, (orders - cancelled.0, total - cancelled.1));

    let people = oracle_people();
    let rep = |name: &str| people[name].clone();
    let modes = trial.shown.by(SalesDimension::Channel, as_told);
    with_cancelled(trial, "/by_mode", modes, |order| order.mode.clone());
    let reps = trial.shown.by(SalesDimension::Salesperson, rep);
    with_cancelled(trial, "/by_rep", reps, |order| {
        let name = order.salesperson.as_ref();
        name.map_or(String::new(), |name| rep(name.as_str()))
    });
}

/// Asserts that totals are those of the figures once the cancelled orders are put to them.
fn with_cancelled(
    trial: &Trial,
    path: &str,
    shown: BTreeMap<String, &SalesTotalRow>,
    key: impl Fn(&Order) -> String,
) {
    let shown = shown.into_iter();
    let shown = shown.map(|(name, row)| (name, (row.orders.0, row.net.0)));
    let cancelled = trial.facts.orders.values().filter(|order| order.cancelled);
    let cancelled = cancelled.map(|order| (key(order), (1, order.net())));
    let mut totals: BTreeMap<_, (u64, Decimal)> = BTreeMap::new();
    for (name, total) in shown.chain(cancelled) {
        let sum = totals.entry(name).or_default();
        *sum = (sum.0 + total.0, sum.1 + total.1);
    }
    let told = totals.into_iter().map(|(name, (orders, total))| {
        let total = cents(total);
        (name, json!({ "orders": orders, "total": total }))
    });
    assert_eq!(&told.collect::<Value>(), trial.truth(path));
}
