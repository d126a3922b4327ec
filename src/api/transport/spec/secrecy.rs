//! What the server says of itself to browsers, and keeps to itself before strangers.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::{GRAPHQL_JSON, Peer, Reply, Server, TransportConfig, post};

fn closed() -> Server {
    Server::with(TransportConfig {
        introspection: false,
        query_page: false,
        ..Default::default()
    })
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_bind_browsers() {
    let server = Server::new();
    let answers = [
        server.query("{ hello }").await,
        server.query("{").await,
        server.get("/livez").await,
        server.get("/metrics").await,
        server.get("/nowhere").await,
        server.get("/").await,
        server.get("/assets/page.css").await,
        server.get_as("/graphql", "text/html").await,
        server
            .get_as("/graphql?query={hello}", "text/event-stream")
            .await,
    ];
    let always = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for answer in &answers {
        for (name, value) in always {
            assert_eq!(answer.header(name), value, "{name} of {answer:?}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("strict-transport-security"), "");
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_ne!(answer.header("cache-control"), "", "{answer:?}");
    }
    assert_eq!(answers[0].header("cache-control"), "no-store");
    assert!(
        !answers[7]
            .header("content-security-policy")
            .contains("unsafe")
    );
}

#[tokio::test]
async fn an_encrypted_answer_asks_to_stay_encrypted() {
    let mut request = Request::get("/livez").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer {
        address: "192.0.2.1:1".parse().unwrap(),
        secure: true,
    });
    let answer = Server::new().ask(request).await;
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=31536000"
    );
}

#[tokio::test]
async fn nothing_that_a_client_sends_comes_back_in_a_header() {
    let server = Server::new();
    let mark = "zq9 injected";
    let kept = [
        ("x-request-id", mark),
        ("x-request-id", "a\tb"),
        ("x-request-id", "<script>"),
        ("x-request-id", "\u{e9}"),
        ("origin", "https://zq9.example"),
        ("accept", "text/zq9"),
        ("daybook-at-least", "zq9"),
        ("idempotency-key", mark),
        ("host", "zq9.example"),
        ("x-forwarded-host", "zq9.example"),
    ];
    for (name, value) in kept {
        let body = json!({ "query": "{ zq9 }", "operationName": mark }).to_string();
        let request = post(body).header(name, value).body_as(GRAPHQL_JSON);
        let reply = server.ask(request).await;
        for (header, sent) in &reply.headers {
            let sent = sent.to_str().unwrap();
            assert!(
                !sent.contains("zq9"),
                "{name} came back in {header}: {sent}"
            );
            assert_ne!(sent, value, "{name} came back in {header}");
        }
    }
    for path in [
        "/zq9%0d%0aset-cookie:x",
        "/?zq9=%0d%0ax:y",
        "/assets/zq9%0d%0ax",
    ] {
        let reply = server.get(path).await;
        let found = format!("{:?}", reply.headers);
        assert!(
            !found.contains("zq9") && !found.contains("cookie"),
            "{found}"
        );
    }
}

#[tokio::test]
async fn a_name_for_the_request_is_taken_over_only_when_it_is_plain() {
    let server = Server::new();
    let longest = "x".repeat(64);
    for (given, taken) in [
        ("abc-1_2.3:4", true),
        (&longest, true),
        (&format!("{longest}x"), false),
    ] {
        let request = post(r#"{"query":"{ hello }"}"#).header("x-request-id", given);
        let reply = server.ask(request.body_as("*/*")).await;
        assert_eq!(reply.header("x-request-id") == given, taken, "{given}");
    }
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let server = closed();
    let texts = [
        "{ __schema { types { name } } }",
        "{ a: __type(name: \"Query\") { name } }",
        "{ hello ...A } fragment A on Query { again { ...B } } \
         fragment B on Query { __schema { queryType { name } } }",
    ];
    for text in texts {
        server
            .query(text)
            .await
            .is_refused(400, "GRAPHQL_VALIDATION_FAILED");
    }
    assert_eq!(server.query("{ __typename hello }").await.status, 200);
    let open = Server::new().query(texts[0]).await;
    assert_eq!(open.status, 200, "{}", open.text());
}

#[tokio::test]
async fn errors_name_nothing_of_a_schema_that_cannot_be_asked_for() {
    let server = closed();
    // The names of the toy's schema that the documents below do not send.
    let hidden = [
        "Query", "Item", "Wanted", "Volume", "Int", "id", "wanted", "price", "Mutation", "QUIET",
        "LOUD", "String", "Counter",
    ];
    let asked: [(&str, Value); 12] = [
        ("{ nothing }", Value::Null),
        ("{ items(first: 1) { nothing } }", Value::Null),
        ("{ item { name } }", Value::Null),
        ("{ item(id: \"x\") { name } }", Value::Null),
        ("{ find(wanted: { nothing: 1 }) }", Value::Null),
        ("{ hello(volume: SILENT) }", Value::Null),
        ("{ hello { name } }", Value::Null),
        ("{ items(first: 1) }", Value::Null),
        ("{ hello(nothing: 1) }", Value::Null),
        ("{ hello ... on Nothing { name } }", Value::Null),
        (
            "query($x: Nothing) { items(first: $x) { name } }",
            json!({ "x": 1 }),
        ),
        (
            "query($x: Boolean) { items(first: $x) { name } }",
            json!({ "x": true }),
        ),
    ];
    for (text, variables) in asked {
        let reply = server.query_with(text, variables).await;
        assert_eq!(reply.status, 400, "{text}: {}", reply.text());
        for error in reply.json()["errors"].as_array().unwrap() {
            let message = error["message"].as_str().unwrap();
            let mut words = message.split(|letter: char| !letter.is_alphanumeric());
            let leaked = words.find(|word| hidden.contains(word) && !text.contains(word));
            assert_eq!(leaked, None, "{text}: {message}");
            assert!(error["locations"][0]["line"].is_u64(), "{text}: {error}");
        }
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_names_nothing_either() {
    let reply = closed()
        .query_with(
            "query($x: Int!) { item(id: $x) { name } }",
            json!({ "x": "y" }),
        )
        .await;
    assert_eq!(reply.code(), "BAD_USER_INPUT", "{}", reply.text());
    let message = reply.json()["errors"][0]["message"].clone();
    assert_eq!(message, "a value does not fit where it is used");
    let open = Server::new().query("{ nothing }").await;
    assert!(open.text().contains("Query"), "{}", open.text());
}

#[tokio::test]
async fn the_query_page_can_be_switched_off() {
    let server = closed();
    for path in ["/", "/assets/page.js", "/assets/examples.json"] {
        server.get(path).await.is_refused(404, "NOT_FOUND");
    }
    let page = server.get_as("/graphql", "text/html").await;
    page.is_refused(406, "NOT_ACCEPTABLE");
    assert_eq!(server.query("{ hello }").await.status, 200);
}

async fn probe(server: &Server, path: &str, address: &str, token: Option<&str>) -> Reply {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer {
        address: address.parse().unwrap(),
        secure: false,
    });
    server.ask(request).await
}

#[tokio::test]
async fn without_a_token_this_machine_alone_sees_the_parts() {
    let server = Server::new();
    let (here, there) = ("127.0.0.1:1", "192.0.2.1:1");
    assert_eq!(probe(&server, "/metrics", here, None).await.status, 200);
    let refused = probe(&server, "/metrics", there, Some("Bearer x")).await;
    refused.is_refused(401, "UNAUTHENTICATED");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    for path in ["/healthz", "/readyz?verbose"] {
        assert!(
            probe(&server, path, here, None)
                .await
                .text()
                .contains("position")
        );
        assert_eq!(probe(&server, path, there, None).await.text(), "ready\n");
    }
}

#[tokio::test]
async fn with_a_token_whoever_brings_it_sees_the_parts() {
    let server = Server::with(TransportConfig {
        metrics_token: Some("a long token".into()),
        ..Default::default()
    });
    let (here, there) = ("127.0.0.1:1", "192.0.2.1:1");
    let brought = [
        ("Bearer a long token", 200),
        ("bearer a long token", 200),
        ("Bearer a long tokem", 401),
        ("Bearer a long token2", 401),
        ("Bearer ", 401),
        ("Basic a long token", 401),
        ("a long token", 401),
    ];
    for (token, status) in brought {
        for address in [here, there] {
            let reply = probe(&server, "/metrics", address, Some(token)).await;
            assert_eq!(reply.status.as_u16(), status, "{token}");
        }
    }
    assert_eq!(probe(&server, "/metrics", here, None).await.status, 401);
    assert_eq!(
        probe(&server, "/healthz", here, None).await.text(),
        "ready\n"
    );
}

#[tokio::test]
async fn a_server_is_asked_under_its_own_names_only() {
    let server = Server::with(TransportConfig {
        hosts: Some(vec!["books.example".to_owned()]),
        ..Default::default()
    });
    let body = r#"{"query":"{ hello }"}"#;
    let own = [
        "books.example",
        "Books.Example:8443",
        "localhost:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
    ];
    for host in own {
        let reply = server
            .ask(post(body).header("host", host).body_as("*/*"))
            .await;
        assert_eq!(reply.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:8080",
        "books.example.evil",
        "",
        "a b",
        "localhost@evil",
    ] {
        let reply = server
            .ask(post(body).header("host", host).body_as(GRAPHQL_JSON))
            .await;
        reply.is_refused(403, "FORBIDDEN");
    }
    server
        .ask(post(body).body_as("*/*"))
        .await
        .is_refused(403, "FORBIDDEN");
    assert_eq!(server.get("/livez").await.status, 200);
}
