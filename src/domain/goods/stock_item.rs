//! The stock of a product in a warehouse: how much, for whom it is kept, what it cost.
//! Invariants: on hand is never below zero; reserved is never above on hand unless the stock rules
//! allow back orders; value is conserved, because goods leave at the moving average, a transfer
//! takes in exactly what went out, and the last goods take all value that is left.

use std::collections::BTreeMap;

use daybook_schema::{
    goods::{
        CountStock, IssueStock, ReceiveStock, ReleaseReservation, ReserveStock, StockItemCommand,
        StockItemEvent, StockItemId, TransferStock, WriteOffStock,
    },
    kernel::{Amount, Currency, Name, Quantity, StreamKey},
    orders::OrderId,
};
use rust_decimal::Decimal as Exact;

use super::{product, warehouse};
use crate::{
    Aggregate, Declined, Desk,
    amounts::{self, AmountRejection, not_negative, positive, same_currency},
    governance::{organisation, policy},
    refusal::rejection,
};

/// What lies there. Stock has no life cycle: before the first event there is nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StockItem {
    on_hand: Quantity,
    value: Exact,
    reserved: BTreeMap<Name, Quantity>,
}

/// The rules about stock.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum StockItemRejection {
    /// There is less than is wanted.
    #[error("`{item}` has {available} available, {wanted} are wanted")]
    InsufficientStock {
        /// The stock.
        item: StockItemId,
        /// How much of it can be taken.
        available: Quantity,
        /// How much was wanted.
        wanted: Quantity,
    },
    /// Less is kept than is to be given free or used up.
    #[error("`{item}` keeps {reserved} for `{reference}`, {wanted} are wanted")]
    ReservationTooSmall {
        /// The stock.
        item: StockItemId,
        /// For whom it is kept.
        reference: Name,
        /// How much is kept.
        reserved: Quantity,
        /// How much was wanted.
        wanted: Quantity,
    },
    /// Orders alone change their reservations.
    #[error("the reservations of `{reference}` follow from the order itself")]
    ReservationOfOrder {
        /// The order.
        reference: Name,
    },
    /// Less would be left than is kept for others.
    #[error("`{item}` would have {left}, but {reserved} are reserved")]
    StockIsReserved {
        /// The stock.
        item: StockItemId,
        /// How much would be left.
        left: Quantity,
        /// How much is kept.
        reserved: Quantity,
    },
    /// A transfer into the warehouse that it comes from.
    #[error("the goods of `{item}` already are in that warehouse")]
    SameWarehouse {
        /// The stock.
        item: StockItemId,
    },
}
rejection!(
    StockItemRejection,
    Self::InsufficientStock { .. } | Self::ReservationTooSmall { .. } => ["quantity"],
    Self::ReservationOfOrder { .. } => ["reference"],
    Self::SameWarehouse { .. } => ["to"],
);

impl Aggregate for StockItem {
    type Id = StockItemId;
    type Event = StockItemEvent;

    fn evolve(mut self, event: &StockItemEvent) -> Self {
        use StockItemEvent as E;
        match event {
            E::StockReceived {
                quantity, value, ..
            }
            | E::StockTransferredIn {
                quantity, value, ..
            }
            | E::StockAdjusted {
                delta: quantity,
                value,
            } => self.add(*quantity, value),
            E::StockReserved {
                quantity,
                reference,
            } => *self.reserved.entry(reference.clone()).or_default() += *quantity,
            E::ReservationReleased {
                quantity,
                reference,
            } => self.give_free(reference, *quantity),
            E::StockIssued {
                quantity,
                value,
                reservation,
                ..
            } => {
                self.take(*quantity, value);
                if let Some(reference) = reservation {
                    self.give_free(reference, *quantity);
                }
            }
            E::StockTransferredOut {
                quantity, value, ..
            }
            | E::StockWrittenOff {
                quantity, value, ..
            } => self.take(*quantity, value),
            E::StockCounted { .. } => {}
        }
        self
    }
}

