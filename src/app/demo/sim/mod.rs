//! The company at work: people do what their agenda says, one moment after the other.
//!
//! The simulation keeps what it needs to act sensibly: stock on hand, customers, and one case per
//! order, lead, deal and complaint that is under way. A case is owned by its entry in the agenda
//! and gone with its last step, so memory follows what is open, not what ever happened.

mod access;
mod cases;
mod complaints;
mod customers;
mod day;
mod deals;
mod goods;
mod leads;
mod opening;
mod orders;
mod prices;
mod shipments;
mod staff;
mod stock;
mod supply;

use std::{collections::VecDeque, sync::Arc};

use chrono::NaiveDate;
use daybook_schema::{
    DomainCommand,
    kernel::{Currency, Date, DateTime, Money, Note},
};
use uuid::{Builder, Uuid};

use super::{
    agenda::Agenda,
    calendar::{self, Moment, Region},
    chance::Chance,
    world::{Matter, World, text},
};
use crate::Envelope;
use cases::Task;
use customers::Customers;
use deals::Pipelines;
use goods::Goods;
use staff::Who;
use stock::Stock;

/// How long a person takes for one command.
const PER_COMMAND: i64 = calendar::SECOND;
/// Commits of a founding, which come before the demo's own in a new organisation.
pub(super) const FOUNDING_COMMITS: u64 = 5;

/// The company on its way through the two years.
pub(super) struct Simulation {
    world: Arc<World>,
    chance: Chance,
    identities: Chance,
    agenda: Agenda<Task>,
    issued: VecDeque<Envelope>,
    now: Moment,
    first: NaiveDate,
    end: Moment,
    /// Size of the company, in thousandths of the ordinary one.
    scale: u64,
    /// Commands issued so far.
    number: u64,
    /// Commands issued within this very millisecond.
    within: u16,
    goods: Goods,
    stock: Stock,
    customers: Customers,
    pipelines: Pipelines,
    /// Whether the rules for complaints were eased.
    rules_eased: bool,
}

impl Simulation {
    pub(super) fn new(seed: u64, scale: u64, first: NaiveDate, last: NaiveDate) -> Self {
        let world = Arc::new(World::read());
        let mut simulation = Self {
            goods: Goods::of(&world),
            stock: Stock::new(&world),
            customers: Customers::default(),
            world,
            chance: Chance::new(seed, 0),
            identities: Chance::new(seed, scale.saturating_add(1)),
            agenda: Agenda::new(),
            issued: VecDeque::new(),
            now: calendar::start_of(first) + calendar::HOUR,
            first,
            end: calendar::start_of(last) + 24 * calendar::HOUR,
            scale,
            number: 0,
            within: 0,
            pipelines: Pipelines::new(),
            rules_eased: false,
        };
        simulation.open();
        simulation
    }

    /// The next command; none at the end of the two years.
    pub(super) fn next(&mut self) -> Option<Envelope> {
        loop {
            if let Some(envelope) = self.issued.pop_front() {
                return Some(envelope);
            }
            let (at, task) = self.agenda.next()?;
            self.now = self.now.max(at);
            if self.now >= self.end {
                return None;
            }
            self.run(task);
        }
    }

    /// Simulated days that are over.
    pub(super) fn days_over(&self) -> u64 {
        let days = self.today().signed_duration_since(self.first).num_days();
        u64::try_from(days).unwrap_or(0)
    }

    /// Issues a command that begins a conversation of its own.
    fn issue(&mut self, who: &Who, command: impl Into<DomainCommand>) -> Uuid {
        self.push(who, command.into(), None)
    }

    /// Issues a command that belongs to the conversation that another command began.
    fn follow(&mut self, root: Uuid, who: &Who, command: impl Into<DomainCommand>) -> Uuid {
        self.push(who, command.into(), Some(root))
    }

    /// Says why the command that was issued last was.
    fn because(&mut self, reason: Note) {
        if let Some(envelope) = self.issued.back_mut() {
            envelope.reason = Some(reason);
        }
    }

    fn push(&mut self, who: &Who, command: DomainCommand, correlation: Option<Uuid>) -> Uuid {
        let command_id = self.command_id();
        self.number += 1;
        self.issued.push_back(Envelope {
            role: Some(who.role.clone()),
            occurred_at: Some(DateTime::from_micros(self.now * 1_000)),
            correlation,
            ..Envelope::of_process(command_id, who.actor.clone(), command)
        });
        self.now += PER_COMMAND;
        self.within = 0;
        command_id
    }

    /// A UUID of version 7 from simulated time: ids rise with time, which keeps indexes small.
    fn command_id(&mut self) -> Uuid {
        let mut bytes = [0; 10];
        self.identities.fill(&mut bytes);
        let [high, low] = self.within.to_be_bytes();
        (bytes[0], bytes[1]) = (high, low);
        self.within += 1;
        let millis = u64::try_from(self.now).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// The position that the last command has in an organisation that was just founded.
    fn last_position(&self) -> u64 {
        FOUNDING_COMMITS + self.number
    }

    fn today(&self) -> NaiveDate {
        calendar::day_of(self.now)
    }

    fn in_days(&self, days: i64) -> Date {
        calendar::later(self.today(), days)
    }

    /// Enters a task for office hours, so many days from now.
    fn plan(&mut self, region: Region, low: i64, high: i64, task: Task) {
        let days = self.chance.between(low, high);
        let at = calendar::office(&mut self.chance, self.now, region, days);
        self.agenda.enter(at, task);
    }

    /// So many things of an ordinary company, in thousandths, for a company of this size.
    fn scaled(&self, thousandths: u64) -> u64 {
        thousandths * self.scale / 1_000
    }

    /// Something that people say of a matter.
    fn say(&mut self, of: fn(&World) -> &Matter, region: Region) -> Note {
        let world = self.world.clone();
        self.chance.pick(of(&world).said_in(region)).clone()
    }

    /// What people say of the one of several reasons that stands at an index.
    fn say_nth(&self, of: fn(&World) -> &Matter, region: Region, index: usize) -> Note {
        let notes = of(&self.world).said_in(region);
        notes[index % notes.len()].clone()
    }

    /// The same of a product.
    fn say_of(&mut self, of: fn(&World) -> &Matter, region: Region, good: usize) -> Note {
        let said = self.say(of, region);
        let name = self.goods.name(good, region);
        text(&said.as_str().replace("{}", name.as_str()))
    }

    /// An amount of money between two numbers of whole units, ending in two zeros.
    fn sum(&mut self, low: i64, high: i64, currency: Currency) -> Money {
        let hundreds = self.chance.between(low / 100, high / 100);
        let minor = hundreds * 100 * 10_i64.pow(currency.exponent());
        Money::from_minor(minor, currency)
    }
}
