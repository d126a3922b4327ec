//! Backup, restore and verification give the same log again.

use std::fs;
use std::path::{Path, PathBuf};

use super::helpers::{commit, contents, event, fill, open, options};
use crate::{
    Head, Log, NewCommit, PositionRange, RestoreOptions, RestoreReport, backup, backup_dir, piece,
    restore, verify, verify_dir,
};

fn restore_quietly(from: &Path, to: &Path, options: &RestoreOptions) -> RestoreReport {
    restore(from, to, options, &mut |_| {}).unwrap()
}

/// 200 small commits with a large one in the middle, closed; its head.
fn example(dir: &Path) -> Head {
    let mut opened = open(dir);
    fill(&mut opened, 1, 100);
    let large = NewCommit {
        events: vec![event("big", 1, 50_000)],
        ..commit(101)
    };
    opened.writer.append(&[large]).unwrap();
    fill(&mut opened, 102, 200);
    opened.writer.close().unwrap()
}

fn only_piece(dir: &Path) -> PathBuf {
    let pieces = piece::list(dir).unwrap();
    assert_eq!(pieces.len(), 1);
    pieces[0].1.clone()
}

#[test]
fn a_backup_of_a_running_log_restores_to_the_same_hash() {
    let root = tempfile::tempdir().unwrap();
    let (log, copy, back) = (
        root.path().join("log"),
        root.path().join("copy"),
        root.path().join("back"),
    );
    let mut opened = open(&log);
    fill(&mut opened, 1, 150);
    let report = backup(&opened.log, &copy, &mut |_| {}).unwrap();
    assert_eq!(report.head, opened.log.head());
    fill(&mut opened, 151, 180);
    let report = backup(&opened.log, &copy, &mut |_| {}).unwrap();
    assert_eq!((report.head, report.copied_pieces), (opened.log.head(), 1));
    let before = contents(&opened.log).unwrap();
    let head = opened.writer.close().unwrap();
    let restored = restore_quietly(&copy, &back, &RestoreOptions::default());
    assert_eq!((restored.head, restored.resealed), (head, None));
    let opened = open(&back);
    assert_eq!(contents(&opened.log).unwrap(), before);
}

#[test]
fn a_closed_log_is_backed_up_too() {
    let root = tempfile::tempdir().unwrap();
    let head = example(&root.path().join("log"));
    let report = backup_dir(
        &root.path().join("log"),
        &root.path().join("copy"),
        &mut |_| {},
    );
    assert_eq!(report.unwrap().head, head);
}

#[test]
fn restore_to_a_position_cuts_within_a_block_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let log = root.path().join("log");
    example(&log);
    for until in [1, 57, 100, 101, 102, 199] {
        let back = root.path().join(format!("back-{until}"));
        let options = RestoreOptions {
            until: Some(until),
            ..RestoreOptions::default()
        };
        let report = restore_quietly(&log, &back, &options);
        assert_eq!(report.head.position, until);
        assert!(report.resealed.is_none_or(|cut| cut.last == until));
        let mut opened = open(&back);
        assert_eq!(
            contents(&opened.log).unwrap().len(),
            usize::try_from(until).unwrap()
        );
        fill(&mut opened, 1000, 1010);
        assert!(verify(&opened.log, &mut |_| {}).unwrap().is_whole());
    }
    let options = RestoreOptions {
        until: Some(201),
        ..RestoreOptions::default()
    };
    let beyond = restore(&log, &root.path().join("beyond"), &options, &mut |_| {}).unwrap_err();
    assert!(
        beyond.to_string().contains("positions 201 to 201"),
        "{beyond}"
    );
    assert!(!root.path().join("beyond").exists());
}

#[test]
fn a_hole_in_the_archive_is_named_filled_from_sled_or_accepted() {
    let root = tempfile::tempdir().unwrap();
    let log = root.path().join("log");
    let head = example(&log);
    let piece = only_piece(&log.join("archive"));
    let mut bytes = fs::read(&piece).unwrap();
    let middle = bytes.len() / 4;
    bytes[middle] ^= 1;
    fs::write(&piece, bytes).unwrap();
    let to = |name: &str| root.path().join(name);
    let refused = restore(&log, &to("a"), &RestoreOptions::default(), &mut |_| {}).unwrap_err();
    assert_eq!(refused.code(), "LOG_DAMAGED");
    let accepting = RestoreOptions {
        accept_loss: true,
        ..RestoreOptions::default()
    };
    let lossy = restore_quietly(&log, &to("b"), &accepting);
    let lost = lossy.lost.unwrap();
    assert_eq!(
        lost,
        PositionRange {
            first: lossy.head.position + 1,
            last: 200
        }
    );
    assert!(
        refused
            .to_string()
            .contains(&format!("at positions {} to", lost.first)),
        "{refused}"
    );
    let salvaging = RestoreOptions {
        salvage: Some(log.clone()),
        ..RestoreOptions::default()
    };
    let whole = restore_quietly(&log, &to("c"), &salvaging);
    assert_eq!((whole.head, whole.lost), (head, None));
    assert!(whole.salvaged_blocks > 0);
}

