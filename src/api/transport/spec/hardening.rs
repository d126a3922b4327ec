//! What a hostile client tries.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use serde_json::json;

use super::{GRAPHQL_JSON, Server, TransportConfig, post};

#[tokio::test]
async fn a_mutation_over_get_is_refused() {
    let server = Server::new();
    let path = "/graphql?query=mutation%7Bplace(name%3A%22x%22)%7D";
    let reply = server.get_as(path, GRAPHQL_JSON).await;
    reply.is_refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), "POST");
    let plain = server.get_as(path, "application/json").await;
    plain.is_refused(405, "METHOD_NOT_ALLOWED");
    let streamed = server.get_as(path, "text/event-stream").await;
    streamed.is_refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn only_json_bodies_are_read() {
    let server = Server::new();
    let body = r#"{"query":"{ hello }"}"#;
    let kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin1",
        "application/jsonp",
        "",
    ];
    for kind in kinds {
        let reply = server
            .ask(post(body).header("content-type", kind).plain())
            .await;
        reply.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    server
        .ask(post(body).plain())
        .await
        .is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let quoted = "application/json; charset=\"UTF-8\"";
    assert_eq!(
        server
            .ask(post(body).header("content-type", quoted).plain())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn packed_bodies_are_not_read() {
    let request = post("x").header("content-encoding", "gzip").body_as("*/*");
    Server::new()
        .ask(request)
        .await
        .is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let plain = post(r#"{"query":"{ hello }"}"#).header("content-encoding", "identity");
    assert_eq!(Server::new().ask(plain.body_as("*/*")).await.status, 200);
}

#[tokio::test]
async fn a_document_full_of_errors_gets_a_short_answer() {
    let reply = Server::new()
        .query(&format!("{{ again {{ {} }} }}", "nope ".repeat(4_000)))
        .await;
    reply.is_refused(400, "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(reply.json()["errors"].as_array().unwrap().len(), 50);
    let long = Server::new()
        .query(&format!("{{ hello(\n{}", "a:".repeat(2_000)))
        .await;
    long.is_refused(400, "GRAPHQL_PARSE_FAILED");
    assert!(long.body.len() < 500, "{}", long.text());
}

#[tokio::test]
async fn other_methods_are_refused() {
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let request = Request::builder()
            .method(method)
            .uri("/graphql")
            .body(Body::empty());
        let reply = Server::new().ask(request.unwrap()).await;
        reply.is_refused(405, "METHOD_NOT_ALLOWED");
        assert_eq!(reply.header("allow"), "GET, POST");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let server = Server::new();
    let body = json!({ "query": "{ hello }", "extensions": { "x": "y".repeat(1024 * 1024) } });
    let announced =
        post(body.to_string()).header("content-length", &body.to_string().len().to_string());
    server
        .ask(announced.body_as("*/*"))
        .await
        .is_refused(413, "PAYLOAD_TOO_LARGE");
    let chunks = body
        .to_string()
        .into_bytes()
        .chunks(60_000)
        .map(Bytes::copy_from_slice)
        .collect::<Vec<_>>();
    let chunked = stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
    let request = post(Body::from_stream(chunked)).body_as("*/*");
    server
        .ask(request)
        .await
        .is_refused(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let pieces = [r#"{"query":"#, r#""{ he"#, "llo }\"", "}"].map(Ok::<_, std::io::Error>);
    let request = post(Body::from_stream(stream::iter(pieces))).body_as("*/*");
    assert_eq!(
        Server::new().ask(request).await.json()["data"]["hello"],
        "hello"
    );
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let body_time_max = Duration::from_millis(30);
    let server = Server::with(TransportConfig {
        body_time_max,
        ..Default::default()
    });
    let never = stream::pending::<Result<Bytes, std::io::Error>>();
    let request = post(Body::from_stream(never)).body_as("*/*");
    server.ask(request).await.is_refused(408, "REQUEST_TIMEOUT");
}

#[tokio::test]
async fn malformed_bodies_are_refused() {
    let server = Server::new();
    let bodies: [&[u8]; 14] = [
        b"",
        b"{",
        b"null",
        b"\"{ hello }\"",
        b"{}",
        br#"{"query":null}"#,
        br#"{"query":1}"#,
        br#"{"query":"{ hello }","variables":[]}"#,
        br#"{"query":"{ hello }","variables":"x"}"#,
        br#"{"query":"{ hello }","operationName":1}"#,
        br#"{"query":"{ hello }","extensions":1}"#,
        br#"{"query":"{ hello }","query":"{ hello }"}"#,
        br#"{"query":"{ hello }"} x"#,
        b"{\"query\":\"\xff\xfe\"}",
    ];
    for body in bodies {
        let reply = server
            .ask(post(body.to_vec()).body_as("application/json"))
            .await;
        assert_eq!(
            (reply.status.as_u16(), &*reply.code()),
            (400, "BAD_REQUEST"),
            "{body:?}"
        );
    }
    let deep = format!(
        r#"{{"query":"{{ hello }}","variables":{{"x":{}}}}}"#,
        "[".repeat(100_000)
    );
    server
        .ask(post(deep).body_as("*/*"))
        .await
        .is_refused(400, "BAD_REQUEST");
}

#[tokio::test]
async fn a_batch_is_refused() {
    let body = r#" [{"query":"{ hello }"},{"query":"{ hello }"}]"#;
    let reply = Server::new().ask(post(body).body_as("*/*")).await;
    reply.is_refused(400, "BATCHING_UNSUPPORTED");
}

#[tokio::test]
async fn malformed_query_strings_are_refused() {
    let server = Server::new();
    for path in [
        "/graphql",
        "/graphql?variables={}",
        "/graphql?query={hello}&variables=%7B",
    ] {
        server.get(path).await.is_refused(400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn bad_headers_are_refused() {
    let server = Server::new();
    let long = "x".repeat(256);
    let headers = [
        ("daybook-at-least", "-1"),
        ("idempotency-key", ""),
        ("idempotency-key", &*long),
    ];
    for (name, value) in headers {
        let request = post(r#"{"query":"{ hello }"}"#)
            .header(name, value)
            .body_as("*/*");
        server.ask(request).await.is_refused(400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn nesting_of_every_kind_is_refused_before_it_is_parsed() {
    let server = Server::new();
    let depths = [61, 100_000];
    for depth in depths {
        let texts = [
            format!("{}{}", "{ again ".repeat(depth), "}".repeat(depth)),
            format!(
                "{{ item(id: {}{}) {{ name }} }}",
                "[".repeat(depth),
                "]".repeat(depth)
            ),
            format!(
                "{{ item(id: {}1{}) {{ name }} }}",
                "{a:".repeat(depth),
                "}".repeat(depth)
            ),
            format!(
                "query($x: {}Int{}) {{ hello }}",
                "[".repeat(depth),
                "]".repeat(depth)
            ),
        ];
        for text in texts {
            server
                .query(&text)
                .await
                .is_refused(400, "QUERY_TOO_COMPLEX");
        }
    }
}

#[tokio::test]
async fn fragments_that_spread_themselves_are_refused() {
    let server = Server::new();
    let texts = [
        "{ ...A } fragment A on Query { again { ...A } }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A ...A }",
        "{ hello } fragment A on Query { ...A }",
    ];
    for text in texts {
        server
            .query(text)
            .await
            .is_refused(400, "GRAPHQL_VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn fragments_that_multiply_are_refused_at_once() {
    let chain = |length: usize, last: &str| {
        let link = |at: usize| {
            format!(
                " fragment F{at} on Query {{ a: again {{ ...F{0} }} b: again {{ ...F{0} }} }}",
                at + 1
            )
        };
        let links: String = (0..length).map(link).collect();
        format!("{last} {links} fragment F{length} on Query {{ hello }}")
    };
    let server = Server::new();
    for text in [
        chain(14, "{ ...F0 }"),
        chain(14, "{ hello }"),
        chain(400, "{ hello }"),
    ] {
        let reply = server.query(&text).await;
        reply.is_refused(400, "QUERY_TOO_COMPLEX");
    }
}

#[tokio::test]
async fn floods_are_refused() {
    let server = Server::new();
    let repeat = |part: &str, times: usize| format!("{{ {} }}", part.repeat(times));
    let aliases: String = (0..101).map(|at| format!("a{at}: hello ")).collect();
    let texts = [
        (format!("{{ again {{ {aliases} }} }}"), "aliases"),
        (repeat("hello ", 51), "root fields"),
        (repeat("hello ", 5_001), "tokens"),
        (
            format!("{{ hello {} }}", "@skip(if: false) ".repeat(51)),
            "directives",
        ),
        ("{ items(first: 60000) { id } }".to_owned(), "cost"),
        (
            format!("{}{{ hello }}{}", "{ again ".repeat(15), "}".repeat(15)),
            "depth",
        ),
    ];
    for (text, limit) in texts {
        let reply = server.query(&text).await;
        reply.is_refused(400, "QUERY_TOO_COMPLEX");
        assert_eq!(
            reply.json()["errors"][0]["extensions"]["limit"],
            limit,
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn a_panic_is_masked() {
    let reply = Server::new().query("{ panics }").await;
    reply.is_refused(500, "INTERNAL_SERVER_ERROR");
    assert!(!reply.text().contains("secret"), "{}", reply.text());
    let trace = reply.json()["errors"][0]["extensions"]["traceId"].clone();
    assert_eq!(trace, reply.header("x-request-id"));
}

#[tokio::test]
async fn an_error_without_a_code_is_masked() {
    let reply = Server::new().query("{ hello fails }").await;
    assert_eq!(reply.code(), "INTERNAL_SERVER_ERROR");
    assert!(!reply.text().contains("secret"), "{}", reply.text());
    assert_eq!(reply.json()["errors"][0]["path"], json!(["fails"]));
    let coded = Server::new()
        .query(r#"{ refuses(code: "INTERNAL_SERVER_ERROR") }"#)
        .await;
    assert_eq!(coded.json()["errors"][0]["message"], "internal error");
}

#[tokio::test]
async fn a_slow_operation_is_ended() {
    let query_time_max = Duration::from_millis(30);
    let server = Server::with(TransportConfig {
        query_time_max,
        ..Default::default()
    });
    server
        .query("{ slow(ms: 5000) }")
        .await
        .is_refused(503, "QUERY_TIMEOUT");
    let command = server.query("mutation { linger(ms: 5000) }").await;
    command.is_refused(503, "QUERY_TIMEOUT");
    assert!(command.text().contains("commandId"), "{}", command.text());
}

#[tokio::test]
async fn who_is_not_known_is_told_how_to_be() {
    let server = Server::new();
    for accept in [GRAPHQL_JSON, "application/json", "text/event-stream"] {
        // Nothing of the body is read, or it would be malformed.
        let request = post("{").header("daybook-actor", "nobody");
        let reply = server.ask(request.body_as(accept)).await;
        reply.is_refused(401, "UNAUTHENTICATED");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let refused = post("{").header("daybook-actor", "wrong");
    let reply = server.ask(refused.body_as(GRAPHQL_JSON)).await;
    reply.is_refused(403, "FORBIDDEN");
    assert_eq!(reply.header("www-authenticate"), "");
}

#[tokio::test]
async fn a_subscription_needs_a_carrier_of_many_answers() {
    let text = "subscription { count(to: 1) }";
    Server::new()
        .query(text)
        .await
        .is_refused(406, "NOT_ACCEPTABLE");
}
