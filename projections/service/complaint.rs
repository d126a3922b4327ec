//! Complaints: how far each has come, what was offered, and how long it took, cycle by cycle.

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    customers::{Channel, CustomerEvent, CustomerId},
    goods::ProductId,
    kernel::{Actor, BigInt, Code, DateTime, Money, Name, Note},
    orders::OrderId,
    service::{ComplaintEvent, ComplaintId, ComplaintPhase, CustomerNotice, RemedyKind, Severity},
};
use serde::{Deserialize, Serialize};

use crate::{
    measure::seconds_between,
    store::{ColumnKind, Fact, FoldError, Stamp, Tables, enum_column, table},
};

/// A customer's complaint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ComplaintFields")]
#[serde(rename_all = "camelCase")]
pub struct ComplaintRow {
    /// The complaint's id.
    pub id: ComplaintId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its number, counted without a gap.
    pub number: BigInt,
    /// How far it has come in its present cycle.
    pub phase: ComplaintPhase,
    /// The present cycle, counted from 1.
    pub cycle: u32,
    /// The customer.
    #[graphql(skip)]
    pub customer: CustomerId,
    /// The customer's name now.
    pub customer_name: Name,
    /// The order that it is about.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The product that it is about.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    /// The way in which it came.
    pub channel: Channel,
    /// What the customer says.
    pub description: Note,
    /// Who complained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Name>,
    /// The category, as last classified in any cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Code>,
    /// The root cause, as last classified in any cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Code>,
    /// How bad it is, as last classified, or at first sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The latest remedy of the present cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<RemedyProposal>,
    /// Who is to deal with it since the last escalation of the present cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated_to: Option<Actor>,
    /// How often it was escalated, in all cycles.
    pub escalation_count: u32,
    /// When it was put on record, by business time.
    pub logged_at: DateTime,
    /// When the customer was told that we took it up, in the present cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime>,
    /// How long the customer waited for that since the present cycle began, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledgement_seconds: Option<BigInt>,
    /// When it was resolved in the present cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<DateTime>,
    /// How long it took from the first record to the resolution, in seconds, all cycles together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution_seconds: Option<BigInt>,
    /// When it was closed in the present cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime>,
    /// Every cycle, oldest first; none is ever overwritten.
    pub cycles: Vec<ComplaintCycle>,
}

/// One cycle of dealing with a complaint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct ComplaintCycle {
    /// The cycle, counted from 1.
    pub cycle: u32,
    /// When it began.
    pub began_at: DateTime,
    /// Why the complaint was taken up again; empty for the first cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopened_because: Option<Note>,
    /// When the customer was told that we took the complaint up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime>,
    /// What the customer was told then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Note>,
    /// When it was last classified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classified_at: Option<DateTime>,
    /// The category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Code>,
    /// The root cause, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Code>,
    /// How bad it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The remedies that were proposed, oldest first.
    pub remedies: Vec<RemedyProposal>,
    /// Before whom the complaint was brought, oldest first.
    pub escalations: Vec<ComplaintEscalation>,
    /// When it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<DateTime>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Note>,
    /// How and when the customer was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_notified: Option<CustomerNotice>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime>,
}

/// A remedy (处理方案) and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct RemedyProposal {
    /// Its number in its cycle, counted from 1.
    pub proposal: u32,
    /// What became of it.
    pub status: RemedyStatus,
    /// What kind of remedy.
    pub kind: RemedyKind,
    /// What it costs us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Money>,
    /// What is offered, and why.
    pub description: Note,
    /// Who proposed it.
    pub proposer: Actor,
    /// When.
    pub proposed_at: DateTime,
    /// Whether the rules wanted somebody else's approval.
    pub needs_approval: bool,
    /// Who approved it or turned it down; empty where the rules approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Actor>,
    /// When it was approved or turned down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime>,
    /// Why it was turned down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_because: Option<Note>,
    /// When the customer agreed to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<DateTime>,
}

/// What became of a remedy.
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
pub enum RemedyStatus {
    /// It awaits approval.
    Proposed,
    /// It may be carried out.
    Approved,
    /// It was turned down.
    Rejected,
    /// The customer agreed to it.
    Accepted,
}

