//! An organisation in its folder: what opens, in which order, and what closes.
//!
//! ```text
//! <folder>/daybook.json     format, organisation id
//! <folder>/log/             the log, and its archive: the truth
//! <folder>/keys/            the keys of persons, wrapped: what was sealed for them is in the log
//! <folder>/master.key       what wraps them, where it is not kept elsewhere
//! <folder>/read-models/     SQLite: derived, may be deleted
//! <folder>/security.ndjson  what was tried in vain at the door, of bounded size
//! ```

use std::{fs, path::Path};

use daybook_eventlog::{Log, LogOptions, OpenReport};
use daybook_projections::store::Readers;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppError, Applied, Desk, DeskOptions, Founding, MasterKeySource, Projection, Rebuilt, Seals,
    access::{Gate, SecurityLog},
    desk::DeskThreads,
    erasure, founding, projection,
};

const FORMAT: &str = "daybook-data 1";
const IDENTITY_FILE: &str = "daybook.json";

/// Limits of an organisation.
#[derive(Clone, Debug, Default)]
pub struct OrganisationOptions {
    /// The desk's.
    pub desk: DeskOptions,
    /// Free bytes below which writing is refused, on a file system of any size; the log's default
    /// where it is not said.
    pub min_free_bytes: Option<u64>,
    /// Whether the read models stay where they are while much is written at once; the next
    /// opening brings them up to the log, faster than they could have followed.
    pub write_only: bool,
    /// Whether it is the demonstration, whose keys everybody may know.
    pub demo: bool,
    /// Where the key is that wraps the keys of persons.
    pub master_key: MasterKeySource,
    /// Bytes of the log's pages that are kept in memory at most; the log's default where it is
    /// not said.
    pub log_cache_bytes: Option<u64>,
}

/// What opening did.
#[derive(Debug)]
pub struct Opening {
    /// What the log found.
    pub log: OpenReport,
    /// The rebuild of the read models, where one was needed.
    pub rebuilt: Option<Rebuilt>,
    /// Whether the organisation was founded just now.
    pub founded: bool,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    format: String,
    organisation: Uuid,
}

/// An organisation at work.
pub struct Organisation {
    id: Uuid,
    log: Log,
    seals: Seals,
    desk: Desk,
    threads: DeskThreads,
    projection: Option<Projection>,
    applied: watch::Receiver<Applied>,
    readers: Readers,
    gate: Gate,
    security: SecurityLog,
    demo: bool,
}

impl Organisation {
    /// Opens the organisation in a folder; founds it where the folder holds none. `progress` hears
    /// the position reached and the last one whenever the read models have to be rebuilt.
    pub fn open(
        folder: &Path,
        options: OrganisationOptions,
        founding: &Founding,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, Opening), AppError> {
        let id = identify(folder)?;
        Self::open_as(id, folder, options, Some(founding), progress)
    }

    /// Opens the organisation in a folder, which must hold one that was founded.
    ///
    /// # Errors
    /// [`AppError::Missing`] where there is none, and as [`Organisation::open`].
    pub fn open_existing(
        folder: &Path,
        options: OrganisationOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, Opening), AppError> {
        let id = existing(folder)?;
        Self::open_as(id, folder, options, None, progress)
    }

    fn open_as(
        id: Uuid,
        folder: &Path,
        options: OrganisationOptions,
        founding: Option<&Founding>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, Opening), AppError> {
        let opened = Log::open(&folder.join("log"), log_options(id, &options))?;
        let head = opened.log.head().position;
        let seals = Seals::open(folder, id, &options.master_key)?;
        erasure::carry_out(&opened.log, &seals)?;
        let database = projection::database(folder)?;
        let (mut rebuilt, mut projection) = (None, None);
        let readers = if options.write_only {
            database.readers()
        } else {
            let mut progress = |at| progress(at, head);
            rebuilt = projection::ensure(&opened.log, &seals, &database, &mut progress)?;
            let readers = database.readers();
            let start = Projection::start(&opened.log, &seals, database, &readers);
            projection = Some(start?);
            readers
        };
        let applied = projection
            .as_ref()
            .map_or_else(not_following, Projection::applied);
        let (desk, threads) = Desk::open(&opened.log, &seals, opened.writer, options.desk)?;
        let founded = head == 0 && founding.is_some();
        if let Some(founding) = founding {
            founding::found(&desk, &opened.log, founding)?;
        }
        let gate = Gate::new(id, readers.clone(), applied.clone(), options.demo);
        let log = opened.log;
        let organisation = Self {
            id,
            log,
            seals,
            desk,
            threads,
            projection,
            applied,
            readers,
            gate,
            security: SecurityLog::new(folder),
            demo: options.demo,
        };
        Ok((
            organisation,
            Opening {
                log: opened.report,
                rebuilt,
                founded,
            },
        ))
    }

    /// The organisation's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The desk.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The log, for reading.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What opens the personal text in the log.
    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    /// The read models.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    /// What was tried in vain at its door.
    pub fn security(&self) -> &SecurityLog {
        &self.security
    }

