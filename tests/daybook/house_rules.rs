//! What the code as a whole keeps to, so that it stays a place where one finds one's way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Longest file, in lines.
const FILE_LINES: usize = 600;
/// Longest function, in lines.
const FUNCTION_LINES: usize = 70;
/// Longest line, in characters.
const LINE_LENGTH: usize = 100;

/// Who may depend on whom among our own crates. Nothing else is allowed.
const DIRECTION: &[(&str, &[&str])] = &[
    ("daybook-schema", &[]),
    ("daybook-eventlog", &[]),
    ("daybook-keyring", &[]),
    ("daybook-domain", &["schema"]),
    ("daybook-projections", &["schema", "eventlog"]),
    (
        "daybook-app",
        &["schema", "eventlog", "keyring", "domain", "projections"],
    ),
    (
        "daybook-api",
        &["schema", "eventlog", "domain", "projections", "app"],
    ),
    (
        "daybook-cli",
        &[
            "schema",
            "eventlog",
            "keyring",
            "domain",
            "projections",
            "app",
            "api",
        ],
    ),
    (
        "daybook",
        &[
            "schema",
            "eventlog",
            "domain",
            "projections",
            "app",
            "api",
            "cli",
        ],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in ["schema", "src", "projections", "tests", "benches"] {
        walk(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

fn walk(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}

#[test]
fn crates_depend_in_one_direction() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), DIRECTION.len());
    let allowed: BTreeMap<_, _> = DIRECTION.iter().copied().collect();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let is_dev = dependency["kind"] == "dev";
            let other = dependency["name"].as_str().unwrap();
            let Some(ours) = other.strip_prefix("daybook-").filter(|_| !is_dev) else {
                continue;
            };
            assert!(
                allowed[name].contains(&ours),
                "{name} may not depend on {other}"
            );
        }
    }
}

#[test]
fn a_context_has_one_name_everywhere() {
    let folders = |path: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(path)).unwrap().map(Result::unwrap);
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names
            .map(|name| name.trim_end_matches(".rs").to_owned())
            .collect()
    };
    let shared: BTreeSet<String> = ["kernel", "generated", "samples"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let contexts: BTreeSet<String> = folders("schema")
        .into_iter()
        .filter(|name| root().join("schema").join(name).is_dir() && !shared.contains(name))
        .collect();
    assert!(contexts.len() >= 6, "{contexts:?}");
    for place in ["src/domain", "projections", "src/api/graphql"] {
        let missing: Vec<_> = contexts.difference(&folders(place)).cloned().collect();
        assert!(missing.is_empty(), "{place} lacks {missing:?}");
    }
}

#[test]
fn domain_and_language_know_no_clock_no_chance_and_no_float() {
    let banned = [
        "Utc::now",
        "SystemTime",
        "Instant::now",
        "now_v7",
        "new_v4",
        "rand::",
        ": f32",
        ": f64",
        "<f32",
        "<f64",
        "-> f32",
        "-> f64",
        "as f64",
    ];
    for (path, text) in rust_files() {
        if !(path.starts_with("schema") || path.starts_with("src/domain")) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for word in banned {
                assert!(
                    !line.contains(word),
                    "{}:{number} uses {word}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    let banned = [
        "todo!(",
        "unimplemented!(",
        "#[ignore",
        "FIX\u{4d}E",
        "XX\u{58}",
    ];
    for (path, text) in rust_files() {
        if path.ends_with("house_rules.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for word in banned {
                assert!(
                    !line.contains(word),
                    "{}:{} has {word}",
                    path.display(),
                    number + 1
                );
            }
            let silenced = line.contains("[allow(") && !line.contains("reason");
            let goes_on = line.trim_end().ends_with('(');
            let place = format!("{}:{}", path.display(), number + 1);
            assert!(
                !silenced || goes_on,
                "{place} silences a lint without a reason"
            );
        }
    }
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut broken = Vec::new();
    for (path, text) in rust_files() {
        let place = path.display();
        let count = text.lines().count();
        if count > FILE_LINES {
            broken.push(format!("{place} has {count} lines"));
        }
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_LENGTH {
                broken.push(format!(
                    "{place}:{} is {} long",
                    number + 1,
                    line.chars().count()
                ));
            }
        }
        for (name, number, lines) in functions(&text) {
            if lines > FUNCTION_LINES {
                broken.push(format!("{place}:{number} `{name}` has {lines} lines"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let allowed = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "projections",
        "schema",
        "src",
        "target",
        "tests",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} is a stranger"
        );
    }
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Functions by their indentation: rustfmt closes each in the column in which it begins.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let words: Vec<&str> = code.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "fn") else {
            continue;
        };
        let before = [
            "pub",
            "async",
            "const",
            "pub(crate)",
            "pub(super)",
            "pub(in",
        ];
        if !words[..at].iter().all(|word| before.contains(word)) {
            continue;
        }
        let opens = lines[index..]
            .iter()
            .find(|line| line.ends_with(['{', ';', '}']));
        if !opens.is_some_and(|line| line.ends_with('{')) {
            continue;
        }
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[index..].iter().position(|line| *line == end);
        if let Some(length) = length {
            let name = words.get(at + 1).copied().unwrap_or_default();
            found.push((name.to_owned(), index + 1, length + 1));
        }
    }
    found
}
