//! An opportunity (销售机会): a possible sale on its way through the stages of a pipeline.

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LeadId;
use crate::{
    customers::CustomerId,
    kernel::{Actor, BasisPoints, Code, Date, Money, Name, Note, ids},
    language::commands,
    orders::OrderId,
};

ids! {
    /// An opportunity.
    OpportunityId = "opportunity";
}

/// Whether an opportunity is still to be decided.
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
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum OpportunityPhase {
    /// To be decided.
    Open,
    /// The customer bought (赢单).
    Won,
    /// The customer did not buy (输单).
    Lost,
}

/// What an insight into an opportunity is about.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum OpportunityInsight {
    /// What the customer is interested in (兴趣点).
    Interest,
    /// What the customer decides by (购买决策因素).
    DecisionFactor,
    /// Who has a say in the decision.
    Stakeholder,
    /// What speaks against it.
    Objection,
}

/// A stage as the pipeline's version of the opportunity defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpportunityStage {
    /// The stage's code.
    pub code: Code,
    /// Its place in the pipeline, counted from 1.
    pub position: u32,
    /// How likely an opportunity in this stage is won, in basis points.
    pub probability: BasisPoints,
}

/// An exit criterion that is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject)]
#[graphql(name = "MetCriterionInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetCriterion {
    /// The criterion's code in the pipeline.
    pub criterion: Code,
    /// What the finding rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
}

/// Opens an opportunity in the first stage of a pipeline; the version of the pipeline in force
/// that day stays its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenOpportunity {
    /// The customer who might buy.
    pub customer: CustomerId,
    /// Its name.
    #[schemars(extend("x-personal" = true))]
    pub name: Name,
    /// What it would bring; zero or more. Its currency stays.
    pub value: Money,
    /// The day on which it should be decided.
    pub expected_close_on: Date,
    /// The pipeline that it goes through; `default` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Code>,
    /// Who is after it; the actor where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Actor>,
    /// The lead that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<LeadId>,
}

/// Moves an opportunity to a later stage (推进阶段). Every exit criterion of the stages that it
/// leaves behind must be on record or given here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvanceOpportunityStage {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The stage to go to; the next one where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Code>,
    /// The exit criteria that are met by now.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<MetCriterion>,
}

/// Moves an opportunity back to an earlier stage, if its present stage allows that; criteria on
/// record stay met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegressOpportunityStage {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The stage to go back to.
    pub to: Code,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Writes down that an exit criterion of the pipeline is met, of this stage or a later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordExitCriterion {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The criterion's code in the pipeline.
    pub criterion: Code,
    /// What the finding rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
}

/// Writes down that an opportunity would bring more or less than was thought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeOpportunityValue {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// What it would bring from now on; zero or more, in the currency it was opened in.
    pub value: Money,
}

/// Moves the day on which an opportunity should be decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoveOpportunityCloseDate {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The new day.
    pub expected_close_on: Date,
}

/// Gives an opportunity to somebody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignOpportunityOwner {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// Who is after it from now on.
    pub owner: Actor,
}

/// Writes down who else is after the sale (竞争对手).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddOpportunityCompetitor {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The competitor.
    pub competitor: Name,
}

/// Writes down what was learnt about how the customer will decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoteOpportunityInsight {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// What it is about.
    pub insight: OpportunityInsight,
    /// What was learnt.
    #[schemars(extend("x-personal" = true))]
    pub note: Note,
}

/// Closes an opportunity as won. To win is to leave all stages forwards: every exit criterion
/// from the present stage on must be on record or given here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WinOpportunity {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The order that it led to, of the same customer; some pipelines ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The exit criteria that are met by now.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<MetCriterion>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
}

/// Closes an opportunity as lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoseOpportunity {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The reason, in the organisation's own list, for example `price`.
    pub lost_reason: Code,
    /// Who made the sale instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub competitor: Option<Name>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
}

/// Opens a won or lost opportunity again; its earlier outcome stays on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReopenOpportunity {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
    /// The stage to go on from, not beyond the one in which it was closed; that one where it is
    /// not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Code>,
}

