//! A shipment (发货单): what is in it, where it is, whether it is late, damaged or lost.

use async_graphql::{Enum, SimpleObject};
use daybook_schema::{
    customers::CustomerId,
    goods::{ProductId, WarehouseId},
    kernel::{Address, BigInt, Code, Date, DateTime, Name, Note, Quantity},
    orders::{OrderId, OrderLineId, PreparedLine, ShipmentEvent, ShipmentId, ShipmentLine},
};
use serde::{Deserialize, Serialize};

use super::{
    OrderRow,
    order::{self, days_between},
    timeline,
};
use crate::{
    goods::{ProductRow, WarehouseRow},
    store::{ColumnKind, Fact, FoldError, Stamp, Tables, enum_column, table},
};

/// Where a shipment is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ShipmentState {
    /// It lies ready (待发货).
    Prepared,
    /// It is on its way (运输中).
    Dispatched,
    /// It arrived (已送达).
    Delivered,
    /// It got lost on its way (丢失).
    Lost,
    /// It was cancelled before it left (已取消).
    Cancelled,
}

/// A shipment of an order's goods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ShipmentFields")]
#[serde(rename_all = "camelCase")]
pub struct ShipmentRow {
    /// The shipment's id.
    pub id: ShipmentId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its number, counted without a gap.
    pub number: BigInt,
    /// Where it is.
    pub state: ShipmentState,
    /// The order.
    #[graphql(skip)]
    pub order: OrderId,
    /// The number of the order.
    pub order_number: BigInt,
    /// The customer.
    #[graphql(skip)]
    pub customer: CustomerId,
    /// The customer's name on the day of the order.
    pub customer_name: Name,
    /// What is in it.
    pub lines: Vec<ShipmentItemRow>,
    /// Where it is shipped to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Address>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// The carrier's number for following it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<Name>,
    /// The day on which it was promised first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_promised_on: Option<Date>,
    /// The day on which it is promised now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promised_on: Option<Date>,
    /// When it was laid ready, by business time.
    pub prepared_at: DateTime,
    /// When it left, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatched_at: Option<DateTime>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime>,
    /// Who signed for it (签收人).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<Name>,
    /// What was remarked at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_note: Option<Note>,
    /// Every time that a later arrival was announced.
    pub delays: Vec<ShipmentDelay>,
    /// Every time that damage was reported.
    pub damage: Vec<DamageReport>,
    /// What is known of its loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_note: Option<Note>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_because: Option<Note>,
    /// How many days it arrived after the day that was promised first; zero or less is on time.
    /// Empty while it has not arrived, and where nothing was promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_late: Option<i32>,
}

/// Goods of one order line in a shipment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ShipmentItem")]
#[serde(rename_all = "camelCase")]
pub struct ShipmentItemRow {
    /// The order line.
    pub line_id: OrderLineId,
    /// The product.
    pub product_id: ProductId,
    /// The product's stock-keeping unit (SKU).
    pub sku: Code,
    /// The product's name when it was laid ready.
    pub name: Name,
    /// The warehouse that it comes from.
    pub warehouse_id: WarehouseId,
    /// That warehouse's code.
    pub warehouse_code: Code,
    /// How much, in the product's unit.
    pub quantity: Quantity,
}

/// A later arrival that was announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDelay {
    /// The day on which it was promised from then on.
    pub promised_on: Date,
    /// Why.
    pub because: Note,
    /// When it was announced, by business time.
    pub at: DateTime,
}

/// Damage that was reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct DamageReport {
    /// What was damaged and how.
    pub note: Note,
    /// How much of which lines, as far as it is known.
    pub lines: Vec<ShipmentLine>,
    /// When it was reported, by business time.
    pub at: DateTime,
}

table!(ShipmentRow as row, "shipment" {
    number: ColumnKind::Integer, indexed; "By number." => row.number;
    state: enum_column::<ShipmentState>(), indexed; "By where it is." => row.state.to_string();
    order_id: ColumnKind::Id, indexed; "By order." => row.order;
    customer: ColumnKind::Id, indexed; "By customer." => row.customer;
    customer_name: ColumnKind::Text; "By the customer's name." => row.customer_name;
    carrier: ColumnKind::Text, nullable, indexed; "By who carries it." => row.carrier;
    tracking_number: ColumnKind::Text, nullable, indexed; "By the carrier's number."
        => row.tracking_number;
    promised_on: ColumnKind::Date, nullable, indexed; "By the day on which it is promised."
        => row.promised_on;
    dispatched_at: ColumnKind::DateTime, nullable; "By when it left." => row.dispatched_at;
    delivered_at: ColumnKind::DateTime, nullable; "By when it arrived." => row.delivered_at;
    days_late: ColumnKind::Integer, nullable; "By days after the day that was promised first."
        => row.days_late;
    delayed: ColumnKind::Boolean; "By whether a later arrival was announced."
        => !row.delays.is_empty();
    damaged: ColumnKind::Boolean; "By whether damage was reported." => !row.damage.is_empty();
} personal [
    "shipTo.street",
    "shipTo.city",
    "shipTo.region",
    "shipTo.postalCode",
    "signedBy",
    "deliveryNote",
    "delays[].because!",
    "damage[].note!",
    "lostNote",
    "cancelledBecause",
]; held by customer;);

