//! A customer's order (订单): what was bought at which price, and how far it has come.

use async_graphql::{InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShipmentId;
use crate::{
    customers::CustomerId,
    goods::{PriceExplanation, PriceListId, ProductId, WarehouseId},
    kernel::{
        Actor, Address, Amount, BasisPoints, Code, Currency, Date, Decimal, Money, Name,
        NaturalKey, Note, Quantity, ids,
    },
    language::commands,
    pipeline::OpportunityId,
};

ids! {
    /// A customer's order.
    OrderId = "order";
    /// A line of an order.
    OrderLineId = "orderLine";
}

/// One line of an order as it is asked for. The unit price comes from the line itself or from the
/// price list that it names; where both are given, the line's own price holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject)]
#[graphql(name = "OrderLineDraftInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderLineDraft {
    /// The product.
    pub product: ProductId,
    /// How much, in the product's unit; more than zero.
    pub quantity: Quantity,
    /// The warehouse that it is shipped from; may be left to the confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<WarehouseId>,
    /// The price list that says the unit price on the day of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list: Option<PriceListId>,
    /// The price of one unit in the currency of the order; zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Decimal>,
    /// The discount on the line, 0 to 10000.
    #[graphql(default)]
    #[serde(default)]
    pub discount: BasisPoints,
}

/// One line of an order with its price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// The line's id.
    pub line: OrderLineId,
    /// The product.
    pub product: ProductId,
    /// Its stock-keeping unit (SKU).
    pub sku: Code,
    /// Its name on the day of the order.
    pub name: Name,
    /// How much, in the product's unit.
    pub quantity: Quantity,
    /// The warehouse that it is shipped from, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<WarehouseId>,
    /// Why the line costs what it costs.
    pub price: PriceExplanation,
    /// Quantity × unit price × (1 − discount), rounded to 6 decimal places.
    pub net: Amount,
}

/// Where a line of a confirmed order comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmedLine {
    /// The line.
    pub line: OrderLineId,
    /// The warehouse that it is shipped from.
    pub warehouse: WarehouseId,
    /// How much is reserved there for the line, in the product's unit.
    pub reserved: Quantity,
}

/// Commits a customer to buying the given lines at the given prices (下单); the day of the order
/// is that of the command's `occurredAt`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaceOrder {
    /// The customer, who must be active.
    pub customer: CustomerId,
    /// The currency of all prices and amounts.
    pub currency: Currency,
    /// What is bought, 1 to 200 lines.
    pub lines: Vec<OrderLineDraft>,
    /// Freight and other charges in the currency of the order; zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charges: Option<Money>,
    /// Where it is shipped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Address>,
    /// The day on which the customer wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on: Option<Date>,
    /// The way in which it was placed, for example `online` or `direct`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_through: Option<Code>,
    /// Who sold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salesperson: Option<Actor>,
    /// The opportunity that it closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// The customer's own order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<Name>,
    /// The number it has in another system, unique among all orders whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_number: Option<Code>,
}

impl PlaceOrder {
    /// The keys that no other order may have.
    pub fn natural_keys(&self) -> Vec<NaturalKey> {
        let external = self.external_number.iter();
        external
            .map(|text| NaturalKey::folded("orderExternalNumber", text.as_str()))
            .collect()
    }
}

/// Changes an order that is not confirmed yet. What is given replaces the earlier content whole;
/// all lines get new ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmendOrder {
    /// The order.
    pub order: OrderId,
    /// What is bought from now on, 1 to 200 lines.
    pub lines: Vec<OrderLineDraft>,
    /// Freight and other charges in the currency of the order; zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charges: Option<Money>,
    /// Where it is shipped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Address>,
    /// The day on which the customer wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on: Option<Date>,
    /// The customer's own order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<Name>,
}

/// Confirms the order and reserves the stock of all its lines, or of none (确认订单).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmOrder {
    /// The order.
    pub order: OrderId,
    /// The warehouse of the lines that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_warehouse: Option<WarehouseId>,
}

/// Stops the order for the time being: nothing is prepared or dispatched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldOrder {
    /// The order.
    pub order: OrderId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Lets an order on hold go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseOrder {
    /// The order.
    pub order: OrderId,
}

