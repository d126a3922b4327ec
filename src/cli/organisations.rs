//! `daybook organisations`: looks after the organisations of a house that no server has open. Over
//! the API an operator does the same with its tenants.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use daybook_app::{House, HouseError, HouseOptions, OrganisationOptions};
use daybook_projections::{
    governance::TenantRow,
    store::{Condition, PageRequest},
};
use daybook_schema::{
    governance::{
        EraseTenant, ExportTenant, ReinstateTenant, RestoreTenant, SuspendTenant, TenantCommand,
        TenantId, TenantStatus,
    },
    kernel::{Actor, BigInt, Note},
};
use serde::Serialize;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{
    arguments::{Json, Master, NewOrganisation, Room},
    error::CliError,
    exit::Exit,
    open, output,
};

const EXAMPLES: &str = "\
Examples:
  daybook organisations create --house /srv/books --organisation \"Tea & Co\" --currency EUR
  daybook organisations list --house /srv/books
  daybook organisations export --house /srv/books 019ab3c4-…
  daybook organisations suspend --house /srv/books 019ab3c4-… --because \"the contract ended\"
  daybook organisations erase --house /srv/books 019ab3c4-… --because \"the contract ended\"
  daybook serve --house /srv/books
";
/// How long one waits for what is done with an organisation: as long as it takes.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Organisations that are listed at once.
const PAGE: usize = 1_000;

/// Founds, lists, suspends, exports, restores and erases the organisations of a house.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Organisations {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    Create(Create),
    List(List),
    Suspend(Suspend),
    Reinstate(Reinstate),
    Export(Export),
    Restore(Restore),
    Erase(Erase),
}

/// Founds an organisation, and shows the key of its first account this once. A server that runs
/// has the folder for itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Create {
    /// The user name of the first account, which administers the organisation.
    #[arg(long, value_name = "NAME", default_value = "admin")]
    administrator: Actor,
    #[command(flatten)]
    founding: NewOrganisation,
    #[command(flatten)]
    place: Place,
}

/// Lists all organisations, by their ids, the erased ones too.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct List {
    #[command(flatten)]
    place: Place,
}

/// Lets nobody into an organisation any more.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Suspend {
    #[command(flatten)]
    which: One,
    /// Why; it stays on record.
    #[arg(long, value_name = "TEXT")]
    because: Note,
}

/// Lets whoever has a token into an organisation again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Reinstate {
    #[command(flatten)]
    which: One,
    /// Why; it stays on record.
    #[arg(long, value_name = "TEXT")]
    because: Option<Note>,
}

/// Copies an organisation to `exports/` of the house and verifies the copy, again and again: only
/// what is new is copied.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Export {
    #[command(flatten)]
    which: One,
}

/// Puts the export of a suspended organisation in its place; what was recorded later is lost.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Restore {
    #[command(flatten)]
    which: One,
    /// The last position to restore; that of the export where it is not said.
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
    /// Why; it stays on record.
    #[arg(long, value_name = "TEXT")]
    because: Note,
}

/// Destroys a suspended organisation for ever: its record, its keys, its read models, its export.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Erase {
    #[command(flatten)]
    which: One,
    /// Why; it stays on record.
    #[arg(long, value_name = "TEXT")]
    because: Note,
}

/// One organisation of a house.
#[derive(Debug, Args)]
struct One {
    /// The id of the organisation.
    #[arg(value_name = "ID")]
    organisation: Uuid,
    #[command(flatten)]
    place: Place,
}

impl One {
    fn tenant(&self) -> TenantId {
        TenantId(self.organisation)
    }
}

/// The house, and how it is opened.
#[derive(Debug, Args)]
struct Place {
    /// The folder of the house.
    #[arg(long, env = "DAYBOOK_HOUSE", value_name = "DIR")]
    house: PathBuf,
    #[command(flatten)]
    room: Room,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Created {
    organisation: Uuid,
    account: String,
    key: String,
}

#[derive(Serialize)]
struct Listed {
    organisations: Vec<TenantRow>,
}

/// How an organisation stands after what was done with it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    organisation: Uuid,
    status: Option<TenantStatus>,
    exported_to: Option<u64>,
}

