//! An index whose rows have changed since they were written is noticed when the log is opened.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use uuid::Uuid;

use super::helpers::{Dice, commit, copy_dir, fill, open};
use crate::{Area, IndexReport, LogError, NewCommit, Opened, verify_dir};

/// A commit whose id is random, so that only the index knows whether it was there before.
fn random(n: u64) -> NewCommit {
    let mut dice = Dice(n);
    let id = (0..2).fold(0, |id, _| id << 64 | u128::from(dice.below(u64::MAX)));
    let command_id = uuid::Builder::from_random_bytes(u128::to_be_bytes(id)).into_uuid();
    NewCommit {
        command_id,
        ..commit(n)
    }
}

fn example(dir: &Path) {
    let mut opened = open(dir);
    (1..=400).for_each(|n| drop(opened.writer.append(&[random(n)]).unwrap()));
    opened.writer.close().unwrap();
}

fn index(dir: &Path) -> PathBuf {
    dir.join("index.sqlite")
}

fn sql(dir: &Path, change: &str) {
    let connection = Connection::open(index(dir)).unwrap();
    connection.execute_batch(change).unwrap();
}

/// Flips one bit wherever the file holds these bytes: pages keep copies that have moved on.
fn flip(dir: &Path, bytes: &[u8]) {
    let mut file = fs::read(index(dir)).unwrap();
    let mut places: Vec<usize> = (0..file.len() - bytes.len()).collect();
    places.retain(|at| file[*at..].starts_with(bytes));
    places.iter().for_each(|at| file[at + 3] ^= 4);
    fs::write(index(dir), file).unwrap();
}

/// Every command is recognised, and every stream is complete.
#[track_caller]
fn answers_rightly(opened: &mut Opened) {
    for n in 1..=400 {
        let refused = opened.writer.append(&[random(n)]).unwrap_err();
        let LogError::DuplicateCommand { position, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!(position, n);
    }
    for stream in 0..7 {
        let found = opened.log.stream(&format!("order-{stream}"), 0);
        let positions: Vec<u64> = found.map(|event| event.unwrap().position).collect();
        let expected: Vec<u64> = (1..=400).filter(|n| n % 7 == stream).collect();
        assert_eq!(positions, expected);
        let last = opened.log.last_of_stream(&format!("order-{stream}"));
        let last = last.unwrap().map(|event| event.position);
        assert_eq!(last, expected.last().copied());
    }
    assert!(opened.log.last_of_stream("order-7").unwrap().is_none());
}

fn index_findings(dir: &Path) -> usize {
    let report = verify_dir(dir, &mut |_| {}).unwrap();
    let all = report.findings.iter();
    all.filter(|found| found.area == Area::Index).count()
}

#[test]
fn a_changed_row_is_noticed_by_verify_and_by_opening_which_builds_the_index_anew() {
    let stream = crate::index_file::stream_hash("order-3").to_be_bytes();
    let damages: [&dyn Fn(&Path); 9] = [
        &|dir| flip(dir, random(200).command_id.as_bytes()),
        &|dir| flip(dir, &stream),
        &|dir| {
            sql(
                dir,
                "UPDATE command SET position = position | 8 WHERE position = 262",
            )
        },
        &|dir| {
            sql(
                dir,
                "UPDATE stream_commit SET position = 9 + 512 WHERE position = 9",
            )
        },
        &|dir| {
            sql(
                dir,
                "UPDATE stream_commit SET version = version + 1 WHERE position = 9",
            )
        },
        &|dir| sql(dir, "DELETE FROM command WHERE position = 400"),
        &|dir| {
            sql(
                dir,
                "INSERT INTO command VALUES (x'0102030405060708090a0b0c0d0e0f10', 7)",
            )
        },
        &|dir| sql(dir, "UPDATE checkpoint SET row_count = row_count + 1"),
        &|dir| sql(dir, "UPDATE checkpoint SET row_sum = zeroblob(16)"),
    ];
    let room = tempfile::tempdir().unwrap();
    let original = room.path().join("log");
    example(&original);
    for (case, damage) in damages.iter().enumerate() {
        let dir = room.path().join(case.to_string());
        copy_dir(&original, &dir);
        damage(&dir);
        assert!(index_findings(&dir) > 0, "case {case}");
        let mut opened = open(&dir);
        assert_eq!(opened.report.index, IndexReport::Replaced, "case {case}");
        answers_rightly(&mut opened);
        opened.writer.close().unwrap();
        assert_eq!(index_findings(&dir), 0, "case {case}");
        let again = open(&dir);
        let from = 400;
        assert_eq!(again.report.index, IndexReport::Continued { from });
    }
}

#[test]
fn whatever_bit_of_the_index_flips_the_answers_are_right() {
    let room = tempfile::tempdir().unwrap();
    let original = room.path().join("log");
    example(&original);
    let dir = room.path().join("copy");
    let mut replaced = 0;
    for case in 0..80 {
        copy_dir(&original, &dir);
        let mut dice = Dice(case);
        let mut bytes = fs::read(index(&dir)).unwrap();
        let at = dice.below(bytes.len().try_into().unwrap());
        bytes[usize::try_from(at).unwrap()] ^= 1 << dice.below(8);
        fs::write(index(&dir), bytes).unwrap();
        let mut opened = open(&dir);
        replaced += u32::from(opened.report.index == IndexReport::Replaced);
        answers_rightly(&mut opened);
        fill(&mut opened, 401, 420);
        opened.writer.close().unwrap();
        fs::remove_dir_all(&dir).unwrap();
    }
    assert!(replaced > 20, "only {replaced} of 80 were noticed");
}

#[test]
fn totals_go_on_counting_over_many_openings() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).writer.close().unwrap();
    for from in (1..=60).step_by(20) {
        let mut opened = open(dir.path());
        let reached = IndexReport::Continued { from: from - 1 };
        assert_eq!(opened.report.index, reached);
        fill(&mut opened, from, from + 19);
        opened.writer.close().unwrap();
    }
    assert_eq!(index_findings(dir.path()), 0);
    let unknown = open(dir.path()).log.command(Uuid::from_u128(1)).unwrap();
    assert_eq!(unknown, None);
}
