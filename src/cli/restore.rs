//! `daybook restore`: a fresh data folder from a backup or from the archive of a damaged one.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use daybook_eventlog::{RestoreOptions, RestoreReport};

use crate::{arguments::Json, error::CliError, exit::Exit, output, progress::Progress};

const EXAMPLES: &str = "\
Examples:
  daybook restore --from /mnt/backup/books --to ./restored
  daybook restore --from ./daybook-data --to ./restored --salvage ./daybook-data
  daybook restore --from /mnt/backup/books --to ./as-it-was --until 1204
";

/// Builds a fresh data folder and proves its log by the hash chain.
///
/// The keys of persons come with the log, and whoever was erased by the restored log stays erased.
/// The read models are rebuilt when the folder is first opened. Where blocks are missing, nothing
/// is restored unless --accept-loss is given; the missing positions are named either way.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// A backup, or a data folder whose archive is to be used.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The new data folder; it must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The last position to restore.
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
    /// A damaged data folder whose store still opens, to fill holes of the archive from.
    #[arg(long, value_name = "DIR")]
    salvage: Option<PathBuf>,
    /// Restore what stands before a hole instead of nothing.
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(arguments: &Restore) -> Result<Exit, CliError> {
    let salvage = arguments
        .salvage
        .as_deref()
        .map(daybook_app::damaged_log_folder);
    let options = RestoreOptions {
        until: arguments.until,
        salvage: salvage.transpose()?,
        accept_loss: arguments.accept_loss,
    };
    let report = Progress::of_log(|listener| {
        daybook_app::restore(&arguments.from, &arguments.to, &options, listener)
    })?;
    output::answer(arguments.json, &report, || text(&report))?;
    Ok(match report.lost {
        Some(_) => Exit::Damaged,
        None => Exit::Done,
    })
}

fn text(report: &RestoreReport) -> String {
    let head = &report.head;
    let mut text = format!(
        "restored organisation {} up to position {} {}\n{} blocks, {} of them salvaged",
        report.organisation, head.position, head.hash, report.blocks, report.salvaged_blocks
    );
    // Writing to a string cannot fail.
    if let Some(range) = report.resealed {
        let _ = write!(
            text,
            "\npositions {} to {} sealed anew",
            range.first, range.last
        );
    }
    if let Some(range) = report.lost {
        let _ = write!(text, "\nLOST: positions {} to {}", range.first, range.last);
    }
    for fault in &report.faults {
        let _ = write!(text, "\nfault: {fault}");
    }
    text
}
