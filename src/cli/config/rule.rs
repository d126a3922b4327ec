//! What the value of a setting may be, and how it is read and shown.
//!
//! Every value has a form in text, because variables and flags have no other; what a file gives
//! as a number, a truth or a list is read through its text too.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use toml::Value;

/// How the value of a setting is read and shown.
pub(crate) struct Rule<T> {
    /// The value where nobody gives one.
    pub(crate) default: T,
    /// What is allowed, as the end of a sentence.
    pub(crate) allowed: String,
    /// What stands for the value in `--help`.
    pub(crate) placeholder: &'static str,
    /// Whether the value may be shown, and stand where others see it.
    pub(crate) secret: bool,
    read: Box<Read<T>>,
    show: Box<Show<T>>,
}

type Read<T> = dyn Fn(&str) -> Option<T>;
type Show<T> = dyn Fn(&T) -> Option<Value>;

impl<T> Rule<T> {
    /// The value of a text; none where it is not allowed.
    pub(crate) fn read(&self, text: &str) -> Option<T> {
        (self.read)(text.trim())
    }

    /// The value for a file; none where there is no value.
    pub(crate) fn show(&self, value: &T) -> Option<Value> {
        let shown = (self.show)(value)?;
        Some(if self.secret { "***".into() } else { shown })
    }
}

/// A value that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Box<str>);

