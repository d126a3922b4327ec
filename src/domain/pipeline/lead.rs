//! Somebody who might buy. New → Working → Qualified → Converted; Disqualified on the way, and
//! Recycled back into work.
//! Invariants: a source uses each of its keys once; only a qualified lead is converted, and once;
//! its customer and its opportunity come in the same commit; a converted lead never changes.

use daybook_schema::{
    customers::{Contact, ContactId, CustomerDetails, CustomerId, CustomerType, RegisterCustomer},
    governance::SubjectId,
    kernel::{Actor, Code, Date, Money, Name},
    pipeline::{
        AssignLead, CaptureLead, ConvertLead, DisqualifyLead, LeadCommand, LeadEvent, LeadId,
        LeadOpportunity, LeadPhase, LogLeadFollowUp, OpenOpportunity, OpportunityId, QualifyLead,
        RecycleLead,
    },
};

use super::opportunity;
use crate::{
    Aggregate, Declined, Desk,
    customers::customer,
    governance::{erasure, natural_key},
    refusal::{CommonRejection, rejection},
};

/// The lead's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Lead {
    /// Nothing is on record.
    #[default]
    Uncaptured,
    /// On record, in one of its phases.
    Captured(LeadPhase, Prospect),
}

/// Who might buy, and who is after them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prospect {
    title: Name,
    company: Option<Name>,
    contact: Option<Contact>,
    owner: Option<Actor>,
}

/// The rules about leads.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum LeadRejection {
    /// A lead names neither a company nor a person.
    #[error("the lead names neither a company nor a contact")]
    LeadWithoutParty,
    /// Less than nothing cannot be had or spent.
    #[error("{value} is less than nothing")]
    LeadValueNegative {
        /// What was given.
        value: Money,
    },
    /// A follow-up is planned for a day that is over.
    #[error("the next follow-up on {next_on} is before {on}")]
    NextFollowUpPast {
        /// The planned day.
        next_on: Date,
        /// The day of this follow-up.
        on: Date,
    },
    /// Nobody has worked on the lead.
    #[error("lead `{lead}` is {phase}: nobody has worked on it")]
    LeadNotWorked {
        /// The lead.
        lead: LeadId,
        /// The phase it is in.
        phase: LeadPhase,
    },
    /// The lead is qualified already.
    #[error("lead `{lead}` is qualified already")]
    LeadIsQualified {
        /// The lead.
        lead: LeadId,
    },
    /// Only a qualified lead becomes a customer.
    #[error("lead `{lead}` is {phase}, not qualified")]
    LeadNotQualified {
        /// The lead.
        lead: LeadId,
        /// The phase it is in.
        phase: LeadPhase,
    },
    /// A disqualified lead must be recycled first.
    #[error("lead `{lead}` is disqualified")]
    LeadIsDisqualified {
        /// The lead.
        lead: LeadId,
    },
    /// A converted lead does not change any more.
    #[error("lead `{lead}` is converted already")]
    LeadIsConverted {
        /// The lead.
        lead: LeadId,
    },
}
rejection!(
    LeadRejection,
    Self::LeadWithoutParty => ["company"],
    Self::NextFollowUpPast { .. } => ["nextOn"],
    Self::LeadNotWorked { .. }
    | Self::LeadIsQualified { .. }
    | Self::LeadNotQualified { .. }
    | Self::LeadIsDisqualified { .. }
    | Self::LeadIsConverted { .. } => ["lead"],
);

impl Aggregate for Lead {
    type Id = LeadId;
    type Event = LeadEvent;

