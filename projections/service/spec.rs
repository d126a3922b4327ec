//! Given events, then rows: complaints by cycle, and the patterns in them.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use daybook_schema::{
    customers::{Channel, CustomerEvent, CustomerId},
    kernel::{BasisPoints, BigInt},
    service::{ComplaintEvent, ComplaintId, ComplaintPhase, CustomerNotice, RemedyKind, Severity},
};

use super::{ComplaintRow, RemedyStatus, patterns};
use crate::{
    measure::Period,
    spec::{History, Shown, customer_details, customer_registered, given, id, money, value},
};

const CUSTOMER: u128 = 1;

fn complaint(number: u128) -> ComplaintId {
    id(number)
}

fn customers() -> History {
    let history = customer_registered(given(), CUSTOMER, "北京乳业");
    customer_registered(history, 2, "天津食品")
}

fn logged(customer: u128) -> ComplaintEvent {
    ComplaintEvent::ComplaintLogged {
        number: 42,
        cycle: 1,
        customer: id(customer),
        channel: Channel::Phone,
        description: value("到货晚了三天"),
        severity: None,
        order: None,
        product: None,
        contact: None,
    }
}

fn classified(cycle: u32, category: &str, cause: Option<&str>) -> ComplaintEvent {
    ComplaintEvent::ComplaintClassified {
        cycle,
        category: value(category),
        cause: cause.map(value),
        severity: Severity::High,
    }
}

fn acknowledged(cycle: u32) -> ComplaintEvent {
    ComplaintEvent::ComplaintAcknowledged {
        cycle,
        message: value("we look into it"),
    }
}

fn proposed(cycle: u32, proposal: u32) -> ComplaintEvent {
    ComplaintEvent::RemedyProposed {
        cycle,
        proposal,
        kind: RemedyKind::Refund,
        compensation: Some(money("300.50 CNY")),
        description: value("half the freight"),
        proposer: value("li.wei"),
        needs_approval: true,
    }
}

fn approved(cycle: u32, proposal: u32) -> ComplaintEvent {
    ComplaintEvent::RemedyApproved {
        cycle,
        proposal,
        by_rule: false,
        approver: Some(value("zhang.min")),
    }
}

fn resolved(cycle: u32) -> ComplaintEvent {
    ComplaintEvent::ComplaintResolved {
        cycle,
        outcome: value("paid back"),
        customer_notified: CustomerNotice {
            channel: Channel::Email,
            on: value("2026-03-05"),
            to: None,
        },
    }
}

fn reopened(cycle: u32) -> ComplaintEvent {
    ComplaintEvent::ComplaintReopened {
        cycle,
        from: ComplaintPhase::Resolved,
        because: value("the money did not arrive"),
    }
}

fn row(shown: &Shown) -> ComplaintRow {
    shown.get(&complaint(1).to_string()).unwrap().unwrap()
}

fn first_cycle() -> History {
    customers()
        .on("2026-03-01")
        .event(complaint(1), logged(CUSTOMER))
        .event(complaint(1), classified(1, "delivery", Some("carrier")))
        .on("2026-03-02")
        .event(complaint(1), acknowledged(1))
        .event(complaint(1), proposed(1, 1))
        .by("zhang.min")
        .event(
            complaint(1),
            ComplaintEvent::RemedyRejected {
                cycle: 1,
                proposal: 1,
                because: value("too much"),
            },
        )
        .event(complaint(1), proposed(1, 2))
        .event(complaint(1), approved(1, 2))
        .on("2026-03-05")
        .event(complaint(1), resolved(1))
}

#[test]
fn a_resolved_complaint_shows_what_was_offered_and_how_long_it_took() {
    let row = row(&first_cycle().then());
    assert_eq!(row.phase, ComplaintPhase::Resolved);
    assert_eq!(row.acknowledgement_seconds, Some(BigInt(86_400)));
    assert_eq!(row.resolution_seconds, Some(BigInt(4 * 86_400)));
    let remedy = row.remedy.unwrap();
    assert_eq!(remedy.status, RemedyStatus::Approved);
    assert_eq!(remedy.compensation, Some(money("300.50 CNY")));
    let statuses: Vec<_> = row.cycles[0].remedies.iter().map(|r| r.status).collect();
    assert_eq!(statuses, [RemedyStatus::Rejected, RemedyStatus::Approved]);
}

