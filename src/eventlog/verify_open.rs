//! Opens sled for `verify`, which must leave the files as they are for whoever comes next.
//!
//! A snapshot of sled's that does not fit keeps sled from opening, and its log file does without:
//! opening a log moves such a snapshot aside. `verify` finds out whether that would help, on a
//! copy of the log file, since sled writes to the files that it opens.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::RealDisk;
use crate::store::{self, OpenFault, Store};

const CACHE_BYTES: u64 = 32 << 20;
/// The folder of the copy, inside the log's folder; there only as long as `verify` needs it.
const COPY: &str = "sled.verify";
const SNAPSHOT: &str = "snap.";
const SETTINGS: &str = "conf";

/// sled as it can be read.
pub(crate) struct Readable {
    pub(crate) store: Store,
    /// What was wrong with the snapshot, when a copy is read that has none.
    pub(crate) snapshot_fault: Option<String>,
    copy: Option<Copy>,
}

impl Readable {
    /// Opens sled of the log in `dir`, whose lock the caller holds; or says why it cannot be read.
    pub(crate) fn open(dir: &Path) -> Result<Self, String> {
        let sled_dir = dir.join(store::FOLDER);
        if !sled_dir.join(store::DATA_FILE).exists() {
            return Err("its data file is lost".to_owned());
        }
        match open(&sled_dir) {
            Ok(store) => Ok(Self {
                store,
                snapshot_fault: None,
                copy: None,
            }),
            Err(OpenFault::Corrupt(what)) => {
                Self::without_snapshot(dir, &sled_dir, &what).ok_or(what)
            }
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// `None` when that does not help, or cannot be tried.
    fn without_snapshot(dir: &Path, sled_dir: &Path, what: &str) -> Option<Self> {
        let entries = fs::read_dir(sled_dir).ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.find(|name| name.to_string_lossy().starts_with(SNAPSHOT))?;
        let copy = Copy::of(sled_dir, dir.join(COPY)).ok()?;
        let store = open(&copy.0).ok()?;
        Some(Self {
            store,
            snapshot_fault: Some(what.to_owned()),
            copy: Some(copy),
        })
    }

    pub(crate) fn close(self) {
        self.store.close();
        drop(self.copy);
    }
}

fn open(dir: &Path) -> Result<Store, OpenFault> {
    Store::open(dir, CACHE_BYTES, Arc::new(RealDisk))
}

/// A copy of sled's files without its snapshots; removed when dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(sled_dir: &Path, to: PathBuf) -> std::io::Result<Self> {
        // One that an interrupted verification left is of no use to anybody.
        let _ = fs::remove_dir_all(&to);
        fs::create_dir(&to)?;
        let copy = Self(to);
        for name in [store::DATA_FILE, SETTINGS] {
            if sled_dir.join(name).exists() {
                fs::copy(sled_dir.join(name), copy.0.join(name))?;
            }
        }
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What stays is removed by the next verification that needs the place.
        let _ = fs::remove_dir_all(&self.0);
    }
}
