//! How long a batch goes on growing: until the writer is free to take it.
//!
//! Commands arrive while a batch is being written. A batch that was closed earlier would hold a few
//! of them and cost a sync like any other, and the rest would wait for the one after it. Handing
//! over as soon as the writer is free, whoever still waits, was measured to be slower by a tenth:
//! syncs cost more than what desk and writer gain by working at once.

use std::sync::Arc;

use tokio::{
    runtime::{Builder, Runtime},
    sync::{Semaphore, mpsc},
};

use super::Request;
use crate::AppError;

/// Where the writer tells that it waits for a batch; dropped with the writer.
pub(super) struct Idle(Arc<Semaphore>);

impl Idle {
    /// Both ends.
    pub(super) fn new() -> (Arc<Semaphore>, Self) {
        let free = Arc::new(Semaphore::new(0));
        (free.clone(), Self(free))
    }

    /// Tells it, once for each batch that is waited for.
    pub(super) fn tell(&self) {
        self.0.add_permits(1);
    }
}

/// Whoever waits for a writer that is gone must not wait for ever.
impl Drop for Idle {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The requests of one batch after another.
pub(super) struct Gathering {
    requests: mpsc::Receiver<Request>,
    /// Has a permit where the writer waits for a batch.
    free: Arc<Semaphore>,
    waiting: Runtime,
}

impl Gathering {
    pub(super) fn new(
        requests: mpsc::Receiver<Request>,
        free: Arc<Semaphore>,
    ) -> Result<Self, AppError> {
        let waiting = Builder::new_current_thread()
            .build()
            .map_err(AppError::Thread)?;
        Ok(Self {
            requests,
            free,
            waiting,
        })
    }

    /// The first request of a batch; none when the desk is closed.
    pub(super) fn first(&mut self) -> Option<Request> {
        self.requests.blocking_recv()
    }

    /// The next request of the batch, however many wait; none as soon as none waits and the
    /// writer is free. A batch that is full takes none, and waits for the writer.
    pub(super) fn next(&mut self, full: bool) -> Option<Request> {
        if !full && let Ok(next) = self.requests.try_recv() {
            return Some(next);
        }
        let Self {
            requests,
            free,
            waiting,
        } = self;
        waiting.block_on(async {
            if !full {
                tokio::select! {
                    biased;
                    Some(next) = requests.recv() => return Some(next),
                    permit = free.acquire() => {
                        permit.ok()?.forget();
                        return None;
                    }
                }
            }
            free.acquire().await.ok()?.forget();
            None
        })
    }
}
