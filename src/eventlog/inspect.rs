//! Decides, at opening, whether sled holds what was acknowledged.
//!
//! Three witnesses stand outside sled: the head record, the end of the archive, and the
//! checkpoint of the index. Sled must reach each of them with the same hash. From the checkpoint
//! on, and for the last [`AT_LEAST`] blocks in any case, every hash and link is computed again.

use bytes::Bytes;
use uuid::Uuid;

use crate::Position;
use crate::block::{self, BlockFault, KEY_BYTES, RawBlock};
use crate::chain::{Chain, Depth};
use crate::error::LogError;
use crate::hash::{Hash, Head};
use crate::index::Builder;
use crate::scan::fault_error;
use crate::store::Store;
use crate::survey::PositionRange;

/// Blocks at the end whose hashes are computed even when the checkpoint is at the head.
const AT_LEAST: usize = 64;
const CHUNK: usize = 64;

/// What sled turned out to hold.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) head: Head,
    pub(crate) verified_blocks: u64,
    /// Fragments at the very end whose commit never became whole.
    pub(crate) torn: Option<Torn>,
}

/// See [`Inspection::torn`].
#[derive(Debug)]
pub(crate) struct Torn {
    pub(crate) range: PositionRange,
    pub(crate) keys: Vec<Bytes>,
}

/// The hash of the block that ends at a position; `None` when none does.
pub(crate) fn hash_at(
    store: &Store,
    organisation: Uuid,
    position: Position,
) -> Result<Option<Hash>, LogError> {
    if position == 0 {
        return Ok(Some(Hash::genesis(organisation)));
    }
    let end = block::key(position.saturating_add(1), 0);
    let Some((_, value)) = store.range_back(&end, 1)?.into_iter().next() else {
        return Ok(None);
    };
    let raw = RawBlock::parse(value, organisation).ok();
    Ok(raw
        .filter(|raw| raw.last() == Some(position))
        .map(|raw| raw.hash()))
}

/// Walks the chain from the builder's checkpoint and adds what the index lacks.
pub(crate) fn inspect(
    store: &Store,
    organisation: Uuid,
    builder: &mut Builder,
) -> Result<Inspection, LogError> {
    check_beginning(store, organisation)?;
    let checkpoint = builder.head();
    let mut walk = Walk::begin(store, organisation, checkpoint)?;
    while let Some(raw) = walk.next()? {
        let accepted = walk.chain.accept(&raw);
        let block = accepted.map_err(|fault| fault_error(fault, &raw))?;
        walk.verified += 1;
        walk.pending.push(Bytes::copy_from_slice(&raw.key()));
        if let Some(block) = block {
            walk.pending.clear();
            if block.last() > checkpoint.position {
                builder.add(&block)?;
            }
        }
    }
    Ok(walk.finish(checkpoint))
}

/// The log begins at position 1, whatever the checkpoint says.
fn check_beginning(store: &Store, organisation: Uuid) -> Result<(), LogError> {
    let Some((key, value)) = store.range(block::key(0, 0), 1)?.into_iter().next() else {
        return Ok(());
    };
    let (first, fragment) = block::read_key(&key).unwrap_or_default();
    if (first, fragment) != (1, 0) {
        return Err(LogError::damaged(
            "the beginning is missing",
            1,
            first.max(2) - 1,
        ));
    }
    let raw = RawBlock::parse(value, organisation);
    let raw = raw.map_err(|fault| LogError::damaged(fault, 1, 1))?;
    let linked = raw.outline().previous == Hash::genesis(organisation);
    if linked {
        Ok(())
    } else {
        Err(fault_error(BlockFault::Link, &raw))
    }
}

struct Walk<'a> {
    store: &'a Store,
    organisation: Uuid,
    chain: Chain,
    next_key: [u8; KEY_BYTES],
    fetched: std::vec::IntoIter<(Bytes, Bytes)>,
    verified: u64,
    /// Keys of fragments whose commit is not whole yet.
    pending: Vec<Bytes>,
}

impl<'a> Walk<'a> {
    /// Begins at the checkpoint, or earlier when that leaves fewer than [`AT_LEAST`] blocks.
    fn begin(store: &'a Store, organisation: Uuid, checkpoint: Head) -> Result<Self, LogError> {
        let last = store.range_back(&block::key(Position::MAX, u16::MAX), AT_LEAST)?;
        let earliest = last
            .last()
            .and_then(|(key, _)| block::read_key(key))
            .map_or(1, |k| k.0);
        let chain = if checkpoint.position < earliest {
            Chain::after(checkpoint, Depth::Hashes)
        } else {
            Chain::from_the_middle(earliest - 1, Depth::Hashes)
        };
        let next_key = block::key(chain.position() + 1, 0);
        let fetched = Vec::new().into_iter();
        Ok(Self {
            store,
            organisation,
            chain,
            next_key,
            fetched,
            verified: 0,
            pending: vec![],
        })
    }

    fn next(&mut self) -> Result<Option<RawBlock>, LogError> {
        if self.fetched.len() == 0 {
            let entries = self.store.range(self.next_key, CHUNK);
            let next = self.chain.position() + 1;
            self.fetched = entries
                .map_err(|error| error.located(next, next))?
                .into_iter();
        }
        let Some((key, value)) = self.fetched.next() else {
            return Ok(None);
        };
        let (first, fragment) = block::read_key(&key).unwrap_or_default();
        self.next_key = block::key(first, fragment.saturating_add(1));
        let raw = RawBlock::parse(value, self.organisation);
        let raw = raw.map_err(|fault| LogError::damaged(fault, first, self.end_of(first)))?;
        if raw.key() != *key {
            return Err(LogError::damaged(
                BlockFault::Key,
                first,
                self.end_of(first),
            ));
        }
        Ok(Some(raw))
    }

    /// An unreadable block ends where the next one begins.
    fn end_of(&self, first: Position) -> Position {
        let next = self
            .store
            .range(block::key(first, u16::MAX), 1)
            .unwrap_or_default();
        let next = next.first().and_then(|(key, _)| block::read_key(key));
        next.map_or(first, |(next, _)| next.saturating_sub(1))
    }

    fn finish(self, checkpoint: Head) -> Inspection {
        let head = self.chain.whole_head().unwrap_or(checkpoint);
        let torn = (!self.pending.is_empty()).then(|| Torn {
            range: PositionRange {
                first: head.position + 1,
                last: head.position + 1,
            },
            keys: self.pending,
        });
        Inspection {
            head,
            verified_blocks: self.verified,
            torn,
        }
    }
}
