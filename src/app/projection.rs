//! Keeps the read models up with the log.
//!
//! Somebody's erasure is no change of rows: what was said of the person stands in many tables, in
//! indexes and in free pages. The read models are therefore built anew from the log, in which the
//! person's text reads `erased` by now, and take the place of the old ones, of which no file stays.
//! What is followed equals what is rebuilt by construction, then as ever.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use daybook_eventlog::{Block, CommitRef, Log, LogError, Tail};
use daybook_projections::{
    READ_MODELS,
    store::{Checkpointer, Commit, CommitEvent, Database, Decoded, Projector, Readers, StoreError},
};
use daybook_schema::{kernel::StreamKey as _, prefix};
use tokio::sync::watch;

use crate::{AppError, erasure, seals::Seals};

/// Blocks of the log that a rebuild reads ahead of folding them.
const BLOCKS_AHEAD: usize = 64;
/// Commits of a rebuild between two reports of progress.
const COMMITS_PER_REPORT: u64 = 10_000;
/// How long the thread waits for commits before it looks whether it shall end.
const IDLE: Duration = Duration::from_millis(100);
/// Commits folded between two writes at most, so that readers see progress during a burst.
const COMMITS_PER_WRITE: usize = 500;
/// So many commits between two writes are a burst.
const BURST: usize = 64;
/// The time between two writes in a burst: a page that many commits change is written once, and
/// the desk keeps the processor. Nobody who waits for a single commit waits for this.
const PACE: Duration = Duration::from_millis(20);
/// The time between two moves of the WAL into the database.
const CHECKPOINT: Duration = Duration::from_millis(250);

/// Commits that are followed rather than rebuilt, however short the log is.
const FOLLOWED: u64 = 5_000;

/// How far the read models have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The last position that answers include.
    pub position: u64,
    /// The last position with a fact about accounts, keys, sessions or teams, as far as this
    /// process has followed.
    pub access: u64,
    /// Why they come no further, if they do not.
    pub stopped: Option<String>,
}

/// The thread that follows the log.
pub struct Projection {
    applied: watch::Receiver<Applied>,
    shared: Arc<Shared>,
    threads: [JoinHandle<()>; 2],
}

/// What the threads of a projection share.
struct Shared {
    log: Log,
    seals: Seals,
    database: Database,
    readers: Readers,
    /// None while another database takes the place of the one that serves.
    checkpointer: Mutex<Option<Checkpointer>>,
    ending: AtomicBool,
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
    /// How long it took, in milliseconds: from the first read of the log to the last sync.
    pub millis: u64,
}

impl Projection {
    pub(crate) fn start(
        log: &Log,
        seals: &Seals,
        database: Database,
        readers: &Readers,
    ) -> Result<Self, AppError> {
        let projector = database.projector()?;
        let (publish, applied) = watch::channel(Applied {
            position: projector.position(),
            access: projector.position(),
            stopped: None,
        });
        let shared = Arc::new(Shared {
            log: log.clone(),
            seals: seals.clone(),
            checkpointer: Mutex::new(Some(database.checkpointer()?)),
            database,
            readers: readers.clone(),
            ending: AtomicBool::new(false),
        });
        let following = spawn("daybook-projection", {
            let shared = shared.clone();
            move || {
                if let Err(error) = shared.follow(projector, &publish) {
                    tracing::error!(%error, "the read models have stopped");
                    publish.send_modify(|applied| applied.stopped = Some(error.to_string()));
                }
            }
        })?;
        let moving = spawn("daybook-checkpoint", {
            let shared = shared.clone();
            move || shared.keep_moving()
        })?;
        Ok(Self {
            applied,
            shared,
            threads: [following, moving],
        })
    }

    /// How far the read models have come, now and from now on.
    pub fn applied(&self) -> watch::Receiver<Applied> {
        self.applied.clone()
    }

