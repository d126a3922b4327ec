//! Exact numbers: decimals, quantities, basis points and integers beyond 32 bits.

use std::{fmt, str::FromStr};

use super::text_scalar;

/// A number that does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a plain decimal such as `12.5`.
    #[error("`{0}` is not a decimal number such as 12.5")]
    NotDecimal(String),
    /// Not a whole number.
    #[error("`{0}` is not a whole number from 0 to 18446744073709551615")]
    NotInteger(String),
    /// More than six places after the point.
    #[error("{0} has more than 6 decimal places")]
    TooFine(rust_decimal::Decimal),
    /// Beyond the published range.
    #[error("{0} is outside -1000000000000 to 1000000000000")]
    OutOfRange(rust_decimal::Decimal),
    /// Basis points beyond ±100 000 %.
    #[error("{0} basis points is outside -10000000 to 10000000")]
    BasisPointsOutOfRange(i64),
}

/// The greatest magnitude of a [`Decimal`] that comes from outside: 10^12.
const LIMIT: i64 = 1_000_000_000_000;
/// The finest resolution of a [`Decimal`] that comes from outside: 10^-6.
const PLACES: u32 = 6;

/// An exact decimal number of at most 6 places and a magnitude of at most 10^12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub rust_decimal::Decimal);

impl FromStr for Decimal {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let value = rust_decimal::Decimal::from_str_exact(text)
            .map_err(|_| NumberError::NotDecimal(text.chars().take(40).collect()))?
            .normalize();
        if value.scale() > PLACES {
            return Err(NumberError::TooFine(value));
        }
        if value.abs() > LIMIT.into() {
            return Err(NumberError::OutOfRange(value));
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl From<rust_decimal::Decimal> for Decimal {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self(value.normalize())
    }
}

text_scalar!(
    Decimal,
    "Decimal",
    "Exact decimal number as text, for example \"12.5\": at most 6 decimal places, magnitude at \
     most 1000000000000. Never a floating-point number."
);

/// How much of a product, in the product's unit; zero or more unless a field says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub rust_decimal::Decimal);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);

    /// Whether there is something.
    pub fn is_positive(self) -> bool {
        self > Self::ZERO
    }
}

impl FromStr for Quantity {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        text.parse().map(|Decimal(value)| Self(value))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl From<rust_decimal::Decimal> for Quantity {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self(value.normalize())
    }
}

impl std::ops::Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::ops::AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl std::ops::SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::ZERO, std::ops::Add::add)
    }
}

text_scalar!(
    Quantity,
    "Decimal",
    "Exact decimal number as text, for example \"12.5\": at most 6 decimal places, magnitude at \
     most 1000000000000. Never a floating-point number."
);

/// A whole number beyond 32 bits, such as a position in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BigInt(pub u64);

impl FromStr for BigInt {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = digits.then(|| text.parse().ok()).flatten();
        value
            .map(Self)
            .ok_or_else(|| NumberError::NotInteger(text.chars().take(40).collect()))
    }
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for BigInt {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

text_scalar!(
    BigInt,
    "BigInt",
    "Whole number from 0 to 18446744073709551615 as text: positions in the log and versions of \
     objects, which do not fit the 32 bits of Int."
);

/// A share in hundredths of a percent: 10 000 is the whole, 1 500 is 15 %.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(with = "i64")]
pub struct BasisPoints(i32);

impl BasisPoints {
    /// The whole: 100 %.
    pub const WHOLE: Self = Self(10_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This share of `value`, exactly.
    pub fn of(self, value: rust_decimal::Decimal) -> rust_decimal::Decimal {
        value * self.as_ratio()
    }

    /// The share as a ratio: 1 500 basis points are 0.15.
    pub fn as_ratio(self) -> rust_decimal::Decimal {
        rust_decimal::Decimal::new(i64::from(self.0), 4)
    }

    /// The number of basis points.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for BasisPoints {
    type Error = NumberError;
    fn try_from(points: i64) -> Result<Self, NumberError> {
        i32::try_from(points)
            .ok()
            .filter(|points| points.abs() <= 10_000_000)
            .map(Self)
            .ok_or(NumberError::BasisPointsOutOfRange(points))
    }
}

impl From<BasisPoints> for i64 {
    fn from(points: BasisPoints) -> Self {
        points.0.into()
    }
}

/// A share in basis points (hundredths of a percent): 10000 is the whole, 1500 is 15 %.
#[async_graphql::Scalar]
impl async_graphql::ScalarType for BasisPoints {
    fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
        let points = match &value {
            async_graphql::Value::Number(number) => number.as_i64(),
            _ => None,
        };
        match points {
            Some(points) => Self::try_from(points).map_err(async_graphql::InputValueError::custom),
            None => Err(async_graphql::InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> async_graphql::Value {
        async_graphql::Value::Number(self.0.into())
    }
}
