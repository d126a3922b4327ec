//! Connections: accepted within limits, timed, and ended in order.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::lifecycle::Lifecycle;
use crate::metrics::Metrics;

/// Limits of connections and of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeConfig {
    /// Connections open at a time; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Time for the head of a request to arrive, and of a connection to stay idle.
    pub head_time_max: Duration,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Time between failing readiness and accepting no more, for load balancers to notice.
    pub grace: Duration,
    /// Time for requests in flight to end.
    pub drain_time_max: Duration,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            head_time_max: Duration::from_secs(15),
            head_bytes_max: 32 * 1024,
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
    let server = Server::new(router, lifecycle.clone(), config, metrics.clone());
    {
        let mut accepting = pin!(server.accept_all(&listener));
        tokio::select! {
            never = &mut accepting => match never {},
            () = lifecycle.draining() => {}
        }
        tracing::info!(grace_ms = config.grace.as_millis(), "draining");
        let _ = tokio::time::timeout(config.grace, accepting).await;
    }
    drop(listener);
    lifecycle.close();
    let tasks = lifecycle.tasks();
    let drained = tokio::time::timeout(config.drain_time_max, tasks.wait())
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
    slots: Arc<Semaphore>,
}

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
            slots,
        }
    }

    async fn accept_all(&self, listener: &TcpListener) -> std::convert::Infallible {
        loop {
            // The semaphore is never closed, so waiting for a slot cannot fail.
            let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
            let stream = accept(listener).await;
            let connection = self.clone().connection(stream);
            self.lifecycle.tasks().spawn(async move {
                connection.await;
                drop(slot);
            });
        }
    }

    async fn connection(self, stream: TcpStream) {
        self.metrics.open_connections.inc();
        let service = TowerToHyperService::new(self.router);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
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
        }
        self.metrics.open_connections.dec();
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                prepare(&stream, peer);
                return stream;
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
