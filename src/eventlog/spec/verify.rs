//! What `verify` says of the end of a log that was cut off, and of files that opening mends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{TestDisk, open_on};
use super::helpers::{ORGANISATION, commit, copy_dir, event, fill, open, options};
use super::opening::with_store;
use crate::{Area, Head, Log, NewCommit, PositionRange, VerifyReport, block, pack, verify_dir};

fn closed(dir: &Path) -> Head {
    let mut opened = open(dir);
    fill(&mut opened, 1, 60);
    opened.writer.close().unwrap()
}

fn large(n: u64) -> NewCommit {
    NewCommit {
        events: vec![event("big", 1, 50_000)],
        ..commit(n)
    }
}

fn verified(dir: &Path) -> VerifyReport {
    verify_dir(dir, &mut |_| {}).unwrap()
}

/// Expects a whole log with one note for each area and words.
#[track_caller]
fn whole_with(report: &VerifyReport, notes: &[(Area, &str)]) {
    assert!(report.is_whole(), "{report}");
    assert!(report.to_string().ends_with("the log is whole"), "{report}");
    assert_eq!(report.notes.len(), notes.len(), "{report}");
    for (note, (area, words)) in report.notes.iter().zip(notes) {
        assert_eq!(note.area, *area, "{report}");
        assert!(note.what.contains(words), "{report}");
        assert!(report.to_string().contains(&note.what));
    }
}

fn only(position: u64) -> Option<PositionRange> {
    let (first, last) = (position, position);
    Some(PositionRange { first, last })
}

#[test]
fn fragments_that_were_never_acknowledged_are_noted_and_dropped_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let head = closed(dir.path());
    let packed = pack::pack(ORGANISATION, head, &[large(61)]).unwrap();
    with_store(dir.path(), |store| store.insert(&packed.raws[..3]).unwrap());
    let report = verified(dir.path());
    whole_with(&report, &[(Area::Store, "3 blocks of a commit that never")]);
    assert_eq!((report.head, report.commits), (head, 60));
    assert_eq!(report.notes[0].range, only(61));
    let opened = open(dir.path());
    assert_eq!(opened.report.dropped, only(61));
    opened.writer.close().unwrap();
    whole_with(&verified(dir.path()), &[]);
}

#[test]
fn commits_of_a_write_that_failed_are_noted_and_adopted_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(TestDisk {
        free: AtomicU64::new(5000),
        ..TestDisk::default()
    });
    let mut opened = open_on(dir.path(), &disk);
    fill(&mut opened, 1, 20);
    disk.fail_sync.store(true, Ordering::Relaxed);
    opened.writer.append(&[commit(21), large(22)]).unwrap_err();
    drop(opened);
    let report = verified(dir.path());
    let archive = (Area::Archive, "the next start continues it");
    whole_with(&report, &[(Area::Store, "2 commits in"), archive]);
    let range = Some(PositionRange {
        first: 21,
        last: 22,
    });
    assert!(report.notes.iter().all(|note| note.range == range));
    let opened = open(dir.path());
    assert_eq!(opened.report.beyond_record, range);
    opened.writer.close().unwrap();
    whole_with(&verified(dir.path()), &[]);
}

/// However it looks like a torn tail: what the head record or the archive names must be there.
#[test]
fn an_acknowledged_commit_without_its_end_is_a_loss() {
    for witness in ["head", "archive"] {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open(dir.path());
        fill(&mut opened, 1, 60);
        opened.writer.append(&[large(61)]).unwrap();
        opened.writer.close().unwrap();
        with_store(dir.path(), |store| {
            let end = block::key(u64::MAX, 0);
            let last = store.range_back(&end, 3).unwrap();
            let keys: Vec<_> = last.into_iter().map(|(key, _)| key).collect();
            store.remove(&keys).unwrap();
        });
        match witness {
            "head" => fs::remove_dir_all(dir.path().join("archive")).unwrap(),
            _ => fs::remove_file(dir.path().join("head")).unwrap(),
        }
        let report = verified(dir.path());
        let area = match witness {
            "head" => Area::HeadRecord,
            _ => Area::Store,
        };
        let mut lost = report.findings.iter();
        assert!(
            lost.any(|found| found.area == area && found.range == only(61)),
            "{report}"
        );
        assert!(report.notes.is_empty(), "{report}");
        Log::open(dir.path(), options()).unwrap_err();
    }
}

