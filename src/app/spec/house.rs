//! Many organisations in one process: who enters, who waits, who is closed.

mod crowd;
mod operator;

use std::{fs, path::Path, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::founding;
use crate::{House, HouseError, HouseOptions, OrganisationOptions};

fn options(open_max: usize) -> HouseOptions {
    let defaults = HouseOptions::default();
    HouseOptions {
        open_max,
        wait: Duration::from_secs(20),
        organisation: OrganisationOptions {
            min_free_bytes: Some(0),
            ..defaults.organisation
        },
        ..defaults
    }
}

fn open(folder: &Path, options: HouseOptions) -> House {
    attempt(folder, options).unwrap()
}

fn attempt(folder: &Path, options: HouseOptions) -> Result<House, HouseError> {
    tokio::task::block_in_place(|| House::open(folder, options))
}

async fn create(house: &House, number: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for _ in 0..number {
        ids.push(house.create(&founding()).await.unwrap().organisation);
    }
    ids
}

async fn close(house: House) {
    let closed = tokio::task::spawn_blocking(move || house.close());
    closed.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_enters_what_was_never_founded() {
    let folder = tempfile::tempdir().unwrap();
    let house = open(folder.path(), options(2));
    let organisation = Uuid::from_u128(7);
    let refused = house.enter(organisation).await.err().unwrap();
    assert_eq!(refused.code(), "ORGANISATION_UNKNOWN");
    assert!(!refused.is_retryable());
    assert_eq!(house.open_count(), 0);
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_left_first_makes_room_and_who_is_held_stays() {
    let folder = tempfile::tempdir().unwrap();
    let house = open(folder.path(), options(2));
    let ids = create(&house, 3).await;
    assert_eq!(
        house.open_count(),
        0,
        "whoever is founded has to be entered"
    );
    drop(house.enter(ids[1]).await.unwrap());
    drop(house.enter(ids[2]).await.unwrap());
    let first = house.enter(ids[0]).await.unwrap();
    assert_eq!(house.open_count(), 2);
    assert!(!house.is_open(ids[1]) && house.is_open(ids[2]));
    drop(house.enter(ids[1]).await.unwrap());
    assert!(!house.is_open(ids[2]), "it was left before the others");
    drop(house.enter(ids[2]).await.unwrap());
    assert!(house.is_open(ids[0]), "it is held");
    assert!(first.desk().is_running());
    assert_eq!(house.open_count(), 2);
    drop(first);
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_house_says_so_and_lets_in_who_waits_long_enough() {
    let folder = tempfile::tempdir().unwrap();
    let short = HouseOptions {
        wait: Duration::from_millis(200),
        ..options(1)
    };
    let house = open(folder.path(), options(1));
    let ids = create(&house, 2).await;
    close(house).await;
    let house = open(folder.path(), short);
    let held = entered(&house, ids[0]).await;
    let refused = house.enter(ids[1]).await.err().unwrap();
    assert_eq!(refused.code(), "TOO_MANY_OPEN");
    assert!(refused.is_retryable());
    drop(held);
    drop(entered(&house, ids[1]).await);
    assert!(!house.is_open(ids[0]));
    close(house).await;
}

/// Enters, however long the opening takes.
async fn entered(house: &House, id: Uuid) -> crate::Lease {
    loop {
        match house.enter(id).await {
            Ok(lease) => return lease,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_at_once_shares_one_opening() {
    let folder = tempfile::tempdir().unwrap();
    let house = open(folder.path(), options(4));
    let id = create(&house, 1).await[0];
    close(house).await;
    let house = open(folder.path(), options(4));
    let mut guests = JoinSet::new();
    for _ in 0..16 {
        let house = house.clone();
        guests.spawn(async move { house.enter(id).await });
    }
    let leases: Vec<_> = guests.join_all().await.into_iter().collect();
    let leases: Vec<_> = leases.into_iter().map(Result::unwrap).collect();
    let desk = |lease: &crate::Lease| std::ptr::from_ref(lease.desk()).addr();
    assert!(leases.iter().all(|lease| desk(lease) == desk(&leases[0])));
    assert_eq!(house.open_count(), 1);
    drop(leases);
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_uses_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let hasty = HouseOptions {
        idle: Duration::from_millis(20),
        ..options(4)
    };
    let house = open(folder.path(), hasty);
    let ids = create(&house, 2).await;
    let held = entered(&house, ids[0]).await;
    while house.open_count() > 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(house.is_open(ids[0]), "it is held");
    drop(held);
    while house.open_count() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(entered(&house, ids[1]).await);
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_house_lets_nobody_in_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let short = HouseOptions {
        wait: Duration::from_millis(50),
        ..options(4)
    };
    let house = open(folder.path(), options(4));
    let ids = create(&house, 2).await;
    assert!(matches!(
        attempt(folder.path(), options(4)),
        Err(HouseError::Locked { .. })
    ));
    close(house).await;
    let house = open(folder.path(), short);
    let held = entered(&house, ids[0]).await;
    let closing = house.clone();
    let closed = tokio::task::spawn_blocking(move || closing.close());
    let refused = closed.await.unwrap().err().unwrap();
    assert!(matches!(refused, HouseError::Held { held: 1 }), "{refused}");
    let refused = house.enter(ids[1]).await.err().unwrap();
    assert_eq!(refused.code(), "HOUSE_CLOSED");
    drop(held);
    close(house).await;
    let house = open(folder.path(), options(4));
    assert_eq!(house.organisations().unwrap(), ids);
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_opened_takes_no_place_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let house = open(folder.path(), options(1));
    let ids = create(&house, 2).await;
    let identity = folder.path().join("organisations").join(ids[0].to_string());
    fs::write(identity.join("daybook.json"), "{}").unwrap();
    let refused = house.enter(ids[0]).await.err().unwrap();
    assert_eq!(refused.code(), "DATA_FOLDER_UNSUPPORTED");
    assert_eq!(house.open_count(), 0);
    drop(house.enter(ids[1]).await.unwrap());
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_founding_that_was_cut_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join("organisations/new-0001");
    fs::create_dir_all(unfinished.join("log")).unwrap();
    let house = open(folder.path(), options(1));
    assert!(!unfinished.exists());
    assert_eq!(house.organisations().unwrap(), Vec::<Uuid>::new());
    close(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_the_houses_and_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let house = open(folder.path(), options(2));
    let id = create(&house, 1).await[0];
    close(house).await;
    let own = folder.path().join(format!("organisations/{id}/master.key"));
    assert!(!own.exists());
    fs::remove_file(folder.path().join("master.key")).unwrap();
    let refused = attempt(folder.path(), options(2)).err().unwrap();
    assert_eq!(refused.code(), "MASTER_KEY_MISSING");
}

/// A lease is an organisation to whoever has one of its own.
#[test]
fn an_organisation_by_itself_can_be_leased() {
    let folder = tempfile::tempdir().unwrap();
    let organisation = Arc::new(super::open(folder.path()).0);
    let lease = crate::Lease::from(organisation.clone());
    assert_eq!(lease.id(), organisation.id());
    drop(lease);
    Arc::into_inner(organisation).unwrap().close().unwrap();
}
