use daybook_schema::{
    customers::{CustomerEvent, CustomerId},
    goods::ProductId,
    kernel::Money,
    orders::OrderId,
    service::{
        AcceptRemedy, ClassifyComplaint, ComplaintEvent, ComplaintId, CustomerNotice,
        EscalateComplaint, LogComplaint, ProposeRemedy, RemedyKind, ResolveComplaint, Severity,
    },
};

use super::{
    acknowledge, acknowledged, acme, approve, classified, classify, complaint, log, logged,
    pending, propose, register, reject, remedied, resolve, rules, yuan,
};
use crate::spec::{given, t, uuid};

fn accept() -> AcceptRemedy {
    AcceptRemedy {
        complaint: complaint(),
    }
}

fn escalate(to: &str) -> EscalateComplaint {
    EscalateComplaint {
        complaint: complaint(),
        to: t(to),
        because: t("third time this year"),
    }
}

fn proposed(proposal: u32, compensation: Option<Money>, needs_approval: bool) -> ComplaintEvent {
    ComplaintEvent::RemedyProposed {
        cycle: 1,
        proposal,
        kind: RemedyKind::Refund,
        compensation,
        description: t("the two wet boxes are paid back"),
        proposer: t("li.wei"),
        needs_approval,
    }
}

fn approved_by_rule(proposal: u32) -> ComplaintEvent {
    ComplaintEvent::RemedyApproved {
        cycle: 1,
        proposal,
        by_rule: true,
        approver: None,
    }
}

#[test]
fn a_logged_complaint_gets_a_number_and_its_first_cycle() {
    let LogComplaint {
        customer,
        channel,
        description,
        severity,
        order,
        product,
        contact,
    } = log();
    let logged_event = ComplaintEvent::ComplaintLogged {
        number: 2,
        cycle: 1,
        customer,
        channel,
        description,
        severity,
        order,
        product,
        contact,
    };
    let events = logged()
        .when(log())
        .then_types(&["DocumentNumberIssued", "ComplaintLogged"]);
    assert_eq!(events[1].stream, ComplaintId(uuid(99)).to_string());
    assert_eq!(events[1].event, logged_event.into());
}

#[test]
fn a_complaint_belongs_to_an_active_customer() {
    let stranger = LogComplaint {
        customer: CustomerId(uuid(77)),
        ..log()
    };
    given().when(stranger).then_refused("NOT_FOUND");
    let because = t("closed down");
    given()
        .done(1, register())
        .event(acme(), CustomerEvent::CustomerDeactivated { because })
        .when(log())
        .then_refused("CUSTOMER_INACTIVE");
}

#[test]
fn a_complaint_is_about_an_order_of_its_customer_and_a_known_product() {
    let order = LogComplaint {
        order: Some(OrderId(uuid(78))),
        ..log()
    };
    given()
        .done(1, register())
        .when(order)
        .then_refused("NOT_FOUND");
    let product = LogComplaint {
        product: Some(ProductId(uuid(79))),
        ..log()
    };
    given()
        .done(1, register())
        .when(product)
        .then_refused("NOT_FOUND");
}

#[test]
fn a_complaint_is_classified_with_category_cause_and_severity() {
    let classified = ComplaintEvent::ComplaintClassified {
        cycle: 1,
        category: t("delivery"),
        cause: Some(t("packaging")),
        severity: Severity::High,
    };
    logged()
        .when(classify())
        .then(&[(&complaint(), classified.into())]);
}

