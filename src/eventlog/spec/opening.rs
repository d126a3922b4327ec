//! What opening accepts, what it repairs, and what it refuses.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::helpers::{ORGANISATION, commit, contents, event, fill, open, options};
use crate::block::{Outline, RawBlock};
use crate::disk::RealDisk;
use crate::store::Store;
use crate::{
    Head, IndexReport, Log, LogError, LogOptions, NewCommit, PositionRange, pack, verify_dir,
};

fn example(dir: &Path) -> Head {
    let mut opened = open(dir);
    fill(&mut opened, 1, 60);
    opened.writer.close().unwrap()
}

/// Works on sled behind the engine's back.
pub(crate) fn with_store(dir: &Path, work: impl FnOnce(&Store)) {
    let store = Store::open(&dir.join("sled"), 1 << 20, Arc::new(RealDisk)).unwrap();
    work(&store);
    store.sync().unwrap();
    store.close();
}

#[test]
fn a_new_log_reports_that_it_was_created_and_a_closed_one_that_it_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path());
    assert!(opened.report.created);
    assert_eq!(opened.report.head, Head::genesis(ORGANISATION));
    opened.writer.close().unwrap();
    let opened = open(dir.path());
    assert!(!opened.report.created && opened.report.was_closed);
}

#[test]
fn the_blob_folder_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    for n in 0..40 {
        let bytes = usize::try_from(n * 26_000 % 1_000_000).unwrap();
        let large = NewCommit {
            events: vec![event("big", n + 1, bytes)],
            ..commit(n + 1)
        };
        opened.writer.append(&[large]).unwrap();
    }
    fill(&mut opened, 1000, 3000);
    opened.writer.close().unwrap();
    let blobs = fs::read_dir(dir.path().join("sled").join("blobs"));
    assert_eq!(blobs.map_or(0, Iterator::count), 0);
}

#[test]
fn another_format_another_organisation_and_no_format_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    example(dir.path());
    let other = LogOptions::new(Uuid::from_u128(99));
    let refused = Log::open(dir.path(), other).unwrap_err();
    assert!(matches!(
        refused,
        LogError::WrongOrganisation {
            found: ORGANISATION,
            ..
        }
    ));
    let format = dir.path().join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    fs::write(&format, text.replace("daybook-log 1", "daybook-log 2")).unwrap();
    let refused = Log::open(dir.path(), options()).unwrap_err();
    assert_eq!(refused.code(), "LOG_VERSION_UNSUPPORTED");
    fs::remove_file(&format).unwrap();
    assert_eq!(
        Log::open(dir.path(), options()).unwrap_err().code(),
        "LOG_DAMAGED"
    );
    fs::write(&format, text).unwrap();
    assert_eq!(open(dir.path()).log.head().position, 60);
}

#[test]
fn a_torn_tail_that_was_never_acknowledged_is_dropped_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let head = example(dir.path());
    let large = NewCommit {
        events: vec![event("big", 1, 50_000)],
        ..commit(61)
    };
    let packed = pack::pack(ORGANISATION, head, &[large]).unwrap();
    with_store(dir.path(), |store| store.insert(&packed.raws[..3]).unwrap());
    let mut opened = open(dir.path());
    assert_eq!(
        opened.report.dropped,
        Some(PositionRange {
            first: 61,
            last: 61
        })
    );
    assert_eq!(opened.log.head(), head);
    fill(&mut opened, 61, 70);
    opened.writer.close().unwrap();
    let opened = open(dir.path());
    assert_eq!(
        (opened.report.dropped, opened.log.head().position),
        (None, 70)
    );
}

#[test]
fn whole_commits_behind_the_head_record_are_kept_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let head = example(dir.path());
    let packed = pack::pack(ORGANISATION, head, &[commit(61), commit(62)]).unwrap();
    with_store(dir.path(), |store| store.insert(&packed.raws).unwrap());
    let opened = open(dir.path());
    assert_eq!(
        opened.report.beyond_record,
        Some(PositionRange {
            first: 61,
            last: 62
        })
    );
    assert_eq!(opened.log.head(), packed.head);
    assert_eq!(opened.log.command(commit(62).command_id).unwrap(), Some(62));
}

#[test]
fn a_lost_acknowledged_tail_is_named_by_the_head_record_or_by_the_archive() {
    for witness in ["head", "archive"] {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open(dir.path());
        (1..=30).for_each(|n| drop(opened.writer.append(&[commit(n)]).unwrap()));
        opened.writer.close().unwrap();
        with_store(dir.path(), |store| {
            let last = store
                .range_back(&crate::block::key(u64::MAX, 0), 3)
                .unwrap();
            store
                .remove(&last.into_iter().map(|(key, _)| key).collect::<Vec<_>>())
                .unwrap();
        });
        match witness {
            "head" => fs::remove_dir_all(dir.path().join("archive")).unwrap(),
            _ => fs::remove_file(dir.path().join("head")).unwrap(),
        }
        let lost = Log::open(dir.path(), options()).unwrap_err();
        assert!(
            matches!(
                lost,
                LogError::Damaged {
                    first: 28,
                    last: 30,
                    ..
                }
            ),
            "{lost}"
        );
        assert!(lost.to_string().contains(witness), "{lost}");
    }
}

