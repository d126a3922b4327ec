//! Every code that a caller can meet in `extensions.code`, and how a fault becomes an answer.
//!
//! The executor's own errors carry no code. [`finish`] gives each of them one before the answer
//! leaves, and hides the words of those that are ours to fix: the caller gets a trace id, the log
//! gets the words.

use std::borrow::Cow;
use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError, Value};
use async_graphql_value::Value as Input;
use http::StatusCode;

/// The code table. Callers match on these words, so a variant is never renamed or reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit the schema, or asks for the schema where introspection is off.
    ValidationFailed,
    /// A variable or argument value does not fit its type.
    BadUserInput,
    /// The document holds no operation of the given name, or several and no name was given.
    OperationResolutionFailure,
    /// A limit on depth, cost, aliases, root fields, tokens, nesting or directives is exceeded.
    /// `extensions.limit`, `allowed` and `actual` say which and by how much.
    QueryTooComplex,
    /// The operation did not finish within the time limit.
    QueryTimeout,
    /// The request is not a GraphQL request: malformed JSON, wrong parameter types, bad header.
    BadRequest,
    /// The body holds a list of requests.
    BatchingUnsupported,
    /// A mutation over GET, or a method other than GET and POST.
    MethodNotAllowed,
    /// No acceptable media type can carry this answer.
    NotAcceptable,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is larger than allowed.
    PayloadTooLarge,
    /// The body is not `application/json` in UTF-8.
    UnsupportedMediaType,
    /// The path leads nowhere.
    NotFound,
    /// Nobody could be established who asks; over HTTP with `WWW-Authenticate`.
    Unauthenticated,
    /// The actor or the origin may not do this, or the server is not asked under this name.
    Forbidden,
    /// Nobody may work in the organisation for the time being.
    OrganisationSuspended,
    /// Too many requests, too much cost in too short a time, or too many operations on one socket.
    /// `extensions.retryAfterMs` and over HTTP `Retry-After` say when there is room again, where
    /// time makes room.
    RateLimited,
    /// The read model did not reach the position asked for in time.
    ProjectionLagging,
    /// As many organisations are in use as the server may have open at once.
    TooManyOpen,
    /// The server is shutting down, or the organisation is still being opened.
    ServiceUnavailable,
    /// A fault of ours. The words are in the log under the trace id.
    InternalServerError,
}

impl Code {
    /// Every code, in the order of the table.
    pub const ALL: [Self; 22] = [
        Self::ParseFailed,
        Self::ValidationFailed,
        Self::BadUserInput,
        Self::OperationResolutionFailure,
        Self::QueryTooComplex,
        Self::QueryTimeout,
        Self::BadRequest,
        Self::BatchingUnsupported,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::NotFound,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::OrganisationSuspended,
        Self::RateLimited,
        Self::ProjectionLagging,
        Self::TooManyOpen,
        Self::ServiceUnavailable,
        Self::InternalServerError,
    ];

    /// The word in `extensions.code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::QueryTimeout => "QUERY_TIMEOUT",
            Self::BadRequest => "BAD_REQUEST",
            Self::BatchingUnsupported => "BATCHING_UNSUPPORTED",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::RequestTimeout => "REQUEST_TIMEOUT",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::NotFound => "NOT_FOUND",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::OrganisationSuspended => "ORGANISATION_SUSPENDED",
            Self::RateLimited => "RATE_LIMITED",
            Self::ProjectionLagging => "PROJECTION_LAGGING",
            Self::TooManyOpen => "TOO_MANY_OPEN",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The status of an answer that holds nothing but this error.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::OrganisationSuspended => StatusCode::FORBIDDEN,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::QueryTimeout
            | Self::ProjectionLagging
            | Self::TooManyOpen
            | Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the request failed before it was a GraphQL request. Such answers keep their
    /// status under `application/json`, where a GraphQL answer is always 200. So do those that turn
    /// a client away, whatever it asked for.
    #[must_use]
    pub const fn precedes_graphql(self) -> bool {
        matches!(
            self,
            Self::BadRequest
                | Self::Unauthenticated
                | Self::Forbidden
                | Self::OrganisationSuspended
                | Self::RateLimited
                | Self::TooManyOpen
                | Self::ServiceUnavailable
                | Self::BatchingUnsupported
                | Self::MethodNotAllowed
                | Self::NotAcceptable
                | Self::RequestTimeout
                | Self::PayloadTooLarge
                | Self::UnsupportedMediaType
                | Self::NotFound
        )
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// A request that the transport refuses before anything is executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What the caller can match on.
    pub code: Code,
    /// What a person reads.
    pub message: Cow<'static, str>,
    /// Where in the document, when that is known.
    pub locations: Vec<Pos>,
    /// Which limit, what it allows and what was asked for, for [`Code::QueryTooComplex`].
    pub excess: Option<Excess>,
    /// After which time the same request may pass.
    pub retry_after: Option<Duration>,
}

/// By how much a document exceeds a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// The name of the limit.
    pub limit: &'static str,
    /// The largest value that passes.
    pub allowed: u64,
    /// The value found; counting may stop early, so the true one can be larger.
    pub actual: u64,
}

