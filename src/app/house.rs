//! Many organisations in one process, each in a folder of its own.
//!
//! ```text
//! <folder>/house.lock             held while the house is open: one process at a time
//! <folder>/master.key             wraps the keys of all of them, where it is not kept elsewhere
//! <folder>/organisations/<uuid>/  one organisation: its log, its keys, its read models
//! <folder>/office/                the record of the house itself: its tenants and operators
//! <folder>/exports/<uuid>/        the export of an organisation
//! ```
//! Which organisations there are, and who may enter them, is in the record of the house, where its
//! operators have them created, suspended, exported, restored and erased. Organisations share
//! nothing but the process and the master key. One is opened when somebody enters it, and stays
//! open until it has been left for a while, or until its place is needed by another. Nobody's
//! organisation is closed under them: whoever enters holds a [`Lease`].

mod caretaker;
mod directory;
mod error;
mod folder;
mod lease;
mod office;
mod rooms;
mod turn;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use daybook_domain::Tenant;
use daybook_schema::{
    Command,
    governance::{CreateTenant, TenantCommand},
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppError, DeskOptions, Founding, OrganisationOptions, Receipt,
    access::{Armoury, Token, TokenKind, first_key},
};
pub use directory::Directory;
pub use error::HouseError;
use folder::Folder;
pub use lease::Lease;
use office::Office;
use rooms::{Found, Left, Outcome, Rooms};
use turn::Turn;

/// The time between two looks at what is left in a closing house.
const CLOSING_PAUSE: Duration = Duration::from_millis(5);
/// The time between two looks for organisations that nobody uses, at most.
const SWEEP_MAX: Duration = Duration::from_secs(10);

/// Limits of a house.
#[derive(Clone, Debug)]
pub struct HouseOptions {
    /// How many organisations are open at once at most.
    pub open_max: usize,
    /// How long an organisation that nobody holds stays open.
    pub idle: Duration,
    /// How long somebody waits for a place, and for an opening.
    pub wait: Duration,
    /// How every organisation is opened.
    pub organisation: OrganisationOptions,
}

impl Default for HouseOptions {
    /// Bounds that a machine can bear when all places are taken and all caches are full. A batch
    /// is small, so that the states of two batches have their place among those that are kept.
    fn default() -> Self {
        Self {
            open_max: 64,
            idle: Duration::from_secs(600),
            wait: Duration::from_secs(10),
            organisation: OrganisationOptions {
                desk: DeskOptions {
                    queue: 512,
                    batch: 64,
                    states: 8_000,
                },
                log_cache_bytes: Some(8 * 1024 * 1024),
                ..OrganisationOptions::default()
            },
        }
    }
}

/// Who enters an organisation.
#[derive(Clone, Copy, Debug)]
enum Admission {
    /// Somebody with a token, while it is not suspended.
    OfAnybody,
    /// The house itself, to see to it.
    OfTheHouse,
}

/// An organisation that was founded just now.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub organisation: Uuid,
    /// The key of its first account; it is shown now and never again.
    pub key: Token,
}

/// Many organisations; cheap to clone.
#[derive(Clone)]
pub struct House(Arc<Shared>);

/// What the handles, leases and threads of a house share.
struct Shared {
    folder: Folder,
    office: Office,
    options: HouseOptions,
    rooms: Mutex<Rooms>,
    /// Sent whenever a room may have changed.
    changed: watch::Sender<()>,
    /// Organisations that are open in fact, whatever the rooms say.
    open: AtomicUsize,
    /// Its end is the end of the sweeping thread.
    _sweeping: mpsc::Sender<()>,
}

