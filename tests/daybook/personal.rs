//! Personal data as users meet it: keys, erasure over the API, export, backups.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    books::{code_of, contents, daybook, done},
    refusals::Shop,
    server::{Server, serving},
};

/// Stands in every personal text of the person who is erased.
const MARK: &str = "Zhqxandra";

fn registered(server: &Server, name: &str) -> String {
    let details = json!({ "name": name, "phone": "+86 917364528", "customerType": "PERSON" });
    Shop::of(server).done("registerCustomer", json!({ "details": details }))
}

fn erased(server: &Server, subject: &str) {
    Shop::of(server).done(
        "eraseSubject",
        json!({ "subject": subject, "because": "asked for" }),
    );
}

fn names(server: &Server) -> Vec<Value> {
    let answer = server.graphql("{ customers(orderBy: [{ field: NUMBER }]) { nodes { name } } }");
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    let nodes = answer["data"]["customers"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].clone()).collect()
}

/// The exit code and the stable code of a sub-command on a folder that fails.
fn failed(folder: &Path, arguments: &[&str]) -> (Option<i32>, Option<String>) {
    let folder = folder.to_str().unwrap();
    let output = daybook(&[arguments, &["--data", folder]].concat());
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), code_of(&complaint).map(str::to_owned))
}

fn holds(folder: &Path, text: &str) -> bool {
    let text = text.as_bytes();
    contents(folder)
        .values()
        .any(|bytes| bytes.windows(text.len()).any(|window| window == text))
}

#[test]
fn a_person_is_exported_erased_and_gone_from_backups_too() {
    let room = tempdir().unwrap();
    let path = |name: &str| room.path().join(name);
    let (books, backup, again) = (path("books"), path("backup"), path("again"));
    let mut talkative = serving(&books, &[]);
    talkative.env("DAYBOOK_LOG", "debug");
    let Ok(server) = Server::run(talkative) else {
        panic!("the server does not start");
    };
    let person = registered(&server, MARK);
    assert!(server.said().contains("batch written") && !server.said().contains(MARK));
    Shop::of(&server).done("registerCustomer", json!({ "details": { "name": "Else" } }));
    assert_eq!(server.end(), Some(0));

    let target = backup.to_str().unwrap();
    done(&books, &["backup", "--to", target]);
    let folder = books.to_str().unwrap();
    let told = daybook(&["subject", "export", "--subject", &person, "--data", folder]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["objects"][0]["details"]["name"], MARK, "{told}");

    let server = Server::start(&books);
    erased(&server, &person);
    assert_eq!(names(&server), ["erased", "Else"]);
    let history = format!(
        "{{ customer(id: \"{person}\") {{ history {{ nodes {{ events {{ data }} }} }} }} }}"
    );
    let history = server.graphql(&history).to_string();
    assert!(
        history.contains("erased") && !history.contains(MARK),
        "{history}"
    );
    assert_eq!(server.end(), Some(0));
    assert!(!holds(&books, MARK));
    let report = done(&books, &["verify"]);
    assert_eq!(report["whole"], true, "{report}");
    assert_eq!(done(&books, &["rebuild"])["equal"], true);
    assert_eq!(done(&books, &["keys", "status"])["destroyed"], 1);

    // The keys of the backup are replaced, and what is restored from it needs the master key.
    done(&books, &["backup", "--to", target]);
    let from = ["restore", "--from", target, "--to", again.to_str().unwrap()];
    assert_eq!(daybook(&from).status.code(), Some(0));
    let missing = (Some(1), Some("MASTER_KEY_MISSING".to_owned()));
    assert_eq!(failed(&again, &["rebuild"]), missing);
    fs::copy(books.join("master.key"), again.join("master.key")).unwrap();
    let server = Server::start(&again);
    assert_eq!(names(&server), ["erased", "Else"]);
    assert_eq!(server.end(), Some(0));
    assert!(!holds(&again, MARK));
}

