//! How a server ends: first it says so, then it stops accepting, then it says goodbye to those
//! who listen, then it waits for those who still work.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The stages of a server's end, shared by the router, the accept loop and the program.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    draining: CancellationToken,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// A server that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the end: readiness fails from now on, requests are still served.
    pub fn shut_down(&self) {
        self.draining.cancel();
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Resolves when the end begins.
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    /// Resolves when sockets and streams must end.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    pub(super) fn close(&self) {
        self.draining.cancel();
        self.closing.cancel();
        self.tasks.close();
    }

    /// What is spawned or held here is waited for before [`super::serve`] returns.
    #[must_use]
    pub const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }
}