/// A complaint brought before somebody else (上报).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct ComplaintEscalation {
    /// Who is to deal with it.
    pub to: Actor,
    /// Why.
    pub because: Note,
    /// When.
    pub at: DateTime,
    /// Who brought it there.
    pub by: Actor,
}

table!(ComplaintRow as row, "complaint" {
    number: ColumnKind::Integer, indexed; "By number." => row.number;
    phase: enum_column::<ComplaintPhase>(), indexed; "By phase." => row.phase;
    cycle: ColumnKind::Integer; "By cycle." => row.cycle;
    customer: ColumnKind::Id, indexed; "By customer." => row.customer;
    order_id: ColumnKind::Id, nullable, indexed; "By the order that it is about."
        => row.order.map(|id| id.to_string());
    product: ColumnKind::Id, nullable, indexed; "By the product that it is about."
        => row.product.map(|id| id.to_string());
    category: ColumnKind::Text, nullable, indexed; "By category." => row.category;
    cause: ColumnKind::Text, nullable; "By root cause." => row.cause;
    severity: enum_column::<Severity>(), nullable; "By how bad it is." => row.severity;
    remedy: enum_column::<RemedyKind>(), nullable; "By the kind of the latest remedy."
        => row.remedy.as_ref().map(|remedy| remedy.kind.to_string());
    remedy_status: enum_column::<RemedyStatus>(), nullable; "By what became of that remedy."
        => row.remedy.as_ref().map(|remedy| remedy.status.to_string());
    compensation: ColumnKind::Decimal, nullable; "By what the latest remedy costs."
        => row.compensation().map(Money::amount);
    compensation_currency: ColumnKind::Text, nullable; "By the currency of what it costs."
        => row.compensation().map(Money::currency);
    escalated_to: ColumnKind::Text, nullable; "By whom it was brought before."
        => row.escalated_to;
    escalation_count: ColumnKind::Integer; "By how often it was escalated."
        => row.escalation_count;
    logged_at: ColumnKind::DateTime, indexed; "By when it was put on record." => row.logged_at;
    logged_on: ColumnKind::Date, indexed; "By the day on which it was put on record."
        => row.logged_at.date();
    acknowledgement_seconds: ColumnKind::Integer, nullable;
        "By how long the customer waited for an acknowledgement." => row.acknowledgement_seconds;
    resolved_at: ColumnKind::DateTime, nullable; "By when it was resolved." => row.resolved_at;
    resolution_seconds: ColumnKind::Integer, nullable; "By how long the resolution took."
        => row.resolution_seconds;
} search words(row), personal row.description.to_string(); personal [
    "description!",
    "contact",
    "remedy.description!",
    "remedy.rejectedBecause",
    "cycles[].reopenedBecause",
    "cycles[].acknowledgement",
    "cycles[].remedies[].description!",
    "cycles[].remedies[].rejectedBecause",
    "cycles[].escalations[].because!",
    "cycles[].outcome",
    "cycles[].customerNotified.to",
]; held by customer;);

fn words(row: &ComplaintRow) -> String {
    format!("{}\n{}", row.number, row.customer_name)
}

/// The name of a customer, and the complaints that show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerNameRow {
    id: CustomerId,
    stamp: Stamp,
    name: Name,
    complaints: Vec<ComplaintId>,
}

table!(CustomerNameRow as row, "complaint_customer" {
    name: ColumnKind::Text; "By name." => row.name;
});

/// Keeps the name of a customer, and those on its complaints, in line with the master record;
/// facts of a customer that give it no name are of no interest here.
pub(super) fn name(
    fact: &Fact<'_>,
    event: &CustomerEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    if let CustomerEvent::CustomerRegistered { details, .. } = event {
        tables.insert(CustomerNameRow {
            id: fact.id()?,
            stamp: Stamp::new(fact),
            name: details.name.clone(),
            complaints: Vec::new(),
        });
    } else if let CustomerEvent::CustomerDetailsChanged { details }
    | CustomerEvent::CustomerDetailsCorrected { details, .. } = event
    {
        rename(fact, &details.name, tables)?;
    }
    Ok(())
}

fn rename(fact: &Fact<'_>, name: &Name, tables: &mut Tables) -> Result<(), FoldError> {
    let known: CustomerNameRow = tables.require(&fact.stream)?;
    if known.name == *name {
        return Ok(());
    }
    for complaint in &known.complaints {
        tables.update(fact, complaint, |row: &mut ComplaintRow| {
            row.customer_name = name.clone();
        })?;
    }
    tables.update(fact, &fact.stream, |row: &mut CustomerNameRow| {
        row.name = name.clone();
    })
}

