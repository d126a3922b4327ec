//! What stands in each stage of a pipeline now. The sums are kept as rows: an opportunity is taken
//! out as it was and put in as it is, so that a screen costs one read of a few rows.

use std::collections::BTreeMap;

use async_graphql::SimpleObject;
use daybook_schema::{
    governance::PipelineDefinition,
    kernel::{BasisPoints, Code, DateTime, Name},
    pipeline::OpportunityStage,
};
use rusqlite::{Connection, types::Value};
use serde::{Deserialize, Serialize};

use super::OpportunityRow;
use crate::{
    measure::{PipelineTotal, add, merge, subtract},
    store::{
        ColumnKind, Fact, FoldError, Snapshot, Stamp, StoreError, Tables, each_seen, put_sum,
        table, widen,
    },
};

/// The sums of one stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StageTotalsRow {
    /// Pipeline and stage; the bar between them is in no code.
    id: String,
    stamp: Stamp,
    pipeline: Code,
    /// The stage as it was in the version of the opportunity that came last.
    stage: OpportunityStage,
    totals: Vec<PipelineTotal>,
}

table!(StageTotalsRow as row, "stage_totals" {
    pipeline: ColumnKind::Text, indexed; "By pipeline." => row.pipeline;
});

/// Takes an opportunity out of the sums as it was, and puts it in as it is.
pub(super) fn shift(
    fact: &Fact<'_>,
    before: Option<&OpportunityRow>,
    after: &OpportunityRow,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let place = |row: &OpportunityRow| row.prospect().map(|prospect| (row.stage.clone(), prospect));
    let (was, is) = (before.and_then(place), place(after));
    if was == is {
        return Ok(());
    }
    if let Some((stage, prospect)) = was {
        change(fact, after, &stage, tables, |totals| {
            subtract(totals, prospect)
        })?;
    }
    if let Some((stage, prospect)) = is {
        change(fact, after, &stage, tables, |totals| add(totals, prospect))?;
    }
    Ok(())
}

fn change(
    fact: &Fact<'_>,
    row: &OpportunityRow,
    stage: &OpportunityStage,
    tables: &mut Tables,
    change: impl FnOnce(&mut Vec<PipelineTotal>),
) -> Result<(), FoldError> {
    let id = format!("{}|{}", row.pipeline, stage.code);
    let make = |stamp| StageTotalsRow {
        id: id.clone(),
        stamp,
        pipeline: row.pipeline.clone(),
        stage: stage.clone(),
        totals: Vec::new(),
    };
    tables.upsert(fact, &id, make, |sums: &mut StageTotalsRow| {
        sums.stage = stage.clone();
        change(&mut sums.totals);
    })
}

/// Sums up anew what the opportunities that are seen add to the stages.
pub(crate) fn sum_stages(connection: &Connection) -> Result<(), StoreError> {
    let mut sums: BTreeMap<String, StageTotalsRow> = BTreeMap::new();
    each_seen(connection, |row: OpportunityRow| {
        let Some(prospect) = row.prospect() else {
            return;
        };
        let id = format!("{}|{}", row.pipeline, row.stage.code);
        let sum = sums.entry(id.clone()).or_insert_with(|| StageTotalsRow {
            id,
            stamp: row.stamp.clone(),
            pipeline: row.pipeline.clone(),
            stage: row.stage.clone(),
            totals: Vec::new(),
        });
        if sum.stamp.position < row.stamp.position {
            sum.stage = row.stage.clone();
        }
        widen(&mut sum.stamp, &row.stamp);
        add(&mut sum.totals, prospect);
    })?;
    for sum in sums.values() {
        put_sum(connection, sum)?;
    }
    Ok(())
}

