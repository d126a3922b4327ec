//! Figures that several read models show: spans of time, shares, and sums of money per currency.

use async_graphql::SimpleObject;
use daybook_schema::kernel::{BasisPoints, BigInt, Currency, DateTime, Decimal};
use rust_decimal::{Decimal as Exact, RoundingStrategy};
use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// Whole seconds from one instant to another. Business times may be given late and out of order;
/// a span that would be negative is nothing.
pub(crate) fn seconds_between(from: DateTime, to: DateTime) -> BigInt {
    let micros = to.micros().saturating_sub(from.micros());
    BigInt(u64::try_from(micros / MICROS_PER_SECOND).unwrap_or(0))
}

/// The mean of so many spans in days, to two decimal places; none where there are none.
pub(crate) fn mean_days(seconds: u64, spans: u64) -> Option<Decimal> {
    let days = Exact::from(seconds).checked_div(Exact::from(SECONDS_PER_DAY))?;
    let mean = days.checked_div(Exact::from(spans))?;
    Some(mean.round_dp(2).into())
}

/// The share of a part in the whole, rounded half up; none where the whole is nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<BasisPoints> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let points = (part * 10_000 + whole / 2).checked_div(whole)?;
    i64::try_from(points)
        .ok()
        .and_then(|points| points.try_into().ok())
}

/// A share of an amount, rounded to the six decimal places that amounts have.
pub(crate) fn weighted(amount: Exact, probability: BasisPoints) -> Exact {
    let exact = probability.of(amount);
    exact.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero)
}

/// The sum of a money column, as SQL: whole units and millionths apart, because the sum of
/// millionths could leave 64 bits.
pub(crate) fn sum_sql(column: &str) -> String {
    format!("sum({column} / 1000000), sum({column} % 1000000)")
}

/// Puts the two parts of [`sum_sql`] together.
pub(crate) fn sum_of(units: i64, millionths: i64) -> Exact {
    Exact::from(units) + Exact::new(millionths, 6)
}

/// A sum in the JSON of a row. Sums may be greater than any amount that comes from outside, so
/// they are not read with the limits of amounts.
pub(crate) mod exact {
    use daybook_schema::kernel::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(sum: &Decimal, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(sum)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
        let text = String::deserialize(from)?;
        let sum = rust_decimal::Decimal::from_str_exact(&text).map_err(D::Error::custom)?;
        Ok(Decimal(sum))
    }
}

/// Opportunities of one currency, summed up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct PipelineTotal {
    /// The currency of the sums.
    pub currency: Currency,
    /// How many opportunities.
    pub opportunities: u32,
    /// What they would bring together.
    #[serde(with = "exact")]
    pub value: Decimal,
    /// The same, each value multiplied by its probability and rounded to six decimal places.
    #[serde(with = "exact")]
    pub weighted_value: Decimal,
}

/// What one opportunity adds to a [`PipelineTotal`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Prospect {
    pub(crate) currency: Currency,
    pub(crate) value: Decimal,
    pub(crate) weighted_value: Decimal,
}

/// Adds one opportunity to the sums of its currency.
pub(crate) fn add(totals: &mut Vec<PipelineTotal>, prospect: Prospect) {
    let one = PipelineTotal {
        currency: prospect.currency,
        opportunities: 1,
        value: prospect.value,
        weighted_value: prospect.weighted_value,
    };
    merge(totals, &one);
}

/// Adds the opportunities of one currency to sums; the currencies stay in order.
pub(crate) fn merge(totals: &mut Vec<PipelineTotal>, more: &PipelineTotal) {
    let mut known = totals.iter_mut();
    match known.find(|total| total.currency == more.currency) {
        Some(total) => {
            total.opportunities += more.opportunities;
            total.value = (total.value.0 + more.value.0).into();
            total.weighted_value = (total.weighted_value.0 + more.weighted_value.0).into();
        }
        None => {
            totals.push(more.clone());
            totals.sort_by_key(|total| total.currency);
        }
    }
}

/// Takes one opportunity out of the sums of its currency; a currency without any is left out.
pub(crate) fn subtract(totals: &mut Vec<PipelineTotal>, prospect: Prospect) {
    for total in totals.iter_mut() {
        if total.currency == prospect.currency {
            total.opportunities = total.opportunities.saturating_sub(1);
            total.value = (total.value.0 - prospect.value.0).into();
            total.weighted_value = (total.weighted_value.0 - prospect.weighted_value.0).into();
        }
    }
    totals.retain(|total| total.opportunities > 0);
}

/// Which days a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: daybook_schema::kernel::Date,
    /// The first day after it.
    pub to: daybook_schema::kernel::Date,
}
