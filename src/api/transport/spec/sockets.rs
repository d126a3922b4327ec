//! `graphql-transport-ws` over a real connection.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Rate, Rates, Server, TransportConfig};
use crate::metrics::Metrics;
use crate::transport::{Lifecycle, ServeConfig, SocketConfig, serve};

/// A server on a port of its own, ended with the test.
struct Live {
    address: std::net::SocketAddr,
    lifecycle: Lifecycle,
    metrics: Metrics,
    served: JoinHandle<bool>,
}

impl Live {
    async fn new() -> Self {
        Self::with(SocketConfig::default()).await
    }

    async fn with(socket: SocketConfig) -> Self {
        Self::over(TransportConfig {
            socket,
            ..Default::default()
        })
        .await
    }

    async fn over(config: TransportConfig) -> Self {
        let server = Server::with(config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (lifecycle, metrics) = (server.lifecycle.clone(), server.metrics.clone());
        let (of_server, config) = (
            lifecycle.clone(),
            ServeConfig {
                grace: Duration::from_millis(20),
                drain_time_max: Duration::from_secs(5),
                ..Default::default()
            },
        );
        let served = tokio::spawn(async move {
            serve(listener, server.routes, &of_server, config, &server.metrics).await
        });
        Self {
            address,
            lifecycle,
            metrics,
            served,
        }
    }

    async fn open(&self) -> Client {
        self.open_with(&[("sec-websocket-protocol", "graphql-transport-ws")])
            .await
            .unwrap()
    }

    async fn open_with(
        &self,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Client, tungstenite::Error> {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        Ok(Client(connect_async(request).await?.0))
    }

    async fn ready(&self) -> Client {
        let mut client = self.open().await;
        client.send(json!({ "type": "connection_init" })).await;
        assert_eq!(client.receive().await, json!({ "type": "connection_ack" }));
        client
    }
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    async fn receive(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("expected a message, found {other:?}"),
            }
        }
    }

    /// The code with which the server closes, whatever it says before.
    async fn close_code(&mut self) -> u16 {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Close(frame) => return frame.unwrap().code.into(),
                _ => continue,
            }
        }
    }
}

#[tokio::test]
async fn a_subscription_yields_and_completes() {
    let live = Live::new().await;
    let mut client = live.ready().await;
    client.subscribe("1", "subscription { count(to: 2) }").await;
    for number in 1..=2 {
        let payload = json!({ "data": { "count": number } });
        assert_eq!(
            client.receive().await,
            json!({ "id": "1", "type": "next", "payload": payload })
        );
    }
    assert_eq!(
        client.receive().await,
        json!({ "id": "1", "type": "complete" })
    );
}

#[tokio::test]
async fn queries_and_mutations_run_too() {
    let live = Live::new().await;
    let mut client = live.ready().await;
    for text in ["{ hello }", "mutation { place(name: \"x\") }"] {
        client.subscribe("same", text).await;
        assert_eq!(client.receive().await["type"], "next");
        assert_eq!(
            client.receive().await,
            json!({ "id": "same", "type": "complete" })
        );
    }
}

