//! What can go wrong around an organisation, apart from commands.

use daybook_eventlog::LogError;
use daybook_keyring::KeyError;
use daybook_projections::store::StoreError;
use daybook_schema::EventError;

/// A fault of opening, running or closing an organisation.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read models.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key ring.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A fact that has to be acted upon and that this build cannot read.
    #[error("the record cannot be carried out: {0}")]
    Event(#[from] EventError),
    /// A folder or file of the organisation.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// The folder or file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder says something that this build does not understand.
    #[error("`{path}` is not a data folder of this version: {problem}")]
    Format {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder holds no organisation, and the work at hand does not found one.
    #[error("`{path}` holds no organisation")]
    Missing {
        /// The folder.
        path: String,
    },
    /// A command that opening itself issues was not done.
    #[error("founding failed: {0}")]
    Founding(crate::CommandError),
    /// A founding command was refused by a rule.
    #[error("founding was refused: {0}")]
    FoundingRefused(String),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] crate::demo::DemoError),
    /// The system gives no randomness.
    #[error("no secret can be made: {0}")]
    Randomness(String),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

impl AppError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log(error) => error.code(),
            Self::Store(_) => "READ_MODEL_UNUSABLE",
            Self::Keys(error) => error.code(),
            Self::Event(_) => "EVENT_UNREADABLE",
            Self::File { .. } => "FILE_UNUSABLE",
            Self::Format { .. } => "DATA_FOLDER_UNSUPPORTED",
            Self::Missing { .. } => "DATA_FOLDER_MISSING",
            Self::Founding(error) => error.code(),
            Self::FoundingRefused(_) => "FOUNDING_REFUSED",
            Self::Demo(error) => error.code(),
            Self::Randomness(_) => "RANDOMNESS_UNAVAILABLE",
            Self::Thread(_) => "THREAD_UNAVAILABLE",
        }
    }
}
