//! GraphQL over HTTP: methods, media types, statuses.

use serde_json::json;

use super::{GRAPHQL_JSON, Server, post};

const HELLO: &str = r#"{"query":"{ hello }"}"#;

#[tokio::test]
async fn a_query_is_answered_over_post() {
    let reply = Server::new().query("{ hello }").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), r#"{"data":{"hello":"hello"}}"#);
    assert_eq!(
        reply.header("content-type"),
        "application/graphql-response+json; charset=utf-8"
    );
    assert_eq!(reply.header("vary"), "accept");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_query_is_answered_over_get() {
    let server = Server::new();
    let path = "/graphql?query=query%20Q(%24id%3AInt!)%7Bitem(id%3A%24id)%7Bname%7D%7D\
        &variables=%7B%22id%22%3A4%7D&operationName=Q";
    let reply = server.get(path).await;
    assert_eq!(
        reply.json(),
        json!({ "data": { "item": { "name": "item 4" } } })
    );
}

#[tokio::test]
async fn the_preferred_media_type_wins() {
    let server = Server::new();
    let cases = [
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("application/*;q=0.3", "application/json; charset=utf-8"),
        (
            "application/json;q=0.9, application/graphql-response+json",
            GRAPHQL_JSON,
        ),
        (
            "application/graphql-response+json, application/json;q=0.9",
            GRAPHQL_JSON,
        ),
        (
            "APPLICATION/GRAPHQL-RESPONSE+JSON; charset=utf-8",
            GRAPHQL_JSON,
        ),
        (
            "text/plain, application/json;q=0.001",
            "application/json; charset=utf-8",
        ),
        (
            "application/graphql-response+json;q=0, */*",
            "application/json; charset=utf-8",
        ),
    ];
    for (accept, expected) in cases {
        let reply = server.ask(post(HELLO).body_as(accept)).await;
        assert!(
            reply.header("content-type").starts_with(expected),
            "{accept}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn without_accept_the_answer_is_plain_json() {
    let request = post(HELLO)
        .header("content-type", "application/json")
        .plain();
    let reply = Server::new().ask(request).await;
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
}

#[tokio::test]
async fn a_document_that_cannot_run_has_the_status_of_its_media_type() {
    let server = Server::new();
    let broken = r#"{"query":"{ nothing }"}"#;
    let strict = server.ask(post(broken).body_as(GRAPHQL_JSON)).await;
    strict.is_refused(400, "GRAPHQL_VALIDATION_FAILED");
    let plain = server.ask(post(broken).body_as("application/json")).await;
    plain.is_refused(200, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn a_failed_field_leaves_the_others_and_their_order() {
    let reply = Server::new().query("{ a: hello fails b: hello }").await;
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .text()
            .ends_with(r#""data":{"a":"hello","fails":null,"b":"hello"}}"#)
    );
}

#[tokio::test]
async fn the_operation_is_chosen_by_name() {
    let server = Server::new();
    let text = "query A { hello } query B { hello(volume: LOUD) }";
    let body = json!({ "query": text, "operationName": "B" }).to_string();
    let reply = server.ask(post(body).body_as(GRAPHQL_JSON)).await;
    assert_eq!(reply.json(), json!({ "data": { "hello": "HELLO" } }));
    server
        .query(text)
        .await
        .is_refused(400, "OPERATION_RESOLUTION_FAILURE");
    let empty = json!({ "query": "query Only { hello }", "operationName": "" }).to_string();
    let reply = server.ask(post(empty).body_as(GRAPHQL_JSON)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_required_variable_must_be_given() {
    let server = Server::new();
    let text = "query Q($id: Int!) { item(id: $id) { name } }";
    server.query(text).await.is_refused(400, "BAD_USER_INPUT");
    server
        .query_with(text, json!({ "id": null }))
        .await
        .is_refused(400, "BAD_USER_INPUT");
    server
        .query_with(text, json!({ "id": "x" }))
        .await
        .is_refused(400, "BAD_USER_INPUT");
    let reply = server.query_with(text, json!({ "id": 1, "more": 2 })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_default_stands_for_a_variable_that_is_left_out() {
    let server = Server::new();
    let text =
        "query($yes: Boolean = true, $id: Int = 4) { item(id: $id) { id @include(if: $yes) } }";
    let reply = server.query(text).await;
    assert_eq!(reply.json()["data"]["item"]["id"], 4, "{}", reply.text());
    let reply = server
        .query_with(text, json!({ "yes": false, "id": 5 }))
        .await;
    assert_eq!(reply.json(), json!({ "data": { "item": {} } }));
}

#[tokio::test]
async fn a_bad_literal_is_a_fault_of_the_document() {
    let reply = Server::new().query("{ item(id: \"x\") { name } }").await;
    reply.is_refused(400, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn a_refused_request_has_the_status_of_its_code() {
    let request = post(HELLO)
        .header("daybook-actor", "nobody")
        .body_as(GRAPHQL_JSON);
    Server::new()
        .ask(request)
        .await
        .is_refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_headers_reach_the_schema() {
    let body = r#"{"query":"{ handed { requestId atLeast idempotencyKey cost } }"}"#;
    let request = post(body)
        .header("x-request-id", "client-7")
        .header("daybook-at-least", "1204")
        .header("idempotency-key", "once")
        .body_as("application/json");
    let reply = Server::new().ask(request).await;
    let expected = json!({
        "requestId": "client-7", "atLeast": "1204", "idempotencyKey": "once", "cost": "5",
    });
    assert_eq!(reply.json()["data"]["handed"], expected);
    assert_eq!(reply.header("x-request-id"), "client-7");
}

#[tokio::test]
async fn every_request_gets_a_name_of_its_own() {
    let server = Server::new();
    let [first, second] = [
        server.query("{ hello }").await,
        server.query("{ hello }").await,
    ];
    assert!(!first.header("x-request-id").is_empty());
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    let rude = post(HELLO)
        .header("x-request-id", "a b{c}")
        .body_as("application/json");
    assert_ne!(server.ask(rude).await.header("x-request-id"), "a b{c}");
}

#[tokio::test]
async fn a_listed_origin_may_read_answers() {
    let config = super::TransportConfig {
        origins: vec!["https://sales.example".to_owned()],
        ..Default::default()
    };
    let server = Server::with(config);
    let ours = post(HELLO)
        .header("origin", "https://sales.example")
        .body_as("*/*");
    let reply = server.ask(ours).await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        "https://sales.example"
    );
    let other = post(HELLO)
        .header("origin", "https://evil.example")
        .body_as("*/*");
    assert_eq!(
        server
            .ask(other)
            .await
            .header("access-control-allow-origin"),
        ""
    );
    let preflight = |origin: &str| {
        let mut request = post("").header("origin", origin).plain();
        *request.method_mut() = http::Method::OPTIONS;
        request
    };
    let allowed = server.ask(preflight("https://sales.example")).await;
    assert_eq!(allowed.status, 204);
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("content-type")
    );
    let refused = server.ask(preflight("https://evil.example")).await;
    refused.is_refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_browser_gets_the_page() {
    let server = Server::new();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let reply = server.get_as("/graphql", browser).await;
    assert!(reply.text().contains("<title>Daybook</title>"));
    assert_eq!(server.get("/").await.header("location"), "/graphql");
}

#[tokio::test]
async fn a_known_document_is_trusted_with_plain_values() {
    let server = Server::new();
    let text = "query Q($v: Int = 1) { handed { trusted } item(id: $v) { id } }";
    let mut trusted = Vec::new();
    for variables in [json!({}), json!({}), json!({ "v": 2 }), json!({ "v": [2] })] {
        let reply = server.query_with(text, variables).await;
        trusted.push(reply.json()["data"]["handed"]["trusted"].clone());
    }
    assert_eq!(
        trusted,
        [json!(false), json!(true), json!(true), json!(null)]
    );
    let included = "query($yes: Boolean!) { handed { trusted @include(if: $yes) } }";
    for _ in 0..2 {
        let reply = server.query_with(included, json!({ "yes": true })).await;
        assert_eq!(reply.json()["data"]["handed"]["trusted"], false);
    }
}

#[tokio::test]
async fn a_trusted_document_refuses_bad_values_as_at_first() {
    let cases = [
        (
            "query Q($v: Int!) { item(id: $v) { id } }",
            json!(1),
            json!("x"),
        ),
        (
            "query Q($v: Int!) { hello item(id: 1) { id } small(value: $v) }",
            json!(1),
            json!(true),
        ),
        (
            "query Q($v: Volume!) { hello(volume: $v) }",
            json!("LOUD"),
            json!("SHRILL"),
        ),
        (
            "query Q($v: Wanted!) { find(wanted: $v) }",
            json!({ "name": "x" }),
            json!({ "nmae": "x" }),
        ),
        (
            "query Q($v: Boolean!) { hello @include(if: $v) }",
            json!(true),
            json!("yes"),
        ),
    ];
    for (text, good, bad) in cases {
        let fresh = Server::new().query_with(text, json!({ "v": bad })).await;
        let server = Server::new();
        for _ in 0..2 {
            let reply = server.query_with(text, json!({ "v": good })).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        let known = server.query_with(text, json!({ "v": bad })).await;
        assert_eq!(known.text(), fresh.text());
        assert_eq!(known.status, 400, "{}", known.text());
    }
}
