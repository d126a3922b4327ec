//! What can go wrong with keys.

use std::{io, sync::Arc};

/// A fault of the key ring.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyError {
    /// The database of the keys.
    #[error("the key ring cannot be read or written: {0}")]
    Store(Arc<rusqlite::Error>),
    /// A file of keys.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The text is no master key.
    #[error("a master key is 32 bytes in base64 or hexadecimal, and {origin} holds none")]
    NotMasterKey {
        /// Where it was looked for; never the text itself.
        origin: String,
    },
    /// There are keys, and no master key to open them with.
    #[error("`{path}` holds keys, and no master key was given")]
    MasterKeyMissing {
        /// The database of the keys.
        path: String,
    },
    /// The log holds sealed text, and there are no keys at all.
    #[error("the log holds sealed text, and its keys are gone")]
    RingMissing,
    /// The keys were wrapped by another master key.
    #[error("the master key is not the one that wrapped the keys in `{path}`")]
    WrongMasterKey {
        /// The database of the keys.
        path: String,
    },
    /// The keys belong to another organisation.
    #[error("`{path}` holds the keys of another organisation")]
    WrongOrganisation {
        /// The database of the keys.
        path: String,
    },
    /// Something was sealed under a key that is neither there nor destroyed.
    #[error("the key of `{subject}` is lost: it is not in the key ring, and nobody destroyed it")]
    KeyLost {
        /// Whose key.
        subject: String,
    },
    /// What is sealed does not open: it was altered, or stands where it does not belong.
    #[error("what is sealed for `{subject}` does not open in `{context}`")]
    NotAuthentic {
        /// Whose text.
        subject: String,
        /// Where it was found.
        context: String,
    },
    /// The system has no random bytes, or the text is longer than a cipher takes.
    #[error("the text cannot be sealed")]
    Unsealable,
}

impl KeyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::File { .. } => "KEY_RING_UNUSABLE",
            Self::NotMasterKey { .. } => "MASTER_KEY_INVALID",
            Self::MasterKeyMissing { .. } => "MASTER_KEY_MISSING",
            Self::RingMissing => "KEY_RING_MISSING",
            Self::WrongMasterKey { .. } => "MASTER_KEY_WRONG",
            Self::WrongOrganisation { .. } => "KEY_RING_WRONG_ORGANISATION",
            Self::KeyLost { .. } => "KEY_LOST",
            Self::NotAuthentic { .. } => "SEALED_TEXT_ALTERED",
            Self::Unsealable => "SEALING_FAILED",
        }
    }
}

impl From<rusqlite::Error> for KeyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}
