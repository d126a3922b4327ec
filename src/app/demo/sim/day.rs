//! What begins on a day: orders, leads, deals, talks and new customers, by season and growth.

use chrono::Datelike;

use super::{Simulation, cases::Task};
use crate::demo::calendar::{self, HOUR, Region};

/// How many of each begin on an ordinary working day of an ordinary company, in thousandths.
const ORDERS: u64 = 2_600;
const LEADS: u64 = 2_200;
const DEALS: u64 = 900;
const TALKS: u64 = 4_000;
const CUSTOMERS: u64 = 250;
const COMPLAINTS: u64 = 300;

/// How much of the business a region brings, in hundredths.
fn share(region: Region) -> u64 {
    match region {
        Region::China => 60,
        Region::Europe => 25,
        Region::America => 15,
    }
}

impl Simulation {
    /// Begins what begins today, and enters tomorrow.
    pub(super) fn day(&mut self) {
        let tomorrow = calendar::start_of(calendar::later(self.today(), 1).0);
        self.agenda.enter(tomorrow, Task::Day);
        for region in Region::ALL {
            let demand = calendar::demand(self.today(), region) * share(region) / 100;
            let demand = demand * self.growth() / 1_000;
            self.begin(ORDERS * demand / 1_000, region, Begin::Order);
            self.begin(LEADS * demand / 1_000, region, Begin::Lead);
            self.begin(DEALS * demand / 1_000, region, Begin::Deal);
            self.begin(TALKS * demand / 1_000, region, Begin::Talk);
            self.begin(CUSTOMERS * demand / 1_000, region, Begin::Customer);
            self.begin(COMPLAINTS * demand / 1_000, region, Begin::Complaint);
        }
    }

    /// The month, counted from 0.
    pub(super) fn month(&self) -> usize {
        usize::try_from(self.today().month0()).unwrap_or(0)
    }

    /// How large the company has grown by today, in thousandths of the ordinary one.
    fn growth(&self) -> u64 {
        850 + self.days_over() * 450 / 730
    }

    fn begin(&mut self, thousandths: u64, region: Region, what: Begin) {
        let count = self.chance.around(self.scaled(thousandths));
        for _ in 0..count {
            let hour = self.chance.between(1, 10);
            let at = self.now + hour * HOUR + self.chance.between(0, HOUR);
            self.agenda.enter(at, Task::Begin(region, what));
        }
    }

    /// Begins one thing.
    pub(super) fn begin_now(&mut self, region: Region, what: Begin) {
        match what {
            Begin::Customer => self.register(region),
            Begin::Lead => self.capture(region),
            Begin::Order => {
                if let Some(customer) = self.draw_customer(region) {
                    self.place_order(customer, None);
                }
            }
            Begin::Deal => {
                if let Some(customer) = self.draw_customer(region) {
                    self.open_deal(customer);
                }
            }
            Begin::Talk => {
                if let Some(customer) = self.draw_customer(region) {
                    self.talk(customer);
                }
            }
            Begin::Complaint => {
                if let Some(customer) = self.draw_customer(region) {
                    self.complain(customer, None);
                }
            }
        }
    }
}

/// What may begin on a day.
#[derive(Clone, Copy)]
pub(super) enum Begin {
    Customer,
    Lead,
    Order,
    Deal,
    Talk,
    Complaint,
}
