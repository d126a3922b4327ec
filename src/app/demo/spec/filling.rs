use std::{collections::BTreeSet, thread, time::Duration};

use daybook_schema::{
    DomainEvent,
    customers::{CustomerEvent, InteractionEvent},
    kernel::Date,
};

use super::{open, open_as, read, small};
use crate::{
    AppError, Envelope, Organisation,
    demo::{DemoError, DemoOptions, DemoSummary, commands, fill, founding},
    rebuild_offline,
};

/// What the demo means to be refused: people are hasty, forgetful or late.
const MEANT: [(&str, &str); 15] = [
    ("AdvanceOpportunityStage", "EXIT_CRITERIA_UNMET"),
    ("ApproveRemedy", "APPROVER_IS_PROPOSER"),
    ("CancelOrder", "ORDER_UNDER_WAY"),
    ("CaptureLead", "NATURAL_KEY_TAKEN"),
    ("CloseComplaint", "COMPLAINT_NOT_RESOLVED"),
    ("ConfirmOrder", "INSUFFICIENT_STOCK"),
    ("DeliverShipment", "SHIPMENT_DELIVERED"),
    ("PrepareShipment", "ORDER_ON_HOLD"),
    ("ProposeRemedy", "COMPLAINT_NOT_CLASSIFIED"),
    ("QualifyLead", "LEAD_NOT_WORKED"),
    ("RegisterCustomer", "NATURAL_KEY_TAKEN"),
    ("RemoveContact", "CONTACT_UNKNOWN"),
    ("ReserveStock", "INSUFFICIENT_STOCK"),
    ("SetPrice", "PRICE_PERIODS_OVERLAP"),
    ("WinOpportunity", "ORDER_REQUIRED"),
];

fn filled(organisation: &Organisation, options: DemoOptions) -> DemoSummary {
    fill(organisation, options, &mut |_, _| {}).unwrap()
}

fn answer(organisation: &Organisation, envelope: Envelope) {
    let waiting = organisation.desk().submit_blocking(envelope).unwrap();
    waiting.blocking_recv().unwrap().unwrap();
}

/// Everything that was refused and was not meant to be.
fn surprises(organisation: &Organisation) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    read(organisation, &mut |_, meta, _| {
        if let Some(refusal) = meta.refusal {
            found.insert((meta.command, refusal.code));
        }
    });
    let meant = |(command, code): &(String, String)| MEANT.contains(&(command, code));
    found.into_iter().filter(|pair| !meant(pair)).collect()
}

#[test]
fn only_what_is_meant_to_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = open(folder.path());
    let options = DemoOptions {
        scale: 0.2,
        ..small(1)
    };
    let summary = filled(&organisation, options);
    assert_eq!(surprises(&organisation), BTreeSet::new());
    let share = summary.refused * 1_000 / summary.commands;
    assert!(
        (3..=30).contains(&share),
        "{share} in a thousand: {summary:?}"
    );
    assert!(summary.orders > 200 && summary.leads > 150, "{summary:?}");
    assert!(summary.events > summary.commands, "{summary:?}");
    organisation.close().unwrap();
}

#[test]
fn other_seeds_are_decided_as_they_mean_to_be() {
    for seed in [2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let organisation = open(folder.path());
        filled(&organisation, small(seed));
        assert_eq!(surprises(&organisation), BTreeSet::new(), "seed {seed}");
        organisation.close().unwrap();
    }
}

#[test]
fn the_read_models_follow_and_a_rebuild_is_equal() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = open(folder.path());
    filled(&organisation, small(1));
    let head = organisation.log().head().position;
    let applied = organisation.applied();
    while applied.borrow().position < head {
        assert_eq!(applied.borrow().stopped, None);
        thread::sleep(Duration::from_millis(5));
    }
    organisation.close().unwrap();
    let comparison = rebuild_offline(folder.path(), &Default::default(), &mut |_, _| {}).unwrap();
    assert_eq!(comparison.equal(), Some(true), "{comparison:?}");
    assert_eq!(comparison.rebuilt.position, head);
}

#[test]
fn what_is_there_already_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = open(folder.path());
    let begun = 1_700;
    for envelope in commands(small(1)).take(begun) {
        answer(&organisation, envelope);
    }
    let mut heard = Vec::new();
    let summary = fill(&organisation, small(1), &mut |done, total| {
        heard.push((done, total));
    });
    let summary = summary.unwrap();
    assert_eq!(summary.replayed, u64::try_from(begun).unwrap());
    assert!(heard.is_sorted() && heard.last() == Some(&(730, 730)));

    let head = organisation.log().head().position;
    let again = filled(&organisation, small(1));
    assert_eq!((again.replayed, again.events), (summary.commands, 0));
    assert_eq!(organisation.log().head().position, head);
    organisation.close().unwrap();
}

#[test]
fn corrections_name_what_they_correct_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = open(folder.path());
    // Something else stands before the demo.
    let mut other = commands(small(9)).last().unwrap();
    other.occurred_at = None;
    answer(&organisation, other);
    filled(
        &organisation,
        DemoOptions {
            scale: 0.2,
            ..small(1)
        },
    );
    let (mut streams, mut corrected) = (vec![BTreeSet::new()], 0);
    read(&organisation, &mut |_, _, events| {
        for (stream, event) in &events {
            let corrects = match event {
                DomainEvent::Customer(CustomerEvent::CustomerDetailsCorrected {
                    corrects, ..
                })
                | DomainEvent::Interaction(InteractionEvent::InteractionCorrected {
                    corrects,
                    ..
                }) => usize::try_from(*corrects).unwrap(),
                _ => continue,
            };
            let there: &BTreeSet<String> = &streams[corrects];
            assert!(there.contains(stream), "{stream} is not at {corrects}");
            corrected += 1;
        }
        streams.push(events.into_iter().map(|(stream, _)| stream).collect());
    });
    assert!(corrected > 3, "{corrected}");
    organisation.close().unwrap();
}

#[test]
fn a_demo_of_days_to_come_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = open(folder.path());
    let until: Date = "9999-01-01".parse().unwrap();
    let options = DemoOptions { until, ..small(1) };
    let error = fill(&organisation, options, &mut |_, _| {}).unwrap_err();
    assert_eq!(error.code(), "DEMO_IN_FUTURE");
    organisation.close().unwrap();
}

#[test]
fn an_organisation_that_values_in_another_currency_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut euro = founding(small(1));
    euro.currency = "EUR".parse().unwrap();
    let organisation = open_as(folder.path(), &euro);
    let error = fill(&organisation, small(1), &mut |_, _| {}).unwrap_err();
    let AppError::Demo(DemoError::SetupRefused { command, code, .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(
        (command, code.as_str()),
        ("ReceiveStock", "CURRENCY_DIFFERS")
    );
    organisation.close().unwrap();
}