impl Fault {
    /// A fault with no place in the document.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            locations: Vec::new(),
            excess: None,
            retry_after: None,
        }
    }

    /// The same fault at a place in the document.
    #[must_use]
    pub fn at(mut self, pos: Pos) -> Self {
        self.locations.push(pos);
        self
    }

    /// The same fault, which time heals.
    #[must_use]
    pub const fn after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// A limit that the document exceeds.
    #[must_use]
    pub fn exceeds(limit: &'static str, allowed: u64, actual: u64) -> Self {
        let message = format!("the document exceeds the limit on {limit}: {actual} of {allowed}");
        let excess = Some(Excess {
            limit,
            allowed,
            actual,
        });
        Self {
            excess,
            ..Self::new(Code::QueryTooComplex, message)
        }
    }

    /// The answer that holds nothing but this fault.
    #[must_use]
    pub fn into_response(self) -> Response {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code.as_str());
        if let Some(excess) = self.excess {
            extensions.set("limit", excess.limit);
            extensions.set("allowed", excess.allowed);
            extensions.set("actual", excess.actual);
        }
        if let Some(time) = self.retry_after {
            let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            extensions.set(RETRY_AFTER_MS, time_ms.max(1));
        }
        let mut error = ServerError::new(self.message, None);
        error.locations = self.locations;
        error.extensions = Some(extensions);
        Response::from_errors(vec![error])
    }
}

impl From<async_graphql::parser::Error> for Fault {
    fn from(error: async_graphql::parser::Error) -> Self {
        use async_graphql::parser::Error;
        if matches!(error, Error::RecursionLimitExceeded) {
            return Self::exceeds("nesting", 64, 65);
        }
        let words = error.to_string();
        // A syntax error draws the line it stands on, however long; only what was expected there
        // is kept, the place is told apart.
        let expected = words
            .rsplit_once("\n  = ")
            .map_or(&*words, |(_, expected)| expected);
        let message = format!("syntax error: {expected}");
        Self {
            locations: error.positions().collect(),
            ..Self::new(Code::ParseFailed, message)
        }
    }
}

/// The code of an error that already carries one.
#[must_use]
pub fn code_of(error: &ServerError) -> Option<Code> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(word) => Code::parse(word),
        _ => None,
    }
}

/// Milliseconds after which the same request may pass, in the extensions of an error.
const RETRY_AFTER_MS: &str = "retryAfterMs";

/// The seconds of `Retry-After`, for an answer whose first error says when to come back.
pub(super) fn retry_after(response: &Response) -> Option<u64> {
    let extensions = response.errors.first()?.extensions.as_ref()?;
    match extensions.get(RETRY_AFTER_MS)? {
        Value::Number(time_ms) => Some(time_ms.as_u64()?.div_ceil(1000).max(1)),
        _ => None,
    }
}

/// Whether the answer is the refusal of a whole request: nothing was executed, so by the
/// specification it has no `data` entry at all.
#[must_use]
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Errors in one answer; a broken document can have one at every token.
const ERRORS_MAX: usize = 50;

