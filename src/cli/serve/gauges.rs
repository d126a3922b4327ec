//! Carries the figures of the organisation's parts to the metrics, once a second.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use daybook_api::{
    metrics::{Metrics, ProjectionLabels, RefusalLabels},
    transport::Lifecycle,
};
use daybook_app::Organisation;
use daybook_eventlog::{LogError, LogState, LogStats, SYNC_BUCKETS_US, Tail};
use daybook_schema::commit::CommitMeta;
use tokio::task::spawn_blocking;

const PERIOD: Duration = Duration::from_secs(1);
/// Events counted behind the read models; a longer lag is shown as about this much.
const LAG_COUNTED: i64 = 1_000_000;

/// What was last carried over, since the sources count from the opening and metrics are added to.
pub(super) struct Gauges {
    organisation: Arc<Organisation>,
    metrics: Metrics,
    tail: Tail,
    before: LogStats,
}

/// Updates the metrics until connections are closed.
pub(super) async fn keep(mut gauges: Gauges, lifecycle: Lifecycle) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = lifecycle.closing() => return,
        }
        // The figures of the log look at its files.
        let updated = spawn_blocking(move || {
            let outcome = gauges.update();
            (gauges, outcome)
        });
        let Ok((updated, outcome)) = updated.await else {
            return;
        };
        gauges = updated;
        if let Err(error) = outcome {
            tracing::warn!(%error, "metrics not updated");
        }
    }
}

impl Gauges {
    pub(super) fn new(organisation: Arc<Organisation>, metrics: Metrics) -> Self {
        let log = organisation.log();
        let tail = log.subscribe(log.head().position);
        Self {
            organisation,
            metrics,
            tail,
            // What opening wrote counts too.
            before: LogStats::default(),
        }
    }

    fn update(&mut self) -> Result<(), LogError> {
        let stats = self.organisation.log().stats();
        self.log_figures(&stats);
        warn_of_new(
            &self.before.archive_failure,
            &stats.archive_failure,
            "archive",
        );
        warn_of_new(&self.before.index_failure, &stats.index_failure, "index");
        self.before = stats;
        let queued = self.organisation.desk().queued();
        self.metrics
            .desk_queue_depth
            .set(i64::try_from(queued).unwrap_or(i64::MAX));
        self.appended()?;
        self.lag()
    }

    fn log_figures(&self, stats: &LogStats) {
        let head = i64::try_from(stats.head).unwrap_or(i64::MAX);
        self.metrics.log_head_position.set(head);
        let writable = self.organisation.log().state() == LogState::Writable;
        self.metrics.log_writable.set(i64::from(writable));
        let events = stats.events.saturating_sub(self.before.events);
        self.metrics.events_appended.inc_by(events);
        let counts = stats.sync_histogram.iter().zip(self.before.sync_histogram);
        for (bucket, (count, before)) in counts.enumerate() {
            let longest = SYNC_BUCKETS_US.get(bucket).copied();
            let duration = longest.map_or(stats.last_sync, Duration::from_micros);
            // The log keeps counts per bucket; an append is shown as the longest of its bucket,
            // so never shorter than it was.
            for _ in before..*count {
                self.metrics.append_duration.observe(duration.as_secs_f64());
            }
        }
    }

    fn appended(&mut self) -> Result<(), LogError> {
        while let Some(commits) = self.tail.next_blocking(Duration::ZERO)? {
            let size = u32::try_from(commits.len()).unwrap_or(u32::MAX);
            self.metrics.append_batch_commits.observe(f64::from(size));
            for commit in commits.iter().filter(|commit| commit.event_count() == 0) {
                let meta: Option<CommitMeta> = serde_json::from_slice(commit.meta()).ok();
                if let Some(refusal) = meta.and_then(|meta| meta.refusal) {
                    let labels = RefusalLabels { code: refusal.code };
                    self.metrics.refusals.get_or_create(&labels).inc();
                }
            }
        }
        Ok(())
    }

    /// All read models advance together, so one label stands for all of them.
    fn lag(&self) -> Result<(), LogError> {
        let log = self.organisation.log();
        let applied = self.organisation.applied().borrow().position;
        let labels = ProjectionLabels {
            projection: "read-models".to_owned(),
        };
        let (mut events, mut seconds) = (0, 0.0);
        for block in log.blocks(applied) {
            let block = block?;
            for commit in block.commits().filter(|commit| commit.position() > applied) {
                if events == 0 {
                    seconds = age(commit.meta());
                }
                events += i64::from(commit.event_count());
            }
            if events > LAG_COUNTED {
                break;
            }
        }
        let families = (
            &self.metrics.projection_lag_events,
            &self.metrics.projection_lag,
        );
        families.0.get_or_create(&labels).set(events);
        families.1.get_or_create(&labels).set(seconds);
        Ok(())
    }
}

/// Seconds since a commit was recorded.
fn age(meta: &[u8]) -> f64 {
    let meta: Option<CommitMeta> = serde_json::from_slice(meta).ok();
    let age = meta.map(|meta| Utc::now() - meta.recorded_at.0);
    let age = age.and_then(|age| age.to_std().ok());
    age.map_or(0.0, |age| age.as_secs_f64())
}

/// The log does not say by itself that one of its derived parts has failed.
fn warn_of_new(before: &Option<String>, now: &Option<String>, part: &str) {
    if let Some(reason) = now
        && before.as_ref() != Some(reason)
    {
        tracing::warn!(
            part,
            reason,
            "a part of the log that can be derived has stopped"
        );
    }
}
