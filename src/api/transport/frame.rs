//! What every HTTP request gets, whatever its path: a name, a span, a measured duration, an
//! answer when a handler panics, and the headers that keep browsers from guessing.
//!
//! Written as one layer because each of its parts needs the others' values, and because a layer
//! per part would box the future of every request as many times.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderValue, Method};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::engine::{Answer, panicked};
use super::http::reply;
use super::negotiate::Media;
use super::request::{REQUEST_ID, RequestId};
use crate::metrics::{HttpLabels, Metrics};

/// Names requests `<process>-<number>`; the first half is drawn when the process starts.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    metrics: Metrics,
    names: Arc<Names>,
}

#[derive(Debug)]
struct Names {
    process: u64,
    next: AtomicU64,
}

impl Frame {
    pub(super) fn new(metrics: Metrics) -> Self {
        let (process, _) = uuid::Uuid::now_v7().as_u64_pair();
        Self {
            metrics,
            names: Arc::new(Names {
                process,
                next: AtomicU64::new(1),
            }),
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
        let run = AssertUnwindSafe(self.inner.call(request))
            .catch_unwind()
            .instrument(span);
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
            decorate(&mut response, id);
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

/// A client's own name is taken over when it cannot disturb a log line.
fn is_plain(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=RequestId::BYTES_MAX).contains(&name.len()) && name.iter().all(plain)
}

fn decorate(response: &mut Response, id: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

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
