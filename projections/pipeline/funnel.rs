//! The funnel by cohorts: of the opportunities that entered a stage in a month, how many ever went
//! on to each other stage, were won, were lost, and how long they stayed.
//!
//! An opportunity belongs to the cohort of its first entry of a stage, and stays in it whatever
//! becomes of it: lost ones are never left out. Stages that it skipped it did not enter.

use std::collections::BTreeMap;

use async_graphql::SimpleObject;
use daybook_schema::{
    kernel::{BasisPoints, Code, DateTime, Decimal},
    pipeline::OpportunityId,
};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{OpportunityRow, StageVisit};
use crate::{
    measure::{Period, mean_days, share},
    store::{Cell, ColumnKind, Fact, Snapshot, Stamp, StoreError, Tables, table},
};

/// One stay of an opportunity in a stage, as a row of its own, to be counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StageVisitRow {
    id: String,
    stamp: Stamp,
    opportunity: OpportunityId,
    pipeline: Code,
    /// The place of the stay in the opportunity's life, from 0.
    number: u32,
    /// Whether the opportunity had not been in the stage before.
    first: bool,
    visit: StageVisit,
}

table!(StageVisitRow as row, "stage_visit" {
    opportunity: ColumnKind::Id; "By opportunity." => row.opportunity;
    pipeline: ColumnKind::Text; "By pipeline." => row.pipeline;
    number: ColumnKind::Integer; "By place in the opportunity's life." => row.number;
    first: ColumnKind::Boolean; "By whether it is the first stay in the stage." => row.first;
    stage: ColumnKind::Text; "By stage." => row.visit.stage.code;
    stage_position: ColumnKind::Integer; "By place of the stage." => row.visit.stage.position;
    entered_on: ColumnKind::Date; "By the day of entry." => row.visit.entered_at.date();
    month: ColumnKind::Text; "By the month of entry." => month(row.visit.entered_at);
    dwell_seconds: ColumnKind::Integer, nullable; "By how long it was." => row.visit.dwell_seconds;
});

/// Everything that the funnel asks of the stays that began in a period.
pub(super) const BY_ENTRY: &[&str] = &[
    "pipeline",
    "entered_on",
    "first",
    "stage",
    "month",
    "stage_position",
    "opportunity",
    "number",
    "dwell_seconds",
];

/// Everything that it asks of the later stays of an opportunity.
pub(super) const BY_OPPORTUNITY: &[&str] = &["opportunity", "number", "stage", "stage_position"];

/// The month of an instant: `2026-03`.
fn month(at: DateTime) -> String {
    at.date().to_string().chars().take(7).collect()
}

/// Keeps the rows of the stays in line with the opportunity.
pub(super) fn follow(
    fact: &Fact<'_>,
    before: Option<&OpportunityRow>,
    after: &OpportunityRow,
    tables: &mut Tables,
) {
    let known = before.map_or(&[][..], |before| before.stages.as_slice());
    for (number, (index, visit)) in (0..).zip(after.stages.iter().enumerate()) {
        if known.get(index) == Some(visit) {
            continue;
        }
        let earlier = after.stages.iter().take(index);
        let first = !earlier
            .into_iter()
            .any(|earlier| earlier.stage.code == visit.stage.code);
        tables.insert(StageVisitRow {
            id: format!("{}/{number}", after.id),
            stamp: Stamp::new(fact),
            opportunity: after.id,
            pipeline: after.pipeline.clone(),
            number,
            first,
            visit: visit.clone(),
        });
    }
}

/// One stage of a pipeline's funnel.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct FunnelStage {
    /// The stage's code.
    pub stage: String,
    /// Its place in the pipeline, counted from 1.
    pub position: u32,
    /// How many opportunities entered the stage for the first time in the period.
    pub entered: u32,
    /// How many of them are won now.
    pub won: u32,
    /// How many of them are lost now.
    pub lost: u32,
    /// How many of them are still to be decided.
    pub open: u32,
    /// Won ÷ entered.
    pub won_share: Option<BasisPoints>,
    /// How many of them ever entered another stage after this one, by the place of that stage.
    pub conversions: Vec<FunnelConversion>,
    /// The mean length in days of the stays that began in the period and are over.
    pub mean_dwell_days: Option<Decimal>,
    /// The median length in days of the same stays.
    pub median_dwell_days: Option<Decimal>,
    /// The same opportunities by the month in which they entered the stage.
    pub cohorts: Vec<FunnelCohort>,
}

