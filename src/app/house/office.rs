//! The record of the house itself: which tenants it has, and what its operators want done.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use daybook_domain::Tenant;
use daybook_schema::{
    DomainCommand, DomainEvent,
    commit::Source,
    governance::{TenantId, TenantStatus},
    kernel::{Actor, Currency, Date, Name, StreamKey as _},
    prefix,
};
use uuid::Uuid;

use super::{HouseError, Lease};
use crate::{AppError, Envelope, Founding, Organisation, OrganisationOptions, Receipt};

/// The time between two looks at who still has to do with an office that is to be closed.
const PAUSE: Duration = Duration::from_millis(5);
/// Who issues the commands of the house itself.
const HOUSE: &str = "house";

/// The record of the house, which is open as long as the house is.
pub(super) struct Office {
    id: Uuid,
    organisation: Mutex<Option<Arc<Organisation>>>,
    tenants: Mutex<Tenants>,
}

/// The tenants up to a position of the record.
#[derive(Default)]
struct Tenants {
    position: u64,
    known: BTreeMap<Uuid, Tenant>,
    /// Those with which something is being done.
    attended: HashSet<Uuid>,
}

impl Office {
    pub(super) fn open(folder: &Path, options: &OrganisationOptions) -> Result<Self, AppError> {
        let (options, founding) = (options.clone(), founding());
        let (organisation, _) = Organisation::open(folder, options, &founding, &mut |_, _| {})?;
        Ok(Self {
            id: organisation.id(),
            organisation: Mutex::new(Some(Arc::new(organisation))),
            tenants: Mutex::default(),
        })
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn organisation(&self) -> Result<Arc<Organisation>, HouseError> {
        lock(&self.organisation).clone().ok_or(HouseError::Closed)
    }

    pub(super) fn lease(&self) -> Result<Lease, HouseError> {
        Ok(self.organisation()?.into())
    }

    /// Refuses whoever wants to enter a tenant that is not to be entered.
    pub(super) fn admit(&self, organisation: Uuid) -> Result<(), HouseError> {
        match self
            .tenants()?
            .known
            .get(&organisation)
            .and_then(|tenant| tenant.status)
        {
            Some(TenantStatus::Active) => Ok(()),
            Some(TenantStatus::Founding) => Err(HouseError::Opening { organisation }),
            Some(TenantStatus::Suspended) => Err(HouseError::Suspended { organisation }),
            Some(TenantStatus::Erased) | None => Err(HouseError::Unknown { organisation }),
        }
    }

    /// What is known of a tenant.
    pub(super) fn tenant(&self, id: Uuid) -> Result<Option<Tenant>, HouseError> {
        Ok(self.tenants()?.known.get(&id).cloned())
    }

    /// The organisations that were created and not erased, in the order of their ids.
    pub(super) fn organisations(&self) -> Result<Vec<Uuid>, HouseError> {
        let tenants = self.tenants()?;
        let kept = |tenant: &Tenant| tenant.status != Some(TenantStatus::Erased);
        let kept = tenants.known.iter().filter(|(_, tenant)| kept(tenant));
        Ok(kept.map(|(id, _)| *id).collect())
    }

    /// The tenants with which something is to be done and nothing is being done, to be given back
    /// by [`Office::attended`]; no more than may be attended to at once.
    pub(super) fn unattended(&self, at_once: usize) -> Result<Vec<(Uuid, Tenant)>, HouseError> {
        let mut tenants = self.tenants()?;
        let Tenants {
            known, attended, ..
        } = &mut *tenants;
        let waiting = known
            .iter()
            .filter(|(id, tenant)| tenant.task.is_some() && !attended.contains(*id));
        let waiting = waiting.take(at_once.saturating_sub(attended.len()));
        let waiting: Vec<_> = waiting.map(|(id, tenant)| (*id, tenant.clone())).collect();
        attended.extend(waiting.iter().map(|(id, _)| *id));
        Ok(waiting)
    }

    /// With how many tenants something is being done.
    pub(super) fn attended_now(&self) -> usize {
        lock(&self.tenants).attended.len()
    }

    /// Notes that nothing is being done with a tenant any more.
    pub(super) fn attended(&self, id: Uuid) {
        lock(&self.tenants).attended.remove(&id);
    }

    /// Has a command of whoever has the machine decided.
    pub(super) async fn order(
        &self,
        command: impl Into<DomainCommand>,
    ) -> Result<Receipt, HouseError> {
        let organisation = self.organisation()?;
        let answer = organisation
            .desk()
            .submit(envelope(command.into(), Source::Api))
            .await;
        accepted(answer?)
    }

    /// Has a command of the house itself decided; blocks.
    pub(super) fn order_blocking(
        &self,
        command: impl Into<DomainCommand>,
    ) -> Result<Receipt, HouseError> {
        let organisation = self.organisation()?;
        let envelope = envelope(command.into(), Source::Policy);
        let waiting = organisation.desk().submit_blocking(envelope)?;
        let answer = waiting.blocking_recv();
        accepted(answer.unwrap_or(Err(crate::CommandError::Closed))?)
    }

    /// Closes the record, when nobody has to do with it any more.
    pub(super) fn close(&self, deadline: Instant) -> Result<(), HouseError> {
        loop {
            {
                let mut organisation = lock(&self.organisation);
                match organisation.take().map(Arc::try_unwrap) {
                    None => return Ok(()),
                    Some(Ok(alone)) => return Ok(alone.close()?),
                    Some(Err(held)) => *organisation = Some(held),
                }
            }
            if Instant::now() >= deadline {
                return Err(HouseError::Held { held: 1 });
            }
            thread::sleep(PAUSE);
        }
    }

    /// The tenants as of now: what was recorded since is taken in first.
    fn tenants(&self) -> Result<MutexGuard<'_, Tenants>, HouseError> {
        let organisation = self.organisation()?;
        let mut tenants = lock(&self.tenants);
        if organisation.log().head().position > tenants.position {
            tenants.follow(&organisation)?;
        }
        Ok(tenants)
    }
}

