//! What can be said on the command line.

use clap::{Parser, Subcommand};

use crate::{exit, serve::Serve};

/// Sales management on an immutable record: commands in, facts in the log, answers over GraphQL.
#[derive(Debug, Parser)]
#[command(
    name = "daybook",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = exit::HELP,
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
