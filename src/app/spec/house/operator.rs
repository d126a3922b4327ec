//! What an operator has done with tenants: suspended, exported, restored, erased.

use std::{fs, path::Path};

use daybook_projections::{
    customers::CustomerRow,
    store::{Condition, PageRequest},
};
use daybook_schema::{
    customers::CustomerId,
    governance::{
        EraseSubject, EraseTenant, ExportTenant, ReinstateTenant, RestoreTenant, SubjectId,
        SuspendTenant, TenantCommand, TenantId, TenantStatus,
    },
    kernel::BigInt,
    personal::ERASED,
};
use uuid::Uuid;

use super::{close, create, entered, open, options};
use crate::{
    House, HouseError, Organisation, Receipt,
    spec::{envelope, register},
};

/// A house with one tenant.
struct Place {
    house: House,
    tenant: TenantId,
}

impl Place {
    async fn new(folder: &Path) -> Self {
        let house = open(folder, options(2));
        let tenant = TenantId(create(&house, 1).await[0]);
        Self { house, tenant }
    }

    /// Orders something, and waits until it is done.
    async fn order(&self, command: impl Into<TenantCommand>) -> Option<TenantStatus> {
        self.house.order(command).await.unwrap();
        self.house.settled(self.tenant.0).await.unwrap().status
    }

    async fn refused(&self, command: impl Into<TenantCommand>, code: &str) {
        let refused = self.house.order(command).await.err().unwrap();
        assert_eq!(refused.code(), code);
    }

    async fn register(&self, name: &str) -> Receipt {
        let lease = entered(&self.house, self.tenant.0).await;
        let command = envelope(register(name, None));
        let receipt = lease.desk().submit(command).await.unwrap();
        posted(&lease, receipt.position).await;
        receipt
    }

    /// The names of all customers.
    async fn customers(&self) -> Vec<String> {
        let lease = entered(&self.house, self.tenant.0).await;
        let snapshot = lease.readers().snapshot(None).unwrap();
        let request = PageRequest {
            condition: Condition::EVERYTHING,
            order: Vec::new(),
            after: None,
            before: None,
            limit: 100,
            backwards: false,
        };
        let page = snapshot.page::<CustomerRow>(&request).unwrap();
        let rows = page
            .rows
            .iter()
            .map(|(document, _)| document.row().unwrap());
        let mut names: Vec<_> = rows.map(|row| row.details.name.to_string()).collect();
        names.sort();
        names
    }

    fn suspend(&self) -> SuspendTenant {
        SuspendTenant {
            tenant: self.tenant,
            because: "unpaid".parse().unwrap(),
        }
    }

    fn reinstate(&self) -> ReinstateTenant {
        ReinstateTenant {
            tenant: self.tenant,
            because: None,
        }
    }

    fn export(&self) -> ExportTenant {
        ExportTenant {
            tenant: self.tenant,
        }
    }

    fn restore(&self, until: Option<u64>) -> RestoreTenant {
        RestoreTenant {
            tenant: self.tenant,
            until: until.map(BigInt),
            because: "a mistake".parse().unwrap(),
        }
    }

    fn erase(&self) -> EraseTenant {
        EraseTenant {
            tenant: self.tenant,
            because: "the contract ended".parse().unwrap(),
        }
    }
}

