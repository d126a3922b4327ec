//! Leads, from their capture until they are converted or given up.

use daybook_schema::{
    customers::{CustomerDetails, CustomerId},
    kernel::{Code, Money, Name},
    pipeline::{
        AssignLead, CaptureLead, ConvertLead, DisqualifyLead, LeadId, LeadOpportunity,
        LogLeadFollowUp, QualifyLead, RecycleLead,
    },
};

use super::{Simulation, cases::Task, staff::Who};
use crate::demo::{calendar::Region, names, world::text};

/// A lead under way.
pub(super) struct LeadCase {
    lead: LeadId,
    region: Region,
    rep: Who,
    details: CustomerDetails,
    contact: Name,
    good: usize,
    value: Money,
    is_owned: bool,
    follow_ups: i64,
    was_recycled: bool,
    step: LeadStep,
}

#[derive(Clone, Copy)]
enum LeadStep {
    TakeUp,
    Work,
    Convert,
    Recycle,
}

const SOURCES: [&str; 6] = [
    "trade-fair",
    "referral",
    "website",
    "campaign",
    "cold-call",
    "wechat",
];
/// In the order of what people say of them.
const REASONS: [&str; 3] = ["no-budget", "no-need", "no-answer"];

impl Simulation {
    /// Captures a lead.
    pub(super) fn capture(&mut self, region: Region) {
        let (world, number) = (self.world.clone(), self.number);
        let details = names::company(&mut self.chance, &world, region, number);
        let contact = names::contact(&mut self.chance, &world, region, number);
        let month = self.month();
        let taste = self.chance.index(world.catalogue.len());
        let good = self.goods.choose(&mut self.chance, taste, month);
        let currency = names::currency_of(region);
        let value = self.sum(3_000, 150_000, currency);
        let rep = self.rep(region);
        let is_owned = self.chance.permille(350);
        let source = *self.chance.pick(&SOURCES);
        let command = CaptureLead {
            source: text(source),
            source_key: Some(text(&format!("L{number:06}"))),
            campaign: (source == "campaign").then(|| self.campaign()),
            title: self.lead_title(good, region),
            company: Some(details.name.clone()),
            contact: Some(contact.clone()),
            interest: Some(self.say_of(|world| &world.phrases.interest, region, good)),
            estimated_value: Some(value),
            owner: is_owned.then(|| rep.actor.clone()),
        };
        let repeated = self.chance.permille(15).then(|| command.clone());
        let lead = LeadId(self.issue(&rep, command));
        if let Some(command) = repeated {
            // The form was sent twice: the second is refused by the key of its source.
            self.issue(&rep, command);
        }
        let case = LeadCase {
            lead,
            region,
            rep,
            details,
            contact: contact.name,
            good,
            value,
            is_owned,
            follow_ups: 0,
            was_recycled: false,
            step: LeadStep::TakeUp,
        };
        self.next_lead_step(case, 0, 4);
    }

    fn campaign(&mut self) -> Code {
        let season = self.month() / 3 + 1;
        let year = chrono::Datelike::year(&self.today());
        text(&format!("{year}-q{season}-mailing"))
    }

    fn lead_title(&self, good: usize, region: Region) -> Name {
        let name = self.goods.name(good, region);
        text(&if region.is_chinese() {
            format!("{name}采购意向")
        } else {
            format!("Enquiry about {name}")
        })
    }

    fn next_lead_step(&mut self, case: LeadCase, low: i64, high: i64) {
        let region = case.region;
        self.plan(region, low, high, Task::Lead(Box::new(case)));
    }

    /// The next step with a lead.
    pub(super) fn lead(&mut self, case: LeadCase) {
        match case.step {
            LeadStep::TakeUp => self.take_up(case),
            LeadStep::Work => self.work(case),
            LeadStep::Convert => self.convert(case),
            LeadStep::Recycle => self.recycle(case),
        }
    }

