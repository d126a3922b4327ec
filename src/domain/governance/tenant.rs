//! A tenant. Founding → active ⇄ suspended → erased, for ever.
//! Invariants: only the record of a house has tenants; the house has one task at a time with one;
//! nothing is restored or erased where somebody may be at work; what is restored was exported.

use daybook_schema::{
    governance::{
        ConcludeTenantTask, CreateTenant, RestoreTenant, TenantCommand, TenantErasure, TenantEvent,
        TenantFailure, TenantId, TenantOutcome, TenantStatus, TenantTask,
    },
    kernel::BigInt,
};

use super::organisation;
use crate::{
    Aggregate, Declined, Desk,
    access::api_key,
    refusal::{CommonRejection, rejection},
};

/// The tenant's life, as decisions know it and as the house follows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tenant {
    /// Whether anybody may work in it; none where there is no such tenant.
    pub status: Option<TenantStatus>,
    /// What the house has to do with it.
    pub task: Option<TenantTask>,
    /// What it is to be founded as.
    pub founding: Option<CreateTenant>,
    /// The last position of its export.
    pub exported: Option<u64>,
    /// The last position that is to be restored.
    pub until: Option<u64>,
    /// Why the last task could not be done, until something else is done with it.
    pub failure: Option<TenantFailure>,
}

/// The rules about tenants.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum TenantRejection {
    /// The organisation has no tenants.
    #[error("this organisation keeps no house, so it has no tenants")]
    NotAHouse,
    /// The house does something else with the tenant.
    #[error("`{tenant}` is busy: {task}")]
    TenantIsBusy {
        /// The tenant.
        tenant: TenantId,
        /// What the house does.
        task: TenantTask,
    },
    /// The tenant has another status than the command needs.
    #[error("`{tenant}` is {actual}, not {needed}")]
    TenantStatusMismatch {
        /// The tenant.
        tenant: TenantId,
        /// The status that it has.
        actual: TenantStatus,
        /// The status that the command needs.
        needed: TenantStatus,
    },
    /// There is no export, or none that reaches so far.
    #[error("`{tenant}` has no export that reaches so far; the last ends at {}", shown(*.exported))]
    TenantNotExported {
        /// The tenant.
        tenant: TenantId,
        /// The last position of its export.
        exported: Option<u64>,
    },
    /// What became of a task does not belong to the one at hand.
    #[error("the house has no such task with `{tenant}`")]
    TenantTaskMismatch {
        /// The tenant.
        tenant: TenantId,
    },
}
rejection!(
    TenantRejection,
    Self::TenantIsBusy { .. } | Self::TenantStatusMismatch { .. } => ["tenant"],
    Self::TenantNotExported { .. } => ["until"],
    Self::TenantTaskMismatch { .. } => ["outcome"],
    Self::NotAHouse => [],
);

fn shown(position: Option<u64>) -> String {
    position.map_or_else(|| "none".to_owned(), |position| position.to_string())
}

impl Aggregate for Tenant {
    type Id = TenantId;
    type Event = TenantEvent;

    fn evolve(self, event: &TenantEvent) -> Self {
        use TenantStatus::{Active, Erased, Founding, Suspended};
        match event {
            TenantEvent::TenantCreated {
                name,
                currency,
                administrator,
                policies_from,
                verifier,
            } => Self {
                founding: Some(CreateTenant {
                    name: name.clone(),
                    currency: *currency,
                    administrator: administrator.clone(),
                    policies_from: *policies_from,
                    verifier: Some(verifier.clone()),
                }),
                ..self.at(Founding).with(TenantTask::Founding)
            },
            TenantEvent::TenantFounded { .. } => Self {
                founding: None,
                ..self.at(Active).done()
            },
            TenantEvent::TenantSuspended { .. } => self.at(Suspended),
            TenantEvent::TenantReinstated { .. } => self.at(Active),
            TenantEvent::TenantExportRequested {} => self.with(TenantTask::Export),
            TenantEvent::TenantExported { head } => Self {
                exported: Some(head.position.0),
                ..self.done()
            },
            TenantEvent::TenantRestorationRequested { until, .. } => Self {
                until: until.map(|until| until.0),
                ..self.with(TenantTask::Restoration)
            },
            TenantEvent::TenantRestored { .. } => self.done(),
            TenantEvent::TenantTaskFailed { failure, .. } => Self {
                failure: Some(failure.clone()),
                ..self.done()
            },
            TenantEvent::TenantErasureRequested { .. } => self.with(TenantTask::Erasure),
            TenantEvent::TenantErased { .. } => Self::default().at(Erased),
        }
    }
}

impl Tenant {
    fn at(self, status: TenantStatus) -> Self {
        Self {
            status: Some(status),
            failure: None,
            ..self
        }
    }