async fn posted(organisation: &Organisation, position: u64) {
    let mut applied = organisation.applied();
    let applied = applied.wait_for(|applied| applied.position >= position);
    assert_eq!(applied.await.unwrap().stopped, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_enters_a_suspended_tenant_until_it_is_reinstated() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path()).await;
    let id = place.tenant.0;
    let held = entered(&place.house, id).await;
    assert_eq!(
        place.order(place.suspend()).await,
        Some(TenantStatus::Suspended)
    );
    assert!(matches!(
        place.house.admits(id),
        Err(HouseError::Suspended { .. })
    ));
    let refused = place.house.enter(id).await.err().unwrap();
    assert_eq!(refused.code(), "ORGANISATION_SUSPENDED");
    assert!(!refused.is_retryable());
    place
        .refused(place.suspend(), "TENANT_STATUS_MISMATCH")
        .await;
    drop(held);
    close(place.house).await;
    let house = open(folder.path(), options(2));
    assert!(house.enter(id).await.is_err(), "a restart changes nothing");
    let place = Place {
        tenant: place.tenant,
        house,
    };
    assert_eq!(
        place.order(place.reinstate()).await,
        Some(TenantStatus::Active)
    );
    assert_eq!(place.customers().await, Vec::<String>::new());
    close(place.house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_exported_while_it_works_and_restored_to_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path()).await;
    place
        .refused(place.restore(None), "TENANT_STATUS_MISMATCH")
        .await;
    let first = place.register("Lin").await;
    let held = entered(&place.house, place.tenant.0).await;
    let second = place.register("Mei").await;
    assert_eq!(
        place.order(place.export()).await,
        Some(TenantStatus::Active)
    );
    let told = place.house.settled(place.tenant.0).await.unwrap();
    assert_eq!(told.exported, Some(second.position));
    drop(held);
    place.register("Too late").await;
    place.order(place.suspend()).await;
    place
        .refused(
            place.restore(Some(second.position + 1)),
            "TENANT_NOT_EXPORTED",
        )
        .await;
    assert_eq!(
        place.order(place.restore(None)).await,
        Some(TenantStatus::Suspended)
    );
    place.order(place.reinstate()).await;
    assert_eq!(place.customers().await, ["Lin", "Mei"]);
    place.order(place.suspend()).await;
    place.order(place.restore(Some(first.position))).await;
    place.order(place.reinstate()).await;
    assert_eq!(place.customers().await, ["Lin"]);
    // What comes after a restoration is exported over what was there before it.
    place.register("Another Mei").await;
    place.order(place.export()).await;
    let told = place.house.settled(place.tenant.0).await.unwrap();
    assert_eq!(told.exported, Some(second.position));
    close(place.house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_erased_stays_erased_in_what_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path()).await;
    let registered = place.register("Lin").await;
    place.order(place.export()).await;
    let erase = EraseSubject {
        subject: SubjectId::Customer(CustomerId(registered.command_id)),
        customer: None,
        because: "asked for".parse().unwrap(),
    };
    let lease = entered(&place.house, place.tenant.0).await;
    let erased = lease.desk().submit(envelope(erase)).await.unwrap();
    assert_eq!(erased.refusal, None);
    drop(lease);
    place.order(place.suspend()).await;
    place.order(place.restore(None)).await;
    place.order(place.reinstate()).await;
    assert_eq!(place.customers().await, [ERASED]);
    close(place.house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_erased_tenant_nothing_is_left_but_that_there_was_one() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path()).await;
    let id = place.tenant.0;
    place.register("Lin").await;
    place.order(place.export()).await;
    place.refused(place.erase(), "TENANT_STATUS_MISMATCH").await;
    let held = entered(&place.house, id).await;
    place.order(place.suspend()).await;
    place.house.order(place.erase()).await.unwrap();
    place.refused(place.reinstate(), "TENANT_IS_BUSY").await;
    assert!(
        held.desk().is_running(),
        "it waits for whoever is in it still"
    );
    drop(held);
    let erased = place.house.settled(id).await.unwrap();
    assert_eq!(erased.status, Some(TenantStatus::Erased));
    let refused = place.house.enter(id).await.err().unwrap();
    assert_eq!(refused.code(), "ORGANISATION_UNKNOWN");
    assert_eq!(place.house.organisations().unwrap(), Vec::<Uuid>::new());
    for left in ["organisations", "exports"] {
        let entries = fs::read_dir(folder.path().join(left)).unwrap();
        assert_eq!(entries.count(), 0, "{left}");
    }
    place
        .refused(place.reinstate(), "TENANT_STATUS_MISMATCH")
        .await;
    close(place.house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_left_half_done_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path()).await;
    let id = place.tenant.0;
    place.register("Lin").await;
    place.order(place.suspend()).await;
    close(place.house).await;
    // A restoration that was cut off between its two renames.
    let all = folder.path().join("organisations");
    fs::rename(all.join(id.to_string()), all.join(format!("old-{id}"))).unwrap();
    fs::create_dir(all.join(format!("new-{id}"))).unwrap();
    let place = Place {
        house: open(folder.path(), options(2)),
        tenant: place.tenant,
    };
    place.order(place.reinstate()).await;
    assert_eq!(place.customers().await, ["Lin"]);
    assert_eq!(fs::read_dir(&all).unwrap().count(), 1);
    close(place.house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_cannot_be_done_is_told_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path()).await;
    place.register("Lin").await;
    place.order(place.export()).await;
    let export = folder.path().join(format!("exports/{}", place.tenant.0));
    fs::remove_dir_all(&export).unwrap();
    place.order(place.suspend()).await;
    assert_eq!(
        place.order(place.restore(None)).await,
        Some(TenantStatus::Suspended)
    );
    place.order(place.reinstate()).await;
    assert_eq!(place.customers().await, ["Lin"]);
    let office = place.house.office().unwrap();
    let told = office.log().read(0).map(Result::unwrap);
    let failures = told.filter(|commit| {
        let mut events = commit.events();
        events.any(|event| event.type_name == "TenantTaskFailed")
    });
    assert_eq!(failures.count(), 1);
    drop(office);
    close(place.house).await;
}
