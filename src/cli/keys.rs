//! `daybook keys`: the keys of persons, and the master key that wraps them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    arguments::{Folder, Json, Master},
    error::CliError,
    exit::Exit,
    output,
};

const EXAMPLES: &str = "\
Examples:
  daybook keys status                        how many keys there are, and how many were destroyed
  (umask 077; openssl rand -base64 32 > /etc/daybook/master.key)
  daybook keys rotate --new-master-key-file /etc/daybook/master.key
  daybook serve --master-key-file /etc/daybook/master.key
";

/// Looks after the keys of persons in a folder that no server has open.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeysCommand {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    Status(Status),
    Rotate(Rotate),
    Abandon(Abandon),
}

/// Counts the keys.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Status {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    json: Json,
}

/// Wraps all keys with another master key. What is in the log stays as it is.
///
/// The new key must be named from then on. An old one that was kept in the data folder is removed;
/// one that was kept elsewhere opens older backups, and nothing else.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Rotate {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    master: Master,
    /// The file with the new master key.
    #[arg(long, value_name = "FILE")]
    new_master_key_file: PathBuf,
    #[command(flatten)]
    json: Json,
}

/// Gives lost keys up: what was sealed for persons without a key reads `erased` from then on, even
/// if the keys are found again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Abandon {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    master: Master,
    /// Says that no backup of the keys is left.
    #[arg(long, required = true)]
    accept_loss: bool,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusAnswer {
    keys: u64,
    destroyed: u64,
    carried_out: u64,
}

#[derive(Serialize)]
struct AbandonAnswer {
    persons: usize,
}

#[derive(Serialize)]
struct RotateAnswer {
    keys: u64,
}

pub(crate) fn run(arguments: &KeysCommand) -> Result<Exit, CliError> {
    match &arguments.which {
        Which::Status(arguments) => status(arguments),
        Which::Rotate(arguments) => rotate(arguments),
        Which::Abandon(arguments) => abandon(arguments),
    }
}

fn status(arguments: &Status) -> Result<Exit, CliError> {
    let found = daybook_app::key_status(&arguments.folder.data, &arguments.master.source())?;
    let answer = StatusAnswer {
        keys: found.keys,
        destroyed: found.destroyed,
        carried_out: found.carried_out,
    };
    output::answer(arguments.json, &answer, || {
        format!(
            "{} persons with a key, {} erased; erasures are carried out up to position {}",
            answer.keys, answer.destroyed, answer.carried_out
        )
    })?;
    Ok(Exit::Done)
}

fn abandon(arguments: &Abandon) -> Result<Exit, CliError> {
    let (folder, master) = (&arguments.folder.data, arguments.master.source());
    let persons = daybook_app::abandon_lost_keys(folder, &master)?;
    output::answer(arguments.json, &AbandonAnswer { persons }, || {
        format!("{persons} persons without a key read `erased` from now on")
    })?;
    Ok(Exit::Done)
}

fn rotate(arguments: &Rotate) -> Result<Exit, CliError> {
    let (folder, old) = (&arguments.folder.data, arguments.master.source());
    let new = &arguments.new_master_key_file;
    let keys = daybook_app::rotate_master_key(folder, &old, new)?;
    output::answer(arguments.json, &RotateAnswer { keys }, || {
        format!(
            "{keys} keys are wrapped by the master key in {}; name it from now on",
            new.display()
        )
    })?;
    Ok(Exit::Done)
}
