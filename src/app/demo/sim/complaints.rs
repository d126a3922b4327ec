//! Complaints and their remedies, cycle by cycle.

use daybook_schema::{
    kernel::{Money, Name},
    orders::OrderId,
    service::{
        AcceptRemedy, AcknowledgeComplaint, ApproveRemedy, ClassifyComplaint, CloseComplaint,
        ComplaintId, CustomerNotice, EscalateComplaint, LogComplaint, ProposeRemedy, RejectRemedy,
        RemedyKind, ReopenComplaint, ResolveComplaint, Severity,
    },
};

use super::{Simulation, cases::Task, customers::Customer, staff::Who};
use crate::demo::{
    calendar::Region,
    names,
    world::{Matter, World, text},
};

/// A complaint under way.
pub(super) struct ComplaintCase {
    complaint: ComplaintId,
    region: Region,
    agent: Who,
    contact: Name,
    step: ComplaintStep,
    is_escalated: bool,
    was_reopened: bool,
}

#[derive(Clone, Copy)]
enum ComplaintStep {
    Classify,
    Acknowledge,
    Propose,
    Approve,
    Accept,
    Resolve,
    Close,
    Reopen,
}

const CATEGORIES: [(&str, &str); 6] = [
    ("delivery", "carrier"),
    ("damage", "packaging"),
    ("quality", "production"),
    ("quantity", "picking"),
    ("invoice", "price-list"),
    ("service", "response-time"),
];

impl Simulation {
    /// A customer complains, of an order or in general.
    pub(super) fn complain(&mut self, customer: usize, of: Option<(OrderId, usize)>) {
        let month = self.month();
        let Customer {
            customer: id,
            region,
            ref contact,
            is_active,
            taste,
            ..
        } = self.customers.known[customer];
        if !is_active {
            return;
        }
        let contact = contact.clone();
        let good = match of {
            Some((_, good)) => good,
            None => self.goods.choose(&mut self.chance, taste, month),
        };
        let agent = self.agent(region);
        let severity = self.severity();
        let command = LogComplaint {
            customer: id,
            channel: self.channel(),
            description: self.say_of(|world| &world.phrases.complaint, region, good),
            severity: self.chance.permille(400).then_some(severity),
            order: of.map(|(order, _)| order),
            product: Some(self.goods.goods[good].product),
            contact: Some(contact.clone()),
        };
        let complaint = ComplaintId(match of {
            Some((order, _)) => self.follow(order.0, &agent, command),
            None => self.issue(&agent, command),
        });
        let case = ComplaintCase {
            complaint,
            region,
            agent,
            contact,
            step: ComplaintStep::Classify,
            is_escalated: false,
            was_reopened: false,
        };
        self.next_complaint_step(case, ComplaintStep::Classify, 0, 1);
    }

    fn severity(&mut self) -> Severity {
        *self.chance.pick(&[
            Severity::Low,
            Severity::Low,
            Severity::Medium,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ])
    }

    fn next_complaint_step(
        &mut self,
        mut case: ComplaintCase,
        step: ComplaintStep,
        low: i64,
        high: i64,
    ) {
        case.step = step;
        let region = case.region;
        self.plan(region, low, high, Task::Complaint(Box::new(case)));
    }

    /// The next step with a complaint.
    pub(super) fn complaint(&mut self, case: ComplaintCase) {
        match case.step {
            ComplaintStep::Classify => self.classify(case),
            ComplaintStep::Acknowledge => self.acknowledge(case),
            ComplaintStep::Propose => self.propose(case),
            ComplaintStep::Approve => self.approve(case),
            ComplaintStep::Accept => self.accept(case),
            ComplaintStep::Resolve => self.resolve(case),
            ComplaintStep::Close => self.close(case),
            ComplaintStep::Reopen => self.complain_again(case),
        }
    }

    fn classify(&mut self, case: ComplaintCase) {
        if self.chance.permille(25) {
            // Too fast: there is no kind yet that a remedy could fit.
            self.send_proposal(&case, RemedyKind::Apology, None);
        }
        let (category, cause) = *self.chance.pick(&CATEGORIES);
        let command = ClassifyComplaint {
            complaint: case.complaint,
            category: text(category),
            cause: self.chance.permille(600).then(|| text(cause)),
            severity: self.severity(),
        };
        self.follow(case.complaint.0, &case.agent, command);
        self.next_complaint_step(case, ComplaintStep::Acknowledge, 0, 1);
    }