#[test]
fn opening_mends_an_archive_that_lost_pieces() {
    let root = tempfile::tempdir().unwrap();
    let log = root.path().join("log");
    let head = example(&log);
    fs::remove_dir_all(log.join("archive")).unwrap();
    open(&log).writer.close().unwrap();
    let report = restore_quietly(&log, &root.path().join("back"), &RestoreOptions::default());
    assert_eq!(report.head, head);
    let piece = only_piece(&log.join("archive"));
    let mut bytes = fs::read(&piece).unwrap();
    bytes[200] ^= 1;
    fs::write(&piece, bytes).unwrap();
    let opened = open(&log);
    assert_eq!(
        opened.report.archive.mended,
        [PositionRange {
            first: 1,
            last: 200
        }]
    );
    opened.writer.close().unwrap();
    assert!(verify_dir(&log, &mut |_| {}).unwrap().is_whole());
}

#[test]
fn an_unfinished_last_record_is_cut_and_written_again() {
    let root = tempfile::tempdir().unwrap();
    let log = root.path().join("log");
    example(&log);
    let piece = only_piece(&log.join("archive"));
    let length = fs::metadata(&piece).unwrap().len();
    let file = fs::File::options().write(true).open(&piece).unwrap();
    file.set_len(length - 100).unwrap();
    let opened = open(&log);
    assert!(opened.report.archive.cut_bytes > 0);
    assert!(opened.report.archive.reached < 200);
    opened.writer.close().unwrap();
    assert!(verify_dir(&log, &mut |_| {}).unwrap().is_whole());
    assert_eq!(fs::metadata(&piece).unwrap().len(), length);
}

#[test]
fn a_verification_counts_everything_and_finds_what_was_changed() {
    let root = tempfile::tempdir().unwrap();
    let log = root.path().join("log");
    example(&log);
    let whole = verify_dir(&log, &mut |_| {}).unwrap();
    assert!(whole.is_whole(), "{whole}");
    assert_eq!(
        (whole.commits, whole.events, whole.indexed_to),
        (200, 200, 200)
    );
    assert_eq!(whole.archived_blocks, whole.blocks);
    let index = rusqlite::Connection::open(log.join("index.sqlite")).unwrap();
    index
        .execute("DELETE FROM command WHERE position = 77", [])
        .unwrap();
    drop(index);
    let piece = only_piece(&log.join("archive"));
    let mut bytes = fs::read(&piece).unwrap();
    let end = bytes.len() - 10;
    bytes[end] ^= 1;
    fs::write(&piece, bytes).unwrap();
    fs::remove_file(log.join("head")).unwrap();
    let found = verify_dir(&log, &mut |_| {}).unwrap();
    let areas: Vec<_> = found
        .findings
        .iter()
        .map(|f| format!("{:?}", f.area))
        .collect();
    assert_eq!(
        areas,
        ["HeadRecord", "Index", "Archive", "Archive"],
        "{found}"
    );
}

#[test]
fn an_archive_of_many_pieces_is_sealed_kept_by_backups_and_mended() {
    let root = tempfile::tempdir().unwrap();
    let (log, copy) = (root.path().join("log"), root.path().join("copy"));
    let mut settings = options();
    settings.piece_bytes = 30_000;
    let open = || Log::open(&log, settings.clone()).unwrap();
    let mut opened = open();
    fill(&mut opened, 1, 400);
    let large = NewCommit {
        events: vec![event("big", 1, 100_000)],
        ..commit(401)
    };
    opened.writer.append(&[large]).unwrap();
    fill(&mut opened, 402, 800);
    let first = backup(&opened.log, &copy, &mut |_| {}).unwrap();
    assert!(first.copied_pieces > 8);
    fill(&mut opened, 801, 900);
    let second = backup(&opened.log, &copy, &mut |_| {}).unwrap();
    assert!(second.kept_pieces >= first.copied_pieces - 1);
    assert!(second.copied_pieces < first.copied_pieces);
    let head = opened.writer.close().unwrap();
    let pieces = piece::list(&log.join("archive")).unwrap();
    fs::remove_file(&pieces[0].1).unwrap();
    fs::remove_file(&pieces[4].1).unwrap();
    let mut bytes = fs::read(&pieces[7].1).unwrap();
    bytes[20] ^= 1;
    fs::write(&pieces[7].1, bytes).unwrap();
    let hole = restore(
        &log,
        &root.path().join("a"),
        &RestoreOptions::default(),
        &mut |_| {},
    );
    assert_eq!(hole.unwrap_err().code(), "LOG_DAMAGED");
    let opened = open();
    let gap = |n: usize| PositionRange {
        first: pieces[n].0,
        last: pieces[n + 1].0 - 1,
    };
    assert_eq!(opened.report.archive.mended, [gap(0), gap(4), gap(7)]);
    opened.writer.close().unwrap();
    let whole = verify_dir(&log, &mut |_| {}).unwrap();
    assert!(whole.is_whole(), "{whole}");
    for (n, source) in [&log, &copy].into_iter().enumerate() {
        let back = root.path().join(format!("back-{n}"));
        assert_eq!(
            restore_quietly(source, &back, &RestoreOptions::default()).head,
            head
        );
    }
}