impl ComplaintRow {
    fn compensation(&self) -> Option<Money> {
        self.remedy.as_ref().and_then(|remedy| remedy.compensation)
    }

    fn classify(&mut self, at: DateTime, category: &Code, cause: Option<&Code>, how: Severity) {
        self.category = Some(category.clone());
        self.cause = cause.cloned();
        self.severity = Some(how);
        if self.phase == ComplaintPhase::Logged {
            self.phase = ComplaintPhase::Classified;
        }
        self.with_cycle(|cycle| {
            cycle.classified_at = Some(at);
            cycle.category = Some(category.clone());
            cycle.cause = cause.cloned();
            cycle.severity = Some(how);
        });
    }

    fn acknowledge(&mut self, at: DateTime, message: &Note) {
        let began = self.cycles.last().map(|cycle| cycle.began_at);
        self.acknowledged_at = Some(at);
        self.acknowledgement_seconds = began.map(|began| seconds_between(began, at));
        self.with_cycle(|cycle| {
            cycle.acknowledged_at = Some(at);
            cycle.acknowledgement = Some(message.clone());
        });
    }

    fn escalate(&mut self, escalation: ComplaintEscalation) {
        self.escalated_to = Some(escalation.to.clone());
        self.escalation_count += 1;
        self.with_cycle(|cycle| cycle.escalations.push(escalation));
    }

    fn resolve(&mut self, at: DateTime, outcome: &Note, notice: &CustomerNotice) {
        self.phase = ComplaintPhase::Resolved;
        self.resolved_at = Some(at);
        self.resolution_seconds = Some(seconds_between(self.logged_at, at));
        self.with_cycle(|cycle| {
            cycle.resolved_at = Some(at);
            cycle.outcome = Some(outcome.clone());
            cycle.customer_notified = Some(notice.clone());
        });
    }

    fn close(&mut self, at: DateTime) {
        self.phase = ComplaintPhase::Closed;
        self.closed_at = Some(at);
        self.with_cycle(|cycle| cycle.closed_at = Some(at));
    }

    fn reopen(&mut self, at: DateTime, cycle: u32, because: &Note) {
        self.phase = ComplaintPhase::Logged;
        self.cycle = cycle;
        self.remedy = None;
        self.escalated_to = None;
        self.acknowledged_at = None;
        self.acknowledgement_seconds = None;
        self.resolved_at = None;
        self.resolution_seconds = None;
        self.closed_at = None;
        let because = Some(because.clone());
        self.cycles.push(ComplaintCycle::begun(cycle, at, because));
    }

    fn propose(&mut self, remedy: RemedyProposal) {
        self.phase = ComplaintPhase::RemedyProposed;
        self.remedy = Some(remedy.clone());
        self.with_cycle(|cycle| cycle.remedies.push(remedy));
    }

    /// Changes the latest remedy, here and in its cycle.
    fn settle(&mut self, phase: ComplaintPhase, change: impl FnOnce(&mut RemedyProposal)) {
        self.phase = phase;
        let Some(remedy) = &mut self.remedy else {
            return;
        };
        change(remedy);
        let remedy = remedy.clone();
        self.with_cycle(|cycle| {
            cycle.remedies.pop();
            cycle.remedies.push(remedy);
        });
    }

    fn with_cycle(&mut self, change: impl FnOnce(&mut ComplaintCycle)) {
        if let Some(cycle) = self.cycles.last_mut() {
            change(cycle);
        }
    }
}

impl ComplaintCycle {
    fn begun(cycle: u32, began_at: DateTime, reopened_because: Option<Note>) -> Self {
        Self {
            cycle,
            began_at,
            reopened_because,
            acknowledged_at: None,
            acknowledgement: None,
            classified_at: None,
            category: None,
            cause: None,
            severity: None,
            remedies: Vec::new(),
            escalations: Vec::new(),
            resolved_at: None,
            outcome: None,
            customer_notified: None,
            closed_at: None,
        }
    }
}

