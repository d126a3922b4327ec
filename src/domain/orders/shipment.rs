//! A shipment of an order's goods. Prepared → dispatched → delivered or lost; cancelled only while
//! prepared.
//! Invariants: what is prepared is reserved; goods leave the stock once, at dispatch, and reach
//! the customer once; damage is a remark and never stops a delivery.

use std::collections::HashSet;

use daybook_schema::{
    governance::NumberSeriesId,
    kernel::{Date, DateTime, Name, Note, Quantity},
    orders::{
        DelayShipment, DeliverShipment, OrderId, OrderLineId, PrepareShipment, PreparedLine,
        ReportShipmentDamage, ShipmentCommand, ShipmentEvent, ShipmentId, ShipmentLine,
    },
};

use super::{
    fulfilment::{self, Recipient},
    pricing::LINES_MAX,
};
use crate::{
    Aggregate, Declined, Desk,
    amounts::positive,
    governance::number_series,
    refusal::{CommonRejection, rejection},
};

/// The shipment's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Shipment {
    /// Nothing is ready yet.
    #[default]
    Unprepared,
    /// The goods lie ready.
    Prepared(Parcel),
    /// The goods are on their way.
    Dispatched(Parcel),
    /// The customer has them.
    Delivered,
    /// Nobody has them.
    Lost,
    /// They were put back.
    Cancelled,
}

/// What decisions need of a shipment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel {
    order: OrderId,
    lines: Vec<PreparedLine>,
    promised_on: Option<Date>,
}

/// The rules about shipments.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ShipmentRejection {
    /// A shipment without a line or with too many.
    #[error("a shipment has 1 to 200 lines, not {count}")]
    ShipmentLineCountOutOfRange {
        /// How many were given.
        count: usize,
    },
    /// A line is given twice.
    #[error("`{line}` stands twice")]
    LineStandsTwice {
        /// The line.
        line: OrderLineId,
    },
    /// The line is not in the shipment.
    #[error("`{line}` is not in the shipment")]
    LineNotInShipment {
        /// The line.
        line: OrderLineId,
    },
    /// More is damaged than was shipped.
    #[error("{damaged} of `{line}` cannot be damaged, {shipped} were shipped")]
    DamageAboveShipment {
        /// The line.
        line: OrderLineId,
        /// How much was shipped.
        shipped: Quantity,
        /// How much was said to be damaged.
        damaged: Quantity,
    },
    /// The new day is not later than the one promised before.
    #[error("the shipment is promised on {promised_on} already")]
    DelayNotLater {
        /// The day promised before.
        promised_on: Date,
    },
    /// Something arrived after the desk wrote it down.
    #[error("the shipment cannot have arrived in the future, on {delivered_at}")]
    DeliveryInFuture {
        /// When it was said to have arrived.
        delivered_at: DateTime,
    },
    /// The goods have not left.
    #[error("shipment `{shipment}` is not dispatched")]
    ShipmentNotDispatched {
        /// The shipment.
        shipment: ShipmentId,
    },
    /// The goods have left.
    #[error("shipment `{shipment}` is dispatched")]
    ShipmentDispatched {
        /// The shipment.
        shipment: ShipmentId,
    },
    /// The customer has the goods.
    #[error("shipment `{shipment}` is delivered")]
    ShipmentDelivered {
        /// The shipment.
        shipment: ShipmentId,
    },
    /// The goods are gone.
    #[error("shipment `{shipment}` is lost")]
    ShipmentLost {
        /// The shipment.
        shipment: ShipmentId,
    },
    /// The goods were put back.
    #[error("shipment `{shipment}` is cancelled")]
    ShipmentCancelled {
        /// The shipment.
        shipment: ShipmentId,
    },
}
rejection!(
    ShipmentRejection,
    Self::ShipmentLineCountOutOfRange { .. }
    | Self::LineStandsTwice { .. }
    | Self::LineNotInShipment { .. }
    | Self::DamageAboveShipment { .. } => ["lines"],
    Self::DelayNotLater { .. } => ["newPromisedOn"],
    Self::DeliveryInFuture { .. } => ["proof", "deliveredAt"],
    Self::ShipmentNotDispatched { .. }
    | Self::ShipmentDispatched { .. }
    | Self::ShipmentDelivered { .. }
    | Self::ShipmentLost { .. }
    | Self::ShipmentCancelled { .. } => ["shipment"],
);

