//! How read models are specified: given events, then rows.
//!
//! Every spec folds its events twice: live, one commit per batch, each row read back before it is
//! changed again; and as a rebuild, all in one batch in memory. Both must say the same.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use std::{collections::HashMap, ops::Deref, str::FromStr};

use daybook_schema::{
    DomainEvent,
    commit::{CommitMeta, Source},
    customers::{CustomerDetails, CustomerEvent, CustomerId},
    kernel::{DateTime, Money, Name, StreamKey},
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    READ_MODELS,
    store::{Commit, CommitEvent, Database, Projector, Readers, Snapshot},
};

/// Commits on record, oldest first.
pub(crate) struct History {
    now: DateTime,
    actor: String,
    versions: HashMap<String, u64>,
    commits: Vec<Recorded>,
}

struct Recorded {
    meta: Vec<u8>,
    events: Vec<RecordedEvent>,
}

struct RecordedEvent {
    stream: String,
    version: u64,
    type_name: &'static str,
    type_version: u16,
    data: Vec<u8>,
}

/// The read models after a history.
pub(crate) struct Shown {
    snapshot: Snapshot,
    _folder: TempDir,
}

impl Deref for Shown {
    type Target = Snapshot;
    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Begins with nothing on record, on the first day of 2026.
pub(crate) fn given() -> History {
    History {
        now: value("2026-01-01T09:00:00Z"),
        actor: "li.wei".to_owned(),
        versions: HashMap::new(),
        commits: Vec::new(),
    }
}

/// Reads a value from its text.
#[track_caller]
pub(crate) fn value<T: FromStr>(text: &str) -> T {
    let parsed = text.parse().ok();
    parsed.unwrap_or_else(|| panic!("`{text}` does not fit"))
}

/// The same id for the same number.
pub(crate) fn id<Id: From<Uuid>>(number: u128) -> Id {
    Uuid::from_u128(number).into()
}

/// Reads an amount such as `12.50 CNY`.
#[track_caller]
pub(crate) fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    let json = serde_json::json!({ "amount": amount, "currency": currency });
    serde_json::from_value(json).unwrap()
}

/// What the master record says of a customer of this name.
pub(crate) fn customer_details(name: &str) -> CustomerDetails {
    CustomerDetails {
        name: value::<Name>(name),
        customer_type: Default::default(),
        tax_number: None,
        phone: None,
        email: None,
        address: None,
        currency: None,
        language: None,
        external_number: None,
    }
}

/// A history with one more customer.
pub(crate) fn customer_registered(history: History, number: u128, name: &str) -> History {
    let registered = CustomerEvent::CustomerRegistered {
        number: 1,
        details: customer_details(name),
        owner: value("li.wei"),
    };
    history.event(id::<CustomerId>(number), registered)
}

impl History {
    /// What follows happens at this instant.
    #[track_caller]
    pub(crate) fn at(mut self, instant: &str) -> Self {
        self.now = value(instant);
        self
    }

    /// What follows happens in the morning of this day.
    #[track_caller]
    pub(crate) fn on(self, day: &str) -> Self {
        self.at(&format!("{day}T09:00:00Z"))
    }

    /// What follows is done by this actor.
    pub(crate) fn by(mut self, actor: &str) -> Self {
        actor.clone_into(&mut self.actor);
        self
    }

    /// A commit of one event.
    pub(crate) fn event(self, stream: impl StreamKey, event: impl Into<DomainEvent>) -> Self {
        self.commit(vec![(stream.to_string(), event.into())])
    }

    /// A commit of several events.
    pub(crate) fn commit(mut self, events: Vec<(String, DomainEvent)>) -> Self {
        let meta = CommitMeta {
            command: "Spec".to_owned(),
            digest: String::new(),
            actor: value(&self.actor),
            on_behalf_of: None,
            role: None,
            grant: None,
            recorded_at: self.now,
            occurred_at: None,
            correlation: None,
            causation: None,
            reason: None,
            policies: Vec::new(),
            source: Source::Api,
            refusal: None,
            attempted: None,
        };
        let recorded = events.into_iter().map(|(stream, event)| {
            let version = self.versions.entry(stream.clone()).or_default();
            *version += 1;
            RecordedEvent {
                version: *version,
                type_name: event.type_name(),
                type_version: event.type_version(),
                data: event.encode().unwrap(),
                stream,
            }
        });
        let events = recorded.collect();
        self.commits.push(Recorded {
            meta: serde_json::to_vec(&meta).unwrap(),
            events,
        });
        self
    }

    /// The read models, none of which may have a hole.
    #[track_caller]
    pub(crate) fn then(self) -> Shown {
        let shown = self.show();
        assert_eq!(shown.parked().unwrap(), Vec::new());
        shown
    }

    /// The read models, of which the named one may have no hole. Others may: they want to know
    /// more of an object than a spec of this one says.
    #[track_caller]
    pub(crate) fn then_in(self, model: &str) -> Shown {
        let shown = self.show();
        let mut holes = shown.parked().unwrap();
        holes.retain(|hole| hole.read_model == model);
        assert_eq!(holes, Vec::new());
        shown
    }

    /// The read models, holes or not.
    #[track_caller]
    pub(crate) fn show(self) -> Shown {
        let (live_folder, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let live = Database::new(live_folder.path(), READ_MODELS).unwrap();
        let empty = live.begin_rebuild().unwrap();
        live.finish_rebuild(empty).unwrap();
        live.adopt().unwrap();
        let mut projector = live.projector().unwrap();
        self.fold(&mut projector, true);
        drop(projector);

        let rebuilt = Database::new(folder.path(), READ_MODELS).unwrap();
        let mut projector = rebuilt.begin_rebuild().unwrap();
        self.fold(&mut projector, false);
        let digest = rebuilt.finish_rebuild(projector).unwrap();
        rebuilt.adopt().unwrap();
        assert_eq!(
            live.digest().unwrap().1,
            digest,
            "live and rebuilt read models differ"
        );
        Shown {
            snapshot: rebuilt.readers().snapshot(None).unwrap(),
            _folder: folder,
        }
    }

    /// The read models as they are served, and where they live.
    pub(crate) fn served(self) -> (Readers, TempDir) {
        let folder = TempDir::new().unwrap();
        let database = Database::new(folder.path(), READ_MODELS).unwrap();
        let mut projector = database.begin_rebuild().unwrap();
        self.fold(&mut projector, false);
        database.finish_rebuild(projector).unwrap();
        database.adopt().unwrap();
        (database.readers(), folder)
    }

    /// Folds what the projector does not know yet.
    pub(crate) fn fold(&self, projector: &mut Projector, flush_each: bool) {
        let known = projector.position();
        let commits = (1..).zip(&self.commits);
        for (position, recorded) in commits.filter(|(position, _)| *position > known) {
            let events = recorded.events.iter().map(|event| CommitEvent {
                stream: &event.stream,
                version: event.version,
                type_name: event.type_name,
                type_version: event.type_version,
                data: &event.data,
            });
            let commit = Commit {
                position,
                command_id: id(u128::from(position)),
                meta: &recorded.meta,
                events: events.collect(),
            };
            projector.fold(commit.decode().unwrap()).unwrap();
            if flush_each {
                projector.flush().unwrap();
                projector.forget();
            }
        }
    }
}
