//! The hash that links every block to all blocks before it.

use std::fmt;
use std::sync::LazyLock;

use blake3::Hasher;
use uuid::Uuid;

use crate::Position;

/// Separates these hashes from every other use of BLAKE3, in this product or elsewhere.
const BLOCK_CONTEXT: &str = "daybook event log block v1";
const GENESIS_CONTEXT: &str = "daybook event log genesis v1";

/// Deriving the key costs as much as hashing a small block, so it is done once.
static BLOCK_HASHER: LazyLock<Hasher> = LazyLock::new(|| Hasher::new_derive_key(BLOCK_CONTEXT));

/// A BLAKE3 hash of 32 bytes; shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first block of an organisation's log names as its predecessor. It depends on the
    /// organisation, so that no log can be passed off as another's.
    #[must_use]
    pub fn genesis(organisation: Uuid) -> Self {
        let mut hasher = Hasher::new_derive_key(GENESIS_CONTEXT);
        hasher.update(organisation.as_bytes());
        Self(hasher.finalize().into())
    }

    /// The hash over the given parts, in order.
    pub(crate) fn of_block(parts: [&[u8]; 3]) -> Self {
        let mut hasher = BLOCK_HASHER.clone();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The end of a log: its last position and the hash of the block that ends there.
///
/// Two logs of one organisation with equal heads hold the same bytes, from the first commit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Head {
    /// The last position; 0 when nothing has been committed.
    pub position: Position,
    /// The hash of the last block, or [`Hash::genesis`].
    pub hash: Hash,
}

impl Head {
    /// The head of a log without commits.
    #[must_use]
    pub fn genesis(organisation: Uuid) -> Self {
        Self {
            position: 0,
            hash: Hash::genesis(organisation),
        }
    }
}
