//! `daybook config`: what the server would run with, and who says so.

mod apply;
mod check;
mod flags;
mod list;
mod read;
mod rule;
mod settings;
mod show;
#[cfg(test)]
mod spec;

use std::path::PathBuf;

use clap::Args;

pub(crate) use self::read::{Configuration, Flags};
pub(crate) use self::rule::DEFAULT_ADDRESS;
pub(crate) use self::settings::Settings;
use crate::{
    arguments::Json,
    error::{CliError, Problems},
    exit::Exit,
    output,
    serve::listen,
};

const EXAMPLES: &str = "\
Examples:
  daybook config                             every setting, its value, and where that comes from
  daybook config --listen localhost:9000     the same with a flag that `serve` would be given
  daybook config --check daybook.toml        everything that is wrong with a file
  daybook config --json                      for programs
";

/// Shows the effective configuration of the server as TOML, with the origin of each value.
///
/// Values come from the file, before it from the environment, before that from flags. Secrets are
/// shown as `***`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Config {
    /// Checks this file, with the environment and the flags of this call, and lists everything
    /// that is wrong.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    check: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    json: Json,
}

/// Reads the configuration with the environment of the process.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn load(flags: &Flags) -> Result<Configuration, CliError> {
    let variable =
        |name: &str| std::env::var_os(name).map(|text| text.to_string_lossy().into_owned());
    let read = read::read(flags, &variable);
    read.map_err(|problems| CliError::Configuration(Problems::of(&problems)))
}

pub(crate) fn run(arguments: &Config) -> Result<Exit, CliError> {
    let Some(file) = &arguments.check else {
        let configuration = load(&arguments.flags)?;
        let json = show::json(&configuration.shown);
        output::answer(arguments.json, &json, || show::toml(&configuration.shown))?;
        return Ok(Exit::Done);
    };
    let flags = Flags {
        file: Some(file.clone()),
        ..arguments.flags.clone()
    };
    let configuration = load(&flags)?;
    examine(&configuration.settings)?;
    let answer = serde_json::json!({ "file": file, "problems": [] });
    output::answer(arguments.json, &answer, || {
        format!("`{}` is usable", file.display())
    })?;
    Ok(Exit::Done)
}

/// What the server itself would find when it starts.
fn examine(settings: &Settings) -> Result<(), CliError> {
    let mut problems = Vec::new();
    let encrypted = settings.tls.certificate.is_some();
    problems.extend(
        listen::permit(settings.server.listen, encrypted)
            .err()
            .map(|e| e.to_string()),
    );
    problems.extend(settings.certificate().err().map(|error| error.to_string()));
    if problems.is_empty() {
        return Ok(());
    }
    Err(CliError::Configuration(Problems::of(&problems)))
}
