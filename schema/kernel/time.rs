//! Instants and calendar days. The kernel reads no clock: time comes in with a command.

use std::{fmt, str::FromStr};

use chrono::{DateTime as ChronoDateTime, NaiveDate, SecondsFormat, Utc};

use super::text_scalar;

/// Text that is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("`{0}` is not an instant of RFC 3339 such as 2026-03-01T09:30:00Z")]
    NotDateTime(String),
    /// Not a calendar day.
    #[error("`{0}` is not a day such as 2026-03-01")]
    NotDate(String),
}

/// An instant, in UTC, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub ChronoDateTime<Utc>);

impl DateTime {
    /// The instant so many microseconds after 1970 began; out-of-range counts give 1970.
    pub fn from_micros(micros: i64) -> Self {
        Self(ChronoDateTime::from_timestamp_micros(micros).unwrap_or_default())
    }

    /// Microseconds since 1970 began.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The calendar day in UTC.
    pub fn date(self) -> Date {
        Date(self.0.date_naive())
    }
}

impl FromStr for DateTime {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        ChronoDateTime::parse_from_rfc3339(text)
            .map(|instant| Self::from_micros(instant.timestamp_micros()))
            .map_err(|_| TimeError::NotDateTime(text.chars().take(40).collect()))
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

text_scalar!(
    DateTime,
    "DateTime",
    "Instant of RFC 3339 in UTC, for example 2026-03-01T09:30:00Z; kept to the microsecond.",
    url = "https://datatracker.ietf.org/doc/html/rfc3339",
    format = "date-time"
);

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub NaiveDate);

impl FromStr for Date {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10)
            .map(Self)
            .ok_or_else(|| TimeError::NotDate(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_scalar!(
    Date,
    "Date",
    "Calendar day of ISO 8601, for example 2026-03-01.",
    url = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6",
    format = "date"
);
