//! A place where goods lie (仓库).

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Address, Code, Name, NaturalKey, Note, ids},
    language::commands,
};

ids! {
    /// A warehouse.
    WarehouseId = "warehouse";
}

/// Opens a warehouse (仓库), so that goods can be received there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenWarehouse {
    /// The code by which people name it, unique among all warehouses whatever its case.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

impl OpenWarehouse {
    /// The keys that no other warehouse may have.
    pub fn natural_keys(&self) -> Vec<NaturalKey> {
        vec![NaturalKey::folded("warehouseCode", self.code.as_str())]
    }
}

/// Gives the warehouse another name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenameWarehouse {
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// The name from now on.
    pub name: Name,
}

/// Closes the warehouse for good: nothing comes in or is promised any more, but what lies there
/// can still be moved out, counted and written off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloseWarehouse {
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// Why.
    pub because: Note,
}

commands! {
    /// The commands to a warehouse.
    WarehouseCommand for WarehouseId {
        OpenWarehouse,
        RenameWarehouse on warehouse,
        CloseWarehouse on warehouse,
    }
}

/// What can happen to a warehouse.
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
pub enum WarehouseEvent {
    /// A warehouse was opened.
    WarehouseOpened {
        /// The code by which people name it.
        code: Code,
        /// Its name.
        name: Name,
        /// Where it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
    },
    /// The warehouse got another name.
    WarehouseRenamed {
        /// The name from now on.
        name: Name,
    },
    /// The warehouse was closed for everything that comes in.
    WarehouseClosed {
        /// Why.
        because: Note,
    },
}
