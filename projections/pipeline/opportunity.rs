//! Opportunities, each with its way through the stages.

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    customers::CustomerId,
    kernel::{Actor, Amount, BasisPoints, BigInt, Code, Date, DateTime, Money, Name, Note},
    orders::OrderId,
    pipeline::{
        LeadId, OpportunityEvent, OpportunityId, OpportunityInsight, OpportunityPhase,
        OpportunityStage,
    },
};
use serde::{Deserialize, Serialize};

use super::{board, funnel};
use crate::{
    measure::{Prospect, seconds_between, weighted},
    store::{ColumnKind, Fact, FoldError, Stamp, Tables, enum_column, table},
};

/// A possible sale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "OpportunityFields")]
#[serde(rename_all = "camelCase")]
pub struct OpportunityRow {
    /// The opportunity's id.
    pub id: OpportunityId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its name.
    pub name: Name,
    /// Whether it is still to be decided.
    pub phase: OpportunityPhase,
    /// The customer who might buy.
    #[graphql(skip)]
    pub customer: CustomerId,
    /// The lead that it came from.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<LeadId>,
    /// The order that the last win led to; it stays where the opportunity is opened again.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The name of the pipeline that it goes through.
    pub pipeline: Code,
    /// The version of the pipeline, which stays its own.
    pub pipeline_version: u32,
    /// The stage it is in, or was in when it was closed.
    pub stage: OpportunityStage,
    /// How likely it is won: that of the stage, the whole once it is won, nothing once it is lost.
    pub probability: BasisPoints,
    /// What it would bring.
    pub value: Money,
    /// Value multiplied by probability, rounded to six decimal places.
    pub weighted_value: Amount,
    /// The day on which it should be decided.
    pub expected_close_on: Date,
    /// How often that day was moved.
    pub close_date_moves: u32,
    /// Who is after it.
    pub owner: Actor,
    /// When it was opened, by business time.
    pub opened_at: DateTime,
    /// When it entered its stage, by business time.
    pub stage_entered_at: DateTime,
    /// When it was won or lost, by business time; empty while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime>,
    /// Why it is lost, in the organisation's own list; empty unless it is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_reason: Option<Code>,
    /// Its stays in stages, in the order in which it entered them.
    pub stages: Vec<StageVisit>,
    /// The exit criteria on record.
    pub criteria: Vec<CriterionMet>,
    /// Who else is after the sale.
    pub competitors: Vec<Name>,
    /// What was learnt about how the customer will decide.
    pub insights: Vec<InsightNoted>,
    /// How it was closed, every time; the last one holds unless it was opened again.
    pub outcomes: Vec<OpportunityOutcome>,
}

/// One stay of an opportunity in a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct StageVisit {
    /// The stage.
    #[graphql(flatten)]
    pub stage: OpportunityStage,
    /// When it was entered.
    pub entered_at: DateTime,
    /// What the opportunity would have brought at that time.
    pub value_entered: Money,
    /// When it was left; empty while the opportunity is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<DateTime>,
    /// How it was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_by: Option<StageExit>,
    /// How long the stay was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dwell_seconds: Option<BigInt>,
}

/// How an opportunity left a stage.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum StageExit {
    /// To a later stage.
    Advanced,
    /// Back to an earlier stage.
    Regressed,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
}

/// An exit criterion on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct CriterionMet {
    /// The criterion's code in the pipeline.
    pub criterion: Code,
    /// The stage in which the opportunity was at that time.
    pub stage: Code,
    /// What the finding rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// When it was met.
    pub at: DateTime,
    /// Who wrote it down.
    pub by: Actor,
}

/// Something that was learnt about how the customer will decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct InsightNoted {
    /// What it is about.
    pub insight: OpportunityInsight,
    /// What was learnt.
    pub note: Note,
    /// When.
    pub at: DateTime,
    /// Who wrote it down.
    pub by: Actor,
}

/// One decision about an opportunity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct OpportunityOutcome {
    /// Won or lost.
    pub phase: OpportunityPhase,
    /// When.
    pub at: DateTime,
    /// The stage in which it was decided.
    pub stage: Code,
    /// What it brings, or would have brought.
    pub value: Money,
    /// The day on which it should have been decided.
    pub expected_close_on: Date,
    /// Why it was lost, in the organisation's own list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Code>,
    /// Who made the sale instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub competitor: Option<Name>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// When the opportunity was opened again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopened_at: Option<DateTime>,
    /// Why it was opened again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopened_because: Option<Note>,
}

