//! The stock ledger (库存流水): every movement, with the balance after it.

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    goods::{ProductId, StockItemId, WarehouseId},
    kernel::{BigInt, DateTime, Decimal},
};
use rusqlite::types::Value;
use rust_decimal::Decimal as Exact;

use super::StockItemRow;
use crate::store::{
    Cell, Class, Column, ColumnKind, Entry, Fact, Snapshot, StoreError, from_millionths, parsed,
    parsed_option,
};

/// What kind of movement a line of the stock ledger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, strum::Display, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum MovementKind {
    /// Goods came in (进货).
    Received,
    /// Stock is kept for somebody (预留).
    Reserved,
    /// Kept stock was given free.
    Released,
    /// Goods left (出库).
    Issued,
    /// Goods left for another warehouse (调出).
    TransferredOut,
    /// Goods came in from another warehouse (调入).
    TransferredIn,
    /// The book was put right after a count (盘点).
    Adjusted,
    /// Goods were taken off the books (报废).
    WrittenOff,
}

/// What one event changes of a stock item; quantities and values carry their signs.
pub(super) struct Movement {
    pub(super) kind: MovementKind,
    pub(super) on_hand: Exact,
    pub(super) reserved: Exact,
    pub(super) value: Exact,
    pub(super) reference: Option<String>,
    pub(super) other_warehouse: Option<WarehouseId>,
}

/// A movement as it is kept: what moved, and the balance of the stock item after it.
pub(super) struct Line {
    pub(super) position: u64,
    pub(super) item: StockItemId,
    pub(super) movement: Movement,
    pub(super) on_hand_after: Exact,
    pub(super) reserved_after: Exact,
    pub(super) value_after: Exact,
    pub(super) recorded_at: DateTime,
    pub(super) occurred_at: DateTime,
}

impl Line {
    pub(super) fn new(fact: &Fact<'_>, movement: Movement, after: &StockItemRow) -> Self {
        Self {
            position: fact.position,
            item: after.id,
            movement,
            on_hand_after: after.on_hand.0,
            reserved_after: after.reserved.0,
            value_after: after.value.unwrap_or_default().0,
            recorded_at: fact.meta.recorded_at,
            occurred_at: fact.meta.effective_at(),
        }
    }
}

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        indexed: false,
        class: None,
        description: "",
    }
}

const fn cost(name: &'static str) -> Column {
    Column {
        class: Some(Class::Cost),
        ..column(name, ColumnKind::Decimal)
    }
}

const fn indexed(name: &'static str) -> Column {
    Column {
        indexed: true,
        ..column(name, ColumnKind::Id)
    }
}

const fn nullable(name: &'static str) -> Column {
    Column {
        nullable: true,
        ..column(name, ColumnKind::Text)
    }
}

impl Entry for Line {
    const TABLE: &'static str = "stockLedger";
    const COLUMNS: &'static [Column] = &[
        column("position", ColumnKind::Integer),
        indexed("stock_item"),
        indexed("product"),
        indexed("warehouse"),
        column("kind", ColumnKind::Text),
        column("on_hand", ColumnKind::Decimal),
        column("reserved", ColumnKind::Decimal),
        cost("value"),
        column("on_hand_after", ColumnKind::Decimal),
        column("reserved_after", ColumnKind::Decimal),
        cost("value_after"),
        nullable("reference"),
        nullable("other_warehouse"),
        column("recorded_at", ColumnKind::DateTime),
        column("occurred_at", ColumnKind::DateTime),
    ];

    fn values(self) -> Vec<Value> {
        let Movement {
            kind,
            on_hand,
            reserved,
            value,
            reference,
            other_warehouse,
        } = self.movement;
        vec![
            self.position.cell(),
            self.item.to_string().cell(),
            self.item.product.cell(),
            self.item.warehouse.cell(),
            kind.to_string().cell(),
            on_hand.cell(),
            reserved.cell(),
            value.cell(),
            self.on_hand_after.cell(),
            self.reserved_after.cell(),
            self.value_after.cell(),
            reference.cell(),
            other_warehouse.cell(),
            self.recorded_at.cell(),
            self.occurred_at.cell(),
        ]
    }
}

