//! An API key: how a program, or a person's script, proves who it is.

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountId, Armoury, Verifier};
use crate::{
    kernel::{DateTime, Name, Note, ids},
    language::commands,
};

ids! {
    /// An API key; the id is part of the key's text.
    ApiKeyId = "apiKey";
}

/// Issues an API key to an account. The answer shows the key once; only a digest is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueApiKey {
    /// The account that acts by it.
    pub account: AccountId,
    /// What it is for.
    pub name: Name,
    /// When it ends by itself; never where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime>,
    /// What is kept of the secret.
    #[graphql(skip_input)]
    #[serde(skip)]
    #[schemars(skip)]
    pub verifier: Option<Verifier>,
}

/// Puts a new secret in the place of a key's old one, which is void at once. The answer shows the
/// key once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateApiKey {
    /// The key.
    pub api_key: ApiKeyId,
    /// What is kept of the new secret.
    #[graphql(skip_input)]
    #[serde(skip)]
    #[schemars(skip)]
    pub verifier: Option<Verifier>,
}

/// Makes a key void for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeApiKey {
    /// The key.
    pub api_key: ApiKeyId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Note>,
}

impl IssueApiKey {
    fn arm(&mut self, armoury: &mut dyn Armoury) {
        self.verifier = Some(armoury.forge());
    }
}

impl RotateApiKey {
    fn arm(&mut self, armoury: &mut dyn Armoury) {
        self.verifier = Some(armoury.forge());
    }
}

commands! {
    /// The commands to an API key.
    ApiKeyCommand for ApiKeyId {
        IssueApiKey [issues secret],
        RotateApiKey on api_key [issues secret],
        RevokeApiKey on api_key,
    }
}

/// What can happen to an API key.
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
pub enum ApiKeyEvent {
    /// The key was issued.
    ApiKeyIssued {
        /// The account that acts by it.
        account: AccountId,
        /// What it is for.
        name: Name,
        /// When it ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime>,
        /// What is kept of the secret.
        verifier: Verifier,
    },
    /// The key has another secret.
    ApiKeyRotated {
        /// What is kept of the new secret.
        verifier: Verifier,
    },
    /// The key is void.
    ApiKeyRevoked {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Note>,
    },
}
