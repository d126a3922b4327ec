//! Who may do what through the whole program, and who is let in at all.

use std::{
    collections::BTreeSet,
    path::Path,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use daybook_schema::kernel::DateTime;
use serde_json::{Value, json};
use tempfile::tempdir;
use uuid::Uuid;

use crate::{
    bad_input::with_server,
    books::{contents, daybook},
    refusals::Shop,
    server::{Server, bearer},
};

const GRAPHQL: &str = "Content-Type: application/json\r\nAccept: application/json\r\n";
const HEAD: &str = "{ status { head } }";
const PASSWORD: &str = "correct horse battery";

/// Somebody with a token of their own.
struct Member<'a> {
    server: &'a Server,
    login: &'static str,
    token: String,
    /// Further headers.
    headers: String,
}

/// What the first account does must be known before somebody else is let in by it.
fn settle(server: &Server, payload: &Value) {
    server.saw(&payload["receipt"]["position"]);
    server.graphql(HEAD);
}

/// A mutation of any kind, and the fields of its payload that are asked for.
fn mutation(name: &str, fields: &str) -> String {
    let (first, rest) = name.split_at(1);
    let input = format!("{}{rest}Input", first.to_uppercase());
    format!("mutation($input: {input}!) {{ it: {name}(input: $input) {{ {fields} }} }}")
}

const PAYLOAD: &str = "receipt { position replayed events { stream } }
    userErrors { code message field }";

/// A command of the first account, which must be done.
#[track_caller]
fn administer(server: &Server, name: &str, fields: &str, input: Value) -> Value {
    let query = mutation(name, &format!("{fields} {PAYLOAD}"));
    let answer = server.request(&query, json!({ "input": input }));
    assert_eq!(answer["errors"], Value::Null, "{name}: {answer}");
    let payload = answer["data"]["it"].clone();
    assert_eq!(payload["userErrors"], json!([]), "{name}: {payload}");
    settle(server, &payload);
    payload
}

#[track_caller]
fn grant(server: &Server, login: &str, role: &str, kind: &str) {
    let account = format!("account-{login}");
    let input = json!({ "account": account, "role": role, "scope": { "kind": kind } });
    administer(server, "grantRole", "", input);
}

/// A new key of a program; gives its id and its text.
#[track_caller]
fn issue_key(server: &Server, login: &str, expires_at: Option<String>) -> (Value, String) {
    let account = format!("account-{login}");
    let input = json!({ "account": account, "name": "key", "expiresAt": expires_at });
    let payload = administer(server, "issueApiKey", "token", input);
    let token = payload["token"].as_str().unwrap().to_owned();
    (payload["receipt"]["events"][0]["stream"].clone(), token)
}

impl<'a> Member<'a> {
    /// A program with a role.
    #[track_caller]
    fn new(server: &'a Server, login: &'static str, (role, kind): (&str, &str)) -> Self {
        let input = json!({ "login": login, "name": login });
        administer(server, "registerServiceAccount", "", input);
        grant(server, login, role, kind);
        let (_, token) = issue_key(server, login, None);
        Self {
            server,
            login,
            token,
            headers: String::new(),
        }
    }

    /// The same, for somebody else.
    fn on_behalf_of(&self, login: &str) -> Member<'a> {
        Member {
            token: self.token.clone(),
            headers: format!("Daybook-On-Behalf-Of: {login}\r\n"),
            ..*self
        }
    }

    /// The status and the body of an answer.
    fn try_ask(&self, query: &str, variables: &Value) -> (u16, Value) {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let headers = format!("{GRAPHQL}{}{}", self.headers, bearer(&self.token));
        let (head, body) = self.server.told("POST /graphql", &headers, body.as_bytes());
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(&body).unwrap())
    }

    #[track_caller]
    fn ask(&self, query: &str, variables: &Value) -> Value {
        let (status, answer) = self.try_ask(query, variables);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"].clone()
    }

    #[track_caller]
    fn issue(&self, name: &str, input: &Value) -> Value {
        let query = mutation(name, PAYLOAD);
        self.ask(&query, &json!({ "input": input }))["it"].clone()
    }

    /// Issues a command that must be done; gives the stream of its last event.
    #[track_caller]
    fn done(&self, name: &str, input: &Value) -> String {
        let payload = self.issue(name, input);
        assert_eq!(payload["userErrors"], json!([]), "{name}: {payload}");
        settle(self.server, &payload);
        let events = payload["receipt"]["events"].as_array().unwrap();
        let last = events.last().unwrap()["stream"].as_str();
        last.unwrap().to_owned()
    }

    /// Issues a command that must be refused; gives the words.
    #[track_caller]
    fn refused(&self, name: &str, input: &Value, code: &str) -> String {
        let payload = self.issue(name, input);
        let error = &payload["userErrors"][0];
        assert_eq!(error["code"], code, "{}, {name}: {payload}", self.login);
        error["message"].as_str().unwrap().to_owned()
    }
}

