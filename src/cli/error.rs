//! What can go wrong on the command line: the message, the stable code, a hint, the exit code.

use std::{fmt, net::SocketAddr};

use daybook_api::transport::TlsError;
use daybook_app::{
    AppError, CommandError, HouseError,
    import::{ImportError, MappingError},
};
use daybook_eventlog::LogError;
use daybook_keyring::KeyError;

use crate::exit::Exit;

/// Why a sub-command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Something around the organisation.
    #[error(transparent)]
    App(#[from] AppError),
    /// Something around a house.
    #[error(transparent)]
    House(#[from] HouseError),
    /// An address that others than this machine could reach, without encryption.
    #[error("{address} is not a loopback address, and connections would not be encrypted")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something is wrong with the settings.
    #[error("the configuration is not usable:{0}")]
    Configuration(Problems),
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// The process lacks something that it needs to run.
    #[error("cannot {what}: {source}")]
    System {
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The filter of the server's own log is malformed.
    #[error("`{variable}` is not a log filter: {problem}")]
    LogFilter {
        /// The environment variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The mapping of an import.
    #[error("the mapping is not usable: {0}")]
    Mapping(#[from] MappingError),
    /// The import itself.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A file cannot be read or written.
    #[error("cannot {what} `{path}`: {source}")]
    File {
        /// What was being done, as a verb.
        what: &'static str,
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The published schema is not that of this build.
    #[error("the schema in `{path}` differs from this build in {files}")]
    SchemaDiffers {
        /// The folder.
        path: String,
        /// The files, joined.
        files: String,
    },
    /// The language could not be written as JSON Schema.
    #[error("the schema cannot be written: {0}")]
    SchemaUnwritable(String),
    /// What stands in the log beside the events is not what this build writes there.
    #[error("the commit at position {position} cannot be read: {problem}")]
    Unreadable {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Requests did not end in time, so the organisation could not be closed in order.
    #[error("requests were still at work at the end; everything acknowledged is durable")]
    Unclosed,
}

/// Everything that is wrong with the settings, a line for each.
#[derive(Debug)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn of(problems: &[impl fmt::Display]) -> Self {
        Self(problems.iter().map(ToString::to_string).collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))?;
        // The code stands behind the last line, apart from what the problem says.
        f.write_str("\n ")
    }
}

impl From<LogError> for CliError {
    fn from(error: LogError) -> Self {
        Self::App(AppError::Log(error))
    }
}

impl CliError {
    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::App(error) => error.code(),
            Self::House(error) => error.code(),
            Self::Mapping(error) => error.code(),
            Self::Import(error) => error.code(),
            Self::NotLoopback { .. } => "LISTEN_NOT_LOOPBACK",
            Self::Listen { .. } => "LISTEN_FAILED",
            Self::Configuration(_) => "CONFIGURATION_INVALID",
            Self::Certificate(_) => "CERTIFICATE_UNUSABLE",
            Self::System { .. } => "SYSTEM",
            Self::LogFilter { .. } => "LOG_FILTER_INVALID",
            Self::File { .. } => "FILE_UNUSABLE",
            Self::SchemaDiffers { .. } => "SCHEMA_DIFFERS",
            Self::SchemaUnwritable(_) => "SCHEMA_UNWRITABLE",
            Self::Unreadable { .. } => "COMMIT_UNREADABLE",
            Self::Unclosed => "SHUTDOWN_INCOMPLETE",
        }
    }

    /// What the person may do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::App(AppError::Log(error)) => log_hint(error),
            Self::App(AppError::Founding(CommandError::Log(error))) => log_hint(error),
            Self::App(AppError::Missing { .. }) => {
                Some("name the folder with --data, or found an organisation with `daybook serve`")
            }
            Self::App(AppError::Keys(error)) => key_hint(error),
            Self::SchemaDiffers { .. } => Some("`daybook schema` writes it anew"),
            Self::NotLoopback { .. } => {
                Some("listen on 127.0.0.1 or [::1], or name --tls-certificate and --tls-key")
            }
            Self::Configuration(_) => {
                Some("`daybook config` shows every setting, `daybook help config` how to give one")
            }
            Self::Listen { source, .. } if in_use(source) => {
                Some("name another address with --listen, or port 0 for any free port")
            }
            Self::Import(ImportError::DeskStopped { .. }) => {
                Some("what was answered is kept; the same import run again goes on from there")
            }
            Self::House(HouseError::Locked { .. }) => {
                Some("a server or another command uses this house; stop it")
            }
            Self::House(HouseError::App(error) | HouseError::Unopened { source: error, .. }) => {
                match error.as_ref() {
                    AppError::Log(error) => log_hint(error),
                    AppError::Keys(error) => key_hint(error),
                    _ => None,
                }
            }
            Self::App(_)
            | Self::House(_)
            | Self::Mapping(_)
            | Self::Import(_)
            | Self::Listen { .. }
            | Self::Certificate(_)
            | Self::System { .. }
            | Self::LogFilter { .. }
            | Self::File { .. }
            | Self::SchemaUnwritable(_)
            | Self::Unreadable { .. }
            | Self::Unclosed => None,
        }
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::App(AppError::Log(LogError::Locked { .. }))
            | Self::House(HouseError::Locked { .. }) => Exit::InUse,
            Self::App(AppError::Log(LogError::Damaged { .. })) => Exit::Damaged,
            Self::Listen { source, .. } if in_use(source) => Exit::InUse,
            Self::NotLoopback { .. }
            | Self::Configuration(_)
            | Self::Certificate(_)
            | Self::LogFilter { .. } => Exit::Usage,
            Self::Unreadable { .. } => Exit::Damaged,
            Self::App(_)
            | Self::House(_)
            | Self::Mapping(_)
            | Self::Import(_)
            | Self::Listen { .. }
            | Self::System { .. }
            | Self::File { .. }
            | Self::SchemaDiffers { .. }
            | Self::SchemaUnwritable(_)
            | Self::Unclosed => Exit::Failed,
        }
    }
}

fn in_use(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::AddrInUse
}

fn key_hint(error: &KeyError) -> Option<&'static str> {
    match error {
        KeyError::MasterKeyMissing { .. } => Some(
            "name it with --master-key-file or DAYBOOK_MASTER_KEY, or put `master.key` back into \
             the data folder",
        ),
        KeyError::RingMissing => Some(
            "put `keys/` back from a backup; where there is none, `daybook keys abandon` lets \
             everything sealed read `erased`, for ever",
        ),
        KeyError::WrongMasterKey { .. } => {
            Some("after `daybook keys rotate` the new key must be named with --master-key-file")
        }
        _ => None,
    }
}

fn log_hint(error: &LogError) -> Option<&'static str> {
    match error {
        LogError::Locked { .. } => Some(
            "a server or another command uses this folder; stop it, or ask the server through \
             its GraphQL field `commits`",
        ),
        LogError::Damaged { .. } => Some(
            "nothing was cut away; see `daybook verify`, and `daybook restore` to build a fresh \
             folder from the archive or a backup",
        ),
        LogError::Index { .. } => Some(
            "the index is derived: delete `log/index.sqlite` of the data folder, and it is built \
             anew",
        ),
        LogError::LowSpace { .. } => Some("make room on the disk; writing resumes by itself"),
        _ => None,
    }
}
