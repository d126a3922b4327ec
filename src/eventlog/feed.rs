//! The durable head, the ring of recent groups, and those who wait for more.
//!
//! The writer is the only one that adds. It adds what is durable and nothing else, so whoever
//! reads here cannot see past the durable head. Readers near the head are served from the ring
//! and never touch sled: six readers in sled slow the writer six-fold.
//!
//! The ring is bounded by bytes. A reader that falls out of it reads sled again until it has
//! caught up; the writer neither knows nor waits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::Position;
use crate::block::RawBlock;
use crate::commit::Commit;
use crate::hash::{Hash, Head};

/// What one append made durable.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) raws: Vec<RawBlock>,
    pub(crate) commits: Arc<[Commit]>,
    pub(crate) first: Position,
    pub(crate) last: Position,
    /// The hash at `last`.
    pub(crate) hash: Hash,
}

impl Group {
    fn bytes(&self) -> usize {
        // A rough figure for the bookkeeping of each commit beside the bytes themselves.
        self.raws.iter().map(|raw| raw.bytes().len()).sum::<usize>() + 64 * self.commits.len()
    }

    /// The commits behind `after`; all of them share one allocation in the usual case.
    pub(crate) fn commits_after(&self, after: Position) -> Arc<[Commit]> {
        if after < self.first {
            return Arc::clone(&self.commits);
        }
        self.commits
            .iter()
            .filter(|commit| commit.position() > after)
            .cloned()
            .collect()
    }
}

#[derive(Debug)]
pub(crate) struct Feed {
    ring: RwLock<Ring>,
    closed: AtomicBool,
    asynchronous: Notify,
    /// Threads that wait; without any, publishing makes no system call.
    waiting: AtomicUsize,
    /// Counts nudges.
    gate: Mutex<u64>,
    blocking: Condvar,
}

#[derive(Debug)]
struct Ring {
    head: Head,
    groups: VecDeque<Arc<Group>>,
    bytes: usize,
    bytes_max: usize,
}

impl Feed {
    pub(crate) fn new(head: Head, bytes_max: usize) -> Self {
        let ring = Ring {
            head,
            groups: VecDeque::new(),
            bytes: 0,
            bytes_max,
        };
        Self {
            ring: RwLock::new(ring),
            closed: AtomicBool::new(false),
            asynchronous: Notify::new(),
            waiting: AtomicUsize::new(0),
            gate: Mutex::new(0),
            blocking: Condvar::new(),
        }
    }

    pub(crate) fn head(&self) -> Head {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .head
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Shows a durable group to everybody.
    pub(crate) fn publish(&self, group: Arc<Group>) {
        self.ring
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(group);
        self.wake();
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    /// The group that holds the commit after `after`, if the ring still has it.
    pub(crate) fn group_after(&self, after: Position) -> Option<Arc<Group>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        if ring
            .groups
            .front()
            .is_none_or(|oldest| oldest.first > after + 1)
        {
            return None;
        }
        let index = ring.groups.partition_point(|group| group.last <= after);
        ring.groups.get(index).cloned()
    }

    /// Waits until the head is beyond `after` or the log is closed.
    pub(crate) async fn moved(&self, after: Position) {
        loop {
            let notified = self.asynchronous.notified();
            let mut notified = std::pin::pin!(notified);
            // Registering first: a publication between the look and the wait is not missed.
            notified.as_mut().enable();
            if self.is_closed() || self.head().position > after {
                return;
            }
            notified.await;
        }
    }

    /// The same for a thread; false when the time is over.
    pub(crate) fn wait_moved(&self, after: Position, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let mut gate = self.lock_gate();
        let nudges = *gate;
        let moved = loop {
            if self.is_closed() || self.head().position > after {
                break true;
            }
            let left = deadline.map_or(timeout, |d| d.saturating_duration_since(Instant::now()));
            if left.is_zero() || *gate != nudges {
                break false;
            }
            gate = self
                .blocking
                .wait_timeout(gate, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        };
        drop(gate);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        moved
    }

    /// Makes every waiting thread return from [`Feed::wait_moved`] once, moved or not.
    pub(crate) fn nudge(&self) {
        *self.lock_gate() += 1;
        self.blocking.notify_all();
    }

    fn wake(&self) {
        self.asynchronous.notify_waiters();
        // Pairs with the fence of a waiting thread: either it sees the new head, or we see it.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            // Taking the gate orders this with a thread that has looked and is about to wait.
            drop(self.lock_gate());
            self.blocking.notify_all();
        }
    }

    fn lock_gate(&self) -> MutexGuard<'_, u64> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, group: Arc<Group>) {
        self.head = Head {
            position: group.last,
            hash: group.hash,
        };
        self.bytes += group.bytes();
        self.groups.push_back(group);
        // The newest group stays whatever its size: the tail readers are waiting for it.
        while self.bytes > self.bytes_max && self.groups.len() > 1 {
            let oldest = self.groups.pop_front().map_or(0, |group| group.bytes());
            self.bytes -= oldest;
        }
    }
}
