//! A customer's complaint (客户投诉) and its remedy (处理方案), cycle by cycle.

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    customers::{Channel, CustomerId},
    goods::ProductId,
    kernel::{Actor, Code, Date, Money, Name, Note, ids},
    language::commands,
    orders::OrderId,
};

ids! {
    /// A complaint.
    ComplaintId = "complaint";
}

/// How bad it is.
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
pub enum Severity {
    /// A nuisance.
    Low,
    /// The customer is hindered.
    Medium,
    /// The customer suffers a loss.
    High,
    /// People, the law or the customer's business are at stake.
    Critical,
}

/// How far a complaint has come in its present cycle. Acknowledgement and escalation stand
/// beside the phase: they may come early or late.
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
pub enum ComplaintPhase {
    /// On record (已登记).
    Logged,
    /// Category and severity are known (已分类).
    Classified,
    /// A remedy awaits approval (待审批).
    RemedyProposed,
    /// A remedy may be carried out (已批准).
    RemedyApproved,
    /// The remedy was carried out and the customer knows (已解决).
    Resolved,
    /// Done with (已关闭).
    Closed,
}

/// What kind of remedy is offered.
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
pub enum RemedyKind {
    /// Money back (退款).
    Refund,
    /// Other goods in exchange (换货).
    Replacement,
    /// The goods are mended (维修).
    Repair,
    /// A lower price (折扣).
    Discount,
    /// An apology (道歉).
    Apology,
    /// Something else, as described.
    Other,
    /// Nothing, because the complaint is not justified; the description says why (不予处理).
    NoRemedy,
}

/// How and when the customer was told the outcome.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "CustomerNoticeInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerNotice {
    /// The way in which the customer was told.
    pub channel: Channel,
    /// The day, not after the day of the command.
    pub on: Date,
    /// Who was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub to: Option<Name>,
}

/// Puts a customer's complaint on record; its first cycle begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogComplaint {
    /// The customer.
    pub customer: CustomerId,
    /// The way in which it came.
    pub channel: Channel,
    /// What the customer says.
    #[schemars(extend("x-personal" = true))]
    pub description: Note,
    /// How bad it is, at first sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The order that it is about, of the same customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The product that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    /// Who complained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub contact: Option<Name>,
}

/// Says what kind of complaint it is; may be said again while the complaint is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClassifyComplaint {
    /// The complaint.
    pub complaint: ComplaintId,
    /// The category, in the organisation's own list, for example `delivery`.
    pub category: Code,
    /// The root cause, in the organisation's own list, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Code>,
    /// How bad it is.
    pub severity: Severity,
}

/// Writes down that the customer was told that we took the complaint up; once per cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcknowledgeComplaint {
    /// The complaint.
    pub complaint: ComplaintId,
    /// What the customer was told.
    #[schemars(extend("x-personal" = true))]
    pub message: Note,
}

/// Proposes a remedy for a classified complaint; it takes the place of an earlier proposal. A
/// remedy within the rules is approved at once, any other awaits somebody else's approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposeRemedy {
    /// The complaint.
    pub complaint: ComplaintId,
    /// What kind of remedy.
    pub kind: RemedyKind,
    /// What it costs us; more than zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Money>,
    /// What is offered, and why.
    #[schemars(extend("x-personal" = true))]
    pub description: Note,
}

/// Approves the proposed remedy; never by the one who proposed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproveRemedy {
    /// The complaint.
    pub complaint: ComplaintId,
}

/// Turns the proposed remedy down; another can be proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectRemedy {
    /// The complaint.
    pub complaint: ComplaintId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Writes down that the customer agreed to the approved remedy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptRemedy {
    /// The complaint.
    pub complaint: ComplaintId,
}

/// Brings an open complaint before somebody else (上报).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscalateComplaint {
    /// The complaint.
    pub complaint: ComplaintId,
    /// Who is to deal with it.
    pub to: Actor,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Writes down that the approved remedy was carried out and the customer knows the outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveComplaint {
    /// The complaint.
    pub complaint: ComplaintId,
    /// What came of it.
    #[schemars(extend("x-personal" = true))]
    pub outcome: Note,
    /// How and when the customer was told.
    pub customer_notified: CustomerNotice,
}

