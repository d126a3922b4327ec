//! Many organisations behind one address: each token opens its own, and nothing of the others.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

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
    assert_eq!(server.end(), Some(0));
    let listed = daybook(&["organisations", "list", "--json", "--house", path]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let id = format!("tenant-{}", tea["organisation"].as_str().unwrap());
    assert_eq!(listed["organisations"][0]["id"], id);
    assert_eq!(listed["organisations"][0]["status"], "active");
    assert_eq!(listed["organisations"][1], Value::Null);
}

/// Whoever operates a house that is served.
struct Operator {
    server: Server,
    token: String,
}

impl Operator {
    fn begin(house: &Path) -> Self {
        let server = serve(house);
        let mut shown = server.heard().lines().map(str::trim);
        let token = shown.find(|line| line.starts_with("dbk_"));
        let token = token.unwrap().to_owned();
        Self { server, token }
    }

    /// Has something done, and gives what came of it; the tenant is named by its id.
    #[track_caller]
    fn order(&self, command: &str, input: Value) -> Value {
        let (first, rest) = command.split_at(1);
        let kind = format!("{}{rest}Input", first.to_uppercase());
        let token = if command == "createTenant" {
            "token"
        } else {
            ""
        };
        let query = format!(
            "mutation($input: {kind}!) {{ it: {command}(input: $input) {{
                tenant {{ id }} {token} userErrors {{ code }} }} }}"
        );
        let (_, answer) = ask(&self.server, &self.token, &query, json!({ "input": input }));
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"]["it"].clone()
    }

    fn create(&self, name: &str) -> (Value, String) {
        let input = json!({
            "name": name, "currency": "CNY", "administrator": "admin",
            "policiesFrom": "2026-01-01",
        });
        let created = self.order("createTenant", input);
        assert_eq!(created["userErrors"], json!([]), "{created}");
        let tenant = created["tenant"]["id"].clone();
        self.wait(&tenant, "ACTIVE");
        (tenant, created["token"].as_str().unwrap().to_owned())
    }

    /// Waits until the house is done with a tenant; it must have this status then.
    #[track_caller]
    fn wait(&self, tenant: &Value, status: &str) -> Value {
        let query = "query($id: ID!) { tenant(id: $id) { status task because
            export { position } failure { code } history(first: 50) { nodes { position } } } }";
        let began = Instant::now();
        loop {
            let (_, answer) = ask(&self.server, &self.token, query, json!({ "id": tenant }));
            assert_eq!(answer["errors"], Value::Null, "{answer}");
            let told = answer["data"]["tenant"].clone();
            if told["task"].is_null() && told["status"] == status {
                return told;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{answer}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_operator_looks_after_tenants_and_sees_nothing_of_what_is_in_them() {
    let house = tempdir().unwrap();
    let operator = Operator::begin(house.path());
    let (tenant, key) = operator.create("Tea");
    let input = json!({ "input": { "details": { "name": "Lin" } } });
    let (_, answer) = ask(&operator.server, &key, REGISTER, input);
    assert_eq!(answer["data"]["registerCustomer"]["userErrors"], json!([]));
    assert_eq!(customers(&operator.server, &operator.token), json!([]));
    let (_, refused) = ask(
        &operator.server,
        &key,
        "mutation($input: SuspendTenantInput!) {
            suspendTenant(input: $input) { userErrors { code } } }",
        json!({ "input": { "tenant": tenant, "because": "envy" } }),
    );
    let code = &refused["data"]["suspendTenant"]["userErrors"][0]["code"];
    assert_eq!(code, "PERMISSION_DENIED", "{refused}");

    operator.order("exportTenant", json!({ "tenant": tenant }));
    let told = operator.wait(&tenant, "ACTIVE");
    assert!(told["export"]["position"].is_string(), "{told}");
    let because = json!({ "tenant": tenant, "because": "unpaid" });
    operator.order("suspendTenant", because.clone());
    let (status, answer) = ask(&operator.server, &key, CUSTOMERS, Value::Null);
    assert_eq!(status, 403, "{answer}");
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "ORGANISATION_SUSPENDED"
    );
    operator.order("restoreTenant", because.clone());
    operator.wait(&tenant, "SUSPENDED");
    operator.order("reinstateTenant", json!({ "tenant": tenant }));
    operator.wait(&tenant, "ACTIVE");
    assert_eq!(
        customers(&operator.server, &key),
        json!([{ "name": "Lin" }])
    );
    operator.order("suspendTenant", because.clone());
    operator.order("eraseTenant", because);
    let told = operator.wait(&tenant, "ERASED");
    let history = told["history"]["nodes"].as_array().unwrap();
    assert_eq!(history.len(), 11, "{told}");
    let (status, _) = ask(&operator.server, &key, CUSTOMERS, Value::Null);
    assert_eq!(status, 401);
    assert_eq!(operator.server.end(), Some(0));
}

#[test]
fn a_socket_ends_when_its_organisation_is_suspended() {
    let house = tempdir().unwrap();
    let operator = Operator::begin(house.path());
    let (tenant, key) = operator.create("Tea");
    let query = "subscription { commits(after: \"0\") { position } }";
    let body = json!({ "query": query }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{body}",
        body.len(),
        bearer(&key)
    );
    let mut socket = TcpStream::connect(operator.server.address()).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    let mut first = [0; 15];
    socket.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let because = json!({ "tenant": tenant, "because": "unpaid" });
    operator.order("suspendTenant", because.clone());
    operator.order("eraseTenant", because);
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).unwrap();
    assert!(said.contains("ORGANISATION_SUSPENDED"), "{said}");
    operator.wait(&tenant, "ERASED");
    assert_eq!(operator.server.end(), Some(0));
}

#[test]
fn an_operator_at_the_machine_does_the_same() {
    let house = tempdir().unwrap();
    let path = house.path().to_str().unwrap();
    let tea = create(house.path(), "Tea");
    let id = tea["organisation"].as_str().unwrap();
    let order = |command: &str, further: &[&str]| {
        let arguments = ["organisations", command, "--json", "--house", path, id];
        daybook(&[&arguments, further].concat())
    };
    let because = ["--because", "a mistake"];
    for (command, further, status) in [
        ("export", &[][..], "active"),
        ("suspend", &because[..], "suspended"),
        ("restore", &because[..], "suspended"),
        ("reinstate", &[][..], "active"),
        ("suspend", &because[..], "suspended"),
        ("erase", &because[..], "erased"),
    ] {
        let output = order(command, further);
        assert_eq!(output.status.code(), Some(0), "{command}: {output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["status"], status, "{command}");
    }
    let refused = order("reinstate", &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("TENANT_STATUS_MISMATCH"), "{said}");
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