/// Cancels the whole order and gives its stock free; impossible once something is prepared or
/// shipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelOrder {
    /// The order.
    pub order: OrderId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Cancels what is neither prepared nor shipped of one line, or a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelOrderLine {
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: OrderLineId,
    /// How much is cancelled, in the product's unit; all that is open where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

commands! {
    /// The commands to an order.
    OrderCommand for OrderId {
        PlaceOrder,
        AmendOrder on order,
        ConfirmOrder on order,
        HoldOrder on order,
        ReleaseOrder on order,
        CancelOrder on order,
        CancelOrderLine on order,
    }
}

/// What can happen to an order. Quantities are in the unit of the line's product.
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
pub enum OrderEvent {
    /// A customer ordered.
    OrderPlaced {
        /// The order's number, counted without a gap.
        number: u64,
        /// The customer.
        customer: CustomerId,
        /// The currency of all prices and amounts.
        currency: Currency,
        /// What is bought.
        lines: Vec<OrderLine>,
        /// The sum of the lines, exactly.
        lines_net: Amount,
        /// Freight and other charges.
        charges: Money,
        /// Lines and charges together, rounded once to the minor unit.
        total: Money,
        /// Where it is shipped to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ship_to: Option<Address>,
        /// The day on which the customer wants it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requested_on: Option<Date>,
        /// The way in which it was placed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placed_through: Option<Code>,
        /// Who sold it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        salesperson: Option<Actor>,
        /// The opportunity that it closes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opportunity: Option<OpportunityId>,
        /// The customer's own order number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_reference: Option<Name>,
        /// The number it has in another system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_number: Option<Code>,
    },
    /// The order was changed before its confirmation; everything given here replaces the earlier.
    OrderAmended {
        /// What is bought from now on.
        lines: Vec<OrderLine>,
        /// The sum of the lines, exactly.
        lines_net: Amount,
        /// Freight and other charges.
        charges: Money,
        /// Lines and charges together, rounded once to the minor unit.
        total: Money,
        /// Where it is shipped to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ship_to: Option<Address>,
        /// The day on which the customer wants it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requested_on: Option<Date>,
        /// The customer's own order number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_reference: Option<Name>,
    },
    /// The order was confirmed; the stock of all lines is reserved with the same commit.
    OrderConfirmed {
        /// Where each line that is not cancelled comes from.
        lines: Vec<ConfirmedLine>,
    },
    /// The order was stopped for the time being.
    OrderHeld {
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// The order goes on.
    OrderReleased {},
    /// The whole order was cancelled.
    OrderCancelled {
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// A line, or a part of it, was cancelled.
    OrderLineCancelled {
        /// The line.
        line: OrderLineId,
        /// How much was cancelled.
        quantity: Quantity,
        /// How much of the line's reservation was given free.
        released: Quantity,
        /// The net of what is left of the line.
        net: Amount,
        /// The sum of what is left of all lines, exactly.
        lines_net: Amount,
        /// What is left of the lines and the charges together, rounded once to the minor unit.
        total: Money,
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// A part of a line was laid ready for a shipment.
    OrderLinePrepared {
        /// The line.
        line: OrderLineId,
        /// The shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
        /// How much was reserved in addition, because less was reserved than is prepared.
        reserved: Quantity,
    },
    /// A prepared shipment was cancelled, and the line's goods were put back.
    OrderLinePutBack {
        /// The line.
        line: OrderLineId,
        /// The shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
        /// How much of the line's reservation was given free, because it is not open any more.
        released: Quantity,
    },
    /// A part of a line left the warehouse.
    OrderLineShipped {
        /// The line.
        line: OrderLineId,
        /// The shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
        /// What the goods had cost, at the moving average of the stock.
        cost: Amount,
    },
    /// A part of a line got lost on its way and is open again.
    OrderLineShipmentLost {
        /// The line.
        line: OrderLineId,
        /// The shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
    },
    /// A part of a line reached the customer.
    OrderLineDelivered {
        /// The line.
        line: OrderLineId,
        /// The shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
    },
    /// Every line is delivered or cancelled, and nothing is on its way.
    OrderCompleted {},
}
