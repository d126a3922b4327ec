//! Measures durable appends against the disk's own limit, then opening, scanning and looking up.
//!
//! ```text
//! cargo run --release -p daybook-eventlog --example append_bench -- [folder] [events]
//! ```
//!
//! The limit is a file full of zeros, overwritten in order with one `fdatasync` per group. Limit
//! and log are measured in turns, several times, and the table shows medians: on a machine with
//! other load the ratios stay meaningful, the figures do not.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has no result")]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use daybook_eventlog::{Log, LogOptions, NewCommit, NewEvent};
use uuid::Uuid;

const EVENT_BYTES: usize = 350;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("read").is_some() {
        let path = PathBuf::from(arguments.next().unwrap());
        return measure_reading(&path, arguments.next().unwrap().parse().unwrap());
    }
    let root = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let events = arguments.next().map_or(1_000_000, |n| n.parse().unwrap());
    let dir = root.join(format!("append-bench-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    appends(&dir);
    large_log(&dir, events);
    fs::remove_dir_all(&dir).unwrap();
}

fn options() -> LogOptions {
    LogOptions::new(Uuid::from_u128(7))
}

fn commit(n: u64, events: usize) -> NewCommit {
    let event = |i: u64| NewEvent {
        stream: format!("order-{}", (n.wrapping_mul(31) + i) % 50_000),
        version: n / 50_000 + 1,
        type_name: "OrderPlaced".into(),
        type_version: 1,
        data: vec![b'x'; 296],
    };
    let events = (0..u64::try_from(events).unwrap()).map(event).collect();
    NewCommit {
        command_id: id(n),
        meta: br#"{"actor":"bench"}"#.to_vec(),
        events,
    }
}

/// Ordered by time, as the ids of real commands are.
fn id(n: u64) -> Uuid {
    Uuid::from_u128((u128::from(n) << 64) | u128::from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

fn appends(dir: &Path) {
    println!(
        "{:<34}{:>12}{:>12}{:>8}",
        "durable events/s, medians", "raw", "log", "ratio"
    );
    for group in [1, 8, 64, 512] {
        let (raw, log) = in_turns(|| raw(dir, group), || appending(dir, group));
        print_row(&format!("{group} commits per sync"), raw, log);
    }
    let (raw, log) = in_turns(|| raw_clients(dir), || clients(dir));
    print_row("64 clients", raw, log);
}

fn in_turns(raw: impl Fn() -> f64, log: impl Fn() -> f64) -> (f64, f64) {
    let pairs: Vec<_> = (0..ROUNDS).map(|_| (raw(), log())).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (
        median(pairs.iter().map(|p| p.0).collect()),
        median(pairs.iter().map(|p| p.1).collect()),
    )
}

fn print_row(name: &str, raw: f64, log: f64) {
    println!("{name:<34}{raw:>12.0}{log:>12.0}{:>8.2}", log / raw);
}

fn rate(events: u64, since: Instant) -> f64 {
    f64::from(u32::try_from(events).unwrap()) / since.elapsed().as_secs_f64()
}

const RAW_BYTES: u64 = 64 << 20;

fn raw_file(dir: &Path) -> File {
    let path = dir.join("raw");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    let file = file.unwrap();
    if file.metadata().unwrap().len() < RAW_BYTES {
        let zeros = vec![0; 1 << 20];
        (0..RAW_BYTES >> 20).for_each(|n| file.write_all_at(&zeros, n << 20).unwrap());
        file.sync_all().unwrap();
    }
    file
}

fn raw_write(file: &File, offset: &mut u64, events: usize) {
    let bytes = vec![b'r'; events * EVENT_BYTES];
    file.write_all_at(&bytes, *offset).unwrap();
    file.sync_data().unwrap();
    *offset += u64::try_from(bytes.len()).unwrap();
    if *offset + (1 << 20) > RAW_BYTES {
        *offset = 0;
    }
}

fn raw(dir: &Path, group: usize) -> f64 {
    let file = raw_file(dir);
    let (start, mut offset, mut events) = (Instant::now(), 0, 0);
    while start.elapsed() < ROUND {
        raw_write(&file, &mut offset, group);
        events += u64::try_from(group).unwrap();
    }
    rate(events, start)
}

fn fresh(dir: &Path) -> PathBuf {
    let path = dir.join("log");
    let _ = fs::remove_dir_all(&path);
    path
}

fn appending(dir: &Path, group: usize) -> f64 {
    let mut opened = Log::open(&fresh(dir), options()).unwrap();
    let (start, mut n) = (Instant::now(), 0);
    let mut spent = Duration::ZERO;
    while start.elapsed() < ROUND {
        let commits: Vec<_> = (0..group)
            .map(|_| {
                n += 1;
                commit(n, 1)
            })
            .collect();
        let begin = Instant::now();
        opened.writer.append(&commits).unwrap();
        spent += begin.elapsed();
    }
    f64::from(u32::try_from(n).unwrap()) / spent.as_secs_f64()
}

/// 64 threads that each wait for their event to be durable before the next.
fn with_clients(mut write: impl FnMut(&[u64])) -> f64 {
    let (sender, receiver) = mpsc::channel::<(u64, mpsc::SyncSender<()>)>();
    let start = Instant::now();
    let threads: Vec<_> = (0..64_u64)
        .map(|client| {
            let sender = sender.clone();
            thread::spawn(move || client_loop(client, start, &sender))
        })
        .collect();
    drop(sender);
    let mut events = 0;
    while let Ok(first) = receiver.recv() {
        let mut waiting = vec![first];
        waiting.extend(receiver.try_iter().take(511));
        write(&waiting.iter().map(|w| w.0).collect::<Vec<_>>());
        events += u64::try_from(waiting.len()).unwrap();
        waiting
            .into_iter()
            .for_each(|(_, done)| done.send(()).unwrap());
    }
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    rate(events, start)
}

fn client_loop(client: u64, start: Instant, sender: &mpsc::Sender<(u64, mpsc::SyncSender<()>)>) {
    let (done, wait) = mpsc::sync_channel(1);
    let mut n = 0;
    while start.elapsed() < ROUND {
        n += 1;
        sender.send((n * 64 + client, done.clone())).unwrap();
        wait.recv().unwrap();
    }
}

fn raw_clients(dir: &Path) -> f64 {
    let (file, mut offset) = (raw_file(dir), 0);
    with_clients(|ids| raw_write(&file, &mut offset, ids.len()))
}

fn clients(dir: &Path) -> f64 {
    let mut opened = Log::open(&fresh(dir), options()).unwrap();
    with_clients(|ids| {
        let commits: Vec<_> = ids.iter().map(|n| commit(*n, 1)).collect();
        opened.writer.append(&commits).unwrap();
    })
}

fn large_log(dir: &Path, events: u64) {
    let path = fresh(dir);
    let start = Instant::now();
    let mut opened = Log::open(&path, options()).unwrap();
    for first in (0..events).step_by(500) {
        let commits: Vec<_> = (first..first + 500).map(|n| commit(n, 1)).collect();
        opened.writer.append(&commits).unwrap();
    }
    println!(
        "{events} commits loaded in {:.2?}, RSS {} MiB",
        start.elapsed(),
        rss_mib()
    );
    let stats = opened.log.stats();
    println!(
        "sled {} MiB, blocks {} MiB",
        stats.store_bytes >> 20,
        stats.block_bytes >> 20
    );
    drop(stats);
    let closing = Instant::now();
    opened.writer.close().unwrap();
    drop(opened.log);
    println!("closed in {:.2?}", closing.elapsed());
    read_elsewhere(&path, events);
    fs::remove_file(path.join("head")).unwrap();
    println!("without a head record, that is, as after a crash and with a cold cache:");
    read_elsewhere(&path, events);
}

/// In a process of its own, so that its memory is what reading takes.
fn read_elsewhere(path: &Path, events: u64) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let status = child
        .arg("read")
        .arg(path)
        .arg(events.to_string())
        .status()
        .unwrap();
    assert!(status.success());
}

fn measure_reading(path: &Path, events: u64) {
    let start = Instant::now();
    let opened = Log::open(path, options()).unwrap();
    println!("opened in {:.2?}, RSS {} MiB", start.elapsed(), rss_mib());
    for pass in ["blocks, first pass", "blocks, second pass"] {
        let start = Instant::now();
        let count: u64 = opened
            .log
            .blocks(0)
            .map(|b| u64::from(b.unwrap().event_count()))
            .sum();
        assert_eq!(count, events);
        println!("{pass}: {:.0} events/s", rate(count, start));
    }
    let start = Instant::now();
    let count: u64 = opened
        .log
        .read(0)
        .map(|c| u64::from(c.unwrap().event_count()))
        .sum();
    println!("commits: {:.0} events/s", rate(count, start));
    let start = Instant::now();
    (0..10_000).for_each(|n| {
        assert!(opened.log.command(id(n * 7919 % events)).unwrap().is_some());
    });
    println!(
        "commands looked up: {:.0}/s, RSS {} MiB",
        rate(10_000, start),
        rss_mib()
    );
}

fn rss_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) >> 10
}
