//! The stock of a product in a warehouse (库存): on hand, kept for somebody, and what it cost.

use async_graphql::SimpleObject;
use daybook_schema::{
    goods::{ProductId, StockItemEvent, StockItemId, WarehouseId},
    kernel::{Code, DateTime, Decimal, Name, Quantity},
};
use rust_decimal::{Decimal as Exact, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::{
    ProductRow, WarehouseRow,
    ledger::{Line, Movement, MovementKind},
    totals,
};
use crate::store::{Cell, ColumnKind, Fact, FoldError, Stamp, Tables, table, wide};

/// The stock of a product in a warehouse. Quantities are in the product's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "StockItemFields")]
#[serde(rename_all = "camelCase")]
pub struct StockItemRow {
    /// The stock item's id.
    pub id: StockItemId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The product.
    #[graphql(skip)]
    pub product: ProductId,
    /// The warehouse.
    #[graphql(skip)]
    pub warehouse: WarehouseId,
    /// The product's stock-keeping unit (SKU).
    pub sku: Code,
    /// The product's name.
    pub product_name: Name,
    /// The product's category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Name>,
    /// The unit in which the quantities are given.
    pub unit: Code,
    /// The warehouse's code.
    pub warehouse_code: Code,
    /// The warehouse's name.
    pub warehouse_name: Name,
    /// How much lies there.
    pub on_hand: Quantity,
    /// How much is kept for somebody.
    pub reserved: Quantity,
    /// On hand less reserved; below zero where back orders are allowed and wait for goods.
    pub available: Quantity,
    /// What the goods on hand had cost, in the organisation's base currency; empty for those who
    /// do not see costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// Value ÷ on hand, rounded to 6 decimal places; empty where nothing is on hand.
    #[serde(
        default,
        with = "wide::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub average_cost: Option<Decimal>,
    /// When something last came in or left, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_moved_at: Option<DateTime>,
    /// When it was last counted, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_counted_at: Option<DateTime>,
    /// How much the last count found beyond the book; below zero where it found less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_count_difference: Option<Quantity>,
}

table!(StockItemRow as row, "stockItem" {
    product: ColumnKind::Id, indexed; "By product." => row.product;
    warehouse: ColumnKind::Id, indexed; "By warehouse." => row.warehouse;
    sku: ColumnKind::Text, indexed; "By the product's stock-keeping unit (SKU)." => row.sku;
    product_name: ColumnKind::Text; "By the product's name." => row.product_name;
    category: ColumnKind::Text, nullable; "By the product's category." => row.category;
    warehouse_code: ColumnKind::Text; "By the warehouse's code." => row.warehouse_code;
    on_hand: ColumnKind::Decimal; "By what lies there." => row.on_hand;
    reserved: ColumnKind::Decimal; "By what is kept for somebody." => row.reserved;
    available: ColumnKind::Decimal, indexed; "By on hand less reserved." => row.available;
    value: ColumnKind::Decimal, indexed, cost; "By value." => row.value;
    average_cost: ColumnKind::Decimal, nullable, cost; "By average cost." => row.average_cost;
    last_moved_at: ColumnKind::DateTime, nullable; "By the last movement." => row.last_moved_at;
    last_counted_at: ColumnKind::DateTime, nullable; "By the last count." => row.last_counted_at;
} cost ["value", "averageCost"];);

/// What one unit had cost; none where nothing is there.
pub(super) fn average_cost(value: Exact, on_hand: Exact) -> Option<Decimal> {
    if on_hand <= Exact::ZERO {
        return None;
    }
    let cost = value.checked_div(on_hand)?;
    Some(Decimal::from(cost.round_dp_with_strategy(
        6,
        RoundingStrategy::MidpointAwayFromZero,
    )))
}

pub(super) fn fold(
    fact: &Fact<'_>,
    event: &StockItemEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let id: StockItemId = fact.id()?;
    let before = match tables.get::<StockItemRow>(fact.stream)? {
        Some(row) => row.clone(),
        None => first(fact, id, tables)?,
    };
    let mut after = before.clone();
    after.stamp.touch(fact, true);
    if let StockItemEvent::StockCounted { counted, book, .. } = event {
        after.last_counted_at = Some(fact.meta.effective_at());
        after.last_count_difference = Some(*counted - *book);
    }
    let Some(movement) = movement(event) else {
        tables.insert(after);
        return Ok(());
    };
    after.apply(fact, &movement);
    totals::moved(fact, &before, &after, tables)?;
    tables.append(Line::new(fact, movement, &after));
    tables.insert(after);
    Ok(())
}

/// The row of a stock item before its first event: there is nothing of it.
fn first(fact: &Fact<'_>, id: StockItemId, tables: &mut Tables) -> Result<StockItemRow, FoldError> {
    let product = tables.require::<ProductRow>(&id.product)?;
    let warehouse = tables.require::<WarehouseRow>(&id.warehouse)?;
    Ok(StockItemRow {
        id,
        stamp: Stamp::new(fact),
        product: id.product,
        warehouse: id.warehouse,
        sku: product.sku,
        product_name: product.details.name,
        category: product.details.category,
        unit: product.details.unit,
        warehouse_code: warehouse.code,
        warehouse_name: warehouse.name,
        on_hand: Quantity::ZERO,
        reserved: Quantity::ZERO,
        available: Quantity::ZERO,
        value: Some(Decimal::default()),
        average_cost: None,
        last_moved_at: None,
        last_counted_at: None,
        last_count_difference: None,
    })
}

impl StockItemRow {
    fn apply(&mut self, fact: &Fact<'_>, movement: &Movement) {
        self.on_hand.0 += movement.on_hand;
        self.reserved.0 += movement.reserved;
        self.available = self.on_hand - self.reserved;
        let value = self.value.unwrap_or_default().0 + movement.value;
        self.value = Some(Decimal(value));
        self.average_cost = average_cost(value, self.on_hand.0);
        if !movement.on_hand.is_zero() {
            self.last_moved_at = self.last_moved_at.max(Some(fact.meta.effective_at()));
        }
    }
}

/// Goods that came or went.
fn moved(kind: MovementKind, on_hand: Exact, value: Exact, reference: &Option<Name>) -> Movement {
    Movement {
        kind,
        on_hand,
        reserved: Exact::ZERO,
        value,
        reference: reference.as_ref().map(ToString::to_string),
        other_warehouse: None,
    }
}

/// Goods that are kept for something, or no longer.
fn kept(kind: MovementKind, reserved: Exact, reference: &Name) -> Movement {
    Movement {
        reserved,
        reference: Some(reference.to_string()),
        ..moved(kind, Exact::ZERO, Exact::ZERO, &None)
    }
}

/// What an event moves; none where it only says something.
fn movement(event: &StockItemEvent) -> Option<Movement> {
    use MovementKind as K;
    use StockItemEvent as E;
    Some(match event {
        E::StockReceived {
            quantity,
            value,
            reference,
            ..
        } => moved(K::Received, quantity.0, value.amount.0, reference),
        E::StockReserved {
            quantity,
            reference,
        } => kept(K::Reserved, quantity.0, reference),
        E::ReservationReleased {
            quantity,
            reference,
        } => kept(K::Released, -quantity.0, reference),
        E::StockIssued {
            quantity,
            value,
            reservation,
            reference,
        } => {
            let reserved = reservation.as_ref().map_or(Exact::ZERO, |_| -quantity.0);
            let reference = reference.clone().or(reservation.clone());
            Movement {
                reserved,
                ..moved(K::Issued, -quantity.0, -value.amount.0, &reference)
            }
        }
        E::StockTransferredOut {
            to,
            quantity,
            value,
            reference,
        } => Movement {
            other_warehouse: Some(*to),
            ..moved(K::TransferredOut, -quantity.0, -value.amount.0, reference)
        },
        E::StockTransferredIn {
            from,
            quantity,
            value,
            reference,
        } => Movement {
            other_warehouse: Some(*from),
            ..moved(K::TransferredIn, quantity.0, value.amount.0, reference)
        },
        E::StockCounted { .. } => return None,
        E::StockAdjusted { delta, value } => moved(K::Adjusted, delta.0, value.amount.0, &None),
        E::StockWrittenOff {
            quantity,
            value,
            because,
        } => Movement {
            reference: Some(because.to_string()),
            ..moved(K::WrittenOff, -quantity.0, -value.amount.0, &None)
        },
    })
}

/// Gives the stock items of a warehouse its new name.
pub(super) fn warehouse_renamed(
    fact: &Fact<'_>,
    name: &Name,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    for id in tables.find::<StockItemRow>("warehouse", &fact.stream.cell())? {
        tables.update(fact, &id, |row: &mut StockItemRow| {
            row.warehouse_name = name.clone();
        })?;
    }
    Ok(())
}