impl Aggregate for Shipment {
    type Id = ShipmentId;
    type Event = ShipmentEvent;

    fn evolve(self, event: &ShipmentEvent) -> Self {
        match event {
            ShipmentEvent::ShipmentPrepared {
                order,
                lines,
                promised_on,
                ..
            } => Self::Prepared(Parcel {
                order: *order,
                lines: lines.clone(),
                promised_on: *promised_on,
            }),
            ShipmentEvent::ShipmentDispatched { .. } => match self {
                Self::Prepared(parcel) => Self::Dispatched(parcel),
                other => other,
            },
            ShipmentEvent::ShipmentDelayed { promised_on, .. } => self.promised(*promised_on),
            ShipmentEvent::ShipmentDamaged { .. } => self,
            ShipmentEvent::ShipmentDelivered { .. } => Self::Delivered,
            ShipmentEvent::ShipmentLost { .. } => Self::Lost,
            ShipmentEvent::ShipmentCancelled { .. } => Self::Cancelled,
        }
    }
}

impl Shipment {
    fn promised(mut self, on: Date) -> Self {
        if let Self::Prepared(parcel) | Self::Dispatched(parcel) = &mut self {
            parcel.promised_on = Some(on);
        }
        self
    }
}

pub(crate) fn decide(command: ShipmentCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use Shipment as S;
    use ShipmentCommand as C;
    use ShipmentRejection as R;
    let shipment = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Shipment>(&shipment)?, command) {
        (S::Unprepared, C::PrepareShipment(command)) => prepare(shipment, command, desk),
        (S::Unprepared, _) => Err(CommonRejection::not_found(&shipment)),

        (S::Prepared(parcel), C::DispatchShipment(command)) => {
            dispatch(shipment, parcel, command.tracking_number, desk)
        }
        (S::Prepared(parcel), C::CancelShipment(command)) => {
            cancel(shipment, parcel, command.because, desk)
        }
        (
            S::Prepared(_),
            C::ReportShipmentDamage(_) | C::DeliverShipment(_) | C::ReportShipmentLost(_),
        ) => Err(R::ShipmentNotDispatched { shipment }.into()),

        (S::Prepared(parcel) | S::Dispatched(parcel), C::DelayShipment(command)) => {
            delay(shipment, parcel, command, desk)
        }

        (S::Dispatched(parcel), C::ReportShipmentDamage(command)) => {
            damage(shipment, parcel, command, desk)
        }
        (S::Dispatched(parcel), C::DeliverShipment(command)) => {
            deliver(shipment, parcel, command, desk)
        }
        (S::Dispatched(parcel), C::ReportShipmentLost(command)) => {
            lose(shipment, parcel, command.note, desk)
        }
        (S::Dispatched(_), C::DispatchShipment(_) | C::CancelShipment(_)) => {
            Err(R::ShipmentDispatched { shipment }.into())
        }

        (S::Prepared(_) | S::Dispatched(_), C::PrepareShipment(_)) => {
            Err(CommonRejection::already_exists(&shipment))
        }

        (S::Delivered, _) => Err(R::ShipmentDelivered { shipment }.into()),
        (S::Lost, _) => Err(R::ShipmentLost { shipment }.into()),
        (S::Cancelled, _) => Err(R::ShipmentCancelled { shipment }.into()),
    }
}

fn prepare(id: ShipmentId, command: PrepareShipment, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let PrepareShipment {
        order,
        lines: wanted,
        carrier,
        promised_on,
    } = command;
    let count = wanted.len();
    if !(1..=LINES_MAX).contains(&count) {
        return Err(ShipmentRejection::ShipmentLineCountOutOfRange { count }.into());
    }
    each_once(&wanted)?;
    let Recipient { customer, ship_to } = fulfilment::recipient(desk, order)?;
    let number = number_series::issue(desk, NumberSeriesId::Shipment, &id)?;
    let mut lines = Vec::new();
    for line in wanted {
        lines.push(fulfilment::prepare_line(desk, order, id, line)?);
    }
    let prepared = ShipmentEvent::ShipmentPrepared {
        number,
        order,
        customer,
        lines,
        ship_to,
        carrier,
        promised_on,
    };
    Ok(desk.record(&id, prepared)?)
}