impl ShipmentItemRow {
    fn new(line: &PreparedLine, tables: &mut Tables) -> Result<Self, FoldError> {
        let product = tables.require::<ProductRow>(&line.product)?;
        Ok(Self {
            line_id: line.line,
            product_id: line.product,
            sku: product.sku,
            name: product.details.name,
            warehouse_id: line.warehouse,
            warehouse_code: tables.require::<WarehouseRow>(&line.warehouse)?.code,
            quantity: line.quantity,
        })
    }
}

pub(super) fn fold(
    fact: &Fact<'_>,
    event: &ShipmentEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    if let ShipmentEvent::ShipmentPrepared { .. } = event {
        return prepared(fact, event, tables);
    }
    let order = tables.require::<ShipmentRow>(&fact.stream)?.order;
    tell_order(fact, event, order, tables)?;
    tables.update(fact, &fact.stream, |row: &mut ShipmentRow| {
        change(fact, row, event);
    })?;
    timeline::shipment(fact, event, order, tables);
    Ok(())
}

fn prepared(fact: &Fact<'_>, event: &ShipmentEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let ShipmentEvent::ShipmentPrepared {
        number,
        order,
        customer,
        lines,
        ship_to,
        carrier,
        promised_on,
    } = event
    else {
        return Ok(());
    };
    let ordered = tables.require::<OrderRow>(order)?;
    let lines: Result<Vec<_>, _> = lines
        .iter()
        .map(|line| ShipmentItemRow::new(line, tables))
        .collect();
    let row = ShipmentRow {
        id: fact.id()?,
        stamp: Stamp::new(fact),
        number: BigInt(*number),
        state: ShipmentState::Prepared,
        order: *order,
        order_number: ordered.number,
        customer: *customer,
        customer_name: ordered.customer_name,
        lines: lines?,
        ship_to: ship_to.clone(),
        carrier: carrier.clone(),
        tracking_number: None,
        first_promised_on: *promised_on,
        promised_on: *promised_on,
        prepared_at: fact.meta.effective_at(),
        dispatched_at: None,
        delivered_at: None,
        signed_by: None,
        delivery_note: None,
        delays: Vec::new(),
        damage: Vec::new(),
        lost_note: None,
        cancelled_because: None,
        days_late: None,
    };
    tell_order(fact, event, *order, tables)?;
    tables.insert(row);
    timeline::shipment(fact, event, *order, tables);
    Ok(())
}

fn change(fact: &Fact<'_>, row: &mut ShipmentRow, event: &ShipmentEvent) {
    use ShipmentEvent as E;
    let at = fact.meta.effective_at();
    match event {
        E::ShipmentPrepared { .. } => {}
        E::ShipmentDispatched { tracking_number } => {
            row.state = ShipmentState::Dispatched;
            row.tracking_number = tracking_number.clone();
            row.dispatched_at = Some(at);
        }
        E::ShipmentDelayed {
            promised_on,
            because,
        } => {
            row.first_promised_on = row.first_promised_on.or(Some(*promised_on));
            row.promised_on = Some(*promised_on);
            row.delays.push(ShipmentDelay {
                promised_on: *promised_on,
                because: because.clone(),
                at,
            });
        }
        E::ShipmentDamaged { note, lines } => row.damage.push(DamageReport {
            note: note.clone(),
            lines: lines.clone(),
            at,
        }),
        E::ShipmentDelivered {
            signed_by,
            note,
            delivered_at,
        } => {
            row.state = ShipmentState::Delivered;
            row.signed_by = Some(signed_by.clone());
            row.delivery_note = note.clone();
            row.delivered_at = Some(*delivered_at);
            row.days_late = row
                .first_promised_on
                .map(|promised| days_between(promised, delivered_at.date()));
        }
        E::ShipmentLost { note } => {
            row.state = ShipmentState::Lost;
            row.lost_note = Some(note.clone());
        }
        E::ShipmentCancelled { because } => {
            row.state = ShipmentState::Cancelled;
            row.cancelled_because = Some(because.clone());
        }
    }
}

/// Takes over into the order what its row shows of its shipments.
fn tell_order(
    fact: &Fact<'_>,
    event: &ShipmentEvent,
    order: OrderId,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    use ShipmentEvent as E;
    let shipment: ShipmentId = fact.id()?;
    match event {
        E::ShipmentPrepared { carrier, .. } => order::update(fact, &order, tables, |row| {
            row.carriers.push((shipment, carrier.clone()));
        }),
        E::ShipmentCancelled { .. } => order::update(fact, &order, tables, |row| {
            row.carriers.retain(|(carried, _)| *carried != shipment);
        }),
        E::ShipmentDispatched { .. } => order::update(fact, &order, tables, |row| {
            let day = fact.meta.effective_on();
            row.first_shipped_on = Some(row.first_shipped_on.map_or(day, |first| first.min(day)));
            row.last_shipped_on = row.last_shipped_on.max(Some(day));
        }),
        E::ShipmentDelivered { delivered_at, .. } => order::update(fact, &order, tables, |row| {
            row.last_delivered_on = row.last_delivered_on.max(Some(delivered_at.date()));
        }),
        E::ShipmentDelayed { .. } | E::ShipmentDamaged { .. } | E::ShipmentLost { .. } => Ok(()),
    }
}
