//! `/livez`, `/readyz`, `/healthz` and `/metrics`.
//!
//! Everybody may ask whether the process lives and takes work; how its parts are is for operators.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};

use super::errors::{Code, Fault};
use super::http::refuse;
use super::lifecycle::Lifecycle;
use super::negotiate::Media;
use super::peer::Peer;
use crate::health::{Health, Report};
use crate::metrics::{self, Metrics};

#[derive(Clone)]
pub(super) struct Probes<H> {
    health: H,
    lifecycle: Lifecycle,
    metrics: Metrics,
    token: Option<Arc<str>>,
}

impl<H: Health> Probes<H> {
    pub(super) const fn new(
        health: H,
        lifecycle: Lifecycle,
        metrics: Metrics,
        token: Option<Arc<str>>,
    ) -> Self {
        Self {
            health,
            lifecycle,
            metrics,
            token,
        }
    }

    pub(super) fn routes(self) -> Router {
        Router::new()
            .route(
                "/livez",
                get(async || text(StatusCode::OK, "alive\n".to_owned())),
            )
            .route("/readyz", get(readyz::<H>))
            .route("/healthz", get(healthz::<H>))
            .route("/metrics", get(metrics_page::<H>))
            .with_state(self)
    }

    /// Whether an operator asks: by the token where there is one, or else from this machine.
    fn is_operator(&self, request: &Request) -> bool {
        let Some(token) = &self.token else {
            let peer = request.extensions().get::<Peer>();
            return peer.is_none_or(|peer| peer.is_local());
        };
        let said = request.headers().get(AUTHORIZATION);
        let said = said.and_then(|value| value.to_str().ok()?.split_once(' '));
        said.is_some_and(|(kind, brought)| {
            kind.eq_ignore_ascii_case("bearer") && are_equal(brought.trim(), token)
        })
    }

    /// A server that is about to end takes no more work, whatever its parts say.
    fn report(&self) -> Report {
        let report = self.health.report();
        if self.lifecycle.is_draining() {
            return report.with("shutdown", false, "draining");
        }
        report
    }
}

/// May this process be sent work? `?verbose` names the parts.
async fn readyz<H: Health>(State(probes): State<Probes<H>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let verbose = query.split('&').any(|part| part == "verbose");
    answer(&probes.report(), verbose && probes.is_operator(&request))
}

fn answer(report: &Report, verbose: bool) -> Response {
    let short = if report.is_ready() {
        "ready\n"
    } else {
        "not ready\n"
    };
    text(
        status(report.is_ready()),
        if verbose {
            report.to_text()
        } else {
            short.to_owned()
        },
    )
}

/// Do the parts work? Draining is no illness.
async fn healthz<H: Health>(State(probes): State<Probes<H>>, request: Request) -> Response {
    answer(&probes.health.report(), probes.is_operator(&request))
}

async fn metrics_page<H: Health>(State(probes): State<Probes<H>>, request: Request) -> Response {
    if !probes.is_operator(&request) {
        let message = "metrics are for operators: bring the token, or ask from this machine";
        return refuse(Media::Json, Fault::new(Code::Unauthenticated, message));
    }
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let (kind, body) = if open {
        (metrics::OPEN_METRICS, probes.metrics.to_open_metrics())
    } else {
        (metrics::TEXT, probes.metrics.to_text())
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], body).into_response()
}

/// Compares without telling by its time how much of a guess was right.
fn are_equal(guess: &str, token: &str) -> bool {
    let pairs = guess.bytes().zip(token.bytes());
    let difference = pairs.fold(0, |sum, (a, b)| sum | (a ^ b));
    guess.len() == token.len() && std::hint::black_box(difference) == 0
}

const fn status(ready: bool) -> StatusCode {
    if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

fn text(status: StatusCode, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}