fn piece(dir: &Path) -> PathBuf {
    let mut pieces = crate::piece::list(&dir.join("archive")).unwrap();
    pieces.remove(0).1
}

fn cut(path: &Path, bytes: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - bytes)
        .unwrap();
}

#[test]
fn an_archive_that_a_crash_cut_is_noted_and_one_that_was_cut_later_is_damage() {
    let room = tempfile::tempdir().unwrap();
    let (log, crashed) = (room.path().join("log"), room.path().join("crashed"));
    let mut opened = open(&log);
    fill(&mut opened, 1, 60);
    while opened.log.stats().archive_lag > 0 {
        std::thread::yield_now();
    }
    copy_dir(&log, &crashed);
    opened.writer.close().unwrap();
    cut(&piece(&log), 100);
    let damaged = verified(&log);
    assert!(!damaged.is_whole() && damaged.notes.is_empty(), "{damaged}");

    cut(&piece(&crashed), 100);
    let torn = (Area::Archive, "cuts that record away");
    let early = (Area::Archive, "the next start continues it");
    whole_with(&verified(&crashed), &[torn, early]);
    open(&crashed).writer.close().unwrap();
    whole_with(&verified(&crashed), &[]);
    fs::remove_dir_all(crashed.join("archive")).unwrap();
    assert!(!verified(&crashed).is_whole());
}

#[test]
fn an_index_of_an_earlier_version_is_noted_and_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path());
    let index = rusqlite::Connection::open(dir.path().join("index.sqlite")).unwrap();
    index.pragma_update(None, "user_version", 1).unwrap();
    drop(index);
    let note = (
        Area::Index,
        "earlier version; the next start builds it anew",
    );
    whole_with(&verified(dir.path()), &[note]);
    let opened = open(dir.path());
    assert_eq!(opened.report.index, crate::IndexReport::Rebuilt);
}

fn snapshot(dir: &Path) -> PathBuf {
    let entries = fs::read_dir(dir.join("sled")).unwrap().flatten();
    let mut paths = entries.map(|entry| entry.path());
    let found = paths.find(|path| path.to_string_lossy().contains("snap."));
    found.unwrap()
}

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let files = paths.into_iter().filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_snapshot_that_does_not_fit_is_named_and_the_rest_is_verified_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let head = closed(dir.path());
    open(dir.path()).writer.close().unwrap();
    fs::write(snapshot(dir.path()), b"nonsense that is long enough").unwrap();
    let sled = dir.path().join("sled");
    let before = files(&sled);
    let report = verified(dir.path());
    assert!(files(&sled) == before, "sled's files were changed");
    assert!(!dir.path().join("sled.verify").exists());
    assert_eq!((report.head, report.commits), (head, 60));
    let [found] = &report.findings[..] else {
        panic!("{report}");
    };
    assert!(found.what.contains("opening sets it aside"), "{report}");
    let opened = open(dir.path());
    assert!(opened.report.snapshot_set_aside);
    assert_eq!(opened.log.head(), head);
}

#[test]
fn a_snapshot_is_not_blamed_when_the_log_file_is_unreadable_too() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path());
    open(dir.path()).writer.close().unwrap();
    fs::write(snapshot(dir.path()), b"nonsense that is long enough").unwrap();
    let settings = dir.path().join("sled").join("conf");
    let mut bytes = fs::read(&settings).unwrap();
    bytes[0] ^= 1;
    fs::write(settings, bytes).unwrap();
    let report = verified(dir.path());
    assert_eq!(report.findings.len(), 1, "{report}");
    let what = &report.findings[0].what;
    assert!(what.contains("sled cannot read its files"), "{report}");
    assert!(!dir.path().join("sled.verify").exists());
    Log::open(dir.path(), options()).unwrap_err();
}
