//! A block: the unit of storage, of hashing and of archiving.
//!
//! ```text
//!   0  magic "DBKB"            4 │ 24  crc32                 4
//!   4  format version          2 │ 28  zero                  4
//!   6  fragment index          2 │ 32  organisation         16
//!   8  fragment count          2 │ 48  first position        8
//!  10  zero                    2 │ 56  previous hash        32
//!  12  commit count            4 │ 88  hash                 32
//!  16  event count             4 │ 120 payload: commits, or a piece of one
//!  20  payload length          4 │
//! ```
//!
//! The hash covers bytes 0..24, 32..88 and the payload, so it covers everything but itself and
//! the checksum. The checksum covers everything but itself; it is the cheap check of every read,
//! the hash the full one of opening and `verify`.
//!
//! A block has at most [`MAX_BLOCK_BYTES`]: sled writes larger values to files of their own,
//! which it never syncs. A commit that does not fit spans several blocks, its *fragments*: they
//! share the first position, are numbered from 0, each names the whole commit's event count, and
//! only the last one counts the commit (commit count 1, the others 0).

use bytes::Bytes;
use uuid::Uuid;

use crate::Position;
use crate::commit::{self, Commit, CommitRefs};
use crate::hash::Hash;
use crate::wire::{Input, u32_of, usize_of};

/// The greatest size of a stored block, header included.
pub const MAX_BLOCK_BYTES: usize = 8192;

pub(crate) const HEADER_BYTES: usize = 120;
pub(crate) const MAX_PAYLOAD_BYTES: usize = MAX_BLOCK_BYTES - HEADER_BYTES;
/// First position and fragment index, both big endian: keys sort in the order of the chain.
pub(crate) const KEY_BYTES: usize = 10;

const MAGIC: [u8; 4] = *b"DBKB";
const FORMAT_VERSION: u16 = 1;

/// What is wrong with one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// Too short, too long, or the length field disagrees.
    #[error("block has the wrong length")]
    Length,
    /// It does not begin as a block.
    #[error("block has no block header")]
    Magic,
    /// Its format version is unknown.
    #[error("block has unknown format version {0}")]
    Version(u16),
    /// A bit has changed.
    #[error("block checksum does not match")]
    Checksum,
    /// It belongs to another organisation.
    #[error("block belongs to another organisation")]
    Organisation,
    /// It is stored under a key that is not its own.
    #[error("block is stored under a foreign key")]
    Key,
    /// The hash is not that of its content.
    #[error("block hash does not match its content")]
    Hash,
    /// It does not name its predecessor.
    #[error("block does not link to its predecessor")]
    Link,
    /// It is not the next one.
    #[error("expected a block at position {expected}, found one at {found}")]
    Gap {
        /// The position that should follow.
        expected: Position,
        /// The position that follows.
        found: Position,
    },
    /// A fragment is missing or out of order.
    #[error("fragments of the commit are not complete and in order")]
    Fragments,
    /// The payload is not made of the commits that the header announces.
    #[error("block content does not match its counts")]
    Content,
}

/// The fields of a block that its content does not already say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) first: Position,
    pub(crate) fragment: (u16, u16),
    pub(crate) commits: u32,
    pub(crate) events: u32,
    pub(crate) previous: Hash,
}

/// One stored value: a header that has been checked, and the bytes.
#[derive(Clone, Debug)]
pub(crate) struct RawBlock {
    outline: Outline,
    hash: Hash,
    bytes: Bytes,
}

