//! What was won and lost in a period, and why it was lost.

use async_graphql::SimpleObject;
use daybook_schema::kernel::{BasisPoints, Code, Currency, Decimal, MoneyError};
use rusqlite::types::Value;

use crate::{
    measure::{Period, share, sum_of, sum_sql},
    store::{Cell, Snapshot, StoreError},
};

/// What became of the opportunities of a pipeline that were decided in a period and are not open
/// again.
#[derive(Clone, Debug, Default, PartialEq, SimpleObject)]
pub struct PipelineOutcomes {
    /// How many were won.
    pub won: u32,
    /// How many were lost.
    pub lost: u32,
    /// Won ÷ (won + lost) by count.
    pub win_rate: Option<BasisPoints>,
    /// What was won and lost, per currency.
    pub totals: Vec<OutcomeTotal>,
    /// Why they were lost, most frequent first.
    pub lost_reasons: Vec<LostReason>,
}

/// What was won and lost in one currency.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct OutcomeTotal {
    /// The currency.
    pub currency: Currency,
    /// How many were won.
    pub won: u32,
    /// What they bring.
    pub won_value: Decimal,
    /// How many were lost.
    pub lost: u32,
    /// What they would have brought.
    pub lost_value: Decimal,
    /// Won ÷ (won + lost) by count.
    pub win_rate: Option<BasisPoints>,
}

/// One reason for which opportunities were lost.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct LostReason {
    /// The reason, in the organisation's own list.
    pub reason: String,
    /// How many were lost for it.
    pub lost: u32,
    /// Its share in all that were lost.
    pub share: Option<BasisPoints>,
    /// Its share together with that of all more frequent reasons.
    pub cumulative_share: Option<BasisPoints>,
}

const DECIDED: &str = "FROM opportunity WHERE closed_on >= ?1 AND closed_on < ?2
    AND (?3 IS NULL OR pipeline = ?3) AND (?4 IS NULL OR owner = ?4)";

/// What became of the opportunities that were decided in a period, of one pipeline and of one
/// owner where these are given.
pub fn outcomes(
    snapshot: &Snapshot,
    period: Period,
    pipeline: Option<&Code>,
    owner: Option<&str>,
) -> Result<PipelineOutcomes, StoreError> {
    let parameters = vec![
        period.from.cell(),
        period.to.cell(),
        pipeline.cell(),
        owner.cell(),
    ];
    let totals = totals(snapshot, parameters.clone())?;
    let won = totals.iter().map(|total| total.won).sum();
    let lost = totals.iter().map(|total| total.lost).sum();
    Ok(PipelineOutcomes {
        won,
        lost,
        win_rate: rate(won, lost),
        totals,
        lost_reasons: lost_reasons(snapshot, parameters, lost)?,
    })
}

fn rate(won: u32, lost: u32) -> Option<BasisPoints> {
    share(won.into(), u64::from(won) + u64::from(lost))
}

fn totals(snapshot: &Snapshot, parameters: Vec<Value>) -> Result<Vec<OutcomeTotal>, StoreError> {
    let won = sum_sql("value * (phase = 'WON')");
    let lost = sum_sql("value * (phase = 'LOST')");
    let sql = format!(
        "SELECT currency, sum(phase = 'WON'), sum(phase = 'LOST'), {won}, {lost}
         {DECIDED} GROUP BY currency ORDER BY currency"
    );
    let rows: Vec<Result<_, MoneyError>> = snapshot.select(&sql, parameters, |row| {
        let (won, lost) = (row.get(1)?, row.get(2)?);
        let won_value = sum_of(row.get(3)?, row.get(4)?);
        let lost_value = sum_of(row.get(5)?, row.get(6)?);
        let currency = row.get::<_, String>(0)?.parse();
        Ok(currency.map(|currency| OutcomeTotal {
            currency,
            won,
            won_value: won_value.into(),
            lost,
            lost_value: lost_value.into(),
            win_rate: rate(won, lost),
        }))
    })?;
    // Only codes of the language are ever written, so every one of them is read back.
    Ok(rows.into_iter().flatten().collect())
}

fn lost_reasons(
    snapshot: &Snapshot,
    parameters: Vec<Value>,
    all: u32,
) -> Result<Vec<LostReason>, StoreError> {
    let sql = format!(
        "SELECT lost_reason, count(*) {DECIDED} AND phase = 'LOST'
         GROUP BY lost_reason ORDER BY count(*) DESC, lost_reason"
    );
    let mut so_far = 0;
    snapshot.select(&sql, parameters, |row| {
        let lost: u32 = row.get(1)?;
        so_far += u64::from(lost);
        Ok(LostReason {
            reason: row.get(0)?,
            lost,
            share: share(lost.into(), all.into()),
            cumulative_share: share(so_far, all.into()),
        })
    })
}
