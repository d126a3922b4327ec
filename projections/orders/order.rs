//! An order with its lines (订单), joined with the names that people know them by.

use async_graphql::SimpleObject;
use daybook_schema::{
    customers::CustomerId,
    goods::{PriceExplanation, ProductId, WarehouseId},
    kernel::{
        Actor, Address, Amount, BigInt, Code, Currency, Date, DateTime, Decimal, Money, Name, Note,
        Quantity,
    },
    orders::{
        ConfirmedLine, LineProgress, OrderEvent, OrderId, OrderLine, OrderLineId, OrderPhase,
        OrderStatus, ShipmentId,
    },
    pipeline::OpportunityId,
};
use serde::{Deserialize, Serialize};

use super::{sales, timeline};
use crate::{
    customers::CustomerRow,
    goods::{ProductRow, WarehouseRow},
    store::{ColumnKind, Fact, FoldError, Row as _, Stamp, Tables, enum_column, table, wide},
};

/// A customer's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "OrderFields")]
#[serde(rename_all = "camelCase")]
pub struct OrderRow {
    /// The order's id.
    pub id: OrderId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its number, counted without a gap.
    pub number: BigInt,
    /// How far it has come.
    pub status: OrderStatus,
    /// The customer.
    #[graphql(skip)]
    pub customer: CustomerId,
    /// The customer's name on the day of the order.
    pub customer_name: Name,
    /// The customer's country on the day of the order; totals use it where no address is given.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_country: Option<Name>,
    /// The day of the order.
    pub ordered_on: Date,
    /// The currency of all prices and amounts.
    pub currency: Currency,
    /// The sum of what is left of the lines, exactly. A cancelled order keeps its amounts.
    pub lines_net: Amount,
    /// Freight and other charges.
    pub charges: Money,
    /// What is left of the lines and the charges together, rounded once to the minor unit.
    pub total: Money,
    /// What the shipped goods had cost, in the organisation's base currency; goods that got lost
    /// on their way are included.
    #[serde(
        default,
        with = "wide::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub cost: Option<Decimal>,
    /// Where it is shipped to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Address>,
    /// The day on which the customer wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_on: Option<Date>,
    /// The way in which it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed_through: Option<Code>,
    /// Who sold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salesperson: Option<Actor>,
    /// The opportunity that it closes.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// The customer's own order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<Name>,
    /// The number it has in another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_number: Option<Code>,
    /// When it was confirmed, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<DateTime>,
    /// Why it is on hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_because: Option<Note>,
    /// Why it was cancelled as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_because: Option<Note>,
    /// When everything that was wanted had arrived, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime>,
    /// Who carries its first shipment that was not cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// The day on which its first goods left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_shipped_on: Option<Date>,
    /// The day on which its last goods left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_shipped_on: Option<Date>,
    /// The day on which its last goods arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_on: Option<Date>,
    /// Days from the order until its first goods left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_to_ship: Option<i32>,
    /// Whether some of its goods left only after the day on which the customer wanted them.
    pub shipped_late: bool,
    // Late in the document, so that answers without lines need not read past them.
    /// What was ordered.
    pub lines: Vec<OrderLineRow>,
    /// Its shipments that were not cancelled, oldest first, each with its carrier.
    #[graphql(skip)]
    pub carriers: Vec<(ShipmentId, Option<Name>)>,
}

/// One line of an order. Quantities are in the product's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "OrderLine")]
#[serde(rename_all = "camelCase")]
pub struct OrderLineRow {
    /// The line's id.
    pub id: OrderLineId,
    /// The product.
    pub product_id: ProductId,
    /// The product's stock-keeping unit (SKU).
    pub sku: Code,
    /// The product's name on the day of the order.
    pub name: Name,
    /// The product's category on the day of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Name>,
    /// The warehouse that it is shipped from, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warehouse_id: Option<WarehouseId>,
    /// That warehouse's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warehouse_code: Option<Code>,
    /// How much was ordered.
    pub ordered: Quantity,
    /// How much of it was cancelled.
    pub cancelled: Quantity,
    /// How much the stock keeps for the line.
    pub reserved: Quantity,
    /// How much lies ready in shipments that were not dispatched.
    pub prepared: Quantity,
    /// How much left the warehouse and did not get lost; delivered goods included.
    pub shipped: Quantity,
    /// How much reached the customer.
    pub delivered: Quantity,
    /// How much is wanted and neither shipped nor prepared.
    pub open: Quantity,
    /// Why the line costs what it costs.
    pub price: PriceExplanation,
    /// What is left of it: quantity × unit price × (1 − discount), rounded to 6 decimal places.
    pub net: Amount,
    /// What its shipped goods had cost, in the organisation's base currency.
    #[serde(
        default,
        with = "wide::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub cost: Option<Decimal>,
}

