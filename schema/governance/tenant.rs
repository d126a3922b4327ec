//! A tenant: an organisation of a house, as its operator knows it. What an operator does with
//! tenants stands in the record of the house itself, beside those of its tenants.

use async_graphql::{Enum, InputObject, OneofObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::{Armoury, Verifier},
    kernel::{Actor, BigInt, Code, Currency, Date, Name, Note, ids},
    language::commands,
};

ids! {
    /// A tenant; its UUID is that of the organisation.
    TenantId = "tenant";
}

/// Whether anybody may work in a tenant.
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
pub enum TenantStatus {
    /// Its folder is being made.
    Founding,
    /// Whoever has a token may work in it.
    Active,
    /// Nobody gets in for the time being.
    Suspended,
    /// All of it was destroyed.
    Erased,
}

/// What the house does with the folder of a tenant.
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
pub enum TenantTask {
    /// Makes it.
    Founding,
    /// Copies it to the exports of the house.
    Export,
    /// Puts an export in its place.
    Restoration,
    /// Destroys it, with its keys and exports.
    Erasure,
}

/// Founds an organisation in a house. The answer shows the key of its first account once, which
/// administers it: hand it over, and have it revoked when accounts have been made by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateTenant {
    /// The organisation's name.
    pub name: Name,
    /// The currency in which it values its stock.
    pub currency: Currency,
    /// The user name of its first account.
    pub administrator: Actor,
    /// The day from which its first policies hold; facts dated earlier find no policy.
    pub policies_from: Date,
    /// What is kept of the key's secret.
    #[graphql(skip_input)]
    #[serde(skip)]
    #[schemars(skip)]
    pub verifier: Option<Verifier>,
}

/// Lets nobody into an organisation any more; what is open ends within seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspendTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// Why.
    pub because: Note,
}

/// Lets whoever has a token into an organisation again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReinstateTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Note>,
}

/// Copies an organisation to the exports of the house, verified, while work in it goes on. A later
/// export brings the copy up to date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportTenant {
    /// The tenant.
    pub tenant: TenantId,
}

/// Puts the export of a suspended organisation in its place; what was recorded later is lost.
/// Whoever was erased stays erased. It stays suspended until it is reinstated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// The last position to restore; that of the export where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<BigInt>,
    /// Why.
    pub because: Note,
}

/// Destroys a suspended organisation for ever: its record, its keys, its read models, its exports.
/// That there was one stays on the record of the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EraseTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// Why.
    pub because: Note,
}

/// Says what became of the task that the house has with a tenant. The house itself issues it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConcludeTenantTask {
    /// The tenant.
    pub tenant: TenantId,
    /// What became of it.
    pub outcome: TenantOutcome,
}

/// What became of a task: exactly one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, OneofObject, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TenantOutcome {
    /// The folder is made; the number of its first commits.
    Founded(TenantHead),
    /// The copy stands where the record stood.
    Exported(TenantHead),
    /// The export is in its place.
    Restored(TenantHead),
    /// Nothing is left.
    Erased(TenantErasure),
    /// It could not be done, and nothing has changed.
    Failed(TenantFailure),
}

/// Where the record of a tenant ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantHead {
    /// The last position.
    pub position: BigInt,
    /// The hash of the block that ends there.
    pub hash: Code,
}

/// What was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantErasure {
    /// How many bytes, the exports included.
    pub bytes: BigInt,
}

/// Why something could not be done with a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantFailure {
    /// The stable code.
    pub code: Code,
    /// One sentence for a person.
    pub message: Note,
}

impl CreateTenant {
    fn arm(&mut self, armoury: &mut dyn Armoury) {
        self.verifier = Some(armoury.forge());
    }
}

commands! {
    /// The commands to a tenant.
    TenantCommand for TenantId {
        CreateTenant [issues secret],
        SuspendTenant on tenant,
        ReinstateTenant on tenant,
        ExportTenant on tenant,
        RestoreTenant on tenant,
        EraseTenant on tenant,
        ConcludeTenantTask on tenant,
    }
}

/// What can happen to a tenant.
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
pub enum TenantEvent {
    /// An operator wants the organisation; the house founds it.
    TenantCreated {
        /// The organisation's name.
        name: Name,
        /// The currency in which it values its stock.
        currency: Currency,
        /// The user name of its first account.
        administrator: Actor,
        /// The day from which its first policies hold.
        policies_from: Date,
        /// What is kept of the secret of its first key.
        verifier: Verifier,
    },
    /// The organisation is there.
    TenantFounded {
        /// Where its record ends.
        head: TenantHead,
    },
    /// Nobody gets in.
    TenantSuspended {
        /// Why.
        because: Note,
    },
    /// Whoever has a token gets in again.
    TenantReinstated {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Note>,
    },
    /// An operator wants a copy.
    TenantExportRequested {},
    /// The copy was made and verified.
    TenantExported {
        /// Where it ends.
        head: TenantHead,
    },
    /// An operator wants the export in the organisation's place.
    TenantRestorationRequested {
        /// The last position to restore.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<BigInt>,
        /// Why.
        because: Note,
    },
    /// The export is in the organisation's place.
    TenantRestored {
        /// Where its record ends.
        head: TenantHead,
    },
    /// An operator wants nothing of it to be left.
    TenantErasureRequested {
        /// Why.
        because: Note,
    },
    /// Nothing of it is left.
    TenantErased {
        /// How many bytes were destroyed, the exports included.
        bytes: BigInt,
    },
    /// What was wanted could not be done, and nothing has changed.
    TenantTaskFailed {
        /// What was wanted.
        task: TenantTask,
        /// Why it could not be done.
        failure: TenantFailure,
    },
}