    fn evolve(self, event: &LeadEvent) -> Self {
        match event {
            LeadEvent::LeadCaptured {
                title,
                company,
                contact,
                owner,
                ..
            } => Self::Captured(
                LeadPhase::New,
                Prospect {
                    title: title.clone(),
                    company: company.clone(),
                    contact: contact.clone(),
                    owner: owner.clone(),
                },
            ),
            LeadEvent::LeadAssigned { assignee, phase } => self.owned_by(assignee).enter(*phase),
            // Custody knows the territory.
            LeadEvent::LeadTerritoryAssigned { .. } => self,
            LeadEvent::LeadFollowedUp { phase, .. } => self.enter(*phase),
            LeadEvent::LeadQualified { .. } => self.enter(LeadPhase::Qualified),
            LeadEvent::LeadDisqualified { .. } => self.enter(LeadPhase::Disqualified),
            LeadEvent::LeadRecycled { .. } => self.enter(LeadPhase::Recycled),
            LeadEvent::LeadConverted { .. } => self.enter(LeadPhase::Converted),
        }
    }
}

impl Lead {
    fn enter(self, phase: LeadPhase) -> Self {
        match self {
            Self::Uncaptured => self,
            Self::Captured(_, prospect) => Self::Captured(phase, prospect),
        }
    }

    fn owned_by(mut self, owner: &Actor) -> Self {
        if let Self::Captured(_, prospect) = &mut self {
            prospect.owner = Some(owner.clone());
        }
        self
    }
}

pub(crate) fn decide(command: LeadCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Lead>(&id)?, command) {
        (Lead::Uncaptured, LeadCommand::CaptureLead(command)) => capture(id, command, desk),
        (Lead::Uncaptured, _) => Err(CommonRejection::not_found(&id)),
        (Lead::Captured(phase, prospect), command) => {
            erasure::require_kept(desk, SubjectId::Lead(id))?;
            pursue(id, *phase, prospect, command, desk)
        }
    }
}

/// What each command may do in each phase of a lead on record.
fn pursue(
    id: LeadId,
    phase: LeadPhase,
    prospect: &Prospect,
    command: LeadCommand,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    use LeadCommand as C;
    use LeadPhase as P;
    match (phase, command) {
        (P::New | P::Recycled, C::AssignLead(command)) => {
            assign(id, command, LeadPhase::Working, desk)
        }
        (P::Working | P::Qualified, C::AssignLead(command)) => {
            reassign(id, phase, prospect, command, desk)
        }
        (
            P::New | P::Working | P::Qualified | P::Disqualified | P::Recycled,
            C::AssignLeadTerritory(command),
        ) => assign_territory(id, command.territory, desk),
        (P::New | P::Recycled | P::Working, C::LogLeadFollowUp(command)) => {
            follow_up(id, command, LeadPhase::Working, desk)
        }
        (P::Qualified, C::LogLeadFollowUp(command)) => {
            follow_up(id, command, LeadPhase::Qualified, desk)
        }
        (P::Working, C::QualifyLead(command)) => qualify(id, command, desk),
        (P::Qualified, C::QualifyLead(_)) => {
            Err(LeadRejection::LeadIsQualified { lead: id }.into())
        }
        (P::New | P::Recycled, C::QualifyLead(_) | C::RecycleLead(_)) => {
            Err(LeadRejection::LeadNotWorked { lead: id, phase }.into())
        }
        (P::New | P::Working | P::Qualified | P::Recycled, C::DisqualifyLead(command)) => {
            disqualify(id, phase, command, desk)
        }
        (P::Working | P::Qualified | P::Disqualified, C::RecycleLead(command)) => {
            recycle(id, phase, command, desk)
        }
        (P::Qualified, C::ConvertLead(command)) => convert(id, prospect, command, desk),
        (P::New | P::Working | P::Disqualified | P::Recycled, C::ConvertLead(_)) => {
            Err(LeadRejection::LeadNotQualified { lead: id, phase }.into())
        }
        (
            P::Disqualified,
            C::AssignLead(_) | C::LogLeadFollowUp(_) | C::QualifyLead(_) | C::DisqualifyLead(_),
        ) => Err(LeadRejection::LeadIsDisqualified { lead: id }.into()),

        (P::Converted, _) => Err(LeadRejection::LeadIsConverted { lead: id }.into()),

        (P::New | P::Working | P::Qualified | P::Disqualified | P::Recycled, C::CaptureLead(_)) => {
            Err(CommonRejection::already_exists(&id))
        }
    }
}

