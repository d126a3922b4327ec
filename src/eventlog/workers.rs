//! The background threads of an open log: they start with it and end with the writer.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::LogError;
use crate::index_file::IndexFile;
use crate::shared::Shared;

/// Handles of the threads that run.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    index: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts what an open log needs.
    pub(crate) fn start(shared: &Arc<Shared>, file: IndexFile) -> Result<Self, LogError> {
        let for_index = Arc::clone(shared);
        let index = spawn("log-index", shared, move || for_index.index.run(file))?;
        Ok(Self { index: Some(index) })
    }

    /// Tells the threads that there is something new, if they sleep.
    pub(crate) fn wake(&self) {}

    /// Lets the threads finish what is waiting, and waits for them.
    pub(crate) fn stop(&mut self, shared: &Shared) -> Result<(), LogError> {
        shared.index.stop();
        if let Some(thread) = self.index.take()
            && thread.join().is_err()
        {
            return Err(LogError::Index {
                what: "index thread panicked".into(),
            });
        }
        Ok(())
    }
}

fn spawn(
    name: &str,
    shared: &Shared,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, LogError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(LogError::io("start a thread for", &shared.dir))
}