impl StockItem {
    fn add(&mut self, quantity: Quantity, value: &Amount) {
        self.on_hand += quantity;
        self.value += value.amount.0;
    }

    fn take(&mut self, quantity: Quantity, value: &Amount) {
        self.on_hand -= quantity;
        self.value -= value.amount.0;
    }

    fn give_free(&mut self, reference: &Name, quantity: Quantity) {
        let left = self.reserved_for(reference) - quantity;
        if left.is_positive() {
            self.reserved.insert(reference.clone(), left);
        } else {
            self.reserved.remove(reference);
        }
    }

    fn reserved_for(&self, reference: &Name) -> Quantity {
        self.reserved.get(reference).copied().unwrap_or_default()
    }

    fn reserved(&self) -> Quantity {
        self.reserved.values().copied().sum()
    }

    /// What is on hand and kept for nobody.
    fn available(&self) -> Quantity {
        (self.on_hand - self.reserved()).max(Quantity::ZERO)
    }

    /// What so much of it had cost, at the moving average; `quantity` is at most on hand. All of it
    /// had cost all that is left, so that rounding never loses value.
    fn cost_of(&self, quantity: Quantity) -> Result<Exact, Declined> {
        if quantity >= self.on_hand {
            return Ok(self.value);
        }
        amounts::share(self.value, quantity, self.on_hand)
    }
}

pub(crate) fn decide(command: StockItemCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    match command {
        StockItemCommand::ReceiveStock(command) => receive(command, desk),
        StockItemCommand::ReserveStock(command) => keep(command, desk),
        StockItemCommand::ReleaseReservation(command) => give_free(command, desk),
        StockItemCommand::IssueStock(command) => issue(command, desk),
        StockItemCommand::TransferStock(command) => transfer(command, desk),
        StockItemCommand::CountStock(command) => count(command, desk),
        StockItemCommand::WriteOffStock(command) => write_off(command, desk),
    }
}

/// Keeps stock for a reference; also what the confirmation of an order does.
pub(crate) fn reserve(
    desk: &mut Desk<'_>,
    id: StockItemId,
    quantity: Quantity,
    reference: Name,
) -> Result<(), Declined> {
    positive(quantity, &["quantity"])?;
    product::require_known(desk, id.product)?;
    warehouse::require_open(desk, id.warehouse)?;
    let rules = policy::stock_rules(desk)?;
    let item = desk.load::<StockItem>(&id)?;
    if !rules.allow_back_orders {
        require_available(id, &item, quantity)?;
    }
    let reserved = StockItemEvent::StockReserved {
        quantity,
        reference,
    };
    Ok(desk.record(&id, reserved)?)
}

/// Gives kept stock free; also what the cancellation of an order does.
pub(crate) fn release(
    desk: &mut Desk<'_>,
    id: StockItemId,
    quantity: Quantity,
    reference: Name,
) -> Result<(), Declined> {
    positive(quantity, &["quantity"])?;
    require_reserved(id, &*desk.load::<StockItem>(&id)?, quantity, &reference)?;
    let released = StockItemEvent::ReservationReleased {
        quantity,
        reference,
    };
    Ok(desk.record(&id, released)?)
}

/// Takes goods out of a reservation; returns what they had cost.
pub(crate) fn issue_reserved(
    desk: &mut Desk<'_>,
    id: StockItemId,
    quantity: Quantity,
    reservation: Name,
    reference: Name,
) -> Result<Amount, Declined> {
    positive(quantity, &["quantity"])?;
    let item = desk.load::<StockItem>(&id)?;
    require_reserved(id, &item, quantity, &reservation)?;
    require_on_hand(id, &item, quantity)?;
    let value = Amount::new(item.cost_of(quantity)?, organisation::base_currency(desk)?);
    let issued = StockItemEvent::StockIssued {
        quantity,
        value,
        reservation: Some(reservation),
        reference: Some(reference),
    };
    desk.record(&id, issued)?;
    Ok(value)
}

