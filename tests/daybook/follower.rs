//! An integrator who follows the commits over a WebSocket.

use std::{net::TcpStream, time::Duration};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest, handshake::client::generate_key};

use crate::server::Server;

/// A subscription to all commits after a position.
pub(crate) struct Follower(WebSocket<TcpStream>);

impl Follower {
    pub(crate) fn start(server: &Server, after: u64) -> Self {
        let address = server.address();
        let mut request = format!("ws://{address}/graphql")
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        headers.insert("sec-websocket-key", generate_key().parse().unwrap());
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut follower = Self(socket);
        let token = server.token().map(|token| format!("Bearer {token}"));
        let hello = json!({ "authorization": token });
        follower.say(&json!({ "type": "connection_init", "payload": hello }));
        assert_eq!(follower.hear()["type"], "connection_ack");
        let query = "subscription($after: BigInt) { commits(after: $after) { position } }";
        let payload = json!({ "query": query, "variables": { "after": after.to_string() } });
        follower.say(&json!({ "type": "subscribe", "id": "1", "payload": payload }));
        follower
    }

    /// Everything heard up to a position.
    pub(crate) fn positions_until(&mut self, last: u64) -> Vec<u64> {
        let mut positions = Vec::new();
        while positions.last().is_none_or(|position| *position < last) {
            let message = self.hear();
            assert_eq!(message["type"], "next", "{message}");
            let commits = message["payload"]["data"]["commits"].as_array().unwrap();
            let heard = commits
                .iter()
                .map(|commit| commit["position"].as_str().unwrap());
            positions.extend(heard.map(|position| position.parse::<u64>().unwrap()));
        }
        positions
    }

    fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    fn hear(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
