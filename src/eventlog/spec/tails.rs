//! Followers under a busy writer, and readers whose memory is bounded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::helpers::{commit, fill, open, options};
use crate::{Log, Position, Tail, backup, verify};

fn follow_to(mut tail: Tail, log: &Log, end: Position, slow: bool) -> Position {
    let mut expected = tail.position() + 1;
    while expected <= end {
        let batch = tail
            .next_blocking(Duration::from_secs(20))
            .unwrap()
            .unwrap();
        for commit in batch.iter() {
            assert_eq!(commit.position(), expected);
            expected += 1;
        }
        assert!(
            log.head().position >= tail.position(),
            "past the durable head"
        );
        if slow {
            thread::sleep(Duration::from_micros(300));
        }
    }
    tail.position()
}

#[test]
fn followers_see_every_commit_once_in_order_and_never_past_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = options();
    // A ring of a few groups makes slow followers fall out of it and back into it.
    settings.ring_bytes = 20_000;
    let mut opened = Log::open(dir.path(), settings).unwrap();
    fill(&mut opened, 1, 50);
    let followers: Vec<_> = (0..6)
        .map(|n: u64| {
            let (log, tail) = (opened.log.clone(), opened.log.subscribe(n * 7));
            thread::spawn(move || follow_to(tail, &log, 1500, n.is_multiple_of(2)))
        })
        .collect();
    fill(&mut opened, 51, 1500);
    for follower in followers {
        assert_eq!(follower.join().unwrap(), 1500);
    }
}

#[test]
fn an_async_follower_wakes_for_each_append_and_ends_with_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    let mut tail = opened.log.subscribe(0);
    let seen = Arc::new(AtomicU64::new(0));
    let follower = {
        let seen = Arc::clone(&seen);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime.block_on(async {
                loop {
                    match tail.next().await {
                        Ok(batch) => {
                            seen.fetch_max(batch.last().unwrap().position(), Ordering::SeqCst)
                        }
                        Err(error) => return error,
                    };
                }
            })
        })
    };
    for n in 1..=20 {
        opened.writer.append(&[commit(n)]).unwrap();
        while seen.load(Ordering::SeqCst) < n {
            thread::sleep(Duration::from_micros(200));
        }
    }
    opened.writer.close().unwrap();
    assert_eq!(follower.join().unwrap().code(), "LOG_CLOSED");
}

#[test]
fn a_scan_goes_on_when_the_log_does_and_keeps_only_one_chunk() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    fill(&mut opened, 1, 30);
    let mut scan = opened.log.read(0);
    assert_eq!(scan.by_ref().count(), 30);
    fill(&mut opened, 31, 40);
    assert_eq!(scan.by_ref().count(), 10);
    let bytes: VecDeque<_> = opened
        .log
        .blocks(0)
        .map(|block| block.unwrap().last())
        .collect();
    assert_eq!(bytes.back(), Some(&40));
}

#[test]
fn a_log_is_verified_and_backed_up_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(&dir.path().join("log"));
    fill(&mut opened, 1, 20);
    let (log, copy) = (opened.log.clone(), dir.path().join("copy"));
    let caretaker = thread::spawn(move || {
        for _ in 0..12 {
            let report = verify(&log, &mut |_| {}).unwrap();
            assert!(report.is_whole(), "{report}");
            let before = log.head();
            let report = backup(&log, &copy, &mut |_| {}).unwrap();
            assert!(report.head.position >= before.position);
        }
    });
    let mut next = 21;
    while !caretaker.is_finished() {
        fill(&mut opened, next, next + 9);
        next += 10;
    }
    caretaker.join().unwrap();
    assert!(opened.log.head().position > 100);
}
