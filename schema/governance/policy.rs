//! Policies: the rules in force, as versioned data. A decision names the version it used.

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{BasisPoints, Code, Date, Money, Name, ParseIdError, StreamKey, text_scalar},
    language::commands,
};

/// What a policy rules over.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
pub enum PolicyKind {
    /// The stages of a sales pipeline.
    Pipeline,
    /// When a complaint's remedy needs approval.
    Complaints,
    /// What stock may do.
    Stock,
    /// What orders and shipments may do.
    Orders,
}

/// A policy, by its kind and name: `policy-pipeline.default`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PolicyId {
    /// What it rules over.
    pub kind: PolicyKind,
    /// Which of several of one kind; `default` where there is one.
    pub name: Code,
}

impl StreamKey for PolicyId {
    const PREFIX: &'static str = "policy";
}

impl std::fmt::Display for PolicyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "policy-{}.{}", self.kind, self.name)
    }
}

impl std::str::FromStr for PolicyId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let parts = text
            .strip_prefix("policy-")
            .and_then(|rest| rest.split_once('.'));
        parts
            .and_then(|(kind, name)| {
                Some(Self {
                    kind: kind.parse().ok()?,
                    name: name.parse().ok()?,
                })
            })
            .ok_or_else(|| ParseIdError::new(Self::PREFIX, text))
    }
}

text_scalar!(PolicyId, "ID", "id of the form `policy-<kind>.<name>`");

/// The rules of a policy; its kind follows from which of them is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, OneofObject)]
#[graphql(name = "PolicyRulesInput")]
#[serde(rename_all = "camelCase")]
pub enum PolicyRules {
    /// The stages of a sales pipeline.
    Pipeline(PipelineDefinition),
    /// When a complaint's remedy needs approval.
    Complaints(ComplaintRules),
    /// What stock may do.
    Stock(StockRules),
    /// What orders and shipments may do.
    Orders(OrderRules),
}

impl PolicyRules {
    /// What the rules are about.
    pub fn kind(&self) -> PolicyKind {
        match self {
            Self::Pipeline(_) => PolicyKind::Pipeline,
            Self::Complaints(_) => PolicyKind::Complaints,
            Self::Stock(_) => PolicyKind::Stock,
            Self::Orders(_) => PolicyKind::Orders,
        }
    }
}

/// A sales pipeline: its stages in order, and what it takes to leave each of them.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "PipelineDefinitionInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineDefinition {
    /// The stages, first to last, 1 to 20.
    pub stages: Vec<PipelineStage>,
    /// Whether an opportunity can be won only with an order of the same customer.
    pub win_requires_order: bool,
}

/// One stage of a pipeline.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "PipelineStageInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineStage {
    /// The code by which opportunities name it.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// Its Chinese name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_zh: Option<Name>,
    /// How likely an opportunity in this stage is won.
    pub probability: BasisPoints,
    /// What must be on the record before an opportunity may leave the stage forwards.
    pub exit_criteria: Vec<ExitCriterion>,
    /// Whether an opportunity may go back from this stage to an earlier one.
    pub may_regress: bool,
}

/// Something that a stage must bring forth: its output is the next stage's input.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ExitCriterionInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExitCriterion {
    /// The code by which commands name it.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
}

/// When a complaint's remedy needs approval.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ComplaintRulesInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComplaintRules {
    /// Compensation above this amount, or in another currency, needs somebody else's approval.
    pub approval_above: Money,
}

/// What stock may do.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "StockRulesInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StockRules {
    /// Whether more may be reserved than is on hand.
    pub allow_back_orders: bool,
}

/// What orders and shipments may do.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "OrderRulesInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderRules {
    /// How much more than ordered may be shipped, as a share of the ordered quantity.
    pub over_delivery: BasisPoints,
}

/// Puts a new version of a policy in force from a day on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishPolicy {
    /// Which policy of its kind; `default` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Code>,
    /// The rules, whole; they replace the earlier version.
    pub rules: PolicyRules,
    /// The first day on which they hold.
    pub effective_from: Date,
}

impl PublishPolicy {
    /// The policy that is published.
    pub fn policy(&self) -> PolicyId {
        let name = self.name.clone().unwrap_or_else(PolicyId::default_name);
        PolicyId {
            kind: self.rules.kind(),
            name,
        }
    }
}

impl PolicyId {
    /// The name of the policy that holds where no other is named.
    pub fn default_name() -> Code {
        Code::constant("default")
    }

    /// The policy of a kind that holds where no other is named.
    pub fn default_of(kind: PolicyKind) -> Self {
        Self {
            kind,
            name: Self::default_name(),
        }
    }
}

commands! {
    /// The commands to a policy.
    PolicyCommand for PolicyId { PublishPolicy by policy }
}

/// What can happen to a policy.
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
pub enum PolicyEvent {
    /// A version of the policy was put in force.
    PolicyPublished {
        /// The version, counted from 1.
        version: u32,
        /// The rules, whole.
        rules: PolicyRules,
        /// The first day on which they hold.
        effective_from: Date,
    },
}
