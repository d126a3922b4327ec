//! Sales totals, kept as rows: by customer, product, category, salesperson, month, country,
//! channel and carrier.
//!
//! What an order adds to the totals is a function of its row. When an order changes, what it added
//! before is taken out and what it adds now is put in, so the totals equal the sum over all orders
//! at every position, exactly, whatever happened to them.

use std::collections::BTreeMap;

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    kernel::{BigInt, Currency, DateTime, Decimal, Quantity},
    orders::OrderStatus,
};
use rusqlite::Connection;
use rust_decimal::Decimal as Exact;
use serde::{Deserialize, Serialize};

use super::{OrderLineRow, OrderRow};
use crate::store::{
    ColumnKind, Fact, FoldError, Stamp, StoreError, Tables, each_seen, enum_column, put_sum, table,
    wide, widen,
};

/// By what sales are summed up.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SalesDimension {
    /// By nothing: all sales in a currency together.
    All,
    /// By customer; the key is the customer's id.
    Customer,
    /// By product; the key is the product's id.
    Product,
    /// By the product's category on the day of the order.
    Category,
    /// By who sold it.
    Salesperson,
    /// By the month of the order, for example `2026-03`.
    Month,
    /// By the country that it is shipped to; the customer's, where no address is given.
    Country,
    /// By the way in which it was placed.
    Channel,
    /// By who carries the first shipment that was not cancelled.
    Carrier,
}

/// What was sold, by one value of one dimension in one currency. Cancelled orders and cancelled
/// parts of lines are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "SalesTotalFields")]
#[serde(rename_all = "camelCase")]
pub struct SalesTotalRow {
    /// Dimension, currency and key.
    #[graphql(skip)]
    pub id: String,
    /// When it last changed.
    #[graphql(skip)]
    pub stamp: Stamp,
    /// By what it is summed up.
    pub dimension: SalesDimension,
    /// The value of the dimension: an id, a name, a code or a month. Empty for the orders that
    /// say nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What people call the value: the customer's or product's name on the day of the latest
    /// order, else the key itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// How many orders.
    pub orders: BigInt,
    /// The sum of the quantities, each product in its own unit.
    #[serde(with = "wide")]
    pub quantity: Quantity,
    /// The sum of the lines, exactly.
    #[serde(with = "wide")]
    pub net: Decimal,
    /// The sum of freight and other charges; zero for products and categories, because charges
    /// belong to whole orders.
    #[serde(with = "wide")]
    pub charges: Decimal,
}

table!(SalesTotalRow as row, "salesTotal" {
    dimension: enum_column::<SalesDimension>(), indexed; "By dimension."
        => row.dimension.to_string();
    key: ColumnKind::Text, nullable, indexed; "By the value of the dimension." => row.key;
    label: ColumnKind::Text, nullable; "By what people call it." => row.label;
    currency: ColumnKind::Text; "By currency." => row.currency;
    orders: ColumnKind::Integer; "By how many orders." => row.orders;
    quantity: ColumnKind::Decimal; "By quantity." => row.quantity;
    net: ColumnKind::Decimal; "By the sum of the lines." => row.net;
    charges: ColumnKind::Decimal; "By charges." => row.charges;
});

/// What an order adds to one total, or what a change of it does.
#[derive(Clone, Copy, Default, PartialEq)]
struct Figures {
    orders: i64,
    quantity: Exact,
    net: Exact,
    charges: Exact,
}

impl Figures {
    fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            quantity: self.quantity + other.quantity,
            net: self.net + other.net,
            charges: self.charges + other.charges,
        }
    }

    fn negative(self) -> Self {
        Self {
            orders: -self.orders,
            quantity: -self.quantity,
            net: -self.net,
            charges: -self.charges,
        }
    }
}

/// The totals that an order is part of, in a fixed order.
type Shares = BTreeMap<(SalesDimension, Option<String>), (Option<String>, Figures)>;

/// Takes a change of an order into the totals; `before` is none for a new one.
pub(super) fn moved(
    fact: &Fact<'_>,
    before: Option<&OrderRow>,
    after: &OrderRow,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let mut changes = shares(after);
    for (total, (label, figures)) in before.map(shares).unwrap_or_default() {
        let (_, change) = changes.entry(total).or_insert((label, Figures::default()));
        *change = change.plus(figures.negative());
    }
    changes.retain(|_, (_, change)| *change != Figures::default());
    let placed = before.is_none();
    for ((dimension, key), (label, change)) in changes {
        let stamp = Stamp::new(fact);
        let total = SalesTotalRow::empty(stamp, dimension, key, label.clone(), after.currency);
        add(fact, total, label.filter(|_| placed), change, tables)?;
    }
    Ok(())
}

