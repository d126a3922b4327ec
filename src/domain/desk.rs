//! What a decision may look at, and where it writes.

use std::{any::Any, cell::RefCell, collections::HashMap, sync::Arc};

use daybook_schema::{
    DomainEvent, EventError,
    commit::PolicyRef,
    kernel::{Actor, Date, DateTime, StreamKey},
    prefix,
};
use uuid::Uuid;

use crate::{Aggregate, Authority, Custody, Event};

/// The folded state of one stream, of a type that its prefix decides.
pub type State = Arc<dyn Any + Send + Sync>;

/// A technical fault while a decision was being made; not a rule.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The history of an object could not be read.
    #[error("the history of `{stream}` cannot be read: {message}")]
    History {
        /// The object.
        stream: String,
        /// What the log said.
        message: String,
    },
    /// An event could not be written or read as JSON.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A stream whose prefix no aggregate has.
    #[error("no aggregate has streams named `{0}`")]
    UnknownStream(String),
}

/// How the events of one kind of stream become a state.
#[derive(Clone, Copy)]
pub struct Fold {
    /// The state before the first event.
    pub initial: fn() -> State,
    /// The state after one more event.
    pub evolve: fn(State, &DomainEvent) -> State,
    /// Whether folding the last event alone gives the same state.
    pub last_event_is_all: bool,
}

impl Fold {
    pub(crate) fn of<A: Aggregate>() -> Self {
        Self {
            initial: || Arc::new(A::default()),
            evolve: evolve::<A>,
            last_event_is_all: A::LAST_EVENT_IS_ALL,
        }
    }
}

fn evolve<A: Aggregate>(state: State, event: &DomainEvent) -> State {
    let state: A = state
        .downcast()
        .map(Arc::unwrap_or_clone)
        .unwrap_or_default();
    match A::Event::of(event) {
        Some(event) => Arc::new(state.evolve(event)),
        None => Arc::new(state),
    }
}

/// A state and the number of events folded into it.
#[derive(Clone)]
pub struct Loaded {
    /// The folded state.
    pub state: State,
    /// How many events the stream has.
    pub version: u64,
    /// In whose hands the object is.
    pub custody: Custody,
}

impl Loaded {
    /// The state of a stream without events.
    #[must_use]
    pub fn initial(fold: Fold) -> Self {
        Self {
            state: (fold.initial)(),
            version: 0,
            custody: Custody::default(),
        }
    }

    /// The state after one more event, which is the stream's `version`-th.
    #[must_use]
    pub fn after(self, fold: Fold, event: &DomainEvent, version: u64) -> Self {
        Self {
            state: (fold.evolve)(self.state, event),
            version,
            custody: self.custody.after(event),
        }
    }
}

/// Where states come from: the desk's cache over the log, or a test's list of events.
pub trait States {
    /// The state of a stream after all events recorded so far; the initial one if it has none.
    fn load(&self, stream: &str) -> Result<Loaded, Fault>;
}

/// What comes in with a command besides its content. Time and identity come from here only.
#[derive(Clone, Debug)]
pub struct Context {
    /// The command's id, from which the ids of new objects are derived.
    pub command_id: Uuid,
    /// The organisation that decides.
    pub organisation: Uuid,
    /// Who acts.
    pub actor: Actor,
    /// For whom, where the actor is a delegate.
    pub on_behalf_of: Option<Actor>,
    /// On whose authority.
    pub authority: Authority,
    /// When the desk decides.
    pub recorded_at: DateTime,
    /// When it happened in business, where that differs.
    pub occurred_at: Option<DateTime>,
}

impl Context {
    /// The business day of the command, in UTC.
    pub fn effective_on(&self) -> Date {
        self.occurred_at.unwrap_or(self.recorded_at).date()
    }

    /// Whether a person has a hand in the command: as its actor, or as the one it is issued on
    /// behalf of. A decision that needs two persons needs none of them twice.
    pub fn acts_as(&self, person: &Actor) -> bool {
        self.authority != Authority::Process
            && (self.actor == *person || self.on_behalf_of.as_ref() == Some(person))
    }