#[test]
fn the_master_key_is_rotated_and_a_wrong_one_is_refused() {
    let room = tempdir().unwrap();
    let books = room.path().join("books");
    let server = Server::start(&books);
    registered(&server, MARK);
    assert_eq!(server.end(), Some(0));

    let new = room.path().join("new.key");
    let new = new.to_str().unwrap();
    fs::write(new, "no key\n").unwrap();
    let invalid = (Some(1), Some("MASTER_KEY_INVALID".to_owned()));
    let rotate = ["keys", "rotate", "--new-master-key-file", new];
    assert_eq!(failed(&books, &rotate), invalid);
    fs::write(new, "7f".repeat(32)).unwrap();
    assert_eq!(done(&books, &rotate)["keys"], 1);
    assert!(!books.join("master.key").exists());
    let with_new = ["log", "tail", "--master-key-file", new, "--full"];
    let folder = books.to_str().unwrap();
    let shown = daybook(&[&with_new[..], &["--data", folder]].concat());
    assert!(String::from_utf8_lossy(&shown.stdout).contains(MARK));
    let without = daybook(&["log", "tail", "--sealed", "--full", "--data", folder]);
    let without = String::from_utf8_lossy(&without.stdout).into_owned();
    assert!(
        without.contains("\"sealed\"") && !without.contains(MARK),
        "{without}"
    );

    let other = room.path().join("other.key");
    fs::write(&other, "01".repeat(32)).unwrap();
    let other = other.to_str().unwrap();
    let wrong = (Some(1), Some("MASTER_KEY_WRONG".to_owned()));
    assert_eq!(
        failed(&books, &["rebuild", "--master-key-file", other]),
        wrong
    );

    // No keys at all, keys of another organisation, and a file that is no key ring.
    let keys = books.join("keys");
    let kept = room.path().join("keys");
    fs::rename(&keys, &kept).unwrap();
    let gone = (Some(1), Some("KEY_RING_MISSING".to_owned()));
    assert_eq!(failed(&books, &["rebuild", "--master-key-file", new]), gone);
    fs::remove_dir_all(&keys).unwrap();
    fs::rename(&kept, &keys).unwrap();
    let strange = room.path().join("strange");
    assert_eq!(Server::start(&strange).end(), Some(0));
    fs::copy(strange.join("keys/keys.db"), books.join("keys/keys.db")).unwrap();
    let foreign = (Some(1), Some("KEY_RING_WRONG_ORGANISATION".to_owned()));
    assert_eq!(
        failed(&books, &["rebuild", "--master-key-file", new]),
        foreign
    );
    fs::write(books.join("keys/keys.db"), "not a database, of some length").unwrap();
    let unusable = (Some(1), Some("KEY_RING_UNUSABLE".to_owned()));
    assert_eq!(
        failed(&books, &["rebuild", "--master-key-file", new]),
        unusable
    );
}

#[test]
fn somebody_who_acted_here_is_erased_and_the_user_name_stays() {
    let room = tempdir().unwrap();
    let books = room.path().join("books");
    let server = Server::start(&books);
    let shop = Shop::of(&server);
    let invitation = json!({ "login": "sun.li", "name": MARK, "email": "zhqxandra@example.com" });
    let account = shop.done("inviteUser", invitation);
    assert_eq!(account, "account-sun.li");
    let export = "{ subjectExport(of: \"account-sun.li\") { objects commits } }";
    let told = server.graphql(export);
    let told = &told["data"]["subjectExport"];
    assert_eq!(told["objects"][0]["name"], MARK, "{told}");
    assert_eq!(
        told["commits"][0]["events"][0]["data"]["name"], MARK,
        "{told}"
    );
    assert!(
        !told.to_string().contains("b3:"),
        "no digest of a secret: {told}"
    );

    erased(&server, &account);
    let shown = server.graphql("{ account(id: \"account-sun.li\") { login name email status } }");
    let expected = json!({
        "login": "sun.li", "name": "erased", "email": "erased", "status": "SUSPENDED",
    });
    assert_eq!(shown["data"]["account"], expected, "{shown}");
    let back = ("reinstateAccount", json!({ "account": account }));
    shop.refused(back, ("SUBJECT_ERASED", "account-sun.li"));
    assert_eq!(server.end(), Some(0));
    assert!(!holds(&books, MARK) && !holds(&books, "zhqxandra@example.com"));
    let report = done(&books, &["verify"]);
    assert_eq!(report["whole"], true, "{report}");
}
