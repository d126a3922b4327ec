//! A session: the time from a person's sign-in to its end.

use async_graphql::{Enum, InputObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountId, Armoury, Verifier};
use crate::{
    kernel::{DateTime, ids},
    language::commands,
};

ids! {
    /// A session; the id is part of the session's token.
    SessionId = "session";
}

/// How a person proved who they are.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SignInMethod {
    /// With the account's password.
    Password,
    /// With the token of an invitation.
    Invitation,
}

/// Opens a session for a person who has just proved who they are. Only the server itself issues
/// it, when somebody signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenSession {
    /// The account.
    pub account: AccountId,
    /// How the person proved who they are.
    pub method: SignInMethod,
    /// When it ends by itself.
    pub expires_at: DateTime,
    /// What is kept of the session's secret.
    #[graphql(skip_input)]
    #[serde(skip)]
    #[schemars(skip)]
    pub verifier: Option<Verifier>,
}

/// Ends a session: signs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndSession {
    /// The session.
    pub session: SessionId,
}

impl OpenSession {
    fn arm(&mut self, armoury: &mut dyn Armoury) {
        self.verifier = Some(armoury.forge());
    }
}

commands! {
    /// The commands to a session.
    SessionCommand for SessionId {
        OpenSession [issues secret],
        EndSession on session,
    }
}

/// What can happen to a session.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all_fields = "camelCase")]
pub enum SessionEvent {
    /// A person signed in.
    SessionOpened {
        /// The account.
        account: AccountId,
        /// How the person proved who they are.
        method: SignInMethod,
        /// When it ends by itself.
        expires_at: DateTime,
        /// What is kept of the session's secret.
        verifier: Verifier,
    },
    /// The person signed out, or was signed out.
    SessionEnded {},
}
