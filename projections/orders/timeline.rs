//! What happened to an order, step by step: the order's own steps and those of its shipments.

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    kernel::{BigInt, DateTime, Note},
    orders::{OrderEvent, OrderId, ShipmentEvent, ShipmentId},
};
use rusqlite::types::Value;

use crate::store::{
    Cell, Class, Column, ColumnKind, Entry, Fact, Snapshot, StoreError, Tables, parsed,
    parsed_option,
};

/// A step in the life of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, strum::Display, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStep {
    /// It was placed (下单).
    Placed,
    /// It was changed before its confirmation.
    Amended,
    /// It was confirmed (确认).
    Confirmed,
    /// It was stopped for the time being (暂停).
    Held,
    /// It goes on.
    Released,
    /// A line, or a part of it, was cancelled.
    LineCancelled,
    /// The whole order was cancelled (取消).
    Cancelled,
    /// Everything that was wanted has arrived (完成).
    Completed,
    /// A shipment was laid ready (备货).
    ShipmentPrepared,
    /// A shipment left (发货).
    ShipmentDispatched,
    /// A shipment will arrive later than promised.
    ShipmentDelayed,
    /// Goods of a shipment were damaged on their way.
    ShipmentDamaged,
    /// A shipment arrived (送达).
    ShipmentDelivered,
    /// A shipment got lost.
    ShipmentLost,
    /// A shipment was cancelled before it left.
    ShipmentCancelled,
}

/// One step, as it is kept.
pub(super) struct Line {
    order: String,
    position: u64,
    step: OrderStep,
    shipment: Option<String>,
    note: Option<String>,
    occurred_at: DateTime,
    recorded_at: DateTime,
}

const fn column(name: &'static str, kind: ColumnKind, nullable: bool) -> Column {
    Column {
        name,
        kind,
        nullable,
        indexed: false,
        class: None,
        description: "",
    }
}

impl Entry for Line {
    const TABLE: &'static str = "orderTimeLine";
    const COLUMNS: &'static [Column] = &[
        Column {
            indexed: true,
            ..column("order_id", ColumnKind::Id, false)
        },
        column("position", ColumnKind::Integer, false),
        column("step", ColumnKind::Text, false),
        column("shipment", ColumnKind::Id, true),
        Column {
            class: Some(Class::Personal),
            ..column("note", ColumnKind::Text, true)
        },
        column("occurred_at", ColumnKind::DateTime, false),
        column("recorded_at", ColumnKind::DateTime, false),
    ];

    fn values(self) -> Vec<Value> {
        vec![
            self.order.cell(),
            self.position.cell(),
            self.step.to_string().cell(),
            self.shipment.cell(),
            self.note.cell(),
            self.occurred_at.cell(),
            self.recorded_at.cell(),
        ]
    }
}

/// Writes down a step of the order itself. What happens to single lines follows from shipments.
pub(super) fn order(fact: &Fact<'_>, event: &OrderEvent, tables: &mut Tables) {
    use OrderEvent as E;
    let (step, note) = match event {
        E::OrderPlaced { .. } => (OrderStep::Placed, None),
        E::OrderAmended { .. } => (OrderStep::Amended, None),
        E::OrderConfirmed { .. } => (OrderStep::Confirmed, None),
        E::OrderHeld { because } => (OrderStep::Held, Some(because)),
        E::OrderReleased {} => (OrderStep::Released, None),
        E::OrderCancelled { because } => (OrderStep::Cancelled, Some(because)),
        E::OrderLineCancelled { because, .. } => (OrderStep::LineCancelled, Some(because)),
        E::OrderCompleted {} => (OrderStep::Completed, None),
        E::OrderLinePrepared { .. }
        | E::OrderLinePutBack { .. }
        | E::OrderLineShipped { .. }
        | E::OrderLineShipmentLost { .. }
        | E::OrderLineDelivered { .. } => return,
    };
    let at = fact.meta.effective_at();
    tables.append(line(fact, fact.stream.to_owned(), step, note, at));
}

/// Writes down a step of one of its shipments.
pub(super) fn shipment(
    fact: &Fact<'_>,
    event: &ShipmentEvent,
    order: OrderId,
    tables: &mut Tables,
) {
    use ShipmentEvent as E;
    let now = fact.meta.effective_at();
    let (step, note, at) = match event {
        E::ShipmentPrepared { .. } => (OrderStep::ShipmentPrepared, None, now),
        E::ShipmentDispatched { .. } => (OrderStep::ShipmentDispatched, None, now),
        E::ShipmentDelayed { because, .. } => (OrderStep::ShipmentDelayed, Some(because), now),
        E::ShipmentDamaged { note, .. } => (OrderStep::ShipmentDamaged, Some(note), now),
        E::ShipmentDelivered {
            note, delivered_at, ..
        } => (OrderStep::ShipmentDelivered, note.as_ref(), *delivered_at),
        E::ShipmentLost { note } => (OrderStep::ShipmentLost, Some(note), now),
        E::ShipmentCancelled { because } => (OrderStep::ShipmentCancelled, Some(because), now),
    };
    tables.append(Line {
        shipment: Some(fact.stream.to_owned()),
        ..line(fact, order.to_string(), step, note, at)
    });
}

fn line(
    fact: &Fact<'_>,
    order: String,
    step: OrderStep,
    note: Option<&Note>,
    occurred_at: DateTime,
) -> Line {
    Line {
        order,
        position: fact.position,
        step,
        shipment: None,
        note: note.map(ToString::to_string),
        occurred_at,
        recorded_at: fact.meta.recorded_at,
    }
}

/// A step in the life of an order.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "OrderTimeLineEntry")]
pub struct TimeLineEntry {
    /// What happened.
    pub step: OrderStep,
    /// When it happened in business.
    pub occurred_at: DateTime,
    /// When it was recorded.
    pub recorded_at: DateTime,
    /// The position of the commit that says so.
    pub position: BigInt,
    /// The shipment that it happened to.
    pub shipment_id: Option<ShipmentId>,
    /// Why, or what was remarked.
    pub note: Option<String>,
}

/// The steps of an order in the order of the record, at most `limit`.
pub fn time_line(
    snapshot: &Snapshot,
    order: OrderId,
    limit: usize,
) -> Result<Vec<TimeLineEntry>, StoreError> {
    let sql = format!(
        "SELECT step, occurred_at, recorded_at, position, shipment, note FROM orderTimeLine
         WHERE order_id = ? ORDER BY row_number LIMIT {limit}"
    );
    snapshot.select(&sql, vec![order.cell()], |row| {
        Ok(TimeLineEntry {
            step: parsed(row, 0)?,
            occurred_at: DateTime::from_micros(row.get(1)?),
            recorded_at: DateTime::from_micros(row.get(2)?),
            position: BigInt(row.get(3)?),
            shipment_id: parsed_option(row, 4)?,
            note: row.get(5)?,
        })
    })
}
