//! When people trade: seasons, weekdays, holidays and office hours, by region.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use daybook_schema::kernel::{Date, DateTime};

use super::chance::Chance;

/// Milliseconds since 1970 began.
pub(super) type Moment = i64;

/// Milliseconds of a second.
pub(super) const SECOND: i64 = 1_000;
/// Milliseconds of a minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// Milliseconds of an hour.
pub(super) const HOUR: i64 = 60 * MINUTE;

/// Demand below which a day counts as a holiday, in thousandths.
const HOLIDAY: u64 = 300;

/// First days of the Chinese year (春节).
const NEW_YEARS: [(i32, u32, u32); 14] = [
    (2020, 1, 25),
    (2021, 2, 12),
    (2022, 2, 1),
    (2023, 1, 22),
    (2024, 2, 10),
    (2025, 1, 29),
    (2026, 2, 17),
    (2027, 2, 6),
    (2028, 1, 26),
    (2029, 2, 13),
    (2030, 2, 3),
    (2031, 1, 23),
    (2032, 2, 11),
    (2033, 1, 31),
];

/// Where customers and those who serve them live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Region {
    China,
    Europe,
    America,
}

impl Region {
    pub(super) const ALL: [Self; 3] = [Self::China, Self::Europe, Self::America];

    /// Whether people speak Chinese there.
    pub(super) fn is_chinese(self) -> bool {
        self == Self::China
    }

    /// The hour in UTC at which offices open; they are open for nine hours.
    fn opens_at(self) -> i64 {
        match self {
            Self::China => 1,
            Self::Europe => 7,
            Self::America => 14,
        }
    }
}

/// The calendar day of a moment, in UTC.
pub(super) fn day_of(moment: Moment) -> NaiveDate {
    DateTime::from_micros(moment * 1_000).date().0
}

/// The moment at which a day begins.
pub(super) fn start_of(day: NaiveDate) -> Moment {
    day.and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
}

/// The day so many days later.
pub(super) fn later(day: NaiveDate, days: i64) -> Date {
    let days = Days::new(u64::try_from(days).unwrap_or(0));
    Date(day.checked_add_days(days).unwrap_or(day))
}

/// How much is bought on a day, in thousandths of an ordinary working day.
pub(super) fn demand(day: NaiveDate, region: Region) -> u64 {
    let season = match region {
        Region::China => chinese_season(day),
        Region::Europe | Region::America => western_season(day),
    };
    let weekday = match day.weekday() {
        Weekday::Mon => 1_100,
        Weekday::Tue | Weekday::Wed => 1_050,
        Weekday::Thu => 1_000,
        Weekday::Fri => 900,
        Weekday::Sat => 180,
        Weekday::Sun => 120,
    };
    season * weekday / 1_000
}

fn chinese_season(day: NaiveDate) -> u64 {
    if let Some(distance) = days_from_new_year(day) {
        match distance {
            -3..=8 => return 60,
            -17..=-4 => return 1_350,
            9..=14 => return 600,
            _ => {}
        }
    }
    match (day.month(), day.day()) {
        (10, 1..=7) | (5, 1..=3) => 120,
        (11, 1..=11) => 1_700,
        (6, 10..=18) | (12, 8..=12) => 1_350,
        (9 | 10, _) => 1_150,
        (2 | 7, _) => 850,
        _ => 1_000,
    }
}

fn western_season(day: NaiveDate) -> u64 {
    match (day.month(), day.day()) {
        (12, 24..=31) | (1, 1..=2) => 80,
        (11, 15..=30) => 1_500,
        (12, _) => 1_250,
        (8, _) => 700,
        (1 | 7, _) => 850,
        (9 | 10, _) => 1_150,
        _ => 1_000,
    }
}

/// Days since the first day of the Chinese year, negative before it; none far from it or in a
/// year that the table does not hold.
fn days_from_new_year(day: NaiveDate) -> Option<i64> {
    let (year, month, first) = NEW_YEARS
        .into_iter()
        .find(|(year, ..)| *year == day.year())?;
    let new_year = NaiveDate::from_ymd_opt(year, month, first)?;
    let distance = day.signed_duration_since(new_year).num_days();
    (distance.abs() < 30).then_some(distance)
}

/// A moment of office hours on a working day, at least so many days after `now` and always later.
pub(super) fn office(chance: &mut Chance, now: Moment, region: Region, days: i64) -> Moment {
    let mut day = later(day_of(now), days).0;
    // Holidays of both kinds are over within three weeks.
    for _ in 0..21 {
        if demand(day, region) >= HOLIDAY {
            break;
        }
        day = later(day, 1).0;
    }
    let opening = start_of(day) + region.opens_at() * HOUR;
    let moment = opening + chance.between(0, 9 * HOUR / SECOND) * SECOND;
    if moment > now {
        return moment;
    }
    now + chance.between(4, 45) * MINUTE
}
