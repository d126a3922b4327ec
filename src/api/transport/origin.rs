//! Pages of other origins. A browser lets any page open a socket to any server, so the server
//! itself must look where the page came from; answers to requests it hides unless told otherwise.
//! A page whose name is made to lead here counts as our own, so the name is looked at too.

use std::net::IpAddr;

use axum::extract::Request;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, ORIGIN, VARY,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode};

const ALLOWED_HEADERS: &str = "accept, authorization, content-type, daybook-actor, \
    daybook-at-least, idempotency-key, last-event-id, x-request-id";

/// Whether a socket may be opened: programs name no origin, pages must come from this server or
/// from a listed origin.
pub(super) fn may_open_socket(headers: &HeaderMap, listed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let own = origin
        .split_once("://")
        .is_some_and(|(_, from)| from.eq_ignore_ascii_case(host));
    own || is_listed(origin, listed)
}

/// Whether a request names one of these hosts. Names of this machine and addresses always will do:
/// a stranger's page is never asked under them.
pub(super) fn asks_for(request: &Request, hosts: &[String]) -> bool {
    let by_header = || Authority::try_from(request.headers().get(HOST)?.as_bytes()).ok();
    let named = request.uri().authority().cloned().or_else(by_header);
    let Some(named) = named else { return false };
    let host = named.host().trim_matches(['[', ']']);
    let is_address = host.parse::<IpAddr>().is_ok();
    is_address
        || host.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// The origin to name in the answer, when it is a listed one.
pub(super) fn listed_origin(headers: &HeaderMap, listed: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    is_listed(origin.to_str().ok()?, listed).then(|| origin.clone())
}

fn is_listed(origin: &str, listed: &[String]) -> bool {
    listed
        .iter()
        .any(|known| known.eq_ignore_ascii_case(origin))
}

/// Lets a page of that origin read the answer.
pub(super) fn expose(response: &mut Response, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("retry-after, x-request-id"),
    );
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// The answer to a browser that asks whether a page of a listed origin may send a request.
pub(super) fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(ALLOWED_HEADERS),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}
