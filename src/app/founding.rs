//! The first commands of a new organisation: its name, its currency, and policies to begin with.

use daybook_schema::{
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
    /// When it was founded, where that differs from now.
    pub founded_at: Option<DateTime>,
}

/// The policies that a new organisation starts with; any of them can be replaced.
pub fn default_policies() -> Result<Vec<PolicyRules>, serde_json::Error> {
    serde_json::from_str(include_str!("founding.json"))
}

/// Has the founding commands decided. Their ids follow from the organisation's, so that a founding
/// that was interrupted is completed and one that was complete is left as it is.
pub(crate) fn found(desk: &Desk, organisation: Uuid, founding: &Founding) -> Result<(), AppError> {
    let malformed = |error: serde_json::Error| AppError::FoundingRefused(error.to_string());
    let envelope = |number: usize, command: daybook_schema::DomainCommand| Envelope {
        occurred_at: founding.founded_at,
        source: Source::Founding,
        ..Envelope::new(
            Uuid::new_v5(&organisation, format!("founding-{number}").as_bytes()),
            founding.founder.clone(),
            command,
        )
    };
    let (name, currency) = (founding.name.clone(), founding.currency);
    issue(
        desk,
        envelope(0, FoundOrganisation { name, currency }.into()),
    )?;
    for (index, rules) in default_policies()
        .map_err(malformed)?
        .into_iter()
        .enumerate()
    {
        let effective_from = founding.policies_from;
        let publish = PublishPolicy {
            name: None,
            rules,
            effective_from,
        };
        issue(desk, envelope(index + 1, publish.into()))?;
    }
    Ok(())
}

fn issue(desk: &Desk, envelope: Envelope) -> Result<(), AppError> {
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
