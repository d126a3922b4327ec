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
use tokio::time::Interval;

use super::engine::{Answer, Engine};
use super::errors::Fault;
use super::lifecycle::Lifecycle;
use super::negotiate::Media;
use super::request::{GraphQlRequest, RequestContext};
use super::{GraphQl, Shared, encode, every};

/// Tells buffering proxies to pass events on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) fn respond<G: GraphQl>(
    shared: &Arc<Shared<G>>,
    prepared: Result<GraphQlRequest, Fault>,
) -> Response {
    let context = prepared
        .as_ref()
        .ok()
        .map(|request| request.context.clone());
    let answers = match prepared {
        Ok(request) => Engine::stream(&shared.engine, request).boxed(),
        Err(fault) => once(std::future::ready(Answer::from(fault))).boxed(),
    };
    let feed = Feed::new(answers, context, shared);
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

struct Feed<G: GraphQl> {
    engine: Arc<Engine<G>>,
    answers: Option<BoxStream<'static, Answer>>,
    /// Who listens; none where nothing is left to come but a refusal.
    context: Option<RequestContext>,
    heartbeat: Interval,
    renewals: Interval,
    lifecycle: Lifecycle,
    open: Gauge,
}

impl<G: GraphQl> Feed<G> {
    fn new(
        answers: BoxStream<'static, Answer>,
        context: Option<RequestContext>,
        shared: &Shared<G>,
    ) -> Self {
        let open = shared.metrics.open_streams.clone();
        open.inc();
        Self {
            engine: Arc::clone(&shared.engine),
            answers: Some(answers),
            context,
            heartbeat: every(shared.config.heartbeat),
            renewals: every(shared.config.renewal),
            lifecycle: shared.lifecycle.clone(),
            open,
        }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let answers = self.answers.as_mut()?;
            tokio::select! {
                answer = answers.next() => return Some(match answer {
                    Some(answer) => event(&answer),
                    None => {
                        self.answers = None;
                        Bytes::from_static(COMPLETE)
                    }
                }),
                _ = self.heartbeat.tick() => return Some(Bytes::from_static(b":\n\n")),
                _ = self.renewals.tick() => {
                    if let Some(context) = &self.context
                        && let Err(fault) = self.engine.renew(context).await
                    {
                        self.answers = None;
                        return Some([&event(&Answer::from(fault)), COMPLETE].concat().into());
                    }
                }
                () = self.lifecycle.closing() => return None,
            }
        }
    }
}

const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

impl<G: GraphQl> Drop for Feed<G> {
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
