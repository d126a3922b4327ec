//! `daybook backup`: a verified copy of everything that cannot be derived.

use std::path::PathBuf;

use clap::Args;
use daybook_app::backup;
use daybook_eventlog::BackupReport;

use crate::{
    arguments::{Folder, Json},
    error::CliError,
    exit::Exit,
    output,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  daybook backup --to /mnt/backup/books      again and again; only what is new is copied
  daybook restore --from /mnt/backup/books --to ./restored
";

/// Copies the log of an organisation that is not open to a folder of its own, and verifies every
/// block of the copy.
///
/// The keys of persons are copied as they are kept, wrapped by the master key. The master key is
/// not copied: keep it elsewhere, for without it no personal data of the backup can be read. The
/// read models are not copied: they are derived, and rebuilt after a restore.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    #[command(flatten)]
    folder: Folder,
    /// The folder of the backup; it may hold an earlier one of the same organisation.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(arguments: &Backup) -> Result<Exit, CliError> {
    let folder = &arguments.folder.data;
    let report = Progress::of_log(|listener| backup(folder, &arguments.to, listener))?;
    output::answer(arguments.json, &report, || text(&report))?;
    Ok(Exit::Done)
}

fn text(report: &BackupReport) -> String {
    let BackupReport {
        head,
        copied_pieces,
        kept_pieces,
        copied_bytes,
        verified_blocks,
    } = report;
    format!(
        "backed up to position {} {}\n\
         {copied_pieces} pieces copied ({copied_bytes} bytes), {kept_pieces} were there already\n\
         {verified_blocks} blocks verified",
        head.position, head.hash
    )
}
