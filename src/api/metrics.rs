//! What the process counts and times, in one registry that `/metrics` prints.
//!
//! Every handle is a cheap clone of a shared cell, so the hot path takes no lock on a family:
//! label sets that are known beforehand are resolved once.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

/// The media type of [`Metrics::to_open_metrics`].
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The media type of [`Metrics::to_text`].
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Labels of an HTTP request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HttpLabels {
    /// The request method, `other` for an unusual one.
    pub method: &'static str,
    /// The path of the route, `other` for a path that leads nowhere.
    pub route: &'static str,
    /// The status code.
    pub status: u16,
}

/// Labels of a GraphQL operation.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct OperationLabels {
    /// `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    /// `ok`, `partial` (data with errors) or `error`.
    pub outcome: &'static str,
}

/// Labels of a request beyond what a client may ask for.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct LimitLabels {
    /// What there was too much of: `address`, `requests` or `cost`.
    pub what: &'static str,
}

/// Labels of a connection that the server ended, or did not take.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct CutLabels {
    /// Why: `address` (too many connections), `plain` (no encryption), `handshake`, `stuck` (the
    /// client took nothing), or `closing`.
    pub reason: &'static str,
}

/// Labels of a refused command.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RefusalLabels {
    /// The rejection's stable code.
    pub code: String,
}

/// Labels of a read model.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ProjectionLabels {
    /// The read model's name.
    pub projection: String,
}

/// Builds histograms of durations from 50 µs to about 13 s, doubling.
#[derive(Clone, Copy, Debug)]
pub struct DurationBuckets;

impl MetricConstructor<Histogram> for DurationBuckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(50e-6, 2.0, 19))
    }
}

/// A histogram per label set.
pub type Durations<L> = Family<L, Histogram, DurationBuckets>;

/// Fractional seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// Every metric of the process. Clones share their cells.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// HTTP requests until their head is answered, in seconds.
    pub http_requests: Durations<HttpLabels>,
    /// GraphQL operations, in seconds.
    pub operations: OperationDurations,
    /// Documents found parsed.
    pub document_cache_hits: Counter,
    /// Documents parsed.
    pub document_cache_misses: Counter,
    /// WebSocket connections open now.
    pub open_sockets: Gauge,
    /// Event streams (SSE) open now.
    pub open_streams: Gauge,
    /// TCP connections open now.
    pub open_connections: Gauge,
    /// Connections that the server ended, or did not take.
    pub cut_connections: Family<CutLabels, Counter>,
    /// Requests beyond what a client may ask for.
    pub rate_limited: Family<LimitLabels, Counter>,
    /// Durable appends, in seconds.
    pub append_duration: Histogram,
    /// Commits in one durable append.
    pub append_batch_commits: Histogram,
    /// Events written to the log.
    pub events_appended: Counter,
    /// Commands refused by a business rule.
    pub refusals: Family<RefusalLabels, Counter>,
    /// Events in the log that a read model has not seen.
    pub projection_lag_events: Family<ProjectionLabels, Gauge>,
    /// Age of the oldest such event, in seconds.
    pub projection_lag: Family<ProjectionLabels, Seconds>,
    /// Commands that wait for the desk.
    pub desk_queue_depth: Gauge,
    /// The position of the newest commit.
    pub log_head_position: Gauge,
    /// 1 while the log takes appends; 0 when space is low or a write has failed.
    pub log_writable: Gauge,
}

