//! Money. What can be paid is a whole number of minor units; what is only calculated with (unit
//! prices, line amounts, unit costs) is an exact decimal. Neither is ever a float.

use std::{fmt, str::FromStr};

use rust_decimal::{Decimal as Exact, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

use super::{BasisPoints, Decimal, text_scalar};

/// An amount that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency of ISO 4217.
    #[error("`{0}` is not a currency code of ISO 4217")]
    UnknownCurrency(String),
    /// Two amounts of different currencies met.
    #[error("{left} and {right} are different currencies")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
    /// More places than the currency has.
    #[error("{amount} is finer than the minor unit of {currency}")]
    TooFine {
        /// What was given.
        amount: Decimal,
        /// Its currency.
        currency: Currency,
    },
    /// Beyond 64 bits of minor units.
    #[error("the amount is out of range")]
    OutOfRange,
}

/// A currency of ISO 4217, for example CNY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Renminbi, the currency of an organisation that names no other.
    pub const CNY: Self = Self(iso_currency::Currency::CNY);

    /// How many decimal places the minor unit has: 2 for CNY, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(8).collect()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

text_scalar!(
    Currency,
    "CurrencyCode",
    "Currency code of ISO 4217, for example CNY.",
    url = "https://www.iso.org/iso-4217-currency-codes.html"
);

/// An amount that can be paid: a whole number of the currency's minor units (fen, cents).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "MoneyText", into = "MoneyText")]
#[schemars(with = "MoneyText")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// An amount of money that can be paid, as decimal text and currency.
#[derive(
    Clone,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    async_graphql::SimpleObject,
    async_graphql::InputObject,
)]
#[graphql(name = "Money", input_name = "MoneyInput")]
#[schemars(rename = "Money")]
#[serde(deny_unknown_fields)]
struct MoneyText {
    /// The amount in the currency's major unit, no finer than its minor unit: "12.30".
    amount: Decimal,
    /// The currency.
    currency: Currency,
}

impl Money {
    /// So many minor units of a currency.
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Rounds an exact amount to the minor unit, half away from zero (四舍五入), as invoices do.
    pub fn rounded(amount: Exact, currency: Currency) -> Result<Self, MoneyError> {
        let places = currency.exponent();
        let rounded = amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        let scale = Exact::from(10_i64.pow(places));
        let minor = rounded.checked_mul(scale).and_then(|minor| minor.to_i64());
        minor
            .map(|minor| Self { minor, currency })
            .ok_or(MoneyError::OutOfRange)
    }

    /// The number of minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units.
    pub fn amount(self) -> Exact {
        Exact::new(self.minor, self.currency.exponent())
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference of two amounts of one currency.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(
        self,
        other: Self,
        operation: fn(i64, i64) -> Option<i64>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor = operation(self.minor, other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// Splits by weights so that the parts sum to the whole: each part gets its share rounded
    /// down, and the units left over go to the largest remainders, earlier parts first.
    ///
    /// Returns an empty list where the weights sum to nothing.
    pub fn split(self, weights: &[u32]) -> Vec<Self> {
        let sum: i128 = weights.iter().copied().map(i128::from).sum();
        if sum == 0 {
            return Vec::new();
        }
        let total = i128::from(self.minor);
        let mut parts: Vec<(usize, i128, i128)> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| {
                let share = total * i128::from(*weight);
                (index, share.div_euclid(sum), share.rem_euclid(sum))
            })
            .collect();
        let left: i128 = total - parts.iter().map(|(_, part, _)| part).sum::<i128>();
        parts.sort_by_key(|(index, _, remainder)| (std::cmp::Reverse(*remainder), *index));
        for (_, part, _) in parts.iter_mut().take(usize::try_from(left).unwrap_or(0)) {
            *part += 1;
        }
        parts.sort_by_key(|(index, _, _)| *index);
        let minor = |part: i128| i64::try_from(part).unwrap_or(i64::MAX);
        parts
            .into_iter()
            .map(|(_, part, _)| Self {
                minor: minor(part),
                ..self
            })
            .collect()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl From<Money> for MoneyText {
    fn from(money: Money) -> Self {
        Self {
            amount: Decimal(money.amount()),
            currency: money.currency,
        }
    }
}

impl TryFrom<MoneyText> for Money {
    type Error = MoneyError;
    fn try_from(text: MoneyText) -> Result<Self, MoneyError> {
        let MoneyText { amount, currency } = text;
        if amount.0.normalize().scale() > currency.exponent() {
            return Err(MoneyError::TooFine { amount, currency });
        }
        Self::rounded(amount.0, currency)
    }
}

impl async_graphql::InputType for Money {
    type RawValueType = Self;
    fn type_name() -> std::borrow::Cow<'static, str> {
        <MoneyText as async_graphql::InputType>::type_name()
    }
    fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
        <MoneyText as async_graphql::InputType>::create_type_info(registry)
    }
    fn parse(value: Option<async_graphql::Value>) -> async_graphql::InputValueResult<Self> {
        let text = <MoneyText as async_graphql::InputType>::parse(value)
            .map_err(async_graphql::InputValueError::propagate)?;
        Self::try_from(text).map_err(async_graphql::InputValueError::custom)
    }
    fn to_value(&self) -> async_graphql::Value {
        async_graphql::InputType::to_value(&MoneyText::from(*self))
    }
    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl async_graphql::OutputType for Money {
    fn type_name() -> std::borrow::Cow<'static, str> {
        <MoneyText as async_graphql::OutputType>::type_name()
    }
    fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
        <MoneyText as async_graphql::OutputType>::create_type_info(registry)
    }
    async fn resolve(
        &self,
        ctx: &async_graphql::ContextSelectionSet<'_>,
        field: &async_graphql::Positioned<async_graphql::parser::types::Field>,
    ) -> async_graphql::ServerResult<async_graphql::Value> {
        async_graphql::OutputType::resolve(&MoneyText::from(*self), ctx, field).await
    }
}

/// An exact amount of money to calculate with: it may be finer than the minor unit.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    async_graphql::SimpleObject,
    async_graphql::InputObject,
)]
#[graphql(input_name = "AmountInput")]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// The amount in the currency's major unit, at most 6 decimal places.
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

impl Amount {
    /// An exact amount of a currency.
    pub fn new(amount: Exact, currency: Currency) -> Self {
        Self {
            amount: amount.into(),
            currency,
        }
    }

    /// Takes a discount off: `amount × (1 − discount)`, exactly.
    pub fn less(self, discount: BasisPoints) -> Self {
        Self::new(self.amount.0 - discount.of(self.amount.0), self.currency)
    }

    /// What can be paid of it: rounded to the minor unit.
    pub fn to_money(self) -> Result<Money, MoneyError> {
        Money::rounded(self.amount.0, self.currency)
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.amount.0.is_sign_negative() && !self.amount.0.is_zero()
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self::new(money.amount(), money.currency())
    }
}
