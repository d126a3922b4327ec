//! `daybook serve`: opens an organisation and answers for it until it is told to end.
//!
//! ```text
//! bind ─▶ open (rebuild) ─▶ serve ─▶ signal ─▶ drain ─▶ end the runtime ─▶ close the organisation
//!       └ probes only ┘
//! ```
//! The address is taken first, because finding it taken after minutes of rebuilding would waste
//! them. Signals are watched for only when the record is open: before, one may simply end the
//! program, since opening survives being cut off. Closing runs after the runtime is gone, because
//! every task that holds the organisation must have let go of it.

mod gauges;
mod health;
mod house;
mod keys;
pub(crate) mod listen;
mod waiting;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use daybook_api::{
    graphql::Api,
    health::Health,
    metrics::Metrics,
    session,
    transport::{Lifecycle, ServeConfig, Tls, router, serve},
};
use daybook_app::{Directory, Founding, House, Opening, Organisation, OrganisationOptions};
use daybook_schema::{access::AccountId, kernel::Actor};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};

use self::{gauges::Gauges, health::Watch, waiting::Waiting};
use crate::{
    arguments::{Master, NewOrganisation, Room},
    config::{self, Flags, Settings},
    demo::Story,
    error::CliError,
    exit::Exit,
    logging, open, output,
};

/// Time for what still runs on blocking threads after the last connection has ended.
const RUNTIME_END: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  daybook serve                              the organisation in ./daybook-data
  daybook serve --demo                       a demonstration in ./daybook-demo
  daybook serve --data /srv/books            another folder
  daybook serve --house /srv/house           many organisations; each token names its own
  daybook serve --listen 127.0.0.1:0         any free port; the last line on stdout names it
  DAYBOOK_LOG=debug daybook serve --log-format json
";

/// Opens an organisation, founding it where the folder holds none, and answers over HTTP.
///
/// Stops in order on SIGINT or SIGTERM: readiness fails, requests in flight are answered, the
/// read models catch up, the log is closed. A second signal ends at once; nothing that was
/// acknowledged is lost by it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// The data folder [default: ./daybook-data, with --demo ./daybook-demo].
    #[arg(long, env = "DAYBOOK_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The folder of a house: answers for all organisations in it, opening each when it is asked
    /// for. `daybook organisations create` founds one.
    #[arg(long, env = "DAYBOOK_HOUSE", value_name = "DIR", conflicts_with_all = ["data", "demo"])]
    house: Option<PathBuf>,
    /// Answers for a demonstration, two years of an invented company, in a folder of its own;
    /// fills it first where that has not been done; listens on the next free port where no
    /// address is given.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    story: Story,
    /// The user name of the first account, which administers the organisation, or operates the
    /// house; of effect where there is no account yet.
    #[arg(
        long,
        env = "DAYBOOK_ADMINISTRATOR",
        value_name = "NAME",
        default_value = "admin"
    )]
    administrator: Actor,
    #[command(flatten)]
    founding: NewOrganisation,
    #[command(flatten)]
    room: Room,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    fn folder(&self) -> &Path {
        let default = if self.demo {
            "daybook-demo"
        } else {
            "daybook-data"
        };
        self.data.as_deref().unwrap_or(Path::new(default))
    }

    fn founding(&self) -> Founding {
        if self.demo {
            self.story.founding()
        } else {
            self.founding.by(&self.administrator)
        }
    }
}

pub(crate) fn run(arguments: &Serve) -> Result<Exit, CliError> {
    let configuration = config::load(&arguments.flags)?;
    logging::start(configuration.settings.log.format)?;
    let system = |what| move |source| CliError::System { what, source };
    let listener = listen::bind(&configuration, arguments.demo)?;
    let settings = configuration.settings;
    let tls = settings.certificate()?;
    listener
        .set_nonblocking(true)
        .map_err(system("use the listening socket"))?;
    let runtime = Runtime::new().map_err(system("start the runtime"))?;
    let connections = settings.connections(tls);
    let waiting = Waiting::begin(&runtime, &listener, connections.clone())?;
    let record = Record::begin(arguments, &settings)?;
    waiting.end(&runtime);
    let served = match &record {
        Record::One(organisation) => {
            let parts = one(organisation, arguments);
            runtime.block_on(answer(listener, parts, &settings, connections))
        }
        Record::House(house) => {
            let parts = house::parts(house);
            runtime.block_on(answer(listener, parts, &settings, connections))
        }
    };
    runtime.shutdown_timeout(RUNTIME_END);
    let closed = match record {
        Record::One(organisation) => close(organisation),
        Record::House(house) => house::close(&house),
    };
    served.and(closed)
}

/// What is served.
enum Record {
    One(Arc<Organisation>),
    House(House),
}

impl Record {
    fn begin(arguments: &Serve, settings: &Settings) -> Result<Self, CliError> {
        Ok(match &arguments.house {
            Some(folder) => Self::House(house::begin(arguments, settings, folder)?),
            None => Self::One(Arc::new(begin(arguments)?)),
        })
    }
}