table!(OrderRow as row, "order" {
    number: ColumnKind::Integer, indexed; "By number." => row.number;
    status: enum_column::<OrderStatus>(), indexed; "By how far it has come." => row.status;
    customer: ColumnKind::Id, indexed; "By customer." => row.customer;
    customer_name: ColumnKind::Text; "By the customer's name." => row.customer_name;
    ordered_on: ColumnKind::Date, indexed; "By the day of the order." => row.ordered_on;
    currency: ColumnKind::Text; "By currency." => row.currency;
    lines_net: ColumnKind::Decimal; "By the sum of the lines." => row.lines_net.amount;
    charges: ColumnKind::Decimal; "By charges." => row.charges.amount();
    total: ColumnKind::Decimal, indexed; "By what is to be paid." => row.total.amount();
    country: ColumnKind::Text, nullable; "By the country that it is shipped to."
        => row.country();
    requested_on: ColumnKind::Date, nullable, indexed; "By the day on which it is wanted."
        => row.requested_on;
    placed_through: ColumnKind::Text, nullable; "By the way in which it was placed."
        => row.placed_through;
    salesperson: ColumnKind::Text, nullable, indexed; "By who sold it." => row.salesperson;
    opportunity: ColumnKind::Id, nullable, indexed; "By the opportunity that it closes."
        => row.opportunity;
    customer_reference: ColumnKind::Text, nullable; "By the customer's own order number."
        => row.customer_reference;
    external_number: ColumnKind::Text, nullable, indexed; "By the number in another system."
        => row.external_number;
    carrier: ColumnKind::Text, nullable; "By who carries it." => row.carrier;
    first_shipped_on: ColumnKind::Date, nullable; "By when its first goods left."
        => row.first_shipped_on;
    last_delivered_on: ColumnKind::Date, nullable; "By when its last goods arrived."
        => row.last_delivered_on;
    days_to_ship: ColumnKind::Integer, nullable; "By days until its first goods left."
        => row.days_to_ship;
    shipped_late: ColumnKind::Boolean; "By whether goods left after they were wanted."
        => row.shipped_late;
    created_at: ColumnKind::DateTime; "By when it was recorded." => row.stamp.created_at;
} search order_words(row); personal [
    "shipTo.street", "shipTo.city", "shipTo.region", "shipTo.postalCode",
    "heldBecause", "cancelledBecause",
]; cost ["cost", "lines[].cost"]; held by customer;);

fn order_words(row: &OrderRow) -> String {
    let mut words = vec![row.number.to_string(), row.customer_name.to_string()];
    words.extend(row.external_number.as_ref().map(ToString::to_string));
    words.extend(row.customer_reference.as_ref().map(ToString::to_string));
    for line in &row.lines {
        words.extend([line.sku.to_string(), line.name.to_string()]);
    }
    words.join("\n")
}

impl OrderLineRow {
    fn new(line: &OrderLine, tables: &mut Tables) -> Result<Self, FoldError> {
        let category = tables
            .require::<ProductRow>(&line.product)?
            .details
            .category;
        let warehouse_code = match &line.warehouse {
            Some(id) => Some(tables.require::<WarehouseRow>(id)?.code),
            None => None,
        };
        Ok(Self {
            id: line.line,
            product_id: line.product,
            sku: line.sku.clone(),
            name: line.name.clone(),
            category,
            warehouse_id: line.warehouse,
            warehouse_code,
            ordered: line.quantity,
            cancelled: Quantity::ZERO,
            reserved: Quantity::ZERO,
            prepared: Quantity::ZERO,
            shipped: Quantity::ZERO,
            delivered: Quantity::ZERO,
            open: line.quantity,
            price: line.price.clone(),
            net: line.net,
            cost: None,
        })
    }

    /// Ordered, cancelled, shipped, delivered.
    pub(super) fn progress(&self) -> LineProgress {
        LineProgress {
            ordered: self.ordered,
            cancelled: self.cancelled,
            shipped: self.shipped,
            delivered: self.delivered,
        }
    }
}

fn lines(lines: &[OrderLine], tables: &mut Tables) -> Result<Vec<OrderLineRow>, FoldError> {
    lines
        .iter()
        .map(|line| OrderLineRow::new(line, tables))
        .collect()
}

impl OrderRow {
    /// The country that it is shipped to; the customer's, where no address is given.
    pub(super) fn country(&self) -> Option<Name> {
        let ship_to = self.ship_to.as_ref();
        ship_to
            .and_then(|address| address.country.clone())
            .or_else(|| self.customer_country.clone())
    }

