//! How to open a log.

use std::sync::Arc;

use uuid::Uuid;

use crate::disk::{Disk, RealDisk};

const MIB: u64 = 1 << 20;

/// Settings of one log. [`LogOptions::new`] gives the defaults; the fields are open for change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogOptions {
    /// Whose log it is. A log of another organisation is refused.
    pub organisation: Uuid,
    /// Memory for sled's page cache, in bytes. Default 64 MiB.
    pub cache_bytes: u64,
    /// Memory for recent commits kept for readers near the head, in bytes. Default 16 MiB.
    pub ring_bytes: usize,
    /// Writes are refused below this many free bytes, or below `min_free_percent` of the file
    /// system, whichever is less. Default 512 MiB.
    pub min_free_bytes: u64,
    /// See `min_free_bytes`; with 100 the bytes alone count. Default 10.
    pub min_free_percent: u8,
    /// The size at which a piece of the archive is sealed and a new one begun. Default 64 MiB.
    pub piece_bytes: u64,
    /// Refuse appends, write no archive and no head record. sled itself still writes while it
    /// recovers, so this protects the log from the caller, not the folder from change.
    pub read_only: bool,
    pub(crate) disk: Arc<dyn Disk>,
}

impl LogOptions {
    /// The defaults for an organisation.
    #[must_use]
    pub fn new(organisation: Uuid) -> Self {
        Self {
            organisation,
            cache_bytes: 64 * MIB,
            ring_bytes: 16 << 20,
            min_free_bytes: 512 * MIB,
            min_free_percent: 10,
            piece_bytes: 64 * MIB,
            read_only: false,
            disk: Arc::new(RealDisk),
        }
    }

    /// Opens for reading only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sets the memory for sled's page cache.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Sets the free space below which writes are refused: the smaller of the two counts.
    #[must_use]
    pub fn min_free(mut self, bytes: u64, percent: u8) -> Self {
        self.min_free_bytes = bytes;
        self.min_free_percent = percent;
        self
    }

    #[cfg(test)]
    pub(crate) fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }
}
