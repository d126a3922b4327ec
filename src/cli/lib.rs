//! The command line of Daybook: one file per sub-command.
//!
//! [`run`] reads the arguments, has the sub-command do its work, and turns what it says into an
//! exit code. Answers go to stdout, everything else (progress, the server's own log, errors) to
//! stderr. An error is one line, `error: <message> (<CODE>)`, and a second line with a hint where
//! there is one.

mod arguments;
mod error;
mod exit;
mod logging;
mod output;
mod progress;
mod serve;

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
        Command::Serve(serve) => serve::run(&serve),
    }
}
