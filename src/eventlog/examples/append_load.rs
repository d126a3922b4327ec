//! Appends for as long as it lives and says what it was promised: a load to be killed.
//!
//! ```text
//! append_load <folder> [clients]                 appends until it is killed
//! append_load check <folder> <position> <hash>   opens, verifies, looks for that head
//! ```
//!
//! Each line of standard output is the position and the hash of a durable head, written after the
//! append has returned. Whoever kills this process compares the last whole line with what the
//! log holds afterwards.

#![expect(clippy::unwrap_used, reason = "a load that fails must be seen to fail")]

use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use daybook_eventlog::{Log, LogOptions, NewCommit, NewEvent, Position, verify};
use uuid::Uuid;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["check", dir, position, hash] => check(Path::new(dir), position.parse().unwrap(), hash),
        [dir] => load(Path::new(dir), 8),
        [dir, clients] => load(Path::new(dir), clients.parse().unwrap()),
        _ => {
            panic!("append_load <folder> [clients] | append_load check <folder> <position> <hash>")
        }
    }
}

fn options() -> LogOptions {
    LogOptions::new(Uuid::from_u128(7)).min_free(1 << 20, 1)
}

/// Ends with an error unless the log is whole and still holds what was acknowledged.
fn check(dir: &Path, position: Position, hash: &str) {
    let opened = Log::open(dir, options()).unwrap();
    let head = opened.log.head();
    assert!(
        head.position >= position,
        "acknowledged {position}, found {}",
        head.position
    );
    let promised = opened
        .log
        .blocks(0)
        .map(Result::unwrap)
        .find(|block| block.last() == position);
    assert_eq!(
        promised.map(|block| block.hash().to_string()).as_deref(),
        Some(hash)
    );
    let report = verify(&opened.log, &mut |_| {}).unwrap();
    assert!(report.is_whole(), "{report}");
    println!(
        "whole at {}, {position} acknowledged, {:?}",
        head.position, opened.report
    );
}

fn load(dir: &Path, clients: u64) {
    let mut opened = Log::open(dir, options()).unwrap();
    let commits = start_clients(clients, opened.log.head().position);
    let mut out = std::io::stdout().lock();
    while let Ok(first) = commits.recv() {
        let group: Vec<_> = [first]
            .into_iter()
            .chain(commits.try_iter().take(63))
            .collect();
        let appended = opened.writer.append(&group).unwrap();
        writeln!(out, "{} {}", appended.head.position, appended.head.hash).unwrap();
        out.flush().unwrap();
    }
}

/// Threads that offer commits as fast as they are taken; every hundredth spans many blocks.
fn start_clients(clients: u64, base: u64) -> mpsc::Receiver<NewCommit> {
    let (sender, receiver) = mpsc::sync_channel(64);
    for client in 0..clients {
        let sender = sender.clone();
        thread::spawn(move || {
            for n in 0.. {
                let bytes = if n % 100 == 99 { 60_000 } else { 300 };
                if sender.send(commit(base, client, n, bytes)).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn commit(base: u64, client: u64, n: u64, bytes: usize) -> NewCommit {
    let id = (u128::from(base) << 80) | (u128::from(n) << 40) | u128::from(client);
    let event = NewEvent {
        stream: format!("load-{client}"),
        version: n + 1,
        type_name: "LoadApplied".into(),
        type_version: 1,
        data: vec![b'x'; bytes],
    };
    NewCommit {
        command_id: Uuid::from_u128(id),
        meta: Vec::new(),
        events: vec![event],
    }
}
