//! `daybook log`: reads the record of an organisation that no server has open.

mod entry;
mod filter;

use clap::{Args, Subcommand};
use daybook_app::{AppError, Seals};
use daybook_eventlog::{Commit, Log};

use self::{entry::Entry, filter::Filter};
use crate::{
    arguments::{Folder, Json, Master},
    error::CliError,
    exit::Exit,
    output::Lines,
};

const EXAMPLES: &str = "\
Examples:
  daybook log show                           everything, oldest first
  daybook log show --stream order-0192f0c1-7a3e-7c55-b1a2-9d3f00c4e001
  daybook log show --type OrderPlaced --type OrderCancelled --after 1000 --first 50
  daybook log show --actor li.wei --refused  what was refused, and by which rule
  daybook log tail --last 5
  daybook log show --json | jq 'select(.refusal)'

A server that runs has the folder for itself; ask it through its GraphQL field `commits`.
";

/// Reads the record: which command was done or refused, when, by whom, with which facts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogCommand {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    Show(Show),
    Tail(Tail),
}

/// Shows commits in the order of the log.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Show {
    /// Begins after this position.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// Shows so many at most.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    #[command(flatten)]
    common: Common,
}

/// Shows the last commits, oldest first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Tail {
    /// Shows so many at most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    last: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    master: Master,
    /// Reads without the master key: `sealed` stands in the place of personal text.
    #[arg(long)]
    sealed: bool,
    #[command(flatten)]
    filter: Filter,
    /// Shows the data of events in full, however long.
    #[arg(long)]
    full: bool,
    /// One JSON object per line and commit.
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(arguments: &LogCommand) -> Result<Exit, CliError> {
    match &arguments.which {
        Which::Show(arguments) => {
            reading(&arguments.common, |log, seals| show(log, seals, arguments))
        }
        Which::Tail(arguments) => {
            reading(&arguments.common, |log, seals| tail(log, seals, arguments))
        }
    }
}

fn reading(
    common: &Common,
    work: impl FnOnce(&Log, &Seals) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    let folder = &common.folder.data;
    let opened = daybook_app::open_log(folder)?;
    let seals = if common.sealed {
        Seals::closed()
    } else {
        let source = common.master.source();
        Seals::existing(folder, opened.log.organisation(), &source).map_err(AppError::from)?
    };
    let done = work(&opened.log, &seals);
    opened.writer.close()?;
    done.map(|()| Exit::Done)
}

fn show(log: &Log, seals: &Seals, arguments: &Show) -> Result<(), CliError> {
    let common = &arguments.common;
    let mut printer = Printer::new(common, seals, arguments.first.unwrap_or(usize::MAX));
    match &common.filter.stream {
        // The index knows where the commits of one object stand.
        Some(stream) => {
            for position in log.stream_positions(stream, arguments.after, usize::MAX)? {
                let Some(commit) = log.commit(position)? else {
                    break;
                };
                if !printer.offer(&commit)? {
                    break;
                }
            }
        }
        None => {
            for commit in log.read(arguments.after) {
                if !printer.offer(&commit?)? {
                    break;
                }
            }
        }
    }
    printer.lines.end()
}

fn tail(log: &Log, seals: &Seals, arguments: &Tail) -> Result<(), CliError> {
    let common = &arguments.common;
    let mut found = Vec::new();
    for commit in log.read_back(u64::MAX) {
        if found.len() >= arguments.last {
            break;
        }
        let commit = commit?;
        if Entry::of(&commit, seals)?.passes(&common.filter) {
            found.push(commit);
        }
    }
    let mut printer = Printer::new(common, seals, arguments.last);
    for commit in found.iter().rev() {
        printer.offer(commit)?;
    }
    printer.lines.end()
}

struct Printer<'a> {
    common: &'a Common,
    seals: &'a Seals,
    left: usize,
    lines: Lines,
}

impl<'a> Printer<'a> {
    fn new(common: &'a Common, seals: &'a Seals, left: usize) -> Self {
        let lines = Lines::begin();
        Self {
            common,
            seals,
            left,
            lines,
        }
    }

    /// Shows a commit if it passes; false when no more are wanted.
    fn offer(&mut self, commit: &Commit) -> Result<bool, CliError> {
        if self.left == 0 {
            return Ok(false);
        }
        let entry = Entry::of(commit, self.seals)?;
        if !entry.passes(&self.common.filter) {
            return Ok(true);
        }
        self.left -= 1;
        let heard = self.lines.write(|out| {
            if self.common.json.json {
                entry.write_json(out)
            } else {
                entry.write_text(out, self.common.full)
            }
        })?;
        Ok(heard && self.left > 0)
    }
}
