//! The archive's progress.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

/// How far the archive is.
#[derive(Debug, Default)]
pub(crate) struct ArchiveStatus {
    pub(crate) written_to: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) failure: Mutex<Option<String>>,
}