pub(super) fn fold(
    fact: &Fact<'_>,
    event: &ComplaintEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let ComplaintEvent::ComplaintLogged { customer, .. } = event else {
        return tables.update(fact, &fact.stream, |row: &mut ComplaintRow| {
            change(row, fact, event)
        });
    };
    let known: CustomerNameRow = tables.require(customer)?;
    let Some(row) = logged(fact, event, known.name)? else {
        return Ok(());
    };
    let complaint = row.id;
    tables.insert(row);
    tables.update(fact, customer, |known: &mut CustomerNameRow| {
        known.complaints.push(complaint);
    })
}

/// The row of a complaint that this event puts on record.
fn logged(
    fact: &Fact<'_>,
    event: &ComplaintEvent,
    customer_name: Name,
) -> Result<Option<ComplaintRow>, FoldError> {
    let ComplaintEvent::ComplaintLogged {
        number,
        cycle,
        customer,
        channel,
        description,
        severity,
        order,
        product,
        contact,
    } = event
    else {
        return Ok(None);
    };
    let at = fact.meta.effective_at();
    let first = ComplaintCycle {
        severity: *severity,
        ..ComplaintCycle::begun(*cycle, at, None)
    };
    Ok(Some(ComplaintRow {
        id: fact.id()?,
        stamp: Stamp::new(fact),
        number: BigInt(*number),
        phase: ComplaintPhase::Logged,
        cycle: *cycle,
        customer: *customer,
        customer_name,
        order: *order,
        product: *product,
        channel: *channel,
        description: description.clone(),
        contact: contact.clone(),
        category: None,
        cause: None,
        severity: *severity,
        remedy: None,
        escalated_to: None,
        escalation_count: 0,
        logged_at: at,
        acknowledged_at: None,
        acknowledgement_seconds: None,
        resolved_at: None,
        resolution_seconds: None,
        closed_at: None,
        cycles: vec![first],
    }))
}

fn change(row: &mut ComplaintRow, fact: &Fact<'_>, event: &ComplaintEvent) {
    use ComplaintEvent as E;
    let at = fact.meta.effective_at();
    let by = || fact.meta.actor.clone();
    match event {
        E::ComplaintLogged { .. } => {}
        E::ComplaintClassified {
            category,
            cause,
            severity,
            ..
        } => row.classify(at, category, cause.as_ref(), *severity),
        E::ComplaintAcknowledged { message, .. } => row.acknowledge(at, message),
        E::RemedyProposed { .. } => {
            if let Some(remedy) = proposed(at, event) {
                row.propose(remedy);
            }
        }
        E::RemedyApproved { approver, .. } => {
            row.settle(ComplaintPhase::RemedyApproved, |remedy| {
                remedy.status = RemedyStatus::Approved;
                remedy.decided_by = approver.clone();
                remedy.decided_at = Some(at);
            })
        }
        E::RemedyRejected { because, .. } => row.settle(ComplaintPhase::Classified, |remedy| {
            remedy.status = RemedyStatus::Rejected;
            remedy.decided_by = Some(by());
            remedy.decided_at = Some(at);
            remedy.rejected_because = Some(because.clone());
        }),
        E::RemedyAccepted { .. } => row.settle(ComplaintPhase::RemedyApproved, |remedy| {
            remedy.status = RemedyStatus::Accepted;
            remedy.accepted_at = Some(at);
        }),
        E::ComplaintEscalated { to, because, .. } => row.escalate(ComplaintEscalation {
            to: to.clone(),
            because: because.clone(),
            at,
            by: by(),
        }),
        E::ComplaintResolved {
            outcome,
            customer_notified,
            ..
        } => row.resolve(at, outcome, customer_notified),
        E::ComplaintReopened { cycle, because, .. } => row.reopen(at, *cycle, because),
        E::ComplaintClosed { .. } => row.close(at),
    }
}

fn proposed(at: DateTime, event: &ComplaintEvent) -> Option<RemedyProposal> {
    let ComplaintEvent::RemedyProposed {
        proposal,
        kind,
        compensation,
        description,
        proposer,
        needs_approval,
        ..
    } = event
    else {
        return None;
    };
    Some(RemedyProposal {
        proposal: *proposal,
        status: RemedyStatus::Proposed,
        kind: *kind,
        compensation: *compensation,
        description: description.clone(),
        proposer: proposer.clone(),
        proposed_at: at,
        needs_approval: *needs_approval,
        decided_by: None,
        decided_at: None,
        rejected_because: None,
        accepted_at: None,
    })
}
