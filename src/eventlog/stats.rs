//! Figures of a running log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Position;

/// Upper bounds of the buckets of [`LogStats::sync_histogram`], in microseconds; a last bucket
/// without bound follows.
pub const SYNC_BUCKETS_US: [u64; 12] = [
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000,
];

/// Figures since the log was opened, unless said otherwise.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct LogStats {
    /// Appends acknowledged, each one sync.
    pub appends: u64,
    /// Commits acknowledged.
    pub commits: u64,
    /// Events acknowledged.
    pub events: u64,
    /// Blocks written.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub block_bytes: u64,
    /// The duration of the last flush and sync.
    pub last_sync: Duration,
    /// Counts of syncs by duration, see [`SYNC_BUCKETS_US`].
    pub sync_histogram: [u64; SYNC_BUCKETS_US.len() + 1],
    /// Sum of all sync durations.
    pub sync_total: Duration,
    /// Bytes of sled's files now.
    pub store_bytes: u64,
    /// Bytes of the archive now.
    pub archive_bytes: u64,
    /// Positions that the archive is behind the head.
    pub archive_lag: u64,
    /// Why the archive has stopped, if it has.
    pub archive_failure: Option<String>,
    /// Commits that the index file is behind the head; lookups see them nevertheless.
    pub index_lag: u64,
    /// Why the index cannot be written, if it cannot.
    pub index_failure: Option<String>,
    /// The durable head.
    pub head: Position,
}

/// The counters behind [`LogStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    appends: AtomicU64,
    commits: AtomicU64,
    events: AtomicU64,
    blocks: AtomicU64,
    block_bytes: AtomicU64,
    last_sync_us: AtomicU64,
    sync_total_us: AtomicU64,
    sync_histogram: [AtomicU64; SYNC_BUCKETS_US.len() + 1],
}

/// What one append adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) commits: u64,
    pub(crate) events: u64,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) sync: Duration,
}

impl Counters {
    pub(crate) fn count(&self, one: Counted) {
        let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
        let sync_us = u64::try_from(one.sync.as_micros()).unwrap_or(u64::MAX);
        add(&self.appends, 1);
        add(&self.commits, one.commits);
        add(&self.events, one.events);
        add(&self.blocks, one.blocks);
        add(&self.block_bytes, one.bytes);
        add(&self.sync_total_us, sync_us);
        self.last_sync_us.store(sync_us, Ordering::Relaxed);
        let bucket = SYNC_BUCKETS_US.partition_point(|bound| *bound < sync_us);
        add(&self.sync_histogram[bucket], 1);
    }

    pub(crate) fn read(&self) -> LogStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LogStats {
            appends: get(&self.appends),
            commits: get(&self.commits),
            events: get(&self.events),
            blocks: get(&self.blocks),
            block_bytes: get(&self.block_bytes),
            last_sync: Duration::from_micros(get(&self.last_sync_us)),
            sync_histogram: std::array::from_fn(|i| get(&self.sync_histogram[i])),
            sync_total: Duration::from_micros(get(&self.sync_total_us)),
            ..LogStats::default()
        }
    }
}