fn receive(command: ReceiveStock, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.item();
    positive(command.quantity, &["quantity"])?;
    not_negative(command.unit_cost.amount, &["unitCost", "amount"])?;
    same_currency(
        command.unit_cost.currency,
        organisation::base_currency(desk)?,
        &["unitCost", "currency"],
    )?;
    product::require_known(desk, id.product)?;
    warehouse::require_open(desk, id.warehouse)?;
    let ReceiveStock {
        quantity,
        unit_cost,
        reference,
        ..
    } = command;
    let value = amounts::cost(quantity, unit_cost.amount.0)?;
    require_room(&*desk.load::<StockItem>(&id)?, quantity, value)?;
    let received = StockItemEvent::StockReceived {
        quantity,
        unit_cost,
        value: Amount::new(value, unit_cost.currency),
        reference,
    };
    Ok(desk.record(&id, received)?)
}

fn keep(command: ReserveStock, desk: &mut Desk<'_>) -> Result<(), Declined> {
    require_words(&command.reference)?;
    reserve(desk, command.item(), command.quantity, command.reference)
}

fn give_free(command: ReleaseReservation, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.item();
    require_words(&command.reference)?;
    require_known(desk, id)?;
    let reserved = desk
        .load::<StockItem>(&id)?
        .reserved_for(&command.reference);
    let quantity = command.quantity.unwrap_or(reserved);
    if command.quantity.is_none() && !reserved.is_positive() {
        return Err(StockItemRejection::ReservationTooSmall {
            item: id,
            reference: command.reference,
            reserved,
            wanted: quantity,
        }
        .into());
    }
    release(desk, id, quantity, command.reference)
}

fn issue(command: IssueStock, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.item();
    let (quantity, reference) = (command.quantity, command.reference);
    positive(quantity, &["quantity"])?;
    require_known(desk, id)?;
    let item = desk.load::<StockItem>(&id)?;
    require_available(id, &item, quantity)?;
    let value = Amount::new(item.cost_of(quantity)?, organisation::base_currency(desk)?);
    let issued = StockItemEvent::StockIssued {
        quantity,
        value,
        reservation: None,
        reference,
    };
    Ok(desk.record(&id, issued)?)
}

fn transfer(command: TransferStock, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let (source, destination) = (command.item(), command.destination());
    let TransferStock {
        from,
        to,
        quantity,
        reference,
        ..
    } = command;
    positive(quantity, &["quantity"])?;
    if from == to {
        return Err(StockItemRejection::SameWarehouse { item: source }.into());
    }
    require_known(desk, source)?;
    warehouse::require_open(desk, to)?;
    let item = desk.load::<StockItem>(&source)?;
    require_available(source, &item, quantity)?;
    let cost = item.cost_of(quantity)?;
    require_room(&*desk.load::<StockItem>(&destination)?, quantity, cost)?;
    let value = Amount::new(cost, organisation::base_currency(desk)?);
    let out = StockItemEvent::StockTransferredOut {
        to,
        quantity,
        value,
        reference: reference.clone(),
    };
    desk.record(&source, out)?;
    let taken_in = StockItemEvent::StockTransferredIn {
        from,
        quantity,
        value,
        reference,
    };
    Ok(desk.record(&destination, taken_in)?)
}

fn count(command: CountStock, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.item();
    let (counted, note) = (command.counted, command.note);
    if counted < Quantity::ZERO {
        let (quantity, field) = (counted, &["counted"]);
        return Err(AmountRejection::QuantityNegative { quantity, field }.into());
    }
    require_known(desk, id)?;
    let item = desk.load::<StockItem>(&id)?;
    let book = item.on_hand;
    let counted_event = StockItemEvent::StockCounted {
        counted,
        book,
        note,
    };
    desk.record(&id, counted_event)?;
    if counted == book {
        return Ok(());
    }
    if counted < book {
        require_left(desk, id, &item, counted)?;
    }
    let adjusted = StockItemEvent::StockAdjusted {
        delta: counted - book,
        value: variance(&item, counted, organisation::base_currency(desk)?)?,
    };
    Ok(desk.record(&id, adjusted)?)
}

