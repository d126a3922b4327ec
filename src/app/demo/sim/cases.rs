//! What may stand in the agenda.

use super::{
    Simulation, complaints::ComplaintCase, day::Begin, deals::DealCase, leads::LeadCase,
    orders::OrderCase, supply::Delivery,
};
use crate::demo::calendar::Region;

/// A thing to do. The cases carry all that is known of them.
pub(super) enum Task {
    /// A new day: decides what begins on it.
    Day,
    /// Something begins in a region.
    Begin(Region, Begin),
    /// The weekly look at the stock.
    StockReview,
    /// The monthly count of some shelves.
    StockCount,
    /// Goods arrive.
    Arrival(Delivery),
    /// Something that happens once, on its day.
    Event(Occasion),
    /// The next look at a customer's record.
    Customer(usize),
    /// The first grade and class of a new customer.
    Welcome(usize),
    /// The next step with a lead.
    Lead(Box<LeadCase>),
    /// The next step with a deal.
    Deal(Box<DealCase>),
    /// The next step with an order.
    Order(Box<OrderCase>),
    /// The next step with a complaint.
    Complaint(Box<ComplaintCase>),
}

/// Things that happen once.
#[derive(Clone, Copy)]
pub(super) enum Occasion {
    /// Tea and tools get dearer with the new year.
    PriceRise,
    /// A short list for the great shopping days opens, or is closed again.
    Promotion,
    /// A depot for the high season opens, or is closed again.
    Depot,
    /// A warehouse moves into new halls and gets another name.
    NewHalls,
    /// Rules for complaints and deliveries are eased.
    NewRules,
    /// A product leaves the catalogue, and sometimes comes back.
    Catalogue,
    /// Samples are kept for a trade fair.
    Fair,
}

impl Simulation {
    pub(super) fn run(&mut self, task: Task) {
        match task {
            Task::Day => self.day(),
            Task::Begin(region, what) => self.begin_now(region, what),
            Task::StockReview => self.review_stock(),
            Task::StockCount => self.count_stock(),
            Task::Arrival(delivery) => self.take_in(delivery),
            Task::Event(occasion) => self.occasion(occasion),
            Task::Customer(customer) => self.look_after(customer),
            Task::Welcome(customer) => self.welcome(customer),
            Task::Lead(case) => self.lead(*case),
            Task::Deal(case) => self.deal(*case),
            Task::Order(case) => self.order(*case),
            Task::Complaint(case) => self.complaint(*case),
        }
    }
}
