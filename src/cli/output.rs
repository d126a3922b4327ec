//! Writing to stdout and stderr without a fuss: a reader that has gone away (`daybook log show |
//! head`) is no failure.

use std::io::{self, Write};

use crate::error::CliError;

/// Writes one line of the answer to stdout at once.
pub(crate) fn say(line: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    finish(writeln!(out, "{line}").and_then(|()| out.flush()))
}

/// Writes the error and its hint to stderr.
pub(crate) fn complain(error: &CliError) {
    let mut out = io::stderr().lock();
    // There is nowhere left to report that stderr does not take text.
    let _ = writeln!(out, "error: {error} ({})", error.code());
    if let Some(hint) = error.hint() {
        let _ = writeln!(out, "hint: {hint}");
    }
}

/// Turns the outcome of writing the answer into that of the sub-command.
fn finish(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::System {
            what: "write to stdout",
            source: error,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}