    /// Whether it is the demonstration, whose keys everybody may know.
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// Finds out who brings a token.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// How far the read models have come, now and from now on.
    pub fn applied(&self) -> watch::Receiver<Applied> {
        self.applied.clone()
    }

    /// Answers what is queued, brings the read models up to the log, and closes the log. Every
    /// clone of the desk must be gone, or the wait is for them.
    pub fn close(self) -> Result<(), AppError> {
        drop(self.desk);
        let writer = self.threads.join();
        if let Some(projection) = self.projection {
            projection.stop();
        }
        if let Some(writer) = writer {
            // Every batch was dealt with in full, its erasures too.
            self.seals.carry_out(self.log.head().position)?;
            writer.close()?;
        }
        Ok(())
    }
}

/// What is said of read models that do not follow.
fn not_following() -> watch::Receiver<Applied> {
    let stopped = Some("the organisation was opened for writing only".to_owned());
    watch::channel(Applied {
        position: 0,
        access: 0,
        stopped,
    })
    .1
}

/// Opens the log of a folder for reading, and rebuilds its read models beside those that serve;
/// the two are compared where they stand at the same position, and the new ones take their place.
pub fn rebuild_offline(
    folder: &Path,
    master_key: &MasterKeySource,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Comparison, AppError> {
    let id = existing(folder)?;
    let opened = Log::open(&folder.join("log"), LogOptions::new(id))?;
    let head = opened.log.head().position;
    let seals = Seals::open(folder, id, master_key)?;
    let database = projection::database(folder)?;
    let served = database.digest().ok();
    let rebuilt =
        projection::rebuild(&opened.log, &seals, &database, &mut |at| progress(at, head))?;
    database.adopt()?;
    opened.writer.close()?;
    Ok(Comparison { served, rebuilt })
}

/// What a rebuild found beside the read models that served before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The position and digest of those that served, if there were any of this version.
    pub served: Option<(u64, String)>,
    /// The new ones.
    pub rebuilt: Rebuilt,
}

impl Comparison {
    /// Whether the two are equal; none where they stand at different positions.
    pub fn equal(&self) -> Option<bool> {
        let (position, digest) = self.served.as_ref()?;
        (*position == self.rebuilt.position).then(|| *digest == self.rebuilt.digest)
    }
}

/// The organisation of a folder, which gets a new identity where it has none.
pub(crate) fn identify(folder: &Path) -> Result<Uuid, AppError> {
    let path = folder.join(IDENTITY_FILE);
    if let Some(organisation) = identified(&path)? {
        return Ok(organisation);
    }
    let organisation = Uuid::now_v7();
    write_identity(folder, organisation)?;
    Ok(organisation)
}

/// The organisation of a folder that must have one.
pub(crate) fn existing(folder: &Path) -> Result<Uuid, AppError> {
    let found = identified(&folder.join(IDENTITY_FILE))?;
    found.ok_or_else(|| AppError::Missing {
        path: folder.display().to_string(),
    })
}

/// Whether a folder says that it is an organisation's.
pub(crate) fn has_identity(folder: &Path) -> bool {
    folder.join(IDENTITY_FILE).is_file()
}

fn identified(path: &Path) -> Result<Option<Uuid>, AppError> {
    match fs::read(path) {
        Ok(bytes) => identity(path, &bytes).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AppError::File {
            path: path.display().to_string(),
            source,
        }),
    }
}

fn identity(path: &Path, bytes: &[u8]) -> Result<Uuid, AppError> {
    let problem = |problem: String| AppError::Format {
        path: path.display().to_string(),
        problem,
    };
    let identity: Identity =
        serde_json::from_slice(bytes).map_err(|error| problem(error.to_string()))?;
    if identity.format == FORMAT {
        return Ok(identity.organisation);
    }
    Err(problem(format!(
        "its format is `{}`, this build reads `{FORMAT}`",
        identity.format
    )))
}

/// Written beside and renamed, so that a crash leaves either no identity or a whole one.
pub(crate) fn write_identity(folder: &Path, organisation: Uuid) -> Result<(), AppError> {
    let path = &folder.join(IDENTITY_FILE);
    let identity = &Identity {
        format: FORMAT.to_owned(),
        organisation,
    };
    let file_error = |source: std::io::Error| AppError::File {
        path: path.display().to_string(),
        source,
    };
    let json = serde_json::to_vec_pretty(identity).map_err(|error| AppError::Format {
        path: path.display().to_string(),
        problem: error.to_string(),
    })?;
    fs::create_dir_all(folder).map_err(file_error)?;
    let beside = folder.join("daybook.json.new");
    fs::write(&beside, json).map_err(file_error)?;
    fs::File::open(&beside)
        .and_then(|file| file.sync_all())
        .map_err(file_error)?;
    fs::rename(&beside, path).map_err(file_error)?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file_error)
}

fn log_options(id: Uuid, options: &OrganisationOptions) -> LogOptions {
    let mut log = LogOptions::new(id);
    if let Some(bytes) = options.min_free_bytes {
        // Whoever says how much must be free means it, whatever share of the disk it is.
        log = log.min_free(bytes, 100);
    }
    match options.log_cache_bytes {
        Some(bytes) => log.cache_bytes(bytes),
        None => log,
    }
}