/// Gives every error of an executed request its code and masks our own faults.
///
/// `document` tells a bad variable from a bad literal, `known` whether words may name what the
/// client did not send; `trace_id` is what a caller quotes.
pub fn finish(
    response: &mut Response,
    document: &ExecutableDocument,
    known: Known,
    trace_id: &str,
) {
    response.errors.truncate(ERRORS_MAX);
    for error in &mut response.errors {
        let coded = error.extensions.as_ref().and_then(|held| held.get("code"));
        let code = match coded {
            Some(Value::String(word)) if word == Code::InternalServerError.as_str() => {
                Code::InternalServerError
            }
            Some(_) => continue,
            None => classify(error, document),
        };
        if code == Code::InternalServerError {
            mask(error, trace_id);
        } else if known == Known::Nothing {
            error.message = unnamed(code).to_owned();
        }
        error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default)
            .set("code", code.as_str());
    }
}

/// What a client may learn of the schema from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Everything: it can ask for it anyway.
    Schema,
    /// Nothing beyond what it sent. The executor's words name types and required fields, so none
    /// of them is passed on; the place in the document is, which only the client's own text has.
    Nothing,
}

/// What an error of the executor says to a client that may not learn the schema.
const fn unnamed(code: Code) -> &'static str {
    match code {
        Code::BadUserInput => "a value does not fit where it is used",
        _ => "the document does not fit the schema",
    }
}

/// Errors of the executor have no path before execution begins and always one after.
fn classify(error: &ServerError, document: &ExecutableDocument) -> Code {
    if error.path.is_empty() {
        let by_variable = error
            .locations
            .first()
            .is_some_and(|pos| argument_takes_variable(document, *pos));
        return if by_variable {
            Code::BadUserInput
        } else {
            Code::ValidationFailed
        };
    }
    if is_refused_input(error) {
        Code::BadUserInput
    } else {
        Code::InternalServerError
    }
}

/// Whether the executor met an input that does not fit its type.
pub(super) fn refuses_input(response: &Response) -> bool {
    response.errors.iter().any(is_refused_input)
}

/// An input that does not fit its type fails inside the executor, which keeps no source for it;
/// an error that a resolver raises from any `Display` value always has one.
fn is_refused_input(error: &ServerError) -> bool {
    error.source.is_none()
        && (error.message.starts_with("Failed to parse \"")
            || error.message.starts_with("Expected input type \""))
}

fn mask(error: &mut ServerError, trace_id: &str) {
    tracing::error!(trace_id, path = ?error.path, message = %error.message, "internal error");
    error.message = "internal error".to_owned();
    error.source = None;
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("traceId", trace_id);
    error.extensions = Some(extensions);
}

/// The masked answer for a fault that never became a GraphQL error, such as a panic.
#[must_use]
pub fn internal(trace_id: &str) -> Response {
    let mut response = Fault::new(Code::InternalServerError, "internal error").into_response();
    for error in &mut response.errors {
        if let Some(extensions) = error.extensions.as_mut() {
            extensions.set("traceId", trace_id);
        }
    }
    response
}

fn argument_takes_variable(document: &ExecutableDocument, pos: Pos) -> bool {
    let in_operations = document
        .operations
        .iter()
        .map(|(_, found)| &found.node.selection_set);
    let in_fragments = document
        .fragments
        .values()
        .map(|found| &found.node.selection_set);
    in_operations
        .chain(in_fragments)
        .any(|set| set_takes_variable(&set.node, pos))
}

fn set_takes_variable(set: &SelectionSet, pos: Pos) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => {
            field_takes_variable(&field.node, pos)
                || set_takes_variable(&field.node.selection_set.node, pos)
        }
        Selection::InlineFragment(inner) => set_takes_variable(&inner.node.selection_set.node, pos),
        Selection::FragmentSpread(_) => false,
    })
}

fn field_takes_variable(field: &Field, pos: Pos) -> bool {
    field
        .arguments
        .iter()
        .any(|(name, value)| name.pos == pos && holds_variable(&value.node))
}

fn holds_variable(value: &Input) -> bool {
    match value {
        Input::Variable(_) => true,
        Input::List(items) => items.iter().any(holds_variable),
        Input::Object(fields) => fields.values().any(holds_variable),
        _ => false,
    }
}
