//! The record of rows that were not imported, and why.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;

use super::error::ImportError;

/// One row that was not imported.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reject<'a> {
    /// The file, or nothing where the step has no source.
    pub(super) file: &'a str,
    /// The line on which the row begins, counted from 1.
    pub(super) line: u64,
    pub(super) key: &'a str,
    pub(super) step: &'a str,
    pub(super) command: &'a str,
    pub(super) field: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) row: Value,
}

/// Where rejects go: CSV where the file's name ends in `.csv`, otherwise NDJSON, or nowhere.
pub(super) struct Rejects {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    Nowhere,
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Ndjson(BufWriter<File>),
}

impl Rejects {
    /// Opens the file anew: it holds the rejects of one import.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, ImportError> {
        let Some(path) = path else {
            let (path, sink) = (PathBuf::new(), Sink::Nowhere);
            return Ok(Self { path, sink });
        };
        let file = File::create(path).map_err(|source| ImportError::File {
            path: path.to_owned(),
            source,
        })?;
        let file = BufWriter::new(file);
        let csv = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        let sink = match csv {
            true => Sink::Csv(Box::new(csv::Writer::from_writer(file))),
            false => Sink::Ndjson(file),
        };
        let path = path.to_owned();
        Ok(Self { path, sink })
    }

    pub(super) fn write(&mut self, reject: &Reject<'_>) -> Result<(), ImportError> {
        let written = match &mut self.sink {
            Sink::Nowhere => Ok(()),
            Sink::Csv(writer) => {
                let row = Value::from(reject.row.to_string());
                let reject = Reject {
                    row,
                    ..reject.clone()
                };
                writer.serialize(reject).map_err(io::Error::from)
            }
            Sink::Ndjson(writer) => serde_json::to_writer(&mut *writer, reject)
                .map_err(io::Error::from)
                .and_then(|()| writer.write_all(b"\n")),
        };
        self.checked(written)
    }

    pub(super) fn finish(mut self) -> Result<(), ImportError> {
        let written = match &mut self.sink {
            Sink::Nowhere => Ok(()),
            Sink::Csv(writer) => writer.flush(),
            Sink::Ndjson(writer) => writer.flush(),
        };
        self.checked(written)
    }

    fn checked(&self, written: io::Result<()>) -> Result<(), ImportError> {
        written.map_err(|source| ImportError::File {
            path: self.path.clone(),
            source,
        })
    }
}