    fn take_up(&mut self, mut case: LeadCase) {
        let (root, lead) = (case.lead.0, case.lead);
        if self.chance.permille(20) {
            // Too fast: nobody has worked on it.
            self.qualify(&case);
        }
        if case.is_owned && !case.was_recycled {
            self.follow_up(&case);
            case.follow_ups += 1;
        } else {
            let manager = self.manager(case.region);
            let assignee = case.rep.actor.clone();
            self.follow(root, &manager, AssignLead { lead, assignee });
        }
        case.step = LeadStep::Work;
        self.next_lead_step(case, 1, 7);
    }

    fn work(&mut self, mut case: LeadCase) {
        let tired = 120 * case.follow_ups;
        let tired = u64::try_from(tired).unwrap_or(0);
        match self.chance.weighted(&[450, 90, 110 + tired, 40]) {
            0 => {
                self.follow_up(&case);
                case.follow_ups += 1;
                self.next_lead_step(case, 2, 12);
            }
            1 => {
                self.qualify(&case);
                case.step = LeadStep::Convert;
                self.next_lead_step(case, 1, 8);
            }
            2 => self.disqualify(case),
            _ => self.reassign(case),
        }
    }

    fn follow_up(&mut self, case: &LeadCase) {
        let channel = self.channel();
        let days = self.chance.between(2, 14);
        let command = LogLeadFollowUp {
            lead: case.lead,
            channel,
            summary: self.say(|world| &world.phrases.follow_up, case.region),
            next_on: self.chance.permille(800).then(|| self.in_days(days)),
        };
        self.follow(case.lead.0, &case.rep, command);
    }

    fn qualify(&mut self, case: &LeadCase) {
        let command = QualifyLead {
            lead: case.lead,
            need: Some(self.say(|world| &world.phrases.need, case.region)),
            budget: Some(case.value),
            note: None,
        };
        self.follow(case.lead.0, &case.rep, command);
    }

    fn disqualify(&mut self, mut case: LeadCase) {
        let reason = self.chance.index(REASONS.len());
        let command = DisqualifyLead {
            lead: case.lead,
            disqualified_reason: text(REASONS[reason]),
            note: Some(self.say_nth(|world| &world.phrases.disqualify, case.region, reason)),
        };
        self.follow(case.lead.0, &case.rep, command);
        if !case.was_recycled && self.chance.permille(300) {
            case.step = LeadStep::Recycle;
            self.next_lead_step(case, 30, 120);
        }
    }

    fn reassign(&mut self, mut case: LeadCase) {
        let rep = self.rep(case.region);
        if rep.actor != case.rep.actor {
            let manager = self.manager(case.region);
            let (lead, assignee) = (case.lead, rep.actor.clone());
            self.follow(lead.0, &manager, AssignLead { lead, assignee });
            case.rep = rep;
        }
        self.next_lead_step(case, 1, 6);
    }

    fn recycle(&mut self, mut case: LeadCase) {
        let because = self.say(|world| &world.phrases.recycle, case.region);
        let lead = case.lead;
        self.follow(lead.0, &case.rep, RecycleLead { lead, because });
        case.was_recycled = true;
        case.follow_ups = 0;
        case.step = LeadStep::TakeUp;
        self.next_lead_step(case, 3, 30);
    }

    fn convert(&mut self, case: LeadCase) {
        let known = self
            .chance
            .permille(150)
            .then(|| self.draw_customer(case.region))
            .flatten();
        let hope = self.hope(case.value);
        let command = ConvertLead {
            lead: case.lead,
            customer: known.map(|known| self.customers.known[known].customer),
            contact: None,
            opportunity: LeadOpportunity {
                name: self.deal_name(&case.details.name, case.good, case.region),
                value: case.value,
                expected_close_on: hope.close_on,
                pipeline: hope.pipeline.clone(),
            },
        };
        let id = self.follow(case.lead.0, &case.rep, command);
        let customer = known.unwrap_or_else(|| {
            let (owner, contact) = (case.rep.clone(), case.contact.clone());
            self.know_thinly(CustomerId(id), case.region, owner, contact, case.details)
        });
        self.pursue(customer, id.into(), case.rep, hope);
    }
}
