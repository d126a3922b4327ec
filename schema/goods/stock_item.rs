//! How much of a product lies in a warehouse, for whom it is kept and what it cost (库存).

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ProductId, WarehouseId};
use crate::{
    kernel::{Amount, Name, Note, Quantity, compound_id},
    language::commands,
};

compound_id! {
    /// The stock of a product in a warehouse: `stockItem-<product>.<warehouse>`.
    StockItemId = "stockItem" { product: ProductId, warehouse: WarehouseId }
}

/// Books goods that came into a warehouse (进货).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiveStock {
    /// The product.
    pub product: ProductId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// How much came in, in the product's unit; more than zero.
    pub quantity: Quantity,
    /// What one unit cost, in the organisation's base currency; zero or more.
    pub unit_cost: Amount,
    /// The document with which it came, for example a delivery note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Name>,
}

/// Keeps stock for somebody, so that it cannot be promised twice (预留).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReserveStock {
    /// The product.
    pub product: ProductId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// How much is kept, in the product's unit; more than zero.
    pub quantity: Quantity,
    /// For whom or what it is kept; the id of an order is not allowed, orders reserve for
    /// themselves.
    pub reference: Name,
}

/// Gives kept stock free again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseReservation {
    /// The product.
    pub product: ProductId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// For whom or what it was kept.
    pub reference: Name,
    /// How much is given free, in the product's unit; all of it where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
}

/// Books goods that left a warehouse without an order (出库); no more than nobody has reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueStock {
    /// The product.
    pub product: ProductId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// How much left, in the product's unit; more than zero.
    pub quantity: Quantity,
    /// The document with which it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Name>,
}

/// Moves goods from one warehouse to another (调拨) with their value; no more than nobody has
/// reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferStock {
    /// The product.
    pub product: ProductId,
    /// The warehouse that gives.
    pub from: WarehouseId,
    /// The warehouse that takes.
    pub to: WarehouseId,
    /// How much moves, in the product's unit; more than zero.
    pub quantity: Quantity,
    /// The document with which it moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Name>,
}

/// Books what a stock count found (盘点); the difference to the book at this very commit is
/// adjusted. State `expectedVersion` to count against a known book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountStock {
    /// The product.
    pub product: ProductId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// How much was found, in the product's unit; zero or more.
    pub counted: Quantity,
    /// A remark on the count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Takes goods off the books that are broken, expired or gone (报废).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteOffStock {
    /// The product.
    pub product: ProductId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// How much is written off, in the product's unit; more than zero.
    pub quantity: Quantity,
    /// Why.
    pub because: Note,
}

impl TransferStock {
    /// The stock that gives.
    pub fn item(&self) -> StockItemId {
        StockItemId {
            product: self.product,
            warehouse: self.from,
        }
    }

    /// The stock that takes.
    pub fn destination(&self) -> StockItemId {
        StockItemId {
            product: self.product,
            warehouse: self.to,
        }
    }
}

macro_rules! one_item {
    ($($command:ident)+) => {$(
        impl $command {
            /// The stock that it is about.
            pub fn item(&self) -> StockItemId {
                StockItemId {
                    product: self.product,
                    warehouse: self.warehouse,
                }
            }
        }
    )+};
}
one_item!(ReceiveStock ReserveStock ReleaseReservation IssueStock CountStock WriteOffStock);

commands! {
    /// The commands to the stock of a product in a warehouse.
    StockItemCommand for StockItemId {
        ReceiveStock by item,
        ReserveStock by item,
        ReleaseReservation by item,
        IssueStock by item,
        TransferStock by item,
        CountStock by item,
        WriteOffStock by item,
    }
}

/// What can happen to the stock of a product in a warehouse. Quantities are in the product's unit
/// and values in the organisation's base currency; both are changes and never negative, unless a
/// field says otherwise.
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
pub enum StockItemEvent {
    /// Goods came in.
    StockReceived {
        /// How much.
        quantity: Quantity,
        /// What one unit cost.
        unit_cost: Amount,
        /// What all of it cost: quantity × unit cost, rounded to 6 decimal places.
        value: Amount,
        /// The document with which it came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Name>,
    },
    /// Stock is kept for somebody.
    StockReserved {
        /// How much more.
        quantity: Quantity,
        /// For whom or what: the id of an order, or words.
        reference: Name,
    },
    /// Kept stock was given free.
    ReservationReleased {
        /// How much.
        quantity: Quantity,
        /// For whom or what it was kept.
        reference: Name,
    },
    /// Goods left.
    StockIssued {
        /// How much.
        quantity: Quantity,
        /// What they had cost, at the moving average.
        value: Amount,
        /// The reservation that was used up by it, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reservation: Option<Name>,
        /// The document with which they left: the id of a shipment, or words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Name>,
    },
    /// Goods left for another warehouse, where they came in with the same commit.
    StockTransferredOut {
        /// The warehouse that takes.
        to: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// What they had cost, at the moving average.
        value: Amount,
        /// The document with which they moved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Name>,
    },
    /// Goods came in from another warehouse.
    StockTransferredIn {
        /// The warehouse that gave.
        from: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// What they had cost: the value that left the other warehouse.
        value: Amount,
        /// The document with which they moved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Name>,
    },
    /// The stock was counted; a difference is adjusted by the next event of the commit.
    StockCounted {
        /// How much was found.
        counted: Quantity,
        /// How much the book said at this commit.
        book: Quantity,
        /// A remark on the count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
    },
    /// The book was put right after a count.
    StockAdjusted {
        /// The change: negative where less was found than the book said.
        delta: Quantity,
        /// The change of value, with the sign of the quantity; a surplus is valued at the moving
        /// average, or at nothing where the book was empty.
        value: Amount,
    },
    /// Goods were taken off the books.
    StockWrittenOff {
        /// How much.
        quantity: Quantity,
        /// What they had cost, at the moving average.
        value: Amount,
        /// Why.
        because: Note,
    },
}
