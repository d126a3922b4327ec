#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "specs may stop at the first surprise"
)]
//! Given some facts, when a command comes, then these facts or this refusal.

pub(crate) mod shop;

use std::{cell::RefCell, collections::HashMap};

use daybook_schema::{
    DomainCommand, DomainEvent, commit::Refusal, governance::OrganisationId, kernel::StreamKey,
    prefix,
};
use uuid::Uuid;

use crate::{
    Aggregate, Authority, Cited, Context, Declined, Desk, Fault, Loaded, RecordedEvent, States,
    authorise, decide, fold,
};

/// The day and hour of every spec.
pub(crate) const NOW: &str = "2026-03-02T09:00:00Z";

/// The organisation of every spec.
pub(crate) const ORGANISATION: OrganisationId =
    OrganisationId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

/// A made-up identity that is the same in every run.
pub(crate) const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

/// Text, number or id from its written form; specs may trust themselves.
#[track_caller]
pub(crate) fn t<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|error| panic!("`{text}`: {error:?}"))
}

/// The facts so far, folded as the desk folds them.
#[derive(Default)]
pub(crate) struct Given {
    states: RefCell<HashMap<String, Loaded>>,
    actor: Option<String>,
    on_behalf_of: Option<String>,
    authority: Option<Authority>,
    recorded_at: Option<String>,
    occurred_at: Option<String>,
}

impl States for Given {
    fn load(&self, stream: &str) -> Result<Loaded, Fault> {
        if let Some(loaded) = self.states.borrow().get(stream) {
            return Ok(loaded.clone());
        }
        let fold = fold(prefix(stream)).ok_or_else(|| Fault::UnknownStream(stream.to_owned()))?;
        Ok(Loaded::initial(fold))
    }
}

/// An event must survive its own encoding, or the log could not be read back.
#[track_caller]
fn assert_readable(stream: &str, event: &DomainEvent) {
    let data = event.encode().expect("event data");
    let back = DomainEvent::decode(stream, event.type_name(), 1, &data);
    assert_eq!(back.expect("readable event"), *event);
}

/// Begins a spec with nothing on record.
pub(crate) fn given() -> Given {
    Given::default()
}

impl Given {
    /// A fact on record.
    #[track_caller]
    pub(crate) fn event(self, id: impl StreamKey, event: impl Into<DomainEvent>) -> Self {
        let event = event.into();
        assert_readable(&id.to_string(), &event);
        let loaded = self.load(&id.to_string()).expect("known stream");
        let fold = fold(prefix(&id.to_string())).expect("known stream");
        let version = loaded.version + 1;
        let loaded = loaded.after(fold, &event, version);
        self.states.borrow_mut().insert(id.to_string(), loaded);
        self
    }

    /// A command that was obeyed earlier, with the id that it had.
    #[track_caller]
    pub(crate) fn done(self, command_id: u128, command: impl Into<DomainCommand>) -> Self {
        let outcome = self.run(uuid(command_id), command.into());
        let decided = outcome.unwrap_or_else(|declined| panic!("refused: {declined:?}"));
        self.states.borrow_mut().extend(decided.states);
        self
    }

    /// Who acts from here on; `li.wei` where nobody is named.
    pub(crate) fn actor(mut self, actor: &str) -> Self {
        self.actor = Some(actor.to_owned());
        self
    }

    /// Who acts from here on, by the authority of an account and no longer by that of the process.
    pub(crate) fn signed_in(mut self, login: &str) -> Self {
        self.authority = Some(Authority::Account);
        self.actor(login)
    }

    /// Whose authority the actor acts by from here on.
    pub(crate) fn on_behalf_of(mut self, login: &str) -> Self {
        self.on_behalf_of = Some(login.to_owned());
        self
    }

    /// The day from here on.
    pub(crate) fn on(mut self, day: &str) -> Self {
        self.recorded_at = Some(format!("{day}T09:00:00Z"));
        self
    }

    /// By which grant the actor may issue a command, or why not.
    pub(crate) fn authorised(
        &self,
        command: impl Into<DomainCommand>,
    ) -> Result<Option<Cited>, Refusal> {
        let context = self.context(uuid(99));
        let desk = Desk::new(self, &context);
        authorise(&command.into(), &desk).map_err(|declined| match declined {
            Declined::Refused(refusal) => refusal,
            Declined::Fault(fault) => panic!("{fault}"),
        })
    }

