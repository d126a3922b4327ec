//! The demo company: two years of a trading house in Shanghai that sells to China, Europe and
//! America, as the commands of its people.
//!
//! Everything is invented, and everything comes in as a command through the desk, so the demo
//! holds only what the rules allow, refusals included. The same seed, scale and last day give the
//! same commands with the same ids and business times on every machine; only `recordedAt` is of
//! the day on which the demo is filled. [`commands`] gives the commands without an organisation,
//! for tests and measurements.
//!
//! ```text
//!  chance, calendar, world ──► sim (agenda: one case per order, lead, deal …) ──► Envelope
//!                                                                 fill: Envelope ──► Desk
//! ```

mod agenda;
mod calendar;
mod chance;
mod fill;
mod names;
mod sim;
#[cfg(test)]
mod spec;
mod world;

use daybook_schema::{
    access::Role,
    kernel::{Currency, Date, DateTime},
};
use rust_decimal::prelude::ToPrimitive;

pub use fill::{DemoError, DemoSummary, fill};

use crate::{Envelope, Founding};
use sim::Simulation;
use world::text;

/// Days that the demo tells of.
const DAYS: u64 = 730;
/// The greatest scale, in thousandths: some eight million events, whose days still hold them.
const SCALE_MAX: u64 = 100_000;

/// Which demo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DemoOptions {
    /// Another seed tells another story.
    pub seed: u64,
    /// The size of the company: 1 makes some 75 000 events, 0.1 a tenth of it; at most 100.
    pub scale: f64,
    /// The last day of the two years.
    pub until: Date,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            scale: 1.0,
            until: text("2026-06-30"),
        }
    }
}

impl DemoOptions {
    /// The first of the two years' days.
    pub fn from(&self) -> Date {
        let days = chrono::Days::new(DAYS);
        Date(self.until.0.checked_sub_days(days).unwrap_or(self.until.0))
    }

    /// The scale in thousandths; nothing for a scale that is no number.
    fn thousandths(&self) -> u64 {
        let thousandths = (self.scale * 1_000.0).round().to_u64();
        thousandths.unwrap_or(0).min(SCALE_MAX)
    }
}

/// An account of every role but the administrator's, to look around as: the demo hands a key out
/// to each of them, whose secret everybody can know.
pub const SHOWN_ACCOUNTS: [(Role, &str); 12] = [
    (Role::Leader, "shen.yun"),
    (Role::Manager, ADMINISTRATOR),
    (Role::SalesManager, "julia.hoffmann"),
    (Role::Salesperson, "li.wei"),
    (Role::ServiceAgent, "xu.na"),
    (Role::StockKeeper, "sun.qiang"),
    (Role::Delivery, "feng.chi"),
    (Role::Analyst, "qin.lan"),
    (Role::HumanResources, "bai.lu"),
    (Role::QualityMeasurer, "jiang.he"),
    (Role::Auditor, "ye.audit"),
    (Role::Integrator, "erp.connector"),
];
/// Who runs the company, as its administrator and manager.
pub const ADMINISTRATOR: &str = "gao.ming";

/// How an organisation is founded that the demo fits into: on the first day, valued in CNY.
pub fn founding(options: DemoOptions) -> Founding {
    let from = options.from();
    Founding {
        name: text("晨光贸易 Daybook Trading"),
        currency: Currency::CNY,
        founder: text(ADMINISTRATOR),
        policies_from: from,
        keeps_house: false,
        founded_at: Some(DateTime::from_micros(calendar::start_of(from.0) * 1_000)),
    }
}

/// The commands of the demo, one after the other, in the order of their business time.
pub fn commands(options: DemoOptions) -> Commands {
    let (from, until) = (options.from().0, options.until.0);
    Commands(Simulation::new(
        options.seed,
        options.thousandths(),
        from,
        until,
    ))
}

/// The commands of a demo. Memory follows what is open in the company, not what ever happened.
pub struct Commands(Simulation);

impl Commands {
    /// Simulated days that are over, and all of them.
    pub fn progress(&self) -> (u64, u64) {
        (self.0.days_over().min(DAYS), DAYS)
    }
}

impl Iterator for Commands {
    type Item = Envelope;

    fn next(&mut self) -> Option<Envelope> {
        self.0.next()
    }
}
