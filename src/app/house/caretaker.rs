//! Does what the operators of a house want done with the folders of its tenants, and puts on
//! record what became of it.
//!
//! The record says what is to be done, so nothing is forgotten by a restart: whatever was cut off
//! is done again, and everything here may be done twice.

use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use daybook_domain::Tenant;
use daybook_eventlog::{Head, Tail};
use daybook_schema::{
    governance::{
        ConcludeTenantTask, TenantErasure, TenantFailure, TenantHead, TenantId, TenantOutcome,
        TenantTask,
    },
    kernel::{BigInt, Code, Note},
};
use tokio::runtime::Builder;
use uuid::Uuid;

use super::{Admission, House, HouseError, Shared, rooms::Barred};
use crate::AppError;

/// How long the caretaker waits for news before it looks around.
const LOOK: Duration = Duration::from_millis(100);
/// The time until something is tried again that could not be done just now.
const SOON: Duration = Duration::from_millis(50);
/// The time until something is tried again that failed and has to be done all the same.
const LATER: Duration = Duration::from_secs(10);
/// Tasks at once, each on a thread of its own.
const TASKS_MAX: usize = 4;

/// Looks after a house until it is gone or closed.
pub(super) fn look_after(house: &Weak<Shared>, mut news: Tail) {
    while let Some(house) = house.upgrade() {
        if house.rooms().is_closed() {
            return;
        }
        attend(&house);
        drop(house);
        if let Err(error) = news.next_blocking(LOOK) {
            tracing::error!(%error, "the record of the house cannot be followed");
            return;
        }
    }
}

fn attend(house: &Arc<Shared>) {
    let waiting = house.office.unattended(TASKS_MAX).unwrap_or_default();
    for (id, tenant) in waiting {
        let task = Task {
            house: house.clone(),
            id,
        };
        let thread = thread::Builder::new().name("daybook-tenant".to_owned());
        if let Err(error) = thread.spawn(move || task.run(&tenant)) {
            tracing::error!(%error, tenant = %id, "a task could not be begun");
        }
    }
}

/// Something to be done with one tenant; whoever drops it leaves the tenant to others.
struct Task {
    house: Arc<Shared>,
    id: Uuid,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.house.office.attended(self.id);
        self.house.changed.send_replace(());
    }
}

impl Task {
    fn run(self, tenant: &Tenant) {
        let Some(task) = tenant.task else { return };
        let pause = match self.carry_out(task, tenant) {
            Ok(Some(outcome)) => self.conclude(outcome),
            Ok(None) => SOON,
            Err(error) if error.is_retryable() => SOON,
            Err(error) => self.failed(task, &error),
        };
        self.wait(pause);
    }

    /// What became of it; none where somebody is in the way still.
    fn carry_out(
        &self,
        task: TenantTask,
        tenant: &Tenant,
    ) -> Result<Option<TenantOutcome>, HouseError> {
        let (folder, options) = (&self.house.folder, &self.house.options.organisation);
        let outcome = match (task, &tenant.founding) {
            (TenantTask::Founding, Some(founding)) => {
                let head = folder.found(self.id, founding, options)?;
                TenantOutcome::Founded(told(head))
            }
            (TenantTask::Founding, None) => return Ok(None),
            (TenantTask::Export, _) => TenantOutcome::Exported(told(self.export()?)),
            (TenantTask::Restoration, _) => {
                let restored = self.alone(|| folder.restore(self.id, tenant.until))?;
                return Ok(restored.map(|head| TenantOutcome::Restored(told(head))));
            }
            (TenantTask::Erasure, _) => {
                let erased = self.alone(|| folder.erase(self.id))?;
                let told = |bytes| TenantErasure {
                    bytes: BigInt(bytes),
                };
                return Ok(erased.map(|bytes| TenantOutcome::Erased(told(bytes))));
            }
        };
        Ok(Some(outcome))
    }

    /// The organisation is opened where it is not: a running log can be copied, whoever works.
    fn export(&self) -> Result<Head, HouseError> {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(AppError::Thread)?;
        let house = House(self.house.clone());
        let lease = runtime.block_on(house.admit(self.id, Admission::OfTheHouse))?;
        Ok(self.house.folder.export(&lease)?.head)
    }

    /// Does something with an organisation that is not open and is not opened meanwhile.
    fn alone<T>(
        &self,
        work: impl FnOnce() -> Result<T, AppError>,
    ) -> Result<Option<T>, HouseError> {
        let barred = self.house.rooms().bar(self.id);
        match barred {
            Barred::InUse => return Ok(None),
            Barred::Empty => {}
            Barred::Left(left) => {
                self.house.shut(*left);
                self.house.rooms().free_place();
            }
        }
        let done = work();
        self.house.rooms().unbar(self.id);
        Ok(Some(done?))
    }

    /// What was half founded or half erased stays to be done; all else is given up.
    fn failed(&self, task: TenantTask, error: &HouseError) -> Duration {
        tracing::error!(tenant = %self.id, %task, code = error.code(), %error, "a task failed");
        match task {
            TenantTask::Founding | TenantTask::Erasure => LATER,
            TenantTask::Export | TenantTask::Restoration => {
                let told =
                    |text: &str| text.chars().take(1_000).collect::<String>().parse::<Note>();
                let failure = TenantFailure {
                    code: error.code().parse().unwrap_or_else(|_| unknown()),
                    message: told(&error.to_string())
                        .unwrap_or_else(|_| Note::constant("it failed")),
                };
                self.conclude(TenantOutcome::Failed(failure))
            }
        }
    }

    fn conclude(&self, outcome: TenantOutcome) -> Duration {
        let tenant = TenantId(self.id);
        let concluded = ConcludeTenantTask { tenant, outcome };
        match self.house.office.order_blocking(concluded) {
            Ok(receipt) => {
                tracing::info!(tenant = %self.id, position = receipt.position, "a task is done");
                Duration::ZERO
            }
            Err(error) => {
                tracing::error!(tenant = %self.id, code = error.code(), %error, "not recorded");
                LATER
            }
        }
    }

    /// Waits before the tenant is left to others, unless the house is being closed.
    fn wait(&self, pause: Duration) {
        let mut left = pause;
        while !left.is_zero() && !self.house.rooms().is_closed() {
            let nap = left.min(SOON);
            thread::sleep(nap);
            left -= nap;
        }
    }
}

fn unknown() -> Code {
    Code::constant("INTERNAL_SERVER_ERROR")
}

fn told(head: Head) -> TenantHead {
    TenantHead {
        position: BigInt(head.position),
        hash: head.hash.to_string().parse().unwrap_or_else(|_| unknown()),
    }
}
