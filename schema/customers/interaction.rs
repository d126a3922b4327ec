//! Every contact with a customer: calls, mails, meetings (联系/沟通记录).

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CustomerId;
use crate::{
    kernel::{BigInt, Name, Note, ids},
    language::commands,
};

ids! {
    /// One contact with a customer.
    InteractionId = "interaction";
}

/// The way in which people spoke.
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
pub enum Channel {
    /// By telephone.
    Phone,
    /// By e-mail.
    Email,
    /// Face to face.
    Meeting,
    /// By chat, such as WeChat.
    Chat,
    /// By letter.
    Letter,
    /// On the web.
    Web,
}

/// Who began.
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
pub enum Direction {
    /// The customer.
    Inbound,
    /// We.
    Outbound,
}

/// What was said, by whom, how.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "InteractionDetailsInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InteractionDetails {
    /// The way in which people spoke.
    pub channel: Channel,
    /// Who began.
    pub direction: Direction,
    /// What was said.
    #[schemars(extend("x-personal" = true))]
    pub summary: Note,
    /// Who took part.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-personal" = true))]
    pub participants: Vec<Name>,
}

/// Writes down a contact with a customer; when it took place is the command's `occurredAt`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogInteraction {
    /// The customer.
    pub customer: CustomerId,
    /// What was said, by whom, how.
    pub details: InteractionDetails,
}

/// Puts a wrong record of a contact right; the wrong one stays readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CorrectInteraction {
    /// The contact.
    pub interaction: InteractionId,
    /// The details as they should have been, whole.
    pub details: InteractionDetails,
    /// The position of the commit that recorded the wrong details.
    pub corrects: BigInt,
}

commands! {
    /// The commands to a contact with a customer.
    InteractionCommand for InteractionId {
        LogInteraction,
        CorrectInteraction on interaction,
    }
}

/// What can happen to the record of a contact.
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
pub enum InteractionEvent {
    /// A contact took place.
    InteractionLogged {
        /// The customer.
        customer: CustomerId,
        /// What was said, by whom, how.
        details: InteractionDetails,
    },
    /// The record was wrong and is put right.
    InteractionCorrected {
        /// The details as they should have been, whole.
        details: InteractionDetails,
        /// The position of the commit that recorded the wrong details.
        corrects: u64,
    },
}