impl Secret {
    /// The value, for the one who needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Least length of a secret: what is shorter can be guessed.
const SECRET_LENGTH_MIN: usize = 16;

pub(crate) fn secret() -> Rule<Option<Secret>> {
    Rule {
        default: None,
        allowed: format!("{SECRET_LENGTH_MIN} to 1024 visible ASCII characters"),
        placeholder: "SECRET",
        secret: true,
        read: Box::new(|text| {
            let long_enough = (SECRET_LENGTH_MIN..=1024).contains(&text.len());
            let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
            (long_enough && visible).then(|| Some(Secret(text.into())))
        }),
        show: Box::new(|value| value.as_ref().map(|_hidden| "***".into())),
    }
}

pub(crate) fn switch(default: bool) -> Rule<bool> {
    Rule {
        default,
        allowed: "true or false".to_owned(),
        placeholder: "BOOL",
        secret: false,
        read: Box::new(|text| text.parse().ok()),
        show: Box::new(|value| Some((*value).into())),
    }
}

pub(crate) fn count(default: u32, range: RangeInclusive<u32>) -> Rule<u32> {
    Rule {
        default,
        allowed: format!("a number from {} to {}", range.start(), range.end()),
        placeholder: "N",
        secret: false,
        read: Box::new(move |text| digits(text)?.parse().ok().filter(|n| range.contains(n))),
        show: Box::new(|value| Some(i64::from(*value).into())),
    }
}

pub(crate) fn size(default: usize, range: RangeInclusive<usize>) -> Rule<usize> {
    Rule {
        default,
        allowed: format!("a number from {} to {}", range.start(), range.end()),
        placeholder: "N",
        secret: false,
        read: Box::new(move |text| digits(text)?.parse().ok().filter(|n| range.contains(n))),
        show: Box::new(|value| i64::try_from(*value).ok().map(Value::from)),
    }
}

/// A number may group its digits, as TOML allows it.
fn digits(text: &str) -> Option<String> {
    let grouped = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    grouped.then(|| text.replace('_', ""))
}

/// The units of sizes, the largest first.
const BYTES: [(&str, usize); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

pub(crate) fn bytes(default: usize, range: RangeInclusive<usize>) -> Rule<usize> {
    Rule {
        default,
        allowed: format!(
            "bytes from {} to {}, such as 65536 or 64KiB",
            with_unit(*range.start(), &BYTES),
            with_unit(*range.end(), &BYTES)
        ),
        placeholder: "BYTES",
        secret: false,
        read: Box::new(move |text| without_unit(text, &BYTES).filter(|n| range.contains(n))),
        show: Box::new(|value| Some(with_unit(*value, &BYTES).into())),
    }
}

/// The units of times, the largest first, in milliseconds.
const TIMES: [(&str, usize); 3] = [("m", 60_000), ("s", 1_000), ("ms", 1)];

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

pub(crate) fn time(default: Duration, range: RangeInclusive<Duration>) -> Rule<Duration> {
    Rule {
        default,
        allowed: format!(
            "a time from {} to {}, such as 500ms, 10s or 2m; a number alone is seconds",
            show_time(range.start()),
            show_time(range.end())
        ),
        placeholder: "TIME",
        secret: false,
        read: Box::new(move |text| read_time(text).filter(|time| range.contains(time))),
        show: Box::new(|value| Some(show_time(value).into())),
    }
}

fn read_time(text: &str) -> Option<Duration> {
    let count = match digits(text).and_then(|text| text.parse::<usize>().ok()) {
        Some(whole_seconds) => whole_seconds.checked_mul(1_000)?,
        // The unit of a thousandth ends like that of a whole second.
        None if text.ends_with("ms") => without_unit(text, &TIMES[2..])?,
        None => without_unit(text, &TIMES[..2])?,
    };
    Some(Duration::from_millis(u64::try_from(count).ok()?))
}

fn show_time(time: &Duration) -> String {
    let count = usize::try_from(time.as_millis()).unwrap_or(usize::MAX);
    match count {
        0 => "0s".to_owned(),
        count => with_unit(count, &TIMES),
    }
}

/// A count in the largest unit that leaves nothing over.
fn with_unit(count: usize, units: &[(&str, usize)]) -> String {
    let fits = |(_, size): &&(&str, usize)| count > 0 && count.is_multiple_of(*size);
    let (unit, size) = units.iter().find(fits).copied().unwrap_or(("", 1));
    format!("{}{unit}", count / size)
}

fn without_unit(text: &str, units: &[(&str, usize)]) -> Option<usize> {
    let (count, size) = units
        .iter()
        .find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    digits(count.trim_end())?
        .parse::<usize>()
        .ok()?
        .checked_mul(*size)
}

/// Where the server listens by default.
pub(crate) const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

pub(crate) fn address() -> Rule<SocketAddr> {
    Rule {
        default: DEFAULT_ADDRESS,
        allowed: "an address with a port, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080"
            .to_owned(),
        placeholder: "ADDR",
        secret: false,
        read: Box::new(|text| match text.strip_prefix("localhost:") {
            Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
            None => text.parse().ok(),
        }),
        show: Box::new(|value| Some(value.to_string().into())),
    }
}

pub(crate) fn file() -> Rule<Option<PathBuf>> {
    Rule {
        default: None,
        allowed: "the path of a file".to_owned(),
        placeholder: "FILE",
        secret: false,
        read: Box::new(|text| (!text.is_empty()).then(|| Some(text.into()))),
        show: Box::new(|value| value.as_ref().map(|path| path.display().to_string().into())),
    }
}

pub(crate) fn text() -> Rule<Option<String>> {
    Rule {
        default: None,
        allowed: "text".to_owned(),
        placeholder: "TEXT",
        secret: false,
        read: Box::new(|text| (!text.trim().is_empty()).then(|| Some(text.trim().to_owned()))),
        show: Box::new(|value| value.clone().map(Into::into)),
    }
}

/// A text that is always there.
pub(crate) fn word(default: &str) -> Rule<String> {
    Rule {
        default: default.to_owned(),
        allowed: "text".to_owned(),
        placeholder: "TEXT",
        secret: false,
        read: Box::new(|text| (!text.is_empty()).then(|| text.to_owned())),
        show: Box::new(|value| Some(value.clone().into())),
    }
}

pub(crate) fn https() -> Rule<Option<String>> {
    Rule {
        allowed: "an address such as https://login.example.com/keys".to_owned(),
        placeholder: "URL",
        read: Box::new(|text| {
            let uri: axum::http::Uri = text.parse().ok()?;
            let known = uri.scheme_str() == Some("https") && uri.authority().is_some();
            known.then(|| Some(text.to_owned()))
        }),
        ..text()
    }
}

/// Entries separated by commas in text.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty())
}

pub(crate) fn texts() -> Rule<Vec<String>> {
    Rule {
        default: Vec::new(),
        allowed: "names, in text separated by commas".to_owned(),
        placeholder: "NAMES",
        secret: false,
        read: Box::new(|text| Some(entries(text).map(ToOwned::to_owned).collect())),
        show: Box::new(|value| Some(value.clone().into())),
    }
}

/// Ways to sign, by their names in RFC 7518 and RFC 8037.
pub(crate) fn algorithms() -> Rule<Vec<String>> {
    Rule {
        default: ["RS256", "ES256"].map(ToOwned::to_owned).to_vec(),
        allowed: format!(
            "some of {}, in text separated by commas",
            SIGNATURES.join(", ")
        ),
        read: Box::new(|text| {
            let read = |name: &str| SIGNATURES.contains(&name).then(|| name.to_owned());
            entries(text).map(read).collect()
        }),
        ..texts()
    }
}

/// The names of the algorithms that a provider may sign with.
const SIGNATURES: [&str; 7] = [
    "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA",
];

pub(crate) fn origins() -> Rule<Vec<String>> {
    Rule {
        default: Vec::new(),
        allowed: "origins such as https://sales.example.com, in text separated by commas"
            .to_owned(),
        placeholder: "ORIGINS",
        secret: false,
        read: Box::new(|text| {
            let entries = text.split(',').map(str::trim).filter(|one| !one.is_empty());
            entries.map(read_origin).collect()
        }),
        show: Box::new(|value| Some(value.clone().into())),
    }
}

pub(crate) fn hosts() -> Rule<Vec<String>> {
    Rule {
        default: Vec::new(),
        allowed: "names such as books.example.com, in text separated by commas".to_owned(),
        placeholder: "NAMES",
        secret: false,
        read: Box::new(|text| {
            let entries = text.split(',').map(str::trim).filter(|one| !one.is_empty());
            let known = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
            let read = |name: &str| name.chars().all(known).then(|| name.to_owned());
            entries.map(read).collect()
        }),
        show: Box::new(|value| Some(value.clone().into())),
    }
}

/// A scheme and a host, perhaps a port, and nothing behind: that is all that browsers send.
fn read_origin(text: &str) -> Option<String> {
    let uri: axum::http::Uri = text.parse().ok()?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri
        .authority()
        .filter(|host| !host.as_str().contains('@'))?;
    let bare = format!("{}://{host}", uri.scheme_str()?);
    (known && bare.eq_ignore_ascii_case(text)).then_some(bare)
}

pub(crate) fn choice<T: Copy + Default + PartialEq>(
    choices: &'static [(&'static str, T)],
) -> Rule<T> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    Rule {
        default: T::default(),
        allowed: names.join(" or "),
        placeholder: "CHOICE",
        secret: false,
        read: Box::new(|text| {
            let found = choices.iter().find(|(name, _)| *name == text);
            found.map(|(_, value)| *value)
        }),
        show: Box::new(|value| {
            let found = choices.iter().find(|(_, one)| one == value);
            found.map(|(name, _)| (*name).into())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, millis, minutes, origins, read_time, seconds, show_time, time};

    #[test]
    fn times_have_units() {
        let expected = [
            ("10", Some(seconds(10))),
            ("10s", Some(seconds(10))),
            ("10 s", Some(seconds(10))),
            ("500ms", Some(millis(500))),
            ("2m", Some(minutes(2))),
            ("2h", None),
            ("-1s", None),
            ("1.5s", None),
            ("s", None),
            ("99999999999999999999", None),
            ("18446744073709551615m", None),
        ];
        for (text, value) in expected {
            assert_eq!(read_time(text), value, "{text}");
        }
        for (value, text) in [(seconds(90), "90s"), (minutes(2), "2m"), (millis(1), "1ms")] {
            assert_eq!(show_time(&value), text);
        }
        let rule = time(seconds(1), seconds(1)..=minutes(1));
        assert!(rule.read("61s").is_none() && rule.read("0").is_none());
        assert_eq!(rule.read(" 1m "), Some(minutes(1)));
    }

    #[test]
    fn sizes_have_units() {
        let rule = bytes(1 << 20, 1 << 10..=1 << 20);
        for (text, value) in [("1KiB", 1 << 10), ("1_024", 1 << 10), ("1MiB", 1 << 20)] {
            assert_eq!(rule.read(text), Some(value), "{text}");
        }
        for text in ["1kb", "1023", "2MiB", "KiB", "_1024", ""] {
            assert_eq!(rule.read(text), None, "{text}");
        }
        assert_eq!(rule.show(&(3 << 10)), Some("3KiB".into()));
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        let rule = origins();
        let two = rule
            .read("https://a.example, http://localhost:3000")
            .unwrap_or_default();
        assert_eq!(two, ["https://a.example", "http://localhost:3000"]);
        for text in [
            "*",
            "a.example",
            "https://a.example/",
            "https://a/b",
            "ftp://a",
            "https://u@a",
        ] {
            assert_eq!(rule.read(text), None, "{text}");
        }
    }
}