#[tokio::test]
async fn operations_run_side_by_side() {
    let live = Live::new().await;
    let mut client = live.ready().await;
    client.subscribe("slow", "{ slow(ms: 150) }").await;
    client.subscribe("fast", "{ hello }").await;
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(client.receive().await["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(order, ["fast", "fast", "slow", "slow"]);
}

#[tokio::test]
async fn a_refusal_is_an_error_and_nothing_more() {
    let live = Live::new().await;
    let mut client = live.ready().await;
    for (text, code) in [
        ("{ ", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        client.subscribe("1", text).await;
        let message = client.receive().await;
        assert_eq!(message["type"], "error", "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code);
    }
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.receive().await["type"], "next");
}

#[tokio::test]
async fn a_client_ends_its_subscription() {
    let live = Live::new().await;
    let mut client = live.ready().await;
    client
        .subscribe("1", "subscription { count(to: 1000, everyMs: 5) }")
        .await;
    assert_eq!(client.receive().await["type"], "next");
    client.send(json!({ "type": "complete", "id": "1" })).await;
    client.send(json!({ "type": "ping" })).await;
    while client.receive().await["type"] != "pong" {}
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.receive().await["payload"]["data"]["hello"], "hello");
}

#[tokio::test]
async fn messages_outside_the_protocol_close_with_4400() {
    let live = Live::new().await;
    let texts = [
        "{",
        "[]",
        r#"{"id":"1"}"#,
        r#"{"type":"start"}"#,
        r#"{"type":"subscribe","payload":{"query":"{ hello }"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"connection_init","payload":7}"#,
    ];
    for text in texts {
        let mut client = live.open().await;
        client.0.send(Message::text(text)).await.unwrap();
        assert_eq!(client.close_code().await, 4400, "{text}");
    }
    let mut client = live.open().await;
    client
        .0
        .send(Message::binary(b"{}".to_vec()))
        .await
        .unwrap();
    assert_eq!(client.close_code().await, 4400);
    let mut client = live.ready().await;
    client
        .send(json!({ "type": "subscribe", "id": "1", "payload": { "query": 1 } }))
        .await;
    assert_eq!(client.close_code().await, 4400);
}

#[tokio::test]
async fn each_breach_of_order_has_its_close_code() {
    let live = Live::with(SocketConfig {
        init_time_max: Duration::from_millis(500),
        ..Default::default()
    })
    .await;
    let mut early = live.open().await;
    early.subscribe("1", "{ hello }").await;
    assert_eq!(early.close_code().await, 4401);
    let mut silent = live.open().await;
    assert_eq!(silent.close_code().await, 4408);
    let mut twice = live.ready().await;
    twice.send(json!({ "type": "connection_init" })).await;
    assert_eq!(twice.close_code().await, 4429);
    let mut doubled = live.ready().await;
    for _ in 0..2 {
        doubled
            .subscribe("1", "subscription { count(to: 9, everyMs: 1000) }")
            .await;
    }
    assert_eq!(doubled.close_code().await, 4409);
    let mut stranger = live.open_with(&[]).await.unwrap();
    assert_eq!(stranger.close_code().await, 4406);
    for (name, code) in [("wrong", 4403), ("nobody", 4401)] {
        let mut refused = live.open().await;
        let payload = json!({ "Daybook-Actor": name });
        refused
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(refused.close_code().await, code);
    }
}

#[tokio::test]
async fn what_a_client_says_hello_with_reaches_the_schema() {
    let live = Live::new().await;
    let mut client = live.open().await;
    client
        .send(json!({ "type": "connection_init", "payload": { "actor": "li" } }))
        .await;
    client.receive().await;
    client.subscribe("1", "{ handed { hello } }").await;
    let handed = client.receive().await["payload"]["data"]["handed"]["hello"].clone();
    assert_eq!(handed, "{actor: \"li\"}");
}

#[tokio::test]
async fn each_operation_asks_again_who_is_there() {
    let live = Live::new().await;
    let mut guest = live.open().await;
    let hello = json!({ "type": "connection_init", "payload": { "Daybook-Actor": "guest" } });
    guest.send(hello).await;
    assert_eq!(guest.receive().await["type"], "connection_ack");
    guest.subscribe("1", "{ hello }").await;
    let refused = guest.receive().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn operations_on_sockets_count_like_requests() {
    let rates = Rates {
        identity: Rate::new(1, 2),
        cost: Rate::new(1, 100),
        local: true,
        ..Default::default()
    };
    let live = Live::over(TransportConfig {
        rates,
        ..Default::default()
    })
    .await;
    // Opening counts too, so one operation is left.
    let mut client = live.ready().await;
    client.subscribe("1", "{ hello }").await;
    let first = client.receive().await["payload"].clone();
    let expected = json!({ "requested": 1, "available": 99 });
    assert_eq!(first["extensions"]["cost"], expected, "{first}");
    client.receive().await;
    client.subscribe("2", "{ hello }").await;
    let refused = client.receive().await;
    assert_eq!(refused["type"], "error");
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "RATE_LIMITED");
    assert!(extensions["retryAfterMs"].is_u64(), "{refused}");
    let mut other = live.open().await;
    other.send(json!({ "type": "connection_init" })).await;
    assert_eq!(other.close_code().await, 4429);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_dropped() {
    let send_time_max = Duration::from_millis(100);
    let live = Live::with(SocketConfig {
        send_time_max,
        ..Default::default()
    })
    .await;
    let mut client = live.ready().await;
    client
        .subscribe("1", "subscription { count(to: 4000000000) }")
        .await;
    until_no_socket_is_open(&live).await;
    drop(client);
}

#[tokio::test]
async fn a_socket_takes_only_so_many_operations() {
    let live = Live::with(SocketConfig {
        operations_max: 2,
        ..Default::default()
    })
    .await;
    let mut client = live.ready().await;
    for id in ["1", "2", "3"] {
        client
            .subscribe(id, "subscription { count(to: 9, everyMs: 1000) }")
            .await;
    }
    let message = client.receive().await;
    assert_eq!(
        (&message["type"], &message["id"]),
        (&json!("error"), &json!("3"))
    );
    assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes_the_socket() {
    let live = Live::with(SocketConfig {
        message_bytes_max: 1000,
        ..Default::default()
    })
    .await;
    let mut client = live.ready().await;
    client.subscribe("1", &"x".repeat(2000)).await;
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_open_a_socket() {
    let live = Live::new().await;
    let refused = live.open_with(&[("origin", "https://evil.example")]).await;
    match refused.err().unwrap() {
        tungstenite::Error::Http(response) => assert_eq!(response.status(), 403),
        other => panic!("expected an answer, found {other}"),
    }
}

/// Waits at most ten seconds.
async fn until_no_socket_is_open(live: &Live) {
    for _ in 0..1000 {
        if live.metrics.open_sockets.get() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(live.metrics.open_sockets.get(), 0);
}

#[tokio::test]
async fn a_silent_client_is_let_go() {
    let ping_interval = Duration::from_millis(30);
    let live = Live::with(SocketConfig {
        ping_interval,
        ..Default::default()
    })
    .await;
    // The client reads nothing, so it answers no ping.
    let client = live.ready().await;
    until_no_socket_is_open(&live).await;
    drop(client);
}

#[tokio::test]
async fn sockets_are_closed_with_1001_at_shutdown() {
    let live = Live::new().await;
    let mut client = live.ready().await;
    client
        .subscribe("1", "subscription { count(to: 1000, everyMs: 5) }")
        .await;
    assert_eq!(live.metrics.open_sockets.get(), 1);
    live.lifecycle.shut_down();
    assert_eq!(client.close_code().await, 1001);
    drop(client);
    assert!(live.served.await.unwrap());
    assert_eq!(live.metrics.open_sockets.get(), 0);
}
