use daybook_schema::{
    DomainCommand, DomainEvent,
    service::{AcceptRemedy, ComplaintEvent, ComplaintPhase, EscalateComplaint},
};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{
    acknowledge, approve, classify, close, closed, complaint, logged, pending, propose, reject,
    remedied, reopen, resolve, resolved, yuan,
};
use crate::spec::t;

#[test]
fn only_a_resolved_complaint_is_closed() {
    resolved().when(close()).then(&[(
        &complaint(),
        ComplaintEvent::ComplaintClosed { cycle: 1 }.into(),
    )]);
    for known in [logged(), pending(), remedied()] {
        known.when(close()).then_refused("COMPLAINT_NOT_RESOLVED");
    }
}

#[test]
fn an_open_complaint_is_not_reopened() {
    remedied()
        .when(reopen())
        .then_refused("COMPLAINT_NOT_RESOLVED");
}

#[test]
fn a_resolved_complaint_is_closed_or_reopened_and_nothing_else() {
    let code = "COMPLAINT_IS_RESOLVED";
    resolved().when(classify()).then_refused(code);
    resolved().when(acknowledge()).then_refused(code);
    resolved().when(propose(None)).then_refused(code);
    resolved().when(resolve()).then_refused(code);
}

#[test]
fn a_closed_complaint_is_reopened_and_nothing_else() {
    let code = "COMPLAINT_IS_CLOSED";
    closed().when(close()).then_refused(code);
    closed().when(classify()).then_refused(code);
    closed().when(resolve()).then_refused(code);
}

#[test]
fn a_reopened_complaint_begins_a_new_cycle() {
    let reopened = |cycle, from| ComplaintEvent::ComplaintReopened {
        cycle,
        from,
        because: t("the money did not arrive"),
    };
    resolved()
        .when(reopen())
        .then(&[(&complaint(), reopened(2, ComplaintPhase::Resolved).into())]);
    closed()
        .when(reopen())
        .then(&[(&complaint(), reopened(2, ComplaintPhase::Closed).into())]);
}

#[test]
fn nothing_of_an_old_cycle_counts_in_a_new_one() {
    let again = || closed().done(16, reopen());
    again()
        .when(resolve())
        .then_refused("COMPLAINT_NOT_ACKNOWLEDGED");
    again()
        .done(17, acknowledge())
        .when(resolve())
        .then_refused("REMEDY_NOT_APPROVED");
    again()
        .when(propose(None))
        .then_refused("COMPLAINT_NOT_CLASSIFIED");
    again()
        .when(classify())
        .then_types(&["ComplaintClassified"]);
}

#[test]
fn a_second_cycle_runs_like_the_first_under_its_own_number() {
    let events = closed()
        .done(16, reopen())
        .done(17, classify())
        .done(18, acknowledge())
        .when(propose(None))
        .then_types(&["RemedyProposed", "RemedyApproved"]);
    let approved = ComplaintEvent::RemedyApproved {
        cycle: 2,
        proposal: 1,
        by_rule: true,
        approver: None,
    };
    assert_eq!(events[1].event, approved.into());
}

fn tries() -> impl Strategy<Value = Vec<(bool, DomainCommand)>> {
    let accept = AcceptRemedy {
        complaint: complaint(),
    };
    let escalate = EscalateComplaint {
        complaint: complaint(),
        to: t("chen.jie"),
        because: t("third time this year"),
    };
    let one = prop_oneof![
        Just(DomainCommand::from(classify())),
        Just(acknowledge().into()),
        Just(propose(Some(yuan(500))).into()),
        Just(propose(Some(yuan(501))).into()),
        Just(approve().into()),
        Just(reject().into()),
        Just(accept.into()),
        Just(escalate.into()),
        Just(resolve().into()),
        Just(reopen().into()),
        Just(close().into()),
    ];
    proptest::collection::vec((any::<bool>(), one), 1..60)
}

/// What a reader of the facts knows of the present cycle.
#[derive(Default)]
struct Reader {
    cycle: u32,
    classified: bool,
    acknowledged: bool,
    proposal: u32,
    proposer: Option<String>,
    approved: bool,
    resolved: bool,
}

impl Reader {
    fn see(&mut self, event: &ComplaintEvent) {
        match event {
            ComplaintEvent::ComplaintClassified { .. } => self.classified = true,
            ComplaintEvent::ComplaintAcknowledged { .. } => self.acknowledged = true,
            ComplaintEvent::RemedyProposed {
                proposal, proposer, ..
            } => {
                assert!(self.classified, "a remedy without classification");
                assert_eq!(*proposal, self.proposal + 1);
                self.proposal = *proposal;
                self.proposer = Some(proposer.to_string());
                self.approved = false;
            }
            ComplaintEvent::RemedyApproved {
                proposal, approver, ..
            } => {
                assert_eq!(*proposal, self.proposal);
                let approver = approver.as_ref().map(ToString::to_string);
                assert!(approver.is_none() || approver != self.proposer);
                self.approved = true;
            }
            ComplaintEvent::RemedyRejected { proposal, .. } => {
                assert!(!self.approved, "an approved remedy was rejected");
                assert_eq!(*proposal, self.proposal);
            }
            ComplaintEvent::RemedyAccepted { .. } => assert!(self.approved),
            ComplaintEvent::ComplaintResolved { .. } => {
                assert!(self.acknowledged && self.approved && !self.resolved);
                self.resolved = true;
            }
            ComplaintEvent::ComplaintClosed { .. } => assert!(self.resolved),
            ComplaintEvent::ComplaintReopened { cycle, .. } => {
                assert!(self.resolved);
                assert_eq!(*cycle, self.cycle + 1);
                *self = Self {
                    cycle: *cycle,
                    ..Self::default()
                };
            }
            ComplaintEvent::ComplaintEscalated { .. } => assert!(!self.resolved),
            ComplaintEvent::ComplaintLogged { .. } => unreachable!("logged before"),
        }
    }
}

proptest! {
    /// Nothing is resolved without acknowledgement and approved remedy, nobody approves a proposal
    /// of their own, and cycles count up by one, whatever two people try.
    #[test]
    fn the_rules_hold_whatever_is_tried(tries in tries()) {
        let mut known = logged();
        let mut reader = Reader { cycle: 1, ..Reader::default() };
        for (id, (other, command)) in (100..).zip(tries) {
            known = known.actor(if other { "zhang.min" } else { "li.wei" });
            for recorded in known.attempt(id, command).unwrap_or_default() {
                if let DomainEvent::Complaint(event) = recorded.event {
                    reader.see(&event);
                }
            }
        }
    }
}
