//! The only module that knows sled: an ordered map from block keys to block bytes.
//!
//! What sled is trusted with, and what not:
//!
//! - `insert` in order, then `flush`, then a sync of the data file **by us**. `flush` alone hands
//!   the bytes to the device without emptying its cache; a power cut then loses them.
//! - Plain inserts, never a batch or a transaction: the first of those switches the whole process
//!   to a lock around every call. sled's log keeps the order of inserts, so a crash leaves a
//!   prefix of them, and the only thing a prefix can break is a commit of several fragments,
//!   which opening recognises.
//! - Never `flush_async`, and no background flusher: the writer decides when.
//! - Its panics become errors here, see [`crate::quiet`]. Only a panic in one of sled's own
//!   input/output threads cannot be caught: it makes sled unusable for the whole process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use crate::Position;
use crate::block::{self, RawBlock};
use crate::disk::{self, Disk};
use crate::error::LogError;
use crate::quiet::guarded;

/// The folder of sled inside the log's folder.
pub(crate) const FOLDER: &str = "sled";
/// sled's data file in that folder.
pub(crate) const DATA_FILE: &str = "db";
const TREE: &str = "blocks";

/// See [`Inner::read`]: accesses for a read of few entries, and for each entry of many.
const ACCESSES: usize = 16;
const ACCESSES_PER_ENTRY: usize = 2;

/// A key and its value, neither checked yet.
pub(crate) type Entry = (Bytes, Bytes);

/// Why sled cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenFault {
    /// Somebody has it open.
    #[error("sled is in use")]
    Locked,
    /// It does not understand its own files.
    #[error("{0}")]
    Corrupt(String),
    /// The operating system refused.
    #[error("{0}")]
    Io(std::io::Error),
}

#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    /// Absent once closed.
    inner: RwLock<Option<Inner>>,
}

#[derive(Debug)]
struct Inner {
    db: sled::Db,
    blocks: sled::Tree,
    /// Our own handle on sled's data file, for the sync that sled does not do.
    data: File,
}

impl Store {
    /// Opens or creates sled in `dir`.
    pub(crate) fn open(dir: &Path, cache: u64, disk: Arc<dyn Disk>) -> Result<Self, OpenFault> {
        let (db, blocks) = open_on_a_thread(dir, cache)?;
        let data = File::open(dir.join(DATA_FILE)).map_err(OpenFault::Io)?;
        disk::sync_folder(dir).map_err(OpenFault::Io)?;
        let inner = RwLock::new(Some(Inner { db, blocks, data }));
        Ok(Self {
            dir: dir.to_path_buf(),
            disk,
            inner,
        })
    }

    /// Hands blocks to sled in order. They are not durable before [`Store::sync`].
    pub(crate) fn insert(&self, raws: &[RawBlock]) -> Result<(), LogError> {
        self.disk
            .before_write()
            .map_err(LogError::io("write to", &self.dir))?;
        self.with(|inner| {
            raws.iter().try_for_each(|raw| {
                inner
                    .blocks
                    .insert(raw.key(), raw.bytes().as_ref())
                    .map(|_previous| ())
            })
        })
    }

    /// Makes everything inserted so far survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), LogError> {
        self.with(|inner| inner.db.flush().map(|_bytes| ()))?;
        let guard = self.read();
        let inner = guard.as_ref().ok_or(LogError::Closed)?;
        self.disk
            .sync(&inner.data)
            .map_err(LogError::io("sync", &self.dir.join(DATA_FILE)))
    }

    /// Takes blocks out, for the torn tail of opening. Nothing else ever removes a block.
    pub(crate) fn remove(&self, keys: &[Bytes]) -> Result<(), LogError> {
        self.with(|inner| {
            keys.iter()
                .try_for_each(|key| inner.blocks.remove(key).map(|_previous| ()))
        })
    }

    /// Up to `n` entries from `key` on, in order.
    pub(crate) fn range(
        &self,
        key: [u8; block::KEY_BYTES],
        n: usize,
    ) -> Result<Vec<Entry>, LogError> {
        self.with(|inner| inner.read(inner.blocks.range(key..).take(n)))
    }

    /// Up to `n` entries before `key`, backwards.
    pub(crate) fn range_back(&self, key: &[u8], n: usize) -> Result<Vec<Entry>, LogError> {
        self.with(|inner| inner.read(inner.blocks.range(..key).rev().take(n)))
    }

    /// The key at which the run of commits that holds `position` begins. It may begin later than
    /// `position` when that one is missing.
    pub(crate) fn key_of(&self, position: Position) -> Result<[u8; block::KEY_BYTES], LogError> {
        let end = block::key(position.saturating_add(1), 0);
        let found = self.range_back(&end, 1)?;
        let first = found.first().and_then(|(key, _)| block::read_key(key));
        Ok(block::key(first.map_or(position, |(first, _)| first), 0))
    }

    /// Bytes of sled's files.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return 0;
        };
        let sizes = entries
            .flatten()
            .filter_map(|e| e.metadata().ok())
            .map(|m| m.len());
        sizes.sum()
    }

    /// Lets go of sled and its files. Later calls give [`LogError::Closed`].
    pub(crate) fn close(&self) {
        let inner = self
            .inner
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Dropping sled writes and syncs, and panics when it cannot. What was acknowledged is
        // durable already, so there is nothing left to report.
        let _ = guarded(|| drop(inner));
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Inner>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, call: impl FnOnce(&Inner) -> sled::Result<T>) -> Result<T, LogError> {
        let guard = self.read();
        let inner = guard.as_ref().ok_or(LogError::Closed)?;
        match guarded(|| call(inner)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(sled::Error::Io(error))) => Err(LogError::io("use", &self.dir)(error)),
            Ok(Err(error)) => Err(LogError::damaged(format!("sled: {error}"), 0, 0)),
            Err(panic) => Err(LogError::damaged(format!("sled: {panic}"), 0, 0)),
        }
    }
}

