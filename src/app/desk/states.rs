//! The states that decisions need: a bounded cache over the log.

use std::{
    cell::{Cell, RefCell},
    num::NonZeroUsize,
};

use daybook_domain::{Fault, Fold, Loaded, States, fold};
use daybook_eventlog::{Log, LogError, StreamEvent};
use daybook_schema::{DomainEvent, prefix};
use lru::LruCache;
use uuid::Uuid;

use crate::seals::Seals;

/// Folded states, most recently used first. A state that is not durable yet is always among the
/// most recent, because the cache holds far more states than two batches can touch; so a state
/// that has to be read from the log is never older than what was decided.
pub(super) struct CachedStates {
    log: Log,
    seals: Seals,
    cache: RefCell<LruCache<String, Loaded>>,
    /// The id of a command that was never seen before: no stream that is named after it exists.
    new_command: Cell<Option<Uuid>>,
}

impl CachedStates {
    pub(super) fn new(log: Log, seals: Seals, capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self {
            log,
            seals,
            cache: RefCell::new(LruCache::sparse(capacity)),
            new_command: Cell::new(None),
        }
    }

    /// Says that the next decision is about a command whose id is new, so that the objects that
    /// it creates need not be looked for in the log.
    pub(super) fn expect_nothing_of(&self, new_command: Option<Uuid>) {
        self.new_command.set(new_command);
    }

    fn is_named_after_new_command(&self, stream: &str) -> bool {
        let id = stream
            .split_once('-')
            .and_then(|(_, id)| Uuid::try_parse(id).ok());
        id.is_some() && id == self.new_command.get()
    }

    /// Takes over the states after a decision.
    pub(super) fn keep(&self, states: impl IntoIterator<Item = (String, Loaded)>) {
        let mut cache = self.cache.borrow_mut();
        for (stream, loaded) in states {
            cache.put(stream, loaded);
        }
    }

    /// Forgets everything, so that the next decision starts from the log.
    pub(super) fn clear(&self) {
        self.cache.borrow_mut().clear();
    }

    fn read(&self, stream: &str) -> Result<Loaded, Fault> {
        let fold = fold(prefix(stream)).ok_or_else(|| Fault::UnknownStream(stream.to_owned()))?;
        let mut loaded = Loaded::initial(fold);
        if self.is_named_after_new_command(stream) {
            return Ok(loaded);
        }
        let broken = |message: String| Fault::History {
            stream: stream.to_owned(),
            message,
        };
        for found in self.events(stream, fold) {
            let found = found.map_err(|error| broken(error.to_string()))?;
            let event = found.commit.event(found.index);
            let event = event.ok_or_else(|| broken("an event is missing".to_owned()))?;
            let (name, version) = (event.type_name, event.type_version);
            let data = self.seals.event(&event);
            let decoded = DomainEvent::decode(stream, name, version, &data)?;
            loaded = loaded.after(fold, &decoded, event.version);
        }
        Ok(loaded)
    }
}

/// Events of a stream, oldest first.
type Events = Box<dyn Iterator<Item = Result<StreamEvent, LogError>>>;

impl CachedStates {
    /// The events that make the state of a stream.
    fn events(&self, stream: &str, fold: Fold) -> Events {
        if fold.last_event_is_all {
            Box::new(self.log.last_of_stream(stream).transpose().into_iter())
        } else {
            Box::new(self.log.stream(stream, 0))
        }
    }
}

impl States for CachedStates {
    fn load(&self, stream: &str) -> Result<Loaded, Fault> {
        if let Some(loaded) = self.cache.borrow_mut().get(stream) {
            return Ok(loaded.clone());
        }
        let loaded = self.read(stream)?;
        // What is only now being made is kept when it has been.
        if !self.is_named_after_new_command(stream) {
            let mut cache = self.cache.borrow_mut();
            cache.put(stream.to_owned(), loaded.clone());
        }
        Ok(loaded)
    }
}