/// The opportunities that entered a stage in one month.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct FunnelCohort {
    /// The month, for example `2026-03`.
    pub month: String,
    /// How many entered the stage.
    pub entered: u32,
    /// How many of them are won now.
    pub won: u32,
    /// How many of them are lost now.
    pub lost: u32,
    /// Won ÷ entered.
    pub won_share: Option<BasisPoints>,
    /// How many of them ever entered another stage after this one.
    pub conversions: Vec<FunnelConversion>,
}

/// How many went on to another stage, at once or later.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct FunnelConversion {
    /// The other stage.
    pub stage: String,
    /// Its place in the pipeline, counted from 1.
    pub position: u32,
    /// How many ever entered it afterwards.
    pub reached: u32,
    /// Reached ÷ entered.
    pub share: Option<BasisPoints>,
}

const COHORTS: &str = "
    SELECT visit.stage, visit.month, max(visit.stage_position), count(*),
           sum(opportunity.phase = 'WON'), sum(opportunity.phase = 'LOST')
    FROM stage_visit AS visit JOIN opportunity ON opportunity.id = visit.opportunity
    WHERE visit.pipeline = ?1 AND visit.entered_on >= ?2 AND visit.entered_on < ?3 AND visit.first
    GROUP BY visit.stage, visit.month ORDER BY visit.stage, visit.month";

const CONVERSIONS: &str = "
    SELECT visit.stage, visit.month, later.stage, max(later.stage_position),
           count(DISTINCT visit.opportunity)
    FROM stage_visit AS visit JOIN stage_visit AS later
      ON later.opportunity = visit.opportunity AND later.number > visit.number
    WHERE visit.pipeline = ?1 AND visit.entered_on >= ?2 AND visit.entered_on < ?3 AND visit.first
      AND later.stage <> visit.stage
    GROUP BY visit.stage, visit.month, later.stage";

/// The median is the middle stay, or the mean of the two in the middle.
const DWELL: &str = "
    WITH stay AS (
        SELECT stage, dwell_seconds, count(*) OVER (PARTITION BY stage) AS stays,
               row_number() OVER (PARTITION BY stage ORDER BY dwell_seconds) AS place
        FROM stage_visit
        WHERE pipeline = ?1 AND entered_on >= ?2 AND entered_on < ?3 AND dwell_seconds IS NOT NULL
    )
    SELECT stage, max(stays), sum(dwell_seconds),
           sum(CASE WHEN place IN ((stays + 1) / 2, (stays + 2) / 2) THEN dwell_seconds END),
           sum(place IN ((stays + 1) / 2, (stays + 2) / 2))
    FROM stay GROUP BY stage";

/// The funnel of a pipeline over the opportunities that entered its stages in a period, stages in
/// their order.
pub fn funnel(
    snapshot: &Snapshot,
    pipeline: &Code,
    period: Period,
) -> Result<Vec<FunnelStage>, StoreError> {
    let parameters = parameters(pipeline, period);
    let mut stages = stages(snapshot, parameters.clone())?;
    convert(snapshot, parameters.clone(), &mut stages)?;
    measure(snapshot, parameters, &mut stages)?;
    let mut stages: Vec<_> = stages.into_values().collect();
    for stage in &mut stages {
        finish(stage);
    }
    stages.sort_by(|a, b| (a.position, &a.stage).cmp(&(b.position, &b.stage)));
    Ok(stages)
}

fn parameters(pipeline: &Code, period: Period) -> Vec<Value> {
    vec![pipeline.cell(), period.from.cell(), period.to.cell()]
}

type Stages = BTreeMap<String, FunnelStage>;

