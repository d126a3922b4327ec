//! GraphQL over server-sent events.

use std::time::Duration;

use super::{Server, TransportConfig, post};

const STREAM: &str = "text/event-stream";

fn body(query: &str) -> String {
    serde_json::json!({ "query": query }).to_string()
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_next_and_a_complete() {
    let server = Server::new();
    let reply = server
        .ask(post(body("subscription { count(to: 2) }")).body_as(STREAM))
        .await;
    assert_eq!(
        reply.header("content-type"),
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(reply.header("x-accel-buffering"), "no");
    let expected = "event: next\ndata: {\"data\":{\"count\":1}}\n\n\
        event: next\ndata: {\"data\":{\"count\":2}}\n\n\
        event: complete\ndata:\n\n";
    assert_eq!(reply.text(), expected);
    assert_eq!(server.metrics.open_streams.get(), 0);
}

#[tokio::test]
async fn queries_and_mutations_are_streams_of_one() {
    let server = Server::new();
    for text in ["{ hello }", "mutation { place(name: \"x\") }"] {
        let reply = server.ask(post(body(text)).body_as(STREAM)).await;
        assert_eq!(
            reply.text().matches("event: next").count(),
            1,
            "{}",
            reply.text()
        );
        assert!(reply.text().ends_with("event: complete\ndata:\n\n"));
    }
    let reply = server.get_as("/graphql?query=%7Bhello%7D", STREAM).await;
    assert!(
        reply
            .text()
            .starts_with("event: next\ndata: {\"data\":{\"hello\":\"hello\"}}\n\n")
    );
}

#[tokio::test]
async fn a_refusal_is_told_in_the_stream() {
    let server = Server::new();
    for text in ["{ nothing }", "{", "subscription { nothing }"] {
        let reply = server.ask(post(body(text)).body_as(STREAM)).await;
        assert_eq!(reply.status, 200);
        assert!(
            reply.text().starts_with("event: next\ndata: {\"errors\":["),
            "{}",
            reply.text()
        );
        assert!(!reply.text().contains("\"data\":"), "{}", reply.text());
        assert!(reply.text().ends_with("event: complete\ndata:\n\n"));
    }
}

#[tokio::test]
async fn a_subscription_that_fails_is_masked() {
    let server = Server::new();
    let reply = server
        .ask(post(body("subscription { breaks }")).body_as(STREAM))
        .await;
    assert!(
        reply.text().contains("INTERNAL_SERVER_ERROR"),
        "{}",
        reply.text()
    );
    assert!(!reply.text().contains("secret"), "{}", reply.text());
}

#[tokio::test]
async fn an_idle_stream_shows_signs_of_life() {
    let heartbeat = Duration::from_millis(20);
    let server = Server::with(TransportConfig {
        heartbeat,
        ..Default::default()
    });
    let text = body("subscription { count(to: 1, everyMs: 110) }");
    let reply = server.ask(post(text).body_as(STREAM)).await;
    assert!(reply.text().starts_with(":\n\n:\n\n"), "{}", reply.text());
}

#[tokio::test]
async fn a_stream_breaks_off_at_shutdown() {
    let server = Server::new();
    let text = body("subscription { count(to: 1000, everyMs: 10) }");
    let lifecycle = server.lifecycle.clone();
    let end = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        lifecycle.close();
    };
    let (reply, ()) = tokio::join!(server.ask(post(text).body_as(STREAM)), end);
    assert!(reply.text().contains("event: next"));
    assert!(
        !reply.text().contains("event: complete"),
        "{}",
        reply.text()
    );
}
