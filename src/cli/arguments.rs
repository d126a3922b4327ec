//! What can be said on the command line.

use std::{env, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use daybook_app::{Founding, MasterKeySource, OrganisationOptions};
use daybook_schema::kernel::{Actor, Currency, Date, Name};

use crate::{
    backup::Backup, config::Config, demo::Demo, exit, import::Import, keys::KeysCommand,
    log::LogCommand, organisations::Organisations, permissions::Permissions, rebuild::Rebuild,
    restore::Restore, schema::Schema, serve::Serve, subject::SubjectCommand, verify::Verify,
};

/// Sales management on an immutable record: commands in, facts in the log, answers over GraphQL.
#[derive(Debug, Parser)]
#[command(
    name = "daybook",
    version,
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
    Demo(Demo),
    Import(Import),
    Log(LogCommand),
    Verify(Verify),
    Rebuild(Rebuild),
    Backup(Backup),
    Restore(Restore),
    Permissions(Permissions),
    Schema(Schema),
    Config(Config),
    Keys(KeysCommand),
    Organisations(Organisations),
    Subject(SubjectCommand),
}

/// The folder of an organisation that no server has open.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The data folder.
    #[arg(
        long,
        env = "DAYBOOK_DATA",
        value_name = "DIR",
        default_value = "./daybook-data"
    )]
    pub(crate) data: PathBuf,
}

/// What an organisation is founded with, where the folder is new; of no effect otherwise.
#[derive(Debug, Args)]
pub(crate) struct NewOrganisation {
    /// The name of the organisation; used once, when the folder is new.
    #[arg(long, value_name = "NAME", default_value = "My organisation")]
    organisation: Name,
    /// The currency of the organisation's books; used once, when the folder is new.
    #[arg(long, value_name = "CODE", default_value = "CNY")]
    currency: Currency,
    /// The first day on which the founding policies hold; used once, when the folder is new.
    #[arg(long, value_name = "DAY", default_value = "2000-01-01")]
    policies_from: Date,
}

impl NewOrganisation {
    /// The founding, by an actor and as of now.
    pub(crate) fn by(&self, founder: &Actor) -> Founding {
        Founding {
            name: self.organisation.clone(),
            currency: self.currency,
            founder: founder.clone(),
            policies_from: self.policies_from,
            keeps_house: false,
            founded_at: None,
        }
    }
}

/// Where the key is that wraps the keys of persons.
#[derive(Clone, Debug, Args)]
pub(crate) struct Master {
    /// The file with the master key, 32 bytes in base64 or hexadecimal, under which the keys of
    /// persons are kept. Without it the key is taken from DAYBOOK_MASTER_KEY, and where that is
    /// not set from `master.key` in the data folder, which is made with a new organisation.
    #[arg(long, env = "DAYBOOK_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

impl Master {
    /// Where to look for it. The variable is no argument, because arguments are seen by others.
    pub(crate) fn source(&self) -> MasterKeySource {
        match (&self.master_key_file, env::var("DAYBOOK_MASTER_KEY")) {
            (Some(path), _) => MasterKeySource::File(path.clone()),
            (None, Ok(text)) => MasterKeySource::Text(text),
            (None, Err(_)) => MasterKeySource::DataFolder,
        }
    }
}

/// How much of the disk is left alone.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Room {
    /// Free bytes of the data folder's file system below which nothing is written: commands are
    /// refused, reading goes on [default: 512 MiB, or a tenth of a smaller file system].
    #[arg(long, env = "DAYBOOK_MIN_FREE_SPACE", value_name = "BYTES")]
    min_free_space: Option<u64>,
}

impl Room {
    /// The limits of an organisation with this one among them.
    pub(crate) fn limits(self, master: &Master) -> OrganisationOptions {
        OrganisationOptions {
            min_free_bytes: self.min_free_space,
            master_key: master.source(),
            ..OrganisationOptions::default()
        }
    }
}

/// Whether a program reads the answer.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Json {
    /// Answer in JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

    use super::{Cli, Command};

    fn refused(arguments: &str) -> ErrorKind {
        Cli::try_parse_from(arguments.split(' '))
            .unwrap_err()
            .kind()
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_and_the_exit_codes_are_told() {
        let mut root = Cli::command();
        assert!(root.render_help().to_string().contains("Exit codes:"));
        let mut bare = Vec::new();
        for command in root
            .get_subcommands_mut()
            .filter(|one| one.get_name() != "help")
        {
            if !command.render_help().to_string().contains("Examples:") {
                bare.push(command.get_name().to_owned());
            }
        }
        assert_eq!(bare, Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        assert_eq!(
            refused("daybook import --mapping m.toml"),
            ErrorKind::MissingRequiredArgument
        );
        let missing = ErrorKind::MissingRequiredArgument;
        assert_eq!(
            refused("daybook serve --currency euro"),
            ErrorKind::ValueValidation
        );
        assert_eq!(
            refused("daybook log show --after x"),
            ErrorKind::ValueValidation
        );
        assert_eq!(refused("daybook backup"), missing);
        assert_eq!(refused("daybook restore --from a"), missing);
        assert_eq!(refused("daybook sell"), ErrorKind::InvalidSubcommand);
    }

    #[test]
    fn an_offline_command_reads_the_folder_that_a_server_uses_by_default() {
        let cli = Cli::try_parse_from(["daybook", "verify", "--json"]).unwrap();
        let Command::Verify(verify) = cli.command else {
            panic!("another command was read");
        };
        assert!(format!("{verify:?}").contains("./daybook-data"));
    }
}