/// What a server is made of.
struct Parts<H> {
    directory: Directory,
    /// Who calls where a request brings no token, if anybody does.
    unproven: Option<AccountId>,
    health: H,
    /// Whose figures are shown.
    measured: Option<Arc<Organisation>>,
}

/// What a server of one organisation is made of.
fn one(organisation: &Arc<Organisation>, arguments: &Serve) -> Parts<Watch> {
    Parts {
        directory: organisation.clone().into(),
        unproven: keys::demo_administrator().filter(|_| arguments.demo),
        health: Watch::new(organisation.clone()),
        measured: Some(organisation.clone()),
    }
}

fn begin(arguments: &Serve) -> Result<Organisation, CliError> {
    let folder = arguments.folder();
    tracing::info!(folder = %folder.display(), "opening");
    if arguments.demo
        && let Some(summary) = arguments
            .story
            .fill(folder, arguments.room, &arguments.master)?
    {
        tracing::info!(
            events = summary.events,
            commands = summary.commands,
            "demonstration filled"
        );
    }
    let options = OrganisationOptions {
        demo: arguments.demo,
        ..arguments.room.limits(&arguments.master)
    };
    let (organisation, opening) = open::organisation(folder, &arguments.founding(), options)?;
    report(&organisation, &opening);
    open::catch_up(&organisation);
    keys::show_first(&organisation, &arguments.founding().founder)?;
    if arguments.demo {
        keys::show_demo(&organisation)?;
    }
    Ok(organisation)
}

fn report(organisation: &Organisation, opening: &Opening) {
    let log = &opening.log;
    tracing::info!(
        organisation = %organisation.id(),
        founded = opening.founded,
        position = organisation.log().head().position,
        closed_in_order = log.was_closed,
        log_ms = log.duration.as_millis(),
        "organisation open"
    );
    if let Some(lost) = log.dropped {
        tracing::warn!(
            first = lost.first,
            last = lost.last,
            "dropped a commit that was never whole and never acknowledged"
        );
    }
    if let Some(rebuilt) = &opening.rebuilt {
        tracing::info!(
            position = rebuilt.position,
            events = rebuilt.events,
            "read models rebuilt"
        );
    }
}

/// Serves until the first signal, and then until everything in flight has been answered.
async fn answer(
    listener: TcpListener,
    parts: Parts<impl Health>,
    settings: &Settings,
    connections: ServeConfig,
) -> Result<Exit, CliError> {
    let system = |what| move |source| CliError::System { what, source };
    let listener =
        tokio::net::TcpListener::from_std(listener).map_err(system("use the listening socket"))?;
    let address = listener
        .local_addr()
        .map_err(system("use the listening socket"))?;
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
    let interrupt = signal(SignalKind::interrupt()).map_err(system("watch for signals"))?;
    let terminate = signal(SignalKind::terminate()).map_err(system("watch for signals"))?;
    tokio::spawn(end_on_signal(lifecycle.clone(), interrupt, terminate));
    if let Some(organisation) = parts.measured {
        let gauges = Gauges::new(organisation, metrics.clone());
        tokio::spawn(gauges::keep(gauges, lifecycle.clone()));
    }
    let sessions = session::routes(parts.directory.clone());
    let providers = Arc::new(settings.providers());
    let api = Api::new(parts.directory, parts.unproven, providers);
    let config = settings.requests();
    let routes = router(api, parts.health, config, &metrics, &lifecycle, sessions);
    if let Some(tls) = &connections.tls {
        tokio::spawn(tls.clone().keep(lifecycle.clone()));
        let hangup = signal(SignalKind::hangup()).map_err(system("watch for signals"))?;
        tokio::spawn(look_on_signal(tls.clone(), hangup));
    }
    output::say(&ready(address, settings))?;
    serve(listener, routes, &lifecycle, connections, &metrics).await;
    Ok(Exit::Done)
}

/// What stands in the last line on stdout.
fn ready(address: SocketAddr, settings: &Settings) -> String {
    let page = if settings.graphql.query_page {
        "query page"
    } else {
        "GraphQL at"
    };
    let scheme = if settings.tls.certificate.is_some() {
        "https"
    } else {
        "http"
    };
    format!("Daybook is ready: {page} {scheme}://{address}/graphql")
}

async fn look_on_signal(tls: Tls, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        tls.look_now().await;
    }
}

async fn end_on_signal(lifecycle: Lifecycle, mut interrupt: Signal, mut terminate: Signal) {
    either(&mut interrupt, &mut terminate).await;
    tracing::info!("told to end");
    lifecycle.shut_down();
    either(&mut interrupt, &mut terminate).await;
    tracing::warn!("told to end at once");
    process::exit(1);
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn close(organisation: Arc<Organisation>) -> Result<Exit, CliError> {
    let organisation = Arc::try_unwrap(organisation).map_err(|_| CliError::Unclosed)?;
    let position = organisation.log().head().position;
    organisation.close()?;
    tracing::info!(position, "closed");
    Ok(Exit::Done)
}
