//! `daybook organisations`: the organisations of a house that no server has open.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use daybook_app::{House, HouseOptions, OrganisationOptions, access::bootstrap};
use daybook_schema::kernel::Actor;
use serde::Serialize;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{
    arguments::{Json, Master, NewOrganisation, Room},
    error::CliError,
    exit::Exit,
    output,
};

const EXAMPLES: &str = "\
Examples:
  daybook organisations create --house /srv/books --organisation \"Tea & Co\" --currency EUR
  daybook organisations list --house /srv/books
  daybook serve --house /srv/books
";

/// Founds and lists organisations in the folder of a house.
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
}

/// Founds an organisation, and shows the key of its first account this once. A server that runs
/// has the folder for itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Create {
    #[command(flatten)]
    house: HouseFolder,
    /// The user name of the first account, which administers the organisation.
    #[arg(long, value_name = "NAME", default_value = "admin")]
    administrator: Actor,
    #[command(flatten)]
    founding: NewOrganisation,
    #[command(flatten)]
    room: Room,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    json: Json,
}

/// Lists the ids of all organisations, in the order of their founding.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct List {
    #[command(flatten)]
    house: HouseFolder,
    #[command(flatten)]
    json: Json,
}

/// The folder of a house.
#[derive(Debug, Args)]
struct HouseFolder {
    /// The folder of the house.
    #[arg(long, env = "DAYBOOK_HOUSE", value_name = "DIR")]
    house: PathBuf,
}

#[derive(Serialize)]
struct Created {
    organisation: Uuid,
    account: String,
    key: String,
}

#[derive(Serialize)]
struct Listed {
    organisations: Vec<Uuid>,
}

pub(crate) fn run(arguments: &Organisations) -> Result<Exit, CliError> {
    match &arguments.which {
        Which::Create(arguments) => create(arguments),
        Which::List(arguments) => list(arguments),
    }
}

/// How the organisations of a house are opened.
pub(crate) fn house_options(room: Room, master: &Master) -> HouseOptions {
    let (defaults, limits) = (HouseOptions::default(), room.limits(master));
    HouseOptions {
        organisation: OrganisationOptions {
            min_free_bytes: limits.min_free_bytes,
            master_key: limits.master_key,
            ..defaults.organisation
        },
        ..defaults
    }
}

fn create(arguments: &Create) -> Result<Exit, CliError> {
    let runtime = Runtime::new().map_err(|source| CliError::System {
        what: "start the runtime",
        source,
    })?;
    let options = house_options(arguments.room, &arguments.master);
    let house = House::open(&arguments.house.house, options)?;
    let created = founded(&runtime, &house, arguments);
    house.close()?;
    let created = created?;
    output::answer(arguments.json, &created, || {
        format!(
            "{}\nThe key of `{}`, which administers this organisation. It is shown this once:\n  {}",
            created.organisation, created.account, created.key
        )
    })?;
    Ok(Exit::Done)
}

fn founded(runtime: &Runtime, house: &House, arguments: &Create) -> Result<Created, CliError> {
    let founding = arguments.founding.by(&arguments.administrator);
    let organisation = runtime.block_on(house.create(&founding))?;
    let lease = runtime.block_on(house.enter(organisation))?;
    let first = bootstrap(&lease, &founding.founder)?;
    let first = first.ok_or(CliError::NoFirstKey { organisation })?;
    Ok(Created {
        organisation,
        account: first.account.0.to_string(),
        key: first.key.reveal(),
    })
}

fn list(arguments: &List) -> Result<Exit, CliError> {
    let organisations = daybook_app::organisations(&arguments.house.house)?;
    let listed = Listed { organisations };
    output::answer(arguments.json, &listed, || {
        let lines: Vec<_> = listed.organisations.iter().map(Uuid::to_string).collect();
        lines.join("\n")
    })?;
    Ok(Exit::Done)
}
