//! What the writer, all readers and the background threads of one open log have in common.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Position;
use crate::archive::ArchiveStatus;
use crate::error::LogError;
use crate::feed::{Feed, Group};
use crate::hash::Head;
use crate::index::Index;
use crate::options::LogOptions;
use crate::scan::BlockCursor;
use crate::space::SpaceGuard;
use crate::stats::Counters;
use crate::store::Store;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) options: LogOptions,
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    pub(crate) index: Index,
    pub(crate) archive: ArchiveStatus,
    pub(crate) space: SpaceGuard,
    pub(crate) counters: Counters,
    /// Why the writer has stopped, for good.
    pub(crate) stopped: Mutex<Option<String>>,
    /// Keeps other processes away for as long as it is here.
    pub(crate) lock: Mutex<Option<File>>,
}

impl Shared {
    pub(crate) fn head(&self) -> Head {
        self.feed.head()
    }

    pub(crate) fn stopped(&self) -> Option<String> {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stops the writer for good; the first reason stays.
    pub(crate) fn stop(&self, reason: &LogError) -> LogError {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = stopped.get_or_insert_with(|| reason.to_string()).clone();
        LogError::Stopped { reason }
    }

    pub(crate) fn check_open(&self) -> Result<(), LogError> {
        if self.feed.is_closed() {
            Err(LogError::Closed)
        } else {
            Ok(())
        }
    }

    /// The commits around `position`: its group in the ring, or else its block in sled.
    pub(crate) fn neighbours(
        self: &Arc<Self>,
        position: Position,
    ) -> Result<Arc<[crate::Commit]>, LogError> {
        if let Some(group) = self.ring_group(position) {
            return Ok(Arc::clone(&group.commits));
        }
        let block = BlockCursor::new(Arc::clone(self), position.saturating_sub(1)).next_block()?;
        Ok(block.map_or_else(|| Arc::from([]), |block| block.to_commits().into()))
    }

    fn ring_group(&self, position: Position) -> Option<Arc<Group>> {
        self.feed.group_after(position.checked_sub(1)?)
    }

    /// Lets go of every file. Readers get [`LogError::Closed`] from now on.
    pub(crate) fn release(&self) {
        self.feed.close();
        self.store.close();
        self.index.close();
        self.lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}
