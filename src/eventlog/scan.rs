//! Reading in order: blocks, commits forwards, commits backwards.
//!
//! Each step looks at the durable head anew, so an iterator that has ended goes on when asked
//! again after another append. Memory is bounded by one chunk of blocks, whatever the length.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Position;
use crate::block::{self, Block, BlockFault, RawBlock};
use crate::chain::{Chain, Depth};
use crate::commit::Commit;
use crate::error::LogError;
use crate::shared::Shared;
use crate::store::Entry;

/// Blocks fetched from sled at a time: few at first, for those who want one commit, then up to
/// 256 KiB.
const CHUNK_MIN: usize = 2;
const CHUNK_MAX: usize = 32;

/// Walks stored blocks behind a position and checks that they follow each other.
#[derive(Debug)]
pub(crate) struct BlockCursor {
    shared: Arc<Shared>,
    /// The last position that was whole.
    position: Position,
    chain: Option<Chain>,
    /// Known once the first chunk has been fetched.
    next_key: Option<[u8; block::KEY_BYTES]>,
    fetched: VecDeque<Entry>,
    chunk: usize,
}

impl BlockCursor {
    /// The first block is the one that holds the commit behind `after`; it may begin earlier.
    pub(crate) fn new(shared: Arc<Shared>, after: Position) -> Self {
        Self {
            shared,
            position: after,
            chain: None,
            next_key: None,
            fetched: VecDeque::new(),
            chunk: CHUNK_MIN,
        }
    }

    /// The next whole block, at most up to the durable head.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, LogError> {
        while let Some(raw) = self.next_raw()? {
            let first = raw.outline().first;
            let begin = || Chain::from_the_middle(first - 1, Depth::Links);
            match self.chain.get_or_insert_with(begin).accept(&raw) {
                Ok(Some(block)) => return Ok(Some(block)),
                Ok(None) => {}
                Err(fault) => return Err(fault_error(fault, &raw)),
            }
        }
        Ok(None)
    }

    /// The next stored block, its checksum checked and nothing else.
    pub(crate) fn next_raw(&mut self) -> Result<Option<RawBlock>, LogError> {
        let head = self.shared.head().position;
        if self.position >= head {
            return Ok(None);
        }
        if self.fetched.is_empty() {
            self.fetch()?;
        }
        let Some((key, value)) = self.fetched.pop_front() else {
            return Err(LogError::damaged(
                "blocks are missing",
                self.position + 1,
                head,
            ));
        };
        let (first, fragment) = block::read_key(&key).unwrap_or_default();
        if first > head {
            // Inserted by an append that is not durable yet; it is fetched again later.
            self.fetched.clear();
            return Ok(None);
        }
        let parsed = RawBlock::parse(value, self.shared.options.organisation);
        let raw = parsed.map_err(|fault| LogError::damaged(fault, first, first))?;
        if raw.key() != *key || first == 0 {
            return Err(LogError::damaged(BlockFault::Key, first, first));
        }
        self.next_key = Some(block::key(first, fragment.saturating_add(1)));
        self.position = raw.last().unwrap_or(self.position);
        Ok(Some(raw))
    }

    fn fetch(&mut self) -> Result<(), LogError> {
        let store = &self.shared.store;
        let found = match self.next_key {
            Some(key) => Ok(key),
            None => store.key_of(self.position.saturating_add(1)),
        };
        let found = found.and_then(|key| store.range(key, self.chunk));
        let last = self.shared.head().position;
        let found = found.map_err(|error| error.located(self.position + 1, last))?;
        self.fetched.extend(found);
        self.chunk = (2 * self.chunk).min(CHUNK_MAX);
        Ok(())
    }
}

/// Names the range that a block which does not fit makes untrustworthy.
pub(crate) fn fault_error(fault: BlockFault, raw: &RawBlock) -> LogError {
    let first = raw.outline().first;
    match fault {
        BlockFault::Gap { expected, found } if found > expected => {
            LogError::damaged(fault, expected, found - 1)
        }
        _ => LogError::damaged(fault, first, raw.last().unwrap_or(first)),
    }
}