/// What stands in one stage of a pipeline.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "PipelineBoardStageFields")]
pub struct BoardStage {
    /// The stage's code.
    pub code: Code,
    /// Its name for people; empty for a stage that is in no version in force any more.
    pub name: Option<Name>,
    /// Its Chinese name.
    pub name_zh: Option<Name>,
    /// Its place in the pipeline, counted from 1.
    pub position: u32,
    /// How likely an opportunity in this stage is won.
    pub probability: BasisPoints,
    /// Whether the last version of the pipeline has the stage. Opportunities keep the version
    /// that they were opened under, so that an older stage may still hold some.
    pub current: bool,
    /// How many opportunities are in it.
    pub opportunities: u32,
    /// What they would bring, per currency.
    pub totals: Vec<PipelineTotal>,
    /// When the one that is in the stage for the longest time entered it.
    pub oldest_since: Option<DateTime>,
    /// The opportunity that is in the stage for the longest time.
    #[graphql(skip)]
    pub oldest: Option<String>,
}

/// What stands in each stage of a pipeline, in the order of the last version of the pipeline,
/// then the stages of older versions that still hold something.
pub fn board(
    snapshot: &Snapshot,
    pipeline: &Code,
    definition: Option<&PipelineDefinition>,
) -> Result<Vec<BoardStage>, StoreError> {
    let mut sums = totals(snapshot, pipeline)?;
    let oldest = oldest(snapshot, pipeline)?;
    let mut stages: Vec<_> = defined(definition).collect();
    for stage in &mut stages {
        let known = sums.iter().position(|row| row.stage.code == stage.code);
        stage.totals = known.map_or_else(Vec::new, |index| sums.swap_remove(index).totals);
    }
    sums.retain(|row| !row.totals.is_empty());
    sums.sort_by(|a, b| (a.stage.position, &a.stage.code).cmp(&(b.stage.position, &b.stage.code)));
    stages.extend(sums.into_iter().map(outdated));
    for stage in &mut stages {
        stage.opportunities = stage.totals.iter().map(|total| total.opportunities).sum();
        let found = oldest
            .iter()
            .find(|(code, ..)| *code == stage.code.as_str());
        stage.oldest_since = found.map(|(_, since, _)| *since);
        stage.oldest = found.map(|(_, _, id)| id.clone());
    }
    Ok(stages)
}

fn defined(definition: Option<&PipelineDefinition>) -> impl Iterator<Item = BoardStage> {
    let stages = definition.map_or(&[][..], |definition| definition.stages.as_slice());
    (1..).zip(stages).map(|(position, stage)| BoardStage {
        code: stage.code.clone(),
        name: Some(stage.name.clone()),
        name_zh: stage.name_zh.clone(),
        position,
        probability: stage.probability,
        current: true,
        opportunities: 0,
        totals: Vec::new(),
        oldest_since: None,
        oldest: None,
    })
}

fn outdated(row: StageTotalsRow) -> BoardStage {
    BoardStage {
        code: row.stage.code,
        name: None,
        name_zh: None,
        position: row.stage.position,
        probability: row.stage.probability,
        current: false,
        opportunities: 0,
        totals: row.totals,
        oldest_since: None,
        oldest: None,
    }
}

fn totals(snapshot: &Snapshot, pipeline: &Code) -> Result<Vec<StageTotalsRow>, StoreError> {
    let sql = "SELECT document FROM stage_totals WHERE pipeline = ?1";
    let documents = snapshot.select(sql, vec![pipeline_cell(pipeline)], |row| {
        row.get::<_, String>(0)
    })?;
    let rows = documents.iter().map(|json| serde_json::from_str(json));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Per stage the code, the entry of the oldest open opportunity, and its id.
fn oldest(
    snapshot: &Snapshot,
    pipeline: &Code,
) -> Result<Vec<(String, DateTime, String)>, StoreError> {
    let sql = "SELECT stage, min(stage_entered_at), id FROM opportunity
               WHERE pipeline = ?1 AND phase = 'OPEN' GROUP BY stage";
    snapshot.select(sql, vec![pipeline_cell(pipeline)], |row| {
        Ok((row.get(0)?, DateTime::from_micros(row.get(1)?), row.get(2)?))
    })
}

fn pipeline_cell(pipeline: &Code) -> Value {
    Value::Text(pipeline.to_string())
}

/// The sums of all stages together, per currency.
pub fn board_totals(stages: &[BoardStage]) -> Vec<PipelineTotal> {
    let mut sums: Vec<PipelineTotal> = Vec::new();
    for total in stages.iter().flat_map(|stage| &stage.totals) {
        merge(&mut sums, total);
    }
    sums
}
