//! Following the log: everything behind a position, then whatever is appended.

use std::sync::Arc;
use std::time::Duration;

use crate::Position;
use crate::commit::Commit;
use crate::error::LogError;
use crate::scan::Batches;
use crate::shared::Shared;

/// A follower of the log; see [`crate::Log::subscribe`].
///
/// It holds nothing but a position: being slow, or being forgotten, costs the writer nothing.
#[derive(Debug)]
pub struct Tail {
    batches: Batches,
}

impl Tail {
    pub(crate) fn new(shared: Arc<Shared>, after: Position) -> Self {
        Self {
            batches: Batches::new(shared, after),
        }
    }

    /// The last position given out, or the one subscribed behind.
    #[must_use]
    pub fn position(&self) -> Position {
        self.batches.after()
    }

    /// Waits for the next commits: in order, without gaps, never past the durable head. Dropping
    /// the future loses nothing.
    ///
    /// Commits that have left the ring are read from sled on the spot, one block at a time, which
    /// blocks the calling task for microseconds and, when the disk is cold, for milliseconds.
    ///
    /// # Errors
    /// [`LogError::Closed`] when the log is closed; [`LogError::Damaged`] when a block on the way
    /// cannot be trusted.
    pub async fn next(&mut self) -> Result<Arc<[Commit]>, LogError> {
        loop {
            if let Some(batch) = self.batches.next_batch()? {
                return Ok(batch);
            }
            self.batches.shared().feed.moved(self.batches.after()).await;
        }
    }

    /// The same for a thread; `None` when nothing came within `timeout`.
    ///
    /// # Errors
    /// As [`Tail::next`].
    pub fn next_blocking(&mut self, timeout: Duration) -> Result<Option<Arc<[Commit]>>, LogError> {
        if let Some(batch) = self.batches.next_batch()? {
            return Ok(Some(batch));
        }
        self.batches
            .shared()
            .feed
            .wait_moved(self.batches.after(), timeout);
        self.batches.next_batch()
    }
}
