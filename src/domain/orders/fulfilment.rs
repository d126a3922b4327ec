//! What a shipment does to the lines of its order and to the stock behind them.
//!
//! A shipment and its order are two objects; these functions record the order's side of every
//! fact about the shipment, in the same commit. What is prepared is always reserved: where the
//! order keeps too little for a line (the allowance is used, or goods got lost and go out again),
//! the rest is reserved at preparation, if it is there.

use daybook_schema::{
    customers::CustomerId,
    kernel::{Address, Name, Quantity},
    orders::{OrderEvent, OrderId, PreparedLine, ShipmentId, ShipmentLine},
};

use super::{
    lines::{Line, Record},
    order::{Order, OrderRejection},
};
use crate::{
    Declined, Desk, amounts, amounts::positive, goods::stock_item, governance::policy,
    refusal::CommonRejection,
};

/// Who gets a shipment, and where.
pub(crate) struct Recipient {
    /// The customer.
    pub(crate) customer: CustomerId,
    /// The address, where the order names one.
    pub(crate) ship_to: Option<Address>,
}

/// The recipient of an order whose goods may go out; refuses where they may not.
pub(crate) fn recipient(desk: &Desk<'_>, order: OrderId) -> Result<Recipient, Declined> {
    let state = desk.load::<Order>(&order)?;
    let record = require_going(order, &state)?;
    Ok(Recipient {
        customer: record.customer,
        ship_to: record.ship_to.clone(),
    })
}

/// Lays a part of a line ready.
pub(crate) fn prepare_line(
    desk: &mut Desk<'_>,
    order: OrderId,
    shipment: ShipmentId,
    wanted: ShipmentLine,
) -> Result<PreparedLine, Declined> {
    let ShipmentLine { line, quantity } = wanted;
    positive(quantity, &["lines"])?;
    let state = desk.load::<Order>(&order)?;
    let found = require_going(order, &state)?.line(line)?;
    require_within_allowance(desk, found, quantity)?;
    let stock = found.stock()?;
    let reserved = found.shortage(quantity);
    if reserved.is_positive() {
        stock_item::reserve(desk, stock, reserved, Name::of_id(&order))?;
    }
    let prepared = OrderEvent::OrderLinePrepared {
        line,
        shipment,
        quantity,
        reserved,
    };
    desk.record(&order, prepared)?;
    Ok(PreparedLine {
        line,
        product: stock.product,
        warehouse: stock.warehouse,
        quantity,
    })
}

/// Takes a prepared part of a line out of the stock.
pub(crate) fn ship_line(
    desk: &mut Desk<'_>,
    order: OrderId,
    shipment: ShipmentId,
    prepared: &PreparedLine,
) -> Result<(), Declined> {
    let PreparedLine { line, quantity, .. } = *prepared;
    let state = desk.load::<Order>(&order)?;
    let stock = require_going(order, &state)?.line(line)?.stock()?;
    let (keeper, document) = (Name::of_id(&order), Name::of_id(&shipment));
    let cost = stock_item::issue_reserved(desk, stock, quantity, keeper, document)?;
    let shipped = OrderEvent::OrderLineShipped {
        line,
        shipment,
        quantity,
        cost,
    };
    Ok(desk.record(&order, shipped)?)
}

/// Puts a prepared part of a line back.
pub(crate) fn put_back_line(
    desk: &mut Desk<'_>,
    order: OrderId,
    shipment: ShipmentId,
    prepared: &PreparedLine,
) -> Result<(), Declined> {
    let PreparedLine { line, quantity, .. } = *prepared;
    let state = desk.load::<Order>(&order)?;
    let mut after = require_open(order, &state)?.clone();
    after.change(line, |line| line.prepared -= quantity);
    let left = after.line(line)?;
    let released = left.reserved_in_excess();
    give_free(desk, order, left, released)?;
    let put_back = OrderEvent::OrderLinePutBack {
        line,
        shipment,
        quantity,
        released,
    };
    Ok(desk.record(&order, put_back)?)
}

/// Notes that a shipped part of a line got lost; it is open again.
pub(crate) fn lose_line(
    desk: &mut Desk<'_>,
    order: OrderId,
    shipment: ShipmentId,
    shipped: &PreparedLine,
) -> Result<(), Declined> {
    let lost = OrderEvent::OrderLineShipmentLost {
        line: shipped.line,
        shipment,
        quantity: shipped.quantity,
    };
    Ok(desk.record(&order, lost)?)
}

/// Notes that a shipped part of a line reached the customer.
pub(crate) fn deliver_line(
    desk: &mut Desk<'_>,
    order: OrderId,
    shipment: ShipmentId,
    shipped: &PreparedLine,
) -> Result<(), Declined> {
    let delivered = OrderEvent::OrderLineDelivered {
        line: shipped.line,
        shipment,
        quantity: shipped.quantity,
    };
    Ok(desk.record(&order, delivered)?)
}

/// Completes the order if every line is delivered or cancelled, and nothing is on its way.
pub(crate) fn settle(desk: &mut Desk<'_>, order: OrderId) -> Result<(), Declined> {
    let state = desk.load::<Order>(&order)?;
    if require_open(order, &state)?.is_settled() {
        desk.record(&order, OrderEvent::OrderCompleted {})?;
    }
    Ok(())
}

/// Gives free so much of what is kept for a line, if it is anything.
pub(crate) fn give_free(
    desk: &mut Desk<'_>,
    order: OrderId,
    line: &Line,
    quantity: Quantity,
) -> Result<(), Declined> {
    if quantity.is_positive() {
        stock_item::release(desk, line.stock()?, quantity, Name::of_id(&order))?;
    }
    Ok(())
}

fn require_within_allowance(
    desk: &Desk<'_>,
    line: &Line,
    quantity: Quantity,
) -> Result<(), Declined> {
    let allowance = policy::order_rules(desk)?.over_delivery;
    let wanted = line.progress.wanted();
    let limit = Quantity(amounts::sum(wanted.0, allowance.of(wanted.0))?);
    let shipped = line.progress.shipped + line.prepared + quantity;
    if shipped > limit {
        return Err(OrderRejection::OverDelivery {
            line: line.id,
            limit,
            shipped,
        }
        .into());
    }
    Ok(())
}

/// The record of an order whose goods may go out.
fn require_going(order: OrderId, state: &Order) -> Result<&Record, Declined> {
    match state {
        Order::Placed(_) => Err(OrderRejection::OrderNotConfirmed { order }.into()),
        Order::OnHold { .. } => Err(OrderRejection::OrderOnHold { order }.into()),
        Order::Unplaced
        | Order::Confirmed(_)
        | Order::Completed { .. }
        | Order::Cancelled { .. } => require_open(order, state),
    }
}

/// The record of an order that is neither completed nor cancelled.
fn require_open(order: OrderId, state: &Order) -> Result<&Record, Declined> {
    match state {
        Order::Unplaced => Err(CommonRejection::not_found(&order)),
        Order::Placed(record) | Order::Confirmed(record) | Order::OnHold { record, .. } => {
            Ok(record)
        }
        Order::Completed { .. } => Err(OrderRejection::OrderCompleted { order }.into()),
        Order::Cancelled { .. } => Err(OrderRejection::OrderCancelled { order }.into()),
    }
}
