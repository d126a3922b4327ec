//! The envelope around every fact: who, when, why, by which rule, from what.
//!
//! A commit is the answer to one command: all of its events, or a refusal. The envelope is stored
//! as JSON beside the events; what the log itself knows (position, command id, streams, versions,
//! event types) is not repeated in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{Actor, Date, DateTime, Name, Note};

/// Which door a command came through.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    async_graphql::Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// A person or program over the API.
    #[default]
    Api,
    /// A row of an import.
    Import,
    /// The reaction of a policy to an earlier commit.
    Policy,
    /// The clock process, with an explicit date.
    Clock,
    /// The organisation's own founding.
    Founding,
}

/// A version of a policy that a decision used.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, async_graphql::SimpleObject,
)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRef {
    /// The kind of policy, for example `pipeline`.
    pub kind: String,
    /// The version in force, counted from 1.
    pub version: u32,
}

/// Why a command was refused: a rule of the domain said no.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, async_graphql::SimpleObject,
)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The stable code of the rule, for example `INSUFFICIENT_STOCK`.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// The path of the input field at fault, empty where the whole command is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
}

/// What is known of a commit besides its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommitMeta {
    /// The name of the command, for example `PlaceOrder`.
    pub command: String,
    /// BLAKE3 of the command's content, to tell a retry from a reused id.
    pub digest: String,
    /// Who acted.
    pub actor: Actor,
    /// For whom, where the actor was a delegate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
    /// The role in which the actor acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// The number of the grant by which it was permitted, in the account that acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<u32>,
    /// When the desk decided; never earlier than the commit before.
    pub recorded_at: DateTime,
    /// When it happened in business, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime>,
    /// The conversation that the command belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
    /// The position of the commit that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<u64>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
    /// The policies that the decision used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyRef>,
    /// Which door it came through.
    pub source: Source,
    /// The rule that said no; a commit with a refusal has no events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The refused command itself, so that the record shows what was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempted: Option<serde_json::Value>,
}

impl CommitMeta {
    /// The business time: when it happened, or when it was recorded where nothing else was said.
    pub fn effective_at(&self) -> DateTime {
        self.occurred_at.unwrap_or(self.recorded_at)
    }

    /// The calendar day of the business time, in UTC.
    pub fn effective_on(&self) -> Date {
        self.effective_at().date()
    }
}
