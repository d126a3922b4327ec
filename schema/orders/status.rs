//! How far an order has come, as one word derived from its lines. It is a definition that writers
//! and readers share; no event carries it, so it can never contradict the lines.

use async_graphql::Enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::Quantity;

/// How far an order has come.
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
pub enum OrderStatus {
    /// Ordered, but not confirmed (待确认).
    Placed,
    /// Confirmed, with its stock reserved; nothing is shipped (已确认).
    Confirmed,
    /// Stopped for the time being (暂停).
    OnHold,
    /// Some of it is on its way, nothing is delivered (部分发货).
    PartiallyShipped,
    /// All of it is on its way, nothing is delivered (已发货).
    Shipped,
    /// Some of it is delivered (部分送达).
    PartiallyDelivered,
    /// All of it is delivered (已送达).
    Delivered,
    /// All of it is cancelled (已取消).
    Cancelled,
}

/// What was decided about an order as a whole; the rest of its status follows from its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderPhase {
    /// Ordered, but not confirmed.
    Placed,
    /// Confirmed.
    Confirmed,
    /// Stopped for the time being, confirmed or not.
    OnHold,
    /// Cancelled as a whole.
    Cancelled,
}

/// How far one line has come, in the unit of its product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineProgress {
    /// How much was ordered.
    pub ordered: Quantity,
    /// How much of it was cancelled.
    pub cancelled: Quantity,
    /// How much left the warehouse and did not get lost; delivered goods included.
    pub shipped: Quantity,
    /// How much reached the customer.
    pub delivered: Quantity,
}

impl LineProgress {
    /// What the customer still gets or has got: ordered less cancelled.
    pub fn wanted(self) -> Quantity {
        self.ordered - self.cancelled
    }
}

impl OrderStatus {
    /// The status of an order in a phase with such lines.
    pub fn derive(phase: OrderPhase, lines: impl IntoIterator<Item = LineProgress>) -> Self {
        match phase {
            OrderPhase::Placed => Self::Placed,
            OrderPhase::OnHold => Self::OnHold,
            OrderPhase::Cancelled => Self::Cancelled,
            OrderPhase::Confirmed => Self::of_lines(lines),
        }
    }

    fn of_lines(lines: impl IntoIterator<Item = LineProgress>) -> Self {
        let (mut any_delivered, mut any_shipped) = (false, false);
        let (mut all_delivered, mut all_shipped) = (true, true);
        for line in lines {
            any_delivered |= line.delivered.is_positive();
            any_shipped |= line.shipped.is_positive();
            all_delivered &= line.delivered >= line.wanted();
            all_shipped &= line.shipped >= line.wanted();
        }
        match (any_delivered, any_shipped) {
            (true, _) if all_delivered => Self::Delivered,
            (true, _) => Self::PartiallyDelivered,
            (false, true) if all_shipped => Self::Shipped,
            (false, true) => Self::PartiallyShipped,
            (false, false) => Self::Confirmed,
        }
    }
}