impl RawBlock {
    /// Builds the bytes of a block and its hash.
    pub(crate) fn seal(organisation: Uuid, outline: Outline, payload: &[u8]) -> Self {
        debug_assert!(
            payload.len() <= MAX_PAYLOAD_BYTES,
            "the packer keeps to the limit"
        );
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
        bytes.extend_from_slice(&outline.fragment.0.to_be_bytes());
        bytes.extend_from_slice(&outline.fragment.1.to_be_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&outline.commits.to_be_bytes());
        bytes.extend_from_slice(&outline.events.to_be_bytes());
        bytes.extend_from_slice(&u32_of(payload.len()).to_be_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(organisation.as_bytes());
        bytes.extend_from_slice(&outline.first.to_be_bytes());
        bytes.extend_from_slice(&outline.previous.0);
        let hash = Hash::of_block([&bytes[..24], &bytes[32..88], payload]);
        bytes.extend_from_slice(&hash.0);
        bytes.extend_from_slice(payload);
        let crc = checksum(&bytes);
        bytes[24..28].copy_from_slice(&crc.to_be_bytes());
        Self {
            outline,
            hash,
            bytes: bytes.into(),
        }
    }

    /// Reads a stored value. Checks everything but the hash and the payload's structure.
    pub(crate) fn parse(bytes: Bytes, organisation: Uuid) -> Result<Self, BlockFault> {
        if bytes.len() < HEADER_BYTES || bytes.len() > MAX_BLOCK_BYTES {
            return Err(BlockFault::Length);
        }
        let header = Header::read(&bytes).ok_or(BlockFault::Length)?;
        if header.magic != MAGIC {
            return Err(BlockFault::Magic);
        }
        if header.version != FORMAT_VERSION {
            return Err(BlockFault::Version(header.version));
        }
        if HEADER_BYTES + usize_of(header.payload_bytes) != bytes.len() {
            return Err(BlockFault::Length);
        }
        if checksum(&bytes) != header.crc {
            return Err(BlockFault::Checksum);
        }
        if header.organisation != organisation {
            return Err(BlockFault::Organisation);
        }
        Ok(Self {
            outline: header.outline,
            hash: header.hash,
            bytes,
        })
    }

    /// Computes the hash again, which [`RawBlock::parse`] does not.
    pub(crate) fn check_hash(&self) -> Result<(), BlockFault> {
        let payload = &self.bytes[HEADER_BYTES..];
        let hash = Hash::of_block([&self.bytes[..24], &self.bytes[32..88], payload]);
        if hash == self.hash {
            Ok(())
        } else {
            Err(BlockFault::Hash)
        }
    }

    pub(crate) fn outline(&self) -> &Outline {
        &self.outline
    }

    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn payload(&self) -> Bytes {
        self.bytes.slice(HEADER_BYTES..)
    }

    pub(crate) fn key(&self) -> [u8; KEY_BYTES] {
        key(self.outline.first, self.outline.fragment.0)
    }

    /// Whether this block alone is whole, which all but fragments are.
    pub(crate) fn is_single(&self) -> bool {
        self.outline.fragment == (0, 1)
    }

    /// The last position that is whole once this block and all before it are stored; `None` for
    /// a fragment that others must follow.
    pub(crate) fn last(&self) -> Option<Position> {
        let commits = u64::from(self.outline.commits);
        (commits > 0).then(|| self.outline.first.saturating_add(commits - 1))
    }
}

struct Header {
    magic: [u8; 4],
    version: u16,
    payload_bytes: u32,
    crc: u32,
    organisation: Uuid,
    outline: Outline,
    hash: Hash,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::new(bytes);
        let magic = input.array()?;
        let version = input.u16()?;
        let fragment = (input.u16()?, input.u16()?);
        let _zero = input.u16()?;
        let (commits, events, payload_bytes) = (input.u32()?, input.u32()?, input.u32()?);
        let crc = input.u32()?;
        let _zero = input.u32()?;
        let organisation = Uuid::from_bytes(input.array()?);
        let first = input.u64()?;
        let previous = Hash(input.array()?);
        let hash = Hash(input.array()?);
        let outline = Outline {
            first,
            fragment,
            commits,
            events,
            previous,
        };
        Some(Self {
            magic,
            version,
            payload_bytes,
            crc,
            organisation,
            outline,
            hash,
        })
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..24]);
    hasher.update(&bytes[28..]);
    hasher.finalize()
}

/// The key under which a block is stored.
pub(crate) fn key(first: Position, fragment: u16) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..].copy_from_slice(&fragment.to_be_bytes());
    key
}

/// First position and fragment index of a key.
pub(crate) fn read_key(key: &[u8]) -> Option<(Position, u16)> {
    let mut input = Input::new(key);
    let parts = (input.u64()?, input.u16()?);
    input.is_empty().then_some(parts)
}

/// A whole, checked run of commits: one stored block, or all fragments of one large commit.
#[derive(Clone, Debug)]
pub struct Block {
    first: Position,
    commits: u32,
    events: u32,
    hash: Hash,
    payload: Bytes,
}

impl Block {
    /// Checks the structure of the payload, after which its commits can be walked without errors.
    pub(crate) fn new(last: &RawBlock, payload: Bytes) -> Result<Self, BlockFault> {
        let Outline {
            first,
            commits,
            events,
            ..
        } = *last.outline();
        if commits == 0 || !commit::check_payload(&payload, commits, events) {
            return Err(BlockFault::Content);
        }
        Ok(Self {
            first,
            commits,
            events,
            hash: last.hash(),
            payload,
        })
    }

    /// The position of its first commit.
    #[must_use]
    pub fn first(&self) -> Position {
        self.first
    }

    /// The position of its last commit.
    #[must_use]
    pub fn last(&self) -> Position {
        self.first.saturating_add(u64::from(self.commits)) - 1
    }

    /// How many events its commits have together.
    #[must_use]
    pub fn event_count(&self) -> u32 {
        self.events
    }

    /// The hash of the chain at its end.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its commits in order, borrowed.
    #[must_use]
    pub fn commits(&self) -> CommitRefs<'_> {
        CommitRefs::new(self.first, &self.payload)
    }

    /// Its commits in order, sharing its bytes.
    #[must_use]
    pub fn to_commits(&self) -> Vec<Commit> {
        commit::owned_commits(self.first, &self.payload)
    }
}
