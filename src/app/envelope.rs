//! A command on its way in, and the receipt on its way out.

use std::borrow::Cow;

use daybook_domain::{Authority, Fault};
use daybook_eventlog::{Commit, LogError};
use daybook_keyring::KeyError;
use daybook_schema::{
    DomainCommand,
    commit::{CommitMeta, Refusal, Source},
    kernel::{Actor, DateTime, Name, Note},
};
use serde::Serialize;
use uuid::Uuid;

/// A command with who issues it, when it happened and why.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The command's id; the same id is answered once, for ever.
    pub command_id: Uuid,
    /// The command.
    pub command: DomainCommand,
    /// Who acts.
    pub actor: Actor,
    /// For whom, where the actor is a delegate.
    pub on_behalf_of: Option<Actor>,
    /// On whose authority; that of the actor's account needs a grant.
    pub authority: Authority,
    /// The role in which the actor acts, where it does not follow from a grant.
    pub role: Option<Name>,
    /// The version of the object that the actor saw, where it matters.
    pub expected_version: Option<u64>,
    /// When it happened in business, where that differs from now.
    pub occurred_at: Option<DateTime>,
    /// Why, in the actor's words.
    pub reason: Option<Note>,
    /// The conversation that it belongs to.
    pub correlation: Option<Uuid>,
    /// The position of the commit that caused it.
    pub causation: Option<u64>,
    /// Which door it came through.
    pub source: Source,
}

impl Envelope {
    /// A command that the process itself issues in an actor's name: a founding, an import, a
    /// story. No grant is asked for.
    pub fn of_process(command_id: Uuid, actor: Actor, command: impl Into<DomainCommand>) -> Self {
        Self {
            authority: Authority::Process,
            ..Self::new(command_id, actor, command)
        }
    }

    /// A command by an actor on the authority of its own account, with everything else left out.
    pub fn new(command_id: Uuid, actor: Actor, command: impl Into<DomainCommand>) -> Self {
        Self {
            command_id,
            command: command.into(),
            actor,
            on_behalf_of: None,
            authority: Authority::Account,
            role: None,
            expected_version: None,
            occurred_at: None,
            reason: None,
            correlation: None,
            causation: None,
            source: Source::Api,
        }
    }
}

/// What makes two commands the same: who wants what, when and why.
pub(crate) struct Content {
    /// The parts as the text of a JSON array; the command itself is the second.
    json: Vec<u8>,
}

impl Content {
    pub(crate) fn of(envelope: &Envelope) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_vec(&(
            envelope.command.name(),
            &envelope.command,
            &envelope.actor,
            &envelope.on_behalf_of,
            envelope.occurred_at,
            &envelope.reason,
        ))?;
        Ok(Self { json })
    }

    /// 128 bits of BLAKE3 in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        blake3::hash(&self.json).to_hex()[..32].to_owned()
    }

    /// The command, word for word.
    pub(crate) fn command(&self) -> Option<serde_json::Value> {
        let mut parts: serde_json::Value = serde_json::from_slice(&self.json).ok()?;
        parts.get_mut(1).map(serde_json::Value::take)
    }
}

/// What became of a command: the commit that answers it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The command.
    pub command_id: Uuid,
    /// Where the answer stands in the log.
    pub position: u64,
    /// When the desk decided.
    pub recorded_at: DateTime,
    /// What happened; empty for a refusal.
    pub events: Vec<ReceiptEvent>,
    /// The rule that said no.
    pub refusal: Option<Refusal>,
    /// Whether the answer was given to an earlier use of the same id.
    pub replayed: bool,
}

/// One event of a receipt.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptEvent {
    /// The object.
    pub stream: String,
    /// The version of the object after the event.
    pub version: u64,
    /// The name of the fact.
    pub event_type: Cow<'static, str>,
}

impl Receipt {
    /// The receipt of a commit in the log.
    pub(crate) fn of(commit: &Commit, meta: CommitMeta, replayed: bool) -> Self {
        let events = commit.events().map(|event| ReceiptEvent {
            stream: event.stream.to_owned(),
            version: event.version,
            event_type: Cow::Owned(event.type_name.to_owned()),
        });
        Self {
            command_id: commit.command_id(),
            position: commit.position(),
            recorded_at: meta.recorded_at,
            events: events.collect(),
            refusal: meta.refusal,
            replayed,
        }
    }
}

/// Why a command has no answer. Nothing was recorded; where [`CommandError::retryable`] says so,
/// the same command may be sent again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    /// The queue is full.
    #[error("the desk has {queued} commands waiting and takes no more for the moment")]
    Busy {
        /// How many wait.
        queued: usize,
    },
    /// An earlier batch could not be written, so what was decided upon it does not hold.
    #[error("the desk starts again after a batch that could not be written")]
    Restarted,
    /// The log takes no appends.
    #[error(transparent)]
    Log(LogError),
    /// Personal data could not be sealed, or the key of somebody erased not be destroyed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The desk has been closed.
    #[error("the desk is closed")]
    Closed,
    /// The object has moved on since the actor looked.
    #[error("`{stream}` is at version {actual}, not at {expected}")]
    VersionConflict {
        /// The object.
        stream: String,
        /// The version that the actor saw.
        expected: u64,
        /// The version now.
        actual: u64,
    },
    /// The id belongs to another command.
    #[error("command id {command_id} already answers another command, at position {position}")]
    IdempotencyKeyReused {
        /// The id.
        command_id: Uuid,
        /// Where its answer stands.
        position: u64,
    },
    /// A state could not be read or an event not be written.
    #[error("the decision failed: {0}")]
    Fault(String),
}

impl CommandError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "DESK_BUSY",
            Self::Restarted => "DESK_RESTARTED",
            Self::Log(error) => error.code(),
            Self::Keys(error) => error.code(),
            Self::Closed => "DESK_CLOSED",
            Self::VersionConflict { .. } => "VERSION_CONFLICT",
            Self::IdempotencyKeyReused { .. } => "IDEMPOTENCY_KEY_REUSED",
            Self::Fault(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// Whether the same command may succeed later without a change.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Restarted => true,
            Self::Log(error) => matches!(error, LogError::LowSpace { .. }),
            Self::Closed
            | Self::Keys(_)
            | Self::VersionConflict { .. }
            | Self::IdempotencyKeyReused { .. }
            | Self::Fault(_) => false,
        }
    }
}

impl From<Fault> for CommandError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}