impl House {
    /// Opens the house in a folder, which is made where it is missing. No organisation is opened
    /// but the house's own record. Blocks.
    ///
    /// # Errors
    /// [`HouseError::Locked`] where another process has it, [`HouseError::App`] where the folder
    /// or the master key cannot be used.
    pub fn open(folder: &Path, mut options: HouseOptions) -> Result<Self, HouseError> {
        options.open_max = options.open_max.max(1);
        let folder = Folder::open(folder)?;
        let master = folder.master_key(options.organisation.master_key)?;
        options.organisation.master_key = master;
        let office = Office::open(&folder.office(), &options.organisation)?;
        let record = office.organisation()?;
        let news = record.log().subscribe(record.log().head().position);
        drop(record);
        let (sweeping, ended) = mpsc::channel();
        let period = (options.idle / 4).clamp(CLOSING_PAUSE, SWEEP_MAX);
        let shared = Arc::new(Shared {
            folder,
            office,
            rooms: Mutex::new(Rooms::new(options.open_max)),
            options,
            changed: watch::Sender::new(()),
            open: AtomicUsize::new(0),
            _sweeping: sweeping,
        });
        let house = Arc::downgrade(&shared);
        begin("daybook-house", move || sweep(&house, &ended, period))?;
        let house = Arc::downgrade(&shared);
        begin("daybook-caretaker", move || {
            caretaker::look_after(&house, news);
        })?;
        Ok(Self(shared))
    }

    /// The house's own record, in which its operators have their accounts.
    ///
    /// # Errors
    /// [`HouseError::Closed`].
    pub fn office(&self) -> Result<Lease, HouseError> {
        self.0.office.lease()
    }

    /// Founds an organisation. A crash leaves either none or a whole one.
    ///
    /// # Errors
    /// [`HouseError::Refused`], [`HouseError::Command`], [`HouseError::Opening`] when it takes
    /// longer than one waits; it goes on.
    pub async fn create(&self, founding: &Founding) -> Result<Created, HouseError> {
        let mut command = CreateTenant {
            name: founding.name.clone(),
            currency: founding.currency,
            administrator: founding.founder.clone(),
            policies_from: founding.policies_from,
            verifier: None,
        };
        let mut armoury = Armoury::default();
        Command::arm(&mut command, &mut armoury);
        let secret = armoury.secret().map_err(AppError::Randomness)?;
        let receipt = self.order(command).await?;
        let organisation = receipt.command_id;
        self.settled(organisation).await?;
        let (key, secret) = (first_key(organisation), secret.unwrap_or_default());
        let key = Token::new(TokenKind::ApiKey, organisation, &key.to_string(), &secret);
        Ok(Created { organisation, key })
    }

    /// Has a command about a tenant decided, on the authority of whoever has the machine.
    ///
    /// # Errors
    /// [`HouseError::Refused`], [`HouseError::Command`].
    pub async fn order(&self, command: impl Into<TenantCommand>) -> Result<Receipt, HouseError> {
        let command: TenantCommand = command.into();
        self.0.office.order(command).await
    }

    /// Waits until there is nothing to be done with a tenant; gives what is known of it.
    ///
    /// # Errors
    /// [`HouseError::Unknown`], [`HouseError::Opening`] when it takes longer than one waits.
    pub async fn settled(&self, id: Uuid) -> Result<Tenant, HouseError> {
        let mut changed = self.0.changed.subscribe();
        let deadline = tokio::time::Instant::now() + self.0.options.wait;
        loop {
            changed.borrow_and_update();
            let tenant = self.0.office.tenant(id)?;
            let tenant = tenant.ok_or(HouseError::Unknown { organisation: id })?;
            if tenant.task.is_none() {
                return Ok(tenant);
            }
            let news = tokio::time::timeout_at(deadline, changed.changed()).await;
            if news.is_err() {
                return Err(HouseError::Opening { organisation: id });
            }
        }
    }

    /// Enters an organisation, which is opened where it is not. It stays open while the lease or
    /// a clone of it lasts. Must be called within a runtime, whose blocking threads do the opening.
    ///
    /// # Errors
    /// As [`House::admits`], [`HouseError::Full`] when nobody left a place in time,
    /// [`HouseError::Opening`] when the opening takes longer than one waits,
    /// [`HouseError::Unopened`], [`HouseError::Closed`].
    pub async fn enter(&self, id: Uuid) -> Result<Lease, HouseError> {
        if id == self.0.office.id() {
            return self.0.office.lease();
        }
        self.admit(id, Admission::OfAnybody).await
    }

    /// Refuses whoever may not enter an organisation, or may not stay in it any more.
    ///
    /// # Errors
    /// [`HouseError::Unknown`], [`HouseError::Suspended`], [`HouseError::Opening`],
    /// [`HouseError::Closed`].
    pub fn admits(&self, id: Uuid) -> Result<(), HouseError> {
        match id == self.0.office.id() {
            true => Ok(()),
            false => self.0.office.admit(id),
        }
    }