/// The value of the difference between the count and the book, with its sign.
fn variance(item: &StockItem, counted: Quantity, base: Currency) -> Result<Amount, Declined> {
    let book = item.on_hand;
    let value = if counted < book {
        -item.cost_of(book - counted)?
    } else if book.is_positive() {
        let surplus = counted - book;
        let value = amounts::share(item.value, surplus, book)?;
        require_room(item, surplus, value)?;
        value
    } else {
        Exact::ZERO
    };
    Ok(Amount::new(value, base))
}

fn write_off(command: WriteOffStock, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.item();
    let (quantity, because) = (command.quantity, command.because);
    positive(quantity, &["quantity"])?;
    require_known(desk, id)?;
    let item = desk.load::<StockItem>(&id)?;
    require_on_hand(id, &item, quantity)?;
    require_left(desk, id, &item, item.on_hand - quantity)?;
    let value = Amount::new(item.cost_of(quantity)?, organisation::base_currency(desk)?);
    let written_off = StockItemEvent::StockWrittenOff {
        quantity,
        value,
        because,
    };
    Ok(desk.record(&id, written_off)?)
}

fn require_known(desk: &Desk<'_>, id: StockItemId) -> Result<(), Declined> {
    product::require_known(desk, id.product)?;
    warehouse::require_known(desk, id.warehouse)
}

/// Refuses the id of an order: what orders keep follows from their lines.
fn require_words(reference: &Name) -> Result<(), StockItemRejection> {
    if daybook_schema::prefix(reference.as_str()) == OrderId::PREFIX
        && reference.as_str().parse::<OrderId>().is_ok()
    {
        let reference = reference.clone();
        return Err(StockItemRejection::ReservationOfOrder { reference });
    }
    Ok(())
}

fn require_available(
    id: StockItemId,
    item: &StockItem,
    wanted: Quantity,
) -> Result<(), StockItemRejection> {
    require_enough(id, item.available(), wanted)
}

fn require_on_hand(
    id: StockItemId,
    item: &StockItem,
    wanted: Quantity,
) -> Result<(), StockItemRejection> {
    require_enough(id, item.on_hand, wanted)
}

fn require_enough(
    item: StockItemId,
    available: Quantity,
    wanted: Quantity,
) -> Result<(), StockItemRejection> {
    if wanted > available {
        return Err(StockItemRejection::InsufficientStock {
            item,
            available,
            wanted,
        });
    }
    Ok(())
}

fn require_reserved(
    id: StockItemId,
    item: &StockItem,
    wanted: Quantity,
    reference: &Name,
) -> Result<(), StockItemRejection> {
    let reserved = item.reserved_for(reference);
    if wanted > reserved {
        return Err(StockItemRejection::ReservationTooSmall {
            item: id,
            reference: reference.clone(),
            reserved,
            wanted,
        });
    }
    Ok(())
}

/// Refuses to leave less than is kept for others, unless back orders are allowed.
fn require_left(
    desk: &Desk<'_>,
    id: StockItemId,
    item: &StockItem,
    left: Quantity,
) -> Result<(), Declined> {
    let reserved = item.reserved();
    if left >= reserved || policy::stock_rules(desk)?.allow_back_orders {
        return Ok(());
    }
    Err(StockItemRejection::StockIsReserved {
        item: id,
        left,
        reserved,
    }
    .into())
}

/// Refuses what would make the stock too much or too dear to be written down.
fn require_room(item: &StockItem, quantity: Quantity, value: Exact) -> Result<(), Declined> {
    amounts::sum(item.on_hand.0, quantity.0)?;
    amounts::sum(item.value, value)?;
    Ok(())
}
