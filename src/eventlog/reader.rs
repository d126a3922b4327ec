//! The reading side of a log: any number of clones, on any threads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use crate::Position;
use crate::commit::Commit;
use crate::error::LogError;
use crate::hash::Head;
use crate::scan::{self, BlockCursor, Blocks, Scan, ScanBack};
use crate::shared::Shared;
use crate::stats::LogStats;
use crate::stream::{StreamEvent, StreamScan};
use crate::tail::Tail;

/// A handle for reading. Cheap to clone; sees only what is durable.
#[derive(Clone, Debug)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

/// Whether the log takes appends.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum LogState {
    /// It does.
    Writable,
    /// Not until there is more room; it resumes by itself.
    LowSpace {
        /// Bytes free on the file system.
        free: u64,
        /// Bytes that must be free.
        required: u64,
    },
    /// Not until it has been closed and opened again. Reading goes on.
    Stopped {
        /// The failure that stopped it.
        reason: String,
    },
}

impl Log {
    /// The durable head.
    #[must_use]
    pub fn head(&self) -> Head {
        self.shared.head()
    }

    /// Whose log it is.
    #[must_use]
    pub fn organisation(&self) -> Uuid {
        self.shared.options.organisation
    }

    /// The folder it lives in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// Whether appends are possible now. Asks the file system at most every 100 ms.
    #[must_use]
    pub fn state(&self) -> LogState {
        if let Some(reason) = self.shared.stopped() {
            return LogState::Stopped { reason };
        }
        let disk = self.shared.options.disk.as_ref();
        match self.shared.space.shortage(disk, &self.shared.dir) {
            Ok(Some(s)) => LogState::LowSpace {
                free: s.free,
                required: s.required,
            },
            // A file system that cannot be measured is no reason to refuse.
            Ok(None) | Err(_) => LogState::Writable,
        }
    }

    /// The commits behind `after`, in order, up to the durable head as of each step.
    #[must_use]
    pub fn read(&self, after: Position) -> Scan {
        Scan::new(Arc::clone(&self.shared), after)
    }

    /// The commits before `before`, the newest first; `Position::MAX` begins at the head.
    #[must_use]
    pub fn read_back(&self, before: Position) -> ScanBack {
        let before = before.min(self.head().position.saturating_add(1));
        let shared = Arc::clone(&self.shared);
        ScanBack {
            shared,
            before,
            current: Arc::from([]),
            failed: false,
        }
    }

    /// Whole blocks from sled, for fast scans of everything: no allocation per commit. The first
    /// block is the one that holds the commit behind `after`, so it may begin before that.
    #[must_use]
    pub fn blocks(&self, after: Position) -> Blocks {
        let cursor = BlockCursor::new(Arc::clone(&self.shared), after);
        Blocks {
            cursor,
            failed: false,
        }
    }

    /// The commit at a position; `None` for 0 and past the durable head.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when its block cannot be trusted.
    pub fn commit(&self, position: Position) -> Result<Option<Commit>, LogError> {
        self.shared.check_open()?;
        if position == 0 || position > self.head().position {
            return Ok(None);
        }
        let commits = self.shared.neighbours(position)?;
        let found = scan::find(&commits, position).cloned();
        found
            .map(Some)
            .ok_or_else(|| LogError::damaged("commit is missing", position, position))
    }

    /// The events of one stream with a version above `after_version`, in the order of the log.
    #[must_use]
    pub fn stream(&self, stream: &str, after_version: u64) -> StreamScan {
        StreamScan::new(self.clone(), stream, after_version)
    }

    /// The last event of a stream, found without a look at the others; `None` where it has none.
    ///
    /// # Errors
    /// [`LogError::Index`] when the index cannot be read, [`LogError::Damaged`] when the block
    /// cannot be trusted.
    pub fn last_of_stream(&self, stream: &str) -> Result<Option<StreamEvent>, LogError> {
        self.shared.check_open()?;
        let mut before = Position::MAX;
        loop {
            // One is enough, but for the rare stream with the same hash.
            let found = self.shared.index.last_positions(stream, before, 1)?;
            let Some(position) = found.first().copied() else {
                return Ok(None);
            };
            if let Some(event) = self.last_in_commit(position, stream)? {
                return Ok(Some(event));
            }
            before = position;
        }
    }

    fn last_in_commit(
        &self,
        position: Position,
        stream: &str,
    ) -> Result<Option<StreamEvent>, LogError> {
        let Some(commit) = self.commit(position)? else {
            return Ok(None);
        };
        let own = commit.events().filter(|event| event.stream == stream);
        let index = own.map(|event| event.index).last();
        Ok(index.map(|index| StreamEvent {
            position,
            commit,
            index,
        }))
    }

    /// Up to `limit` positions behind `after` of commits with events of a stream, in order.
    ///
    /// # Errors
    /// [`LogError::Index`] when the index cannot be read.
    pub fn stream_positions(
        &self,
        stream: &str,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Position>, LogError> {
        let mut found = Vec::new();
        let mut cursor = after;
        while found.len() < limit {
            let wanted = limit - found.len();
            let page = self.shared.index.positions(stream, cursor, None, wanted)?;
            let Some(last) = page.last() else { break };
            cursor = *last;
            for position in page {
                if self.touches(position, stream)? {
                    found.push(position);
                }
            }
        }
        Ok(found)
    }

    /// Whether a commit really has events of the stream, and not of one with the same hash.
    fn touches(&self, position: Position, stream: &str) -> Result<bool, LogError> {
        let commit = self.commit(position)?;
        Ok(commit.is_some_and(|commit| commit.events().any(|event| event.stream == stream)))
    }

    pub(crate) fn index_positions(
        &self,
        stream: &str,
        after: Position,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<Position>, LogError> {
        self.shared.check_open()?;
        self.shared
            .index
            .positions(stream, after, Some(after_version), limit)
    }

    /// Where a command has been committed.
    ///
    /// # Errors
    /// [`LogError::Index`] when the index cannot be read.
    pub fn command(&self, id: Uuid) -> Result<Option<Position>, LogError> {
        self.shared.check_open()?;
        self.shared.index.command(id)
    }

    /// Follows the log: everything behind `after`, then whatever is appended.
    #[must_use]
    pub fn subscribe(&self, after: Position) -> Tail {
        Tail::new(Arc::clone(&self.shared), after)
    }

    /// Makes every thread that waits in [`Tail::next_blocking`] return at once, so that it can see
    /// that it shall end.
    pub fn nudge(&self) {
        self.shared.feed.nudge();
    }

    /// Figures for monitoring. Looks at the file system, so not for every request.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        let shared = &self.shared;
        let head = shared.head().position;
        let archived = shared.archive.written_to.load(Ordering::Relaxed);
        LogStats {
            store_bytes: shared.store.disk_bytes(),
            archive_bytes: shared.archive.bytes.load(Ordering::Relaxed),
            archive_lag: head.saturating_sub(archived),
            archive_failure: shared.archive.failure(),
            index_lag: head.saturating_sub(shared.index.written_to()),
            index_failure: shared.index.failure(),
            head,
            ..shared.counters.read()
        }
    }
}
