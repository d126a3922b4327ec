//! Nothing secret and nothing of a person stands in any log. What tests hand to the program and
//! get from it passes through here, and so does every log line of every process that they start.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::server::PROGRAM;

/// Begins every text of a person that tests make up for the sake of being looked for, whichever
/// letters are great.
const MARK: &str = "zhqx";
/// Bytes below which a text could stand anywhere by chance.
const SECRET_BYTES_MIN: usize = 8;
/// The members of commands and answers that hold secrets.
const SECRET_MEMBERS: [&str; 2] = ["password", "token"];
/// The members that hold what is said of a person.
const PERSONAL_MEMBERS: [&str; 5] = ["phone", "email", "taxNumber", "street", "description"];
/// Words in the names of variables that hold secrets.
const SECRET_VARIABLES: [&str; 4] = ["TOKEN", "SECRET", "PASSWORD", "KEY"];
/// What a log may say where a secret was meant to be: the way to it.
const FILE_END: &str = "_FILE";

/// Secrets that some process was told or told of.
#[derive(Default)]
pub(crate) struct Secrets(BTreeSet<String>);

static ALL: Mutex<Secrets> = Mutex::new(Secrets(BTreeSet::new()));

impl Secrets {
    fn add(&mut self, text: &str) {
        if text.len() >= SECRET_BYTES_MIN {
            self.0.insert(text.to_owned());
        }
    }

    /// Adds the secrets in what is sent or answered: tokens wherever they stand, and members that
    /// are secret or personal by their names.
    fn read(&mut self, text: &str) {
        let breaks = |one: char| !(one.is_ascii_alphanumeric() || "-_.".contains(one));
        for word in text.split(breaks) {
            let is_token = ["dbk_", "dbs_", "dbi_"]
                .iter()
                .any(|start| word.starts_with(start));
            // The parts before the last name the organisation and the key, which is no secret.
            if let Some(secret) = word.splitn(4, '_').nth(3).filter(|_| is_token) {
                self.add(secret);
            }
        }
        if let Ok(value) = serde_json::from_str(text) {
            self.read_members(&value, false);
        }
    }

