//! What can go wrong in the store.

/// A technical fault of the read models. None of them harms the log: a rebuild heals them all.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the read model cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A document does not fit its type.
    #[error("a document of the read model is broken: {0}")]
    Document(#[from] serde_json::Error),
    /// A file could not be made, moved or removed.
    #[error("a file of the read model cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// A commit from the log that does not follow the last one.
    #[error("commit {got} does not follow position {at}")]
    Gap {
        /// The last position applied.
        at: u64,
        /// The position that came.
        got: u64,
    },
    /// An envelope that cannot be read.
    #[error("the envelope of commit {position} is broken: {source}")]
    Envelope {
        /// The commit.
        position: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A query took longer than it may.
    #[error("the query took longer than it may")]
    Interrupted,
}

impl StoreError {
    /// The error of a query, which may have been stopped.
    pub(crate) fn in_query(self) -> Self {
        match self {
            Self::Sqlite(error) => Self::from_query(error),
            other => other,
        }
    }

    fn from_query(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::Interrupted,
            _ => Self::Sqlite(error),
        }
    }
}
