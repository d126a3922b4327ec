//! Patterns in complaints: which category, product and cause bring how many of them, how many
//! come again, and how long they take.

use async_graphql::SimpleObject;
use daybook_schema::kernel::{BasisPoints, Decimal};
use rusqlite::types::Value;

use crate::{
    measure::{Period, mean_days, share},
    store::{Cell, Snapshot, StoreError},
};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The complaints of a period by category, product and cause.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "ComplaintPatternsFields")]
pub struct ComplaintPatterns {
    /// How many complaints were put on record in the period.
    pub complaints: u32,
    /// How many of them are neither resolved nor closed.
    pub open: u32,
    /// How many of them were taken up again after a resolution.
    pub reopened: u32,
    /// How many of them came again: the same customer complained in the same category not long
    /// before.
    pub recurrent: u32,
    /// Recurrent ÷ complaints.
    pub recurrence: Option<BasisPoints>,
    /// The mean time in days from the record to the resolution, of those that are resolved.
    pub mean_resolution_days: Option<Decimal>,
    /// Category, product and cause, most frequent first.
    #[graphql(skip)]
    pub patterns: Vec<ComplaintPattern>,
}

/// The complaints of one category about one product for one cause.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "ComplaintPatternFields")]
pub struct ComplaintPattern {
    /// The category; empty for complaints that are not classified.
    pub category: Option<String>,
    /// The product; empty for complaints about no product.
    #[graphql(skip)]
    pub product: Option<String>,
    /// The root cause; empty where it is not known.
    pub cause: Option<String>,
    /// How many complaints.
    pub complaints: u32,
    /// Their share in all complaints of the period.
    pub share: Option<BasisPoints>,
    /// Their share together with that of all more frequent patterns.
    pub cumulative_share: Option<BasisPoints>,
    /// How many of them are neither resolved nor closed.
    pub open: u32,
    /// How many of them were taken up again after a resolution.
    pub reopened: u32,
    /// How many of them came again.
    pub recurrent: u32,
    /// The mean time in days from the record to the resolution, of those that are resolved.
    pub mean_resolution_days: Option<Decimal>,
    #[graphql(skip)]
    resolved: u64,
    #[graphql(skip)]
    resolution_seconds: u64,
}

/// Two complaints logged at the same instant are told apart by their ids, so that only one of
/// them comes after the other.
const GROUPS: &str = "
    SELECT category, product, cause, count(*),
           sum(phase NOT IN ('RESOLVED', 'CLOSED')), sum(cycle > 1), sum(EXISTS (
               SELECT 1 FROM complaint AS earlier
               WHERE earlier.customer = complaint.customer
                 AND earlier.category = complaint.category
                 AND (earlier.logged_at, earlier.id) < (complaint.logged_at, complaint.id)
                 AND earlier.logged_at >= complaint.logged_at - ?3)),
           count(resolution_seconds), ifnull(sum(resolution_seconds), 0)
    FROM complaint WHERE logged_on >= ?1 AND logged_on < ?2
    GROUP BY category, product, cause
    ORDER BY count(*) DESC, category NULLS LAST, product NULLS LAST, cause NULLS LAST";

/// The patterns in the complaints that were put on record in a period. One is recurrent where
/// the same customer complained in the same category at most so many days before.
pub fn patterns(
    snapshot: &Snapshot,
    period: Period,
    recurrence_days: u32,
) -> Result<ComplaintPatterns, StoreError> {
    let window = i64::from(recurrence_days).saturating_mul(MICROS_PER_DAY);
    let parameters = vec![period.from.cell(), period.to.cell(), Value::Integer(window)];
    let mut patterns = snapshot.select(GROUPS, parameters, pattern)?;
    let complaints: u32 = patterns.iter().map(|pattern| pattern.complaints).sum();
    let mut so_far = 0;
    for pattern in &mut patterns {
        so_far += u64::from(pattern.complaints);
        pattern.share = share(pattern.complaints.into(), complaints.into());
        pattern.cumulative_share = share(so_far, complaints.into());
    }
    let sum = |of: fn(&ComplaintPattern) -> u32| patterns.iter().map(of).sum::<u32>();
    let recurrent = sum(|pattern| pattern.recurrent);
    let resolved = patterns.iter().map(|pattern| pattern.resolved).sum();
    let seconds = patterns.iter().map(|pattern| pattern.resolution_seconds);
    Ok(ComplaintPatterns {
        complaints,
        open: sum(|pattern| pattern.open),
        reopened: sum(|pattern| pattern.reopened),
        recurrent,
        recurrence: share(recurrent.into(), complaints.into()),
        mean_resolution_days: mean_days(seconds.sum(), resolved),
        patterns,
    })
}

fn pattern(row: &rusqlite::Row<'_>) -> rusqlite::Result<ComplaintPattern> {
    let (resolved, resolution_seconds) = (row.get(7)?, row.get(8)?);
    Ok(ComplaintPattern {
        category: row.get(0)?,
        product: row.get(1)?,
        cause: row.get(2)?,
        complaints: row.get(3)?,
        share: None,
        cumulative_share: None,
        open: row.get(4)?,
        reopened: row.get(5)?,
        recurrent: row.get(6)?,
        mean_resolution_days: mean_days(resolution_seconds, resolved),
        resolved,
        resolution_seconds,
    })
}
