//! The command line of Daybook: one file per sub-command.
//!
//! [`run`] reads the arguments, has the sub-command do its work, and turns what it says into an
//! exit code. Answers go to stdout, everything else (progress, the server's own log, errors) to
//! stderr. An error is one line, `error: <message> (<CODE>)`, and a second line with a hint where
//! there is one.

mod arguments;
mod backup;
mod config;
mod demo;
mod error;
mod exit;
mod import;
mod keys;
mod log;
mod logging;
mod open;
mod organisations;
mod output;
mod permissions;
mod progress;
mod rebuild;
mod restore;
mod schema;
mod serve;
mod subject;
mod verify;

use std::process::ExitCode;

use arguments::{Cli, Command};
use clap::Parser as _;
use error::CliError;
use exit::Exit;

/// Runs the program with the arguments of the process.
#[must_use]
pub fn run() -> ExitCode {
    let exit = match dispatch(Cli::parse()) {
        Ok(exit) => exit,
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    };
    exit.into()
}

fn dispatch(cli: Cli) -> Result<Exit, CliError> {
    match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Rebuild(arguments) => rebuild::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Permissions(arguments) => permissions::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Organisations(arguments) => organisations::run(&arguments),
        Command::Subject(arguments) => subject::run(&arguments),
    }
}