    fn read_members(&mut self, value: &Value, is_secret: bool) {
        match value {
            // Names and words of people are told by their letters: the program's own are ASCII.
            Value::String(text) if is_secret && !text.starts_with("db") || !text.is_ascii() => {
                self.add(text);
            }
            Value::Array(items) => items
                .iter()
                .for_each(|item| self.read_members(item, is_secret)),
            Value::Object(members) => {
                for (name, member) in members {
                    let mut names = SECRET_MEMBERS.iter().chain(&PERSONAL_MEMBERS);
                    self.read_members(member, names.any(|one| one == name));
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The secrets and the marks that stand in a text.
    fn found_in(&self, text: &str) -> Vec<String> {
        let secrets = self.0.iter().filter(|secret| text.contains(*secret));
        let mark = text.to_lowercase().contains(MARK);
        secrets
            .cloned()
            .chain(mark.then(|| MARK.to_owned()))
            .collect()
    }
}

fn with_all<T>(work: impl FnOnce(&mut Secrets) -> T) -> T {
    work(&mut ALL.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Notes the secrets in what is sent to the program, or answered by it.
pub(crate) fn handled(text: &str) {
    with_all(|secrets| secrets.read(text));
}

/// Notes the secrets that a process is started with: in its variables, and in its key files.
pub(crate) fn started(command: &Command) {
    with_all(|secrets| {
        for (name, value) in command.get_envs() {
            let name = name.to_string_lossy();
            let is_secret = SECRET_VARIABLES.iter().any(|word| name.contains(word));
            let value = value.and_then(|value| value.to_str());
            if let Some(value) = value.filter(|_| is_secret && !name.ends_with(FILE_END)) {
                secrets.add(value);
            }
        }
    });
    let mut arguments = command.get_args();
    while let Some(argument) = arguments.next() {
        if argument == "--data" || argument == "--house" || argument == "--master-key-file" {
            arguments
                .next()
                .map(Path::new)
                .into_iter()
                .for_each(key_file);
        }
    }
}

/// Notes the master key in a file, or in the folder that it is kept in.
fn key_file(path: &Path) {
    let path = if path.is_dir() {
        path.join("master.key")
    } else {
        path.to_owned()
    };
    if path.is_file()
        && let Ok(key) = fs::read_to_string(path)
    {
        with_all(|secrets| secrets.add(key.trim()));
    }
}

/// What a process has written into its log, its figures and its list of vain attempts: nothing
/// that is secret or personal may stand there.
#[track_caller]
pub(crate) fn overheard(what: &str, text: &str) {
    let found = with_all(|secrets| secrets.found_in(text));
    assert!(found.is_empty(), "{found:?} stand in {what}: {text}");
}

/// The list of vain attempts in a folder of an organisation.
#[track_caller]
pub(crate) fn attempts_overheard(folder: &Path) {
    for name in ["security.ndjson", "security.1.ndjson"] {
        if let Ok(text) = fs::read_to_string(folder.join(name)) {
            overheard(name, &text);
        }
    }
}

/// Runs the program to its end, and looks through what it says on stderr.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Output {
    started(command);
    let output = command.output().unwrap();
    // A new folder has a key of its own now.
    started(command);
    handled(&String::from_utf8_lossy(&output.stdout));
    overheard("stderr", &String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs the program with arguments.
#[track_caller]
pub(crate) fn program(arguments: &[&str]) -> Output {
    run(Command::new(PROGRAM).args(arguments))
}

#[test]
fn what_is_secret_would_be_found() {
    let mut secrets = Secrets::default();
    let organisation = "0190f3c27c1e7d2a9a503f6b1f0c2d4e";
    secrets.read(&format!(
        "Authorization: Bearer dbk_{organisation}_bmFtZQ_c2VjcmV0X29mX2tleQ\r\n"
    ));
    secrets.read(r#"{ "login": "somebody.there", "password": "correct horse" }"#);
    secrets.read(r#"{ "data": { "inviteUser": { "token": "dbi_1_2_invitation-code" } } }"#);
    secrets.read(r#"{ "variables": { "input": { "details": { "phone": "+86 917364528" } } } }"#);
    secrets.read(r#"{ "nodes": [{ "id": "order-1", "buyer": "苏州纺织" }] }"#);
    let leaks = [
        "no key c2VjcmV0X29mX2tleQ is known",
        "refused password=correct horse here",
        "{\"message\":\"invitation-code\"}",
        "to +86 917364528",
        "苏州纺织 is not there",
        "the customer ZHQXandra",
    ];
    for leak in leaks {
        assert_eq!(secrets.found_in(leak).len(), 1, "{leak}");
    }
    let plain = format!("organisation {organisation} of somebody.there, key bmFtZQ");
    assert!(secrets.found_in(&plain).is_empty());
}

#[test]
fn what_a_server_says_is_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    let server = crate::server::Server::start(&folder.path().join("data"));
    let said = server.said();
    let mut secrets = Secrets::default();
    assert!(secrets.found_in(&said).is_empty());
    let word = said
        .split_whitespace()
        .find(|word| word.len() >= SECRET_BYTES_MIN);
    secrets.add(word.unwrap());
    assert!(!secrets.found_in(&said).is_empty(), "{said}");
    // The harness itself knows the key of the server and the key of its folder.
    let key = server
        .token()
        .unwrap()
        .splitn(4, '_')
        .last()
        .unwrap()
        .to_owned();
    let master = fs::read_to_string(folder.path().join("data/master.key")).unwrap();
    for secret in [key.as_str(), master.trim()] {
        let log = format!("a line with {secret} in it");
        let heard = std::panic::catch_unwind(|| overheard("a log", &log));
        assert!(heard.is_err(), "it would not be found");
    }
    assert_eq!(server.end(), Some(0));
}

/// No test starts the program behind the back of those who listen.
#[test]
fn every_process_of_the_tests_is_overheard() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daybook");
    let mut starting = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let starts = text.contains("PROGRAM") || text.contains("CARGO_BIN_EXE");
        if starts && (text.contains(".spawn()") || text.contains(".output()")) {
            starting += 1;
            let is_heard = text.contains("overheard(");
            assert!(is_heard, "{} starts the program unheard", path.display());
        }
    }
    assert!(starting >= 3, "{starting} files start the program");
}
