//! From the text of a cell to the value of a field.

use std::str::FromStr;

use chrono::{
    DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat,
    TimeZone, Utc,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::error::RowProblem;

/// Why a cell is not what the mapping says it is; the text itself is shown by the caller.
pub(super) fn invalid(message: String) -> RowProblem {
    RowProblem::new("IMPORT_CELL_INVALID", message)
}

/// A time zone by its IANA name, or a fixed offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
}

impl FromStr for Zone {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(zone) = text.parse() {
            return Ok(Self::Named(zone));
        }
        text.parse().map(Self::Fixed).map_err(|_| {
            format!("`{text}` is neither a time zone such as Asia/Shanghai nor an offset as +08:00")
        })
    }
}

impl Zone {
    /// The instant of a local time; of the two when clocks are put back, the earlier.
    fn instant(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        fn earliest<T: TimeZone>(found: LocalResult<DateTime<T>>) -> Option<DateTime<Utc>> {
            found.earliest().map(|instant| instant.with_timezone(&Utc))
        }
        match self {
            Self::Named(zone) => earliest(zone.from_local_datetime(&local)),
            Self::Fixed(offset) => earliest(offset.from_local_datetime(&local)),
        }
    }
}

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) decimal: char,
    pub(super) thousands: Option<char>,
}

impl Numbers {
    /// Reads a number exactly; groups of thousands have to be groups of three.
    pub(super) fn read(self, text: &str) -> Result<Decimal, RowProblem> {
        let plain = self.plain(text);
        let number = plain.and_then(|plain| Decimal::from_str_exact(&plain).ok());
        number.ok_or_else(|| invalid(format!("`{text}` is not a number written like {self}")))
    }

    /// The number with a point and without groups; none where it is written in another way.
    fn plain(self, text: &str) -> Option<String> {
        let (sign, digits) = match text.strip_prefix(['-', '−']) {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let groups: Vec<&str> = match self.thousands {
            Some(separator) => whole.split(separator).collect(),
            None => vec![whole],
        };
        let grouped = groups.iter().skip(1).all(|group| group.len() == 3)
            && (groups.len() == 1 || (1..=3).contains(&groups.first().map_or(0, |g| g.len())));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let whole = groups.concat();
        let has_digits = !whole.is_empty() || fraction.is_some_and(|part| !part.is_empty());
        if !grouped || !has_digits || !all_digits(&whole) || !fraction.is_none_or(all_digits) {
            return None;
        }
        let whole = if whole.is_empty() { "0" } else { &whole };
        Some(match fraction {
            Some(fraction) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
            _ => format!("{sign}{whole}"),
        })
    }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = self.thousands.map(String::from).unwrap_or_default();
        write!(f, "1{separator}234{}5", self.decimal)
    }
}

/// A share: 15 percent and a ratio of 0.15 are both 1500 basis points.
pub(super) fn basis_points(share: Decimal, per_unit: i64, text: &str) -> Result<Value, RowProblem> {
    let points = share.checked_mul(per_unit.into()).map(|p| p.normalize());
    let whole = points.filter(Decimal::is_integer);
    let points = whole.and_then(|points| i64::try_from(points).ok());
    points
        .map(Value::from)
        .ok_or_else(|| invalid(format!("`{text}` is not a whole number of basis points")))
}

pub(super) fn integer(number: Decimal, text: &str) -> Result<Value, RowProblem> {
    let whole = Some(number.normalize()).filter(Decimal::is_integer);
    let whole = whole.and_then(|number| i64::try_from(number).ok());
    whole
        .map(Value::from)
        .ok_or_else(|| invalid(format!("`{text}` is not a whole number")))
}

pub(super) fn money(amount: Decimal, currency: &str) -> Value {
    json!({ "amount": amount.normalize().to_string(), "currency": currency })
}

pub(super) fn boolean(text: &str) -> Result<Value, RowProblem> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "是" => Ok(true.into()),
        "false" | "f" | "no" | "n" | "0" | "否" => Ok(false.into()),
        _ => Err(invalid(format!("`{text}` is neither yes nor no"))),
    }
}

/// A user name: lower case, words joined by a point, and nothing that user names do not have.
pub(super) fn user(text: &str) -> String {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| {
            let kept = word.chars();
            let kept = kept.filter(|c| c.is_alphanumeric() || "._-/@+:".contains(*c));
            kept.flat_map(char::to_lowercase).collect()
        })
        .filter(|word: &String| !word.is_empty())
        .collect();
    words.join(".")
}

pub(super) fn date(text: &str, format: &str) -> Result<Value, RowProblem> {
    match NaiveDate::parse_from_str(text, format) {
        Ok(date) => Ok(date.to_string().into()),
        Err(error) => Err(invalid(format!(
            "`{text}` is not a date of the form {format}: {error}"
        ))),
    }
}