fn stages(snapshot: &Snapshot, parameters: Vec<Value>) -> Result<Stages, StoreError> {
    let cohorts = snapshot.select(COHORTS, parameters, |row| {
        let cohort = FunnelCohort {
            month: row.get(1)?,
            entered: row.get(3)?,
            won: row.get(4)?,
            lost: row.get(5)?,
            won_share: None,
            conversions: Vec::new(),
        };
        Ok((row.get::<_, String>(0)?, row.get::<_, u32>(2)?, cohort))
    })?;
    let mut stages = Stages::new();
    for (code, position, cohort) in cohorts {
        let stage = stages
            .entry(code.clone())
            .or_insert_with(|| FunnelStage::empty(code));
        stage.position = stage.position.max(position);
        stage.cohorts.push(cohort);
    }
    Ok(stages)
}

fn convert(
    snapshot: &Snapshot,
    parameters: Vec<Value>,
    stages: &mut Stages,
) -> Result<(), StoreError> {
    let conversions = snapshot.select(CONVERSIONS, parameters, |row| {
        let conversion = FunnelConversion {
            stage: row.get(2)?,
            position: row.get(3)?,
            reached: row.get(4)?,
            share: None,
        };
        let (from, month): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((from, month, conversion))
    })?;
    for (from, month, conversion) in conversions {
        let stage = stages.get_mut(&from);
        let mut cohorts = stage.into_iter().flat_map(|stage| &mut stage.cohorts);
        if let Some(cohort) = cohorts.find(|cohort| cohort.month == month) {
            cohort.conversions.push(conversion);
        }
    }
    Ok(())
}

fn measure(
    snapshot: &Snapshot,
    parameters: Vec<Value>,
    stages: &mut Stages,
) -> Result<(), StoreError> {
    let dwells = snapshot.select(DWELL, parameters, |row| {
        let mean = mean_days(row.get(2)?, row.get(1)?);
        let median = mean_days(row.get(3)?, row.get(4)?);
        Ok((row.get::<_, String>(0)?, mean, median))
    })?;
    for (code, mean, median) in dwells {
        if let Some(stage) = stages.get_mut(&code) {
            stage.mean_dwell_days = mean;
            stage.median_dwell_days = median;
        }
    }
    Ok(())
}

impl FunnelStage {
    fn empty(stage: String) -> Self {
        Self {
            stage,
            position: 0,
            entered: 0,
            won: 0,
            lost: 0,
            open: 0,
            won_share: None,
            conversions: Vec::new(),
            mean_dwell_days: None,
            median_dwell_days: None,
            cohorts: Vec::new(),
        }
    }
}

/// Sums the cohorts up and works out the shares. No opportunity is in two cohorts of a stage, so
/// the sums count each once.
fn finish(stage: &mut FunnelStage) {
    let mut all: BTreeMap<String, FunnelConversion> = BTreeMap::new();
    for cohort in &mut stage.cohorts {
        stage.entered += cohort.entered;
        stage.won += cohort.won;
        stage.lost += cohort.lost;
        cohort.won_share = share(cohort.won.into(), cohort.entered.into());
        in_order(&mut cohort.conversions, cohort.entered);
        for conversion in &cohort.conversions {
            let sum = all
                .entry(conversion.stage.clone())
                .or_insert_with(|| FunnelConversion {
                    reached: 0,
                    ..conversion.clone()
                });
            sum.reached += conversion.reached;
            sum.position = sum.position.max(conversion.position);
        }
    }
    stage.open = stage.entered - stage.won - stage.lost;
    stage.won_share = share(stage.won.into(), stage.entered.into());
    stage.conversions = all.into_values().collect();
    in_order(&mut stage.conversions, stage.entered);
}

fn in_order(conversions: &mut [FunnelConversion], entered: u32) {
    for conversion in conversions.iter_mut() {
        conversion.share = share(conversion.reached.into(), entered.into());
    }
    conversions.sort_by(|a, b| (a.position, &a.stage).cmp(&(b.position, &b.stage)));
}
