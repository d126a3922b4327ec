//! The roles of a sales organisation, and how far a grant of one reaches.

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TeamId;
use crate::kernel::Code;

/// A named set of permissions (角色). What each of them may do is listed by `daybook permissions`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
pub enum Role {
    /// Sets the organisation up: accounts, roles, teams and policies (管理员).
    Administrator,
    /// Leads the organisation: sees everything, decides what needs approval (领导者).
    Leader,
    /// Runs sales, service and stock from day to day (管理者).
    Manager,
    /// Leads salespeople: assigns customers, leads and opportunities (销售经理).
    SalesManager,
    /// Sells: looks after customers, leads, opportunities and orders (销售员).
    Salesperson,
    /// Takes complaints up and settles them (客户服务人员).
    ServiceAgent,
    /// Keeps goods: catalogue, stock and what is laid ready (货品管理员).
    StockKeeper,
    /// Carries shipments to customers (送货员).
    Delivery,
    /// Reads figures, without personal data (企业分析师).
    Analyst,
    /// Looks after the accounts and teams of the staff (工作人员).
    HumanResources,
    /// Measures quality: complaints and deliveries, without personal data (测定员).
    QualityMeasurer,
    /// Reads everything, with its proof, and changes nothing.
    Auditor,
    /// A program that follows the record, and nothing else (计算机).
    Integrator,
    /// Looks after the organisations of a house, and sees nothing of what is in them.
    Operator,
}

impl Role {
    /// All roles, in the order of their declaration.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;
}

/// What a grant reaches.
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
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ScopeKind {
    /// What the account itself looks after.
    Own,
    /// What anybody of a team and of the teams below it looks after.
    Team,
    /// What lies in a sales territory.
    Territory,
    /// What waits in the public pool for somebody to take it up (公海).
    Pool,
    /// Everything in the organisation.
    Organisation,
}

/// How far a grant reaches. Goods, prices, policies and the like belong to nobody in particular;
/// any scope reaches them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[derive(InputObject, SimpleObject)]
#[graphql(input_name = "ScopeInput")]
pub struct Scope {
    /// What it reaches.
    pub kind: ScopeKind,
    /// The team of a team scope; the account's own team, whichever that is at the time, where it
    /// is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// The territory of a territory scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<Code>,
}

impl Scope {
    /// A scope that needs no further word.
    pub fn of(kind: ScopeKind) -> Self {
        Self {
            kind,
            team: None,
            territory: None,
        }
    }
}
