//! The query page: an editor in the browser, served whole by this process.
//!
//! It asks no other host for anything and its content policy forbids it to. Scripts and styles
//! are embedded packed; `README.md` tells how they are made.

mod examples;

use std::io::Read as _;
use std::sync::OnceLock;

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

pub use self::examples::{EXAMPLES, Example};

/// What the page may load. The editor adds one style of its own when a dialog opens; it is known
/// by a nonce that changes with every visit.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

static PAGE_JS: Asset = Asset::new(
    "page.js",
    "text/javascript; charset=utf-8",
    include_bytes!("assets/page.js.gz"),
);
static PAGE_CSS: Asset = Asset::new(
    "page.css",
    "text/css; charset=utf-8",
    include_bytes!("assets/page.css.gz"),
);

/// `/` leads to the page.
pub(crate) async fn root() -> Redirect {
    Redirect::temporary("/graphql")
}

/// The page itself.
pub(crate) fn index() -> Response {
    let nonce = uuid::Uuid::now_v7().simple().to_string();
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.replace("{nonce}", &nonce)),
        (VARY, "accept".to_owned()),
    ];
    let html = include_str!("page.html")
        .replace("{script}", PAGE_JS.tag())
        .replace("{style}", PAGE_CSS.tag())
        .replace("{nonce}", &nonce);
    (headers, html).into_response()
}

/// A script, a style sheet, or the examples.
pub(crate) async fn asset(
    Path(name): Path<String>,
    RawQuery(version): RawQuery,
    headers: HeaderMap,
) -> Response {
    if name == "examples.json" {
        return examples_json();
    }
    match [&PAGE_JS, &PAGE_CSS]
        .into_iter()
        .find(|asset| asset.name == name)
    {
        Some(asset) => asset.answer(version.as_deref(), &headers),
        None => crate::transport::not_found().await,
    }
}

fn examples_json() -> Response {
    match serde_json::to_vec(EXAMPLES) {
        Ok(body) => {
            let headers = [
                (CONTENT_TYPE, "application/json"),
                (CACHE_CONTROL, "no-cache"),
            ];
            (headers, body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the examples could not be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An embedded file.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    packed: &'static [u8],
    tag: OnceLock<String>,
    plain: OnceLock<Bytes>,
}

impl Asset {
    const fn new(name: &'static str, content_type: &'static str, packed: &'static [u8]) -> Self {
        Self {
            name,
            content_type,
            packed,
            tag: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    /// Changes whenever the content does. The page asks for `name?v=tag`, so what a browser holds
    /// under that address never grows old.
    fn tag(&self) -> &str {
        self.tag.get_or_init(|| {
            let hash = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, self.packed);
            hash.simple().to_string()
        })
    }

    fn answer(&self, version: Option<&str>, asked: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", self.tag());
        let current = version.and_then(|query| query.strip_prefix("v=")) == Some(self.tag());
        let keep = if current {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let held = asked
            .get(IF_NONE_MATCH)
            .is_some_and(|value| value.as_bytes() == etag.as_bytes());
        let caching = [(ETAG, etag), (CACHE_CONTROL, keep.to_owned())];
        if held {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        let kind = [(CONTENT_TYPE, self.content_type), (VARY, "accept-encoding")];
        if takes_gzip(asked) {
            let packed = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
            return (caching, kind, packed, self.packed).into_response();
        }
        (caching, kind, self.plain()).into_response()
    }

    fn plain(&self) -> Bytes {
        let unpack = || {
            let mut plain = Vec::new();
            if let Err(error) = GzDecoder::new(self.packed).read_to_end(&mut plain) {
                tracing::error!(%error, asset = self.name, "an asset could not be unpacked");
            }
            plain.into()
        };
        self.plain.get_or_init(unpack).clone()
    }
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(ACCEPT_ENCODING).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| matches!(name, "gzip" | "*"));
            named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

#[cfg(test)]
mod spec;
