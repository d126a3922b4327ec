//! The page's parts.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use http::{HeaderMap, HeaderValue, StatusCode};

use super::{EXAMPLES, PAGE_CSS, PAGE_JS, index, takes_gzip};

fn asked(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    headers
}

#[test]
fn assets_are_sent_packed_when_the_browser_takes_it() {
    let packed = PAGE_JS.answer(None, &asked("accept-encoding", "gzip, br"));
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let plain = PAGE_JS.answer(None, &asked("accept-encoding", "gzip;q=0, identity"));
    assert!(!plain.headers().contains_key("content-encoding"));
    assert!(PAGE_JS.plain().len() > PAGE_JS.packed.len());
    assert!(PAGE_CSS.plain().starts_with(b"."), "style sheet");
}

#[test]
fn an_asset_is_kept_for_ever_under_its_own_version() {
    let version = format!("v={}", PAGE_CSS.tag());
    let current = PAGE_CSS.answer(Some(&version), &HeaderMap::new());
    assert!(
        current.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let bare = PAGE_CSS.answer(None, &HeaderMap::new());
    assert_eq!(bare.headers()["cache-control"], "no-cache");
    let tag = bare.headers()["etag"].to_str().unwrap();
    let held = PAGE_CSS.answer(None, &asked("if-none-match", tag));
    assert_eq!(held.status(), StatusCode::NOT_MODIFIED);
}

#[test]
fn the_page_forbids_every_other_host() {
    let page = index();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "));
    assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe"));
    let other = index();
    assert_ne!(
        other.headers()["content-security-policy"],
        policy,
        "the nonce changes"
    );
}

#[test]
fn encodings_are_read_with_their_qualities() {
    for (value, expected) in [("gzip", true), ("br;q=1, *;q=0.1", true), ("br", false)] {
        assert_eq!(
            takes_gzip(&asked("accept-encoding", value)),
            expected,
            "{value}"
        );
    }
    assert!(!takes_gzip(&HeaderMap::new()));
}

#[test]
fn every_example_parses_and_has_variables_in_json() {
    for example in EXAMPLES {
        async_graphql::parser::parse_query(example.query).unwrap();
        for text in [example.variables, example.headers]
            .into_iter()
            .filter(|text| !text.is_empty())
        {
            serde_json::from_str::<serde_json::Map<_, _>>(text).unwrap();
        }
    }
}
