//! What was appended is what is read, in every way of reading.

use std::time::Duration;

use super::helpers::{commit, event, fill, open, options};
use crate::{Log, LogError, NewCommit};

#[test]
fn commits_come_back_as_they_were_given() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    fill(&mut opened, 1, 100);
    assert_eq!(opened.log.head().position, 100);
    let read: Vec<_> = opened.log.read(0).map(Result::unwrap).collect();
    assert_eq!(read.len(), 100);
    for (stored, n) in read.iter().zip(1..) {
        let given = commit(n);
        assert_eq!(
            (stored.position(), stored.command_id()),
            (n, given.command_id)
        );
        assert_eq!(stored.meta(), given.meta);
        let event = stored.events().next().unwrap();
        assert_eq!(
            (event.stream, event.version),
            (&*given.events[0].stream, n / 7 + 1)
        );
        assert_eq!(event.data, given.events[0].data);
    }
}

#[test]
fn a_reopened_log_reads_the_same_from_sled() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    fill(&mut opened, 1, 100);
    let before: Vec<_> = opened.log.read(0).map(Result::unwrap).collect();
    let head = opened.writer.close().unwrap();
    let mut opened = open(dir.path());
    assert_eq!(opened.log.head(), head);
    let after: Vec<_> = opened.log.read(0).map(Result::unwrap).collect();
    assert_eq!(before, after);
    assert_eq!(opened.log.read(57).next().unwrap().unwrap().position(), 58);
    fill(&mut opened, 101, 120);
    assert_eq!(opened.log.read(95).count(), 25);
}

#[test]
fn a_large_commit_spans_fragments_and_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    let large = NewCommit {
        events: vec![event("big", 1, 900_000)],
        ..commit(2)
    };
    let appended = opened
        .writer
        .append(&[commit(1), large.clone(), commit(3)])
        .unwrap();
    assert!(appended.blocks > 100);
    opened.writer.close().unwrap();
    let opened = open(dir.path());
    let read: Vec<_> = opened.log.read(0).map(Result::unwrap).collect();
    assert_eq!(read.len(), 3);
    assert_eq!(read[1].events().next().unwrap().data.len(), 900_000);
    assert_eq!(
        opened.log.commit(3).unwrap().unwrap().command_id(),
        commit(3).command_id
    );
    let back: Vec<_> = opened
        .log
        .read_back(u64::MAX)
        .map(|c| c.unwrap().position())
        .collect();
    assert_eq!(back, [3, 2, 1]);
}

#[test]
fn a_commit_over_the_limit_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    let large = NewCommit {
        events: vec![event("big", 1, 1 << 20)],
        ..commit(2)
    };
    let refused = opened.writer.append(&[commit(1), large]).unwrap_err();
    assert_eq!(refused.code(), "LOG_COMMIT_TOO_LARGE");
    assert_eq!(opened.log.head().position, 0);
    opened.writer.append(&[commit(1)]).unwrap();
    assert_eq!(opened.log.head().position, 1);
}

#[test]
fn a_repeated_command_is_refused_in_the_group_and_ever_after() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    let twice = opened.writer.append(&[commit(1), commit(1)]).unwrap_err();
    assert!(
        matches!(twice, LogError::DuplicateCommand { position: 2, .. }),
        "{twice}"
    );
    fill(&mut opened, 1, 30);
    let again = opened.writer.append(&[commit(31), commit(7)]).unwrap_err();
    assert!(
        matches!(again, LogError::DuplicateCommand { position: 7, .. }),
        "{again}"
    );
    opened.writer.close().unwrap();
    let mut opened = open(dir.path());
    let again = opened.writer.append(&[commit(7)]).unwrap_err();
    assert_eq!(again.code(), "LOG_DUPLICATE_COMMAND");
    fill(&mut opened, 31, 40);
    assert_eq!(opened.log.head().position, 40);
}

#[test]
fn streams_and_commands_are_found_from_memory_and_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    fill(&mut opened, 1, 100);
    let look = |log: &Log| {
        let stream: Vec<_> = log
            .stream("order-3", 0)
            .map(|e| e.unwrap().position)
            .collect();
        let tail: Vec<_> = log
            .stream("order-3", 10)
            .map(|e| e.unwrap().position)
            .collect();
        (stream, tail, log.command(commit(42).command_id).unwrap())
    };
    let fresh = look(&opened.log);
    assert_eq!(fresh.0, (0..=13).map(|i| 3 + 7 * i).collect::<Vec<_>>());
    assert_eq!(fresh.1, [73, 80, 87, 94]);
    assert_eq!(fresh.2, Some(42));
    opened.writer.close().unwrap();
    let opened = open(dir.path());
    assert_eq!(look(&opened.log), fresh);
    assert_eq!(
        opened.log.stream_positions("order-3", 10, 3).unwrap(),
        [17, 24, 31]
    );
    assert_eq!(opened.log.stream("nothing", 0).count(), 0);
    assert_eq!(opened.log.command(commit(101).command_id).unwrap(), None);
}

#[test]
fn a_tail_begins_anywhere_and_follows_until_the_log_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    fill(&mut opened, 1, 25);
    let mut tail = opened.log.subscribe(7);
    let mut seen = Vec::new();
    while seen.len() < 18 {
        let batch = tail.next_blocking(Duration::ZERO).unwrap().unwrap();
        seen.extend(batch.iter().map(crate::Commit::position));
    }
    assert_eq!(seen, (8..=25).collect::<Vec<_>>());
    assert!(
        tail.next_blocking(Duration::from_millis(5))
            .unwrap()
            .is_none()
    );
    let follower = std::thread::spawn(move || tail.next_blocking(Duration::from_secs(20)));
    fill(&mut opened, 26, 26);
    assert_eq!(follower.join().unwrap().unwrap().unwrap()[0].position(), 26);
    let mut tail = opened.log.subscribe(26);
    opened.writer.close().unwrap();
    assert_eq!(
        tail.next_blocking(Duration::ZERO).unwrap_err().code(),
        "LOG_CLOSED"
    );
}

#[test]
fn a_folder_has_one_user_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path());
    assert_eq!(
        Log::open(dir.path(), options()).unwrap_err().code(),
        "LOG_LOCKED"
    );
    opened.writer.close().unwrap();
    open(dir.path());
}