impl Tenants {
    fn follow(&mut self, organisation: &Organisation) -> Result<(), AppError> {
        for block in organisation.log().blocks(self.position) {
            for commit in block?.commits() {
                let position = commit.position();
                // The first block may begin with commits that were taken in before.
                if position <= self.position {
                    continue;
                }
                for event in commit.events() {
                    if prefix(event.stream) != TenantId::PREFIX {
                        continue;
                    }
                    let (name, version) = (event.type_name, event.type_version);
                    let told = DomainEvent::decode(event.stream, name, version, event.data);
                    self.take_in(event.stream, &told.map_err(AppError::from)?);
                }
                self.position = position;
            }
        }
        Ok(())
    }

    fn take_in(&mut self, stream: &str, event: &DomainEvent) {
        let (Ok(TenantId(id)), DomainEvent::Tenant(event)) = (stream.parse(), event) else {
            return;
        };
        let tenant = self.known.remove(&id).unwrap_or_default();
        self.known
            .insert(id, daybook_domain::Aggregate::evolve(tenant, event));
    }
}

fn envelope(command: DomainCommand, source: Source) -> Envelope {
    Envelope {
        source,
        ..Envelope::of_process(Uuid::now_v7(), actor(), command)
    }
}

fn actor() -> Actor {
    Actor::constant(HOUSE)
}

fn accepted(receipt: Receipt) -> Result<Receipt, HouseError> {
    match receipt.refusal {
        Some(refusal) => Err(HouseError::Refused { refusal }),
        None => Ok(receipt),
    }
}

/// The record of a house counts nothing and sells nothing; what it is founded with is of no
/// consequence.
fn founding() -> Founding {
    Founding {
        name: Name::constant("House"),
        currency: Currency::CNY,
        founder: actor(),
        policies_from: Date(chrono::NaiveDate::default()),
        keeps_house: true,
        founded_at: None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
