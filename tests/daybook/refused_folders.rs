//! Folders that the program does not work on: it says why, ends with the documented code, and
//! leaves every byte as it was. And folders on which it reads but does not write.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    books::{code_of, company, contents, copy, daybook, done},
    server::{Ended, PROGRAM, Server, serving},
};

/// Expects each sub-command and the server to refuse a folder, which stays as it is.
#[track_caller]
fn refused(folder: &Path, commands: &[&[&str]], exit: i32, code: &str) {
    let before = contents(folder);
    named(folder, commands, exit, code);
    assert!(contents(folder) == before, "{code}: the folder was changed");
}

/// Expects each sub-command and the server to say what is wrong with a folder.
#[track_caller]
fn named(folder: &Path, commands: &[&[&str]], exit: i32, code: &str) {
    for command in commands {
        let output = daybook(&[command, &["--data", folder.to_str().unwrap()][..]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(code_of(&said), Some(code), "{command:?}: {said}");
        assert_eq!(output.status.code(), Some(exit), "{command:?}: {said}");
    }
    let Err(Ended { code: ended, said }) = Server::run(serving(folder, &[])) else {
        panic!("a server started, instead of {code}");
    };
    assert_eq!(code_of(&said), Some(code), "{said}");
    assert_eq!(ended, Some(exit), "{said}");
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn folders_of_another_version_or_owner_are_refused_and_left_alone() {
    let room = tempdir().unwrap();
    let books = room.path().join("books");
    company(&books, 10);
    let trial = |name: &str, damage: &dyn Fn(&Path), exit, code: &str| {
        let folder = room.path().join(name);
        copy(&books, &folder);
        damage(&folder);
        let all: &[&[&str]] = &[&["log", "show"], &["rebuild"], &["verify"]];
        refused(&folder, all, exit, code);
    };
    let newer_data = |folder: &Path| edit(&folder.join("daybook.json"), "data 1", "data 2");
    trial("newer-data", &newer_data, 1, "DATA_FOLDER_UNSUPPORTED");
    let newer_log = |folder: &Path| edit(&folder.join("log/FORMAT"), "log 1", "log 2");
    trial("newer-log", &newer_log, 1, "LOG_VERSION_UNSUPPORTED");
    let not_a_folder = |folder: &Path| {
        fs::remove_dir_all(folder.join("log")).unwrap();
        fs::write(folder.join("log"), "").unwrap();
    };
    trial("no-folder", &not_a_folder, 1, "LOG_IO");
    let foreign = |folder: &Path| {
        let other = room.path().join("other");
        company(&other, 2);
        fs::copy(other.join("daybook.json"), folder.join("daybook.json")).unwrap();
    };
    trial("foreign", &foreign, 1, "LOG_WRONG_ORGANISATION");
}

/// Replaces a part of a company that was opened at least twice, and gives its folder.
fn spoilt(room: &Path, spoil: impl FnOnce(&Path)) -> PathBuf {
    let folder = room.join("books");
    company(&folder, 40);
    spoil(&folder);
    folder
}

#[test]
fn a_record_that_is_lost_is_never_begun_anew() {
    let room = tempdir().unwrap();
    let folder = spoilt(room.path(), |folder| {
        fs::remove_dir_all(folder.join("log/sled")).unwrap();
    });
    refused(&folder, &[&["log", "show"], &["rebuild"]], 3, "LOG_DAMAGED");
    let verified = daybook(&["verify", "--json", "--data", folder.to_str().unwrap()]);
    assert_eq!(verified.status.code(), Some(3));
    let report = String::from_utf8(verified.stdout).unwrap();
    assert!(report.contains("data file is lost"), "{report}");
}

#[test]
fn an_index_that_cannot_be_read_is_named_by_verify_and_built_anew_by_a_start() {
    let room = tempdir().unwrap();
    let folder = spoilt(room.path(), |folder| {
        // Every page of rows, but neither the first, which says what there is, nor the checkpoint.
        let path = folder.join("log/index.sqlite");
        let mut bytes = fs::read(&path).unwrap();
        for page in bytes.chunks_mut(4096).skip(1).filter(|page| page[0] != 13) {
            page[0] = 0xff;
        }
        fs::write(path, bytes).unwrap();
    });
    let verified = daybook(&["verify", "--json", "--data", folder.to_str().unwrap()]);
    assert_eq!(verified.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["findings"][0]["area"], "index", "{report}");
    let server = Server::start(&folder);
    let said = server.said();
    assert!(said.contains("index cannot be trusted"), "{said}");
    assert_eq!(server.end(), Some(0));
    assert_eq!(done(&folder, &["rebuild"])["equal"], true);
    assert_eq!(done(&folder, &["verify"])["whole"], true);
}

#[test]
fn a_folder_without_a_readable_identity_is_restored_from_its_archive() {
    let room = tempdir().unwrap();
    let folder = spoilt(room.path(), |_| ());
    let identity = folder.join("daybook.json");
    let whole = fs::read_to_string(&identity).unwrap();
    let from = folder.to_str().unwrap();
    let restored = |name: &str| {
        let to = room.path().join(name);
        let command = ["restore", "--salvage", from, "--from", from, "--to"];
        let output = daybook(&[&command[..], &[to.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(done(&to, &["verify"])["whole"], true);
        assert_eq!(fs::read_to_string(to.join("daybook.json")).unwrap(), whole);
    };
    fs::write(&identity, "{").unwrap();
    restored("from-broken");
    fs::remove_file(&identity).unwrap();
    restored("from-lost");
    let nowhere = room.path().join("nowhere");
    let (no, to) = (nowhere.to_str().unwrap(), room.path().join("none"));
    let output = daybook(&["restore", "--from", no, "--to", to.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(code_of(&said), Some("LOG_NOT_USABLE"), "{said}");
}

#[test]
fn read_models_that_cannot_be_kept_are_named() {
    let room = tempdir().unwrap();
    let folder = spoilt(room.path(), |folder| {
        fs::remove_dir_all(folder.join("read-models")).unwrap();
        fs::write(folder.join("read-models"), "").unwrap();
    });
    let output = daybook(&["rebuild", "--data", folder.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(code_of(&said), Some("READ_MODEL_UNUSABLE"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    fs::remove_file(folder.join("read-models")).unwrap();
    let server = Server::start(&folder);
    let customers = server.graphql("{ customers { totalCount } }");
    assert_eq!(
        customers["data"],
        json!({ "customers": { "totalCount": "40" } })
    );
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_folder_has_one_user_at_a_time() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let Err(Ended { code, said }) = Server::run(serving(folder.path(), &[])) else {
        panic!("two servers have one folder open");
    };
    assert_eq!(
        (code, code_of(&said)),
        (Some(4), Some("LOG_LOCKED")),
        "{said}"
    );
    assert!(said.contains("\nhint: "), "{said}");
    assert_eq!(server.ask("GET", "/readyz", "").0, 200);
    assert_eq!(server.end(), Some(0));
    Server::start(folder.path()).end();
}

const REGISTER: &str = r#"mutation {
    registerCustomer(input: { details: { name: "Acme" } }) { receipt { position } }
}"#;

/// Asks for what needs no room, and expects the server to say that it takes no commands, and why.
#[track_caller]
fn reads_only(server: &Server, code: &str, reason: &str) -> Value {
    let before = server.graphql("{ status { head } }")["data"].clone();
    let answer = server.graphql(REGISTER);
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], code, "{answer}");
    assert!(
        error["message"].as_str().unwrap().contains(reason),
        "{answer}"
    );
    assert_eq!(server.graphql("{ status { head } }")["data"], before);
    let (status, parts) = server.ask("GET", "/readyz?verbose", "");
    assert_eq!(status, 503, "{parts}");
    assert!(parts.contains(reason), "{parts}");
    answer
}

/// Waits for a figure in the metrics, which are brought up to date every second.
fn metrics_say(server: &Server, line: &str) -> bool {
    (0..30).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let (_, metrics) = server.ask("GET", "/metrics", "");
        metrics.lines().any(|found| found == line)
    })
}

#[test]
fn a_disk_with_too_little_room_takes_no_commands_and_answers_queries() {
    let folder = tempdir().unwrap();
    company(folder.path(), 10);
    let server = Server::start_with(folder.path(), &["--min-free-space", "1000000000000000000"]);
    let answer = reads_only(&server, "LOG_LOW_SPACE", "1000000000000000000 are required");
    assert_eq!(
        answer["errors"][0]["extensions"]["retryAfterMs"], 100,
        "{answer}"
    );
    let customers = server.graphql("{ customers { totalCount } }");
    assert_eq!(
        customers["data"],
        json!({ "customers": { "totalCount": "10" } })
    );
    assert!(metrics_say(&server, "daybook_log_writable 0"));
    assert_eq!(server.end(), Some(0));

    let server = Server::start_with(folder.path(), &["--min-free-space", "1"]);
    assert_eq!(server.graphql(REGISTER)["errors"], Value::Null);
    assert_eq!(server.ask("GET", "/readyz", "").0, 200);
    assert!(metrics_say(&server, "daybook_log_writable 1"));
    assert_eq!(server.end(), Some(0));
}

#[test]
fn nothing_is_founded_where_there_is_no_room_for_it() {
    let folder = tempdir().unwrap();
    let no_room = ["--min-free-space", "1000000000000000000"];
    let Err(Ended { code, said }) = Server::run(serving(folder.path(), &no_room)) else {
        panic!("a server started without room");
    };
    assert_eq!(
        (code, code_of(&said)),
        (Some(1), Some("LOG_LOW_SPACE")),
        "{said}"
    );
    assert!(said.contains("\nhint: make room"), "{said}");
    let server = Server::start(folder.path());
    assert_eq!(server.graphql(REGISTER)["errors"], Value::Null);
    assert_eq!(server.end(), Some(0));
}

/// A server whose files may not grow beyond a size, as on a disk that is full.
fn confined(folder: &Path) -> Server {
    let mut command = Command::new("sh");
    let limit = "trap '' XFSZ; ulimit -f 12000; exec \"$@\"";
    command.args(["-c", limit, "sh", PROGRAM, "serve"]);
    command
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder);
    Server::run(command).unwrap()
}

/// Registers customers of much text until one is not done; gives the positions of those that
/// were, and the answer to the last one.
fn fill_up(server: &Server) -> (Vec<u64>, Value) {
    let document = "mutation($input: RegisterCustomerInput!) {
        registerCustomer(input: $input) { receipt { position } } }";
    let contacts = vec![json!({ "name": "x".repeat(100) }); 1_500];
    let mut positions = Vec::new();
    for number in 0..60 {
        let details = json!({ "name": format!("Large {number}") });
        let input = json!({ "input": { "details": details, "contacts": contacts } });
        let answer = server.try_request(document, input).unwrap();
        let receipt = &answer["data"]["registerCustomer"]["receipt"]["position"];
        match receipt.as_str() {
            Some(position) => positions.push(position.parse().unwrap()),
            None => return (positions, answer),
        }
    }
    panic!("the disk is not full after {} commands", positions.len());
}

/// Nothing that was acknowledged is lost, and nothing else is needed than to start again.
#[test]
fn a_write_that_fails_stops_commands_until_the_next_start() {
    let folder = tempdir().unwrap();
    let server = confined(folder.path());
    let (acknowledged, answer) = fill_up(&server);
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "LOG_STOPPED", "{answer}");
    assert!(
        error["message"].as_str().unwrap().contains("too large"),
        "{answer}"
    );
    let (status, parts) = server.ask("GET", "/readyz?verbose", "");
    assert!(status == 503 && parts.contains("stopped: "), "{parts}");
    assert!(metrics_say(&server, "daybook_log_writable 0"));
    assert_eq!(
        server.graphql("{ customers { totalCount } }")["errors"],
        Value::Null
    );
    assert!(!server.said().contains("panicked"), "{}", server.said());
    assert_eq!(server.end(), Some(0));

    let server = Server::start(folder.path());
    let answer = server.graphql("{ status { head } customers { totalCount } }");
    let head: u64 = answer["data"]["status"]["head"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(head >= *acknowledged.last().unwrap(), "{answer}");
    assert_eq!(server.graphql(REGISTER)["errors"], Value::Null);
    assert_eq!(server.end(), Some(0));
    let report = done(folder.path(), &["verify"]);
    assert_eq!(report["commits"], head + 1, "{report}");
}