    /// A command that may be refused; returns what it recorded if it was not.
    pub(crate) fn attempt(
        &self,
        command_id: u128,
        command: impl Into<DomainCommand>,
    ) -> Result<Vec<RecordedEvent>, Refusal> {
        match self.run(uuid(command_id), command.into()) {
            Ok(decided) => {
                self.states.borrow_mut().extend(decided.states);
                Ok(decided.events)
            }
            Err(Declined::Refused(refusal)) => Err(refusal),
            Err(Declined::Fault(fault)) => panic!("{fault}"),
        }
    }

    /// The state of an object.
    #[track_caller]
    pub(crate) fn state<A: Aggregate>(&self, id: &A::Id) -> A {
        let state = self.load(&id.to_string()).expect("known stream").state;
        let state = state.downcast::<A>().expect("state of the aggregate");
        (*state).clone()
    }

    /// The business time from here on.
    pub(crate) fn occurred_at(mut self, instant: &str) -> Self {
        self.occurred_at = Some(instant.to_owned());
        self
    }

    /// The command under test; its id is `uuid(99)`.
    #[track_caller]
    pub(crate) fn when(self, command: impl Into<DomainCommand>) -> Outcome {
        Outcome(
            self.run(uuid(99), command.into())
                .map(|decided| decided.events),
        )
    }

    /// The policies that the command under test consults, as `kind.name@version`.
    #[track_caller]
    pub(crate) fn cites(&self, command: impl Into<DomainCommand>) -> Vec<String> {
        let decided = self.run(uuid(99), command.into());
        let decided = decided.unwrap_or_else(|declined| panic!("refused: {declined:?}"));
        let cited = decided.policies.iter();
        cited
            .map(|policy| format!("{}@{}", policy.kind, policy.version))
            .collect()
    }

    fn context(&self, command_id: Uuid) -> Context {
        Context {
            command_id,
            organisation: ORGANISATION.0,
            actor: t(self.actor.as_deref().unwrap_or("li.wei")),
            on_behalf_of: self.on_behalf_of.as_deref().map(t),
            authority: self.authority.unwrap_or(Authority::Process),
            recorded_at: t(self.recorded_at.as_deref().unwrap_or(NOW)),
            occurred_at: self.occurred_at.as_deref().map(t),
        }
    }

    fn run(&self, command_id: Uuid, command: DomainCommand) -> Result<crate::Decided, Declined> {
        let context = self.context(command_id);
        let mut desk = Desk::new(self, &context);
        decide(command, &mut desk)?;
        let decided = desk.finish();
        for recorded in &decided.events {
            assert_readable(&recorded.stream, &recorded.event);
        }
        Ok(decided)
    }
}

/// What came of the command under test.
#[derive(Debug)]
pub(crate) struct Outcome(Result<Vec<RecordedEvent>, Declined>);

impl Outcome {
    /// The command recorded exactly these facts.
    #[track_caller]
    pub(crate) fn then(self, expected: &[(&dyn ToString, DomainEvent)]) {
        let events = self.events();
        let got: Vec<_> = events
            .iter()
            .map(|e| (e.stream.clone(), e.event.clone()))
            .collect();
        let want: Vec<_> = expected
            .iter()
            .map(|(id, e)| (id.to_string(), e.clone()))
            .collect();
        assert_eq!(got, want);
    }

    /// The command recorded facts of exactly these types, in this order.
    #[track_caller]
    pub(crate) fn then_types(self, expected: &[&str]) -> Vec<RecordedEvent> {
        let events = self.events();
        let types: Vec<_> = events
            .iter()
            .map(|recorded| recorded.event.type_name())
            .collect();
        assert_eq!(types, expected);
        events
    }

    /// The command was refused by the rule with this code.
    #[track_caller]
    pub(crate) fn then_refused(self, code: &str) -> Refusal {
        match self.0 {
            Err(Declined::Refused(refusal)) => {
                assert_eq!(refusal.code, code, "{}", refusal.message);
                refusal
            }
            other => panic!("expected a refusal with {code}, got {other:?}"),
        }
    }

    #[track_caller]
    fn events(self) -> Vec<RecordedEvent> {
        self.0
            .unwrap_or_else(|declined| panic!("refused: {declined:?}"))
    }
}
