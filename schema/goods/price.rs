//! What a product costs in a price list, by quantity and by day (阶梯设价).

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PriceListId, ProductId};
use crate::{
    kernel::{BasisPoints, Currency, Date, Decimal, Quantity, compound_id},
    language::commands,
};

compound_id! {
    /// The prices of a product in a price list: `price-<price list>.<product>`.
    PriceId = "price" { list: PriceListId, product: ProductId }
}

/// The unit price from a quantity on, up to the quantity at which the next tier begins (阶梯价).
#[derive(
    Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "PriceTierInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceTier {
    /// The smallest quantity of one order line that gets this price, in the product's unit; more
    /// than zero.
    pub min_quantity: Quantity,
    /// The price of one unit, in the currency of the price list; zero or more.
    pub unit_price: Decimal,
}

/// Sets what a product costs in a price list during a period; periods of one product never
/// overlap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPrice {
    /// The price list.
    pub price_list: PriceListId,
    /// The product.
    pub product: ProductId,
    /// The tiers by rising quantity, 1 to 100; below the first there is no price.
    pub tiers: Vec<PriceTier>,
    /// The first day on which the price holds.
    pub from: Date,
    /// The first day on which it holds no more; without it the price holds until it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl SetPrice {
    /// The prices of the product in the list.
    pub fn price(&self) -> PriceId {
        PriceId {
            list: self.price_list,
            product: self.product,
        }
    }
}

/// Says on which day a price ends; on its own first day, it never holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndPrice {
    /// The price list.
    pub price_list: PriceListId,
    /// The product.
    pub product: ProductId,
    /// The first day of the price that is ended.
    pub from: Date,
    /// The first day on which it holds no more.
    pub to: Date,
}

impl EndPrice {
    /// The prices of the product in the list.
    pub fn price(&self) -> PriceId {
        PriceId {
            list: self.price_list,
            product: self.product,
        }
    }
}

commands! {
    /// The commands to the prices of a product in a price list.
    PriceCommand for PriceId {
        SetPrice by price,
        EndPrice by price,
    }
}

/// What can happen to the prices of a product in a price list.
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
pub enum PriceEvent {
    /// The product got a price for a period.
    PriceSet {
        /// The number of this price among those of the product in the list, counted from 1.
        version: u32,
        /// The currency of the list.
        currency: Currency,
        /// The tiers by rising quantity.
        tiers: Vec<PriceTier>,
        /// The first day on which the price holds.
        from: Date,
        /// The first day on which it holds no more, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Date>,
    },
    /// The end of a price was set.
    PriceEnded {
        /// Which price.
        version: u32,
        /// The first day on which it holds no more.
        to: Date,
    },
}

/// Where the unit price of an order line came from.
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
pub enum PriceSource {
    /// The price list that the line names.
    List,
    /// The order itself said the unit price.
    Override,
}

/// Why an order line costs what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct PriceExplanation {
    /// Where the unit price came from.
    pub source: PriceSource,
    /// The price list that was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list: Option<PriceListId>,
    /// Which price of the product in that list held on the day of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_version: Option<u32>,
    /// The smallest quantity of the tier into which the line's quantity fell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_min_quantity: Option<Quantity>,
    /// The unit price of that tier, in the currency of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_unit_price: Option<Decimal>,
    /// The price of one unit before the discount, in the currency of the order.
    pub unit_price: Decimal,
    /// The discount on the line.
    pub discount: BasisPoints,
}
