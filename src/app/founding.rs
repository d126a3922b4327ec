//! The first commands of a new organisation: its name, its currency, and policies to begin with.

use daybook_eventlog::Log;
use daybook_schema::{
    DomainCommand,
    commit::Source,
    governance::{FoundOrganisation, PolicyRules, PublishPolicy},
    kernel::{Actor, Currency, Date, DateTime, Name},
};
use uuid::Uuid;

use crate::{AppError, Desk, Envelope};

/// What a new organisation is.
#[derive(Clone, Debug)]
pub struct Founding {
    /// Its name.
    pub name: Name,
    /// The currency in which it values its stock.
    pub currency: Currency,
    /// Who opens the books.
    pub founder: Actor,
    /// The day from which its first policies hold; facts dated earlier find no policy.
    pub policies_from: Date,
    /// Whether the organisations of a house are its tenants.
    pub keeps_house: bool,
    /// When it was founded, where that differs from now.
    pub founded_at: Option<DateTime>,
}

/// The policies that a new organisation starts with; any of them can be replaced.
pub fn default_policies() -> Result<Vec<PolicyRules>, serde_json::Error> {
    serde_json::from_str(include_str!("founding.json"))
}

/// Has the founding commands decided that are not in the log yet. Their ids follow from the
/// organisation's: a founding that was interrupted is completed, and one that is complete asks
/// nothing of the desk, whatever whoever opens the organisation today would have founded.
pub(crate) fn found(desk: &Desk, log: &Log, founding: &Founding) -> Result<(), AppError> {
    let commands =
        commands(founding).map_err(|malformed| AppError::FoundingRefused(malformed.to_string()))?;
    for (number, command) in commands.into_iter().enumerate() {
        let name = format!("founding-{number}");
        let command_id = Uuid::new_v5(&log.organisation(), name.as_bytes());
        if log.command(command_id)?.is_none() {
            let envelope = Envelope {
                occurred_at: founding.founded_at,
                source: Source::Founding,
                ..Envelope::of_process(command_id, founding.founder.clone(), command)
            };
            issue(desk, envelope)?;
        }
    }
    Ok(())
}

fn commands(founding: &Founding) -> Result<Vec<DomainCommand>, serde_json::Error> {
    let (name, currency) = (founding.name.clone(), founding.currency);
    let found = FoundOrganisation {
        name,
        currency,
        keeps_house: founding.keeps_house,
    };
    let mut commands = vec![found.into()];
    commands.extend(default_policies()?.into_iter().map(|rules| {
        let effective_from = founding.policies_from;
        let publish = PublishPolicy {
            name: None,
            rules,
            effective_from,
        };
        DomainCommand::from(publish)
    }));
    Ok(commands)
}

pub(crate) fn issue(desk: &Desk, envelope: Envelope) -> Result<(), AppError> {
    let waiting = desk.submit_blocking(envelope).map_err(AppError::Founding)?;
    let answer = waiting
        .blocking_recv()
        .unwrap_or(Err(crate::CommandError::Closed));
    let receipt = answer.map_err(AppError::Founding)?;
    match receipt.refusal {
        Some(refusal) => Err(AppError::FoundingRefused(refusal.message)),
        None => Ok(()),
    }
}
