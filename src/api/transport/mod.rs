//! The HTTP side of the API, by the specifications: GraphQL over HTTP, `graphql-transport-ws`,
//! GraphQL over SSE. It knows no schema: everything it asks of one is in [`GraphQl`].
//!
//! In reading order: [`serve`](serve()) accepts connections, as many as `crowd` allows, encrypted
//! by `tls` and watched by `wire`; `frame` names and measures each request, and turns away those
//! that `rates` or their host forbid; `http`, `socket` and `sse` are the carriers; `engine` has the
//! caller's `identity` established and runs a request through its stages with `document`, `scan`
//! and `limits`; `errors` gives every fault its code; `encode` writes the answer. [`Lifecycle`]
//! ends it all in order.

mod crowd;
mod document;
mod encode;
mod engine;
pub mod errors;
mod frame;
mod http;
mod identity;
mod lifecycle;
mod limits;
mod negotiate;
mod origin;
mod peer;
mod probes;
mod rates;
mod request;
mod scan;
mod serve;
mod socket;
#[cfg(test)]
mod spec;
mod sse;
mod tls;
mod wire;

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

pub use self::document::{Document, DocumentCache, Operation};
use self::engine::Engine;
use self::errors::Fault;
pub(crate) use self::http::not_found;
pub use self::http::read_body;
pub use self::identity::Identity;
pub use self::lifecycle::Lifecycle;
pub use self::limits::{Limits, Measure};
pub(crate) use self::negotiate::require_json;
pub use self::peer::{Network, Peer};
use self::rates::Visits;
pub use self::rates::{Budget, Rate, RateLimited, Rates, Spent};
pub use self::request::{
    AT_LEAST, Carrier, GraphQlRequest, GraphQlResponse, IDEMPOTENCY_KEY, REQUEST_ID,
    RequestContext, RequestId,
};
pub use self::serve::{ServeConfig, serve};
pub use self::tls::{Tls, TlsError};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::page;

/// What the transport asks of the GraphQL side. Answers come boxed, so that resolvers are compiled
/// in the crate that has them and not again in every crate that serves them.
pub trait GraphQl: Clone + Send + Sync + 'static {
    /// Runs a query or a mutation.
    ///
    /// The returned future is dropped when the time limit passes or the client goes away: a
    /// command that was handed on by then must either be carried out or leave no trace.
    fn execute(&self, request: GraphQlRequest) -> BoxFuture<'_, GraphQlResponse>;

    /// Runs a subscription. The stream ends when the subscription does; dropping it is how a
    /// client's `complete` arrives.
    fn subscribe(&self, request: GraphQlRequest) -> BoxStream<'static, GraphQlResponse>;

    /// Establishes who asks, from what [`RequestContext::said`] tells. The transport calls it
    /// before it reads a request's body, at a socket's `connection_init`, again before each of a
    /// socket's operations, and every [`TransportConfig::renewal`] while somebody listens. It puts
    /// the outcome into [`RequestContext::identity`], where [`execute`](Self::execute) and
    /// [`subscribe`](Self::subscribe) find it.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`](errors::Code::Unauthenticated) where nobody could be established
    /// (401, sockets 4401); any other code where somebody was and may not ask (403, sockets 4403).
    fn authenticate(
        &self,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Identity, Fault>> + Send {
        let _ = context;
        std::future::ready(Ok(Identity::anonymous()))
    }
}

/// The transport's own limits.
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// What a document may ask for.
    pub limits: Limits,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Time for a body to arrive.
    pub body_time_max: Duration,
    /// Time for a query or mutation to end.
    pub query_time_max: Duration,
    /// Parsed documents kept.
    pub documents_max: NonZeroUsize,
    /// Bytes of a document that is kept.
    pub document_bytes_max: usize,
    /// Limits of each WebSocket.
    pub socket: SocketConfig,
    /// Time between signs of life on an idle event stream.
    pub heartbeat: Duration,
    /// Time after which whoever only listens is asked again who they are: a socket or a stream
    /// whose key, session or account is gone is closed that soon, also where nothing happens.
    pub renewal: Duration,
    /// Origins (`https://sales.example.com`) whose pages may open sockets and read answers,
    /// besides the server's own.
    pub origins: Vec<String>,
    /// The names under which the server is asked; none where every name will do. Without them, the
    /// page of a stranger whose name is made to lead here could ask in a browser's stead.
    pub hosts: Option<Vec<String>>,
    /// What a client may ask for in a while.
    pub rates: Rates,
    /// Whether the schema can be asked for. Where it cannot, errors name nothing of it either.
    pub introspection: bool,
    /// Whether the query page is served.
    pub query_page: bool,
    /// What a client must bring as a bearer token to see metrics and the state of the parts; where
    /// there is none, this machine alone sees them.
    pub metrics_token: Option<Box<str>>,
}

