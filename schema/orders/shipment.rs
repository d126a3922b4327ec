//! A shipment of an order's goods to the customer (发货).

use async_graphql::{InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrderId, OrderLineId};
use crate::{
    customers::CustomerId,
    goods::{ProductId, WarehouseId},
    kernel::{Address, Date, DateTime, Name, Note, Quantity, ids},
    language::commands,
};

ids! {
    /// A shipment.
    ShipmentId = "shipment";
}

/// How much of an order line.
#[derive(
    Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ShipmentLineInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentLine {
    /// The order line.
    pub line: OrderLineId,
    /// How much of it, in the product's unit; more than zero.
    pub quantity: Quantity,
}

/// How much of an order line is in a shipment, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct PreparedLine {
    /// The order line.
    pub line: OrderLineId,
    /// The product.
    pub product: ProductId,
    /// The warehouse that it comes from.
    pub warehouse: WarehouseId,
    /// How much, in the product's unit.
    pub quantity: Quantity,
}

/// Who took a shipment, and when (签收).
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ProofOfDeliveryInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofOfDelivery {
    /// Who signed for it.
    #[schemars(extend("x-personal" = true))]
    pub signed_by: Name,
    /// What was remarked at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub note: Option<Note>,
    /// When it arrived, not in the future; the time of the command where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime>,
}

/// Lays goods of a confirmed order ready for one shipment (备货).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareShipment {
    /// The order, confirmed and not on hold.
    pub order: OrderId,
    /// How much of which lines, each line once, 1 to 200.
    pub lines: Vec<ShipmentLine>,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// The day on which it is promised to arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_on: Option<Date>,
}

/// Hands the shipment to its carrier: the goods leave the stock (发货).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DispatchShipment {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The carrier's number for following it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<Name>,
}

/// Writes down that the shipment will arrive later than promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelayShipment {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The day on which it is promised to arrive now, later than the day promised before.
    pub new_promised_on: Date,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Writes down that goods were damaged on their way; the shipment may still be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportShipmentDamage {
    /// The shipment.
    pub shipment: ShipmentId,
    /// What was damaged and how.
    #[schemars(extend("x-personal" = true))]
    pub note: Note,
    /// How much of which lines is damaged, as far as it is known.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ShipmentLine>,
}

/// Writes down that the shipment reached the customer (送达).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliverShipment {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Who took it, and when.
    pub proof: ProofOfDelivery,
}

/// Writes down that the shipment got lost; its lines are open again on the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportShipmentLost {
    /// The shipment.
    pub shipment: ShipmentId,
    /// What is known of it.
    #[schemars(extend("x-personal" = true))]
    pub note: Note,
}

/// Cancels a shipment that was not dispatched; its goods stay reserved for the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelShipment {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

commands! {
    /// The commands to a shipment.
    ShipmentCommand for ShipmentId {
        PrepareShipment,
        DispatchShipment on shipment,
        DelayShipment on shipment,
        ReportShipmentDamage on shipment,
        DeliverShipment on shipment,
        ReportShipmentLost on shipment,
        CancelShipment on shipment,
    }
}

/// What can happen to a shipment.
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
pub enum ShipmentEvent {
    /// Goods were laid ready.
    ShipmentPrepared {
        /// The shipment's number, counted without a gap.
        number: u64,
        /// The order.
        order: OrderId,
        /// The customer.
        customer: CustomerId,
        /// How much of which lines.
        lines: Vec<PreparedLine>,
        /// Where it is shipped to, as the order says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ship_to: Option<Address>,
        /// Who carries it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<Name>,
        /// The day on which it is promised to arrive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promised_on: Option<Date>,
    },
    /// The shipment left with its carrier.
    ShipmentDispatched {
        /// The carrier's number for following it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_number: Option<Name>,
    },
    /// The shipment will arrive later than promised.
    ShipmentDelayed {
        /// The day on which it is promised to arrive now.
        promised_on: Date,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// Goods were damaged on their way.
    ShipmentDamaged {
        /// What was damaged and how.
        #[schemars(extend("x-personal" = true))]
        note: Note,
        /// How much of which lines is damaged, as far as it is known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<ShipmentLine>,
    },
    /// The shipment reached the customer.
    ShipmentDelivered {
        /// Who signed for it.
        #[schemars(extend("x-personal" = true))]
        signed_by: Name,
        /// What was remarked at the door.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-personal" = true))]
        note: Option<Note>,
        /// When it arrived.
        delivered_at: DateTime,
    },
    /// The shipment got lost on its way.
    ShipmentLost {
        /// What is known of it.
        #[schemars(extend("x-personal" = true))]
        note: Note,
    },
    /// The shipment was cancelled before it left.
    ShipmentCancelled {
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
}