    fn phase(&self) -> OrderPhase {
        if self.cancelled_because.is_some() {
            OrderPhase::Cancelled
        } else if self.held_because.is_some() {
            OrderPhase::OnHold
        } else if self.confirmed_at.is_some() {
            OrderPhase::Confirmed
        } else {
            OrderPhase::Placed
        }
    }

    /// Brings up to date what follows from the rest.
    fn derive(&mut self) {
        for line in &mut self.lines {
            let open = line.progress().wanted() - line.shipped - line.prepared;
            line.open = open.max(Quantity::ZERO);
        }
        let progress = self.lines.iter().map(OrderLineRow::progress);
        self.status = OrderStatus::derive(self.phase(), progress);
        self.carrier = self
            .carriers
            .iter()
            .find_map(|(_, carrier)| carrier.clone());
        self.days_to_ship = self
            .first_shipped_on
            .map(|day| days_between(self.ordered_on, day));
        self.shipped_late = self
            .last_shipped_on
            .zip(self.requested_on)
            .is_some_and(|(shipped, wanted)| shipped > wanted);
    }
}

/// Whole days from one day to another; less than zero where the other is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i32 {
    i32::try_from(to.0.signed_duration_since(from.0).num_days()).unwrap_or(i32::MAX)
}

pub(super) fn fold(
    fact: &Fact<'_>,
    event: &OrderEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    use OrderEvent as E;
    match event {
        E::OrderPlaced { .. } => placed(fact, event, tables)?,
        E::OrderAmended { .. } => amended(fact, event, tables)?,
        E::OrderConfirmed { lines } => confirmed(fact, lines, tables)?,
        E::OrderHeld { because } => in_place(fact, tables, |row| {
            row.held_because = Some(because.clone());
        })?,
        E::OrderReleased {} => in_place(fact, tables, |row| row.held_because = None)?,
        E::OrderCancelled { because } => restated(fact, tables, |row| row.cancel(because))?,
        E::OrderCompleted {} => in_place(fact, tables, |row| {
            row.completed_at = Some(fact.meta.effective_at());
            row.held_because = None;
        })?,
        E::OrderLineCancelled { .. } => line_cancelled(fact, event, tables)?,
        E::OrderLinePrepared {
            line,
            quantity,
            reserved,
            ..
        } => on_line(fact, *line, tables, |line| {
            line.prepared += *quantity;
            line.reserved += *reserved;
        })?,
        E::OrderLinePutBack {
            line,
            quantity,
            released,
            ..
        } => on_line(fact, *line, tables, |line| {
            line.prepared -= *quantity;
            line.reserved -= *released;
        })?,
        E::OrderLineShipped {
            line,
            quantity,
            cost,
            ..
        } => on_line(fact, *line, tables, |line| {
            line.prepared -= *quantity;
            line.reserved -= *quantity;
            line.shipped += *quantity;
            line.cost = Some(Decimal(line.cost.unwrap_or_default().0 + cost.amount.0));
        })?,
        E::OrderLineShipmentLost { line, quantity, .. } => on_line(fact, *line, tables, |line| {
            line.shipped -= *quantity;
        })?,
        E::OrderLineDelivered { line, quantity, .. } => on_line(fact, *line, tables, |line| {
            line.delivered += *quantity;
        })?,
    }
    timeline::order(fact, event, tables);
    Ok(())
}

fn placed(fact: &Fact<'_>, event: &OrderEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let OrderEvent::OrderPlaced {
        number,
        customer,
        currency,
        lines: ordered,
        lines_net,
        charges,
        total,
        ship_to,
        requested_on,
        placed_through,
        salesperson,
        opportunity,
        customer_reference,
        external_number,
    } = event
    else {
        return Ok(());
    };
    let details = tables.require::<CustomerRow>(customer)?.details;
    let mut row = OrderRow {
        id: fact.id()?,
        stamp: Stamp::new(fact),
        number: BigInt(*number),
        status: OrderStatus::Placed,
        customer: *customer,
        customer_name: details.name,
        customer_country: details.address.and_then(|address| address.country),
        ordered_on: fact.meta.effective_on(),
        currency: *currency,
        lines: lines(ordered, tables)?,
        lines_net: *lines_net,
        charges: *charges,
        total: *total,
        cost: None,
        ship_to: ship_to.clone(),
        requested_on: *requested_on,
        placed_through: placed_through.clone(),
        salesperson: salesperson.clone(),
        opportunity: *opportunity,
        customer_reference: customer_reference.clone(),
        external_number: external_number.clone(),
        confirmed_at: None,
        held_because: None,
        cancelled_because: None,
        completed_at: None,
        carrier: None,
        first_shipped_on: None,
        last_shipped_on: None,
        last_delivered_on: None,
        days_to_ship: None,
        shipped_late: false,
        carriers: Vec::new(),
    };
    row.derive();
    sales::moved(fact, None, &row, tables)?;
    tables.insert(row);
    Ok(())
}

