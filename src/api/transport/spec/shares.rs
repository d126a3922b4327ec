//! What one client may have of the server: connections, requests, cost.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::json;

use super::{GRAPHQL_JSON, Peer, Rate, Rates, Reply, Server, TransportConfig, post};

fn limited(rates: Rates) -> Server {
    Server::with(TransportConfig {
        rates,
        ..Default::default()
    })
}

fn peer(address: &str) -> Peer {
    Peer {
        address: address.parse().unwrap(),
        secure: false,
    }
}

fn hello() -> Request<Body> {
    post(r#"{"query":"{ hello }"}"#).body_as(GRAPHQL_JSON)
}

async fn ask_from(server: &Server, address: &str, mut request: Request<Body>) -> Reply {
    request.extensions_mut().insert(peer(address));
    server.ask(request).await
}

#[track_caller]
fn is_limited(reply: &Reply) {
    reply.is_refused(429, "RATE_LIMITED");
    let after = reply.json()["errors"][0]["extensions"]["retryAfterMs"].as_u64();
    let seconds: u64 = reply.header("retry-after").parse().unwrap();
    assert_eq!(
        after.map(|ms| ms.div_ceil(1000)),
        Some(seconds),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_before_anything_is_read() {
    let server = limited(Rates {
        address: Rate::new(1, 2),
        ..Default::default()
    });
    for _ in 0..2 {
        assert_eq!(
            ask_from(&server, "192.0.2.1:1000", hello()).await.status,
            200
        );
    }
    for body in ["{ not json", "", "[]"] {
        let request = post(body).plain();
        is_limited(&ask_from(&server, "192.0.2.1:2000", request).await);
    }
    assert_eq!(
        ask_from(&server, "192.0.2.2:1000", hello()).await.status,
        200
    );
    let counted = server.metrics.to_text();
    assert!(
        counted.contains("daybook_rate_limited_total{what=\"address\"} 3"),
        "{counted}"
    );
}

#[tokio::test]
async fn a_network_of_64_bits_is_one_address() {
    let server = limited(Rates {
        address: Rate::new(1, 1),
        ..Default::default()
    });
    assert_eq!(
        ask_from(&server, "[2001:db8::1]:1", hello()).await.status,
        200
    );
    is_limited(&ask_from(&server, "[2001:db8::2:3]:1", hello()).await);
    assert_eq!(
        ask_from(&server, "[2001:db8:0:1::1]:1", hello())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn this_machine_and_probes_are_not_counted() {
    let rates = Rates {
        address: Rate::new(1, 1),
        identity: Rate::new(1, 1),
        cost: Rate::new(1, 1),
        local: false,
    };
    let server = limited(rates);
    for _ in 0..5 {
        assert_eq!(ask_from(&server, "127.0.0.1:1", hello()).await.status, 200);
        let probe = Request::get("/livez").body(Body::empty()).unwrap();
        assert_eq!(ask_from(&server, "192.0.2.1:1", probe).await.status, 200);
    }
    let strict = limited(Rates {
        local: true,
        ..rates
    });
    assert_eq!(ask_from(&strict, "127.0.0.1:1", hello()).await.status, 200);
    is_limited(&ask_from(&strict, "127.0.0.1:1", hello()).await);
}

#[tokio::test]
async fn an_identity_is_limited_wherever_it_asks_from() {
    let server = limited(Rates {
        identity: Rate::new(1, 2),
        ..Default::default()
    });
    let asked = |name: &str| post(r#"{"query":"{ hello }"}"#).header("daybook-actor", name);
    for address in ["192.0.2.1:1", "[2001:db8::1]:1"] {
        let request = asked("li").body_as("application/json");
        assert_eq!(ask_from(&server, address, request).await.status, 200);
    }
    for media in [GRAPHQL_JSON, "application/json", "text/event-stream"] {
        is_limited(&ask_from(&server, "192.0.2.2:1", asked("li").body_as(media)).await);
    }
    let other = asked("wang").body_as(GRAPHQL_JSON);
    assert_eq!(ask_from(&server, "192.0.2.2:1", other).await.status, 200);
}

#[tokio::test]
async fn callers_without_an_identity_do_not_share_a_budget() {
    let server = limited(Rates {
        identity: Rate::new(1, 1),
        ..Default::default()
    });
    assert_eq!(ask_from(&server, "192.0.2.1:1", hello()).await.status, 200);
    is_limited(&ask_from(&server, "192.0.2.1:1", hello()).await);
    assert_eq!(ask_from(&server, "192.0.2.2:1", hello()).await.status, 200);
}

#[tokio::test]
async fn cost_is_taken_off_a_budget_that_fills_again() {
    let server = limited(Rates {
        cost: Rate::new(100, 10),
        ..Default::default()
    });
    let first = server.query("{ items(first: 4) { id } }").await;
    let expected = json!({ "requested": 5, "available": 5 });
    assert_eq!(first.json()["extensions"]["cost"], expected);
    let second = server.query("{ items(first: 7) { id } }").await;
    is_limited(&second);
    tokio::time::sleep(Duration::from_millis(60)).await;
    let third = server.query("{ items(first: 7) { id } }").await;
    assert_eq!(third.status, 200, "{}", third.text());
    let flood: String = (0..90)
        .map(|at| format!("a{at}: again {{ hello }} "))
        .collect();
    let refused = server.query(&format!("{{ again {{ {flood} }} }}")).await;
    is_limited(&refused);
}

#[tokio::test]
async fn a_document_beyond_the_limits_costs_nothing() {
    let server = limited(Rates {
        cost: Rate::new(1, 10),
        ..Default::default()
    });
    let refused = server.query("{ items(first: 60000) { id } }").await;
    refused.is_refused(400, "QUERY_TOO_COMPLEX");
    let answered = server.query("{ hello }").await;
    assert_eq!(answered.json()["extensions"]["cost"]["available"], 9);
}
