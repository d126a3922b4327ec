//! Why somebody does not enter an organisation, or a house does not open or close.

use std::sync::Arc;

use daybook_schema::{commit::Refusal, governance::TenantFailure};
use uuid::Uuid;

use crate::{AppError, CommandError};

/// A fault of a house. Clones share their cause: an opening fails for all who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HouseError {
    /// There is no such organisation.
    #[error("organisation {organisation} is unknown")]
    Unknown {
        /// The id.
        organisation: Uuid,
    },
    /// Nobody gets into the organisation for the time being.
    #[error("organisation {organisation} is suspended")]
    Suspended {
        /// The id.
        organisation: Uuid,
    },
    /// A rule about tenants said no.
    #[error("{}", refusal.message)]
    Refused {
        /// Which, and why.
        refusal: Refusal,
    },
    /// What was asked for could not be done.
    #[error("{message}")]
    Failed {
        /// The stable code.
        code: String,
        /// One sentence for a person.
        message: String,
    },
    /// A command was not decided.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// As many organisations as may be open are open and in use.
    #[error("{open_max} organisations are open and in use, and no more may be")]
    Full {
        /// How many may be open.
        open_max: usize,
    },
    /// The opening takes longer than one waits; it goes on.
    #[error("organisation {organisation} is still being opened")]
    Opening {
        /// The id.
        organisation: Uuid,
    },
    /// The organisation could not be opened or founded.
    #[error("organisation {organisation} cannot be opened: {source}")]
    Unopened {
        /// The id.
        organisation: Uuid,
        /// Why.
        source: Arc<AppError>,
    },
    /// The opening ended without an outcome.
    #[error("the opening of organisation {organisation} was cut off")]
    Interrupted {
        /// The id.
        organisation: Uuid,
    },
    /// The house is being closed.
    #[error("the house is closed")]
    Closed,
    /// The house could not be closed, because organisations are in use.
    #[error("{held} organisations are still in use")]
    Held {
        /// How many.
        held: usize,
    },
    /// Another process has the house open.
    #[error("`{path}` is open in another process")]
    Locked {
        /// The folder.
        path: String,
    },
    /// The folder or the master key of the house.
    #[error(transparent)]
    App(Arc<AppError>),
}

impl From<AppError> for HouseError {
    fn from(error: AppError) -> Self {
        Self::App(Arc::new(error))
    }
}

impl From<TenantFailure> for HouseError {
    fn from(failure: TenantFailure) -> Self {
        Self::Failed {
            code: failure.code.to_string(),
            message: failure.message.to_string(),
        }
    }
}

impl HouseError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Unknown { .. } => "ORGANISATION_UNKNOWN",
            Self::Suspended { .. } => "ORGANISATION_SUSPENDED",
            Self::Refused { refusal } => &refusal.code,
            Self::Failed { code, .. } => code,
            Self::Command(error) => error.code(),
            Self::Full { .. } => "TOO_MANY_OPEN",
            Self::Opening { .. } => "ORGANISATION_OPENING",
            Self::Unopened { source, .. } | Self::App(source) => source.code(),
            Self::Interrupted { .. } => "OPENING_INTERRUPTED",
            Self::Closed => "HOUSE_CLOSED",
            Self::Held { .. } => "HOUSE_IN_USE",
            Self::Locked { .. } => "HOUSE_LOCKED",
        }
    }

    /// Whether the same may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::Opening { .. } | Self::Interrupted { .. }
        )
    }
}
