//! Finds commits by command and by stream. Derived, checkpointed, and never in the writer's way.
//!
//! ```text
//! writer ──▶ pending groups ──▶ young rows ──▶ old rows ──▶ SQLite
//!            one push a group    in memory      being        index.sqlite
//!                                               written
//! ```
//!
//! The writer only pushes a pointer. Whoever looks something up turns pending groups into rows
//! first, so a lookup is never behind the durable head. A thread moves rows to SQLite in sorted
//! batches. Rows stay visible in memory until their transaction has committed.
//!
//! Bound: when more than [`WAITING_MAX`] commits wait, the writer waits too, for at most
//! [`PATIENCE`], and then refuses the append with nothing written.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::Position;
use crate::error::LogError;
use crate::feed::Group;
use crate::hash::Head;
use crate::index_file::{IndexFile, Rows, stream_hash};

/// Commits that may wait in memory: some 15 MB of rows, or their own bytes while they are pending.
pub(crate) const WAITING_MAX: usize = 100_000;
/// How long the writer waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often pending groups become rows.
const TICK: Duration = Duration::from_millis(50);
/// Rows are written when there are this many, or when they are this many ticks old.
const BATCH: usize = 20_000;
const AGE_MAX_TICKS: u32 = 10;

#[derive(Debug)]
pub(crate) struct Index {
    organisation: Uuid,
    tail: Mutex<Tail>,
    pending: Mutex<Vec<Arc<Group>>>,
    waiting: AtomicUsize,
    /// Signalled when rows have been written, and to stop.
    signal: Condvar,
    gate: Mutex<()>,
    stopping: AtomicBool,
    /// Absent once closed.
    lookups: Mutex<Option<IndexFile>>,
    written_to: AtomicU64,
    failure: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Tail {
    young: Rows,
    old: Option<Arc<Rows>>,
}

impl Index {
    /// An index whose file is complete up to `head`.
    pub(crate) fn new(organisation: Uuid, lookups: IndexFile, head: Head) -> Self {
        Self {
            organisation,
            tail: Mutex::default(),
            pending: Mutex::default(),
            waiting: AtomicUsize::new(0),
            signal: Condvar::new(),
            gate: Mutex::new(()),
            stopping: AtomicBool::new(false),
            lookups: Mutex::new(Some(lookups)),
            written_to: AtomicU64::new(head.position),
            failure: Mutex::default(),
        }
    }

    /// Takes note of a durable group. Constant time.
    pub(crate) fn push(&self, group: Arc<Group>) {
        self.waiting
            .fetch_add(group.commits.len(), Ordering::Relaxed);
        lock(&self.pending).push(group);
    }