/// Who the newest commit says that it is by.
fn newest(server: &Server) -> Value {
    let query = "{ commits(newestFirst: true, first: 1) { nodes {
        command actor onBehalfOf role grant } } }";
    server.graphql(query)["data"]["commits"]["nodes"][0].clone()
}

fn in_seconds(seconds: u64) -> String {
    let then = SystemTime::now() + Duration::from_secs(seconds);
    let micros = then.duration_since(UNIX_EPOCH).unwrap().as_micros();
    DateTime::from_micros(micros.try_into().unwrap()).to_string()
}

/// What is answered to a token.
fn greeted(server: &Server, headers: &str) -> (String, String) {
    let body = json!({ "query": HEAD }).to_string();
    let headers = format!("{GRAPHQL}{headers}");
    server.told("POST /graphql", &headers, body.as_bytes())
}

fn is_let_in(server: &Server, token: &str) -> bool {
    greeted(server, &bearer(token))
        .0
        .starts_with("HTTP/1.1 200")
}

#[test]
fn nobody_asks_without_a_token() {
    with_server(|server| {
        for headers in ["", "Authorization: Basic bGkud2VpOng=\r\n"] {
            let (head, body) = greeted(server, headers);
            assert!(head.starts_with("HTTP/1.1 401"), "{head}");
            let head = head.to_lowercase();
            assert!(head.contains("\r\nwww-authenticate: bearer"), "{head}");
            assert!(body.contains("\"UNAUTHENTICATED\""), "{body}");
        }
        // Not even what there is to ask.
        let body = json!({ "query": "{ __schema { queryType { name } } }" }).to_string();
        let (head, _) = server.told("POST /graphql", GRAPHQL, body.as_bytes());
        assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    });
}

/// The key with another last letter, which is another secret.
fn misspelt(token: &str) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    let other = if last == "A" { "Q" } else { "A" };
    format!("{rest}{other}")
}

/// Keys of every kind that opens nothing any more; each opened something before.
fn void_keys(server: &Server) -> Vec<(&'static str, String)> {
    let input = json!({ "login": "erp", "name": "ERP" });
    administer(server, "registerServiceAccount", "", input);
    grant(server, "erp", "INTEGRATOR", "ORGANISATION");
    let (revoked, revoked_token) = issue_key(server, "erp", None);
    let (rotated, rotated_token) = issue_key(server, "erp", None);
    let (_, expired_token) = issue_key(server, "erp", Some(in_seconds(3)));
    assert!(is_let_in(server, &revoked_token));
    assert!(is_let_in(server, &rotated_token));
    administer(server, "revokeApiKey", "", json!({ "apiKey": revoked }));
    let again = administer(
        server,
        "rotateApiKey",
        "token",
        json!({ "apiKey": rotated }),
    );
    assert!(is_let_in(server, again["token"].as_str().unwrap()));
    let member = Member::new(server, "gone", ("INTEGRATOR", "ORGANISATION"));
    assert!(is_let_in(server, &member.token));
    let suspended = json!({ "account": "account-gone", "because": "left" });
    administer(server, "suspendAccount", "", suspended);
    while is_let_in(server, &expired_token) {
        thread::sleep(Duration::from_millis(100));
    }
    vec![
        ("revoked", revoked_token),
        ("rotated", rotated_token),
        ("expired", expired_token),
        ("suspended", member.token),
    ]
}

