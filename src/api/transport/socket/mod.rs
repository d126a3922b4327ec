//! `graphql-transport-ws`: many operations over one WebSocket.
//!
//! One task per socket owns it whole: it reads, runs the operations and writes. There is no send
//! queue that could grow: while a client does not take its messages, nothing more is read from it
//! and no operation advances, and after [`SocketConfig::send_time_max`] the socket is dropped.

mod operations;
mod protocol;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts as _;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{FutureExt as _, SinkExt as _};
use http::request::Parts;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::{Instant, sleep_until, timeout};

use self::operations::{Event, Operations};
use self::protocol::{Close, FromClient};
use super::crowd::Ticket;
use super::engine::Answer;
use super::errors::{Code, Fault};
use super::http::refuse;
use super::negotiate::Media;
use super::request::{Carrier, GraphQlRequest, Params, RequestContext};
use super::{GraphQl, Shared, SocketConfig, origin};

/// Time for a client to answer a close frame.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(1);
/// Messages written before they are flushed together.
const BATCH_MAX: usize = 64;
/// Intervals between pings in which a client may stay silent.
const SILENT_PINGS_MAX: u32 = 3;

/// Turns the request into a socket.
pub(super) async fn upgrade<G: GraphQl>(shared: Arc<Shared<G>>, mut parts: Parts) -> Response {
    if !origin::may_open_socket(&parts.headers, &shared.config.origins) {
        let fault = Fault::new(
            Code::Forbidden,
            "pages of this origin may not open a socket",
        );
        return refuse(Media::GraphQl, fault);
    }
    if shared.lifecycle.is_draining() {
        let fault = Fault::new(Code::ServiceUnavailable, "server is shutting down");
        return refuse(Media::GraphQl, fault);
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(error) => {
            return refuse(Media::Json, Fault::new(Code::BadRequest, error.body_text()));
        }
    };
    let ticket = parts.extensions.get::<Ticket>().cloned();
    let context = match RequestContext::new(parts, Carrier::Socket) {
        Ok(context) => context,
        Err(fault) => return refuse(Media::Json, fault),
    };
    let bytes_max = shared.config.socket.message_bytes_max;
    let token = shared.lifecycle.tasks().token();
    upgrade
        .protocols([protocol::NAME])
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .on_upgrade(async move |socket| {
            let _held_until_closed = (token, ticket);
            Session::new(shared, socket, context).run().await;
        })
}

/// Why a session ends.
enum End {
    /// The server closes.
    Close(Close),
    /// The client is gone, or does not take its messages.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

struct Session<G> {
    shared: Arc<Shared<G>>,
    config: SocketConfig,
    socket: WebSocket,
    context: RequestContext,
    operations: Operations,
    acknowledged: bool,
    heard: Instant,
    _open: Open,
}

impl<G: GraphQl> Session<G> {
    fn new(shared: Arc<Shared<G>>, socket: WebSocket, context: RequestContext) -> Self {
        Self {
            config: shared.config.socket,
            _open: Open::new(shared.metrics.open_sockets.clone()),
            shared,
            socket,
            context,
            operations: Operations::default(),
            acknowledged: false,
            heard: Instant::now(),
        }
    }

    async fn run(mut self) {
        let end = if self.socket.protocol().is_some() {
            self.talk().await
        } else {
            End::Close(Close::BadProtocol)
        };
        self.operations.clear();
        if let End::Close(close) = end {
            self.say_goodbye(close).await;
        }
    }

