//! A list of prices in one currency (价目表).

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Currency, Name, Note, ids},
    language::commands,
};

ids! {
    /// A price list.
    PriceListId = "priceList";
}

/// Opens a price list (价目表) with no price in it yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenPriceList {
    /// Its name, for example `Retail 2026`.
    pub name: Name,
    /// The currency of all its prices.
    pub currency: Currency,
}

/// Closes the price list for good: no new order is priced by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClosePriceList {
    /// The price list.
    pub price_list: PriceListId,
    /// Why.
    pub because: Note,
}

commands! {
    /// The commands to a price list.
    PriceListCommand for PriceListId {
        OpenPriceList,
        ClosePriceList on price_list,
    }
}

/// What can happen to a price list.
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
pub enum PriceListEvent {
    /// A price list was opened.
    PriceListOpened {
        /// Its name.
        name: Name,
        /// The currency of all its prices.
        currency: Currency,
    },
    /// The price list was closed.
    PriceListClosed {
        /// Why.
        because: Note,
    },
}