#[test]
fn whatever_is_wrong_with_a_token_is_answered_in_the_same_words() {
    let folder = tempdir().unwrap();
    let stranger = Server::start(folder.path());
    with_server(|server| {
        let own = server.token().unwrap();
        let mut tokens = void_keys(server);
        tokens.extend([
            ("malformed", "dbk_x".to_owned()),
            ("cut", own[..own.len() / 2].to_owned()),
            ("misspelt", misspelt(own)),
            (
                "of another organisation",
                stranger.token().unwrap().to_owned(),
            ),
            ("an invitation", own.replacen("dbk_", "dbi_", 1)),
            ("a session", own.replacen("dbk_", "dbs_", 1)),
        ]);
        let mut answers = BTreeSet::new();
        for (what, token) in tokens {
            let (head, body) = greeted(server, &bearer(&token));
            assert!(head.starts_with("HTTP/1.1 401"), "{what}: {head}");
            assert!(
                head.to_lowercase().contains("\r\nwww-authenticate: "),
                "{what}"
            );
            assert!(!server.said().contains(&token), "{what}");
            answers.insert(body);
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(is_let_in(server, own));
    });
    assert_eq!(stranger.end(), Some(0));
}

/// What a salesperson orders for a customer of the shop.
fn order_for(shop: &Shop<'_>, customer: &str) -> Value {
    let (_, mut order) = shop.order("1", "10", 1);
    order["customer"] = json!(customer);
    order
}

#[test]
fn a_salesperson_orders_for_own_customers_and_finds_no_others() {
    with_server(|server| {
        let shop = Shop::open(server);
        let theirs = shop.done(
            "registerCustomer",
            json!({ "details": { "name": "Zhongda" } }),
        );
        let sales = Member::new(server, "zhao.min", ("SALESPERSON", "OWN"));
        let registered = json!({ "details": { "name": "Acme East" } });
        let own = sales.done("registerCustomer", &registered);
        sales.done("placeOrder", &order_for(&shop, &own));
        let by_sales = json!({
            "command": "PlaceOrder", "actor": "zhao.min", "onBehalfOf": null,
            "role": "salesperson", "grant": 1
        });
        assert_eq!(newest(server), by_sales);

        let words = sales.refused("placeOrder", &order_for(&shop, &theirs), "NOT_FOUND");
        assert_eq!(words, format!("there is no `{theirs}`"));
        let nobodys = format!("customer-{}", Uuid::now_v7());
        let absent = sales.refused("placeOrder", &order_for(&shop, &nobodys), "NOT_FOUND");
        assert_eq!(absent.replace(&nobodys, &theirs), words);
        // What a role does not permit is told by the name of the command alone.
        let graded = json!({ "customer": own, "grade": "A" });
        sales.refused("gradeCustomer", &graded, "PERMISSION_DENIED");
        // An expected version of what is not reached is not looked at.
        let mut guessed = json!({ "customer": theirs, "classification": "retail" });
        guessed["expectedVersion"] = json!("7");
        sales.refused("classifyCustomer", &guessed, "NOT_FOUND");
        grant(server, "zhao.min", "AUDITOR", "ORGANISATION");
        let seen = sales.refused("placeOrder", &order_for(&shop, &theirs), "OUT_OF_SCOPE");
        assert!(seen.contains(&theirs), "{seen}");
    });
}

#[test]
fn a_deputy_acts_in_the_name_of_another_and_says_so() {
    with_server(|server| {
        let shop = Shop::open(server);
        let sales = Member::new(server, "zhao.min", ("SALESPERSON", "OWN"));
        let deputy = Member::new(server, "sun.li", ("AUDITOR", "ORGANISATION"));
        let customer = json!({ "details": { "name": "Acme East" } });
        let customer = sales.done("registerCustomer", &customer);
        let order = order_for(&shop, &customer);
        deputy.refused("placeOrder", &order, "PERMISSION_DENIED");
        let acting = deputy.on_behalf_of("zhao.min");
        let (status, answer) = acting.try_ask(HEAD, &Value::Null);
        assert_eq!(status, 401, "{answer}");

        let delegation = json!({
            "account": "account-zhao.min", "to": "account-sun.li",
            "from": "2000-01-01", "until": "2999-12-31", "because": "on leave"
        });
        sales.done("delegateAuthority", &delegation);
        acting.done("placeOrder", &order);
        let by_deputy = json!({
            "command": "PlaceOrder", "actor": "sun.li", "onBehalfOf": "zhao.min",
            "role": "salesperson", "grant": 1
        });
        assert_eq!(newest(server), by_deputy);
        // The other's account stays the other's.
        acting.refused("delegateAuthority", &delegation, "PERMISSION_DENIED");
        let key = json!({ "account": "account-zhao.min", "name": "theirs" });
        acting.refused("issueApiKey", &key, "PERMISSION_DENIED");

        let me = "{ me { login onBehalfOf roles grants { number role scope { kind } }
            account { id } } }";
        let grants = json!([{ "number": 1, "role": "SALESPERSON", "scope": { "kind": "OWN" } }]);
        assert_eq!(
            acting.ask(me, &Value::Null)["me"],
            json!({
                "login": "sun.li", "onBehalfOf": "zhao.min", "roles": ["SALESPERSON"],
                "grants": grants, "account": { "id": "account-sun.li" }
            })
        );
        let ended = json!({ "account": "account-zhao.min", "delegation": 1 });
        sales.done("endDelegation", &ended);
        assert_eq!(acting.try_ask(HEAD, &Value::Null).0, 401);
        assert_eq!(
            deputy.ask(me, &Value::Null)["me"]["roles"],
            json!(["AUDITOR"])
        );
    });
}

