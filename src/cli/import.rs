//! `daybook import`: rows of files become commands by a mapping.

use std::{fs, path::PathBuf};

use clap::Args;
use daybook_app::import::{self, ImportOptions, ImportProgress, ImportSummary, Mapping};
use daybook_schema::kernel::Actor;

use crate::{
    arguments::{Folder, Json, Master, NewOrganisation, Room},
    error::CliError,
    exit::Exit,
    open, output,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  daybook import --mapping crm.toml --dry-run export/
  daybook import --mapping crm.toml --rejects rejected.csv export/
  daybook import --mapping crm.toml --retry-refused customers.csv orders.csv
";

/// Imports CSV and NDJSON files into an organisation that is not open, founding it where the
/// folder holds none.
///
/// A row becomes all of its commands or none. What is wrong with a row goes to the rejects, and
/// the import goes on. Run again, it changes nothing that is done, and goes on where it was
/// interrupted. Ends with code 5 when any row was rejected or refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    #[command(flatten)]
    folder: Folder,
    /// The mapping file (TOML): which columns make which fields of which commands.
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Files, or folders whose files are meant.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Reads everything and makes all commands, but sends none; needs no data folder.
    #[arg(long)]
    dry_run: bool,
    /// Where rejected rows go: CSV where the name ends in `.csv`, otherwise NDJSON.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Tries rows again that an earlier import had refused.
    #[arg(long)]
    retry_refused: bool,
    /// Who imports, where the mapping names nobody for a row.
    #[arg(
        long,
        env = "DAYBOOK_ACTOR",
        value_name = "NAME",
        default_value = "operator"
    )]
    actor: Actor,
    #[command(flatten)]
    founding: NewOrganisation,
    #[command(flatten)]
    room: Room,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(arguments: &Import) -> Result<Exit, CliError> {
    let text = fs::read_to_string(&arguments.mapping);
    let text = text.map_err(|source| CliError::File {
        what: "read",
        path: arguments.mapping.display().to_string(),
        source,
    })?;
    let mapping = Mapping::parse(&text)?;
    let summary = if arguments.dry_run {
        let options = options(arguments);
        shown(|listener| import::rehearse(&mapping, &arguments.files, &options, listener))?
    } else {
        send(arguments, &mapping)?
    };
    output::answer(arguments.json, &summary, || summary.to_string())?;
    Ok(if summary.is_clean() {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn options(arguments: &Import) -> ImportOptions {
    ImportOptions {
        dry_run: arguments.dry_run,
        rejects: arguments.rejects.clone(),
        retry_refused: arguments.retry_refused,
        ..ImportOptions::new(arguments.actor.clone())
    }
}

fn send(arguments: &Import, mapping: &Mapping) -> Result<ImportSummary, CliError> {
    let founding = arguments.founding.by(&arguments.actor);
    let (folder, room) = (&arguments.folder.data, arguments.room);
    let (organisation, _) = open::for_writing(folder, &founding, room, &arguments.master)?;
    let options = options(arguments);
    let files = &arguments.files;
    let done = shown(|listener| import::run(&organisation, mapping, files, &options, listener));
    organisation.close()?;
    Ok(done?)
}

fn shown<T>(work: impl FnOnce(&mut dyn FnMut(ImportProgress<'_>)) -> T) -> T {
    let mut progress = Progress::new("importing");
    let done = work(&mut |report| {
        let ImportProgress {
            step,
            step_number,
            steps,
            ..
        } = report;
        progress.name(format!("step {step_number} of {steps}, {step}, bytes"));
        progress.at(report.bytes_read, report.bytes_total);
    });
    progress.finish();
    done
}