/// One line of the stock ledger. Quantities are in the product's unit and values in the
/// organisation's base currency; changes carry their sign.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "StockMovementFields")]
pub struct StockMovement {
    /// The line's number in the whole ledger, counted from 1.
    pub number: BigInt,
    /// The position of the commit that moved it.
    pub position: BigInt,
    /// The stock item.
    #[graphql(skip)]
    pub stock_item: StockItemId,
    /// The other warehouse of a transfer.
    #[graphql(skip)]
    pub other_warehouse: Option<WarehouseId>,
    /// What kind of movement it is.
    pub kind: MovementKind,
    /// The change of what is on hand.
    pub on_hand_change: Decimal,
    /// The change of what is reserved.
    pub reserved_change: Decimal,
    /// The change of the value; empty for those who do not see costs.
    pub value_change: Option<Decimal>,
    /// What was on hand after it.
    pub on_hand: Decimal,
    /// What was reserved after it.
    pub reserved: Decimal,
    /// The value after it; empty for those who do not see costs.
    pub value: Option<Decimal>,
    /// Why it moved: a document, the id of an order or a shipment, or words.
    pub reference: Option<String>,
    /// When it was recorded.
    pub recorded_at: DateTime,
    /// When it happened in business.
    pub occurred_at: DateTime,
}

/// Which lines of the stock ledger are wanted; all restrictions that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct LedgerFilter {
    /// Of this stock item.
    pub stock_item: Option<StockItemId>,
    /// Of this product.
    pub product: Option<ProductId>,
    /// In this warehouse.
    pub warehouse: Option<WarehouseId>,
    /// After this line, in the order that is wanted.
    pub after: Option<u64>,
    /// The newest lines first.
    pub newest_first: bool,
}

impl LedgerFilter {
    fn sql(&self, limit: usize) -> (String, Vec<Value>) {
        let (beyond, way) = if self.newest_first {
            ("row_number < ?", "DESC")
        } else {
            ("row_number > ?", "ASC")
        };
        let item = self.stock_item.map(|item| item.to_string().cell());
        let restrictions = [
            ("stock_item = ?", item),
            ("product = ?", self.product.map(|product| product.cell())),
            ("warehouse = ?", self.warehouse.map(|place| place.cell())),
            (beyond, self.after.map(|number| number.cell())),
        ];
        let mut wheres = vec!["1"];
        let mut values = Vec::new();
        for (text, value) in restrictions {
            if let Some(value) = value {
                wheres.push(text);
                values.push(value);
            }
        }
        let sql = format!(
            "SELECT row_number, position, stock_item, kind, on_hand, reserved, value,
                    on_hand_after, reserved_after, value_after, reference, other_warehouse,
                    recorded_at, occurred_at
             FROM stockLedger WHERE {} ORDER BY row_number {way} LIMIT {limit}",
            wheres.join(" AND ")
        );
        (sql, values)
    }
}

/// Lines of the stock ledger, at most `limit`.
pub fn movements(
    snapshot: &Snapshot,
    filter: &LedgerFilter,
    limit: usize,
) -> Result<Vec<StockMovement>, StoreError> {
    let (sql, values) = filter.sql(limit);
    snapshot.select(&sql, values, movement)
}

fn movement(row: &rusqlite::Row<'_>) -> rusqlite::Result<StockMovement> {
    let decimal = |column: usize| row.get(column).map(|kept| Decimal(from_millionths(kept)));
    let cost = |column: usize| {
        let kept: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(kept.map(|kept| Decimal(from_millionths(kept))))
    };
    Ok(StockMovement {
        number: BigInt(row.get(0)?),
        position: BigInt(row.get(1)?),
        stock_item: parsed(row, 2)?,
        kind: parsed(row, 3)?,
        on_hand_change: decimal(4)?,
        reserved_change: decimal(5)?,
        value_change: cost(6)?,
        on_hand: decimal(7)?,
        reserved: decimal(8)?,
        value: cost(9)?,
        reference: row.get(10)?,
        other_warehouse: parsed_option(row, 11)?,
        recorded_at: DateTime::from_micros(row.get(12)?),
        occurred_at: DateTime::from_micros(row.get(13)?),
    })
}
