//! The background threads of an open log: they start with it and end with the writer.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use crate::archive::{Archiver, Pieces};
use crate::error::LogError;
use crate::index_file::IndexFile;
use crate::shared::Shared;

/// Handles of the threads that run.
#[derive(Debug)]
pub(crate) struct Workers {
    index: Option<JoinHandle<()>>,
    archive: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts the thread that writes the index.
    pub(crate) fn start_index(shared: &Arc<Shared>, file: IndexFile) -> Result<Self, LogError> {
        let for_index = Arc::clone(shared);
        let index = spawn("log-index", shared, move || for_index.index.run(file))?;
        Ok(Self {
            index: Some(index),
            archive: None,
        })
    }

    /// Starts the thread that archives and syncs the head record.
    pub(crate) fn start_archive(
        &mut self,
        shared: &Arc<Shared>,
        pieces: Pieces,
        head_record: File,
    ) -> Result<(), LogError> {
        let archiver = Archiver {
            shared: Arc::clone(shared),
            pieces,
            head_record,
        };
        self.archive = Some(spawn("log-archive", shared, move || archiver.run())?);
        Ok(())
    }

    /// Lets the threads finish what is waiting, and waits for them. The first failure of theirs
    /// is reported; both have ended in any case.
    pub(crate) fn stop(&mut self, shared: &Shared) -> Result<(), LogError> {
        shared.archive.stopping.store(true, Ordering::Release);
        shared.index.stop();
        shared.feed.nudge();
        let archived = join(self.archive.take(), "archive thread panicked");
        let indexed = join(self.index.take(), "index thread panicked");
        let failed = |what: String| Err(LogError::Index { what });
        let archive_failure = shared.archive.failure().map_or(Ok(()), |reason| {
            let path = shared.dir.join(crate::archive::FOLDER);
            Err(LogError::io("write", &path)(std::io::Error::other(reason)))
        });
        let index_failure = shared.index.failure().map_or(Ok(()), failed);
        archived
            .and(indexed)
            .and(archive_failure)
            .and(index_failure)
    }
}

fn join(thread: Option<JoinHandle<()>>, what: &str) -> Result<(), LogError> {
    let joined = thread.map_or(Ok(()), JoinHandle::join);
    joined.map_err(|_| LogError::Stopped {
        reason: what.to_owned(),
    })
}

fn spawn(
    name: &str,
    shared: &Shared,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, LogError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(LogError::io("start a thread for", &shared.dir))
}