pub(crate) fn run(arguments: &Organisations) -> Result<Exit, CliError> {
    match &arguments.which {
        Which::Create(arguments) => create(arguments)?,
        Which::List(arguments) => list(&arguments.place)?,
        Which::Suspend(Suspend { which, because }) => {
            let (tenant, because) = (which.tenant(), because.clone());
            order(which, SuspendTenant { tenant, because })?;
        }
        Which::Reinstate(Reinstate { which, because }) => {
            let (tenant, because) = (which.tenant(), because.clone());
            order(which, ReinstateTenant { tenant, because })?;
        }
        Which::Export(Export { which }) => {
            let tenant = which.tenant();
            order(which, ExportTenant { tenant })?;
        }
        Which::Restore(Restore {
            which,
            until,
            because,
        }) => {
            let (tenant, because) = (which.tenant(), because.clone());
            let until = until.map(BigInt);
            let restore = RestoreTenant {
                tenant,
                until,
                because,
            };
            order(which, restore)?;
        }
        Which::Erase(Erase { which, because }) => {
            let (tenant, because) = (which.tenant(), because.clone());
            order(which, EraseTenant { tenant, because })?;
        }
    }
    Ok(Exit::Done)
}

/// How the organisations of a house are opened.
pub(crate) fn options(room: Room, master: &Master) -> OrganisationOptions {
    let limits = room.limits(master);
    OrganisationOptions {
        min_free_bytes: limits.min_free_bytes,
        master_key: limits.master_key,
        ..HouseOptions::default().organisation
    }
}

impl Place {
    /// Opens the house for some work, and closes it whatever becomes of that.
    fn with<T>(
        &self,
        work: impl FnOnce(&Runtime, &House) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let runtime = Runtime::new().map_err(|source| CliError::System {
            what: "start the runtime",
            source,
        })?;
        let options = HouseOptions {
            wait: PATIENCE,
            organisation: options(self.room, &self.master),
            ..HouseOptions::default()
        };
        let house = House::open(&self.house, options)?;
        let done = work(&runtime, &house);
        let closed = house.close();
        let done = done?;
        closed?;
        Ok(done)
    }
}

fn create(arguments: &Create) -> Result<(), CliError> {
    let created = arguments.place.with(|runtime, house| {
        let founding = arguments.founding.by(&arguments.administrator);
        let created = runtime.block_on(house.create(&founding))?;
        Ok(Created {
            organisation: created.organisation,
            account: founding.founder.to_string(),
            key: created.key.reveal(),
        })
    })?;
    output::answer(arguments.place.json, &created, || {
        format!(
            "{}\nThe key of `{}`, which administers it. It is shown this once:\n  {}",
            created.organisation, created.account, created.key
        )
    })
}

fn list(place: &Place) -> Result<(), CliError> {
    let organisations = place.with(|_, house| {
        let office = house.office()?;
        open::catch_up(&office);
        tenants(&office)
    })?;
    let listed = Listed { organisations };
    output::answer(place.json, &listed, || {
        let lines = listed.organisations.iter().map(line);
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn tenants(office: &daybook_app::Organisation) -> Result<Vec<TenantRow>, CliError> {
    let failed = |error| CliError::App(daybook_app::AppError::Store(error));
    let snapshot = office.readers().snapshot(None).map_err(failed)?;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest {
            condition: Condition::EVERYTHING,
            order: Vec::new(),
            after,
            before: None,
            limit: PAGE,
            backwards: false,
        };
        let page = snapshot.page::<TenantRow>(&request).map_err(failed)?;
        let full = page.rows.len() == PAGE;
        after = page.rows.last().map(|(_, cursor)| cursor.clone());
        for (document, _) in &page.rows {
            rows.push(document.row().map_err(failed)?);
        }
        if !full {
            return Ok(rows);
        }
    }
}

fn line(tenant: &TenantRow) -> String {
    let status = tenant.status.to_string().to_lowercase();
    let export = tenant.export.as_ref();
    let export = export.map_or_else(String::new, |export| {
        format!("  exported up to position {}", export.position)
    });
    format!("{}  {status:<9}  {}{export}", tenant.id.0, tenant.name)
}

/// Has something done with an organisation, and says how it stands then.
fn order(which: &One, command: impl Into<TenantCommand>) -> Result<(), CliError> {
    let command: TenantCommand = command.into();
    let organisation = which.organisation;
    let done = which.place.with(|runtime, house| {
        runtime.block_on(house.order(command))?;
        let tenant = runtime.block_on(house.settled(organisation))?;
        if let Some(failure) = tenant.failure {
            return Err(HouseError::from(failure).into());
        }
        Ok(Done {
            organisation,
            status: tenant.status,
            exported_to: tenant.exported,
        })
    })?;
    output::answer(which.place.json, &done, || {
        let status = done.status.map(|status| status.to_string().to_lowercase());
        let status = status.unwrap_or_default();
        match done.exported_to {
            Some(position) => format!("{organisation} is {status}, exported up to {position}"),
            None => format!("{organisation} is {status}"),
        }
    })
}