    /// Waits until there is room for more commits.
    pub(crate) fn make_room(&self) -> Result<(), LogError> {
        if self.waiting() < WAITING_MAX {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        let mut gate = lock(&self.gate);
        while self.waiting() >= WAITING_MAX {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let reason = lock(&self.failure).clone().unwrap_or_default();
                return Err(LogError::IndexBehind {
                    waiting: self.waiting(),
                    reason,
                });
            }
            gate = self
                .signal
                .wait_timeout(gate, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(())
    }

    /// Where a command is committed.
    pub(crate) fn command(&self, id: Uuid) -> Result<Option<Position>, LogError> {
        {
            let tail = self.current_tail();
            let old = tail.old.as_ref().and_then(|rows| rows.commands.get(&id));
            if let Some(position) = tail.young.commands.get(&id).or(old) {
                return Ok(Some(*position));
            }
        }
        // What left memory before the look above is committed in the file.
        self.look_up(|file| file.command(id))
    }

    /// Positions of commits that touch a stream, in order; a rare collision may be among them.
    pub(crate) fn positions(
        &self,
        stream: &str,
        after: Position,
        after_version: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Position>, LogError> {
        let hash = stream_hash(stream);
        let recent = self.recent_positions(hash, after, after_version);
        let mut found = self.look_up(|file| file.positions(hash, after, after_version, limit))?;
        // A row may be in both when its transaction has just committed.
        let last = found.last().copied().unwrap_or(after);
        found.extend(recent.into_iter().filter(|position| *position > last));
        found.truncate(limit);
        Ok(found)
    }

    /// The same before a position and last first.
    pub(crate) fn last_positions(
        &self,
        stream: &str,
        before: Position,
        limit: usize,
    ) -> Result<Vec<Position>, LogError> {
        let hash = stream_hash(stream);
        let mut found = self.recent_positions(hash, 0, None);
        found.retain(|position| *position < before);
        found.extend(self.look_up(|file| file.last_positions(hash, before, limit))?);
        found.sort_unstable_by(|left, right| right.cmp(left));
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    fn recent_positions(&self, hash: i64, after: Position, version: Option<u64>) -> Vec<Position> {
        let tail = self.current_tail();
        let range = (hash, after.saturating_add(1))..=(hash, Position::MAX);
        let mut found = Vec::new();
        for rows in tail.old.as_deref().into_iter().chain([&tail.young]) {
            let hits = rows.streams.range(range.clone());
            let hits = hits.filter(|(_, last)| version.is_none_or(|version| **last > version));
            found.extend(hits.map(|((_, position), _)| *position));
        }
        found
    }

    fn look_up<T>(
        &self,
        question: impl FnOnce(&IndexFile) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        let lookups = lock(&self.lookups);
        Ok(question(lookups.as_ref().ok_or(LogError::Closed)?)?)
    }

    /// Lets go of the file. The thread has ended before.
    pub(crate) fn close(&self) {
        lock(&self.lookups).take();
    }

    /// Commits not yet in the file.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The position up to which the file is complete.
    pub(crate) fn written_to(&self) -> Position {
        self.written_to.load(Ordering::Relaxed)
    }

    pub(crate) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    /// Lets the thread finish what is waiting and return.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        drop(lock(&self.gate));
        self.signal.notify_all();
    }

    /// The thread: moves rows to the file until stopped and empty, or stopped and failing.
    pub(crate) fn run(&self, mut file: IndexFile) {
        let mut age = 0;
        loop {
            let stopping = self.wait_tick();
            let young = self.current_tail().young.len();
            age = if young == 0 { 0 } else { age + 1 };
            if young >= BATCH || age >= AGE_MAX_TICKS || (stopping && young > 0) {
                age = 0;
                self.write_young(&mut file);
            }
            let done = self.waiting() == 0 || self.failure().is_some();
            if stopping && done {
                return;
            }
        }
    }

    /// True when it is time to stop.
    fn wait_tick(&self) -> bool {
        let gate = lock(&self.gate);
        let pressed = self.waiting() >= WAITING_MAX && self.failure().is_none();
        if !self.stopping.load(Ordering::Acquire) && !pressed {
            drop(self.signal.wait_timeout(gate, TICK));
        }
        self.stopping.load(Ordering::Acquire)
    }

    fn write_young(&self, file: &mut IndexFile) {
        let rows = {
            let mut tail = lock(&self.tail);
            // Rows that could not be written last time stay the old ones and are tried again.
            let rows = match tail.old.take() {
                Some(rows) => rows,
                None => Arc::new(std::mem::take(&mut tail.young)),
            };
            tail.old = Some(Arc::clone(&rows));
            rows
        };
        let outcome = file.write(self.organisation, &rows);
        *lock(&self.failure) = outcome.as_ref().err().map(ToString::to_string);
        if outcome.is_ok() {
            lock(&self.tail).old = None;
            let head = rows.head.map_or(0, |head| head.position);
            self.written_to.store(head, Ordering::Relaxed);
            self.waiting.fetch_sub(rows.len(), Ordering::Relaxed);
            drop(lock(&self.gate));
            self.signal.notify_all();
        }
    }

    /// The tail with all pending groups in it.
    fn current_tail(&self) -> MutexGuard<'_, Tail> {
        let mut tail = lock(&self.tail);
        let groups = std::mem::take(&mut *lock(&self.pending));
        for group in groups {
            group
                .commits
                .iter()
                .for_each(|commit| tail.young.add(commit.borrowed()));
            tail.young.head = Some(Head {
                position: group.last,
                hash: group.hash,
            });
        }
        tail
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds the file from blocks that opening walks anyway.
#[derive(Debug)]
pub(crate) struct Builder {
    organisation: Uuid,
    file: IndexFile,
    rows: Rows,
    head: Head,
}

impl Builder {
    /// Continues an index that is complete up to `head`.
    pub(crate) fn new(organisation: Uuid, file: IndexFile, head: Head) -> Self {
        Self {
            organisation,
            file,
            rows: Rows::default(),
            head,
        }
    }

    /// Starts an index from nothing.
    pub(crate) fn from_nothing(dir: &Path, organisation: Uuid) -> Result<Self, LogError> {
        let file = IndexFile::create(dir, organisation)?;
        Ok(Self::new(organisation, file, Head::genesis(organisation)))
    }

    /// Up to where the index is complete.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Adds the next block.
    pub(crate) fn add(&mut self, block: &crate::block::Block) -> Result<(), LogError> {
        block.commits().for_each(|commit| self.rows.add(commit));
        self.head = Head {
            position: block.last(),
            hash: block.hash(),
        };
        self.rows.head = Some(self.head);
        if self.rows.len() >= 10 * BATCH {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.file.write(self.organisation, &self.rows)?;
        self.rows = Rows::default();
        Ok(())
    }

    /// The complete file and the head it reaches.
    pub(crate) fn finish(mut self) -> Result<(IndexFile, Head), LogError> {
        self.flush()?;
        self.file.synchronous("NORMAL")?;
        Ok((self.file, self.head))
    }
}
