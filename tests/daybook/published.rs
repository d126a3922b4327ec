//! What is published stays as it was published: the generated documents, and a frozen sample of
//! every event in every version of its shape.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use daybook_api::page::EXAMPLES;
use daybook_app::{Organisation, OrganisationOptions, demo};
use daybook_schema::DomainEvent;
use serde_json::{Value, json};

use crate::{
    secrets,
    server::{PROGRAM, Server},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_generated_documents_are_those_of_this_build() {
    let mut check = Command::new(PROGRAM);
    let output = secrets::run(check.args(["schema", "--check"]).current_dir(root()));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "run `cargo run -- schema`: {complaint}"
    );
}

#[test]
fn the_prepared_queries_of_the_page_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for example in EXAMPLES
        .iter()
        .filter(|example| !example.query.contains("subscription"))
    {
        let answer = server.graphql(example.query);
        assert_eq!(answer["errors"], Value::Null, "{}\n{answer}", example.query);
        assert!(answer["data"].is_object(), "{answer}");
    }
    assert_eq!(server.end(), Some(0));
}

/// A sample is written once and never changed: `DAYBOOK_SAMPLES=write` adds those that are
/// missing, from a small demo company, and leaves the others as they are. What the demo does not
/// tell has a sample by hand, which is held to the same.
#[test]
fn every_event_has_a_frozen_sample_that_can_be_read() {
    if std::env::var("DAYBOOK_SAMPLES").is_ok_and(|what| what == "write") {
        write_missing();
    }
    for family in DomainEvent::catalogue() {
        for (name, newest) in family.types {
            for version in 1..=newest {
                let path = sample(name, version);
                let text = fs::read_to_string(&path).unwrap_or_else(|error| {
                    panic!(
                        "{}: {error}; see \"a command\" in README.md",
                        path.display()
                    )
                });
                let frozen: Value = serde_json::from_str(&text).unwrap();
                let stream = frozen["stream"].as_str().unwrap();
                assert!(
                    stream.starts_with(&format!("{}-", family.prefix)),
                    "{name}: {stream}"
                );
                let data = serde_json::to_vec(&frozen["data"]).unwrap();
                let event = DomainEvent::decode(stream, name, version, &data)
                    .unwrap_or_else(|error| panic!("{name}.{version}: {error}"));
                assert_eq!(event.type_name(), name);
                if version == newest {
                    let again: Value = serde_json::from_slice(&event.encode().unwrap()).unwrap();
                    assert_eq!(again, frozen["data"], "{name}");
                }
            }
        }
    }
}

fn sample(name: &str, version: u16) -> PathBuf {
    root().join(format!("schema/samples/{name}.{version}.json"))
}

fn write_missing() {
    let folder = tempfile::tempdir().unwrap();
    let options = demo::DemoOptions {
        scale: 0.5,
        ..demo::DemoOptions::default()
    };
    let founding = demo::founding(options);
    let limits = OrganisationOptions::default();
    let (organisation, _) =
        Organisation::open(folder.path(), limits, &founding, &mut |_, _| {}).unwrap();
    demo::fill(&organisation, options, &mut |_, _| {}).unwrap();
    let mut found: BTreeMap<(String, u16), (String, Value)> = BTreeMap::new();
    for commit in organisation.log().read(0) {
        for event in commit.unwrap().events() {
            let key = (event.type_name.to_owned(), event.type_version);
            let data: Value = serde_json::from_slice(&organisation.seals().event(&event)).unwrap();
            // The fullest example shows the most fields.
            let fuller = found
                .get(&key)
                .is_none_or(|(_, kept)| fields(&data) > fields(kept));
            if fuller {
                found.insert(key, (event.stream.to_owned(), data));
            }
        }
    }
    organisation.close().unwrap();
    fs::create_dir_all(root().join("schema/samples")).unwrap();
    for ((name, version), (stream, data)) in found {
        let path = sample(&name, version);
        if !path.exists() {
            let frozen = json!({ "stream": stream, "data": data });
            fs::write(path, serde_json::to_string_pretty(&frozen).unwrap() + "\n").unwrap();
        }
    }
}

fn fields(data: &Value) -> usize {
    match data {
        Value::Object(inner) => inner.len() + inner.values().map(fields).sum::<usize>(),
        Value::Array(items) => items.first().map_or(0, fields),
        _ => 0,
    }
}