    /// How many organisations are open now.
    pub fn open_count(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Whether an organisation is open, or is being opened or closed.
    pub fn is_open(&self, id: Uuid) -> bool {
        self.0.rooms().knows(id)
    }

    /// How many may be open at once.
    pub fn open_max(&self) -> usize {
        self.0.options.open_max
    }

    /// The ids of all organisations that were not erased.
    ///
    /// # Errors
    /// [`HouseError::Closed`], [`HouseError::App`] where the record cannot be read.
    pub fn organisations(&self) -> Result<Vec<Uuid>, HouseError> {
        self.0.office.organisations()
    }

    /// Closes every organisation in order, and lets nobody enter any more. Those that are held are
    /// waited for as long as somebody waits for a place.
    ///
    /// # Errors
    /// [`HouseError::Held`] where some are held still; what is closed is closed.
    pub fn close(&self) -> Result<(), HouseError> {
        let deadline = Instant::now() + self.0.options.wait;
        self.0.rooms().close();
        self.0.changed.send_replace(());
        loop {
            while self.0.close_one(Instant::now()) {}
            let held = self.0.rooms().count() + self.0.office.attended_now();
            if held == 0 {
                return self.0.office.close(deadline);
            }
            if Instant::now() >= deadline {
                return Err(HouseError::Held { held });
            }
            thread::sleep(CLOSING_PAUSE);
        }
    }

    async fn admit(&self, id: Uuid, admission: Admission) -> Result<Lease, HouseError> {
        let shared = &self.0;
        let mut changed = shared.changed.subscribe();
        let deadline = tokio::time::Instant::now() + shared.options.wait;
        let mut opening: Option<Outcome> = None;
        loop {
            changed.borrow_and_update();
            if let Admission::OfAnybody = admission {
                shared.office.admit(id)?;
            }
            if let Some(error) = opening.as_ref().and_then(|opening| opening.get()) {
                return Err(error.clone());
            }
            let found = shared.rooms().find(id)?;
            opening = match found {
                Found::Here(organisation) => return Ok(Lease::new(organisation, shared.clone())),
                Found::Soon(outcome) => Some(outcome),
                Found::Place(place, outcome) => {
                    let turn = Turn::new(shared.clone(), id, place, outcome.clone());
                    drop(tokio::task::spawn_blocking(move || turn.run()));
                    Some(outcome)
                }
                Found::Later => None,
            };
            if tokio::time::timeout_at(deadline, changed.changed())
                .await
                .is_err()
            {
                return Err(shared.late(id, opening.is_some()));
            }
        }
    }
}

impl Shared {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self, organisation: Uuid, is_opening: bool) -> HouseError {
        let open_max = self.options.open_max;
        match is_opening {
            true => HouseError::Opening { organisation },
            false => HouseError::Full { open_max },
        }
    }

    /// Closes an organisation that was taken out of its room. What is acknowledged is durable
    /// whether it closes in order or not, so a failure is nobody's but the operator's.
    fn shut(&self, left: Left) {
        let Left { id, organisation } = left;
        if let Err(error) = organisation.close() {
            tracing::error!(organisation = %id, code = error.code(), %error, "not closed in order");
        }
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Closes one organisation that nobody has used since; false where there is none.
    fn close_one(&self, since: Instant) -> bool {
        let left = self.rooms().leave(since);
        let Some(left) = left else {
            return false;
        };
        let id = left.id;
        self.shut(left);
        self.rooms().vacate(id);
        self.changed.send_replace(());
        true
    }

    /// Notes that a lease ended.
    fn let_go(&self, id: Uuid) {
        self.rooms().used(id);
        self.changed.send_replace(());
    }
}

/// Closes what nobody uses, until the house is gone.
fn sweep(house: &Weak<Shared>, ended: &mpsc::Receiver<()>, period: Duration) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(period) {
        let Some(house) = house.upgrade() else {
            return;
        };
        if let Some(since) = Instant::now().checked_sub(house.options.idle) {
            while house.close_one(since) {}
        }
    }
}

fn begin(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), HouseError> {
    let thread = thread::Builder::new().name(name.to_owned());
    let begun = thread.spawn(work).map_err(AppError::Thread);
    begun.map(drop).map_err(HouseError::from)
}