    async fn talk(&mut self) -> End {
        let lifecycle = self.shared.lifecycle.clone();
        let deadline = Instant::now() + self.config.init_time_max;
        let mut pings = super::every(self.config.ping_interval);
        let mut renewals = super::every(self.shared.config.renewal);
        loop {
            let step = tokio::select! {
                message = self.socket.recv() => self.receive(message).await,
                event = self.operations.next() => self.send_all(event).await,
                _ = pings.tick() => self.ping().await,
                _ = renewals.tick(), if self.acknowledged => self.renew().await,
                () = sleep_until(deadline), if !self.acknowledged => {
                    Err(Close::InitTimeout.into())
                }
                () = lifecycle.closing() => Err(Close::GoingAway.into()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => self.obey(&text).await,
            Some(Ok(Message::Binary(_))) => Err(Close::BadMessage.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(error)) => Err(end_of(&error)),
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), End> {
        match FromClient::parse(text)? {
            FromClient::Ping => self.send(protocol::pong()).await,
            FromClient::Pong => Ok(()),
            FromClient::Init(hello) => self.acknowledge(hello).await,
            FromClient::Subscribe { .. } if !self.acknowledged => {
                Err(Close::NotAcknowledged.into())
            }
            FromClient::Subscribe { id, payload } => {
                let params = Params::from_json(payload.get().as_bytes());
                self.start(&id, params.map_err(|_| Close::BadMessage)?)
                    .await
            }
            FromClient::Complete { id } => {
                self.operations.stop(&id);
                Ok(())
            }
        }
    }

    async fn acknowledge(&mut self, hello: Option<async_graphql::Value>) -> Result<(), End> {
        if self.acknowledged {
            return Err(Close::SecondInit.into());
        }
        self.context.hello = hello.map(Arc::new);
        let identified = self.shared.engine.identify(&mut self.context);
        match timeout(self.config.init_time_max, identified).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => return Err(Close::of(fault.code).into()),
            Err(_) => return Err(Close::InitTimeout.into()),
        }
        self.acknowledged = true;
        self.send(protocol::acknowledge()).await
    }

    /// A socket outlives what it was opened with only for a moment, also while nothing is sent.
    async fn renew(&mut self) -> Result<(), End> {
        let renewed = self.shared.engine.renew(&self.context).await;
        renewed.map_err(|fault| Close::of(fault.code).into())
    }

    async fn start(&mut self, id: &str, params: Params<'_>) -> Result<(), End> {
        if self.operations.contains(id) {
            return Err(Close::DuplicateId.into());
        }
        match self.prepare(params).await {
            Ok(request) => {
                self.operations.start(id, &self.shared.engine, request);
                Ok(())
            }
            Err(fault) => self.send(protocol::answer(id, &Answer::from(fault))).await,
        }
    }

    /// Whoever was admitted with the socket may have lost the right since, so each operation asks
    /// again.
    async fn prepare(&mut self, params: Params<'_>) -> Result<GraphQlRequest, Fault> {
        self.check_room()?;
        let mut context = self.context.clone();
        context.request_id = self.context.request_id.nth(self.operations.started() + 1);
        self.shared.engine.identify(&mut context).await?;
        self.shared.engine.prepare(params, context)
    }

    fn check_room(&self) -> Result<(), Fault> {
        let allowed = self.config.operations_max;
        if self.operations.len() < allowed {
            return Ok(());
        }
        let message = format!("{allowed} operations already run on this socket");
        Err(Fault::new(Code::RateLimited, message))
    }

    /// Writes an event and those that are ready behind it, then flushes once.
    async fn send_all(&mut self, first: Event) -> Result<(), End> {
        let mut next = Some(first);
        for _ in 0..BATCH_MAX {
            let Some(event) = next else { break };
            let message = self.operations.settle(event);
            let fed = timeout(self.config.send_time_max, self.socket.feed(message)).await;
            fed.map_err(|_| End::Gone)?.map_err(|_| End::Gone)?;
            next = self.operations.next().now_or_never();
        }
        // The loop may end with an event in hand; it goes out by itself.
        if let Some(event) = next {
            let message = self.operations.settle(event);
            return self.send(message).await;
        }
        let flushed = timeout(self.config.send_time_max, self.socket.flush()).await;
        flushed.map_err(|_| End::Gone)?.map_err(|_| End::Gone)
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let sent = timeout(self.config.send_time_max, self.socket.send(message)).await;
        sent.map_err(|_| End::Gone)?.map_err(|_| End::Gone)
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > self.config.ping_interval * SILENT_PINGS_MAX {
            return Err(End::Gone);
        }
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    /// Sends the close frame and waits for the client's: closing the connection before that
    /// could make the client lose the frame.
    async fn say_goodbye(&mut self, close: Close) {
        let frame = Message::Close(Some(close.frame()));
        if self.send(frame).await.is_ok() {
            let answered = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            let _ = timeout(GOODBYE_TIME_MAX, answered).await;
        }
    }
}

/// A message that exceeds the limit is the one fault of a broken socket that can still be told.
fn end_of(error: &axum::Error) -> End {
    if error.to_string().contains("Space limit exceeded") {
        return Close::TooLarge.into();
    }
    End::Gone
}

/// Counts the socket as open for as long as it lives.
struct Open(Gauge);

impl Open {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
