//! Appends for as long as it lives and says what it was promised: a load to be killed.
//!
//! ```text
//! append_load <folder> [clients]
//! ```
//!
//! Each line of standard output is the position and the hash of a durable head, written after the
//! append has returned. Whoever kills this process compares the last whole line with what the
//! log holds afterwards.

#![expect(clippy::unwrap_used, reason = "a load that fails must be seen to fail")]

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use daybook_eventlog::{Log, LogOptions, NewCommit, NewEvent};
use uuid::Uuid;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap());
    let clients = arguments.next().map_or(8, |n| n.parse().unwrap());
    let options = LogOptions::new(Uuid::from_u128(7)).min_free(1 << 20, 1);
    let mut opened = Log::open(&dir, options).unwrap();
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
        type_name: "LoadApplied".to_owned(),
        type_version: 1,
        data: vec![b'x'; bytes],
    };
    NewCommit {
        command_id: Uuid::from_u128(id),
        meta: Vec::new(),
        events: vec![event],
    }
}