fn amended(fact: &Fact<'_>, event: &OrderEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let OrderEvent::OrderAmended {
        lines: ordered,
        lines_net,
        charges,
        total,
        ship_to,
        requested_on,
        customer_reference,
    } = event
    else {
        return Ok(());
    };
    let ordered = lines(ordered, tables)?;
    restated(fact, tables, |row| {
        row.lines = ordered;
        row.lines_net = *lines_net;
        row.charges = *charges;
        row.total = *total;
        row.ship_to = ship_to.clone();
        row.requested_on = *requested_on;
        row.customer_reference = customer_reference.clone();
    })
}

fn confirmed(
    fact: &Fact<'_>,
    sources: &[ConfirmedLine],
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let mut codes = Vec::with_capacity(sources.len());
    for source in sources {
        codes.push(tables.require::<WarehouseRow>(&source.warehouse)?.code);
    }
    in_place(fact, tables, |row| {
        row.confirmed_at = Some(fact.meta.effective_at());
        for (source, code) in sources.iter().zip(codes) {
            let mut lines = row.lines.iter_mut();
            if let Some(line) = lines.find(|line| line.id == source.line) {
                line.warehouse_id = Some(source.warehouse);
                line.warehouse_code = Some(code);
                line.reserved = source.reserved;
            }
        }
    })
}

fn line_cancelled(
    fact: &Fact<'_>,
    event: &OrderEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let OrderEvent::OrderLineCancelled {
        line,
        quantity,
        released,
        net,
        lines_net,
        total,
        ..
    } = event
    else {
        return Ok(());
    };
    require_line(fact, *line, tables)?;
    restated(fact, tables, |row| {
        row.lines_net = *lines_net;
        row.total = *total;
        row.change(*line, |line| {
            line.cancelled += *quantity;
            line.reserved -= *released;
            line.net = *net;
        });
    })
}

impl OrderRow {
    fn change(&mut self, id: OrderLineId, change: impl FnOnce(&mut OrderLineRow)) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            change(line);
        }
    }

    /// Nothing of a cancelled order is prepared or shipped, so all of every line is cancelled.
    fn cancel(&mut self, because: &Note) {
        self.cancelled_because = Some(because.clone());
        for line in &mut self.lines {
            line.cancelled = line.ordered;
            line.reserved = Quantity::ZERO;
        }
    }
}

/// Changes an order in a way that no total shows.
fn in_place(
    fact: &Fact<'_>,
    tables: &mut Tables,
    change: impl FnOnce(&mut OrderRow),
) -> Result<(), FoldError> {
    tables.update(fact, &fact.stream, |row: &mut OrderRow| {
        change(row);
        row.derive();
    })
}

/// Changes one line in a way that no total shows.
fn on_line(
    fact: &Fact<'_>,
    id: OrderLineId,
    tables: &mut Tables,
    change: impl FnOnce(&mut OrderLineRow),
) -> Result<(), FoldError> {
    require_line(fact, id, tables)?;
    in_place(fact, tables, |row| {
        row.change(id, change);
        let costs = row.lines.iter().filter_map(|line| line.cost);
        row.cost = costs
            .map(|cost| cost.0)
            .reduce(|sum, cost| sum + cost)
            .map(Decimal);
    })
}

fn require_line(fact: &Fact<'_>, id: OrderLineId, tables: &mut Tables) -> Result<(), FoldError> {
    let row = tables.get::<OrderRow>(fact.stream)?;
    if row.is_some_and(|row| row.lines.iter().any(|line| line.id == id)) {
        return Ok(());
    }
    Err(FoldError::Missing {
        table: OrderRow::TABLE,
        id: format!("{}/{id}", fact.stream),
    })
}

/// Changes the order of the event in a way that totals show.
fn restated(
    fact: &Fact<'_>,
    tables: &mut Tables,
    change: impl FnOnce(&mut OrderRow),
) -> Result<(), FoldError> {
    update(fact, &fact.stream, tables, change)
}

/// Changes an order, also by a fact about one of its shipments, and the totals with it.
pub(super) fn update(
    fact: &Fact<'_>,
    id: &impl ToString,
    tables: &mut Tables,
    change: impl FnOnce(&mut OrderRow),
) -> Result<(), FoldError> {
    let before = tables.require::<OrderRow>(id)?;
    let mut after = before.clone();
    after.stamp.touch(fact, fact.stream == id.to_string());
    change(&mut after);
    after.derive();
    sales::moved(fact, Some(&before), &after, tables)?;
    tables.insert(after);
    Ok(())
}
