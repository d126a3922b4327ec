//! Connections: accepted within limits, timed, and ended in order.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::crowd::{Crowd, Ticket};
use super::lifecycle::Lifecycle;
use super::peer::Peer;
use super::tls::Tls;
use super::wire::{Stream, Wire};
use crate::metrics::{CutLabels, Metrics};

/// Limits of connections and of the end.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// The certificate; none where connections are not encrypted.
    pub tls: Option<Tls>,
    /// Connections open at a time; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Connections open at a time from one address (of version 6, from one network of 64 bits);
    /// more are closed at once.
    pub connections_per_address_max: usize,
    /// Whether connections of this machine count as those of an address.
    pub limit_local: bool,
    /// Time for the handshake of an encrypted connection.
    pub handshake_time_max: Duration,
    /// Time for the head of a request to arrive, and of a connection to stay idle.
    pub head_time_max: Duration,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Time for a client to take something of what is written to it.
    pub write_time_max: Duration,
    /// Time between failing readiness and accepting no more, for load balancers to notice.
    pub grace: Duration,
    /// Time for requests in flight to end.
    pub drain_time_max: Duration,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            tls: None,
            connections_max: 10_000,
            connections_per_address_max: 500,
            limit_local: false,
            handshake_time_max: Duration::from_secs(5),
            head_time_max: Duration::from_secs(15),
            head_bytes_max: 32 * 1024,
            write_time_max: Duration::from_secs(20),
            grace: Duration::from_secs(2),
            drain_time_max: Duration::from_secs(15),
        }
    }
}

/// Pause after the system refuses a connection, as it does when it is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until [`Lifecycle::shut_down`], then ends in order. Returns whether every connection
/// ended by itself within [`ServeConfig::drain_time_max`]; those that did not are cut.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lifecycle: &Lifecycle,
    config: ServeConfig,
    metrics: &Metrics,
) -> bool {
    let (grace, drain_time_max) = (config.grace, config.drain_time_max);
    let server = Server::new(router, lifecycle.clone(), config, metrics.clone());
    {
        let mut accepting = pin!(server.accept_all(&listener));
        tokio::select! {
            never = &mut accepting => match never {},
            () = lifecycle.draining() => {}
        }
        tracing::info!(grace_ms = grace.as_millis(), "draining");
        let _ = tokio::time::timeout(grace, accepting).await;
    }
    drop(listener);
    lifecycle.close();
    let tasks = lifecycle.tasks();
    let drained = tokio::time::timeout(drain_time_max, tasks.wait())
        .await
        .is_ok();
    if !drained {
        tracing::warn!(
            connections = tasks.len(),
            "connections cut at the end of the drain time"
        );
    }
    drained
}

#[derive(Clone)]
struct Server {
    router: Router,
    lifecycle: Lifecycle,
    metrics: Metrics,
    http: http1::Builder,
    config: Arc<ServeConfig>,
    slots: Arc<Semaphore>,
    crowd: Crowd,
}

/// Why a connection is not served.
struct Cut(&'static str);

impl Server {
    fn new(router: Router, lifecycle: Lifecycle, config: ServeConfig, metrics: Metrics) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(config.head_time_max)
            .max_header_size(config.head_bytes_max);
        let slots = Arc::new(Semaphore::new(config.connections_max));
        // Resolving the state now spares each request a copy of the route table.
        Self {
            router: router.with_state(()),
            lifecycle,
            metrics,
            http,
            crowd: Crowd::new(config.connections_per_address_max),
            config: Arc::new(config),
            slots,
        }
    }

    async fn accept_all(&self, listener: &TcpListener) -> std::convert::Infallible {
        loop {
            // The semaphore is never closed, so waiting for a slot cannot fail.
            let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
            let (stream, address) = accept(listener).await;
            let peer = Peer {
                address,
                secure: self.config.tls.is_some(),
            };
            let limited = self.config.limit_local || !peer.is_local();
            let Some(place) = self.crowd.enter(limited.then(|| peer.network())) else {
                self.cut(&Cut("address"));
                continue;
            };
            let ticket = Ticket::new(slot, place);
            let connection = self.clone().connection(stream, peer, ticket);
            self.lifecycle.tasks().spawn(connection);
        }
    }

    fn cut(&self, Cut(reason): &Cut) {
        let labels = CutLabels { reason };
        self.metrics.cut_connections.get_or_create(&labels).inc();
    }

    async fn connection(self, stream: TcpStream, peer: Peer, ticket: Ticket) {
        self.metrics.open_connections.inc();
        let opened = tokio::select! {
            opened = self.open(stream) => opened,
            () = self.lifecycle.closing() => Err(Cut("closing")),
        };
        match opened {
            Ok(stream) => self.talk(stream, peer, ticket).await,
            Err(cut) => self.cut(&cut),
        }
        self.metrics.open_connections.dec();
    }

    /// Encrypts the connection, where that is wanted.
    async fn open(&self, stream: TcpStream) -> Result<Stream, Cut> {
        let Some(tls) = &self.config.tls else {
            return Ok(Stream::Plain(stream));
        };
        let shake = async {
            if speaks_plainly(&stream).await {
                say_encrypted(stream).await;
                return Err(Cut("plain"));
            }
            match tls.acceptor().accept(stream).await {
                Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
                Err(error) => {
                    tracing::debug!(%error, "handshake failed");
                    Err(Cut("handshake"))
                }
            }
        };
        let shaken = tokio::time::timeout(self.config.handshake_time_max, shake).await;
        shaken.unwrap_or(Err(Cut("handshake")))
    }

    async fn talk(&self, stream: Stream, peer: Peer, ticket: Ticket) {
        let wire = Wire::new(stream, self.config.write_time_max);
        let service = self.router.clone().map_request(move |request| {
            let mut request: Request<Incoming> = request;
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(ticket.clone());
            request
        });
        let service = TowerToHyperService::new(service);
        let connection = self.http.serve_connection(TokioIo::new(wire), service);
        let mut connection = pin!(connection.with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.lifecycle.closing() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
            if is_stuck(&error) {
                self.cut(&Cut("stuck"));
            }
        }
    }
}

/// Whether a connection ended because its client did not take its answer.
fn is_stuck(error: &hyper::Error) -> bool {
    let source = error.source();
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::TimedOut)
}

/// The first byte of a handshake is no letter, and every request begins with one.
async fn speaks_plainly(stream: &TcpStream) -> bool {
    let mut first = [0];
    let read = stream.peek(&mut first).await;
    read.is_ok_and(|bytes| bytes == 1) && first[0].is_ascii_alphabetic()
}

/// A person who forgets the `s` of `https` shall see why nothing works.
async fn say_encrypted(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
        content-type: text/plain; charset=utf-8\r\ncontent-length: 32\r\n\r\n\
        this port speaks https, not http";
    // Whether somebody still listens makes no difference.
    let _ = stream.write_all(ANSWER).await;
    let _ = stream.shutdown().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                prepare(&stream, peer);
                return (stream, peer);
            }
            Err(error) if is_peers_fault(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers are small and complete, so waiting to merge them with later ones only costs time.
fn prepare(stream: &TcpStream, peer: SocketAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "nodelay not set");
    }
}

fn is_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
