//! The organisation that keeps this daybook. Unfounded → founded.
//! Invariant: it is founded once, and its base currency never changes.

use daybook_schema::{
    governance::{FoundOrganisation, OrganisationCommand, OrganisationEvent, OrganisationId},
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
        /// Whether it has tenants.
        keeps_house: bool,
    },
}

impl Aggregate for Organisation {
    type Id = OrganisationId;
    type Event = OrganisationEvent;

    fn evolve(self, event: &OrganisationEvent) -> Self {
        match event {
            OrganisationEvent::OrganisationFounded {
                currency,
                keeps_house,
                ..
            } => Self::Founded {
                currency: *currency,
                keeps_house: *keeps_house,
            },
        }
    }
}

pub(crate) fn decide(command: OrganisationCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = OrganisationId(desk.context().organisation);
    match (&*desk.load::<Organisation>(&id)?, command) {
        (Organisation::Unfounded, OrganisationCommand::FoundOrganisation(command)) => {
            let FoundOrganisation {
                name,
                currency,
                keeps_house,
            } = command;
            Ok(desk.record(
                &id,
                OrganisationEvent::OrganisationFounded {
                    name,
                    currency,
                    keeps_house,
                },
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
        Organisation::Founded { currency, .. } => Ok(*currency),
        Organisation::Unfounded => Ok(Currency::CNY),
    }
}

/// Whether the organisations of a house are its tenants.
pub(super) fn keeps_house(desk: &Desk<'_>) -> Result<bool, Fault> {
    let id = OrganisationId(desk.context().organisation);
    let organisation = desk.load::<Organisation>(&id)?;
    Ok(matches!(
        &*organisation,
        Organisation::Founded {
            keeps_house: true,
            ..
        }
    ))
}
