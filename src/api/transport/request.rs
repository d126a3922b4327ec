//! From bytes to a request that the GraphQL side can run.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Extensions, Value, Variables};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::document::Document;
use super::errors::{Code, Fault};
use super::identity::Identity;
use super::peer::Peer;

/// Names the position that a query must see at least, as a decimal number.
pub const AT_LEAST: HeaderName = HeaderName::from_static("daybook-at-least");
/// Makes a command idempotent where its input names no `commandId`.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest `Idempotency-Key`, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// A request that has passed every check which needs no schema.
#[derive(Debug)]
pub struct GraphQlRequest {
    /// Ready for the executor: the parsed document is set, so the query text is left empty.
    pub inner: async_graphql::Request,
    /// The parsed document, shared with the cache.
    pub document: Arc<Document>,
    /// What kind of operation will run. A mutation never comes by GET.
    pub kind: OperationType,
    /// The cost of the operation, within the limit.
    pub cost: u64,
    /// What the caller can still spend; none where nothing limits it.
    pub available: Option<u64>,
    /// Whether an executor may leave validation out: the document has passed it before, nothing
    /// is changed by running it, and an input that turns out not to fit makes the transport ask
    /// again without trust. An executor that always validates is right too, only slower.
    pub trusted: bool,
    /// What the headers and the socket say.
    pub context: RequestContext,
}

impl GraphQlRequest {
    /// The same request once more, to be validated. Extensions are not repeated: a request that
    /// has any is never trusted.
    pub(super) fn doubt(&self) -> Doubt {
        Doubt {
            document: Arc::clone(&self.document),
            operation_name: self.inner.operation_name.clone(),
            variables: self.inner.variables.clone(),
            cost: self.cost,
            available: self.available,
            context: self.context.clone(),
        }
    }
}

/// What is needed to ask a trusted query again.
pub(super) struct Doubt {
    document: Arc<Document>,
    operation_name: Option<String>,
    variables: Variables,
    cost: u64,
    available: Option<u64>,
    context: RequestContext,
}

impl Doubt {
    pub(super) fn into_request(self) -> GraphQlRequest {
        let mut inner = async_graphql::Request::new(String::new());
        inner.operation_name = self.operation_name;
        inner.variables = self.variables;
        inner.set_parsed_query(self.document.syntax().clone());
        GraphQlRequest {
            inner,
            document: self.document,
            kind: OperationType::Query,
            cost: self.cost,
            available: self.available,
            trusted: false,
            context: self.context,
        }
    }
}

/// The answer of the GraphQL side. Errors without a code are given one by the transport.
pub type GraphQlResponse = async_graphql::Response;

/// What a request brings besides its document.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Names the request in answers and logs.
    pub request_id: RequestId,
    /// The headers of the request, or those with which the socket was opened.
    pub headers: Arc<HeaderMap>,
    /// The payload of `connection_init`, for an operation on a socket that sent one.
    pub hello: Option<Arc<Value>>,
    /// How the request came.
    pub carrier: Carrier,
    /// The other end of the connection; none where there is no network.
    pub peer: Option<Peer>,
    /// The position that the answer must include, from the header `Daybook-At-Least`.
    pub at_least: Option<u64>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<Box<str>>,
    /// Who asks, as [`authenticate`](super::GraphQl::authenticate) has established; anonymous
    /// until then.
    pub identity: Identity,
}

impl RequestContext {
    /// # Errors
    /// [`Code::BadRequest`] with the name of a header whose value does not fit.
    pub(super) fn new(parts: Parts, carrier: Carrier) -> Result<Self, Fault> {
        let Parts {
            headers,
            extensions,
            ..
        } = parts;
        let at_least = headers.get(AT_LEAST).map(parse_position).transpose()?;
        let idempotency_key = headers.get(IDEMPOTENCY_KEY).map(parse_key).transpose()?;
        let request_id = RequestId::of(&headers);
        let headers = Arc::new(headers);
        Ok(Self {
            request_id,
            headers,
            hello: None,
            carrier,
            peer: extensions.get().copied(),
            at_least,
            idempotency_key,
            identity: Identity::anonymous(),
        })
    }

