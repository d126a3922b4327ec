//! The organisation that keeps this daybook.

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Currency, Name, ids},
    language::commands,
};

ids! {
    /// An organisation; its UUID also names the log.
    OrganisationId = "organisation";
}

/// Opens the books of a new organisation; always the first command of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FoundOrganisation {
    /// The organisation's name.
    pub name: Name,
    /// The currency in which it values its stock.
    pub currency: Currency,
    /// Whether the organisations of a house are its tenants, which its operators look after.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_house: bool,
}

commands! {
    /// The commands to an organisation.
    OrganisationCommand for OrganisationId { FoundOrganisation }
}

/// What can happen to an organisation.
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
pub enum OrganisationEvent {
    /// The books were opened.
    OrganisationFounded {
        /// The organisation's name.
        name: Name,
        /// The currency in which it values its stock.
        currency: Currency,
        /// Whether the organisations of a house are its tenants.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keeps_house: bool,
    },
}