    /// Applies what is in the log, and ends.
    pub(crate) fn stop(self) {
        self.shared.ending.store(true, Ordering::Release);
        self.shared.log.nudge();
        for thread in self.threads {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, AppError> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(run).map_err(AppError::Thread)
}

impl Shared {
    fn checkpointer(&self) -> MutexGuard<'_, Option<Checkpointer>> {
        self.checkpointer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_moving(&self) {
        while !self.ending.load(Ordering::Acquire) {
            thread::park_timeout(CHECKPOINT);
            if let Some(Err(error)) = self.checkpointer().as_ref().map(Checkpointer::run) {
                // The projector moves the WAL where this thread does not.
                tracing::warn!(%error, "the write-ahead log of the read models was not moved");
            }
        }
    }

    /// Follows the log until the end; an erasure on the way has the read models built anew.
    fn follow(
        &self,
        mut projector: Projector,
        publish: &watch::Sender<Applied>,
    ) -> Result<(), AppError> {
        while let Stopped::ByErasure = self.follow_on(&mut projector, publish)? {
            // What was folded since the last write is folded again.
            drop(projector);
            projector = self.replace()?;
            let position = projector.position();
            publish.send_modify(|applied| {
                applied.position = position;
                applied.access = position;
            });
        }
        Ok(())
    }

    fn follow_on(
        &self,
        projector: &mut Projector,
        publish: &watch::Sender<Applied>,
    ) -> Result<Stopped, AppError> {
        let mut tail = self.log.subscribe(projector.position());
        loop {
            let ended = self.ending.load(Ordering::Acquire);
            // At the end nothing more can come: only what is there is taken.
            let patience = if ended { Duration::ZERO } else { IDLE };
            let Some(batch) = tail.next_blocking(patience)? else {
                if ended {
                    return Ok(Stopped::AtEnd);
                }
                continue;
            };
            let began = Instant::now();
            let taken = take(&mut tail, batch, projector, &self.seals)?;
            let Some(Taken { taken, access }) = taken else {
                return Ok(Stopped::ByErasure);
            };
            for alarm in projector.flush()? {
                tracing::error!(alarm, "a read model has a hole");
            }
            let position = projector.position();
            publish.send_modify(|applied| {
                applied.position = position;
                applied.access = access.unwrap_or(applied.access);
            });
            if (BURST..COMMITS_PER_WRITE).contains(&taken) {
                thread::sleep(PACE.saturating_sub(began.elapsed()));
            }
        }
    }

    /// Builds the read models anew beside those that serve, and puts them in their place.
    fn replace(&self) -> Result<Projector, AppError> {
        let rebuilt = rebuild(&self.log, &self.seals, &self.database, &mut |_| {})?;
        {
            let mut checkpointer = self.checkpointer();
            *checkpointer = None;
            self.database.adopt()?;
            *checkpointer = Some(self.database.checkpointer()?);
        }
        self.readers.follow(&self.database);
        tracing::info!(
            position = rebuilt.position,
            millis = rebuilt.millis,
            "the read models were built anew after an erasure"
        );
        Ok(self.database.projector()?)
    }
}

/// What was folded at once.
struct Taken {
    /// How many commits.
    taken: usize,
    /// The last of them with a fact about access.
    access: Option<u64>,
}

/// Whether a commit changes who may do what.
fn is_about_access(commit: &daybook_eventlog::Commit) -> bool {
    use daybook_schema::access::{AccountId, ApiKeyId, SessionId, TeamId};
    let kinds = [
        AccountId::PREFIX,
        ApiKeyId::PREFIX,
        SessionId::PREFIX,
        TeamId::PREFIX,
    ];
    let mut events = commit.events();
    events.any(|event| kinds.contains(&prefix(event.stream)))
}

/// Why following the log stopped.
enum Stopped {
    AtEnd,
    ByErasure,
}

/// Folds what is there already, this batch first; nothing where somebody is erased.
fn take(
    tail: &mut Tail,
    first: Arc<[daybook_eventlog::Commit]>,
    projector: &mut Projector,
    seals: &Seals,
) -> Result<Option<Taken>, AppError> {
    let (mut taken, mut access, mut next) = (0, None, Some(first));
    while let Some(batch) = next {
        for commit in batch.iter() {
            if !erasure::erased(&commit.borrowed())?.is_empty() {
                return Ok(None);
            }
            projector.fold(decode(&commit.borrowed(), seals)?)?;
            if is_about_access(commit) {
                access = Some(commit.position());
            }
        }
        taken += batch.len();
        if taken >= COMMITS_PER_WRITE {
            break;
        }
        next = tail.next_blocking(Duration::ZERO)?;
    }
    Ok(Some(Taken { taken, access }))
}

/// Reads one commit of the log.
fn decode(commit: &CommitRef<'_>, seals: &Seals) -> Result<Decoded, StoreError> {
    let said: Vec<_> = commit
        .events()
        .map(|event| (event, seals.event(&event)))
        .collect();
    let events = said.iter().map(|(event, data)| CommitEvent {
        stream: event.stream,
        version: event.version,
        type_name: event.type_name,
        type_version: event.type_version,
        data,
    });
    let meta = seals.meta_json(commit.meta());
    let commit = Commit {
        position: commit.position(),
        command_id: commit.command_id(),
        meta: &meta,
        events: events.collect(),
    };
    commit.decode()
}

/// Builds the read models anew beside those that serve; `progress` hears positions. All erasures
/// up to the position reached are carried out before anything is read.
pub(crate) fn rebuild(
    log: &Log,
    seals: &Seals,
    database: &Database,
    progress: &mut dyn FnMut(u64),
) -> Result<Rebuilt, AppError> {
    let began = Instant::now();
    let head = erasure::carry_out(log, seals)?;
    let mut projector = database.begin_rebuild()?;
    let events = thread::scope(|scope| {
        let (send, batches) = mpsc::sync_channel(BLOCKS_AHEAD);
        scope.spawn(move || read_ahead(log, seals, head, &send));
        fold_all(batches, &mut projector, progress)
    })?;
    let position = projector.position();
    progress(position);
    let digest = database.finish_rebuild(projector)?;
    Ok(Rebuilt {
        position,
        events,
        digest,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

type Batch = Result<Vec<Decoded>, AppError>;

/// Reads the log on a thread of its own, up to a position or until nobody wants more.
fn read_ahead(log: &Log, seals: &Seals, last: u64, send: &mpsc::SyncSender<Batch>) {
    for block in log.blocks(0) {
        let batch = decode_block(block, seals, last);
        let over = batch.as_ref().is_ok_and(Vec::is_empty) || batch.is_err();
        if send.send(batch).is_err() || over {
            return;
        }
    }
}

fn decode_block(block: Result<Block, LogError>, seals: &Seals, last: u64) -> Batch {
    let block = block?;
    let commits = block
        .commits()
        .take_while(|commit| commit.position() <= last);
    let commits = commits.map(|commit| decode(&commit, seals));
    Ok(commits.collect::<Result<_, _>>()?)
}

/// Folds every batch; says how many events that were.
fn fold_all(
    batches: mpsc::Receiver<Batch>,
    projector: &mut Projector,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, AppError> {
    let (mut events, mut reported) = (0, 0);
    for batch in batches {
        for commit in batch? {
            events += u64::try_from(commit.event_count()).unwrap_or(u64::MAX);
            projector.fold(commit)?;
        }
        projector.relieve()?;
        if projector.position() >= reported + COMMITS_PER_REPORT {
            reported = projector.position();
            progress(reported);
        }
    }
    Ok(events)
}

/// Makes sure that there are read models of this build, not far behind the log: what they lack is
/// followed, unless a rebuild is done sooner.
pub(crate) fn ensure(
    log: &Log,
    seals: &Seals,
    database: &Database,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Rebuilt>, AppError> {
    let head = log.head().position;
    let follows = |position: u64| {
        let behind = head.checked_sub(position);
        behind.is_some_and(|behind| behind < FOLLOWED || behind < position)
    };
    if database.position().is_some_and(follows) {
        return Ok(None);
    }
    let rebuilt = rebuild(log, seals, database, progress)?;
    database.adopt()?;
    Ok(Some(rebuilt))
}

/// The read models of an organisation's folder.
pub(crate) fn database(folder: &std::path::Path) -> Result<Database, AppError> {
    Ok(Database::new(&folder.join("read-models"), READ_MODELS)?)
}
