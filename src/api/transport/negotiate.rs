//! Which media type an answer takes.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};

use super::errors::{Code, Fault};

/// The media types that can carry an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    GraphQl,
    /// `application/json`: the status of a GraphQL answer is always 200.
    Json,
    /// `text/event-stream`: a stream of answers.
    EventStream,
    /// `text/html`: the query page.
    Html,
}

impl Media {
    /// The value of `Content-Type`.
    #[must_use]
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    /// The type that one `Accept` entry asks for. A wildcard means plain JSON, which is what a
    /// client that names nothing expects.
    fn parse(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("application/json") || is("*/*") || is("application/*") {
            Some(Self::Json)
        } else if is("application/graphql-response+json") {
            Some(Self::GraphQl)
        } else if is("text/event-stream") {
            Some(Self::EventStream)
        } else if is("text/html") {
            Some(Self::Html)
        } else {
            None
        }
    }
}

/// The media type that the client prefers: the highest quality, the first named among equals.
///
/// # Errors
/// [`Code::NotAcceptable`] when there is an `Accept` header and nothing in it fits.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<Media, Fault> {
    let mut best: Option<(Media, u16)> = None;
    let mut named = false;
    for line in headers.get_all(ACCEPT) {
        named = true;
        // A line that is no ASCII cannot name a type that fits.
        for entry in line.to_str().unwrap_or_default().split(',') {
            let (name, quality) = split_quality(entry);
            let better = best.is_none_or(|(_, held)| quality > held);
            if let Some(media) = Media::parse(name).filter(|_| quality > 0 && better) {
                best = Some((media, quality));
            }
        }
    }
    match best {
        Some((media, _)) => Ok(media),
        None if !named => Ok(Media::Json),
        None => Err(Fault::new(
            Code::NotAcceptable,
            "no acceptable media type fits: application/graphql-response+json, \
             application/json and text/event-stream are offered",
        )),
    }
}

/// The name of an entry and its quality in thousandths. A quality that is no number counts as 1.
fn split_quality(entry: &str) -> (&str, u16) {
    let mut parts = entry.split(';');
    let name = parts.next().unwrap_or_default().trim();
    let quality = parts
        .find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim()
                .eq_ignore_ascii_case("q")
                .then(|| thousandths(value.trim()))
        })
        .unwrap_or(1000);
    (name, quality)
}

fn thousandths(value: &str) -> u16 {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if whole != "0" && !whole.is_empty() {
        return 1000;
    }
    let mut digits = fraction.bytes().chain([b'0'; 3]).take(3);
    digits
        .try_fold(0_u16, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + u16::from(digit - b'0'))
        })
        .unwrap_or(1000)
}

/// Accepts a body of `application/json` in UTF-8 and nothing else. A page of another origin can
/// send forms and plain text without asking the browser first, but not this type.
///
/// # Errors
/// [`Code::UnsupportedMediaType`].
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Fault> {
    let value = headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or_default());
    let mut parts = value.unwrap_or_default().split(';');
    let name = parts.next().unwrap_or_default().trim();
    let charset_fits = parts.all(|part| match part.split_once('=') {
        Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
        }
        _ => true,
    });
    let encoding = headers.get(CONTENT_ENCODING);
    let unpacked = encoding.is_none_or(|encoding| encoding == "identity");
    if name.eq_ignore_ascii_case("application/json") && charset_fits && unpacked {
        return Ok(());
    }
    let message = "the body must be application/json in utf-8, not packed";
    Err(Fault::new(Code::UnsupportedMediaType, message))
}
