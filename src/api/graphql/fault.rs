//! An error of a resolver, with its code.

use async_graphql::{Context, ErrorExtensions as _, InputType, ServerError, ServerResult};
use daybook_app::CommandError;
use daybook_eventlog::LogError;
use daybook_projections::store::{CursorError, StoreError};

use crate::transport::errors::Code;

/// A resolver's answer.
pub(super) type Answer<T> = Result<T, Fault>;

/// Why a field has no answer.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    code: &'static str,
    message: String,
    retry_after_ms: Option<u32>,
}

impl Fault {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str(),
            message: message.into(),
            retry_after_ms: None,
        }
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "a token is needed")
    }

    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    pub(super) fn retry_after(self, milliseconds: u32) -> Self {
        Self {
            retry_after_ms: Some(milliseconds),
            ..self
        }
    }

    /// The error at a place in the document.
    pub(super) fn at(self, ctx: &Context<'_>) -> ServerError {
        ctx.set_error_path(async_graphql::Error::from(self).into_server_error(ctx.item.pos))
    }
}

/// An argument of the field that is being resolved. What is wrong with it is told at the field: an
/// error without a path says that nothing of the document was executed, which need not be so.
pub(super) fn argument<T: InputType>(ctx: &Context<'_>, name: &str) -> ServerResult<T> {
    let read = ctx.param_value(name, None);
    read.map(|(_, value)| value)
        .map_err(|error| ctx.set_error_path(error))
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        Self::new(fault.message).extend_with(|_, extensions| {
            extensions.set("code", fault.code);
            if let Some(milliseconds) = fault.retry_after_ms {
                extensions.set("retryAfterMs", milliseconds);
            }
        })
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Interrupted => Self::new(Code::QueryTimeout, error.to_string()),
            other => Self::new(Code::InternalServerError, other.to_string()),
        }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            retry_after_ms: None,
        }
    }
}

impl From<CursorError> for Fault {
    fn from(error: CursorError) -> Self {
        Self::bad_input(error.to_string())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Code::InternalServerError, error.to_string())
    }
}

impl From<CommandError> for Fault {
    fn from(error: CommandError) -> Self {
        let retry_after_ms = error.retryable().then_some(100);
        Self {
            code: error.code(),
            message: error.to_string(),
            retry_after_ms,
        }
    }
}
