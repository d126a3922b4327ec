//! A customer's order. Placed → confirmed → completed, with a hold at any time before, or
//! cancelled before anything is prepared.
//! Invariants: lines and prices never change after confirmation; totals equal the sum of what is
//! wanted; a confirmed order keeps stock for every open line; nothing prepared or shipped is
//! cancelled. Partly and wholly shipped or delivered are not states: they follow from the lines.

use daybook_schema::{
    customers::CustomerId,
    goods::{PriceListId, ProductId, WarehouseId},
    governance::NumberSeriesId,
    kernel::{Date, Money, Name, Note, Quantity},
    orders::{
        AmendOrder, CancelOrderLine, ConfirmedLine, OrderCommand, OrderEvent, OrderId, OrderLine,
        OrderLineId, PlaceOrder,
    },
};

use super::{
    fulfilment,
    lines::{Line, Record},
    pricing::{self, Totals},
};
use crate::{
    Aggregate, Declined, Desk,
    amounts::positive,
    customers::customer,
    goods::stock_item,
    governance::{natural_key, number_series},
    pipeline::opportunity,
    refusal::{CommonRejection, rejection},
};

/// The order's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Order {
    /// Nothing was ordered yet.
    #[default]
    Unplaced,
    /// Ordered; lines and prices may still change.
    Placed(Record),
    /// Confirmed; goods are kept for it and go out.
    Confirmed(Record),
    /// Stopped for the time being.
    OnHold {
        /// The order.
        record: Record,
        /// Whether it was confirmed before.
        confirmed: bool,
    },
    /// The customer has everything.
    Completed {
        /// Whose order it was.
        customer: CustomerId,
    },
    /// Called off.
    Cancelled {
        /// Whose order it was.
        customer: CustomerId,
    },
}

/// The rules about orders.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderRejection {
    /// An order without a line or with too many.
    #[error("an order has 1 to 200 lines, not {count}")]
    LineCountOutOfRange {
        /// How many were given.
        count: usize,
    },
    /// A discount below nothing or above the whole.
    #[error("a discount of {discount} basis points is not 0 to 10000")]
    DiscountOutOfRange {
        /// What was given, in basis points.
        discount: i32,
    },
    /// A line names neither a unit price nor a price list.
    #[error("the line of `{product}` names neither a unit price nor a price list")]
    PriceMissing {
        /// The product.
        product: ProductId,
    },
    /// The price list says nothing for the product, the quantity and the day.
    #[error("`{price_list}` has no price for {quantity} of `{product}` on {on}")]
    NoPriceInForce {
        /// The product.
        product: ProductId,
        /// The price list.
        price_list: PriceListId,
        /// How much is bought.
        quantity: Quantity,
        /// The day of the order.
        on: Date,
    },
    /// The line is not on the order.
    #[error("`{line}` is not a line of the order")]
    LineUnknown {
        /// The line.
        line: OrderLineId,
    },
    /// Nobody said where the line is shipped from.
    #[error("no warehouse is known for `{line}`")]
    LineWithoutWarehouse {
        /// The line.
        line: OrderLineId,
    },
    /// Less is open than is to be cancelled.
    #[error("`{line}` has {open} neither prepared nor shipped, {wanted} are to be cancelled")]
    LineNotOpen {
        /// The line.
        line: OrderLineId,
        /// How much is open.
        open: Quantity,
        /// How much was to be cancelled.
        wanted: Quantity,
    },
    /// More is prepared and shipped than the customer wants and the allowance permits.
    #[error("`{line}` may be shipped up to {limit}, with this it would be {shipped}")]
    OverDelivery {
        /// The line.
        line: OrderLineId,
        /// How much may be prepared and shipped.
        limit: Quantity,
        /// How much would be.
        shipped: Quantity,
    },
    /// The order is not confirmed.
    #[error("order `{order}` is not confirmed")]
    OrderNotConfirmed {
        /// The order.
        order: OrderId,
    },
    /// The order is confirmed.
    #[error("order `{order}` is confirmed")]
    OrderConfirmed {
        /// The order.
        order: OrderId,
    },
    /// The order is stopped.
    #[error("order `{order}` is on hold")]
    OrderOnHold {
        /// The order.
        order: OrderId,
    },
    /// The order is not stopped.
    #[error("order `{order}` is not on hold")]
    OrderNotOnHold {
        /// The order.
        order: OrderId,
    },
    /// Goods are prepared or shipped.
    #[error("goods of order `{order}` are prepared or shipped")]
    OrderUnderWay {
        /// The order.
        order: OrderId,
    },
    /// The customer has everything.
    #[error("order `{order}` is completed")]
    OrderCompleted {
        /// The order.
        order: OrderId,
    },
    /// It was called off.
    #[error("order `{order}` is cancelled")]
    OrderCancelled {
        /// The order.
        order: OrderId,
    },
    /// Another customer placed it.
    #[error("order `{order}` is not an order of customer `{customer}`")]
    OrderOfAnotherCustomer {
        /// The order.
        order: OrderId,
        /// Whose order it should have been.
        customer: CustomerId,
    },
}
rejection!(
    OrderRejection,
    Self::LineCountOutOfRange { .. }
    | Self::DiscountOutOfRange { .. }
    | Self::PriceMissing { .. }
    | Self::NoPriceInForce { .. }
    | Self::OverDelivery { .. } => ["lines"],
    Self::LineUnknown { .. } => ["line"],
    Self::LineWithoutWarehouse { .. } => ["defaultWarehouse"],
    Self::LineNotOpen { .. } => ["quantity"],
    Self::OrderNotConfirmed { .. }
    | Self::OrderConfirmed { .. }
    | Self::OrderOnHold { .. }
    | Self::OrderNotOnHold { .. }
    | Self::OrderUnderWay { .. }
    | Self::OrderCompleted { .. }
    | Self::OrderCancelled { .. }
    | Self::OrderOfAnotherCustomer { .. } => ["order"],
);

