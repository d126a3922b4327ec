//! Writing to stdout and stderr without a fuss: a reader that has gone away (`daybook log show |
//! head`) is no failure.

use std::io::{self, Write};

use serde::Serialize;

use crate::{arguments::Json, error::CliError};

/// Writes one line of the answer to stdout at once.
pub(crate) fn say(line: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    finish(writeln!(out, "{line}").and_then(|()| out.flush()))
}

/// Writes the answer: for a program as one JSON document, or else as text.
pub(crate) fn answer(
    json: Json,
    answer: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), CliError> {
    if json.json {
        let document = serde_json::to_string_pretty(answer).map_err(io::Error::from);
        finish(document.and_then(|document| writeln!(io::stdout().lock(), "{document}")))
    } else {
        say(&text())
    }
}

/// Many lines of an answer, written as they come.
pub(crate) struct Lines(io::BufWriter<io::StdoutLock<'static>>);

impl Lines {
    pub(crate) fn begin() -> Self {
        Self(io::BufWriter::new(io::stdout().lock()))
    }

    /// Writes some; false when nobody reads any more.
    pub(crate) fn write(
        &mut self,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<bool, CliError> {
        heard(text(&mut self.0))
    }

    /// Sends what is still held back.
    pub(crate) fn end(mut self) -> Result<(), CliError> {
        finish(self.0.flush())
    }
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

fn finish(written: io::Result<()>) -> Result<(), CliError> {
    heard(written).map(|_heard| ())
}

fn heard(written: io::Result<()>) -> Result<bool, CliError> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(CliError::System {
            what: "write to stdout",
            source,
        }),
    }
}
