//! The three questions to the operating system that tests must be able to answer wrongly.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// Available to this process.
    pub(crate) free: u64,
    /// Altogether.
    pub(crate) total: u64,
}

/// What the writer asks of the disk. One implementation is real, the others live in tests.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// Called before blocks are handed to sled.
    fn before_write(&self) -> io::Result<()>;

    /// Makes everything written to the data file survive a power cut.
    fn sync(&self, data: &File) -> io::Result<()>;

    /// How much room there is around a folder.
    fn space(&self, dir: &Path) -> io::Result<Space>;
}

/// The disk as it is.
#[derive(Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn before_write(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, data: &File) -> io::Result<()> {
        data.sync_data()
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(dir)?;
        let unit = stat.f_frsize;
        Ok(Space {
            free: stat.f_bavail.saturating_mul(unit),
            total: stat.f_blocks.saturating_mul(unit),
        })
    }
}

/// Makes the names in a folder survive a power cut: creating a file does not.
pub(crate) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
