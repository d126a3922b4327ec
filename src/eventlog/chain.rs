//! Walks stored blocks in order and says whether each is what must follow.
//!
//! Every reader of blocks goes through here: scans, opening, `verify`, the archive and `restore`.
//! So there is one place that knows what "whole" means.

use bytes::{Bytes, BytesMut};

use crate::Position;
use crate::block::{Block, BlockFault, RawBlock};
use crate::hash::{Hash, Head};

/// How much of a block is checked beyond checksum, order and link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Nothing: a scan trusts the hash that is protected by the checksum.
    Links,
    /// The hash is computed again.
    Hashes,
}

/// The state of a walk: what has been seen, hence what must come next.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    depth: Depth,
    /// The last position that was whole.
    position: Position,
    /// The hash of the last block seen; `None` when the walk began in the middle.
    hash: Option<Hash>,
    /// The hash at `position`.
    whole_hash: Option<Hash>,
    partial: Option<Partial>,
}

/// A commit of which some fragments have been seen.
#[derive(Clone, Debug)]
struct Partial {
    count: u16,
    events: u32,
    next: u16,
    payload: BytesMut,
}

impl Chain {
    /// A walk that continues behind a known head.
    pub(crate) fn after(head: Head, depth: Depth) -> Self {
        Self {
            depth,
            position: head.position,
            hash: Some(head.hash),
            whole_hash: Some(head.hash),
            partial: None,
        }
    }

    /// A walk that begins in the middle and has to trust the first block's link.
    pub(crate) fn from_the_middle(after: Position, depth: Depth) -> Self {
        Self {
            depth,
            position: after,
            hash: None,
            whole_hash: None,
            partial: None,
        }
    }

    /// The end of what has been seen whole; `None` while that is unknown.
    pub(crate) fn whole_head(&self) -> Option<Head> {
        self.whole_hash.map(|hash| Head {
            position: self.position,
            hash,
        })
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.partial.is_some()
    }

    /// Takes the next stored block; gives a whole one when it completes one.
    pub(crate) fn accept(&mut self, raw: &RawBlock) -> Result<Option<Block>, BlockFault> {
        self.check_order(raw)?;
        if self.hash.is_some_and(|hash| hash != raw.outline().previous) {
            return Err(BlockFault::Link);
        }
        if self.depth == Depth::Hashes {
            raw.check_hash()?;
        }
        let block = self.assemble(raw)?;
        self.hash = Some(raw.hash());
        if let Some(block) = &block {
            self.position = block.last();
            self.whole_hash = self.hash;
        }
        Ok(block)
    }

    fn check_order(&self, raw: &RawBlock) -> Result<(), BlockFault> {
        let outline = raw.outline();
        let expected = self.position.saturating_add(1);
        if outline.first != expected {
            return match self.partial {
                Some(_) => Err(BlockFault::Fragments),
                None => Err(BlockFault::Gap {
                    expected,
                    found: outline.first,
                }),
            };
        }
        let (index, count) = outline.fragment;
        let (next, of, events) = self
            .partial
            .as_ref()
            .map_or((0, count, outline.events), |p| (p.next, p.count, p.events));
        let commits_expected_of_fragment = u32::from(index.checked_add(1) == Some(count));
        let in_order = index == next && count == of && index < count && outline.events == events;
        let counted = count == 1 || outline.commits == commits_expected_of_fragment;
        if in_order && counted {
            Ok(())
        } else {
            Err(BlockFault::Fragments)
        }
    }

    fn assemble(&mut self, raw: &RawBlock) -> Result<Option<Block>, BlockFault> {
        if raw.is_single() {
            return Block::new(raw, raw.payload()).map(Some);
        }
        let outline = raw.outline();
        let partial = self.partial.get_or_insert_with(|| Partial {
            count: outline.fragment.1,
            events: outline.events,
            next: 0,
            payload: BytesMut::new(),
        });
        partial.payload.extend_from_slice(&raw.payload());
        partial.next += 1;
        if partial.next < partial.count {
            return Ok(None);
        }
        let payload = self
            .partial
            .take()
            .map_or_else(Bytes::new, |p| p.payload.freeze());
        Block::new(raw, payload).map(Some)
    }
}
