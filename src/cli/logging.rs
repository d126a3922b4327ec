//! The server's own log: to stderr, filtered by `DAYBOOK_LOG`.

use std::{
    backtrace::Backtrace,
    io::{self, IsTerminal as _},
    panic,
};

use tracing_subscriber::EnvFilter;

use crate::error::CliError;

const FILTER: &str = "DAYBOOK_LOG";
/// sled tells about its own housekeeping at `info`.
const DEFAULT_FILTER: &str = "info,sled=warn";

/// How a line of the server's log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Sends the log of this process to stderr from now on, panics included.
pub(crate) fn start(format: LogFormat) -> Result<(), CliError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter()?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(report));
    Ok(())
}

fn filter() -> Result<EnvFilter, CliError> {
    let text = std::env::var(FILTER).unwrap_or_else(|_| DEFAULT_FILTER.to_owned());
    EnvFilter::try_new(text).map_err(|error| CliError::LogFilter {
        variable: FILTER,
        problem: error.to_string(),
    })
}

/// The log engine guards its calls into the storage library by a hook of its own around this one,
/// so a panic that it turns into an error is not reported here.
fn report(info: &panic::PanicHookInfo<'_>) {
    let payload = info.payload_as_str().unwrap_or("panic without text");
    let location = info.location().map(ToString::to_string);
    let thread = std::thread::current().name().map(str::to_owned);
    let backtrace = Backtrace::capture();
    tracing::error!(thread, location, %backtrace, "panic: {payload}");
}
