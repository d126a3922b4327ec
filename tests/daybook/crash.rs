//! The program is killed in the middle of its work, again and again.

use std::{
    collections::HashMap,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::tempdir;
use uuid::Uuid;

use crate::{
    secrets,
    server::{PROGRAM, Server},
};

/// Clients that issue commands at the same time.
const CLIENTS: usize = 256;
/// How long they do so before the program is killed.
const LOAD: Duration = Duration::from_millis(1_500);

const REGISTER: &str = "mutation($input: RegisterCustomerInput!) {
    registerCustomer(input: $input) { receipt { position replayed } userErrors { code } } }";

/// More rounds than three are run where `DAYBOOK_KILLS` says how many.
#[test]
fn what_was_acknowledged_survives_kill_nine() {
    let rounds = std::env::var("DAYBOOK_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    let folder = tempdir().unwrap();
    let mut acknowledged: HashMap<Uuid, u64> = HashMap::new();
    for round in 0..rounds.unwrap_or(3) {
        let server = Server::start(folder.path());
        let before = acknowledged.len();
        acknowledged.extend(load_until_killed(server));
        assert!(
            acknowledged.len() > before,
            "nothing was acknowledged in round {round}"
        );
        nothing_is_lost(folder.path(), &acknowledged);
        folder_is_sound(folder.path());
        println!("round {round}: {} acknowledged in all", acknowledged.len());
    }
}

/// The commands that were acknowledged, by id, with the positions of their answers.
fn load_until_killed(server: Server) -> HashMap<Uuid, u64> {
    let acknowledged = Mutex::new(HashMap::new());
    let killed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, acknowledged, killed) = (&server, &acknowledged, &killed);
            scope.spawn(move || {
                while !killed.load(Ordering::Relaxed) {
                    let id = Uuid::now_v7();
                    if let Some(position) = register(server, id, &format!("client {client}")) {
                        acknowledged.lock().unwrap().insert(id, position);
                    }
                }
            });
        }
        std::thread::sleep(LOAD);
        server.kill();
        killed.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner().unwrap()
}

fn input(id: Uuid, name: &str) -> Value {
    json!({ "input": { "commandId": id, "details": { "name": name } } })
}

/// The position of the answer; none where the connection broke before there was one.
fn register(server: &Server, id: Uuid, name: &str) -> Option<u64> {
    let answer = server.try_request(REGISTER, input(id, name))?;
    let receipt = &answer["data"]["registerCustomer"]["receipt"];
    receipt["position"].as_str()?.parse().ok()
}

fn nothing_is_lost(folder: &Path, acknowledged: &HashMap<Uuid, u64>) {
    let server = Server::start(folder);
    let head = server.graphql("{ status { head } }")["data"]["status"]["head"].clone();
    let head: u64 = head.as_str().unwrap().parse().unwrap();
    let last = acknowledged.values().max().copied().unwrap_or(0);
    assert!(
        head >= last,
        "the log ends at {head}, {last} was acknowledged"
    );
    server.catch_up(head);
    for (id, position) in acknowledged.iter().take(2_000) {
        let query = "query($after: BigInt, $before: BigInt) {
            commits(after: $after, before: $before) { nodes { commandId position } } }";
        let around = json!({
            "after": (position - 1).to_string(), "before": (position + 1).to_string()
        });
        let answer = server.request(query, around);
        let found = &answer["data"]["commits"]["nodes"][0]["commandId"];
        assert_eq!(*found, json!(id), "position {position}");
    }
    assert_eq!(server.end(), Some(0));
}

/// Verification is clean, and read models built anew equal those that were kept up.
fn folder_is_sound(folder: &Path) {
    let run = |command: &str| {
        let mut program = Command::new(PROGRAM);
        let output = secrets::run(program.args([command, "--json", "--data"]).arg(folder));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {complaint}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    run("verify");
    let rebuilt = run("rebuild");
    assert_eq!(rebuilt["equal"], true, "{rebuilt}");
}