#[test]
fn a_command_id_answers_only_who_used_it() {
    with_server(|server| {
        let sales = Member::new(server, "zhao.min", ("SALESPERSON", "OWN"));
        let other = Member::new(server, "sun.li", ("SALESPERSON", "OWN"));
        let mut input = json!({ "details": { "name": "Acme East" } });
        input["commandId"] = json!(Uuid::now_v7());
        let first = sales.issue("registerCustomer", &input);
        assert_eq!(first["receipt"]["replayed"], false, "{first}");
        let again = sales.issue("registerCustomer", &input);
        assert_eq!(again["receipt"]["replayed"], true, "{again}");
        let others = other.issue("registerCustomer", &input);
        assert_eq!(
            others["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED",
            "{others}"
        );
        assert_eq!(others["receipt"], Value::Null);
    });
}

#[test]
fn nobody_raises_themselves_and_roles_bound_what_is_asked() {
    with_server(|server| {
        let query = mutation("grantRole", PAYLOAD);
        let scope = json!({ "kind": "ORGANISATION" });
        let input = json!({ "account": "account-li.wei", "role": "LEADER", "scope": scope });
        let answer = server.request(&query, json!({ "input": input }));
        let error = &answer["data"]["it"]["userErrors"][0];
        assert_eq!(error["code"], "GRANTEE_IS_GRANTOR", "{answer}");

        let keeper = Member::new(server, "ma.jun", ("STOCK_KEEPER", "ORGANISATION"));
        let input = json!({ "account": "account-ma.jun", "role": "LEADER", "scope": scope });
        keeper.refused("grantRole", &input, "PERMISSION_DENIED");
        let board = "{ pipelineBoard { stages { code } } }";
        let (status, answer) = keeper.try_ask(board, &Value::Null);
        let error = &answer["errors"][0];
        assert_eq!(
            error["extensions"]["code"], "FORBIDDEN",
            "{status} {answer}"
        );
        assert!(error["message"].as_str().unwrap().contains("pipelineBoard"));
        assert_eq!(answer["data"], Value::Null, "{answer}");
        keeper.ask("{ warehouses { totalCount } }", &Value::Null);
    });
}

/// Sends JSON to a path beside GraphQL.
fn post(server: &Server, path: &str, body: &Value) -> (String, Value) {
    let line = format!("POST {path}");
    let headers = "Content-Type: application/json\r\n";
    let (head, body) = server.told(&line, headers, body.to_string().as_bytes());
    (head, serde_json::from_str(&body).unwrap())
}

/// A person who comes by an invitation and issues a key to herself; gives every secret that was
/// shown on the way.
fn invited(server: &Server) -> Vec<String> {
    let input = json!({ "login": "wang.fang", "name": "Wang Fang" });
    let invitation = administer(server, "inviteUser", "token", input);
    grant(server, "wang.fang", "SALESPERSON", "OWN");
    let invitation = invitation["token"].as_str().unwrap().to_owned();
    let body = json!({ "token": invitation, "password": PASSWORD });
    let (head, session) = post(server, "/invitation", &body);
    assert!(head.starts_with("HTTP/1.1 201"), "{head} {session}");
    let (head, again) = post(server, "/invitation", &body);
    assert!(
        head.starts_with("HTTP/1.1 401"),
        "an invitation opens once: {again}"
    );
    let person = Member {
        server,
        login: "wang.fang",
        token: session["token"].as_str().unwrap().to_owned(),
        headers: String::new(),
    };
    server.graphql(HEAD);
    let me = person.ask("{ me { login roles } }", &Value::Null);
    assert_eq!(
        me["me"],
        json!({ "login": "wang.fang", "roles": ["SALESPERSON"] })
    );
    let own = repeated_key(&person, "account-wang.fang");
    vec![invitation, person.token, own, PASSWORD.to_owned()]
}

/// Issues a key twice under one command id: its text is shown the first time only.
fn repeated_key(member: &Member<'_>, account: &str) -> String {
    let query = mutation("issueApiKey", &format!("token {PAYLOAD}"));
    let input = json!({ "commandId": Uuid::now_v7(), "account": account, "name": "script" });
    let input = json!({ "input": input });
    let first = member.ask(&query, &input)["it"].clone();
    let again = member.ask(&query, &input)["it"].clone();
    assert_eq!(again["receipt"]["replayed"], true, "{again}");
    assert_eq!(again["token"], Value::Null);
    assert_eq!(again["receipt"]["events"], first["receipt"]["events"]);
    first["token"].as_str().unwrap().to_owned()
}

/// Where a text, or the secret part of a token, stands in the files of a folder and in its commits
/// as they are printed.
fn found(folder: &Path, text: &str) -> Vec<String> {
    let secret = text.splitn(4, '_').last().unwrap();
    assert!(secret.len() >= 10, "{secret} is too short to be looked for");
    let holds = |bytes: &[u8]| {
        bytes
            .windows(secret.len())
            .any(|at| at == secret.as_bytes())
    };
    let files = contents(folder).into_iter();
    let mut places: Vec<String> = files
        .filter(|(_, bytes)| holds(bytes))
        .map(|(path, _)| path.display().to_string())
        .collect();
    let show = ["log", "show", "--json", "--data", folder.to_str().unwrap()];
    let shown = daybook(&show);
    assert_eq!(shown.status.code(), Some(0));
    if holds(&shown.stdout) {
        places.push("log show".to_owned());
    }
    places
}

#[test]
fn a_secret_is_shown_once_and_kept_nowhere() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let first = server.token().unwrap().to_owned();
    assert_eq!(server.heard().matches(&first).count(), 1);
    let mut secrets = invited(&server);
    secrets.push(first);
    let said = server.said();
    assert_eq!(server.end(), Some(0));
    let server = Server::start(folder.path());
    assert!(!server.heard().contains("dbk_"), "{}", server.heard());
    let said = said + &server.said();
    assert_eq!(server.end(), Some(0));
    for secret in &secrets {
        assert_eq!(found(folder.path(), secret), [""; 0], "{secret}");
        assert!(!said.contains(secret.as_str()), "{said}");
    }
    // What is looked for would be found: the name of the account is no secret.
    assert!(!found(folder.path(), "account-wang.fang").is_empty());
}

#[test]
fn what_is_tried_in_vain_is_written_down_without_what_was_typed() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let tried = json!({ "login": "li.wei", "password": "Sesame-open-42" }).to_string();
    let (status, _) = server.ask("POST", "/session", &tried);
    assert_eq!(status, 401);
    let typed = json!({ "login": "Sesame-open-43", "password": "x" }).to_string();
    assert_eq!(server.ask("POST", "/session", &typed).0, 401);
    assert_eq!(server.end(), Some(0));
    let text = std::fs::read_to_string(folder.path().join("security.ndjson")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0]["account"], "account-li.wei");
    assert_eq!(lines[1]["account"], Value::Null);
    assert!(!text.contains("Sesame"), "{text}");
}