impl Aggregate for Order {
    type Id = OrderId;
    type Event = OrderEvent;

    fn evolve(self, event: &OrderEvent) -> Self {
        use OrderEvent as E;
        match event {
            E::OrderPlaced {
                customer,
                currency,
                lines,
                charges,
                ship_to,
                ..
            } => Self::Placed(Record {
                customer: *customer,
                currency: *currency,
                charges: *charges,
                ship_to: ship_to.clone(),
                lines: lines.iter().map(Line::from).collect(),
            }),
            E::OrderAmended {
                lines,
                charges,
                ship_to,
                ..
            } => self.with(|record| {
                record.charges = *charges;
                record.ship_to = ship_to.clone();
                record.lines = lines.iter().map(Line::from).collect();
            }),
            E::OrderConfirmed { lines } => self.confirmed(lines),
            E::OrderHeld { .. } => self.held(),
            E::OrderReleased {} => self.released(),
            E::OrderCancelled { .. } => match self.customer() {
                Some(customer) => Self::Cancelled { customer },
                None => self,
            },
            E::OrderCompleted {} => match self.customer() {
                Some(customer) => Self::Completed { customer },
                None => self,
            },
            E::OrderLineCancelled { line, .. }
            | E::OrderLinePrepared { line, .. }
            | E::OrderLinePutBack { line, .. }
            | E::OrderLineShipped { line, .. }
            | E::OrderLineShipmentLost { line, .. }
            | E::OrderLineDelivered { line, .. } => {
                self.with(|record| record.change(*line, |line| advance(line, event)))
            }
        }
    }
}

/// Moves one line on by a fact about it.
fn advance(line: &mut Line, event: &OrderEvent) {
    use OrderEvent as E;
    match event {
        E::OrderLineCancelled {
            quantity, released, ..
        } => {
            line.progress.cancelled += *quantity;
            line.reserved -= *released;
        }
        E::OrderLinePrepared {
            quantity, reserved, ..
        } => {
            line.prepared += *quantity;
            line.reserved += *reserved;
        }
        E::OrderLinePutBack {
            quantity, released, ..
        } => {
            line.prepared -= *quantity;
            line.reserved -= *released;
        }
        E::OrderLineShipped { quantity, .. } => {
            line.prepared -= *quantity;
            line.reserved -= *quantity;
            line.progress.shipped += *quantity;
        }
        E::OrderLineShipmentLost { quantity, .. } => line.progress.shipped -= *quantity,
        E::OrderLineDelivered { quantity, .. } => line.progress.delivered += *quantity,
        E::OrderPlaced { .. }
        | E::OrderAmended { .. }
        | E::OrderConfirmed { .. }
        | E::OrderHeld { .. }
        | E::OrderReleased {}
        | E::OrderCancelled { .. }
        | E::OrderCompleted {} => {}
    }
}

