//! A small company in a folder, copied and damaged at will.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;

use crate::{secrets, server::Server};

const MAPPING: &str = r#"
namespace = "crm"
[sources.customers]
[[steps]]
name = "customers"
source = "customers"
key = "{id}"
[[steps.commands]]
command = "RegisterCustomer"
fields = { details.name = "{name}", details.customerType = "company" }
"#;

/// Runs the program.
#[track_caller]
pub(crate) fn daybook(arguments: &[&str]) -> Output {
    secrets::program(arguments)
}

/// Runs a sub-command on a folder, which must succeed, and gives its JSON.
#[track_caller]
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> Value {
    let folder = folder.to_str().unwrap();
    let output = daybook(&[arguments, &["--json", "--data", folder]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is on record of an organisation before anybody does anything: its founding and policies,
/// and the first account with its roles and its key.
pub(crate) const BEGINNING: u64 = 9;

/// Fills a folder with customers, half of them after it was closed and opened again. A server has
/// made the first account before, so that one which opens the folder later writes nothing.
pub(crate) fn company(folder: &Path, customers: usize) {
    assert_eq!(Server::start(folder).end(), Some(0));
    let room = tempfile::tempdir().unwrap();
    let (mapping, table) = (
        room.path().join("m.toml"),
        room.path().join("customers.csv"),
    );
    fs::write(&mapping, MAPPING).unwrap();
    for count in [customers / 2, customers] {
        let rows = (1..=count).map(|id| format!("{id},Customer number {id}\n"));
        fs::write(&table, "id,name\n".to_owned() + &rows.collect::<String>()).unwrap();
        let (mapping, table) = (mapping.to_str().unwrap(), table.to_str().unwrap());
        done(folder, &["import", "--mapping", mapping, table]);
    }
}

/// Copies a folder with everything in it, links of no kind.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file of a folder with its bytes.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

/// The stable code with which an error ends. An error may have several lines, and a hint after it.
pub(crate) fn code_of(complaint: &str) -> Option<&str> {
    let (_, error) = complaint
        .split_once("\nerror: ")
        .or_else(|| complaint.split_once("error: "))?;
    let error = error
        .split_once("\nhint: ")
        .map_or(error, |(error, _)| error);
    let (_, code) = error.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    Some(code)
}