impl Metrics {
    /// A fresh registry with every metric at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut names = Names(Registry::default());
        let mut metrics = Self {
            registry: Arc::default(),
            http_requests: names.add(
                "http_server_request_duration_seconds",
                "Time until the head of an HTTP response, per route and status",
                Family::new_with_constructor(DurationBuckets),
            ),
            operations: OperationDurations::register(&mut names),
            document_cache_hits: names.count(
                "daybook_document_cache_hits",
                "GraphQL documents found parsed",
            ),
            document_cache_misses: names.count(
                "daybook_document_cache_misses",
                "GraphQL documents that had to be parsed",
            ),
            open_sockets: names.gauge("daybook_open_sockets", "WebSocket connections open now"),
            open_streams: names.gauge("daybook_open_streams", "Event streams open now"),
            open_connections: names.gauge("daybook_open_connections", "TCP connections open now"),
            cut_connections: names.counts(
                "daybook_cut_connections",
                "Connections that the server ended or did not take, per reason",
            ),
            rate_limited: names.counts(
                "daybook_rate_limited",
                "Requests beyond what a client may ask for, per kind of limit",
            ),
            append_duration: names.add(
                "daybook_append_duration_seconds",
                "Time of one durable append to the log",
                DurationBuckets.new_metric(),
            ),
            append_batch_commits: names.add(
                "daybook_append_batch_commits",
                "Commits made durable by one append",
                Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            ),
            events_appended: names.count("daybook_events_appended", "Events written to the log"),
            refusals: names.counts(
                "daybook_refusals",
                "Commands refused by a business rule, per code",
            ),
            projection_lag_events: names.add(
                "daybook_projection_lag_events",
                "Events in the log that a read model has not seen",
                Family::default(),
            ),
            projection_lag: names.add(
                "daybook_projection_lag_seconds",
                "Age of the oldest event that a read model has not seen",
                Family::default(),
            ),
            desk_queue_depth: names.gauge(
                "daybook_desk_queue_depth",
                "Commands that wait for the desk",
            ),
            log_head_position: names
                .gauge("daybook_log_head_position", "Position of the newest commit"),
            log_writable: names.gauge(
                "daybook_log_writable",
                "1 while the log takes appends, 0 when space is low or a write has failed",
            ),
        };
        metrics.registry = Arc::new(names.0);
        metrics
    }

    /// Every metric as [`OPEN_METRICS`].
    #[must_use]
    pub fn to_open_metrics(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing to a string cannot fail; a shortened page would still be a fault worth a line.
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "metrics could not be encoded");
        }
        text
    }

    /// Every metric as [`TEXT`], which describes a counter under its full name and knows neither
    /// units nor an end mark.
    #[must_use]
    pub fn to_text(&self) -> String {
        let open_metrics = self.to_open_metrics();
        let counters: HashSet<&str> = open_metrics
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
            .collect();
        let mut text = String::with_capacity(open_metrics.len() + 256);
        for line in open_metrics.lines() {
            let described = ["# HELP ", "# TYPE "].into_iter().find_map(|start| {
                let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
                counters.contains(name).then_some((start, name, rest))
            });
            match described {
                Some((start, name, rest)) => {
                    text.extend([start, name, "_total ", rest, "\n"]);
                }
                None if line.starts_with("# UNIT ") || line == "# EOF" => {}
                None => text.extend([line, "\n"]),
            }
        }
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The nine histograms of GraphQL operations, each resolved once.
#[derive(Clone, Debug)]
pub struct OperationDurations {
    cells: [(OperationLabels, Histogram); 9],
}

impl OperationDurations {
    fn register(names: &mut Names) -> Self {
        let family: Durations<OperationLabels> = names.add(
            "daybook_graphql_operation_duration_seconds",
            "Time of a GraphQL operation, for a subscription until it ends",
            Family::new_with_constructor(DurationBuckets),
        );
        let kinds = ["query", "mutation", "subscription"];
        let outcomes = ["ok", "partial", "error"];
        let cells = std::array::from_fn(|at| {
            let labels = OperationLabels {
                kind: kinds[at / 3],
                outcome: outcomes[at % 3],
            };
            (labels, family.get_or_create_owned(&labels))
        });
        Self { cells }
    }

    /// Records one finished operation. Labels outside the nine are ignored.
    pub fn observe(&self, labels: OperationLabels, elapsed: Duration) {
        if let Some((_, cell)) = self.cells.iter().find(|(known, _)| *known == labels) {
            cell.observe(elapsed.as_secs_f64());
        }
    }
}

struct Names(Registry);

impl Names {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn count(&mut self, name: &str, help: &str) -> Counter {
        self.add(name, help, Counter::default())
    }

    fn counts<L: EncodeLabelSet + Clone + Eq + Hash + Debug + Send + Sync + 'static>(
        &mut self,
        name: &str,
        help: &str,
    ) -> Family<L, Counter> {
        self.add(name, help, Family::default())
    }

    fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        self.add(name, help, Gauge::default())
    }
}