commands! {
    /// The commands to an opportunity.
    OpportunityCommand for OpportunityId {
        OpenOpportunity,
        AdvanceOpportunityStage on opportunity,
        RegressOpportunityStage on opportunity,
        RecordExitCriterion on opportunity,
        ChangeOpportunityValue on opportunity,
        MoveOpportunityCloseDate on opportunity,
        AssignOpportunityOwner on opportunity,
        AddOpportunityCompetitor on opportunity,
        NoteOpportunityInsight on opportunity,
        WinOpportunity on opportunity,
        LoseOpportunity on opportunity,
        ReopenOpportunity on opportunity,
    }
}

/// What can happen to an opportunity.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all_fields = "camelCase")]
pub enum OpportunityEvent {
    /// An opportunity was opened.
    OpportunityOpened {
        /// The customer who might buy.
        customer: CustomerId,
        /// Its name.
        #[schemars(extend("x-personal" = true))]
        name: Name,
        /// What it would bring.
        value: Money,
        /// The day on which it should be decided.
        expected_close_on: Date,
        /// Who is after it.
        owner: Actor,
        /// The lead that it came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<LeadId>,
        /// The name of the pipeline that it goes through.
        pipeline: Code,
        /// The version of the pipeline, which stays its own.
        pipeline_version: u32,
        /// The first stage of the pipeline.
        stage: OpportunityStage,
    },
    /// An exit criterion is met.
    OpportunityCriterionMet {
        /// The criterion's code in the pipeline.
        criterion: Code,
        /// The stage in which the opportunity was at that time.
        stage: Code,
        /// What the finding rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        note: Option<Note>,
    },
    /// The opportunity went to a later stage.
    OpportunityStageAdvanced {
        /// The stage it left.
        from_stage: OpportunityStage,
        /// The stage it is in now.
        to_stage: OpportunityStage,
        /// What it would bring, at that time.
        value: Money,
    },
    /// The opportunity went back to an earlier stage.
    OpportunityStageRegressed {
        /// The stage it left.
        from_stage: OpportunityStage,
        /// The stage it is in now.
        to_stage: OpportunityStage,
        /// What it would bring, at that time.
        value: Money,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// It would bring more or less than was thought.
    OpportunityValueChanged {
        /// What it would have brought.
        from: Money,
        /// What it would bring now, in the same currency.
        to: Money,
    },
    /// The day on which it should be decided moved.
    OpportunityCloseDateMoved {
        /// The earlier plan.
        from: Date,
        /// The day from now on.
        to: Date,
    },
    /// Somebody else is after it.
    OpportunityOwnerAssigned {
        /// Who was after it.
        from: Actor,
        /// Who is after it from now on.
        to: Actor,
    },
    /// Somebody else is after the sale too.
    OpportunityCompetitorAdded {
        /// The competitor.
        competitor: Name,
    },
    /// Something was learnt about how the customer will decide.
    OpportunityInsightNoted {
        /// What it is about.
        insight: OpportunityInsight,
        /// What was learnt.
        #[schemars(extend("x-personal" = true))]
        note: Note,
    },
    /// The opportunity was won; its probability is the whole from then on.
    OpportunityWon {
        /// The stage in which it was won.
        stage: OpportunityStage,
        /// What it brings.
        value: Money,
        /// The day on which it should have been decided.
        expected_close_on: Date,
        /// The order that it led to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        note: Option<Note>,
    },
    /// The opportunity was lost; its probability is nothing from then on.
    OpportunityLost {
        /// The stage in which it was lost.
        stage: OpportunityStage,
        /// What it would have brought.
        value: Money,
        /// The day on which it should have been decided.
        expected_close_on: Date,
        /// The reason, in the organisation's own list.
        lost_reason: Code,
        /// Who made the sale instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        competitor: Option<Name>,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        note: Option<Note>,
    },
    /// The opportunity was opened again.
    OpportunityReopened {
        /// How it had been closed: won or lost.
        outcome: OpportunityPhase,
        /// The stage in which it had been closed.
        from_stage: OpportunityStage,
        /// The stage from which it goes on.
        to_stage: OpportunityStage,
        /// What it would bring.
        value: Money,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
}
