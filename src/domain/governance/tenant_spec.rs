//! Specs of tenants: what an operator may have done, and when.

use daybook_schema::{
    DomainCommand,
    access::Verifier,
    governance::{
        ConcludeTenantTask, CreateTenant, EraseTenant, ExportTenant, FoundOrganisation,
        ReinstateTenant, RestoreTenant, SuspendTenant, TenantErasure, TenantFailure, TenantHead,
        TenantId, TenantOutcome,
    },
    kernel::{BigInt, Currency},
};

use crate::spec::{Given, given, t, uuid};

const TENANT: TenantId = TenantId(uuid(1));

fn found(keeps_house: bool) -> FoundOrganisation {
    FoundOrganisation {
        name: t("House"),
        currency: Currency::CNY,
        keeps_house,
    }
}

fn create() -> CreateTenant {
    CreateTenant {
        name: t("Tea"),
        currency: Currency::CNY,
        administrator: t("admin"),
        policies_from: t("2026-01-01"),
        verifier: Some(Verifier::new("b3:00")),
    }
}

fn suspend() -> SuspendTenant {
    SuspendTenant {
        tenant: TENANT,
        because: t("unpaid"),
    }
}

fn reinstate() -> ReinstateTenant {
    ReinstateTenant {
        tenant: TENANT,
        because: None,
    }
}

fn export() -> ExportTenant {
    ExportTenant { tenant: TENANT }
}

fn restore(until: Option<u64>) -> RestoreTenant {
    RestoreTenant {
        tenant: TENANT,
        until: until.map(BigInt),
        because: t("a mistake"),
    }
}

fn erase() -> EraseTenant {
    EraseTenant {
        tenant: TENANT,
        because: t("the contract ended"),
    }
}

fn conclude(outcome: TenantOutcome) -> ConcludeTenantTask {
    ConcludeTenantTask {
        tenant: TENANT,
        outcome,
    }
}

fn head(position: u64) -> TenantHead {
    TenantHead {
        position: BigInt(position),
        hash: t("00ff"),
    }
}

fn failed() -> TenantOutcome {
    TenantOutcome::Failed(TenantFailure {
        code: t("LOG_DAMAGED"),
        message: t("a block is missing"),
    })
}

fn house() -> Given {
    given().done(100, found(true))
}

fn created() -> Given {
    house().done(1, create())
}

fn active() -> Given {
    created().done(2, conclude(TenantOutcome::Founded(head(3))))
}

fn suspended() -> Given {
    active()
        .done(3, export())
        .done(4, conclude(TenantOutcome::Exported(head(20))))
        .done(5, suspend())
}

#[track_caller]
fn happens(given: Given, command: impl Into<DomainCommand>, event: &str) {
    given.when(command.into()).then_types(&[event]);
}

#[track_caller]
fn refused(given: Given, command: impl Into<DomainCommand>, code: &str) {
    given.when(command.into()).then_refused(code);
}

#[test]
fn a_tenant_lives_from_its_creation_to_its_erasure() {
    happens(house(), create(), "TenantCreated");
    happens(
        created(),
        conclude(TenantOutcome::Founded(head(3))),
        "TenantFounded",
    );
    happens(active(), suspend(), "TenantSuspended");
    happens(suspended(), reinstate(), "TenantReinstated");
    happens(suspended(), erase(), "TenantErasureRequested");
    let erased = TenantOutcome::Erased(TenantErasure { bytes: BigInt(9) });
    let erasing = suspended().done(6, erase());
    happens(erasing, conclude(erased.clone()), "TenantErased");
    let erased = suspended().done(6, erase()).done(7, conclude(erased));
    refused(erased, reinstate(), "TENANT_STATUS_MISMATCH");
}

#[test]
fn only_a_house_has_tenants() {
    let keyless = CreateTenant {
        verifier: None,
        ..create()
    };
    refused(house(), keyless, "SECRET_MISSING");
    refused(given().done(100, found(false)), create(), "NOT_A_HOUSE");
    refused(given(), suspend(), "NOT_A_HOUSE");
    refused(house(), suspend(), "NOT_FOUND");
}

#[test]
fn nothing_is_restored_or_erased_where_somebody_may_be_at_work() {
    for command in [
        DomainCommand::from(restore(None)),
        erase().into(),
        reinstate().into(),
    ] {
        refused(active(), command, "TENANT_STATUS_MISMATCH");
    }
    refused(suspended(), suspend(), "TENANT_STATUS_MISMATCH");
}

#[test]
fn an_active_and_a_suspended_tenant_can_be_exported_and_no_other() {
    happens(active(), export(), "TenantExportRequested");
    happens(suspended(), export(), "TenantExportRequested");
    let erased = TenantOutcome::Erased(TenantErasure { bytes: BigInt(9) });
    let erased = suspended().done(6, erase()).done(7, conclude(erased));
    refused(erased, export(), "TENANT_STATUS_MISMATCH");
}

#[test]
fn what_is_restored_was_exported() {
    let never = active().done(5, suspend());
    refused(never, restore(None), "TENANT_NOT_EXPORTED");
    refused(suspended(), restore(Some(21)), "TENANT_NOT_EXPORTED");
    happens(suspended(), restore(Some(20)), "TenantRestorationRequested");
    happens(suspended(), restore(None), "TenantRestorationRequested");
}

#[test]
fn the_house_has_one_task_at_a_time_with_a_tenant() {
    let busy = || suspended().done(6, restore(None));
    for command in [
        DomainCommand::from(erase()),
        export().into(),
        reinstate().into(),
    ] {
        refused(busy(), command, "TENANT_IS_BUSY");
    }
    refused(created(), suspend(), "TENANT_IS_BUSY");
    let restored = || conclude(TenantOutcome::Restored(head(20)));
    happens(busy(), restored(), "TenantRestored");
    happens(
        busy().done(7, restored()),
        erase(),
        "TenantErasureRequested",
    );
}

#[test]
fn an_outcome_belongs_to_the_task_at_hand() {
    let exported = || conclude(TenantOutcome::Exported(head(20)));
    refused(active(), exported(), "TENANT_TASK_MISMATCH");
    refused(
        suspended().done(6, restore(None)),
        exported(),
        "TENANT_TASK_MISMATCH",
    );
    happens(
        suspended().done(6, restore(None)),
        conclude(failed()),
        "TenantTaskFailed",
    );
    // A founding and an erasure are gone on with until they are done.
    refused(created(), conclude(failed()), "TENANT_TASK_MISMATCH");
    refused(
        suspended().done(6, erase()),
        conclude(failed()),
        "TENANT_TASK_MISMATCH",
    );
}
