//! Everything that can go wrong with a log, each with a code that never changes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::Position;

/// Why the log refused or failed. Clonable, because one failure answers many waiting commands.
///
/// The codes of [`LogError::code`] are a published contract; the messages are for people.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Another process, or another handle of this one, has the directory open.
    #[error("log directory {} is in use", dir.display())]
    Locked {
        /// The directory of the log.
        dir: PathBuf,
    },
    /// The directory holds a format that this build cannot read. Nothing was touched.
    #[error("log format {found:?} is not supported, this build reads {supported:?}")]
    UnsupportedVersion {
        /// The first line of the `FORMAT` file as found.
        found: String,
        /// The one this build writes.
        supported: String,
    },
    /// The log belongs to somebody else. Nothing was touched.
    #[error("log belongs to organisation {found}, not to {expected}")]
    WrongOrganisation {
        /// The organisation the caller asked for.
        expected: Uuid,
        /// The organisation on disk.
        found: Uuid,
    },
    /// Stored data is not what was acknowledged. Nothing was cut away: the range names what is
    /// untrustworthy, everything before `first` is whole.
    #[error("log is damaged at positions {first} to {last}: {what}")]
    Damaged {
        /// What was found, and what can be done about it.
        what: String,
        /// The first position that cannot be trusted.
        first: Position,
        /// The last position known to be concerned.
        last: Position,
    },
    /// Free space is below the configured limit. Nothing was written; the next append tries again.
    #[error("{free} bytes are free and {required} are required before writing")]
    LowSpace {
        /// Bytes free on the file system.
        free: u64,
        /// Bytes that must be free.
        required: u64,
    },
    /// A write or a sync failed earlier. Only closing and opening again leads out.
    #[error("log has stopped writing: {reason}")]
    Stopped {
        /// The first failure.
        reason: String,
    },
    /// One commit is over [`MAX_COMMIT_BYTES`](crate::MAX_COMMIT_BYTES). Nothing was written.
    #[error("commit of command {command_id} has {bytes} bytes, the limit is {limit}")]
    CommitTooLarge {
        /// The command whose commit it is.
        command_id: Uuid,
        /// Its encoded size.
        bytes: usize,
        /// The published limit.
        limit: usize,
    },
    /// A commit breaks a rule of the format. Nothing was written.
    #[error("commit of command {command_id} is not valid: {what}")]
    InvalidCommit {
        /// The command whose commit it is.
        command_id: Uuid,
        /// The rule.
        what: &'static str,
    },
    /// The command has been committed before. Nothing was written.
    #[error("command {command_id} is already committed at position {position}")]
    DuplicateCommand {
        /// The command.
        command_id: Uuid,
        /// Where it stands; the position it would have got when the double is in the same group.
        position: Position,
    },
    /// The log has moved on since the caller looked. Nothing was written.
    #[error("expected the head at position {expected}, it is at {actual}")]
    UnexpectedHead {
        /// The head the caller decided upon.
        expected: Position,
        /// The head there is.
        actual: Position,
    },
    /// The index has not kept up within its bound of memory and time. Nothing was written.
    #[error("index is {waiting} commits behind and does not catch up: {reason}")]
    IndexBehind {
        /// Commits waiting to be indexed.
        waiting: usize,
        /// What the index reports, empty when it is only slow.
        reason: String,
    },
    /// The derived index failed. Deleting `index.sqlite` and opening again rebuilds it.
    #[error("index failed: {what}")]
    Index {
        /// What failed.
        what: String,
    },
    /// The log was opened for reading only.
    #[error("log is open for reading only")]
    ReadOnly,
    /// The log has been closed.
    #[error("log is closed")]
    Closed,
    /// There is no log, no archive, or something else in this place.
    #[error("{} {what}", path.display())]
    NotUsable {
        /// The place.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system said no.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The cause.
        source: Arc<io::Error>,
    },
}

impl LogError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "LOG_LOCKED",
            Self::UnsupportedVersion { .. } => "LOG_VERSION_UNSUPPORTED",
            Self::WrongOrganisation { .. } => "LOG_WRONG_ORGANISATION",
            Self::Damaged { .. } => "LOG_DAMAGED",
            Self::LowSpace { .. } => "LOG_LOW_SPACE",
            Self::Stopped { .. } => "LOG_STOPPED",
            Self::CommitTooLarge { .. } => "LOG_COMMIT_TOO_LARGE",
            Self::InvalidCommit { .. } => "LOG_COMMIT_INVALID",
            Self::DuplicateCommand { .. } => "LOG_DUPLICATE_COMMAND",
            Self::UnexpectedHead { .. } => "LOG_UNEXPECTED_HEAD",
            Self::IndexBehind { .. } => "LOG_INDEX_BEHIND",
            Self::Index { .. } => "LOG_INDEX",
            Self::ReadOnly => "LOG_READ_ONLY",
            Self::Closed => "LOG_CLOSED",
            Self::NotUsable { .. } => "LOG_NOT_USABLE",
            Self::Io { .. } => "LOG_IO",
        }
    }

    /// Wraps an I/O error with what was being done, for use in `map_err`.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what,
            path: path.to_path_buf(),
            source: Arc::new(source),
        }
    }

    /// Gives a damage its range if it has none yet: sled cannot say which positions it failed to
    /// read, but whoever asked can.
    pub(crate) fn located(self, first: Position, last: Position) -> Self {
        match self {
            Self::Damaged { what, first: 0, .. } => Self::Damaged {
                what,
                first,
                last: last.max(first),
            },
            other => other,
        }
    }

    pub(crate) fn damaged(what: impl ToString, first: Position, last: Position) -> Self {
        Self::Damaged {
            what: what.to_string(),
            first,
            last,
        }
    }
}

impl From<rusqlite::Error> for LogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index {
            what: error.to_string(),
        }
    }
}
