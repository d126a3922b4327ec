//! A product that we sell (货品).

use async_graphql::{InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Code, Name, NaturalKey, Note, ids},
    language::commands,
};

ids! {
    /// A product.
    ProductId = "product";
}

/// How the product is called in one language.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "LocalizedNameInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalizedName {
    /// The language, by BCP 47 tag, for example `zh-CN`.
    pub language: Code,
    /// The name in that language.
    pub name: Name,
    /// The description in that language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Note>,
}

/// The unit of a product that names none: pieces.
fn pieces() -> Code {
    Code::constant("pcs")
}

/// What the catalogue says of a product.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ProductDetailsInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductDetails {
    /// The name under which it is sold.
    pub name: Name,
    /// The names in other languages, each language once.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<LocalizedName>,
    /// What it is, for buyers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Note>,
    /// The category in which the catalogue shows it, for example `Dairy Products`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Name>,
    /// The unit in which its quantities are given, for example `kg`; `pcs` where it is not said.
    #[graphql(default_with = "pieces()")]
    #[serde(default = "pieces")]
    pub unit: Code,
    /// Labels of the organisation's own choosing, for example `seasonal`.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Code>,
}

/// Lists a new product in the catalogue, so that it can be priced, stocked and ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListProduct {
    /// The stock-keeping unit (SKU), unique among all products whatever its case.
    pub sku: Code,
    /// What the catalogue says of it.
    pub details: ProductDetails,
}

impl ListProduct {
    /// The keys that no other product may have.
    pub fn natural_keys(&self) -> Vec<NaturalKey> {
        vec![NaturalKey::folded("sku", self.sku.as_str())]
    }
}

/// Writes down that the product's details changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeProductDetails {
    /// The product.
    pub product: ProductId,
    /// The details from now on, whole.
    pub details: ProductDetails,
}

/// Takes the product off sale: it can be neither ordered nor priced, while its stock still moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetireProduct {
    /// The product.
    pub product: ProductId,
    /// Why.
    pub because: Note,
}

/// Puts a retired product on sale again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReinstateProduct {
    /// The product.
    pub product: ProductId,
}

commands! {
    /// The commands to a product.
    ProductCommand for ProductId {
        ListProduct,
        ChangeProductDetails on product,
        RetireProduct on product,
        ReinstateProduct on product,
    }
}

/// What can happen to a product.
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
pub enum ProductEvent {
    /// A product was listed in the catalogue.
    ProductListed {
        /// The stock-keeping unit (SKU), which never changes.
        sku: Code,
        /// What the catalogue says of it.
        details: ProductDetails,
    },
    /// The details changed.
    ProductDetailsChanged {
        /// The details from now on, whole.
        details: ProductDetails,
    },
    /// The product was taken off sale.
    ProductRetired {
        /// Why.
        because: Note,
    },
    /// The product was put on sale again.
    ProductReinstated {},
}