/// What an order adds to the totals, from its row alone.
fn shares(order: &OrderRow) -> Shares {
    let mut shares = Shares::new();
    if order.status == OrderStatus::Cancelled {
        return shares;
    }
    let wanted = |line: &OrderLineRow| line.progress().wanted().0;
    let whole = Figures {
        orders: 1,
        quantity: order.lines.iter().map(wanted).sum(),
        net: order.lines_net.amount.0,
        charges: order.charges.amount(),
    };
    for (dimension, key, label) in values(order) {
        let label = label.or_else(|| key.clone());
        shares.insert((dimension, key), (label, whole));
    }
    for line in order.lines.iter().filter(|line| !wanted(line).is_zero()) {
        let share = Figures {
            orders: 0,
            quantity: wanted(line),
            net: line.net.amount.0,
            charges: Exact::ZERO,
        };
        let category = line.category.as_ref().map(ToString::to_string);
        let product = (
            Some(line.product_id.to_string()),
            Some(line.name.to_string()),
        );
        let of_line = [
            (SalesDimension::Product, product.0, product.1),
            (SalesDimension::Category, category.clone(), category),
        ];
        for (dimension, key, label) in of_line {
            let (_, sum) = shares
                .entry((dimension, key))
                .or_insert((label, Figures::default()));
            *sum = sum.plus(share);
            // An order counts once, however many of its lines are of one product or category.
            sum.orders = 1;
        }
    }
    shares
}

/// The values of the dimensions that belong to an order as a whole, with labels where the key is
/// not what people call it.
fn values(order: &OrderRow) -> [(SalesDimension, Option<String>, Option<String>); 7] {
    let month = order.ordered_on.0.format("%Y-%m").to_string();
    let customer = Some(order.customer.to_string());
    let name = Some(order.customer_name.to_string());
    let salesperson = order.salesperson.as_ref().map(ToString::to_string);
    let channel = order.placed_through.as_ref().map(ToString::to_string);
    let carrier = order.carrier.as_ref().map(ToString::to_string);
    let country = order.country().map(|country| country.to_string());
    [
        (SalesDimension::All, None, None),
        (SalesDimension::Customer, customer, name),
        (SalesDimension::Salesperson, salesperson, None),
        (SalesDimension::Month, Some(month), None),
        (SalesDimension::Country, country, None),
        (SalesDimension::Channel, channel, None),
        (SalesDimension::Carrier, carrier, None),
    ]
}

impl SalesTotalRow {
    fn empty(
        stamp: Stamp,
        dimension: SalesDimension,
        key: Option<String>,
        label: Option<String>,
        currency: Currency,
    ) -> Self {
        Self {
            id: format!("{dimension}.{currency}.{}", key.as_deref().unwrap_or("")),
            stamp,
            dimension,
            key,
            label,
            currency,
            orders: BigInt(0),
            quantity: Quantity::ZERO,
            net: Decimal::default(),
            charges: Decimal::default(),
        }
    }

    fn change(&mut self, change: Figures) {
        self.orders = BigInt(self.orders.0.saturating_add_signed(change.orders));
        self.quantity.0 += change.quantity;
        self.net.0 += change.net;
        self.charges.0 += change.charges;
    }
}

/// Changes a total, which begins empty; only a new order gives it another label.
fn add(
    fact: &Fact<'_>,
    empty: SalesTotalRow,
    label: Option<String>,
    change: Figures,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let id = empty.id.clone();
    tables.upsert(
        fact,
        &id,
        |_| empty,
        |row: &mut SalesTotalRow| {
            row.label = label.or_else(|| row.label.take());
            row.change(change);
        },
    )
}

/// Sums up anew what the orders that are seen add to the totals.
pub(crate) fn sum_sales(connection: &Connection) -> Result<(), StoreError> {
    let mut totals: BTreeMap<String, (OrderPlace, SalesTotalRow)> = BTreeMap::new();
    each_seen(connection, |order: OrderRow| {
        let place = (order.stamp.created_at, order.number);
        for ((dimension, key), (label, figures)) in shares(&order) {
            let stamp = order.stamp.clone();
            let empty = SalesTotalRow::empty(stamp, dimension, key, label.clone(), order.currency);
            let total = totals.entry(empty.id.clone());
            let (latest, total) = total.or_insert((place, empty));
            if *latest < place {
                *latest = place;
                total.label = label;
            }
            widen(&mut total.stamp, &order.stamp);
            total.change(figures);
        }
    })?;
    for (_, total) in totals.values() {
        put_sum(connection, total)?;
    }
    Ok(())
}

/// The place of an order among all, by which the latest gives a total its label.
type OrderPlace = (DateTime, BigInt);
