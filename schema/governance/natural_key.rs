//! Who holds a natural key (tax number, phone, source key …), so that it stays unique.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{Code, NaturalKey, ids};

ids! {
    /// A natural key, by a digest of its kind and normalised value: the key itself, which may be
    /// personal, does not stand in the name of the stream.
    NaturalKeyId = "naturalKey";
}

/// The namespace of natural-key digests.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a0f_3c2e_9d41_5b7a_8e13_24c7_f05d_91b6);

impl From<&NaturalKey> for NaturalKeyId {
    fn from(key: &NaturalKey) -> Self {
        Self(Uuid::new_v5(
            &NAMESPACE,
            format!("{}:{}", key.kind, key.value).as_bytes(),
        ))
    }
}

/// What can happen to a natural key.
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
pub enum NaturalKeyEvent {
    /// An object took the key.
    NaturalKeyReserved {
        /// What kind of key, for example `taxNumber`.
        kind: Code,
        /// The id of the object that holds it.
        holder: String,
    },
    /// The holder gave the key up.
    NaturalKeyReleased {
        /// What kind of key, for example `taxNumber`.
        kind: Code,
        /// The id of the object that held it.
        holder: String,
    },
}
