//! `daybook subject`: what is on record about one person.

use clap::{Args, Subcommand};
use daybook_app::export_offline;
use daybook_schema::governance::SubjectId;

use crate::{
    arguments::{Folder, Json, Master},
    error::CliError,
    exit::Exit,
    output,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  daybook subject export --subject customer-0192f0c1-7a3e-7c55-b1a2-9d3f00c4e001 > person.json

A server that runs has the folder for itself.
";

/// Answers what is on record about a person, from a folder that no server has open.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SubjectCommand {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    Export(Export),
}

/// Writes everything about a customer, a contact or a lead as one JSON document: the objects as
/// they are, and every commit with an event about the person.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Export {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    master: Master,
    /// The person: the id of a customer, a contact or a lead.
    #[arg(long, value_name = "ID")]
    subject: SubjectId,
}

pub(crate) fn run(arguments: &SubjectCommand) -> Result<Exit, CliError> {
    let Which::Export(arguments) = &arguments.which;
    let (folder, master) = (&arguments.folder.data, arguments.master.source());
    let mut progress = Progress::new("rebuilding the read models");
    let told = export_offline(
        folder,
        &master,
        arguments.subject.clone(),
        &mut |done, total| {
            progress.at(done, total);
        },
    );
    progress.finish();
    output::answer(Json { json: true }, &told?, String::new)?;
    Ok(Exit::Done)
}