/// Whole, checked blocks in order; see [`crate::Log::blocks`].
#[derive(Debug)]
pub struct Blocks {
    pub(crate) cursor: BlockCursor,
    pub(crate) failed: bool,
}

impl Iterator for Blocks {
    type Item = Result<Block, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.cursor.next_block().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

/// Commits in order, a group or a block at a time: the source of scans and tails.
#[derive(Debug)]
pub(crate) struct Batches {
    shared: Arc<Shared>,
    after: Position,
    /// In use while the ring does not reach back far enough.
    cursor: Option<BlockCursor>,
}

impl Batches {
    pub(crate) fn new(shared: Arc<Shared>, after: Position) -> Self {
        Self {
            shared,
            after,
            cursor: None,
        }
    }

    pub(crate) fn after(&self) -> Position {
        self.after
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The next commits; `None` at the durable head.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Arc<[Commit]>>, LogError> {
        self.shared.check_open()?;
        let batch = match self.shared.feed.group_after(self.after) {
            Some(group) => {
                self.cursor = None;
                Some(group.commits_after(self.after))
            }
            None => self.batch_from_sled()?,
        };
        if let Some(last) = batch.as_ref().and_then(|commits| commits.last()) {
            self.after = last.position();
        }
        Ok(batch)
    }

    fn batch_from_sled(&mut self) -> Result<Option<Arc<[Commit]>>, LogError> {
        let (shared, after) = (&self.shared, self.after);
        let cursor = self
            .cursor
            .get_or_insert_with(|| BlockCursor::new(Arc::clone(shared), after));
        let block = cursor.next_block()?;
        Ok(block.map(|block| {
            let mut commits = block.to_commits();
            commits.retain(|commit| commit.position() > after);
            commits.into()
        }))
    }
}

/// Commits in order; see [`crate::Log::read`].
#[derive(Debug)]
pub struct Scan {
    batches: Batches,
    current: Arc<[Commit]>,
    index: usize,
    failed: bool,
}

impl Scan {
    pub(crate) fn new(shared: Arc<Shared>, after: Position) -> Self {
        let batches = Batches::new(shared, after);
        Self {
            batches,
            current: Arc::from([]),
            index: 0,
            failed: false,
        }
    }
}

impl Iterator for Scan {
    type Item = Result<Commit, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            if let Some(commit) = self.current.get(self.index) {
                self.index += 1;
                return Some(Ok(commit.clone()));
            }
            match self.batches.next_batch() {
                Ok(Some(batch)) => (self.current, self.index) = (batch, 0),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Commits from the newest to the oldest; see [`crate::Log::read_back`].
#[derive(Debug)]
pub struct ScanBack {
    pub(crate) shared: Arc<Shared>,
    /// Everything from here on has been given or was not asked for.
    pub(crate) before: Position,
    pub(crate) current: Arc<[Commit]>,
    pub(crate) failed: bool,
}

impl ScanBack {
    fn step(&mut self) -> Result<Option<Commit>, LogError> {
        let Some(position) = self.before.checked_sub(1).filter(|position| *position > 0) else {
            return Ok(None);
        };
        if find(&self.current, position).is_none() {
            self.shared.check_open()?;
            self.current = self.shared.neighbours(position)?;
        }
        let commit = find(&self.current, position).cloned();
        self.before = position;
        commit
            .map(Some)
            .ok_or_else(|| LogError::damaged("commit is missing", position, position))
    }
}

impl Iterator for ScanBack {
    type Item = Result<Commit, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.step().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

/// The commit at a position among consecutive ones.
pub(crate) fn find(commits: &[Commit], position: Position) -> Option<&Commit> {
    let offset = position.checked_sub(commits.first()?.position())?;
    commits.get(usize::try_from(offset).ok()?)
}
