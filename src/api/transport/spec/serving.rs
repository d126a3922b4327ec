//! Connections: slow heads, large heads, the order of the end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Lifecycle, Server};
use crate::transport::{ServeConfig, serve};

async fn start(config: ServeConfig) -> (SocketAddr, Lifecycle, JoinHandle<bool>) {
    let server = Server::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lifecycle = server.lifecycle.clone();
    let ending = lifecycle.clone();
    let served = tokio::spawn(async move {
        serve(listener, server.routes, &lifecycle, config, &server.metrics).await
    });
    (address, ending, served)
}

fn brief() -> ServeConfig {
    ServeConfig {
        head_time_max: Duration::from_millis(100),
        grace: Duration::from_millis(100),
        drain_time_max: Duration::from_secs(2),
        ..Default::default()
    }
}

/// Sends bytes and returns everything that comes back until the server closes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes while bytes are unread resets the connection after its answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn slow_query(ms: u32) -> Vec<u8> {
    let body = format!(r#"{{"query":"{{ slow(ms: {ms}) }}"}}"#);
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_the_connection() {
    let (address, ..) = start(brief()).await;
    let started = Instant::now();
    exchange(address, b"GET /livez HTTP/1.1\r\nhost: ").await;
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    exchange(address, b"").await;
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (address, ..) = start(brief()).await;
    let answer = exchange(address, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("alive\n"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let config = ServeConfig {
        connections_max: 1,
        head_time_max: Duration::from_millis(300),
        ..brief()
    };
    let (address, ..) = start(config).await;
    let _first = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    let answer = exchange(address, b"GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("alive\n"), "{answer}");
    assert!(
        started.elapsed() > Duration::from_millis(100),
        "served beside the first"
    );
}

#[tokio::test]
async fn large_heads_are_refused() {
    let (address, ..) = start(brief()).await;
    let many: String = (0..150).map(|at| format!("x{at}: y\r\n")).collect();
    let many = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    let answer = exchange(address, many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer:?}");
    // What is sent beyond the limit stays unread, and the reset that follows may overtake the
    // answer.
    let long = format!(
        "GET /livez HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(40_000)
    );
    let answer = exchange(address, long.as_bytes()).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_end_fails_readiness_then_drains() {
    let (address, lifecycle, served) = start(brief()).await;
    let slow = tokio::spawn(async move { exchange(address, &slow_query(300)).await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    lifecycle.shut_down();
    let ready = exchange(address, b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(
        ready.starts_with("HTTP/1.1 503"),
        "still served, but not ready: {ready}"
    );
    assert!(slow.await.unwrap().contains(r#"{"data":{"slow":300}}"#));
    assert!(served.await.unwrap(), "everything ended by itself");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let drain_time_max = Duration::from_millis(50);
    let (address, lifecycle, served) = start(ServeConfig {
        drain_time_max,
        ..brief()
    })
    .await;
    let stuck = tokio::spawn(async move { exchange(address, &slow_query(60_000)).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    lifecycle.shut_down();
    assert!(!served.await.unwrap());
    stuck.abort();
}