/// Refuses unless the lead is on record.
pub(crate) fn require_captured(desk: &Desk<'_>, lead: LeadId) -> Result<(), Declined> {
    match &*desk.load::<Lead>(&lead)? {
        Lead::Uncaptured => Err(CommonRejection::not_found(&lead)),
        Lead::Captured(..) => Ok(()),
    }
}

/// Takes a lead who is erased out of the pool and off everybody's list.
pub(crate) fn erase(id: LeadId, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let from = match &*desk.load::<Lead>(&id)? {
        Lead::Uncaptured => return Err(CommonRejection::not_found(&id)),
        Lead::Captured(LeadPhase::Disqualified | LeadPhase::Converted, _) => return Ok(()),
        Lead::Captured(phase, _) => *phase,
    };
    let disqualified = LeadEvent::LeadDisqualified {
        from,
        disqualified_reason: erasure::reason(),
        note: None,
    };
    Ok(desk.record(&id, disqualified)?)
}

fn assign_territory(
    id: LeadId,
    territory: Option<Code>,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if desk.custody(&id.to_string())?.territory == territory {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, LeadEvent::LeadTerritoryAssigned { territory })?)
}

fn capture(id: LeadId, command: CaptureLead, desk: &mut Desk<'_>) -> Result<(), Declined> {
    if command.company.is_none() && command.contact.is_none() {
        return Err(LeadRejection::LeadWithoutParty.into());
    }
    require_not_negative(command.estimated_value)?;
    if let Some(key) = command.natural_key() {
        natural_key::exchange(desk, &id, &[], &[key])?;
    }
    let CaptureLead {
        source,
        source_key,
        campaign,
        title,
        company,
        contact,
        interest,
        estimated_value,
        owner,
    } = command;
    let captured = LeadEvent::LeadCaptured {
        source,
        source_key,
        campaign,
        title,
        company,
        contact,
        interest,
        estimated_value,
        owner,
    };
    Ok(desk.record(&id, captured)?)
}

fn require_not_negative(value: Option<Money>) -> Result<(), LeadRejection> {
    match value.filter(|value| value.is_negative()) {
        Some(value) => Err(LeadRejection::LeadValueNegative { value }),
        None => Ok(()),
    }
}

fn assign(
    id: LeadId,
    command: AssignLead,
    phase: LeadPhase,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let assignee = command.assignee;
    Ok(desk.record(&id, LeadEvent::LeadAssigned { assignee, phase })?)
}

fn reassign(
    id: LeadId,
    phase: LeadPhase,
    prospect: &Prospect,
    command: AssignLead,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if prospect.owner.as_ref() == Some(&command.assignee) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    assign(id, command, phase, desk)
}

fn follow_up(
    id: LeadId,
    command: LogLeadFollowUp,
    phase: LeadPhase,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let LogLeadFollowUp {
        channel,
        summary,
        next_on,
        ..
    } = command;
    let on = desk.context().effective_on();
    if let Some(next_on) = next_on.filter(|next_on| *next_on < on) {
        return Err(LeadRejection::NextFollowUpPast { next_on, on }.into());
    }
    let followed_up = LeadEvent::LeadFollowedUp {
        channel,
        summary,
        next_on,
        phase,
    };
    Ok(desk.record(&id, followed_up)?)
}

fn qualify(id: LeadId, command: QualifyLead, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let QualifyLead {
        need, budget, note, ..
    } = command;
    require_not_negative(budget)?;
    Ok(desk.record(&id, LeadEvent::LeadQualified { need, budget, note })?)
}