fn dispatch(
    id: ShipmentId,
    parcel: &Parcel,
    tracking_number: Option<Name>,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    desk.record(&id, ShipmentEvent::ShipmentDispatched { tracking_number })?;
    for line in &parcel.lines {
        fulfilment::ship_line(desk, parcel.order, id, line)?;
    }
    Ok(())
}

fn delay(
    id: ShipmentId,
    parcel: &Parcel,
    command: DelayShipment,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let DelayShipment {
        new_promised_on,
        because,
        ..
    } = command;
    if let Some(promised_on) = parcel.promised_on.filter(|day| new_promised_on <= *day) {
        return Err(ShipmentRejection::DelayNotLater { promised_on }.into());
    }
    let delayed = ShipmentEvent::ShipmentDelayed {
        promised_on: new_promised_on,
        because,
    };
    Ok(desk.record(&id, delayed)?)
}

fn damage(
    id: ShipmentId,
    parcel: &Parcel,
    command: ReportShipmentDamage,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let ReportShipmentDamage { note, lines, .. } = command;
    each_once(&lines)?;
    for line in &lines {
        positive(line.quantity, &["lines"])?;
        check_damage(parcel, *line)?;
    }
    Ok(desk.record(&id, ShipmentEvent::ShipmentDamaged { note, lines })?)
}

fn check_damage(parcel: &Parcel, damaged: ShipmentLine) -> Result<(), ShipmentRejection> {
    let ShipmentLine { line, quantity } = damaged;
    let mut lines = parcel.lines.iter();
    let Some(shipped) = lines.find(|shipped| shipped.line == line) else {
        return Err(ShipmentRejection::LineNotInShipment { line });
    };
    if quantity > shipped.quantity {
        return Err(ShipmentRejection::DamageAboveShipment {
            line,
            shipped: shipped.quantity,
            damaged: quantity,
        });
    }
    Ok(())
}

fn deliver(
    id: ShipmentId,
    parcel: &Parcel,
    command: DeliverShipment,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let proof = command.proof;
    let context = desk.context();
    let business_time = context.occurred_at.unwrap_or(context.recorded_at);
    let delivered_at = proof.delivered_at.unwrap_or(business_time);
    if delivered_at > context.recorded_at {
        return Err(ShipmentRejection::DeliveryInFuture { delivered_at }.into());
    }
    let delivered = ShipmentEvent::ShipmentDelivered {
        signed_by: proof.signed_by,
        note: proof.note,
        delivered_at,
    };
    desk.record(&id, delivered)?;
    for line in &parcel.lines {
        fulfilment::deliver_line(desk, parcel.order, id, line)?;
    }
    fulfilment::settle(desk, parcel.order)
}

fn lose(id: ShipmentId, parcel: &Parcel, note: Note, desk: &mut Desk<'_>) -> Result<(), Declined> {
    desk.record(&id, ShipmentEvent::ShipmentLost { note })?;
    for line in &parcel.lines {
        fulfilment::lose_line(desk, parcel.order, id, line)?;
    }
    fulfilment::settle(desk, parcel.order)
}

fn cancel(
    id: ShipmentId,
    parcel: &Parcel,
    because: Note,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    desk.record(&id, ShipmentEvent::ShipmentCancelled { because })?;
    for line in &parcel.lines {
        fulfilment::put_back_line(desk, parcel.order, id, line)?;
    }
    fulfilment::settle(desk, parcel.order)
}

fn each_once(lines: &[ShipmentLine]) -> Result<(), ShipmentRejection> {
    let mut seen = HashSet::new();
    match lines.iter().find(|line| !seen.insert(line.line)) {
        Some(ShipmentLine { line, .. }) => Err(ShipmentRejection::LineStandsTwice { line: *line }),
        None => Ok(()),
    }
}
