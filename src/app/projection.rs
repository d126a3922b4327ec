//! Keeps the read models up with the log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use daybook_eventlog::{CommitRef, Log};
use daybook_projections::{
    READ_MODELS,
    store::{Commit, CommitEvent, Database, Projector, StoreError},
};
use tokio::sync::watch;

use crate::AppError;

/// Commits of a rebuild between two reports of progress.
const COMMITS_PER_REPORT: u64 = 10_000;
/// How long the thread waits for commits before it looks whether it shall end.
const IDLE: Duration = Duration::from_millis(100);
/// Commits folded between two writes, so that readers see progress during a burst.
const COMMITS_PER_WRITE: usize = 2_000;

/// How far the read models have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The last position that answers include.
    pub position: u64,
    /// Why they come no further, if they do not.
    pub stopped: Option<String>,
}

/// The thread that follows the log.
pub struct Projection {
    applied: watch::Receiver<Applied>,
    ending: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// The outcome of a rebuild.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rebuilt {
    /// The position up to which it was rebuilt.
    pub position: u64,
    /// The events that were folded.
    pub events: u64,
    /// The digest of the content.
    pub digest: String,
}

impl Projection {
    pub(crate) fn start(log: &Log, database: &Database) -> Result<Self, AppError> {
        let projector = database.projector()?;
        let (publish, applied) = watch::channel(Applied {
            position: projector.position(),
            stopped: None,
        });
        let ending = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("daybook-projection".to_owned())
            .spawn({
                let (log, ending) = (log.clone(), ending.clone());
                move || {
                    if let Err(error) = follow(&log, projector, &publish, &ending) {
                        tracing::error!(%error, "the read models have stopped");
                        publish.send_modify(|applied| applied.stopped = Some(error.to_string()));
                    }
                }
            })
            .map_err(AppError::Thread)?;
        Ok(Self {
            applied,
            ending,
            thread,
        })
    }

    /// How far the read models have come, now and from now on.
    pub fn applied(&self) -> watch::Receiver<Applied> {
        self.applied.clone()
    }

    /// Applies what is in the log, and ends.
    pub(crate) fn stop(self) {
        self.ending.store(true, Ordering::Release);
        drop(self.thread.join());
    }
}

fn follow(
    log: &Log,
    mut projector: Projector,
    publish: &watch::Sender<Applied>,
    ending: &AtomicBool,
) -> Result<(), AppError> {
    let mut tail = log.subscribe(projector.position());
    loop {
        let ended = ending.load(Ordering::Acquire);
        let Some(batch) = tail.next_blocking(IDLE)? else {
            if ended {
                return Ok(());
            }
            continue;
        };
        for commits in batch.chunks(COMMITS_PER_WRITE) {
            for commit in commits {
                apply_commit(&mut projector, &commit.borrowed())?;
            }
            for alarm in projector.flush()? {
                tracing::error!(alarm, "a read model has a hole");
            }
            let position = projector.position();
            publish.send_modify(|applied| applied.position = position);
        }
    }
}

/// Folds one commit of the log.
pub(crate) fn apply_commit(
    projector: &mut Projector,
    commit: &CommitRef<'_>,
) -> Result<(), StoreError> {
    let events = commit.events().map(|event| CommitEvent {
        stream: event.stream,
        version: event.version,
        type_name: event.type_name,
        type_version: event.type_version,
        data: event.data,
    });
    projector.apply(&Commit {
        position: commit.position(),
        command_id: commit.command_id(),
        meta: commit.meta(),
        events: events.collect(),
    })
}

/// Builds the read models anew beside those that serve; `progress` hears positions.
pub(crate) fn rebuild(
    log: &Log,
    database: &Database,
    progress: &mut dyn FnMut(u64),
) -> Result<Rebuilt, AppError> {
    let mut projector = database.begin_rebuild()?;
    let (mut events, mut reported) = (0, 0);
    for block in log.blocks(0) {
        for commit in block?.commits() {
            events += u64::from(commit.event_count());
            apply_commit(&mut projector, &commit)?;
        }
        projector.relieve()?;
        if projector.position() >= reported + COMMITS_PER_REPORT {
            reported = projector.position();
            progress(reported);
        }
    }
    let position = projector.position();
    progress(position);
    let digest = database.finish_rebuild(projector)?;
    Ok(Rebuilt {
        position,
        events,
        digest,
    })
}

/// Makes sure that there are read models of this build.
pub(crate) fn ensure(
    log: &Log,
    database: &Database,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Rebuilt>, AppError> {
    let behind = database
        .position()
        .is_some_and(|position| position <= log.head().position);
    if behind {
        return Ok(None);
    }
    let rebuilt = rebuild(log, database, progress)?;
    database.adopt()?;
    Ok(Some(rebuilt))
}

/// The read models of an organisation's folder.
pub(crate) fn database(folder: &std::path::Path) -> Result<Database, AppError> {
    Ok(Database::new(&folder.join("read-models"), READ_MODELS)?)
}