/// Takes a resolved or closed complaint up again in a new cycle; the old one stays on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReopenComplaint {
    /// The complaint.
    pub complaint: ComplaintId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Closes a resolved complaint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloseComplaint {
    /// The complaint.
    pub complaint: ComplaintId,
}

commands! {
    /// The commands to a complaint.
    ComplaintCommand for ComplaintId {
        LogComplaint,
        ClassifyComplaint on complaint,
        AcknowledgeComplaint on complaint,
        ProposeRemedy on complaint,
        ApproveRemedy on complaint,
        RejectRemedy on complaint,
        AcceptRemedy on complaint,
        EscalateComplaint on complaint,
        ResolveComplaint on complaint,
        ReopenComplaint on complaint,
        CloseComplaint on complaint,
    }
}

/// What can happen to a complaint. The cycle counts from 1 and rises with every reopening.
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
pub enum ComplaintEvent {
    /// A complaint was put on record.
    ComplaintLogged {
        /// Its number, counted without a gap.
        number: u64,
        /// The cycle: the first.
        cycle: u32,
        /// The customer.
        customer: CustomerId,
        /// The way in which it came.
        channel: Channel,
        /// What the customer says.
        #[schemars(extend("x-personal" = true))]
        description: Note,
        /// How bad it is, at first sight.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
        /// The order that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// The product that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
        /// Who complained.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        contact: Option<Name>,
    },
    /// It was said what kind of complaint it is.
    ComplaintClassified {
        /// The cycle.
        cycle: u32,
        /// The category, in the organisation's own list.
        category: Code,
        /// The root cause, as far as known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Code>,
        /// How bad it is.
        severity: Severity,
    },
    /// The customer was told that we took the complaint up.
    ComplaintAcknowledged {
        /// The cycle.
        cycle: u32,
        /// What the customer was told.
        #[schemars(extend("x-personal" = true))]
        message: Note,
    },
    /// A remedy was proposed.
    RemedyProposed {
        /// The cycle.
        cycle: u32,
        /// The number of the proposal in its cycle, counted from 1.
        proposal: u32,
        /// What kind of remedy.
        kind: RemedyKind,
        /// What it costs us.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compensation: Option<Money>,
        /// What is offered, and why.
        #[schemars(extend("x-personal" = true))]
        description: Note,
        /// Who proposed it.
        proposer: Actor,
        /// Whether the rules want somebody else's approval.
        needs_approval: bool,
    },
    /// The proposed remedy may be carried out.
    RemedyApproved {
        /// The cycle.
        cycle: u32,
        /// The number of the proposal in its cycle.
        proposal: u32,
        /// Whether the rules approved it, because it stays within them.
        by_rule: bool,
        /// Who approved it, where a person did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approver: Option<Actor>,
    },
    /// The proposed remedy was turned down.
    RemedyRejected {
        /// The cycle.
        cycle: u32,
        /// The number of the proposal in its cycle.
        proposal: u32,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// The customer agreed to the remedy.
    RemedyAccepted {
        /// The cycle.
        cycle: u32,
        /// The number of the proposal in its cycle.
        proposal: u32,
    },
    /// The complaint was brought before somebody else.
    ComplaintEscalated {
        /// The cycle.
        cycle: u32,
        /// Who is to deal with it.
        to: Actor,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// The remedy was carried out and the customer knows the outcome.
    ComplaintResolved {
        /// The cycle.
        cycle: u32,
        /// What came of it.
        #[schemars(extend("x-personal" = true))]
        outcome: Note,
        /// How and when the customer was told.
        customer_notified: CustomerNotice,
    },
    /// The complaint was taken up again; a new cycle begins.
    ComplaintReopened {
        /// The new cycle.
        cycle: u32,
        /// The phase in which it was: resolved or closed.
        from: ComplaintPhase,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// The complaint is done with.
    ComplaintClosed {
        /// The cycle.
        cycle: u32,
    },
}