impl Order {
    /// Whose order it is; none where nothing was ordered.
    fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Unplaced => None,
            Self::Placed(record) | Self::Confirmed(record) | Self::OnHold { record, .. } => {
                Some(record.customer)
            }
            Self::Completed { customer } | Self::Cancelled { customer } => Some(*customer),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Record)) -> Self {
        if let Self::Placed(record) | Self::Confirmed(record) | Self::OnHold { record, .. } =
            &mut self
        {
            change(record);
        }
        self
    }

    fn confirmed(self, sources: &[ConfirmedLine]) -> Self {
        match self {
            Self::Placed(mut record) => {
                for source in sources {
                    record.change(source.line, |line| {
                        line.warehouse = Some(source.warehouse);
                        line.reserved = source.reserved;
                    });
                }
                Self::Confirmed(record)
            }
            other => other,
        }
    }

    fn held(self) -> Self {
        match self {
            Self::Placed(record) => Self::OnHold {
                record,
                confirmed: false,
            },
            Self::Confirmed(record) => Self::OnHold {
                record,
                confirmed: true,
            },
            other => other,
        }
    }

    fn released(self) -> Self {
        match self {
            Self::OnHold {
                record,
                confirmed: true,
            } => Self::Confirmed(record),
            Self::OnHold {
                record,
                confirmed: false,
            } => Self::Placed(record),
            other => other,
        }
    }
}

/// Refuses unless the order is one of this customer.
pub(crate) fn require_of_customer(
    desk: &Desk<'_>,
    order: OrderId,
    customer: CustomerId,
) -> Result<(), Declined> {
    match desk.load::<Order>(&order)?.customer() {
        Some(placed_by) if placed_by == customer => Ok(()),
        Some(_) => Err(OrderRejection::OrderOfAnotherCustomer { order, customer }.into()),
        None => Err(CommonRejection::not_found(&order)),
    }
}

pub(crate) fn decide(command: OrderCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use OrderCommand as C;
    use OrderRejection as R;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Order>(&id)?, command) {
        (Order::Unplaced, C::PlaceOrder(command)) => place(id, command, desk),
        (Order::Unplaced, _) => Err(CommonRejection::not_found(&id)),

        (Order::Placed(record), C::AmendOrder(command)) => amend(id, record, command, desk),
        (Order::Placed(record), C::ConfirmOrder(command)) => {
            confirm(id, record, command.default_warehouse, desk)
        }
        (Order::Confirmed(_), C::AmendOrder(_) | C::ConfirmOrder(_)) => {
            Err(R::OrderConfirmed { order: id }.into())
        }
        (Order::OnHold { .. }, C::AmendOrder(_) | C::ConfirmOrder(_) | C::HoldOrder(_)) => {
            Err(R::OrderOnHold { order: id }.into())
        }

        (Order::Placed(_) | Order::Confirmed(_), C::HoldOrder(command)) => {
            let because = command.because;
            Ok(desk.record(&id, OrderEvent::OrderHeld { because })?)
        }
        (Order::Placed(_) | Order::Confirmed(_), C::ReleaseOrder(_)) => {
            Err(R::OrderNotOnHold { order: id }.into())
        }
        (Order::OnHold { .. }, C::ReleaseOrder(_)) => {
            Ok(desk.record(&id, OrderEvent::OrderReleased {})?)
        }

        (
            Order::Placed(record) | Order::Confirmed(record) | Order::OnHold { record, .. },
            C::CancelOrder(command),
        ) => cancel(id, record, command.because, desk),
        (
            Order::Placed(record) | Order::Confirmed(record) | Order::OnHold { record, .. },
            C::CancelOrderLine(command),
        ) => cancel_line(id, record, command, desk),

        (Order::Placed(_) | Order::Confirmed(_) | Order::OnHold { .. }, C::PlaceOrder(_)) => {
            Err(CommonRejection::already_exists(&id))
        }

        (Order::Completed { .. }, _) => Err(R::OrderCompleted { order: id }.into()),
        (Order::Cancelled { .. }, _) => Err(R::OrderCancelled { order: id }.into()),
    }
}