    fn acknowledge(&mut self, mut case: ComplaintCase) {
        let complaint = case.complaint;
        let message = self.say(|world| &world.phrases.acknowledge, case.region);
        let command = AcknowledgeComplaint { complaint, message };
        self.follow(complaint.0, &case.agent, command);
        if !case.is_escalated && self.chance.permille(150) {
            case.is_escalated = true;
            let command = EscalateComplaint {
                complaint,
                to: self.manager(case.region).actor,
                because: self.say(|world| &world.phrases.escalate, case.region),
            };
            self.follow(complaint.0, &case.agent, command);
        }
        self.next_complaint_step(case, ComplaintStep::Propose, 0, 3);
    }

    fn propose(&mut self, case: ComplaintCase) {
        let (kind, pays) = *self.chance.pick(&[
            (RemedyKind::Refund, true),
            (RemedyKind::Replacement, true),
            (RemedyKind::Discount, true),
            (RemedyKind::Repair, true),
            (RemedyKind::Apology, false),
            (RemedyKind::NoRemedy, false),
        ]);
        let currency = names::currency_of(case.region);
        let compensation = pays.then(|| self.sum(100, 3_500, currency));
        self.send_proposal(&case, kind, compensation);
        // The rules speak of one currency; any other always needs somebody else's approval.
        let limit = self.approval_above(self.rules_eased);
        let needs_approval = compensation.is_some_and(|compensation| {
            compensation.currency() != limit.currency() || compensation.minor() > limit.minor()
        });
        let step = if needs_approval {
            ComplaintStep::Approve
        } else {
            ComplaintStep::Accept
        };
        self.next_complaint_step(case, step, 0, 3);
    }

    fn send_proposal(
        &mut self,
        case: &ComplaintCase,
        kind: RemedyKind,
        compensation: Option<Money>,
    ) {
        let said: fn(&World) -> &Matter = match kind {
            RemedyKind::NoRemedy => |world| &world.phrases.no_remedy,
            _ => |world| &world.phrases.remedy,
        };
        let command = ProposeRemedy {
            complaint: case.complaint,
            kind,
            compensation,
            description: self.say(said, case.region),
        };
        self.follow(case.complaint.0, &case.agent, command);
    }

    fn approve(&mut self, case: ComplaintCase) {
        let complaint = case.complaint;
        let manager = self.manager(case.region);
        if self.chance.permille(120) {
            // Nobody approves a proposal of their own.
            self.follow(complaint.0, &case.agent, ApproveRemedy { complaint });
        }
        if self.chance.permille(200) {
            let because = self.say(|world| &world.phrases.reject_remedy, case.region);
            let command = RejectRemedy { complaint, because };
            self.follow(complaint.0, &manager, command);
            return self.next_complaint_step(case, ComplaintStep::Propose, 0, 2);
        }
        self.follow(complaint.0, &manager, ApproveRemedy { complaint });
        self.next_complaint_step(case, ComplaintStep::Accept, 0, 3);
    }

    fn accept(&mut self, case: ComplaintCase) {
        let complaint = case.complaint;
        if self.chance.permille(850) {
            self.follow(complaint.0, &case.agent, AcceptRemedy { complaint });
        }
        self.next_complaint_step(case, ComplaintStep::Resolve, 1, 6);
    }

    fn resolve(&mut self, case: ComplaintCase) {
        let complaint = case.complaint;
        if self.chance.permille(30) {
            // Too fast: it is not resolved.
            self.follow(complaint.0, &case.agent, CloseComplaint { complaint });
        }
        let command = ResolveComplaint {
            complaint,
            outcome: self.say(|world| &world.phrases.outcome, case.region),
            customer_notified: CustomerNotice {
                channel: self.channel(),
                on: self.in_days(0),
                to: Some(case.contact.clone()),
            },
        };
        self.follow(complaint.0, &case.agent, command);
        if !case.was_reopened && self.chance.permille(60) {
            return self.next_complaint_step(case, ComplaintStep::Reopen, 2, 10);
        }
        self.next_complaint_step(case, ComplaintStep::Close, 2, 9);
    }

    fn close(&mut self, case: ComplaintCase) {
        let complaint = case.complaint;
        self.follow(complaint.0, &case.agent, CloseComplaint { complaint });
        if !case.was_reopened && self.chance.permille(50) {
            self.next_complaint_step(case, ComplaintStep::Reopen, 5, 30);
        }
    }

    fn complain_again(&mut self, mut case: ComplaintCase) {
        let complaint = case.complaint;
        let because = self.say(|world| &world.phrases.complaint_again, case.region);
        let command = ReopenComplaint { complaint, because };
        self.follow(complaint.0, &case.agent, command);
        case.was_reopened = true;
        case.is_escalated = false;
        self.next_complaint_step(case, ComplaintStep::Classify, 0, 2);
    }
}