#[test]
fn reopening_begins_a_cycle_and_keeps_the_old_one() {
    let shown = first_cycle()
        .on("2026-03-08")
        .event(complaint(1), reopened(2))
        .then();
    let row = row(&shown);
    assert_eq!((row.phase, row.cycle), (ComplaintPhase::Logged, 2));
    assert_eq!((row.resolved_at, row.remedy), (None, None));
    assert_eq!(row.category, Some(value("delivery")));
    assert_eq!(row.cycles[0].outcome, Some(value("paid back")));
    assert_eq!(row.cycles[1].classified_at, None);
}

#[test]
fn a_rejected_remedy_leaves_the_complaint_classified_and_escalation_beside_it() {
    let escalated = ComplaintEvent::ComplaintEscalated {
        cycle: 1,
        to: value("director"),
        because: value("key account"),
    };
    let shown = customers()
        .event(complaint(1), logged(CUSTOMER))
        .event(complaint(1), escalated)
        .event(complaint(1), classified(1, "delivery", None))
        .event(complaint(1), proposed(1, 1))
        .event(
            complaint(1),
            ComplaintEvent::RemedyRejected {
                cycle: 1,
                proposal: 1,
                because: value("too much"),
            },
        )
        .then();
    let row = row(&shown);
    assert_eq!(row.phase, ComplaintPhase::Classified);
    assert_eq!(row.escalated_to, Some(value("director")));
    assert_eq!(row.escalation_count, 1);
}

#[test]
fn a_complaint_is_found_by_number_words_and_the_name_the_customer_has_now() {
    let renamed = CustomerEvent::CustomerDetailsChanged {
        details: customer_details("上海奶酪"),
    };
    let shown = customers()
        .event(complaint(1), logged(CUSTOMER))
        .event(id::<CustomerId>(CUSTOMER), renamed)
        .then();
    let hits = |text: &str| shown.search(text, &["complaint"], 10).unwrap().len();
    assert_eq!(hits("42"), 1);
    assert_eq!(hits("晚了"), 1);
    assert_eq!(hits("奶酪"), 1);
    assert_eq!(hits("北京"), 0);
    assert_eq!(row(&shown).customer_name, value("上海奶酪"));
}

#[test]
fn patterns_add_up_to_the_whole_and_see_what_comes_again() {
    let mut history = customers();
    let complaints = [
        ("2026-03-01", 1, "delivery", Some("carrier")),
        ("2026-03-20", 1, "delivery", Some("carrier")),
        ("2026-03-21", 2, "delivery", Some("carrier")),
        ("2026-03-22", 1, "quality", None),
        ("2026-09-01", 2, "delivery", None),
    ];
    for (number, (day, customer, category, cause)) in (1..).zip(complaints) {
        history = history
            .on(day)
            .event(complaint(number), logged(customer))
            .event(complaint(number), classified(1, category, cause));
    }
    let shown = history
        .on("2026-09-03")
        .event(complaint(5), acknowledged(1))
        .event(complaint(5), resolved(1))
        .then();
    let year = Period {
        from: value("2026-01-01"),
        to: value("2027-01-01"),
    };
    let found = patterns(&shown, year, 90).unwrap();
    assert_eq!((found.complaints, found.open, found.recurrent), (5, 4, 1));
    assert_eq!(found.mean_resolution_days, Some(value("2")));
    let points = |points: i64| BasisPoints::try_from(points).ok();
    let seen: Vec<_> = found
        .patterns
        .iter()
        .map(|p| {
            let (category, cause) = (p.category.as_deref(), p.cause.as_deref());
            (category, cause, p.complaints, p.cumulative_share)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some("delivery"), Some("carrier"), 3, points(6_000)),
            (Some("delivery"), None, 1, points(8_000)),
            (Some("quality"), None, 1, points(10_000)),
        ]
    );
    // 2026-03-21 to 2026-09-01 are 164 days.
    assert_eq!(patterns(&shown, year, 200).unwrap().recurrent, 2);
}
