//! What can be wrong with a mapping, with a file, and with one row.

use std::{io, path::PathBuf};

use crate::CommandError;

/// A mapping that cannot be used: where in the file, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_empty() { String::new() } else { format!("`{path}`: ") })]
pub struct MappingError {
    /// The place in the mapping, for example `steps[2].commands[0].fields.customer`; empty where
    /// the file is not TOML at all.
    pub path: String,
    /// What is wrong there.
    pub problem: MappingProblem,
}

/// What is wrong at one place of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingProblem {
    /// Not TOML, or a key or a value that mappings do not have.
    #[error("{0}")]
    Syntax(String),
    /// No command has this name.
    #[error("there is no command `{name}`; there are {}", allowed.join(", "))]
    UnknownCommand {
        /// What the mapping says.
        name: String,
        /// The names of all commands.
        allowed: Vec<String>,
    },
    /// The command has no such field.
    #[error("there is no field `{name}`; allowed are {}", list(allowed))]
    UnknownField {
        /// What the mapping says.
        name: String,
        /// The names of the fields at this place; empty where the value has none.
        allowed: Vec<String>,
    },
    /// The command needs a field that the mapping does not fill.
    #[error("the field `{name}` is required and not mapped")]
    MissingField {
        /// The field.
        name: String,
    },
    /// A source, table, join or kind of object that does not exist.
    #[error("there is no {what} `{name}`; allowed are {}", list(allowed))]
    UnknownReference {
        /// What kind of thing.
        what: &'static str,
        /// What the mapping says.
        name: String,
        /// What it could have said.
        allowed: Vec<String>,
    },
    /// A value that makes no sense at its place.
    #[error("{0}")]
    Invalid(String),
}

impl MappingError {
    pub(super) fn new(path: impl Into<String>, problem: MappingProblem) -> Self {
        let path = path.into();
        Self { path, problem }
    }

    pub(super) fn invalid(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(path, MappingProblem::Invalid(problem.into()))
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self.problem {
            MappingProblem::Syntax(_) => "IMPORT_MAPPING_SYNTAX",
            MappingProblem::UnknownCommand { .. } => "IMPORT_MAPPING_UNKNOWN_COMMAND",
            MappingProblem::UnknownField { .. } => "IMPORT_MAPPING_UNKNOWN_FIELD",
            MappingProblem::MissingField { .. } => "IMPORT_MAPPING_MISSING_FIELD",
            MappingProblem::UnknownReference { .. } => "IMPORT_MAPPING_UNKNOWN_REFERENCE",
            MappingProblem::Invalid(_) => "IMPORT_MAPPING_INVALID",
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none here".to_owned();
    }
    names.join(", ")
}

/// Why an import could not begin or had to stop. What was answered before is kept, and the same
/// import run again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// None of the files given has the name that a source asks for.
    #[error("no file given is named `{file}`, which source `{source_name}` reads")]
    FileMissing {
        /// The source.
        source_name: String,
        /// The name of the file.
        file: String,
    },
    /// A file was given that no source of the mapping reads.
    #[error(
        "no source of the mapping reads `{path}`; they read {}",
        list(expected)
    )]
    FileUnused {
        /// The file.
        path: PathBuf,
        /// The names of the files that sources read.
        expected: Vec<String>,
    },
    /// A file cannot be read or written.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The header is not text in the encoding of its source.
    #[error("the header of `{path}` is not valid {encoding}")]
    HeaderEncoding {
        /// The file.
        path: PathBuf,
        /// The encoding that the mapping says.
        encoding: &'static str,
    },
    /// A column stands twice in the header.
    #[error("column `{column}` stands twice in the header of `{path}`")]
    ColumnTwice {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// The mapping names a column that the file does not have.
    #[error(
        "`{path}` has no column `{column}`, which `{used_at}` names; it has {}",
        list(columns)
    )]
    ColumnMissing {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The place in the mapping.
        used_at: String,
        /// The columns of the file.
        columns: Vec<String>,
    },
    /// A row of a file that is read as a whole (a table, or a grouped step) is broken; leaving it
    /// out would make other rows wrong.
    #[error("`{path}`, line {line}: {problem}")]
    RowUnreadable {
        /// The file.
        path: PathBuf,
        /// The line on which the row begins, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// The desk takes no commands any more; nothing after the last answer was decided.
    #[error("the import stopped in step `{step}`: {error}")]
    DeskStopped {
        /// The step.
        step: String,
        /// What the desk said.
        error: CommandError,
    },
}

impl ImportError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileMissing { .. } => "IMPORT_FILE_MISSING",
            Self::FileUnused { .. } => "IMPORT_FILE_UNUSED",
            Self::File { .. } => "IMPORT_FILE_UNUSABLE",
            Self::HeaderEncoding { .. } => "IMPORT_HEADER_ENCODING",
            Self::ColumnTwice { .. } => "IMPORT_COLUMN_TWICE",
            Self::ColumnMissing { .. } => "IMPORT_COLUMN_MISSING",
            Self::RowUnreadable { .. } => "IMPORT_ROW_UNREADABLE",
            Self::DeskStopped { error, .. } => error.code(),
        }
    }
}

/// Why one row did not become a command, or its command was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RowProblem {
    /// The stable code: one of `IMPORT_…`, or that of the rule that refused.
    pub code: String,
    /// The field of the command at fault, for example `details.name`; empty where it is the row.
    pub field: String,
    /// One sentence for a person.
    pub message: String,
}

impl RowProblem {
    pub(super) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            field: String::new(),
            message: message.into(),
        }
    }

    /// The problem as seen from the object that holds the field.
    pub(super) fn within(mut self, field: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => field.to_owned(),
            inner if inner.starts_with('[') => format!("{field}{inner}"),
            inner => format!("{field}.{inner}"),
        };
        self
    }
}
