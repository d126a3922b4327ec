//! A process that appends is killed; what it was promised is there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::{Log, LogOptions, Position, verify};

/// The load is an example of this crate, built beside the tests.
fn load_binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples").join("append_load");
    if !binary.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "-p",
            env!("CARGO_PKG_NAME"),
            "--example",
            "append_load",
        ]);
        assert!(build.status().unwrap().success());
    }
    binary
}

/// Runs the load for a while, kills it, and gives the last acknowledged position and hash.
fn run_and_kill(dir: &Path, time: Duration) -> (Position, String) {
    let mut child = Command::new(load_binary())
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = lines.next().unwrap().unwrap();
    let start = Instant::now();
    while start.elapsed() < time {
        last = lines.next().unwrap().unwrap();
    }
    child.kill().unwrap();
    // What the pipe still holds was acknowledged too; the very last line may be cut off.
    for line in lines.map_while(Result::ok).filter(|line| line.len() > 65) {
        last = line;
    }
    child.wait().unwrap();
    let (position, hash) = last.split_once(' ').unwrap();
    (position.parse().unwrap(), hash.to_owned())
}

#[test]
fn a_killed_writer_has_kept_its_promises() {
    let dir = tempfile::tempdir().unwrap();
    for time in [150, 250, 50] {
        let (position, hash) = run_and_kill(dir.path(), Duration::from_millis(time));
        let options = LogOptions::new(Uuid::from_u128(7)).min_free(0, 0);
        let opened = Log::open(dir.path(), options).unwrap();
        assert!(opened.log.head().position >= position);
        assert!(!opened.report.was_closed);
        let promised = opened
            .log
            .blocks(0)
            .map(Result::unwrap)
            .find(|b| b.last() == position);
        assert_eq!(promised.unwrap().hash().to_string(), hash);
        let report = verify(&opened.log, &mut |_| {}).unwrap();
        assert!(report.is_whole(), "{report}");
    }
}