#[test]
fn a_complaint_is_classified_again_when_more_is_known() {
    let worse = ClassifyComplaint {
        severity: Severity::Critical,
        ..classify()
    };
    remedied().when(worse).then_types(&["ComplaintClassified"]);
    classified()
        .when(classify())
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn a_new_classification_leaves_the_remedy_in_force() {
    let worse = ClassifyComplaint {
        severity: Severity::Critical,
        ..classify()
    };
    remedied()
        .done(14, worse)
        .when(resolve())
        .then_types(&["ComplaintResolved"]);
}

#[test]
fn a_complaint_is_acknowledged_once_before_or_after_its_classification() {
    let acknowledged_event = ComplaintEvent::ComplaintAcknowledged {
        cycle: 1,
        message: t("we look into it today"),
    };
    logged()
        .when(acknowledge())
        .then(&[(&complaint(), acknowledged_event.into())]);
    classified()
        .when(acknowledge())
        .then_types(&["ComplaintAcknowledged"]);
    acknowledged()
        .when(acknowledge())
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn a_remedy_needs_a_classification() {
    logged()
        .done(11, acknowledge())
        .when(propose(None))
        .then_refused("COMPLAINT_NOT_CLASSIFIED");
}

#[test]
fn a_remedy_needs_rules_in_force() {
    given()
        .done(1, register())
        .done(10, log())
        .done(11, classify())
        .when(propose(None))
        .then_refused("POLICY_NOT_IN_FORCE");
}

#[test]
fn a_remedy_cites_the_rules_that_judge_it() {
    let cited = classified().done(12, rules()).cites(propose(None));
    assert_eq!(cited, ["complaints.default@2"]);
}

#[test]
fn a_remedy_within_the_rules_is_approved_at_once() {
    classified().when(propose(Some(yuan(500)))).then(&[
        (&complaint(), proposed(1, Some(yuan(500)), false).into()),
        (&complaint(), approved_by_rule(1).into()),
    ]);
    classified().when(propose(None)).then(&[
        (&complaint(), proposed(1, None, false).into()),
        (&complaint(), approved_by_rule(1).into()),
    ]);
}

#[test]
fn a_compensation_above_the_threshold_awaits_approval() {
    let fen_above = Money::from_minor(50_001, t("CNY"));
    classified()
        .when(propose(Some(fen_above)))
        .then(&[(&complaint(), proposed(1, Some(fen_above), true).into())]);
}

#[test]
fn a_compensation_in_another_currency_awaits_approval_however_small() {
    let dollar = Money::from_minor(100, t("USD"));
    classified()
        .when(propose(Some(dollar)))
        .then(&[(&complaint(), proposed(1, Some(dollar), true).into())]);
}

#[test]
fn a_compensation_is_more_than_nothing() {
    for amount in [yuan(0), yuan(-1)] {
        let refusal = classified()
            .when(propose(Some(amount)))
            .then_refused("COMPENSATION_NOT_POSITIVE");
        assert_eq!(refusal.field, ["compensation"]);
    }
}

#[test]
fn a_complaint_that_is_not_justified_gets_no_compensation() {
    let none = ProposeRemedy {
        kind: RemedyKind::NoRemedy,
        ..propose(None)
    };
    let paid = ProposeRemedy {
        compensation: Some(yuan(1)),
        ..none.clone()
    };
    classified()
        .when(paid)
        .then_refused("COMPENSATION_WITHOUT_REMEDY");
    acknowledged()
        .done(13, none)
        .when(resolve())
        .then_types(&["ComplaintResolved"]);
}

#[test]
fn nobody_approves_their_own_proposal() {
    let refusal = pending()
        .when(approve())
        .then_refused("APPROVER_IS_PROPOSER");
    assert!(refusal.message.contains("li.wei"), "{}", refusal.message);
}

#[test]
fn somebody_else_approves_a_proposal() {
    let approved = ComplaintEvent::RemedyApproved {
        cycle: 1,
        proposal: 1,
        by_rule: false,
        approver: Some(t("zhang.min")),
    };
    pending()
        .actor("zhang.min")
        .when(approve())
        .then(&[(&complaint(), approved.into())]);
}

#[test]
fn only_a_pending_remedy_is_approved_or_rejected() {
    let code = "REMEDY_NOT_PENDING";
    logged().when(approve()).then_refused(code);
    classified().when(reject()).then_refused(code);
    remedied()
        .actor("zhang.min")
        .when(approve())
        .then_refused(code);
    remedied().when(reject()).then_refused(code);
    pending()
        .done(14, reject())
        .actor("zhang.min")
        .when(approve())
        .then_refused(code);
}

#[test]
fn a_rejected_remedy_makes_room_for_another() {
    let rejected = ComplaintEvent::RemedyRejected {
        cycle: 1,
        proposal: 1,
        because: t("the insurer pays"),
    };
    pending()
        .actor("zhang.min")
        .when(reject())
        .then(&[(&complaint(), rejected.into())]);
    pending().done(14, reject()).when(propose(None)).then(&[
        (&complaint(), proposed(2, None, false).into()),
        (&complaint(), approved_by_rule(2).into()),
    ]);
}

#[test]
fn a_new_proposal_takes_the_place_of_an_approved_one() {
    remedied()
        .done(14, propose(Some(yuan(800))))
        .when(resolve())
        .then_refused("REMEDY_NOT_APPROVED");
}

#[test]
fn a_proposal_passes_to_its_latest_proposer() {
    pending()
        .actor("zhang.min")
        .done(14, propose(Some(yuan(800))))
        .when(approve())
        .then_refused("APPROVER_IS_PROPOSER");
}

#[test]
fn the_customer_accepts_an_approved_remedy_once() {
    let accepted = ComplaintEvent::RemedyAccepted {
        cycle: 1,
        proposal: 1,
    };
    remedied()
        .when(accept())
        .then(&[(&complaint(), accepted.into())]);
    remedied()
        .done(14, accept())
        .when(accept())
        .then_refused("NOTHING_TO_CHANGE");
    for known in [logged(), classified(), pending()] {
        known.when(accept()).then_refused("REMEDY_NOT_APPROVED");
    }
    remedied()
        .done(14, accept())
        .when(resolve())
        .then_types(&["ComplaintResolved"]);
}

#[test]
fn an_open_complaint_is_escalated_to_somebody_new() {
    let escalated = ComplaintEvent::ComplaintEscalated {
        cycle: 1,
        to: t("chen.jie"),
        because: t("third time this year"),
    };
    logged()
        .when(escalate("chen.jie"))
        .then(&[(&complaint(), escalated.into())]);
    logged()
        .done(11, escalate("chen.jie"))
        .when(escalate("chen.jie"))
        .then_refused("NOTHING_TO_CHANGE");
    remedied()
        .done(14, escalate("chen.jie"))
        .when(escalate("the.boss"))
        .then_types(&["ComplaintEscalated"]);
}

#[test]
fn a_complaint_is_resolved_with_outcome_and_notice() {
    let ResolveComplaint {
        outcome,
        customer_notified,
        ..
    } = resolve();
    let resolved = ComplaintEvent::ComplaintResolved {
        cycle: 1,
        outcome,
        customer_notified,
    };
    remedied()
        .when(resolve())
        .then(&[(&complaint(), resolved.into())]);
}

#[test]
fn a_complaint_is_not_resolved_before_it_is_acknowledged() {
    classified()
        .done(12, propose(None))
        .when(resolve())
        .then_refused("COMPLAINT_NOT_ACKNOWLEDGED");
}

#[test]
fn a_complaint_is_not_resolved_without_an_approved_remedy() {
    let code = "REMEDY_NOT_APPROVED";
    logged()
        .done(11, acknowledge())
        .when(resolve())
        .then_refused(code);
    acknowledged().when(resolve()).then_refused(code);
    pending().when(resolve()).then_refused(code);
    pending()
        .done(14, reject())
        .when(resolve())
        .then_refused(code);
}

#[test]
fn the_customer_was_not_told_tomorrow() {
    let early = ResolveComplaint {
        customer_notified: CustomerNotice {
            on: t("2026-03-03"),
            ..resolve().customer_notified
        },
        ..resolve()
    };
    let refusal = remedied().when(early).then_refused("NOTICE_IN_FUTURE");
    assert_eq!(refusal.field, ["customerNotified", "on"]);
}

#[test]
fn a_stricter_version_of_the_rules_holds_for_new_proposals_only() {
    let mut strict = rules();
    let approval_above = yuan(0);
    strict.rules = daybook_schema::governance::PolicyRules::Complaints(
        daybook_schema::governance::ComplaintRules { approval_above },
    );
    remedied()
        .done(14, strict.clone())
        .when(resolve())
        .then_types(&["ComplaintResolved"]);
    acknowledged()
        .done(14, strict)
        .when(propose(Some(yuan(500))))
        .then_types(&["RemedyProposed"]);
}

#[test]
fn an_unknown_complaint_is_not_found() {
    given().when(classify()).then_refused("NOT_FOUND");
}
