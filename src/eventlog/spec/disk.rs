//! Disks that fail, and disks that are full.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::helpers::{commit, contents, fill, open, options};
use crate::disk::{Disk, Space};
use crate::{Log, LogState};

/// A disk that fails on demand.
#[derive(Debug, Default)]
pub(crate) struct TestDisk {
    pub(crate) fail_sync: AtomicBool,
    pub(crate) fail_write: AtomicBool,
    pub(crate) free: AtomicU64,
}

impl Disk for TestDisk {
    fn before_write(&self) -> io::Result<()> {
        fail_if(&self.fail_write, "no space left on device")
    }

    fn sync(&self, data: &File) -> io::Result<()> {
        fail_if(&self.fail_sync, "input/output error")?;
        data.sync_data()
    }

    fn space(&self, _dir: &Path) -> io::Result<Space> {
        Ok(Space {
            free: self.free.load(Ordering::Relaxed),
            total: 1 << 40,
        })
    }
}

fn fail_if(flag: &AtomicBool, what: &str) -> io::Result<()> {
    if flag.load(Ordering::Relaxed) {
        Err(io::Error::other(what))
    } else {
        Ok(())
    }
}

pub(crate) fn open_on(dir: &Path, disk: &Arc<TestDisk>) -> crate::Opened {
    let disk: Arc<dyn Disk> = disk.clone();
    Log::open(dir, options().min_free(1000, 10).disk(disk)).unwrap()
}

#[test]
fn a_failed_sync_is_not_acknowledged_not_retried_and_stops_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(TestDisk {
        free: AtomicU64::new(5000),
        ..TestDisk::default()
    });
    let mut opened = open_on(dir.path(), &disk);
    fill(&mut opened, 1, 20);
    let mut tail = opened.log.subscribe(20);
    disk.fail_sync.store(true, Ordering::Relaxed);
    let failed = opened.writer.append(&[commit(21)]).unwrap_err();
    assert_eq!(failed.code(), "LOG_STOPPED");
    assert!(
        failed.to_string().contains("input/output error"),
        "{failed}"
    );
    disk.fail_sync.store(false, Ordering::Relaxed);
    assert_eq!(
        opened.writer.append(&[commit(22)]).unwrap_err().code(),
        "LOG_STOPPED"
    );
    assert!(matches!(opened.log.state(), LogState::Stopped { .. }));
    assert_eq!(opened.log.head().position, 20);
    assert_eq!(contents(&opened.log).unwrap().len(), 20);
    assert_eq!(opened.log.command(commit(21).command_id).unwrap(), None);
    assert!(
        tail.next_blocking(Duration::from_millis(5))
            .unwrap()
            .is_none()
    );
    let _ = opened.writer.close();
    let reopened = open(dir.path());
    assert!(reopened.log.head().position >= 20);
    assert_eq!(reopened.log.state(), LogState::Writable);
}

#[test]
fn a_failed_write_stops_the_writer_too() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(TestDisk {
        free: AtomicU64::new(5000),
        ..TestDisk::default()
    });
    let mut opened = open_on(dir.path(), &disk);
    fill(&mut opened, 1, 5);
    disk.fail_write.store(true, Ordering::Relaxed);
    assert_eq!(
        opened.writer.append(&[commit(6)]).unwrap_err().code(),
        "LOG_STOPPED"
    );
    drop(opened);
    let reopened = open(dir.path());
    assert_eq!(reopened.log.head().position, 5);
}

#[test]
fn low_space_refuses_writes_early_and_lets_them_go_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(TestDisk {
        free: AtomicU64::new(5000),
        ..TestDisk::default()
    });
    let mut opened = open_on(dir.path(), &disk);
    fill(&mut opened, 1, 5);
    disk.free.store(999, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(120));
    let refused = opened.writer.append(&[commit(6)]).unwrap_err();
    assert_eq!(refused.code(), "LOG_LOW_SPACE");
    assert_eq!(
        opened.log.state(),
        LogState::LowSpace {
            free: 999,
            required: 1000
        }
    );
    assert_eq!(contents(&opened.log).unwrap().len(), 5);
    disk.free.store(1000, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(120));
    assert_eq!(opened.writer.append(&[commit(6)]).unwrap().head.position, 6);
    assert_eq!(opened.log.state(), LogState::Writable);
}
