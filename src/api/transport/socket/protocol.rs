//! The messages of `graphql-transport-ws` and the codes with which a socket is closed.

use std::borrow::Cow;

use async_graphql::Value;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::transport::encode;
use crate::transport::engine::Answer;
use crate::transport::errors::Code;

/// The name of the protocol in `Sec-WebSocket-Protocol`.
pub(super) const NAME: &str = "graphql-transport-ws";

/// Why the server closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The server shuts down: come back later.
    GoingAway,
    /// A message is larger than allowed.
    TooLarge,
    /// A message is not of the protocol.
    BadMessage,
    /// An operation before the connection was acknowledged.
    NotAcknowledged,
    /// Nobody could be established by what the client said of itself.
    Unauthenticated,
    /// The client may not connect.
    Forbidden,
    /// The client does not speak the protocol.
    BadProtocol,
    /// No `connection_init` in time.
    InitTimeout,
    /// An operation with the id of one that still runs.
    DuplicateId,
    /// A second `connection_init`.
    SecondInit,
    /// More than a client may ask for.
    RateLimited,
}

impl Close {
    /// How a client is turned away whose `connection_init` met a fault.
    pub(super) fn of(code: Code) -> Self {
        match code {
            Code::Unauthenticated => Self::Unauthenticated,
            Code::QueryTimeout => Self::InitTimeout,
            Code::RateLimited => Self::RateLimited,
            _ => Self::Forbidden,
        }
    }

    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::GoingAway => (1001, "server is shutting down"),
            Self::TooLarge => (1009, "message too large"),
            Self::BadMessage => (4400, "invalid message"),
            Self::NotAcknowledged => (4401, "connection is not acknowledged"),
            Self::Unauthenticated => (4401, "unauthenticated"),
            Self::Forbidden => (4403, "forbidden"),
            Self::BadProtocol => (4406, "subprotocol graphql-transport-ws is required"),
            Self::InitTimeout => (4408, "connection initialisation timeout"),
            Self::DuplicateId => (4409, "an operation with this id still runs"),
            Self::SecondInit => (4429, "too many initialisation requests"),
            Self::RateLimited => (4429, "too many requests"),
        };
        CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        }
    }
}

/// A message from the client, its payloads still unread.
#[derive(Debug)]
pub(super) enum FromClient<'a> {
    Init(Option<Value>),
    Ping,
    Pong,
    Subscribe {
        id: Cow<'a, str>,
        payload: &'a RawValue,
    },
    Complete {
        id: Cow<'a, str>,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Id<'a>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Serde borrows inside a newtype, but not inside an option of a `Cow`.
#[derive(Deserialize)]
struct Id<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> FromClient<'a> {
    /// # Errors
    /// [`Close::BadMessage`] for anything that is not a message of the protocol.
    pub(super) fn parse(text: &'a str) -> Result<Self, Close> {
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|_| Close::BadMessage)?;
        let id = || envelope.id.map(|id| id.0).filter(|id| !id.is_empty());
        match &*envelope.r#type {
            "connection_init" => parse_hello(envelope.payload).map(Self::Init),
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            "subscribe" => {
                let payload = envelope.payload.ok_or(Close::BadMessage)?;
                let id = id().ok_or(Close::BadMessage)?;
                Ok(Self::Subscribe { id, payload })
            }
            "complete" => Ok(Self::Complete {
                id: id().ok_or(Close::BadMessage)?,
            }),
            _ => Err(Close::BadMessage),
        }
    }
}

fn parse_hello(payload: Option<&RawValue>) -> Result<Option<Value>, Close> {
    let Some(payload) = payload else {
        return Ok(None);
    };
    match serde_json::from_str(payload.get()) {
        Ok(Value::Null) => Ok(None),
        Ok(object @ Value::Object(_)) => Ok(Some(object)),
        _ => Err(Close::BadMessage),
    }
}

pub(super) const fn acknowledge() -> Message {
    Message::Text(Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#))
}

pub(super) const fn pong() -> Message {
    Message::Text(Utf8Bytes::from_static(r#"{"type":"pong"}"#))
}

/// `error` ends an operation that was refused; every other answer is a `next`.
pub(super) fn answer(id: &str, answer: &Answer) -> Message {
    let refused = answer.refused.is_some();
    let mut out = head(id, if refused { "error" } else { "next" });
    out.extend_from_slice(br#","payload":"#);
    if refused {
        encode::write_errors(&answer.response.errors, &mut out);
    } else {
        encode::write(answer, &mut out);
    }
    end(out)
}

pub(super) fn complete(id: &str) -> Message {
    end(head(id, "complete"))
}

fn head(id: &str, kind: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(br#"{"id":"#);
    // A string always has a JSON form, and a vector takes any number of bytes.
    let _ = serde_json::to_writer(&mut out, id);
    out.extend_from_slice(br#","type":""#);
    out.extend_from_slice(kind.as_bytes());
    out.push(b'"');
    out
}

fn end(mut out: Vec<u8>) -> Message {
    out.push(b'}');
    // JSON text is UTF-8 by construction; the check costs less than a copy would.
    Message::Text(String::from_utf8(out).unwrap_or_default().into())
}