/// Limits of each WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketConfig {
    /// Time for `connection_init` to arrive.
    pub init_time_max: Duration,
    /// Bytes of one message from the client.
    pub message_bytes_max: usize,
    /// Operations at a time.
    pub operations_max: usize,
    /// Time between pings; a client silent for three of them is gone.
    pub ping_interval: Duration,
    /// Time for a client to take a message off its socket.
    pub send_time_max: Duration,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            body_bytes_max: 1024 * 1024,
            body_time_max: Duration::from_secs(10),
            query_time_max: Duration::from_secs(10),
            documents_max: NonZeroUsize::MIN.saturating_add(1023),
            document_bytes_max: 32 * 1024,
            socket: SocketConfig::default(),
            heartbeat: Duration::from_secs(12),
            renewal: Duration::from_secs(5),
            origins: Vec::new(),
            hosts: None,
            rates: Rates::default(),
            introspection: true,
            query_page: true,
            metrics_token: None,
        }
    }
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            init_time_max: Duration::from_secs(3),
            message_bytes_max: 256 * 1024,
            operations_max: 100,
            ping_interval: Duration::from_secs(20),
            send_time_max: Duration::from_secs(20),
        }
    }
}

/// What the handlers of `/graphql` share.
#[derive(Debug)]
struct Shared<G> {
    engine: Arc<Engine<G>>,
    config: TransportConfig,
    lifecycle: Lifecycle,
    metrics: Metrics,
}

/// The whole HTTP surface. `feeds` are further routes, served within the same frame.
pub fn router<G: GraphQl, H: Health>(
    graphql: G,
    health: H,
    config: TransportConfig,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
    feeds: Router,
) -> Router {
    let token = config.metrics_token.as_deref().map(Into::into);
    let probes = probes::Probes::new(health, lifecycle.clone(), metrics.clone(), token);
    let gate = frame::Gate {
        visits: Visits::new(&config.rates, metrics.clone()),
        hosts: config.hosts.clone(),
    };
    let page = config.query_page;
    let shared = Arc::new(Shared::new(graphql, config, metrics, lifecycle));
    let mut routes = Router::new()
        .route("/graphql", any(http::graphql::<G>))
        .with_state(shared);
    if page {
        routes = routes
            .route("/", get(page::root))
            .route("/assets/{name}", get(page::asset));
    }
    routes
        .merge(probes.routes())
        .merge(feeds)
        .fallback(not_found)
        .layer(frame::Frame::new(metrics.clone(), gate))
}

/// The surface of a server whose record is still being opened: probes are answered, and everybody
/// else is told to come back.
pub fn opening<H: Health>(health: H, metrics: &Metrics, lifecycle: &Lifecycle) -> Router {
    probes::Probes::new(health, lifecycle.clone(), metrics.clone(), None)
        .routes()
        .fallback(http::still_opening)
        .layer(frame::Frame::new(metrics.clone(), frame::Gate::default()))
}

/// Ticks from now on, after each period; those that were missed are not made up for.
fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl<G> Shared<G> {
    fn new(graphql: G, config: TransportConfig, metrics: &Metrics, lifecycle: &Lifecycle) -> Self {
        let (entries_max, bytes_max) = (config.documents_max, config.document_bytes_max);
        let documents = DocumentCache::new(entries_max, bytes_max, config.limits, metrics.clone());
        let engine = Engine {
            graphql,
            documents,
            limits: config.limits,
            time_max: config.query_time_max,
            budget: Budget::new(&config.rates, metrics.clone()),
            introspection: config.introspection,
            metrics: metrics.clone(),
        };
        let engine = Arc::new(engine);
        Self {
            engine,
            config,
            lifecycle: lifecycle.clone(),
            metrics: metrics.clone(),
        }
    }
}
