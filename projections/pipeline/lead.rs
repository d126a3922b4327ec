//! Leads: where they come from, who follows them up, how fast, and what became of them.

use async_graphql::SimpleObject;
use daybook_schema::{
    customers::{Channel, Contact, ContactId, CustomerId},
    kernel::{Actor, BigInt, Code, Date, DateTime, Money, Name, Note},
    pipeline::{LeadEvent, LeadId, LeadPhase, OpportunityId},
};
use serde::{Deserialize, Serialize};

use crate::{
    measure::seconds_between,
    store::{ColumnKind, Fact, FoldError, Stamp, Tables, enum_column, table},
};

/// How many follow-ups a lead's row shows; the history has all of them.
const FOLLOW_UPS_SHOWN: usize = 20;

/// A lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "LeadFields")]
#[serde(rename_all = "camelCase")]
pub struct LeadRow {
    /// The lead's id.
    pub id: LeadId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// How far it has come.
    pub phase: LeadPhase,
    /// Where it comes from.
    pub source: Code,
    /// The key that the source itself gives to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key: Option<Code>,
    /// The campaign that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Code>,
    /// What it is about, in one line.
    pub title: Name,
    /// The company that might buy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Name>,
    /// The person to talk to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What they are interested in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interest: Option<Note>,
    /// What it might bring, at a guess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_value: Option<Money>,
    /// Who follows it up; nobody yet where it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Actor>,
    /// The sales territory that it lies in (销售区域).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub territory: Option<Code>,
    /// When it was captured, by business time.
    pub captured_at: DateTime,
    /// When it was first followed up, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_response_at: Option<DateTime>,
    /// How long it waited for the first follow-up, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_response_seconds: Option<BigInt>,
    /// When it was last followed up, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_follow_up_at: Option<DateTime>,
    /// The day of the next follow-up, as planned with the last one; empty once the lead is
    /// converted, disqualified or put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_follow_up_on: Option<Date>,
    /// How often it was followed up.
    pub follow_up_count: u32,
    /// The last 20 follow-ups, oldest first.
    pub follow_ups: Vec<LeadFollowUp>,
    /// Why it is worth an opportunity, as last found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualification: Option<LeadQualification>,
    /// Why it was last found not worth following, in the organisation's own list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disqualified_reason: Option<Code>,
    /// More about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disqualified_note: Option<Note>,
    /// How often it was put back for somebody to take up again.
    pub recycled_count: u32,
    /// Why it was last put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recycled_because: Option<Note>,
    /// When it became a customer and an opportunity, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converted_at: Option<DateTime>,
    /// Whether the customer was registered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_customer: Option<bool>,
    /// The contact that its person became, at the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// The customer that it became.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The opportunity that it became.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
}

/// One follow-up of a lead (线索跟踪).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct LeadFollowUp {
    /// When it took place.
    pub at: DateTime,
    /// Who wrote it down.
    pub by: Actor,
    /// The way in which people spoke.
    pub channel: Channel,
    /// What was said.
    pub summary: Note,
    /// The day of the next one, as planned then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_on: Option<Date>,
}

/// Why a lead is worth an opportunity (线索筛选).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct LeadQualification {
    /// When it was found.
    pub at: DateTime,
    /// Who found it.
    pub by: Actor,
    /// What they need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<Note>,
    /// What they can spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
    /// What the finding rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

table!(LeadRow as row, "lead" {
    phase: enum_column::<LeadPhase>(), indexed; "By phase." => row.phase;
    source: ColumnKind::Text, indexed; "By where it comes from." => row.source;
    campaign: ColumnKind::Text, nullable; "By campaign." => row.campaign;
    owner: ColumnKind::Text, nullable, indexed; "By who follows it up." => row.owner;
    territory: ColumnKind::Text, nullable, indexed; "By territory." => row.territory;
    customer: ColumnKind::Id, nullable, indexed; "By the customer that it became."
        => row.customer;
    estimated_value: ColumnKind::Decimal, nullable; "By what it might bring."
        => row.estimated_value.map(Money::amount);
    currency: ColumnKind::Text, nullable; "By the currency of what it might bring."
        => row.estimated_value.map(Money::currency);
    captured_at: ColumnKind::DateTime, indexed; "By when it was captured." => row.captured_at;
    first_response_seconds: ColumnKind::Integer, nullable;
        "By how long it waited for the first follow-up." => row.first_response_seconds;
    last_follow_up_at: ColumnKind::DateTime, nullable, indexed; "By the last follow-up."
        => row.last_follow_up_at;
    next_follow_up_on: ColumnKind::Date, nullable, indexed; "By the day of the next follow-up."
        => row.next_follow_up_on;
} search words(row), personal personal_words(row); personal [
    "contact",
    "interest",
    "followUps[].summary!",
    "qualification.need",
    "qualification.note",
    "disqualifiedNote",
    "recycledBecause",
];);