table!(OpportunityRow as row, "opportunity" {
    name: ColumnKind::Text; "By name." => row.name;
    phase: enum_column::<OpportunityPhase>(), indexed; "By whether it is decided." => row.phase;
    customer: ColumnKind::Id, indexed; "By customer." => row.customer;
    lead: ColumnKind::Id, nullable, indexed; "By the lead that it came from." => row.lead;
    pipeline: ColumnKind::Text; "By pipeline." => row.pipeline;
    stage: ColumnKind::Text, indexed; "By the code of the stage." => row.stage.code;
    stage_position: ColumnKind::Integer; "By the place of the stage in the pipeline."
        => row.stage.position;
    stage_entered_at: ColumnKind::DateTime; "By when it entered its stage."
        => row.stage_entered_at;
    value: ColumnKind::Decimal, indexed; "By what it would bring." => row.value.amount();
    weighted_value: ColumnKind::Decimal; "By value multiplied by probability."
        => row.weighted_value.amount;
    currency: ColumnKind::Text; "By the currency of what it would bring." => row.value.currency();
    owner: ColumnKind::Text, indexed; "By who is after it." => row.owner;
    expected_close_on: ColumnKind::Date, indexed; "By the day on which it should be decided."
        => row.expected_close_on;
    opened_at: ColumnKind::DateTime, indexed; "By when it was opened." => row.opened_at;
    closed_at: ColumnKind::DateTime, nullable, indexed; "By when it was won or lost."
        => row.closed_at;
    closed_on: ColumnKind::Date, nullable, indexed; "By the day on which it was won or lost."
        => row.closed_at.map(DateTime::date);
    lost_reason: ColumnKind::Text, nullable; "By why it is lost." => row.lost_reason;
} search row.name.to_string(); personal [
    "criteria[].note",
    "insights[].note!",
    "outcomes[].note",
    "outcomes[].reopenedBecause",
]; held by customer;);

impl OpportunityRow {
    /// What it adds to the sums of its pipeline; nothing once it is decided.
    pub(super) fn prospect(&self) -> Option<Prospect> {
        (self.phase == OpportunityPhase::Open).then(|| Prospect {
            currency: self.value.currency(),
            value: self.value.amount().into(),
            weighted_value: self.weighted_value.amount,
        })
    }

    /// Brings probability and weighted value in line with phase, stage and value.
    fn weigh(&mut self) {
        self.probability = match self.phase {
            OpportunityPhase::Open => self.stage.probability,
            OpportunityPhase::Won => BasisPoints::WHOLE,
            OpportunityPhase::Lost => BasisPoints::ZERO,
        };
        let amount = weighted(self.value.amount(), self.probability);
        self.weighted_value = Amount::new(amount, self.value.currency());
    }

    fn leave(&mut self, at: DateTime, by: StageExit) {
        if let Some(visit) = self.stages.last_mut() {
            visit.left_at = Some(at);
            visit.left_by = Some(by);
            visit.dwell_seconds = Some(seconds_between(visit.entered_at, at));
        }
    }

    fn enter(&mut self, at: DateTime, stage: &OpportunityStage, value: Money) {
        self.stage = stage.clone();
        self.stage_entered_at = at;
        self.stages.push(StageVisit {
            stage: stage.clone(),
            entered_at: at,
            value_entered: value,
            left_at: None,
            left_by: None,
            dwell_seconds: None,
        });
    }

    fn close(&mut self, at: DateTime, event: &OpportunityEvent) {
        let Some(outcome) = outcome(at, event) else {
            return;
        };
        let exit = match outcome.phase {
            OpportunityPhase::Lost => StageExit::Lost,
            OpportunityPhase::Open | OpportunityPhase::Won => StageExit::Won,
        };
        self.phase = outcome.phase;
        self.closed_at = Some(outcome.at);
        self.lost_reason = outcome.reason.clone();
        self.leave(outcome.at, exit);
        self.outcomes.push(outcome);
    }

    fn reopen(&mut self, at: DateTime, because: &Note) {
        self.phase = OpportunityPhase::Open;
        self.closed_at = None;
        self.lost_reason = None;
        if let Some(outcome) = self.outcomes.last_mut() {
            outcome.reopened_at = Some(at);
            outcome.reopened_because = Some(because.clone());
        }
    }
}

pub(super) fn fold(
    fact: &Fact<'_>,
    event: &OpportunityEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let (before, after) = match opened(fact, event)? {
        Some(row) => (None, row),
        None => {
            let before: OpportunityRow = tables.require(&fact.stream)?;
            let mut after = before.clone();
            change(&mut after, fact, event);
            after.weigh();
            after.stamp.touch(fact, true);
            (Some(before), after)
        }
    };
    board::shift(fact, before.as_ref(), &after, tables)?;
    funnel::follow(fact, before.as_ref(), &after, tables);
    tables.insert(after);
    Ok(())
}

