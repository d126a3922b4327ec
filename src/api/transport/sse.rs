//! GraphQL over server-sent events, one operation per request (distinct connections).
//!
//! An operation that cannot run is told in the stream as well: an `EventSource` shows its page
//! neither the status nor the body of an answer that is no stream. At shutdown the stream breaks
//! off without `complete`, which tells the client to come back.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _, once, unfold};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderName, HeaderValue};
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::engine::{Answer, Engine};
use super::errors::Fault;
use super::lifecycle::Lifecycle;
use super::negotiate::Media;
use super::request::GraphQlRequest;
use super::{GraphQl, Shared, encode};

/// Tells buffering proxies to pass events on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) fn respond<G: GraphQl>(
    shared: &Arc<Shared<G>>,
    prepared: Result<GraphQlRequest, Fault>,
) -> Response {
    let answers = match prepared {
        Ok(request) => Engine::stream(&shared.engine, request).boxed(),
        Err(fault) => once(std::future::ready(Answer::from(fault))).boxed(),
    };
    let feed = Feed::new(answers, shared);
    let events = unfold(feed, async |mut feed| {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(Media::EventStream.content_type());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

struct Feed {
    answers: Option<BoxStream<'static, Answer>>,
    heartbeat: Interval,
    lifecycle: Lifecycle,
    open: Gauge,
}

impl Feed {
    fn new<G>(answers: BoxStream<'static, Answer>, shared: &Shared<G>) -> Self {
        let period = shared.config.heartbeat;
        let mut heartbeat = interval_at(tokio::time::Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let open = shared.metrics.open_streams.clone();
        open.inc();
        Self {
            answers: Some(answers),
            heartbeat,
            lifecycle: shared.lifecycle.clone(),
            open,
        }
    }

    async fn next(&mut self) -> Option<Bytes> {
        let answers = self.answers.as_mut()?;
        tokio::select! {
            answer = answers.next() => match answer {
                Some(answer) => Some(event(&answer)),
                None => {
                    self.answers = None;
                    Some(Bytes::from_static(b"event: complete\ndata:\n\n"))
                }
            },
            _ = self.heartbeat.tick() => Some(Bytes::from_static(b":\n\n")),
            () = self.lifecycle.closing() => None,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// JSON text holds no line break, so one `data:` line carries it whole.
fn event(answer: &Answer) -> Bytes {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"event: next\ndata: ");
    encode::write(answer, &mut out);
    out.extend_from_slice(b"\n\n");
    out.into()
}
