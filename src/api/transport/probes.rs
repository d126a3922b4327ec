//! `/livez`, `/readyz`, `/healthz` and `/metrics`.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::lifecycle::Lifecycle;
use crate::health::{Health, Report};
use crate::metrics::{self, Metrics};

#[derive(Clone)]
pub(super) struct Probes<H> {
    health: H,
    lifecycle: Lifecycle,
    metrics: Metrics,
}

impl<H: Health> Probes<H> {
    pub(super) const fn new(health: H, lifecycle: Lifecycle, metrics: Metrics) -> Self {
        Self {
            health,
            lifecycle,
            metrics,
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
async fn readyz<H: Health>(State(probes): State<Probes<H>>, RawQuery(query): RawQuery) -> Response {
    let report = probes.report();
    let verbose = query.is_some_and(|query| query.split('&').any(|part| part == "verbose"));
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
async fn healthz<H: Health>(State(probes): State<Probes<H>>) -> Response {
    let report = probes.health.report();
    text(status(report.is_ready()), report.to_text())
}

async fn metrics_page<H: Health>(State(probes): State<Probes<H>>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let (kind, body) = if open {
        (metrics::OPEN_METRICS, probes.metrics.to_open_metrics())
    } else {
        (metrics::TEXT, probes.metrics.to_text())
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], body).into_response()
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