fn disqualify(
    id: LeadId,
    from: LeadPhase,
    command: DisqualifyLead,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let DisqualifyLead {
        disqualified_reason,
        note,
        ..
    } = command;
    Ok(desk.record(
        &id,
        LeadEvent::LeadDisqualified {
            from,
            disqualified_reason,
            note,
        },
    )?)
}

fn recycle(
    id: LeadId,
    from: LeadPhase,
    command: RecycleLead,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let because = command.because;
    Ok(desk.record(&id, LeadEvent::LeadRecycled { from, because })?)
}

fn convert(
    id: LeadId,
    prospect: &Prospect,
    command: ConvertLead,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let customer = command.customer;
    let new_customer = customer.is_none();
    let (customer, contact) = match customer {
        Some(customer) => meet(customer, prospect, command.contact, desk)?,
        None => register(prospect, command.contact, desk)?,
    };
    let opportunity: OpportunityId = desk.context().new_id();
    let opening = opening(id, prospect, customer, command.opportunity);
    opportunity::open(opportunity, opening, desk)?;
    let converted = LeadEvent::LeadConverted {
        customer,
        new_customer,
        opportunity,
        contact,
    };
    desk.record(&id, converted)?;
    customer::match_lead(customer, id, desk)
}

/// Brings the lead's person together with a customer on record.
fn meet(
    customer: CustomerId,
    prospect: &Prospect,
    contact: Option<ContactId>,
    desk: &mut Desk<'_>,
) -> Result<(CustomerId, Option<ContactId>), Declined> {
    customer::require_active(desk, customer)?;
    if let Some(contact) = contact {
        customer::require_contact(desk, customer, contact)?;
        return Ok((customer, Some(contact)));
    }
    let Some(person) = &prospect.contact else {
        return Ok((customer, None));
    };
    let contact_id = desk.context().numbered_id(0);
    customer::add_contact(customer, contact_id, person.clone(), desk)?;
    Ok((customer, Some(contact_id)))
}

/// Registers the lead's company or person as a new customer, with the person as first contact.
fn register(
    prospect: &Prospect,
    contact: Option<ContactId>,
    desk: &mut Desk<'_>,
) -> Result<(CustomerId, Option<ContactId>), Declined> {
    let customer = desk.context().new_id();
    if let Some(contact) = contact {
        // A customer that is not there yet has no contacts, so this refuses.
        customer::require_contact(desk, customer, contact)?;
    }
    let registration = RegisterCustomer {
        details: details(prospect),
        contacts: prospect.contact.iter().cloned().collect(),
        owner: prospect.owner.clone(),
    };
    customer::register(customer, registration, desk)?;
    let first = |_: &Contact| desk.context().numbered_id(0);
    Ok((customer, prospect.contact.as_ref().map(first)))
}

/// The master record that a lead gives. A person's phone and e-mail are the customer's own; of a
/// company they belong to the contact only.
fn details(prospect: &Prospect) -> CustomerDetails {
    let person = match &prospect.company {
        Some(_) => None,
        None => prospect.contact.as_ref(),
    };
    let name = person.map(|person| &person.name);
    let name = prospect.company.as_ref().or(name);
    CustomerDetails {
        name: name.unwrap_or(&prospect.title).clone(),
        customer_type: match person {
            Some(_) => CustomerType::Person,
            None => CustomerType::Company,
        },
        tax_number: None,
        phone: person.and_then(|person| person.phone.clone()),
        email: person.and_then(|person| person.email.clone()),
        address: None,
        currency: None,
        language: None,
        external_number: None,
    }
}

fn opening(
    id: LeadId,
    prospect: &Prospect,
    customer: CustomerId,
    wanted: LeadOpportunity,
) -> OpenOpportunity {
    let LeadOpportunity {
        name,
        value,
        expected_close_on,
        pipeline,
    } = wanted;
    OpenOpportunity {
        customer,
        name,
        value,
        expected_close_on,
        pipeline,
        owner: prospect.owner.clone(),
        lead: Some(id),
    }
}