fn words(row: &LeadRow) -> String {
    let mut words = vec![row.title.to_string()];
    words.extend(row.company.as_ref().map(ToString::to_string));
    words.join("\n")
}

fn personal_words(row: &LeadRow) -> String {
    let Some(contact) = &row.contact else {
        return String::new();
    };
    let ways = [contact.phone.as_ref(), contact.email.as_ref()];
    let words = std::iter::once(&contact.name).chain(ways.into_iter().flatten());
    words
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn fold(
    fact: &Fact<'_>,
    event: &LeadEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    if let Some(row) = captured(fact, event)? {
        tables.insert(row);
        return Ok(());
    }
    tables.update(fact, &fact.stream, |row: &mut LeadRow| {
        change(row, fact, event)
    })
}

/// The row of a lead that this event captures.
fn captured(fact: &Fact<'_>, event: &LeadEvent) -> Result<Option<LeadRow>, FoldError> {
    let LeadEvent::LeadCaptured {
        source,
        source_key,
        campaign,
        title,
        company,
        contact,
        interest,
        estimated_value,
        owner,
    } = event
    else {
        return Ok(None);
    };
    Ok(Some(LeadRow {
        id: fact.id()?,
        stamp: Stamp::new(fact),
        phase: LeadPhase::New,
        source: source.clone(),
        source_key: source_key.clone(),
        campaign: campaign.clone(),
        title: title.clone(),
        company: company.clone(),
        contact: contact.clone(),
        interest: interest.clone(),
        estimated_value: *estimated_value,
        owner: owner.clone(),
        territory: None,
        captured_at: fact.meta.effective_at(),
        first_response_at: None,
        first_response_seconds: None,
        last_follow_up_at: None,
        next_follow_up_on: None,
        follow_up_count: 0,
        follow_ups: Vec::new(),
        qualification: None,
        disqualified_reason: None,
        disqualified_note: None,
        recycled_count: 0,
        recycled_because: None,
        converted_at: None,
        new_customer: None,
        contact_id: None,
        customer: None,
        opportunity: None,
    }))
}

fn change(row: &mut LeadRow, fact: &Fact<'_>, event: &LeadEvent) {
    match event {
        LeadEvent::LeadCaptured { .. } => {}
        LeadEvent::LeadAssigned { assignee, phase } => {
            row.owner = Some(assignee.clone());
            row.phase = *phase;
        }
        LeadEvent::LeadTerritoryAssigned { territory } => row.territory = territory.clone(),
        LeadEvent::LeadFollowedUp {
            channel,
            summary,
            next_on,
            phase,
        } => {
            row.phase = *phase;
            row.follow_up(LeadFollowUp {
                at: fact.meta.effective_at(),
                by: fact.meta.actor.clone(),
                channel: *channel,
                summary: summary.clone(),
                next_on: *next_on,
            });
        }
        LeadEvent::LeadQualified { need, budget, note } => {
            row.phase = LeadPhase::Qualified;
            row.qualification = Some(LeadQualification {
                at: fact.meta.effective_at(),
                by: fact.meta.actor.clone(),
                need: need.clone(),
                budget: *budget,
                note: note.clone(),
            });
        }
        LeadEvent::LeadDisqualified {
            disqualified_reason,
            note,
            ..
        } => {
            row.leave(LeadPhase::Disqualified);
            row.disqualified_reason = Some(disqualified_reason.clone());
            row.disqualified_note = note.clone();
        }
        LeadEvent::LeadRecycled { because, .. } => {
            row.leave(LeadPhase::Recycled);
            row.recycled_count += 1;
            row.recycled_because = Some(because.clone());
        }
        LeadEvent::LeadConverted {
            customer,
            new_customer,
            opportunity,
            contact,
        } => {
            row.leave(LeadPhase::Converted);
            row.converted_at = Some(fact.meta.effective_at());
            row.new_customer = Some(*new_customer);
            row.contact_id = *contact;
            row.customer = Some(*customer);
            row.opportunity = Some(*opportunity);
        }
    }
}

impl LeadRow {
    fn leave(&mut self, phase: LeadPhase) {
        self.phase = phase;
        self.next_follow_up_on = None;
    }

    fn follow_up(&mut self, follow_up: LeadFollowUp) {
        let at = follow_up.at;
        if self.first_response_at.is_none() {
            self.first_response_at = Some(at);
            self.first_response_seconds = Some(seconds_between(self.captured_at, at));
        }
        self.last_follow_up_at = self.last_follow_up_at.max(Some(at));
        self.next_follow_up_on = follow_up.next_on;
        self.follow_up_count += 1;
        self.follow_ups.push(follow_up);
        if self.follow_ups.len() > FOLLOW_UPS_SHOWN {
            self.follow_ups.remove(0);
        }
    }
}
