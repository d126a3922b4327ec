//! Exact arithmetic within the published range.
//!
//! What an event carries must be readable for ever, and a number is readable with at most 6
//! decimal places and a magnitude of at most 10^12. So every calculated number passes through
//! here before it is recorded, and is refused where it does not fit.

use daybook_schema::kernel::{Amount, BasisPoints, Currency, Decimal, Quantity};
use rust_decimal::{Decimal as Exact, RoundingStrategy};

use crate::{
    Declined,
    refusal::{CommonRejection, Rejection},
};

/// The greatest magnitude of a number that can be read back: 10^12.
const LIMIT: i64 = 1_000_000_000_000;
/// The finest resolution of a number that can be read back: 10^-6.
const PLACES: u32 = 6;

/// The path of the input field that a number came in with. The rules about numbers are the same
/// for all commands, and only the caller knows where the number stood.
pub(crate) type Field = &'static [&'static str];

/// The rules about numbers that come in with a command.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum AmountRejection {
    /// A quantity is zero or less where something must be there.
    #[error("the quantity {quantity} is not more than zero")]
    QuantityNotPositive {
        /// What was given.
        quantity: Quantity,
        /// Where it was given.
        field: Field,
    },
    /// A quantity is less than zero.
    #[error("the quantity {quantity} is less than zero")]
    QuantityNegative {
        /// What was given.
        quantity: Quantity,
        /// Where it was given.
        field: Field,
    },
    /// A price, a cost or a charge is less than zero.
    #[error("the amount {amount} is less than zero")]
    AmountNegative {
        /// What was given.
        amount: Decimal,
        /// Where it was given.
        field: Field,
    },
    /// An amount is in another currency than the one that it meets.
    #[error("the amount is in {given}, but must be in {wanted}")]
    CurrencyDiffers {
        /// The currency of the amount.
        given: Currency,
        /// The currency that it must have.
        wanted: Currency,
        /// Where it was given.
        field: Field,
    },
}

impl Rejection for AmountRejection {
    const CODES: &'static [&'static str] = <Self as strum::VariantNames>::VARIANTS;

    fn code(&self) -> &'static str {
        self.into()
    }

    fn field(&self) -> Field {
        match self {
            Self::QuantityNotPositive { field, .. }
            | Self::QuantityNegative { field, .. }
            | Self::AmountNegative { field, .. }
            | Self::CurrencyDiffers { field, .. } => field,
        }
    }
}

/// Refuses a quantity of nothing or less.
pub(crate) fn positive(quantity: Quantity, field: Field) -> Result<(), AmountRejection> {
    if !quantity.is_positive() {
        return Err(AmountRejection::QuantityNotPositive { quantity, field });
    }
    Ok(())
}

/// Refuses an amount below nothing.
pub(crate) fn not_negative(amount: Decimal, field: Field) -> Result<(), AmountRejection> {
    if amount.0 < Exact::ZERO {
        return Err(AmountRejection::AmountNegative { amount, field });
    }
    Ok(())
}

/// Refuses an amount in another currency.
pub(crate) fn same_currency(
    given: Currency,
    wanted: Currency,
    field: Field,
) -> Result<(), AmountRejection> {
    if given != wanted {
        return Err(AmountRejection::CurrencyDiffers {
            given,
            wanted,
            field,
        });
    }
    Ok(())
}

/// Rounds to the finest resolution, half away from zero, and refuses what is out of range.
pub(crate) fn recordable(value: Exact) -> Result<Exact, Declined> {
    let value = value.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointAwayFromZero);
    if value.abs() > LIMIT.into() {
        return Err(out_of_range(format!("{value} cannot be kept")));
    }
    Ok(value)
}

/// The sum of two amounts.
pub(crate) fn sum(left: Exact, right: Exact) -> Result<Exact, Declined> {
    let sum = left.checked_add(right);
    recordable(sum.ok_or_else(|| out_of_range(format!("{left} + {right}")))?)
}

/// What a quantity costs at a unit price or unit cost.
pub(crate) fn cost(quantity: Quantity, unit: Exact) -> Result<Exact, Declined> {
    recordable(gross(quantity, unit)?)
}

/// What a quantity costs at a unit price less a discount; rounded once, at the end.
pub(crate) fn net(
    quantity: Quantity,
    unit: Amount,
    discount: BasisPoints,
) -> Result<Amount, Declined> {
    let gross = gross(quantity, unit.amount.0)?;
    recordable(gross)?;
    let net = Amount::new(gross, unit.currency).less(discount);
    Ok(Amount::new(recordable(net.amount.0)?, unit.currency))
}

/// The share of `whole` that falls to `part` of a `total` that is more than zero.
pub(crate) fn share(whole: Exact, part: Quantity, total: Quantity) -> Result<Exact, Declined> {
    let share = whole
        .checked_mul(part.0)
        .and_then(|product| product.checked_div(total.0));
    recordable(share.ok_or_else(|| out_of_range(format!("{whole} × {part} ÷ {total}")))?)
}

fn gross(quantity: Quantity, unit: Exact) -> Result<Exact, Declined> {
    let product = quantity.0.checked_mul(unit);
    product.ok_or_else(|| out_of_range(format!("{quantity} × {unit}")))
}

fn out_of_range(message: String) -> Declined {
    CommonRejection::AmountOutOfRange { message }.into()
}