    /// What the client says under a name, such as `authorization`: in the payload of
    /// `connection_init`, or else in a header. A browser's socket can send no headers, so the
    /// query page puts them into that payload; case does not matter in either.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        if let Some(Value::Object(fields)) = self.hello.as_deref() {
            let mut held = fields
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name));
            if let Some((_, Value::String(text))) = held.next() {
                return Some(text);
            }
        }
        self.headers.get(name)?.to_str().ok()
    }
}

fn parse_position(value: &HeaderValue) -> Result<u64, Fault> {
    let number = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| {
        Fault::new(
            Code::BadRequest,
            format!("header {AT_LEAST} is no position"),
        )
    })
}

fn parse_key(value: &HeaderValue) -> Result<Box<str>, Fault> {
    let key = value.to_str().ok();
    let fits = |key: &&str| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len());
    key.filter(fits).map(Into::into).ok_or_else(|| {
        let message = format!(
            "header {IDEMPOTENCY_KEY} takes 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible characters"
        );
        Fault::new(Code::BadRequest, message)
    })
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// POST, answered once.
    Post,
    /// GET, answered once; never a mutation.
    Get,
    /// A WebSocket.
    Socket,
    /// POST, answered by an event stream.
    PostStream,
    /// GET, answered by an event stream; never a mutation.
    GetStream,
}

/// Names a request in answers and logs; ASCII of at most [`RequestId::BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Longest id taken over from a client, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// The id in the headers, where the outermost layer has put it.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let held = headers.get(REQUEST_ID).cloned();
        Self(held.unwrap_or_else(|| HeaderValue::from_static("none")))
    }

    /// The id of one operation on a socket.
    pub(super) fn nth(&self, operation: u64) -> Self {
        let text = format!("{}-{operation}", self.as_str());
        Self(HeaderValue::from_str(&text).unwrap_or_else(|_| self.0.clone()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// The parameters of a request, borrowed from its body where no escape stands in the way.
#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "camelCase",
    expecting = "an object with query, operationName, variables"
)]
pub(super) struct Params<'a> {
    #[serde(borrow)]
    query: Option<Text<'a>>,
    #[serde(borrow)]
    operation_name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) variables: Variables,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

/// Serde borrows inside a newtype, but not inside an option of a `Cow`.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Params<'a> {
    /// # Errors
    /// [`Code::BatchingUnsupported`] or [`Code::BadRequest`].
    pub(super) fn from_json(body: &'a [u8]) -> Result<Self, Fault> {
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            let message = "batches are not supported: send one request at a time";
            return Err(Fault::new(Code::BatchingUnsupported, message));
        }
        let params: Self = serde_json::from_slice(body)
            .map_err(|error| Fault::new(Code::BadRequest, format!("malformed request: {error}")))?;
        params.require_query()
    }

    /// # Errors
    /// [`Code::BadRequest`].
    pub(super) fn from_query_string(text: &'a str) -> Result<Self, Fault> {
        let mut params = Self {
            query: None,
            operation_name: None,
            variables: Variables::default(),
            extensions: Extensions::default(),
        };
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*key {
                "query" => params.query = Some(Text(value)),
                "operationName" => params.operation_name = Some(Text(value)),
                "variables" if !value.is_empty() => params.variables = parse(&key, &value)?,
                "extensions" if !value.is_empty() => params.extensions = parse(&key, &value)?,
                _ => {}
            }
        }
        params.require_query()
    }

    pub(super) fn query(&self) -> &str {
        self.query.as_ref().map_or("", |text| &text.0)
    }

    /// Some clients send an empty name for none.
    pub(super) fn operation_name(&self) -> Option<&str> {
        let name = self.operation_name.as_ref().map(|text| &*text.0);
        name.filter(|name| !name.is_empty())
    }

    fn require_query(self) -> Result<Self, Fault> {
        if self.query.is_none() {
            return Err(Fault::new(Code::BadRequest, "parameter query is missing"));
        }
        Ok(self)
    }
}

fn parse<T: for<'de> Deserialize<'de>>(key: &str, value: &str) -> Result<T, Fault> {
    serde_json::from_str(value)
        .map_err(|error| Fault::new(Code::BadRequest, format!("malformed {key}: {error}")))
}
