//! The desk: the one place of an organisation where commands become commits.
//!
//! Two threads share the work. The desk thread drains the queue, decides each command against
//! states that include everything decided before, and hands the batch over. The writer thread
//! appends it with one sync and answers all of it. They meet without a buffer, so at most one
//! batch is being written while one more is being decided.
//!
//! Deciding ahead of the sync is safe because nothing is acknowledged before it is durable, and
//! because every batch names the head that it was decided upon. If a batch cannot be written, the
//! batches decided upon it no longer fit the head, are turned away as a whole
//! ([`CommandError::Restarted`]), and the desk begins again from the log.

mod decide;
mod gathering;
mod states;
mod subject;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc as rendezvous,
    },
    thread::{self, JoinHandle},
};

use daybook_eventlog::{Log, Writer};
use tokio::sync::{mpsc, oneshot};

use crate::{AppError, CommandError, Envelope, Receipt, envelope::Content, seals::Seals};
use decide::Decider;
use gathering::{Gathering, Idle};

/// Limits of a desk.
#[derive(Clone, Copy, Debug)]
pub struct DeskOptions {
    /// How many commands may wait; one more is turned away.
    pub queue: usize,
    /// How many commands are decided and synced together at most.
    pub batch: usize,
    /// How many folded states are kept in memory at most.
    pub states: usize,
}

impl Default for DeskOptions {
    fn default() -> Self {
        Self {
            queue: 4_096,
            batch: 512,
            states: 50_000,
        }
    }
}

/// A command that waits for its answer.
struct Request {
    envelope: Envelope,
    content: Content,
    answer: oneshot::Sender<Result<Receipt, CommandError>>,
}

impl Request {
    /// The content is made here and not at the desk, where all commands stand in one line.
    fn new(envelope: Envelope) -> Result<(Self, Pending), CommandError> {
        let content = Content::of(&envelope);
        let content = content.map_err(|error| CommandError::Fault(error.to_string()))?;
        let (answer, receipt) = oneshot::channel();
        let request = Self {
            envelope,
            content,
            answer,
        };
        Ok((request, receipt))
    }
}

/// The answer to come.
type Pending = oneshot::Receiver<Result<Receipt, CommandError>>;

/// Figures of a running desk.
#[derive(Debug, Default)]
pub struct DeskStats {
    /// Commands that wait or are being decided.
    pub queued: AtomicUsize,
    /// Commands that a rule refused, since the desk was opened.
    pub refused: AtomicU64,
    /// Commands that were done, since the desk was opened.
    pub accepted: AtomicU64,
    /// Commands in the last batch.
    pub last_batch: AtomicUsize,
}

/// The way to the desk; cheap to clone.
#[derive(Clone)]
pub struct Desk {
    queue: mpsc::Sender<Request>,
    stats: Arc<DeskStats>,
    capacity: usize,
}

/// The desk's threads; they end when the last [`Desk`] is gone.
pub(crate) struct DeskThreads {
    decider: JoinHandle<()>,
    writer: JoinHandle<Writer>,
}

impl Desk {
    pub(crate) fn open(
        log: &Log,
        seals: &Seals,
        writer: Writer,
        options: DeskOptions,
    ) -> Result<(Self, DeskThreads), AppError> {
        let (queue, requests) = mpsc::channel(options.queue);
        let (batches, incoming) = rendezvous::sync_channel(0);
        let (free, idle) = Idle::new();
        let stats = Arc::new(DeskStats::default());
        let recent = writer.seen_commands();
        let decider = Decider::new(log.clone(), seals.clone(), recent, options, stats.clone())?;
        let writer = spawn("daybook-writer", {
            let (log, seals) = (log.clone(), seals.clone());
            move || writer::run(writer, &log, &seals, &incoming, &idle)
        })?;
        let gathering = Gathering::new(requests, free)?;
        let decider = spawn("daybook-desk", move || decider.run(gathering, &batches))?;
        let desk = Self {
            queue,
            stats,
            capacity: options.queue,
        };
        Ok((desk, DeskThreads { decider, writer }))
    }

    /// Has a command decided, and waits until the answer is durable.
    pub async fn submit(&self, envelope: Envelope) -> Result<Receipt, CommandError> {
        self.enqueue(envelope)?
            .await
            .unwrap_or(Err(CommandError::Closed))
    }

    /// The same for a thread; it waits for room in the queue instead of being turned away.
    pub fn submit_blocking(&self, envelope: Envelope) -> Result<Pending, CommandError> {
        let (request, receipt) = Request::new(envelope)?;
        self.stats.queued.fetch_add(1, Ordering::Relaxed);
        self.queue
            .blocking_send(request)
            .map_err(|_| CommandError::Closed)?;
        Ok(receipt)
    }

    /// Figures.
    pub fn stats(&self) -> &DeskStats {
        &self.stats
    }

    /// Whether commands are still decided; false after the desk has ended, in order or not.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Commands that wait or are being decided.
    pub fn queued(&self) -> usize {
        self.stats.queued.load(Ordering::Relaxed)
    }

    fn enqueue(&self, envelope: Envelope) -> Result<Pending, CommandError> {
        let (request, receipt) = Request::new(envelope)?;
        // Counted first: the desk may take it before this thread goes on.
        self.stats.queued.fetch_add(1, Ordering::Relaxed);
        let sent = self.queue.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CommandError::Busy {
                queued: self.capacity,
            },
            mpsc::error::TrySendError::Closed(_) => CommandError::Closed,
        });
        if sent.is_err() {
            self.stats.queued.fetch_sub(1, Ordering::Relaxed);
        }
        sent.map(|()| receipt)
    }
}

impl DeskThreads {
    /// Waits until everything queued is answered, and gives the log's writer back.
    pub(crate) fn join(self) -> Option<Writer> {
        let decided = self.decider.join();
        let writer = self.writer.join();
        decided.ok().and(writer.ok())
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, AppError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(AppError::Thread)
}