#[test]
fn gaps_changed_bits_and_forged_links_are_named_exactly() {
    let remove = |store: &Store, first: u64| {
        let key = crate::block::key(first, 0);
        store
            .remove(&[bytes::Bytes::copy_from_slice(&key)])
            .unwrap();
    };
    let replace = |store: &Store, change: &dyn Fn(Outline) -> Outline| {
        let (_, value) = store.range(crate::block::key(20, 0), 1).unwrap().remove(0);
        let raw = RawBlock::parse(value, ORGANISATION).unwrap();
        let forged = RawBlock::seal(ORGANISATION, change(*raw.outline()), &raw.payload());
        store.insert(&[forged]).unwrap();
    };
    type Damage<'a> = &'a dyn Fn(&Store);
    let cases: [(Damage<'_>, (u64, u64)); 3] = [
        (&|store| remove(store, 20), (20, 20)),
        (&|store| remove(store, 1), (1, 1)),
        (
            &|store| {
                replace(store, &|o| Outline {
                    previous: crate::Hash([1; 32]),
                    ..o
                })
            },
            (20, 20),
        ),
    ];
    for (damage, range) in cases {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open(dir.path());
        (1..=30).for_each(|n| drop(opened.writer.append(&[commit(n)]).unwrap()));
        opened.writer.close().unwrap();
        with_store(dir.path(), damage);
        let found = Log::open(dir.path(), options()).unwrap_err();
        let LogError::Damaged { first, last, .. } = &found else {
            panic!("{found}")
        };
        assert_eq!((*first, *last), range, "{found}");
        assert!(!verify_dir(dir.path(), &mut |_| {}).unwrap().is_whole());
    }
}

#[test]
fn the_index_is_rebuilt_when_it_is_gone_stale_or_not_an_index() {
    let dir = tempfile::tempdir().unwrap();
    example(dir.path());
    let index = dir.path().join("index.sqlite");
    let stale = fs::read(&index).unwrap();
    let mut opened = open(dir.path());
    assert_eq!(opened.report.index, IndexReport::Continued { from: 60 });
    fill(&mut opened, 61, 90);
    opened.writer.close().unwrap();
    let rows = |position| {
        let opened = open(dir.path());
        let streams: Vec<_> = opened
            .log
            .stream("order-2", 0)
            .map(|event| event.unwrap().position)
            .collect();
        assert_eq!(opened.log.command(commit(90).command_id).unwrap(), Some(90));
        (opened.report.index, streams, position)
    };
    let (_, whole, _) = rows(90);
    let mut cut = fs::read(&index).unwrap();
    cut.truncate(cut.len() - 1);
    for (content, expected) in [
        (stale, IndexReport::Continued { from: 60 }),
        (Vec::new(), IndexReport::Replaced),
        (cut, IndexReport::Replaced),
        (
            b"this is not a database, whatever it is".to_vec(),
            IndexReport::Replaced,
        ),
    ] {
        for companion in ["index.sqlite-wal", "index.sqlite-shm"] {
            let _ = fs::remove_file(dir.path().join(companion));
        }
        fs::write(&index, &content).unwrap();
        let (report, streams, _) = rows(90);
        assert_eq!((report, &streams), (expected, &whole));
        assert!(verify_dir(dir.path(), &mut |_| {}).unwrap().is_whole());
    }
}

#[test]
fn an_index_of_another_history_is_not_believed() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    example(a.path());
    let mut opened = open(b.path());
    (500..560).for_each(|n| drop(opened.writer.append(&[commit(n)]).unwrap()));
    opened.writer.close().unwrap();
    fs::copy(b.path().join("index.sqlite"), a.path().join("index.sqlite")).unwrap();
    let opened = open(a.path());
    assert_eq!(opened.report.index, IndexReport::Replaced);
    assert_eq!(opened.log.command(commit(500).command_id).unwrap(), None);
    assert_eq!(contents(&opened.log).unwrap().len(), 60);
}

#[test]
fn a_broken_snapshot_of_sled_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    example(dir.path());
    open(dir.path()).writer.close().unwrap();
    let entries = fs::read_dir(dir.path().join("sled")).unwrap().flatten();
    let snapshot = entries
        .map(|e| e.path())
        .find(|p| p.to_string_lossy().contains("snap."));
    fs::write(
        snapshot.unwrap(),
        b"nonsense that is long enough to be read",
    )
    .unwrap();
    let opened = open(dir.path());
    assert!(opened.report.snapshot_set_aside);
    assert_eq!(opened.log.head().position, 60);
}

#[test]
fn a_log_open_for_reading_only_refuses_appends() {
    let dir = tempfile::tempdir().unwrap();
    example(dir.path());
    let mut opened = Log::open(dir.path(), options().read_only()).unwrap();
    assert_eq!(contents(&opened.log).unwrap().len(), 60);
    assert_eq!(
        opened.writer.append(&[commit(61)]).unwrap_err().code(),
        "LOG_READ_ONLY"
    );
}

#[test]
fn appending_at_another_head_than_expected_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    opened.writer.append_at(0, &[commit(1)]).unwrap();
    let refused = opened.writer.append_at(0, &[commit(2)]).unwrap_err();
    assert!(
        matches!(
            refused,
            LogError::UnexpectedHead {
                expected: 0,
                actual: 1
            }
        ),
        "{refused}"
    );
}
