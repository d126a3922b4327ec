use std::{
    future::Future as _,
    task::{Context, Poll, Waker},
};

use daybook_projections::{customers::CustomerRow, store::Condition};
use daybook_schema::customers::{CustomerGrade, CustomerId, GradeCustomer};

use super::{envelope, open, register};
use crate::{CommandError, rebuild_offline};

/// Positions that founding takes: the organisation and its four policies.
const FOUNDED: u64 = 5;

#[tokio::test]
async fn a_command_is_answered_once_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let command = envelope(register("晨光", None));
    let organisation = blocking(folder.path()).await;
    let first = organisation.desk().submit(command.clone()).await.unwrap();
    let again = organisation.desk().submit(command.clone()).await.unwrap();
    assert_eq!(first.position, FOUNDED + 1);
    assert!(again.replayed && !first.replayed);
    assert_eq!(again.events, first.events);
    close(organisation).await;

    let organisation = blocking(folder.path()).await;
    let later = organisation.desk().submit(command).await.unwrap();
    assert!(later.replayed);
    assert_eq!(later.position, first.position);
    close(organisation).await;
}

#[test]
fn an_organisation_opens_whatever_its_opener_would_have_founded() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).0.close().unwrap();
    let other = crate::Founding {
        name: "Another".parse().unwrap(),
        founder: "somebody".parse().unwrap(),
        ..super::founding()
    };
    let options = crate::OrganisationOptions::default();
    let opened = crate::Organisation::open(folder.path(), options, &other, &mut |_, _| {});
    let (organisation, opening) = opened.unwrap();
    assert!(!opening.founded);
    assert_eq!(organisation.log().head().position, FOUNDED);
    organisation.close().unwrap();
}

#[tokio::test]
async fn a_command_id_does_not_answer_another_command() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = blocking(folder.path()).await;
    let command = envelope(register("One", None));
    organisation.desk().submit(command.clone()).await.unwrap();
    let other = crate::Envelope {
        command: register("Two", None).into(),
        ..command
    };
    let error = organisation.desk().submit(other).await.unwrap_err();
    assert_eq!(error.code(), "IDEMPOTENCY_KEY_REUSED");
    close(organisation).await;
}

#[tokio::test]
async fn a_refusal_is_recorded_and_disturbs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = blocking(folder.path()).await;
    let desk = organisation.desk().clone();
    let commands: Vec<_> = (0..20)
        .map(|_| desk.submit(envelope(register("Same", Some("9131")))))
        .collect();
    let mut done = 0;
    for command in commands {
        let receipt = command.await.unwrap();
        match receipt.refusal {
            None => done += 1,
            Some(refusal) => assert_eq!(refusal.code, "NATURAL_KEY_TAKEN"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(organisation.log().head().position, FOUNDED + 20);
    drop(desk);
    close(organisation).await;
}

#[tokio::test]
async fn an_expected_version_that_is_wrong_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = blocking(folder.path()).await;
    let register = envelope(register("One", None));
    let customer = CustomerId(register.command_id);
    organisation.desk().submit(register).await.unwrap();
    let grade = GradeCustomer {
        customer,
        grade: CustomerGrade::A,
    };
    let mut command = envelope(grade);
    command.expected_version = Some(7);
    let error = organisation
        .desk()
        .submit(command.clone())
        .await
        .unwrap_err();
    let CommandError::VersionConflict { actual, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(actual, 1);
    command.expected_version = Some(1);
    assert!(
        organisation
            .desk()
            .submit(command)
            .await
            .unwrap()
            .refusal
            .is_none()
    );
    close(organisation).await;
}

#[tokio::test]
async fn read_models_follow_and_a_rebuild_is_equal() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = blocking(folder.path()).await;
    let mut last = 0;
    for number in 0..50 {
        let command = envelope(register(&format!("Customer {number}"), None));
        last = organisation.desk().submit(command).await.unwrap().position;
    }
    let mut applied = organisation.applied();
    applied
        .wait_for(|applied| applied.position >= last)
        .await
        .unwrap();
    let snapshot = organisation.readers().snapshot(None).unwrap();
    assert_eq!(snapshot.position(), last);
    assert_eq!(
        snapshot
            .count::<CustomerRow>(&Condition::EVERYTHING)
            .unwrap(),
        50
    );
    drop(snapshot);
    close(organisation).await;
    let comparison = rebuild_offline(folder.path(), &Default::default(), &mut |_, _| {}).unwrap();
    assert_eq!(comparison.equal(), Some(true), "{comparison:?}");
}

#[test]
fn a_full_queue_takes_no_more_and_says_that_it_will() {
    let folder = tempfile::tempdir().unwrap();
    let options = crate::OrganisationOptions {
        desk: crate::DeskOptions {
            queue: 1,
            ..Default::default()
        },
        min_free_bytes: Some(0),
        ..crate::OrganisationOptions::default()
    };
    let opened =
        crate::Organisation::open(folder.path(), options, &super::founding(), &mut |_, _| {});
    let (organisation, _) = opened.unwrap();
    let mut waiting = Vec::new();
    let busy = (0..100_000).find_map(|number| {
        let command = envelope(register(&format!("Customer {number}"), None));
        let mut answer = Box::pin(organisation.desk().submit(command));
        match answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(Err(error)) => Some(error),
            _ => {
                waiting.push(answer);
                None
            }
        }
    });
    let busy = busy.unwrap();
    assert_eq!((busy.code(), busy.retryable()), ("DESK_BUSY", true));
    // Whoever was let in gets an answer, and there is nothing of who was not.
    let accepted = u64::try_from(waiting.len()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for answer in waiting {
        runtime.block_on(answer).unwrap();
    }
    assert_eq!(organisation.log().head().position, FOUNDED + accepted);
    organisation.close().unwrap();
}

async fn blocking(folder: &std::path::Path) -> crate::Organisation {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || open(&folder).0)
        .await
        .unwrap()
}

async fn close(organisation: crate::Organisation) {
    tokio::task::spawn_blocking(move || organisation.close().unwrap())
        .await
        .unwrap();
}
