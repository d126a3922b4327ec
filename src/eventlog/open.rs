//! Opening: decides whether what is on disk is what was acknowledged.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::Position;
use crate::archive::ArchiveStatus;
use crate::block::{self, RawBlock};
use crate::chain::{Chain, Depth};
use crate::disk::sync_folder;
use crate::error::LogError;
use crate::feed::Feed;
use crate::hash::Head;
use crate::head::{self, Found, HeadFile};
use crate::index::{Builder, Index};
use crate::index_file::IndexFile;
use crate::options::LogOptions;
use crate::reader::Log;
use crate::shared::Shared;
use crate::space::SpaceGuard;
use crate::stats::Counters;
use crate::store::{self, OpenFault, Store};
use crate::workers::Workers;
use crate::writer::Writer;

const FORMAT_FILE: &str = "FORMAT";
const FORMAT_LINE: &str = "daybook-log 1";
const LOCK_FILE: &str = "LOCK";

/// An open log.
#[derive(Debug)]
pub struct Opened {
    /// The reading side; clone it freely.
    pub log: Log,
    /// The writing side; there is one.
    pub writer: Writer,
    /// What opening found and did.
    pub report: OpenReport,
}

/// What opening found and did.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenReport {
    /// The log did not exist before.
    pub created: bool,
    /// The head.
    pub head: Head,
    /// Blocks whose hash and link were verified.
    pub verified_blocks: u64,
    /// How long it took.
    pub duration: Duration,
}

impl Log {
    /// Opens the log in `dir`, or creates it.
    ///
    /// # Errors
    /// [`LogError::Locked`], [`LogError::UnsupportedVersion`], [`LogError::WrongOrganisation`]
    /// before anything is touched; [`LogError::Damaged`] when the stored log is not what was
    /// acknowledged.
    pub fn open(dir: &Path, options: LogOptions) -> Result<Opened, LogError> {
        Opening::new(dir, options).run()
    }
}

struct Opening {
    dir: PathBuf,
    options: LogOptions,
    start: Instant,
}

impl Opening {
    fn new(dir: &Path, options: LogOptions) -> Self {
        Self {
            dir: dir.to_path_buf(),
            options,
            start: Instant::now(),
        }
    }

    fn run(self) -> Result<Opened, LogError> {
        let organisation = self.options.organisation;
        let lock = lock(&self.dir)?;
        let created = !check_format(&self.dir, organisation)?;
        let sled_dir = self.dir.join(store::FOLDER);
        fs::create_dir_all(&sled_dir).map_err(LogError::io("create", &sled_dir))?;
        let store = Store::open(
            &sled_dir,
            self.options.cache_bytes,
            Arc::clone(&self.options.disk),
        )
        .map_err(|fault| self.open_fault(&fault))?;
        let (head, file, verified_blocks) = self.verify_and_index(&store)?;
        self.compare_head_record(head)?;
        let head_file = match self.options.read_only {
            true => None,
            false => Some(HeadFile::start(&self.dir, organisation, head, 0)?),
        };
        if created {
            write_format(&self.dir, organisation)?;
        }
        let greatest = file.last_command()?.unwrap_or(Uuid::nil());
        let lookups = IndexFile::open(&self.dir, organisation).ok_or_else(|| LogError::Index {
            what: "index file cannot be opened a second time".into(),
        })?;
        let shared = Arc::new(Shared {
            dir: self.dir.clone(),
            space: SpaceGuard::new(&self.options),
            feed: Feed::new(head, self.options.ring_bytes),
            index: Index::new(organisation, lookups.0, head),
            archive: ArchiveStatus::default(),
            counters: Counters::default(),
            stopped: Mutex::default(),
            lock: Mutex::new(Some(lock)),
            options: self.options,
            store,
        });
        let workers = Workers::start(&shared, file)?;
        let log = Log {
            shared: Arc::clone(&shared),
        };
        let writer = Writer::new(shared, head_file, greatest, workers);
        let duration = self.start.elapsed();
        let report = OpenReport {
            created,
            head,
            verified_blocks,
            duration,
        };
        Ok(Opened {
            log,
            writer,
            report,
        })
    }

    fn open_fault(&self, fault: &OpenFault) -> LogError {
        match fault {
            OpenFault::Locked => LogError::Locked {
                dir: self.dir.clone(),
            },
            other => LogError::damaged(other, 1, Position::MAX),
        }
    }

    fn verify_and_index(&self, store: &Store) -> Result<(Head, IndexFile, u64), LogError> {
        let organisation = self.options.organisation;
        let opened = IndexFile::open(&self.dir, organisation);
        let (mut builder, mut chain) = match opened {
            Some((file, head)) => (
                Builder::new(organisation, file, head),
                Chain::after(head, Depth::Hashes),
            ),
            None => (
                Builder::from_nothing(&self.dir, organisation)?,
                Chain::after(Head::genesis(organisation), Depth::Hashes),
            ),
        };
        let mut count = 0;
        let mut key = block::key(chain.position() + 1, 0);
        loop {
            let entries = store.range(key, 64)?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            let (first, fragment) = block::read_key(last).unwrap_or_default();
            key = block::key(first, fragment.saturating_add(1));
            for (_, value) in entries {
                let position = chain.position() + 1;
                let block = RawBlock::parse(value, organisation)
                    .and_then(|raw| chain.accept(&raw))
                    .map_err(|fault| LogError::damaged(fault, position, position))?;
                count += 1;
                block.map_or(Ok(()), |block| builder.add(&block))?;
            }
        }
        let (file, head) = builder.finish()?;
        Ok((head, file, count))
    }

    fn compare_head_record(&self, head: Head) -> Result<(), LogError> {
        if let Found::Record(record) = head::read(&self.dir, self.options.organisation)?
            && record.head.position > head.position
        {
            let (first, last) = (head.position + 1, record.head.position);
            return Err(LogError::damaged("acknowledged tail is lost", first, last));
        }
        Ok(())
    }
}

fn lock(dir: &Path) -> Result<File, LogError> {
    fs::create_dir_all(dir).map_err(LogError::io("create", dir))?;
    let path = dir.join(LOCK_FILE);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = file.map_err(LogError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked {
            dir: dir.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(LogError::io("lock", &path)(error)),
    }
}

/// Whether the log exists; an error when it is not one for this caller.
fn check_format(dir: &Path, organisation: Uuid) -> Result<bool, LogError> {
    let path = dir.join(FORMAT_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(LogError::io("read", &path)(error)),
    };
    let mut lines = text.lines();
    let found = lines.next().unwrap_or_default();
    if found != FORMAT_LINE {
        let (found, supported) = (found.to_owned(), FORMAT_LINE.to_owned());
        return Err(LogError::UnsupportedVersion { found, supported });
    }
    let owner = lines
        .next()
        .and_then(|line| Uuid::parse_str(line).ok())
        .unwrap_or(Uuid::nil());
    if owner != organisation {
        return Err(LogError::WrongOrganisation {
            expected: organisation,
            found: owner,
        });
    }
    Ok(true)
}

fn write_format(dir: &Path, organisation: Uuid) -> Result<(), LogError> {
    let path = dir.join(FORMAT_FILE);
    let written = File::create(&path)
        .and_then(|mut file| {
            write!(file, "{FORMAT_LINE}\n{organisation}\n")?;
            file.sync_all()
        })
        .and_then(|()| sync_folder(dir));
    written.map_err(LogError::io("write", &path))
}