fn place(id: OrderId, command: PlaceOrder, desk: &mut Desk<'_>) -> Result<(), Declined> {
    customer::require_active(desk, command.customer)?;
    natural_key::exchange(desk, &id, &[], &command.natural_keys())?;
    if let Some(opportunity) = command.opportunity {
        opportunity::require_of_customer(desk, opportunity, command.customer)?;
    }
    let charges = pricing::charges(command.charges, command.currency)?;
    let lines = pricing::price_lines(desk, command.currency, command.lines)?;
    let Totals { lines_net, total } = totals(&lines, charges)?;
    let number = number_series::issue(desk, NumberSeriesId::Order, &id)?;
    let placed = OrderEvent::OrderPlaced {
        number,
        customer: command.customer,
        currency: command.currency,
        lines,
        lines_net,
        charges,
        total,
        ship_to: command.ship_to,
        requested_on: command.requested_on,
        placed_through: command.placed_through,
        salesperson: command.salesperson,
        opportunity: command.opportunity,
        customer_reference: command.customer_reference,
        external_number: command.external_number,
    };
    Ok(desk.record(&id, placed)?)
}

fn amend(
    id: OrderId,
    record: &Record,
    command: AmendOrder,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let charges = pricing::charges(command.charges, record.currency)?;
    let lines = pricing::price_lines(desk, record.currency, command.lines)?;
    let Totals { lines_net, total } = totals(&lines, charges)?;
    let amended = OrderEvent::OrderAmended {
        lines,
        lines_net,
        charges,
        total,
        ship_to: command.ship_to,
        requested_on: command.requested_on,
        customer_reference: command.customer_reference,
    };
    Ok(desk.record(&id, amended)?)
}

fn totals(lines: &[OrderLine], charges: Money) -> Result<Totals, Declined> {
    let nets: Vec<_> = lines.iter().map(|line| line.net).collect();
    pricing::totals(&nets, charges)
}

fn confirm(
    id: OrderId,
    record: &Record,
    default_warehouse: Option<WarehouseId>,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let mut lines = Vec::new();
    for line in &record.lines {
        let reserved = line.progress.wanted();
        if !reserved.is_positive() {
            continue;
        }
        let stock = line.stock_or(default_warehouse)?;
        stock_item::reserve(desk, stock, reserved, Name::of_id(&id))?;
        lines.push(ConfirmedLine {
            line: line.id,
            warehouse: stock.warehouse,
            reserved,
        });
    }
    Ok(desk.record(&id, OrderEvent::OrderConfirmed { lines })?)
}

fn cancel(
    id: OrderId,
    record: &Record,
    because: Note,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if record.is_under_way() {
        return Err(OrderRejection::OrderUnderWay { order: id }.into());
    }
    for line in record
        .lines
        .iter()
        .filter(|line| line.reserved.is_positive())
    {
        stock_item::release(desk, line.stock()?, line.reserved, Name::of_id(&id))?;
    }
    Ok(desk.record(&id, OrderEvent::OrderCancelled { because })?)
}

fn cancel_line(
    id: OrderId,
    record: &Record,
    command: CancelOrderLine,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let CancelOrderLine {
        line,
        quantity,
        because,
        ..
    } = command;
    let open = record.line(line)?.open();
    let wanted = quantity.unwrap_or(open);
    if wanted > open || !open.is_positive() {
        return Err(OrderRejection::LineNotOpen { line, open, wanted }.into());
    }
    positive(wanted, &["quantity"])?;
    let mut after = record.clone();
    after.change(line, |line| line.progress.cancelled += wanted);
    let left = after.line(line)?;
    let released = left.reserved_in_excess();
    fulfilment::give_free(desk, id, left, released)?;
    let Totals { lines_net, total } = after.totals()?;
    let cancelled = OrderEvent::OrderLineCancelled {
        line,
        quantity: wanted,
        released,
        net: left.net(record.currency)?,
        lines_net,
        total,
        because: because.clone(),
    };
    desk.record(&id, cancelled)?;
    if after.is_empty() {
        return Ok(desk.record(&id, OrderEvent::OrderCancelled { because })?);
    }
    fulfilment::settle(desk, id)
}
