//! Every code of the table is met by a caller.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use serde_json::json;

use super::{GRAPHQL_JSON, Server, TransportConfig, post};
use crate::transport::errors::Code;

/// Codes that only a schema raises or that need a socket; the latter are met in `sockets`.
const OF_THE_SCHEMA: [&str; 6] = [
    "FORBIDDEN",
    "ORGANISATION_SUSPENDED",
    "RATE_LIMITED",
    "PROJECTION_LAGGING",
    "TOO_MANY_OPEN",
    "SERVICE_UNAVAILABLE",
];

#[tokio::test]
async fn every_code_is_met() {
    let short = Duration::from_millis(20);
    let config = TransportConfig {
        body_time_max: short,
        query_time_max: short,
        ..Default::default()
    };
    let server = Server::with(config);
    let mut met = BTreeSet::new();
    let documents = [
        "{",
        "{ nothing }",
        "query A { hello } query B { hello }",
        "{ items(first: 60000) { id } }",
        "{ slow(ms: 1000) }",
        "{ panics }",
        "query($id: Int!) { item(id: $id) { id } }",
        "subscription { count(to: 1) }",
    ];
    for text in documents {
        met.insert(server.query(text).await.code());
    }
    for code in OF_THE_SCHEMA {
        let text = format!("{{ refuses(code: {code:?}) }}");
        met.insert(server.query(&text).await.code());
    }
    let never = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let hello = r#"{"query":"{ hello }"}"#;
    let requests = [
        post("x").body_as("*/*"),
        post("[]").body_as("*/*"),
        post(never).body_as("*/*"),
        post(hello).body_as("image/png"),
        post(hello).header("content-type", "text/plain").plain(),
        post(hello)
            .header("content-length", "2000000")
            .body_as("*/*"),
        post(hello).header("daybook-actor", "nobody").body_as("*/*"),
    ];
    for request in requests {
        met.insert(server.ask(request).await.code());
    }
    met.insert(
        server
            .get("/graphql?query=mutation%7Bplace(name%3A%22x%22)%7D")
            .await
            .code(),
    );
    met.insert(server.get("/nowhere").await.code());
    let all: BTreeSet<String> = Code::ALL.map(|code| code.as_str().to_owned()).into();
    assert_eq!(met, all);
}

#[tokio::test]
async fn codes_of_the_schema_pass_unchanged() {
    let text = r#"{ refuses(code: "VERSION_CONFLICT") }"#;
    let reply = Server::new().query(text).await;
    assert_eq!(reply.status, 200);
    let expected = json!({
        "errors": [{
            "message": "not so",
            "locations": [{ "line": 1, "column": 3 }],
            "path": ["refuses"],
            "extensions": { "code": "VERSION_CONFLICT" },
        }],
        "data": { "refuses": null },
    });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn an_input_that_a_validator_refuses_is_bad_input() {
    let reply = Server::new().query("{ small(value: 11) }").await;
    assert_eq!(reply.code(), "BAD_USER_INPUT", "{}", reply.text());
}

#[tokio::test]
async fn a_parse_error_names_its_place() {
    let reply = Server::new().query("{ hello(").await;
    reply.is_refused(400, "GRAPHQL_PARSE_FAILED");
    let error = reply.json()["errors"][0].clone();
    assert_eq!(error["locations"][0], json!({ "line": 1, "column": 9 }));
    assert_eq!(error["message"], "syntax error: expected name");
}

#[tokio::test]
async fn an_unacceptable_answer_is_still_told_in_json() {
    let reply = Server::new().ask(post("{}").body_as("image/png")).await;
    reply.is_refused(406, "NOT_ACCEPTABLE");
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
    let html = Server::new().ask(post("{}").body_as("text/html")).await;
    html.is_refused(406, "NOT_ACCEPTABLE");
}

#[test]
fn codes_are_distinct_and_have_a_status_of_an_error() {
    let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    assert!(Code::ALL.iter().all(|code| code.status().as_u16() >= 400));
    assert_eq!(GRAPHQL_JSON, "application/graphql-response+json");
}