/// The row of an opportunity that this event opens.
fn opened(fact: &Fact<'_>, event: &OpportunityEvent) -> Result<Option<OpportunityRow>, FoldError> {
    let OpportunityEvent::OpportunityOpened {
        customer,
        name,
        value,
        expected_close_on,
        owner,
        lead,
        pipeline,
        pipeline_version,
        stage,
    } = event
    else {
        return Ok(None);
    };
    let at = fact.meta.effective_at();
    let mut row = OpportunityRow {
        id: fact.id()?,
        stamp: Stamp::new(fact),
        name: name.clone(),
        phase: OpportunityPhase::Open,
        customer: *customer,
        lead: *lead,
        order: None,
        pipeline: pipeline.clone(),
        pipeline_version: *pipeline_version,
        stage: stage.clone(),
        probability: stage.probability,
        value: *value,
        weighted_value: Amount::from(*value),
        expected_close_on: *expected_close_on,
        close_date_moves: 0,
        owner: owner.clone(),
        opened_at: at,
        stage_entered_at: at,
        closed_at: None,
        lost_reason: None,
        stages: Vec::new(),
        criteria: Vec::new(),
        competitors: Vec::new(),
        insights: Vec::new(),
        outcomes: Vec::new(),
    };
    row.enter(at, stage, *value);
    row.weigh();
    Ok(Some(row))
}

fn change(row: &mut OpportunityRow, fact: &Fact<'_>, event: &OpportunityEvent) {
    use OpportunityEvent as E;
    let at = fact.meta.effective_at();
    let by = || fact.meta.actor.clone();
    match event {
        E::OpportunityOpened { .. } => {}
        E::OpportunityCriterionMet {
            criterion,
            stage,
            note,
        } => row.criteria.push(CriterionMet {
            criterion: criterion.clone(),
            stage: stage.clone(),
            note: note.clone(),
            at,
            by: by(),
        }),
        E::OpportunityStageAdvanced {
            to_stage, value, ..
        } => {
            row.leave(at, StageExit::Advanced);
            row.enter(at, to_stage, *value);
        }
        E::OpportunityStageRegressed {
            to_stage, value, ..
        } => {
            row.leave(at, StageExit::Regressed);
            row.enter(at, to_stage, *value);
        }
        E::OpportunityValueChanged { to, .. } => row.value = *to,
        E::OpportunityCloseDateMoved { to, .. } => {
            row.expected_close_on = *to;
            row.close_date_moves += 1;
        }
        E::OpportunityOwnerAssigned { to, .. } => row.owner = to.clone(),
        E::OpportunityCompetitorAdded { competitor } => row.competitors.push(competitor.clone()),
        E::OpportunityInsightNoted { insight, note } => row.insights.push(InsightNoted {
            insight: *insight,
            note: note.clone(),
            at,
            by: by(),
        }),
        E::OpportunityWon { order, .. } => {
            row.order = *order;
            row.close(at, event);
        }
        E::OpportunityLost { .. } => row.close(at, event),
        E::OpportunityReopened {
            to_stage,
            value,
            because,
            ..
        } => {
            row.reopen(at, because);
            row.enter(at, to_stage, *value);
        }
    }
}

/// The decision that this event makes.
fn outcome(at: DateTime, event: &OpportunityEvent) -> Option<OpportunityOutcome> {
    use OpportunityEvent as E;
    let (E::OpportunityWon {
        stage,
        value,
        expected_close_on,
        note,
        ..
    }
    | E::OpportunityLost {
        stage,
        value,
        expected_close_on,
        note,
        ..
    }) = event
    else {
        return None;
    };
    let mut lost = None;
    if let E::OpportunityLost {
        lost_reason,
        competitor,
        ..
    } = event
    {
        lost = Some((lost_reason, competitor));
    }
    let phase = match lost {
        Some(_) => OpportunityPhase::Lost,
        None => OpportunityPhase::Won,
    };
    Some(OpportunityOutcome {
        phase,
        at,
        stage: stage.code.clone(),
        value: *value,
        expected_close_on: *expected_close_on,
        reason: lost.map(|(reason, _)| reason.clone()),
        competitor: lost.and_then(|(_, competitor)| competitor.clone()),
        note: note.clone(),
        reopened_at: None,
        reopened_because: None,
    })
}