    /// The id of the one new object of its kind that this command creates.
    pub fn new_id<Id: From<Uuid>>(&self) -> Id {
        self.command_id.into()
    }

    /// The id of one of several new objects of a kind that this command creates.
    pub fn numbered_id<Id: From<Uuid>>(&self, number: usize) -> Id {
        Uuid::new_v5(&self.command_id, number.to_string().as_bytes()).into()
    }
}

/// An event that a decision recorded, with its place in its stream.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    /// The stream.
    pub stream: String,
    /// The version of the stream after the event, counted from 1.
    pub version: u64,
    /// The event.
    pub event: DomainEvent,
}

/// The outcome of a command that was not refused.
pub struct Decided {
    /// The events, in the order in which they were recorded.
    pub events: Vec<RecordedEvent>,
    /// The states of the streams that changed.
    pub states: HashMap<String, Loaded>,
    /// The policies that were consulted, each once, in the order of their first use.
    pub policies: Vec<PolicyRef>,
}

/// One decision in the making. What it records it also sees: the second line of an order finds
/// the stock that the first line left. Nothing leaves the desk before the decision is complete.
pub struct Desk<'a> {
    states: &'a dyn States,
    context: &'a Context,
    changed: HashMap<String, Loaded>,
    events: Vec<RecordedEvent>,
    policies: RefCell<Vec<PolicyRef>>,
}

impl<'a> Desk<'a> {
    /// A desk with nothing on it yet.
    pub fn new(states: &'a dyn States, context: &'a Context) -> Self {
        Self {
            states,
            context,
            changed: HashMap::new(),
            events: Vec::new(),
            policies: RefCell::default(),
        }
    }

    /// What came in with the command.
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// The state of an object, with what this decision has recorded so far.
    pub fn load<A: Aggregate>(&self, id: &A::Id) -> Result<Arc<A>, Fault> {
        let stream = id.to_string();
        let state = self.find(&stream)?.state;
        state.downcast().map_err(|_| Fault::UnknownStream(stream))
    }

    /// In whose hands an object is, with what this decision has recorded so far.
    pub fn custody(&self, stream: &str) -> Result<Custody, Fault> {
        Ok(self.find(stream)?.custody)
    }

    /// Records that something happened to an object.
    pub fn record(
        &mut self,
        id: &impl StreamKey,
        event: impl Into<DomainEvent>,
    ) -> Result<(), Fault> {
        let (stream, event) = (id.to_string(), event.into());
        let fold = crate::fold(prefix(&stream));
        let fold = fold.ok_or_else(|| Fault::UnknownStream(stream.clone()))?;
        // Taken out rather than shared: the state then changes in place, and many events on one
        // stream do not copy it as many times.
        let loaded = match self.changed.remove(&stream) {
            Some(loaded) => loaded,
            None => self.states.load(&stream)?,
        };
        let version = loaded.version + 1;
        let loaded = loaded.after(fold, &event, version);
        self.changed.insert(stream.clone(), loaded);
        self.events.push(RecordedEvent {
            stream,
            version,
            event,
        });
        Ok(())
    }

    /// Notes that the decision consulted a version of a policy.
    pub fn cite(&self, policy: PolicyRef) {
        let mut policies = self.policies.borrow_mut();
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }

    /// The policies consulted so far; a refusal cites them too.
    pub fn cited(&self) -> Vec<PolicyRef> {
        self.policies.borrow().clone()
    }

    /// Takes what was decided off the desk.
    pub fn finish(self) -> Decided {
        let policies = self.policies.into_inner();
        Decided {
            events: self.events,
            states: self.changed,
            policies,
        }
    }

    fn find(&self, stream: &str) -> Result<Loaded, Fault> {
        match self.changed.get(stream) {
            Some(loaded) => Ok(loaded.clone()),
            None => self.states.load(stream),
        }
    }
}
