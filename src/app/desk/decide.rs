//! The desk thread: from the queue to batches of commits that only need to be written.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, atomic::Ordering, mpsc::SyncSender},
};

use daybook_domain::{
    Cited, Context, Custody, Decided, Declined, Desk, Fault, Loaded, RecordedEvent, States,
    authorise, decide,
};
use daybook_eventlog::{
    Known, Log, LogError, LogState, MAX_COMMIT_BYTES, NewCommit, NewEvent, RecentCommands,
};
use daybook_keyring::KeyError;
use daybook_schema::{
    DomainCommand, DomainEvent,
    commit::CommitMeta,
    governance::ErasureEvent,
    kernel::{DateTime, Name},
    personal,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{DeskOptions, DeskStats, Request, gathering::Gathering, states::CachedStates, subject};
use crate::{
    AppError, CommandError, Envelope, Receipt, ReceiptEvent,
    envelope::Content,
    seals::{self, Seals},
};

/// The greatest refused command that is kept word for word in the record.
const ATTEMPTED_BYTES: usize = 16 * 1024;
/// A batch with more bytes than this takes no further command.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

pub(super) type Answer = oneshot::Sender<Result<Receipt, CommandError>>;

/// Commits decided upon one head, and who waits for them.
#[derive(Default)]
pub(super) struct Batch {
    /// The head that the decisions rest upon.
    pub(super) base: u64,
    pub(super) commits: Vec<NewCommit>,
    bytes: usize,
    pub(super) answers: Vec<(Answer, Receipt)>,
    /// Repeated commands, to be answered from the log once it holds their answers.
    pub(super) replays: Vec<Replay>,
    /// Whose keys are to be destroyed once the batch is durable.
    pub(super) erased: Vec<String>,
    /// Told when all of it is done, where the desk waits for that.
    pub(super) done: Option<oneshot::Sender<()>>,
}

/// A command whose id was seen before.
pub(super) struct Replay {
    pub(super) command_id: Uuid,
    pub(super) digest: String,
    pub(super) answer: Answer,
}

pub(super) struct Decider {
    log: Log,
    seals: Seals,
    states: CachedStates,
    options: DeskOptions,
    stats: Arc<DeskStats>,
    /// The position after everything decided so far.
    head: u64,
    recorded_at: DateTime,
    /// The commands of the batch that is being written, and of the one that is being decided.
    in_flight: [HashMap<Uuid, u64>; 2],
    /// Tells most new command ids from repeated ones without a look into the log.
    recent: RecentCommands,
    /// Who is erased by the batch that is being decided.
    erased: Vec<String>,
}

impl Decider {
    pub(super) fn new(
        log: Log,
        seals: Seals,
        recent: RecentCommands,
        options: DeskOptions,
        stats: Arc<DeskStats>,
    ) -> Result<Self, AppError> {
        let states = CachedStates::new(log.clone(), seals.clone(), options.states);
        let recorded_at = DateTime::from_micros(0);
        let in_flight = [HashMap::new(), HashMap::new()];
        let mut decider = Self {
            log,
            seals,
            states,
            options,
            stats,
            head: 0,
            recorded_at,
            in_flight,
            recent,
            erased: Vec::new(),
        };
        decider.restart()?;
        Ok(decider)
    }

    /// Begins again from what the log holds.
    fn restart(&mut self) -> Result<(), AppError> {
        self.states.clear();
        self.in_flight = [HashMap::new(), HashMap::new()];
        self.head = self.log.head().position;
        if let Some(last) = self.log.commit(self.head)? {
            let meta = self.seals.meta(last.meta());
            self.recorded_at = meta.map_or(self.recorded_at, |meta| meta.recorded_at);
        }
        Ok(())
    }

    pub(super) fn run(mut self, mut gathering: Gathering, writer: &SyncSender<Batch>) {
        while let Some(first) = gathering.first() {
            let mut batch = self.begin();
            let mut next = Some(first);
            while let Some(request) = next {
                self.take(request, &mut batch);
                let full = batch.commits.len() >= self.options.batch || batch.bytes >= BATCH_BYTES;
                next = gathering.next(full);
            }
            self.stats
                .last_batch
                .store(batch.commits.len(), Ordering::Relaxed);
            let decided = self.in_flight[1].len();
            let erasing = self.erase_with(&mut batch);
            if writer.send(batch).is_err() {
                return;
            }
            // The writer has taken this batch, so the one before is written or given up.
            self.in_flight[0] = mem::take(&mut self.in_flight[1]);
            if let Some(done) = erasing {
                self.forget(done);
            }
            tracing::trace!(decided, head = self.head, "batch handed over");
        }
    }

    /// Hands over who is erased, and says how to wait until they are.
    fn erase_with(&mut self, batch: &mut Batch) -> Option<oneshot::Receiver<()>> {
        batch.erased = mem::take(&mut self.erased);
        if batch.erased.is_empty() {
            return None;
        }
        let (done, waiting) = oneshot::channel();
        batch.done = Some(done);
        Some(waiting)
    }

    /// Waits until the keys are destroyed, and forgets all states, which still know the persons.
    fn forget(&mut self, done: oneshot::Receiver<()>) {
        // A writer that is gone is noticed with the next batch.
        let _ = done.blocking_recv();
        if let Err(error) = self.restart() {
            tracing::error!(%error, "the desk cannot begin again");
        }
    }

    fn begin(&mut self) -> Batch {
        // After a batch that was not written, the head that was decided upon is beyond the log's
        // and nothing is in flight that could still reach it.
        let durable = self.log.head().position;
        let reachable = durable + u64::try_from(self.in_flight[0].len()).unwrap_or(u64::MAX);
        if self.head > reachable
            && let Err(error) = self.restart()
        {
            tracing::error!(%error, "the desk cannot begin again");
        }
        Batch {
            base: self.head,
            ..Batch::default()
        }
    }

    fn take(&mut self, request: Request, batch: &mut Batch) {
        self.stats.queued.fetch_sub(1, Ordering::Relaxed);
        let Request {
            envelope,
            content,
            answer,
        } = request;
        match self.answer(envelope, &content) {
            Ok(Taken::Decided(commit, receipt)) => {
                self.in_flight[1].insert(commit.command_id, receipt.position);
                batch.bytes += commit.encoded_bytes();
                batch.commits.push(commit);
                batch.answers.push((answer, receipt));
            }
            Ok(Taken::Seen { command_id, digest }) => {
                batch.replays.push(Replay {
                    command_id,
                    digest,
                    answer,
                });
            }
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    fn answer(&mut self, envelope: Envelope, content: &Content) -> Result<Taken, CommandError> {
        let command_id = envelope.command_id;
        let digest = content.digest();
        let new = self.recent.look(command_id) == Known::New;
        self.states.expect_nothing_of(new.then_some(command_id));
        if !new && self.seen(command_id)? {
            return Ok(Taken::Seen { command_id, digest });
        }
        self.check_writable()?;
        let context = self.context(&envelope);
        let target = envelope.command.target();
        let mut desk = Desk::new(&self.states, &context);
        // Whoever may not issue the command does not learn the version of the object either.
        let permitted = authorise(&envelope.command, &desk);
        if permitted.is_ok() {
            self.check_version(&envelope)?;
        }
        let cited = permitted.as_ref().ok().copied().flatten();
        let (command, meta) = split(envelope, digest, cited, &context);
        let outcome = permitted.and_then(|_| decide(command, &mut desk));
        match outcome {
            Ok(()) => {
                let decided = desk.finish();
                self.accept(command_id, target, meta, decided)
            }
            Err(Declined::Refused(refusal)) => {
                let meta = CommitMeta {
                    policies: desk.cited(),
                    refusal: Some(refusal),
                    attempted: attempted(&meta.command, content),
                    ..meta
                };
                self.refuse(command_id, target, meta)
            }
            Err(Declined::Fault(fault)) => Err(fault.into()),
        }
    }

    fn seen(&self, command_id: Uuid) -> Result<bool, CommandError> {
        let in_flight = self
            .in_flight
            .iter()
            .any(|ids| ids.contains_key(&command_id));
        Ok(in_flight
            || self
                .log
                .command(command_id)
                .map_err(CommandError::Log)?
                .is_some())
    }

    fn check_writable(&self) -> Result<(), CommandError> {
        match self.log.state() {
            LogState::Writable => Ok(()),
            LogState::LowSpace { free, required } => {
                let error = LogError::LowSpace { free, required };
                Err(CommandError::Log(error))
            }
            LogState::Stopped { reason } => Err(CommandError::Log(LogError::Stopped { reason })),
        }
    }

    fn check_version(&self, envelope: &Envelope) -> Result<(), CommandError> {
        let (Some(expected), Some(stream)) = (envelope.expected_version, envelope.command.target())
        else {
            return Ok(());
        };
        let actual = self.states.load(&stream)?.version;
        if actual == expected {
            return Ok(());
        }
        Err(CommandError::VersionConflict {
            stream,
            expected,
            actual,
        })
    }

    fn context(&self, envelope: &Envelope) -> Context {
        Context {
            command_id: envelope.command_id,
            organisation: self.log.organisation(),
            actor: envelope.actor.clone(),
            on_behalf_of: envelope.on_behalf_of.clone(),
            authority: envelope.authority,
            recorded_at: self.recorded_at.max(now()),
            occurred_at: envelope.occurred_at,
        }
    }

    fn accept(
        &mut self,
        command_id: Uuid,
        target: Option<String>,
        meta: CommitMeta,
        decided: Decided,
    ) -> Result<Taken, CommandError> {
        let Decided {
            events,
            states,
            policies,
        } = decided;
        let mut receipt_events = Vec::with_capacity(events.len());
        let mut new_events = Vec::with_capacity(events.len());
        let mut erased = Vec::new();
        // A number or a natural key may come first, and is nobody's.
        let streams = events.iter().map(|event| event.stream.clone());
        let about = target
            .into_iter()
            .chain(streams)
            .find(|id| personal::is_of_persons(id));
        for RecordedEvent {
            stream,
            version,
            event,
        } in events
        {
            let (type_name, type_version) = (event.type_name(), event.type_version());
            let data = self.sealed(&stream, &event, &states)?;
            if let DomainEvent::Erasure(ErasureEvent::SubjectErased { subject, .. }) = &event {
                erased.push(subject.to_string());
            }
            receipt_events.push(ReceiptEvent {
                stream: stream.clone(),
                version,
                event_type: type_name.into(),
            });
            new_events.push(NewEvent {
                stream,
                version,
                type_name: type_name.into(),
                type_version,
                data,
            });
        }
        let meta = CommitMeta { policies, ..meta };
        let json = self.sealed_meta(about.as_deref(), &meta, &states)?;
        let taken = self.stage(command_id, (meta, json), new_events, receipt_events)?;
        self.erased.append(&mut erased);
        self.states.keep(states);
        self.stats.accepted.fetch_add(1, Ordering::Relaxed);
        Ok(taken)
    }

    /// The data of an event as it goes into the log, with what is personal sealed.
    fn sealed(
        &self,
        stream: &str,
        event: &DomainEvent,
        changed: &HashMap<String, Loaded>,
    ) -> Result<Vec<u8>, CommandError> {
        let data = event.encode().map_err(Fault::from)?;
        let type_name = event.type_name();
        if personal::of_event(type_name).is_none() {
            return Ok(data);
        }
        let custody = |id: &str| self.custody(id, changed);
        // What belongs to nobody could never be erased, so it is not written at all.
        let person = subject::of_event(stream, event, &custody)?.ok_or(KeyError::Unsealable)?;
        Ok(self.seals.seal_event(&person, type_name, data)?)
    }

    /// The envelope as it goes into the log; `about` is the object that the command is about.
    fn sealed_meta(
        &self,
        about: Option<&str>,
        meta: &CommitMeta,
        changed: &HashMap<String, Loaded>,
    ) -> Result<Vec<u8>, CommandError> {
        let custody = |id: &str| self.custody(id, changed);
        let person = match about.filter(|_| meta.reason.is_some()) {
            Some(about) => subject::of_stream(about, &custody)?,
            None => None,
        };
        Ok(self.seals.seal_meta(person.as_deref(), meta)?)
    }

    fn custody(&self, id: &str, changed: &HashMap<String, Loaded>) -> Result<Custody, Fault> {
        match changed.get(id) {
            Some(loaded) => Ok(loaded.custody.clone()),
            None => Ok(self.states.load(id)?.custody),
        }
    }

    fn refuse(
        &mut self,
        command_id: Uuid,
        target: Option<String>,
        mut meta: CommitMeta,
    ) -> Result<Taken, CommandError> {
        let none = HashMap::new();
        let custody = |id: &str| self.custody(id, &none);
        let person = match &target {
            Some(target) => subject::of_stream(target, &custody)?,
            None => None,
        };
        if person.is_none() {
            meta.reason = seals::withheld_reason(&meta.command, meta.reason);
        }
        let json = self.seals.seal_meta(person.as_deref(), &meta)?;
        let taken = self.stage(command_id, (meta, json), Vec::new(), Vec::new())?;
        self.stats.refused.fetch_add(1, Ordering::Relaxed);
        Ok(taken)
    }

    /// Gives a commit its position; from here on it only needs to be written.
    fn stage(
        &mut self,
        command_id: Uuid,
        (meta, json): (CommitMeta, Vec<u8>),
        events: Vec<NewEvent>,
        receipt_events: Vec<ReceiptEvent>,
    ) -> Result<Taken, CommandError> {
        let commit = NewCommit {
            command_id,
            meta: json,
            events,
        };
        let bytes = commit.encoded_bytes();
        if bytes > MAX_COMMIT_BYTES {
            let limit = MAX_COMMIT_BYTES;
            return Err(CommandError::Log(LogError::CommitTooLarge {
                command_id,
                bytes,
                limit,
            }));
        }
        self.head += 1;
        self.recent.add(command_id);
        self.recorded_at = meta.recorded_at;
        let receipt = Receipt {
            command_id,
            position: self.head,
            recorded_at: meta.recorded_at,
            events: receipt_events,
            refusal: meta.refusal,
            replayed: false,
        };
        Ok(Taken::Decided(commit, receipt))
    }
}

/// What came of taking a command from the queue.
enum Taken {
    /// A commit that needs to be written, and its receipt.
    Decided(NewCommit, Receipt),
    /// The id was seen before.
    Seen { command_id: Uuid, digest: String },
}

/// The command, and what the record says of it whatever is decided.
fn split(
    envelope: Envelope,
    digest: String,
    cited: Option<Cited>,
    context: &Context,
) -> (DomainCommand, CommitMeta) {
    let meta = CommitMeta {
        command: envelope.command.name().to_owned(),
        digest,
        actor: envelope.actor,
        on_behalf_of: envelope.on_behalf_of,
        role: envelope
            .role
            .or_else(|| cited.map(|cited| Name::of_role(cited.role))),
        grant: cited.and_then(|cited| cited.grant),
        recorded_at: context.recorded_at,
        occurred_at: envelope.occurred_at,
        correlation: envelope.correlation,
        causation: envelope.causation,
        reason: envelope.reason,
        policies: Vec::new(),
        source: envelope.source,
        refusal: None,
        attempted: None,
    };
    (envelope.command, meta)
}

/// A refused command as the record keeps it, unless it is too long: without what is personal,
/// because it belongs to nobody who could be erased.
fn attempted(name: &str, content: &Content) -> Option<serde_json::Value> {
    let command = seals::withhold(name, content.command()?);
    Some(command).filter(|command| command.to_string().len() <= ATTEMPTED_BYTES)
}

/// The desk's clock: the only place where the present enters a decision.
fn now() -> DateTime {
    DateTime::from_micros(chrono::Utc::now().timestamp_micros())
}
