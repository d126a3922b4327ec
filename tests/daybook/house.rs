//! Many organisations behind one address: each token opens its own, and nothing of the others.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::tempdir;
use uuid::Uuid;

use crate::{
    books::daybook,
    server::{PROGRAM, Server, bearer},
};

const JSON: &str = "Content-Type: application/json\r\nAccept: application/json\r\n";
const LOCKED: &str = "HOUSE_LOCKED";
const CUSTOMERS: &str = "{ customers(first: 10) { nodes { name } } status { head } }";
const REGISTER: &str = "mutation($input: RegisterCustomerInput!) {
    registerCustomer(input: $input) { customer { name } userErrors { code } } }";

fn create(house: &Path, name: &str) -> Value {
    let house = house.to_str().unwrap();
    let output = daybook(&[
        "organisations",
        "create",
        "--json",
        "--house",
        house,
        "--organisation",
        name,
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn serve(house: &Path) -> Server {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--house"]);
    command.arg(house);
    Server::run(command).unwrap()
}

/// The status and the answer to a document of whoever brings a token.
fn ask(server: &Server, token: &str, query: &str, variables: Value) -> (u16, Value) {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let headers = bearer(token) + JSON;
    let (status, body) = server.exchange("POST /graphql", &headers, body.as_bytes());
    (status, serde_json::from_str(&body).unwrap())
}

fn customers(server: &Server, token: &str) -> Value {
    let (status, answer) = ask(server, token, CUSTOMERS, Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer["data"]["customers"]["nodes"].clone()
}

fn key(created: &Value) -> &str {
    created["key"].as_str().unwrap()
}

#[test]
fn every_token_opens_its_own_organisation() {
    let house = tempdir().unwrap();
    let (tea, silk) = (create(house.path(), "Tea"), create(house.path(), "Silk"));
    let server = serve(house.path());
    let input = json!({ "input": { "details": { "name": "Lin" } } });
    let (_, answer) = ask(&server, key(&tea), REGISTER, input);
    assert_eq!(
        answer["data"]["registerCustomer"]["userErrors"],
        json!([]),
        "{answer}"
    );
    assert_eq!(customers(&server, key(&tea)), json!([{ "name": "Lin" }]));
    assert_eq!(customers(&server, key(&silk)), json!([]));
    assert_eq!(server.end(), Some(0));
    let server = serve(house.path());
    assert_eq!(customers(&server, key(&tea)), json!([{ "name": "Lin" }]));
    assert_eq!(server.end(), Some(0));
}

#[test]
fn an_organisation_that_is_not_there_sounds_like_a_token_that_opens_nothing() {
    let house = tempdir().unwrap();
    let tea = create(house.path(), "Tea");
    let server = serve(house.path());
    let id = tea["organisation"].as_str().unwrap().replace('-', "");
    let nowhere = key(&tea).replace(&id, &Uuid::from_u128(7).simple().to_string());
    let told = ask(&server, &nowhere, CUSTOMERS, Value::Null);
    assert_eq!(told.0, 401, "{}", told.1);
    let wrong = format!("{}x", key(&tea));
    assert_eq!(
        unnumbered(told),
        unnumbered(ask(&server, &wrong, CUSTOMERS, Value::Null))
    );
    let sign_in = |organisation: Option<&str>| {
        let body = json!({
            "organisation": organisation, "login": "admin", "password": "correct horse battery"
        });
        let body = body.to_string();
        let (head, body) = server.told("POST /session", JSON, body.as_bytes());
        (head.split(' ').nth(1).unwrap().to_owned(), body)
    };
    let there = sign_in(tea["organisation"].as_str());
    assert_eq!(there.0, "401");
    assert_eq!(sign_in(Some(&Uuid::from_u128(7).to_string())), there);
    assert_eq!(sign_in(None), there);
    assert_eq!(server.end(), Some(0));
}

/// An answer without what tells one request from another.
fn unnumbered((status, mut answer): (u16, Value)) -> (u16, Value) {
    if let Some(extensions) = answer["errors"][0]["extensions"].as_object_mut() {
        extensions.retain(|key, _| key == "code");
    }
    (status, answer)
}

#[test]
fn a_house_that_is_served_is_listed_and_not_changed_from_outside() {
    let house = tempdir().unwrap();
    let path = house.path().to_str().unwrap();
    let tea = create(house.path(), "Tea");
    let server = serve(house.path());
    let refused = daybook(&["organisations", "create", "--house", path]);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains(LOCKED));
    let listed = daybook(&["organisations", "list", "--json", "--house", path]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["organisations"], json!([tea["organisation"]]));
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_house_is_open_in_one_process() {
    let house = tempdir().unwrap();
    let path = house.path().to_str().unwrap();
    let server = serve(house.path());
    let second = daybook(&["serve", "--listen", "127.0.0.1:0", "--house", path]);
    assert_eq!(second.status.code(), Some(4), "{second:?}");
    assert!(String::from_utf8_lossy(&second.stderr).contains(LOCKED));
    assert_eq!(server.end(), Some(0));
}
