//! A lead (线索): somebody who might buy, before we know whether they will.

use async_graphql::{Enum, InputObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OpportunityId;
use crate::{
    customers::{Channel, Contact, ContactId, CustomerId},
    kernel::{Actor, Code, Date, Money, Name, NaturalKey, Note, ids},
    language::commands,
};

ids! {
    /// A lead.
    LeadId = "lead";
}

/// How far a lead has come.
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
pub enum LeadPhase {
    /// Captured, and nobody has taken it up yet.
    New,
    /// Somebody follows it up (跟进中).
    Working,
    /// Need and means were found to be there (合格).
    Qualified,
    /// Found not to be worth following (不合格).
    Disqualified,
    /// Put back for somebody to take up again (回收).
    Recycled,
    /// It became a customer and an opportunity (已转化).
    Converted,
}

/// Captures a lead (线索收集); it names a company or a person, or both. A source that repeats
/// one of its own keys is refused with the lead that has the key, so a repeated import is safe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaptureLead {
    /// Where it comes from, for example `trade-fair` or `referral`.
    pub source: Code,
    /// The key that the source itself gives to the lead, letter for letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub source_key: Option<Code>,
    /// The campaign that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Code>,
    /// What it is about, in one line.
    #[schemars(extend("x-personal" = true))]
    pub title: Name,
    /// The company that might buy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub company: Option<Name>,
    /// The person to talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What they are interested in (兴趣点).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub interest: Option<Note>,
    /// What it might bring, at a guess; zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_value: Option<Money>,
    /// Who is to follow it up; nobody yet where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Actor>,
}

impl CaptureLead {
    /// The key under which the source may capture only one lead. Codes hold no white space, so
    /// the blank keeps the two parts apart; case counts, as it does in many systems' keys.
    pub fn natural_key(&self) -> Option<NaturalKey> {
        self.source_key.as_ref().map(|key| NaturalKey {
            kind: "leadSource",
            value: format!("{} {key}", self.source),
        })
    }
}

/// Gives a lead to somebody (线索分配), who works on it from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignLead {
    /// The lead.
    pub lead: LeadId,
    /// Who follows it up from now on.
    pub assignee: Actor,
}

/// Says in which sales territory (销售区域) a lead lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignLeadTerritory {
    /// The lead.
    pub lead: LeadId,
    /// The territory; none takes the lead out of the one it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<Code>,
}

/// Writes down that somebody followed a lead up (线索跟踪); when is the command's `occurredAt`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogLeadFollowUp {
    /// The lead.
    pub lead: LeadId,
    /// The way in which people spoke.
    pub channel: Channel,
    /// What was said.
    #[schemars(extend("x-personal" = true))]
    pub summary: Note,
    /// The day of the next follow-up, not before the day of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_on: Option<Date>,
}

/// Finds that a lead in work is worth an opportunity (线索筛选).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QualifyLead {
    /// The lead.
    pub lead: LeadId,
    /// What they need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub need: Option<Note>,
    /// What they can spend; zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
    /// What the finding rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
}

/// Finds that a lead is not worth following; it can be recycled later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisqualifyLead {
    /// The lead.
    pub lead: LeadId,
    /// The reason, in the organisation's own list, for example `no-budget`.
    pub disqualified_reason: Code,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
}

/// Puts a lead back for somebody to take up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecycleLead {
    /// The lead.
    pub lead: LeadId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// The opportunity that a lead becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[graphql(name = "LeadOpportunityInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeadOpportunity {
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
}

/// Turns a qualified lead into a customer and an opportunity (线索转化), once; the lead stays
/// readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConvertLead {
    /// The lead.
    pub lead: LeadId,
    /// The customer that it turned out to be; where it is not said, a new one is registered from
    /// the lead's company or person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The contact of that customer that the lead's person turned out to be; where it is not
    /// said, the person is added to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The opportunity.
    pub opportunity: LeadOpportunity,
}

commands! {
    /// The commands to a lead.
    LeadCommand for LeadId {
        CaptureLead,
        AssignLead on lead,
        AssignLeadTerritory on lead,
        LogLeadFollowUp on lead,
        QualifyLead on lead,
        DisqualifyLead on lead,
        RecycleLead on lead,
        ConvertLead on lead,
    }
}

/// What can happen to a lead.
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
pub enum LeadEvent {
    /// A lead was captured; it is new.
    LeadCaptured {
        /// Where it comes from.
        source: Code,
        /// The key that the source itself gives to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        source_key: Option<Code>,
        /// The campaign that brought it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<Code>,
        /// What it is about, in one line.
        #[schemars(extend("x-personal" = true))]
        title: Name,
        /// The company that might buy.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        company: Option<Name>,
        /// The person to talk to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<Contact>,
        /// What they are interested in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        interest: Option<Note>,
        /// What it might bring, at a guess.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        estimated_value: Option<Money>,
        /// Who is to follow it up, if anybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<Actor>,
    },
    /// The lead was given to somebody.
    LeadAssigned {
        /// Who follows it up from now on.
        assignee: Actor,
        /// The phase it is in from now on: working, or still qualified.
        phase: LeadPhase,
    },
    /// The lead lies in another territory, or in none, from now on.
    LeadTerritoryAssigned {
        /// The territory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        territory: Option<Code>,
    },
    /// Somebody followed the lead up.
    LeadFollowedUp {
        /// The way in which people spoke.
        channel: Channel,
        /// What was said.
        #[schemars(extend("x-personal" = true))]
        summary: Note,
        /// The day of the next follow-up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_on: Option<Date>,
        /// The phase it is in from now on: working, or still qualified.
        phase: LeadPhase,
    },
    /// The lead is worth an opportunity.
    LeadQualified {
        /// What they need.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        need: Option<Note>,
        /// What they can spend.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Money>,
        /// What the finding rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        note: Option<Note>,
    },
    /// The lead is not worth following.
    LeadDisqualified {
        /// The phase it was in.
        from: LeadPhase,
        /// The reason, in the organisation's own list.
        disqualified_reason: Code,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        note: Option<Note>,
    },
    /// The lead was put back for somebody to take up again.
    LeadRecycled {
        /// The phase it was in.
        from: LeadPhase,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// The lead became a customer and an opportunity, in the same commit.
    LeadConverted {
        /// The customer.
        customer: CustomerId,
        /// Whether the customer was registered for it.
        new_customer: bool,
        /// The opportunity.
        opportunity: OpportunityId,
        /// The person at the customer, where the lead named one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<ContactId>,
    },
}
