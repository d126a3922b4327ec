//! Starting the program on a long record: how soon it is ready, and how much memory it then has.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::report::write;

const PROGRAM: &str = env!("CARGO_BIN_EXE_daybook");
/// The demo at this scale has about a million events.
const SCALE: &str = "13.6";

#[derive(Serialize)]
struct Start {
    what: &'static str,
    ready_ms: f64,
    resident_mb: f64,
}

pub(crate) fn run() {
    let room = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let folder = room.path().join("data");
    let began = Instant::now();
    let filled = Command::new(PROGRAM)
        .args(["demo", "--json", "--scale", SCALE, "--data"])
        .arg(&folder)
        .output()
        .unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let summary: serde_json::Value = serde_json::from_slice(&filled.stdout).unwrap();
    println!(
        "\nstart on {} events, decided and written in {seconds:.1} s",
        summary["events"]
    );
    let starts = [
        start(&folder, "serve, read models rebuilt first"),
        start(&folder, "serve, read models intact"),
    ];
    println!("{:<44} {:>12} {:>12}", "", "ready ms", "resident MB");
    for start in &starts {
        println!(
            "{:<44} {:>12.0} {:>12.0}",
            start.what, start.ready_ms, start.resident_mb
        );
    }
    write("start", &starts);
}

fn start(folder: &Path, what: &'static str) -> Start {
    let began = Instant::now();
    let mut server = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("ready")));
    let ready_ms = began.elapsed().as_secs_f64() * 1e3;
    let resident_mb = resident_mb(&server);
    end(&mut server);
    Start {
        what,
        ready_ms,
        resident_mb,
    }
}

fn resident_mb(server: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024.0
}

/// In order, so that the next start finds everything as it should be.
fn end(server: &mut Child) {
    let asked = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    let began = Instant::now();
    while server.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
