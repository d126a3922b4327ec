//! Erasing a person: what was sealed for them can never be read again.

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    access::AccountId,
    customers::{ContactId, CustomerId},
    kernel::{Note, ParseIdError, StreamKey, ids, text_scalar},
    language::commands,
    pipeline::LeadId,
};

ids! {
    /// The erasure of one person, by a digest of the person's id.
    ErasureId = "erasure";
}

/// The namespace of the digests.
const NAMESPACE: Uuid = Uuid::from_u128(0x1f83_5a70_c2d4_5e69_90b1_7d3e_66a8_4c05);

/// Whose personal data it is: everything personal in the record is sealed for one of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectId {
    /// A customer, with its orders, complaints and everything else that belongs to it.
    Customer(CustomerId),
    /// A person to talk to at a customer.
    Contact(ContactId),
    /// A lead.
    Lead(LeadId),
    /// Somebody who acts here. The user name is no name of the person's own, and stays.
    Account(AccountId),
}

impl SubjectId {
    /// The stream of the person's erasure.
    pub fn erasure(&self) -> ErasureId {
        ErasureId(Uuid::new_v5(&NAMESPACE, self.to_string().as_bytes()))
    }
}

impl std::fmt::Display for SubjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Customer(id) => id.fmt(f),
            Self::Contact(id) => id.fmt(f),
            Self::Lead(id) => id.fmt(f),
            Self::Account(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for SubjectId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match crate::prefix(text) {
            ContactId::PREFIX => text.parse().map(Self::Contact),
            LeadId::PREFIX => text.parse().map(Self::Lead),
            AccountId::PREFIX => text.parse().map(Self::Account),
            _ => text.parse().map(Self::Customer),
        }
    }
}

text_scalar!(
    SubjectId,
    "ID",
    "id of the form `customer-<uuid>`, `contact-<uuid>`, `lead-<uuid>` or `account-<user name>`"
);

/// Erases a person for ever: names, numbers, addresses and remarks about them read `erased` from
/// then on, wherever they stand, while amounts, days and the record's proofs stay. With a customer
/// go its contacts and the leads that turned out to be it; its record is closed. An account is
/// suspended for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EraseSubject {
    /// The customer, contact, lead or account.
    pub subject: SubjectId,
    /// The customer on whose record the person is; needed for a contact, and for nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Why, without naming anybody: these words stay.
    pub because: Note,
}

impl EraseSubject {
    /// The erasure.
    pub fn erasure(&self) -> ErasureId {
        self.subject.erasure()
    }
}

commands! {
    /// The commands that erase.
    ErasureCommand for ErasureId { EraseSubject by erasure }
}

/// What can happen to the personal data of one person.
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
pub enum ErasureEvent {
    /// The person was erased: with this the key is destroyed.
    SubjectErased {
        /// Who.
        subject: SubjectId,
        /// Why.
        because: Note,
    },
}