/// An instant. The format may name an offset, or only a local time of the zone, or only a day,
/// which then begins at midnight in the zone.
pub(super) fn date_time(text: &str, format: Option<&str>, zone: Zone) -> Result<Value, RowProblem> {
    let Some(format) = format else {
        let instant = DateTime::parse_from_rfc3339(text);
        return instant
            .map(|instant| instant_text(instant.with_timezone(&Utc)))
            .map_err(|error| invalid(format!("`{text}` is not an RFC 3339 instant: {error}")));
    };
    if let Ok(instant) = DateTime::parse_from_str(text, format) {
        return Ok(instant_text(instant.with_timezone(&Utc)));
    }
    let local = NaiveDateTime::parse_from_str(text, format).or_else(|error| {
        NaiveDate::parse_from_str(text, format)
            .map(|day| day.and_time(NaiveTime::MIN))
            .map_err(|_| error)
    });
    let local =
        local.map_err(|error| invalid(format!("`{text}` is not of the form {format}: {error}")))?;
    zone.instant(local)
        .map(instant_text)
        .ok_or_else(|| invalid(format!("`{text}` does not exist in its time zone")))
}

fn instant_text(instant: DateTime<Utc>) -> Value {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::{
        Numbers, Zone, basis_points, boolean, date, date_time, integer, invalid, money, user,
    };

    const POINT: Numbers = Numbers {
        decimal: '.',
        thousands: None,
    };
    const COMMA: Numbers = Numbers {
        decimal: ',',
        thousands: Some('.'),
    };

    #[test]
    fn numbers_are_read_as_they_are_written_or_not_at_all() {
        let read = |numbers: Numbers, text| numbers.read(text).map(|n| n.to_string()).ok();
        for (text, number) in [
            ("12", "12"),
            ("-0.50", "-0.50"),
            ("+.5", "0.5"),
            ("5.", "5"),
            ("0012", "12"),
        ] {
            assert_eq!(read(POINT, text).as_deref(), Some(number), "{text}");
        }
        assert_eq!(read(COMMA, "1.234.567,89").as_deref(), Some("1234567.89"));
        assert_eq!(read(COMMA, "−1.000").as_deref(), Some("-1000"));
        for text in [
            "", "-", ".", "1,5", "1e3", "0x1", "1.2.3", "¥5", "NaN", "1 000", "１",
        ] {
            assert_eq!(read(POINT, text), None, "{text}");
        }
        for text in ["1.23", "1234.567", ".123", "1..234", "12,5,0"] {
            assert_eq!(read(COMMA, text), None, "{text}");
        }
        let error = COMMA.read("a").unwrap_err();
        assert_eq!(
            error,
            invalid("`a` is not a number written like 1.234,5".to_owned())
        );
    }

    #[test]
    fn shares_are_whole_basis_points() {
        let share = |text, per_unit| basis_points(POINT.read(text).unwrap(), per_unit, text);
        assert_eq!(share("12.5", 100).unwrap(), 1_250);
        assert_eq!(share("0.15", 10_000).unwrap(), 1_500);
        assert_eq!(
            share("0.12345", 10_000).unwrap_err().code,
            "IMPORT_CELL_INVALID"
        );
        assert_eq!(integer(POINT.read("7.0").unwrap(), "7.0").unwrap(), 7);
        assert!(integer(POINT.read("7.5").unwrap(), "7.5").is_err());
        let price = money(POINT.read("1.50").unwrap(), "CNY");
        assert_eq!(
            price,
            serde_json::json!({ "amount": "1.5", "currency": "CNY" })
        );
    }

    #[test]
    fn user_names_hold_what_user_names_may() {
        assert_eq!(user(" Anna  O'Hara (Mrs) "), "anna.ohara.mrs");
        assert_eq!(user("张 伟"), "张.伟");
        assert_eq!(user("(…)"), "");
        assert_eq!(boolean("Yes").unwrap(), true);
        assert_eq!(boolean("否").unwrap(), false);
        assert!(boolean("maybe").is_err());
    }

    #[test]
    fn local_times_become_instants() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let shanghai: Zone = "+08:00".parse().unwrap();
        let instant = |text, format, zone| date_time(text, Some(format), zone).ok();
        let minutes = "%d.%m.%Y %H:%M";
        let summer = instant("01.07.2026 12:00", minutes, berlin);
        assert_eq!(summer.unwrap(), "2026-07-01T10:00:00Z");
        assert_eq!(
            instant("2026-03-01", "%F", shanghai).unwrap(),
            "2026-02-28T16:00:00Z"
        );
        // Clocks are put back: the earlier of two. Clocks are put forward: no such time.
        let twice = instant("25.10.2026 02:30", minutes, berlin);
        assert_eq!(twice.unwrap(), "2026-10-25T00:30:00Z");
        assert_eq!(instant("29.03.2026 02:30", minutes, berlin), None);
        let offset = instant("2026-03-01 09:00 -0500", "%F %H:%M %z", berlin);
        assert_eq!(offset.unwrap(), "2026-03-01T14:00:00Z");
        let plain = date_time("2026-03-01T09:00:00.5+08:00", None, berlin);
        assert_eq!(plain.unwrap(), "2026-03-01T01:00:00.500Z");
        assert!(date_time("2026-03-01", None, berlin).is_err());
        assert_eq!(
            date("1.3.2026 17:30", "%d.%m.%Y %H:%M").unwrap(),
            "2026-03-01"
        );
        assert!(date("31.2.2026", "%d.%m.%Y").is_err());
    }
}
