//! Whether somebody is erased. Kept → erased, for ever.
//! Invariants: with a customer go all contacts who ever were on its record and the leads that
//! turned out to be it; nobody is erased twice, and nothing new begins with somebody erased. What
//! runs on, such as a shipment under way, says `erased` where it would have named the person.

use daybook_schema::{
    customers::{ContactId, CustomerId},
    governance::{EraseSubject, ErasureCommand, ErasureEvent, ErasureId, SubjectId},
    kernel::{Code, Note},
    personal::ERASED,
};

use crate::{
    Aggregate, Declined, Desk, Fault, access::account, customers::customer, pipeline::lead,
    refusal::rejection,
};

/// Whether the person is erased.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Erasure {
    /// What the record says of the person can be read.
    #[default]
    Kept,
    /// It cannot.
    Erased,
}

/// The rules about erasing.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ErasureRejection {
    /// The person is erased.
    #[error("`{subject}` is erased")]
    SubjectErased {
        /// Who.
        subject: SubjectId,
    },
    /// Of a contact it must be said at which customer.
    #[error("the customer must be named for a contact, and only for a contact")]
    ErasureCustomerMismatch,
}
rejection!(
    ErasureRejection,
    Self::SubjectErased { .. } => ["subject"],
    Self::ErasureCustomerMismatch => ["customer"],
);

impl Aggregate for Erasure {
    type Id = ErasureId;
    type Event = ErasureEvent;

    fn evolve(self, event: &ErasureEvent) -> Self {
        match event {
            ErasureEvent::SubjectErased { .. } => Self::Erased,
        }
    }
}

pub(crate) fn decide(command: ErasureCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let ErasureCommand::EraseSubject(command) = command;
    match &*desk.load::<Erasure>(&command.erasure())? {
        Erasure::Kept => erase(command, desk),
        Erasure::Erased => {
            let subject = command.subject;
            Err(ErasureRejection::SubjectErased { subject }.into())
        }
    }
}

/// Refuses if the person is erased.
pub(crate) fn require_kept(desk: &Desk<'_>, subject: SubjectId) -> Result<(), Declined> {
    match &*desk.load::<Erasure>(&subject.erasure())? {
        Erasure::Kept => Ok(()),
        Erasure::Erased => Err(ErasureRejection::SubjectErased { subject }.into()),
    }
}

/// The reason that other aggregates give where an erasure changes them.
pub(crate) fn reason() -> Code {
    Code::constant(ERASED)
}

fn erase(command: EraseSubject, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let EraseSubject {
        subject,
        customer,
        because,
    } = command;
    match (subject, customer) {
        (SubjectId::Account(id), None) => {
            account::erase(&id, &because, desk)?;
            Ok(record(SubjectId::Account(id), &because, desk)?)
        }
        (SubjectId::Customer(id), None) => erase_customer(id, &because, desk),
        (SubjectId::Contact(id), Some(customer)) => erase_contact(id, customer, &because, desk),
        (SubjectId::Lead(id), None) => {
            lead::erase(id, desk)?;
            Ok(record(SubjectId::Lead(id), &because, desk)?)
        }
        (SubjectId::Customer(_) | SubjectId::Lead(_) | SubjectId::Account(_), Some(_))
        | (SubjectId::Contact(_), None) => Err(ErasureRejection::ErasureCustomerMismatch.into()),
    }
}

fn erase_customer(id: CustomerId, because: &Note, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let others = customer::erase(id, because.clone(), desk)?;
    record(SubjectId::Customer(id), because, desk)?;
    for other in others {
        if *desk.load::<Erasure>(&other.erasure())? == Erasure::Kept {
            record(other, because, desk)?;
        }
    }
    Ok(())
}

fn erase_contact(
    id: ContactId,
    customer: CustomerId,
    because: &Note,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    customer::erase_contact(customer, id, desk)?;
    Ok(record(SubjectId::Contact(id), because, desk)?)
}

fn record(subject: SubjectId, because: &Note, desk: &mut Desk<'_>) -> Result<(), Fault> {
    let erasure = subject.erasure();
    let because = because.clone();
    desk.record(&erasure, ErasureEvent::SubjectErased { subject, because })
}
