//! `daybook verify`: reads every byte of the log and compares everything that must agree.

use clap::Args;
use daybook_eventlog::{VerifyReport, verify_dir};
use serde::Serialize;

use crate::{
    arguments::{Folder, Json},
    error::CliError,
    exit::Exit,
    output,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  daybook verify                             the log in ./daybook-data
  daybook verify --json | jq .findings
";

/// Checks the log of an organisation that is not open: hash chain, archive, head record, index.
///
/// Changes nothing. Ends with code 3 when anything is not as it must be; each finding names the
/// part and the positions. What a crash leaves and the next start sees to is a note, and the log
/// is whole.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Answer<'a> {
    whole: bool,
    #[serde(flatten)]
    report: &'a VerifyReport,
}

pub(crate) fn run(arguments: &Verify) -> Result<Exit, CliError> {
    let log = daybook_app::own_log_folder(&arguments.folder.data)?;
    let report = Progress::of_log(|listener| verify_dir(&log, listener))?;
    let whole = report.is_whole();
    let answer = Answer {
        whole,
        report: &report,
    };
    output::answer(arguments.json, &answer, || report.to_string())?;
    Ok(if whole { Exit::Done } else { Exit::Damaged })
}
