//! The organisation that keeps this daybook. Unfounded → founded.
//! Invariant: it is founded once, and its base currency never changes.

use daybook_schema::{
    governance::{OrganisationCommand, OrganisationEvent, OrganisationId},
    kernel::Currency,
};

use crate::{Aggregate, Declined, Desk, Fault, refusal::CommonRejection};

/// The organisation's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Organisation {
    /// The books are not open yet.
    #[default]
    Unfounded,
    /// The books are open.
    Founded {
        /// The currency in which it values its stock.
        currency: Currency,
    },
}

impl Aggregate for Organisation {
    type Id = OrganisationId;
    type Event = OrganisationEvent;

    fn evolve(self, event: &OrganisationEvent) -> Self {
        match event {
            OrganisationEvent::OrganisationFounded { currency, .. } => Self::Founded {
                currency: *currency,
            },
        }
    }
}

pub(crate) fn decide(command: OrganisationCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = OrganisationId(desk.context().organisation);
    match (&*desk.load::<Organisation>(&id)?, command) {
        (Organisation::Unfounded, OrganisationCommand::FoundOrganisation(command)) => {
            let (name, currency) = (command.name, command.currency);
            Ok(desk.record(
                &id,
                OrganisationEvent::OrganisationFounded { name, currency },
            )?)
        }
        (Organisation::Founded { .. }, OrganisationCommand::FoundOrganisation(_)) => {
            Err(CommonRejection::already_exists(&id))
        }
    }
}

/// The currency in which the organisation values its stock.
pub(crate) fn base_currency(desk: &Desk<'_>) -> Result<Currency, Fault> {
    let id = OrganisationId(desk.context().organisation);
    match &*desk.load::<Organisation>(&id)? {
        Organisation::Founded { currency } => Ok(*currency),
        Organisation::Unfounded => Ok(Currency::CNY),
    }
}
