//! Refuses writes while sled could still reopen: it cannot on a full disk.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::disk::{Disk, Space};
use crate::error::LogError;
use crate::options::LogOptions;

/// How long an answer of the file system is believed.
const BELIEVED: Duration = Duration::from_millis(100);

/// The outcome of the last look at the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) free: u64,
    pub(crate) required: u64,
}

#[derive(Debug)]
pub(crate) struct SpaceGuard {
    min_bytes: u64,
    min_percent: u8,
    last: Mutex<Option<(Instant, Space)>>,
}

impl SpaceGuard {
    pub(crate) fn new(options: &LogOptions) -> Self {
        let (min_bytes, min_percent) = (options.min_free_bytes, options.min_free_percent);
        Self {
            min_bytes,
            min_percent,
            last: Mutex::default(),
        }
    }

    /// What is missing, if anything. At most one system call per [`BELIEVED`].
    pub(crate) fn shortage(
        &self,
        disk: &dyn Disk,
        dir: &Path,
    ) -> Result<Option<Shortage>, LogError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let space = match *last {
            Some((when, space)) if when.elapsed() < BELIEVED => space,
            _ => {
                let space = disk.space(dir).map_err(LogError::io("measure", dir))?;
                *last = Some((Instant::now(), space));
                space
            }
        };
        let required = self.required(space.total);
        let free = space.free;
        Ok((free < required).then_some(Shortage { free, required }))
    }

    fn required(&self, total: u64) -> u64 {
        if self.min_percent >= 100 {
            return self.min_bytes;
        }
        let share = total / 100 * u64::from(self.min_percent);
        self.min_bytes.min(share)
    }
}
