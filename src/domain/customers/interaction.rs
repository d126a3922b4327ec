//! The record of one contact with a customer. Unlogged → logged.
//! Invariant: nothing is edited; a correction is a fact of its own beside the wrong one.

use daybook_schema::customers::{
    CorrectInteraction, InteractionCommand, InteractionDetails, InteractionEvent, InteractionId,
    LogInteraction,
};

use super::customer;
use crate::{Aggregate, Declined, Desk, refusal::CommonRejection};

/// The record's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Interaction {
    /// Nothing is on the record.
    #[default]
    Unlogged,
    /// The contact took place.
    Logged(InteractionDetails),
}

impl Aggregate for Interaction {
    type Id = InteractionId;
    type Event = InteractionEvent;

    fn evolve(self, event: &InteractionEvent) -> Self {
        match event {
            InteractionEvent::InteractionLogged { details, .. }
            | InteractionEvent::InteractionCorrected { details, .. } => {
                Self::Logged(details.clone())
            }
        }
    }
}

pub(crate) fn decide(command: InteractionCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use InteractionCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Interaction>(&id)?, command) {
        (Interaction::Unlogged, C::LogInteraction(command)) => log(id, command, desk),
        (Interaction::Unlogged, C::CorrectInteraction(_)) => Err(CommonRejection::not_found(&id)),
        (Interaction::Logged(details), C::CorrectInteraction(command)) => {
            correct(id, details, command, desk)
        }
        (Interaction::Logged(_), C::LogInteraction(_)) => Err(CommonRejection::already_exists(&id)),
    }
}

fn log(id: InteractionId, command: LogInteraction, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let LogInteraction { customer, details } = command;
    customer::require_active(desk, customer)?;
    Ok(desk.record(
        &id,
        InteractionEvent::InteractionLogged { customer, details },
    )?)
}

fn correct(
    id: InteractionId,
    logged: &InteractionDetails,
    command: CorrectInteraction,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let CorrectInteraction {
        details, corrects, ..
    } = command;
    if details == *logged {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let corrects = corrects.0;
    Ok(desk.record(
        &id,
        InteractionEvent::InteractionCorrected { details, corrects },
    )?)
}
