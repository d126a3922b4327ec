//! What every HTTP request gets, whatever its path: a name, a span, a measured duration, an
//! answer when a handler panics, and the headers that keep browsers from guessing.
//!
//! Written as one layer because each of its parts needs the others' values, and because a layer
//! per part would box the future of every request as many times.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::engine::{Answer, panicked};
use super::errors::{Code, Fault};
use super::http::{refuse, reply};
use super::negotiate::Media;
use super::origin;
use super::peer::Peer;
use super::rates::Visits;
use super::request::{REQUEST_ID, RequestId};
use crate::metrics::{HttpLabels, Metrics};

/// Names requests `<process>-<number>`; the first half is drawn when the process starts.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    metrics: Metrics,
    names: Arc<Names>,
    gate: Arc<Gate>,
}

/// Who is turned away before anything is read.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) visits: Option<Visits>,
    pub(super) hosts: Option<Vec<String>>,
}

#[derive(Debug)]
struct Names {
    process: u64,
    next: AtomicU64,
}

impl Frame {
    pub(super) fn new(metrics: Metrics, gate: Gate) -> Self {
        let (process, _) = uuid::Uuid::now_v7().as_u64_pair();
        Self {
            metrics,
            names: Arc::new(Names {
                process,
                next: AtomicU64::new(1),
            }),
            gate: Arc::new(gate),
        }
    }
}

impl Names {
    fn next(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:x}-{number:x}", self.process);
        HeaderValue::from_maybe_shared(bytes::Bytes::from(text))
            .unwrap_or_else(|_| HeaderValue::from_static("none"))
    }
}

impl<S> Layer<S> for Frame {
    type Service = Framed<S>;

    fn layer(&self, inner: S) -> Framed<S> {
        Framed {
            inner,
            frame: self.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Framed<S> {
    inner: S,
    frame: Frame,
}

impl<S> Service<Request> for Framed<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let started = Instant::now();
        let id = self.frame.name(&mut request);
        let method = method_label(request.method());
        let route = route_label(request.uri().path());
        let span = tracing::info_span!(
            "request",
            request_id = id.to_str().unwrap_or_default(),
            method,
            route,
        );
        let peer = request.extensions().get::<Peer>().copied();
        let secure = peer.is_some_and(|peer| peer.secure);
        let run = match self.frame.gate.check(peer, route, &request) {
            Err(fault) => ready(Ok(Ok(refuse(Media::Json, fault)))).left_future(),
            Ok(()) => AssertUnwindSafe(self.inner.call(request))
                .catch_unwind()
                .right_future(),
        };
        let run = run.instrument(span);
        let metrics = self.frame.metrics.clone();
        Box::pin(async move {
            let mut response = match run.await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(panic) => {
                    let response = panicked(&*panic, id.to_str().unwrap_or_default());
                    reply(Media::GraphQl, &Answer::from(response))
                }
            };
            let status = response.status().as_u16();
            let labels = HttpLabels {
                method,
                route,
                status,
            };
            let elapsed = started.elapsed();
            metrics
                .http_requests
                .get_or_create(&labels)
                .observe(elapsed.as_secs_f64());
            tracing::debug!(request_id = ?id, method, route, status, ?elapsed, "answered");
            decorate(&mut response, id, secure);
            Ok(response)
        })
    }
}

impl Frame {
    /// Puts a name into the request's headers, where every handler finds it, and returns it.
    fn name(&self, request: &mut Request) -> HeaderValue {
        let held = request.headers().get(REQUEST_ID);
        if let Some(given) = held.filter(|value| is_plain(value.as_bytes())) {
            return given.clone();
        }
        let name = self.names.next();
        request.headers_mut().insert(REQUEST_ID, name.clone());
        name
    }
}

impl Gate {
    /// Probes cost no more than being turned away, and whoever asks them must not take the process
    /// for dead.
    fn check(
        &self,
        peer: Option<Peer>,
        route: &'static str,
        request: &Request,
    ) -> Result<(), Fault> {
        if matches!(route, "/livez" | "/readyz") {
            return Ok(());
        }
        if let Some((visits, peer)) = self.visits.as_ref().zip(peer) {
            visits.count(peer)?;
        }
        match &self.hosts {
            Some(hosts) if !origin::asks_for(request, hosts) => {
                let message = "this server is not asked under that name";
                Err(Fault::new(Code::Forbidden, message))
            }
            _ => Ok(()),
        }
    }
}

/// A client's own name is taken over when it cannot disturb a log line.
fn is_plain(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=RequestId::BYTES_MAX).contains(&name.len()) && name.iter().all(plain)
}

/// What an answer that is no page may load, and who may show it: nothing and nobody. The query
/// page brings a policy of its own.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Every answer says what browsers must not do with it; an answer that says nothing of being kept
/// must not be.
fn decorate(response: &mut Response, id: HeaderValue, secure: bool) {
    const fn fixed(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(X_FRAME_OPTIONS, fixed("DENY"));
    headers.insert(REFERRER_POLICY, fixed("no-referrer"));
    headers.insert(CROSS_ORIGIN_OPENER, fixed("same-origin"));
    headers.insert(CROSS_ORIGIN_EMBEDDER, fixed("require-corp"));
    headers.insert(CROSS_ORIGIN_RESOURCE, fixed("same-origin"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(fixed(POLICY));
    headers.entry(CACHE_CONTROL).or_insert(fixed("no-store"));
    if secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000"));
    }
}

const CROSS_ORIGIN_OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_EMBEDDER: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");
const CROSS_ORIGIN_RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Labels come from fixed sets: a caller must not be able to grow the registry.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn route_label(path: &str) -> &'static str {
    match path {
        "/" => "/",
        "/graphql" => "/graphql",
        "/livez" => "/livez",
        "/readyz" => "/readyz",
        "/healthz" => "/healthz",
        "/metrics" => "/metrics",
        path if path.starts_with("/assets/") => "/assets",
        path if path.starts_with("/events") => "/events",
        _ => "other",
    }
}