/// Drops what the operating system has cached of the data file. After a failed sync the cache
/// may hold what the disk does not; what opening believes must have been read from the disk.
pub(crate) fn forget_cached(dir: &Path) -> std::io::Result<()> {
    match File::open(dir.join(DATA_FILE)) {
        Ok(data) => Ok(rustix::fs::fadvise(
            &data,
            0,
            None,
            rustix::fs::Advice::DontNeed,
        )?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Inner {
    /// Collects entries, and keeps sled's memory in bounds.
    ///
    /// sled looks for pages to let go of only after 64 accesses to one of its 256 shards of
    /// pages. Reading each page once, as scans and random reads do, would first fill the memory
    /// with thousands of pages of some 100 KB, whatever the size of the cache. Asking for the
    /// same keys again costs a microsecond each and makes sled look sixteen times as often.
    fn read(
        &self,
        found: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> sled::Result<Vec<Entry>> {
        let entries: Vec<Entry> = found.map(entry).collect::<sled::Result<_>>()?;
        let times = (ACCESSES / entries.len().max(1)).max(ACCESSES_PER_ENTRY);
        for (key, _) in &entries {
            for _ in 0..times {
                self.blocks.contains_key(key)?;
            }
        }
        Ok(entries)
    }
}

fn own((key, value): (sled::IVec, sled::IVec)) -> Entry {
    (Bytes::from_owner(key), Bytes::from_owner(value))
}

fn entry(found: sled::Result<(sled::IVec, sled::IVec)>) -> sled::Result<Entry> {
    found.map(own)
}

/// A thread of its own, because a panic while sled opens would leave the caller's thread with
/// half-dropped state on its stack.
fn open_on_a_thread(dir: &Path, cache: u64) -> Result<(sled::Db, sled::Tree), OpenFault> {
    let dir = dir.to_path_buf();
    let opening = move || guarded(|| open_patiently(&dir, cache));
    let thread = thread::Builder::new()
        .name("log-open".into())
        .spawn(opening);
    let outcome = thread.map_err(OpenFault::Io)?.join();
    match outcome {
        Ok(Ok(opened)) => opened,
        Ok(Err(panic)) => Err(OpenFault::Corrupt(panic)),
        Err(_) => Err(OpenFault::Corrupt("sled panicked twice".into())),
    }
}

/// sled reports its own lock as a plain error, and releases it late when a handle was just
/// dropped; the lock file of this crate has already kept others away, so waiting is short.
fn open_patiently(dir: &Path, cache: u64) -> Result<(sled::Db, sled::Tree), OpenFault> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(cache)
        .flush_every_ms(None);
    for attempt in 0..50 {
        match config
            .open()
            .and_then(|db| db.open_tree(TREE).map(|tree| (db, tree)))
        {
            Ok(opened) => return Ok(opened),
            Err(sled::Error::Io(error)) if is_lock(&error) => {
                thread::sleep(Duration::from_millis(2 * (attempt + 1)));
            }
            Err(sled::Error::Io(error)) => return Err(OpenFault::Io(error)),
            Err(error) => return Err(OpenFault::Corrupt(error.to_string())),
        }
    }
    Err(OpenFault::Locked)
}

fn is_lock(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::Other && error.to_string().contains("acquire lock")
}
