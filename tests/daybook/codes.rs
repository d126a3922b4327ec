//! Every published code is met by a caller of the whole program, or it is said why none can.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// The files that the README names as the places where codes are listed.
const PUBLISHED: [&str; 8] = [
    "src/api/transport/errors.rs",
    "src/eventlog/error.rs",
    "src/keyring/error.rs",
    "src/app/envelope.rs",
    "src/cli/error.rs",
    "src/app/error.rs",
    "src/app/house/error.rs",
    "src/app/import/error.rs",
];

/// Codes that no test of the whole program asks for, with what keeps it from that.
const OUT_OF_REACH: [(&str, &str); 29] = [
    (
        "COMMIT_UNREADABLE",
        "needs a commit that is whole and holds no meta data of this build",
    ),
    (
        "DESK_BUSY",
        "needs 4096 commands at once that wait; met in src/app/spec/desk.rs",
    ),
    ("DESK_CLOSED", "the desk outlives the last connection"),
    (
        "DESK_RESTARTED",
        "needs a command decided in the instant in which a write fails",
    ),
    (
        "EVENT_UNREADABLE",
        "needs an erasure or a tenant's event in a shape that no build has written",
    ),
    (
        "FOUNDING_REFUSED",
        "the founding commands are our own, and obey the rules",
    ),
    (
        "HOUSE_CLOSED",
        "a server closes the house when nobody can ask any more; met in its specs",
    ),
    (
        "HOUSE_IN_USE",
        "needs a request that outlives every time limit; met in its specs",
    ),
    (
        "INTERNAL_SERVER_ERROR",
        "a fault of ours; met in src/api/transport/spec/codes.rs",
    ),
    (
        "KEY_LOST",
        "parks an object instead of failing; met in src/app/spec/sealing.rs",
    ),
    (
        "LOG_CLOSED",
        "a server closes the log when nobody can ask any more; met in its specs",
    ),
    (
        "LOG_COMMIT_INVALID",
        "the desk makes valid commits only; met in the specs of the log",
    ),
    (
        "LOG_DUPLICATE_COMMAND",
        "the desk answers repeated commands; met in the specs of the log",
    ),
    (
        "LOG_INDEX",
        "an index that cannot be read is built anew; needs one that cannot be written either",
    ),
    (
        "LOG_INDEX_BEHIND",
        "needs 100000 commits that the index cannot take for five seconds",
    ),
    (
        "LOG_READ_ONLY",
        "what opens the log for reading has no way to write; met in its specs",
    ),
    (
        "LOG_UNEXPECTED_HEAD",
        "the desk tells it as DESK_RESTARTED; met in the specs of the log",
    ),
    (
        "OPENING_INTERRUPTED",
        "needs an opening that panics or a runtime that ends before it",
    ),
    (
        "ORGANISATION_OPENING",
        "needs an opening that takes longer than ten seconds",
    ),
    (
        "ORGANISATION_UNKNOWN",
        "told to callers as UNAUTHENTICATED; met in src/app/spec/house.rs",
    ),
    (
        "QUERY_TIMEOUT",
        "no query takes ten seconds; met in src/api/transport/spec/codes.rs",
    ),
    (
        "RANDOMNESS_UNAVAILABLE",
        "needs a system that has no random numbers to give",
    ),
    (
        "SCHEMA_UNWRITABLE",
        "needs a language that has no JSON Schema",
    ),
    (
        "SEALED_TEXT_ALTERED",
        "altered bytes do not pass the chain; met in the specs of the key ring",
    ),
    (
        "SEALING_FAILED",
        "needs a text that the cipher does not take, and all texts are short",
    ),
    (
        "SHUTDOWN_INCOMPLETE",
        "needs a request that outlives every time limit",
    ),
    ("SYSTEM", "needs a system without threads or signals"),
    ("THREAD_UNAVAILABLE", "needs a system without threads"),
    (
        "TOO_MANY_OPEN",
        "needs 64 organisations in use at once; met in src/app/spec/house.rs",
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The words in quotes that look like a code.
fn codes(text: &str) -> BTreeSet<String> {
    let is_code = |word: &&str| {
        word.len() > 3 && word.chars().all(|letter| matches!(letter, 'A'..='Z' | '_'))
    };
    let words = text.split('"').filter(is_code);
    words.map(str::to_owned).collect()
}

/// The codes that a published file lists: those of its functions that name a code each.
fn listed(path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let arms = text.lines().filter(|line| line.contains(" => \""));
    let found: BTreeSet<String> = arms.flat_map(codes).collect();
    assert!(!found.is_empty(), "{path} lists no code");
    found
}

/// The codes that tests of the whole program name, with the file that names them first.
fn asked_for() -> BTreeMap<String, PathBuf> {
    let folder = fs::read_dir(root().join("tests/daybook")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let others = paths.filter(|path| !path.ends_with("codes.rs"));
    others
        .flat_map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            codes(&text)
                .into_iter()
                .map(move |code| (code, path.clone()))
        })
        .collect()
}

#[test]
fn every_published_code_is_asked_for_or_out_of_reach() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let published: BTreeSet<String> = PUBLISHED.iter().copied().flat_map(listed).collect();
    for path in PUBLISHED {
        assert!(readme.contains(path), "the README does not name {path}");
    }
    let out_of_reach: BTreeMap<_, _> = OUT_OF_REACH.into_iter().collect();
    assert_eq!(
        out_of_reach.len(),
        OUT_OF_REACH.len(),
        "a code stands twice"
    );
    let asked_for = asked_for();
    for code in &published {
        match (asked_for.get(code), out_of_reach.get(code.as_str())) {
            (Some(_), None) => {}
            (None, Some(reason)) => assert!(reason.len() > 10, "{code}: {reason}"),
            (None, None) => panic!("{code} is published, and no test asks for it"),
            (Some(path), Some(_)) => panic!("{code} is not out of reach: {}", path.display()),
        }
    }
    for code in out_of_reach.keys() {
        assert!(published.contains(*code), "{code} is not published");
    }
}