    fn with(self, task: TenantTask) -> Self {
        Self {
            task: Some(task),
            failure: None,
            ..self
        }
    }

    fn done(self) -> Self {
        Self {
            task: None,
            until: None,
            ..self
        }
    }

    /// Refuses unless nothing is under way and the status is as needed.
    fn require(&self, id: &TenantId, needed: TenantStatus) -> Result<(), Declined> {
        let tenant = *id;
        match (self.status, self.task) {
            (None, _) => Err(CommonRejection::not_found(id)),
            (_, Some(task)) => Err(TenantRejection::TenantIsBusy { tenant, task }.into()),
            (Some(actual), None) if actual != needed => {
                Err(TenantRejection::TenantStatusMismatch {
                    tenant,
                    actual,
                    needed,
                }
                .into())
            }
            (Some(_), None) => Ok(()),
        }
    }
}

pub(crate) fn decide(command: TenantCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use TenantCommand as C;
    if !organisation::keeps_house(desk)? {
        return Err(TenantRejection::NotAHouse.into());
    }
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    let tenant = desk.load::<Tenant>(&id)?;
    let event = match command {
        C::CreateTenant(command) => created(&id, &tenant, command)?,
        C::SuspendTenant(command) => {
            tenant.require(&id, TenantStatus::Active)?;
            let because = command.because;
            TenantEvent::TenantSuspended { because }
        }
        C::ReinstateTenant(command) => {
            tenant.require(&id, TenantStatus::Suspended)?;
            let because = command.because;
            TenantEvent::TenantReinstated { because }
        }
        C::ExportTenant(_) => {
            let needed = match tenant.status {
                Some(TenantStatus::Suspended) => TenantStatus::Suspended,
                _ => TenantStatus::Active,
            };
            tenant.require(&id, needed)?;
            TenantEvent::TenantExportRequested {}
        }
        C::RestoreTenant(command) => restoration(&id, &tenant, command)?,
        C::EraseTenant(command) => {
            tenant.require(&id, TenantStatus::Suspended)?;
            let because = command.because;
            TenantEvent::TenantErasureRequested { because }
        }
        C::ConcludeTenantTask(command) => concluded(&id, &tenant, command)?,
    };
    Ok(desk.record(&id, event)?)
}

fn created(id: &TenantId, tenant: &Tenant, command: CreateTenant) -> Result<TenantEvent, Declined> {
    if tenant.status.is_some() {
        return Err(CommonRejection::already_exists(id));
    }
    let CreateTenant {
        name,
        currency,
        administrator,
        policies_from,
        verifier,
    } = command;
    let verifier = api_key::required(verifier)?;
    Ok(TenantEvent::TenantCreated {
        name,
        currency,
        administrator,
        policies_from,
        verifier,
    })
}

fn restoration(
    id: &TenantId,
    tenant: &Tenant,
    command: RestoreTenant,
) -> Result<TenantEvent, Declined> {
    tenant.require(id, TenantStatus::Suspended)?;
    let RestoreTenant { until, because, .. } = command;
    let exported = tenant.exported;
    let reached = |until: BigInt| exported.is_some_and(|exported| until.0 <= exported);
    if exported.is_none() || !until.is_none_or(reached) {
        let tenant = *id;
        return Err(TenantRejection::TenantNotExported { tenant, exported }.into());
    }
    Ok(TenantEvent::TenantRestorationRequested { until, because })
}

/// The outcome of the task at hand, and of no other.
fn concluded(
    id: &TenantId,
    tenant: &Tenant,
    command: ConcludeTenantTask,
) -> Result<TenantEvent, Declined> {
    use TenantOutcome as O;
    match (tenant.task, command.outcome) {
        (Some(TenantTask::Founding), O::Founded(head)) => Ok(TenantEvent::TenantFounded { head }),
        (Some(TenantTask::Export), O::Exported(head)) => Ok(TenantEvent::TenantExported { head }),
        (Some(TenantTask::Restoration), O::Restored(head)) => {
            Ok(TenantEvent::TenantRestored { head })
        }
        (Some(TenantTask::Erasure), O::Erased(TenantErasure { bytes })) => {
            Ok(TenantEvent::TenantErased { bytes })
        }
        // What was founded or erased by half is gone on with, so it cannot fail for good.
        (Some(task @ (TenantTask::Export | TenantTask::Restoration)), O::Failed(failure)) => {
            Ok(failed(task, failure))
        }
        _ => {
            let tenant = *id;
            Err(TenantRejection::TenantTaskMismatch { tenant }.into())
        }
    }
}

fn failed(task: TenantTask, failure: TenantFailure) -> TenantEvent {
    TenantEvent::TenantTaskFailed { task, failure }
}
