//! Price lists and prices, and why a quantity costs what it costs on a day.

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    goods::{PriceEvent, PriceId, PriceListEvent, PriceListId, PriceTier, ProductId},
    kernel::{Amount, Code, Currency, Date, Name, Note, Quantity},
};
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};

use super::ProductRow;
use crate::store::{ColumnKind, Fact, FoldError, Snapshot, Stamp, StoreError, Tables, table};

/// A list of prices in one currency (价目表).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "PriceListFields")]
#[serde(rename_all = "camelCase")]
pub struct PriceListRow {
    /// The price list's id.
    pub id: PriceListId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its name.
    pub name: Name,
    /// The currency of all its prices.
    pub currency: Currency,
    /// Whether new orders are priced by it.
    pub open: bool,
    /// Why it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_because: Option<Note>,
}

table!(PriceListRow as row, "priceList" {
    name: ColumnKind::Text; "By name." => row.name;
    currency: ColumnKind::Text; "By currency." => row.currency;
    open: ColumnKind::Boolean; "By whether new orders are priced by it." => row.open;
});

/// All prices of a product in a price list, by period and quantity (阶梯设价).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "PriceFields")]
#[serde(rename_all = "camelCase")]
pub struct PriceRow {
    /// The id of the prices of this product in this list.
    pub id: PriceId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The price list.
    #[graphql(skip)]
    pub price_list: PriceListId,
    /// The product.
    #[graphql(skip)]
    pub product: ProductId,
    /// The product's stock-keeping unit (SKU).
    pub sku: Code,
    /// The currency of the list.
    pub currency: Currency,
    /// All prices, in the order in which they were set; their periods never overlap.
    pub versions: Vec<PriceVersion>,
}

/// What a product costs during a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct PriceVersion {
    /// The number of this price among those of the product in the list, counted from 1.
    pub number: u32,
    /// The tiers by rising quantity; below the first there is no price.
    pub tiers: Vec<PriceTier>,
    /// The first day on which the price holds.
    pub from: Date,
    /// The first day on which it holds no more; one that ends on its first day never holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

table!(PriceRow as row, "price" {
    price_list: ColumnKind::Id, indexed; "By price list." => row.price_list;
    product: ColumnKind::Id, indexed; "By product." => row.product;
    sku: ColumnKind::Text; "By the product's stock-keeping unit (SKU)." => row.sku;
    currency: ColumnKind::Text; "By currency." => row.currency;
});

pub(super) fn price_list(
    fact: &Fact<'_>,
    event: &PriceListEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        PriceListEvent::PriceListOpened { name, currency } => {
            tables.insert(PriceListRow {
                id: fact.id()?,
                stamp: Stamp::new(fact),
                name: name.clone(),
                currency: *currency,
                open: true,
                closed_because: None,
            });
            Ok(())
        }
        PriceListEvent::PriceListClosed { because } => {
            tables.update(fact, &fact.stream, |row: &mut PriceListRow| {
                row.open = false;
                row.closed_because = Some(because.clone());
            })
        }
    }
}

pub(super) fn price(
    fact: &Fact<'_>,
    event: &PriceEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        PriceEvent::PriceSet {
            version,
            currency,
            tiers,
            from,
            to,
        } => {
            let id: PriceId = fact.id()?;
            let sku = tables.require::<ProductRow>(&id.product)?.sku;
            let make = |stamp| PriceRow {
                id,
                stamp,
                price_list: id.list,
                product: id.product,
                sku,
                currency: *currency,
                versions: Vec::new(),
            };
            tables.upsert(fact, &id, make, |row: &mut PriceRow| {
                row.versions.push(PriceVersion {
                    number: *version,
                    tiers: tiers.clone(),
                    from: *from,
                    to: *to,
                });
            })
        }
        PriceEvent::PriceEnded { version, to } => {
            tables.update(fact, &fact.stream, |row: &mut PriceRow| {
                let mut versions = row.versions.iter_mut();
                if let Some(ended) = versions.find(|price| price.number == *version) {
                    ended.to = Some(*to);
                }
            })
        }
    }
}

/// Why a price list has no price for a quantity on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum NoPrice {
    /// The list never had a price for the product.
    NeverPriced,
    /// The list has prices for the product, but none holds on that day.
    NoPeriod,
    /// A price holds on that day, but only from a greater quantity on.
    BelowFirstTier,
}

/// What a quantity of a product costs by a price list on a day, and why.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "PriceQuoteFields")]
pub struct PriceQuote {
    /// The quantity that was asked for.
    pub quantity: Quantity,
    /// The day that was asked for.
    pub on: Date,
    /// The price that holds on that day.
    pub period: Option<PriceVersion>,
    /// The tier into which the quantity falls.
    pub tier: Option<PriceTier>,
    /// The next cheaper or dearer tier, from a greater quantity on.
    pub next_tier: Option<PriceTier>,
    /// The price of one unit.
    pub unit_price: Option<Amount>,
    /// Quantity × unit price, rounded to 6 decimal places; empty as well where that is beyond
    /// what an order line can cost.
    pub line_total: Option<Amount>,
    /// Why there is no price, where there is none.
    pub no_price: Option<NoPrice>,
}

/// Looks up what a quantity of a product costs.
pub fn quote(
    snapshot: &Snapshot,
    id: PriceId,
    quantity: Quantity,
    on: Date,
) -> Result<PriceQuote, StoreError> {
    let price = snapshot.get::<PriceRow>(&id.to_string())?;
    Ok(explain(price.as_ref(), quantity, on))
}

fn explain(price: Option<&PriceRow>, quantity: Quantity, on: Date) -> PriceQuote {
    let period = price.and_then(|price| in_force(&price.versions, on));
    let tiers = period.map_or(&[][..], |period| &period.tiers);
    let tier = tiers
        .iter()
        .rev()
        .find(|tier| tier.min_quantity <= quantity);
    let unit_price = price.zip(tier);
    let unit_price = unit_price.map(|(price, tier)| Amount::new(tier.unit_price.0, price.currency));
    PriceQuote {
        quantity,
        on,
        period: period.cloned(),
        tier: tier.copied(),
        next_tier: tiers
            .iter()
            .find(|tier| tier.min_quantity > quantity)
            .copied(),
        unit_price,
        line_total: unit_price.and_then(|unit| line_total(quantity, unit)),
        no_price: match (price, period, tier) {
            (None, _, _) => Some(NoPrice::NeverPriced),
            (_, None, _) => Some(NoPrice::NoPeriod),
            (_, _, None) => Some(NoPrice::BelowFirstTier),
            (Some(_), Some(_), Some(_)) => None,
        },
    }
}

/// The price whose period `[from, to)` holds the day; periods never overlap.
fn in_force(versions: &[PriceVersion], on: Date) -> Option<&PriceVersion> {
    versions
        .iter()
        .find(|price| price.from <= on && price.to.is_none_or(|to| on < to))
}

fn line_total(quantity: Quantity, unit: Amount) -> Option<Amount> {
    let exact = quantity.0.checked_mul(unit.amount.0)?;
    let rounded = exact.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero);
    let fits = rounded.abs() <= 1_000_000_000_000_i64.into();
    fits.then(|| Amount::new(rounded, unit.currency))
}
