//! Opening: decides whether what is on disk is what was acknowledged.
//!
//! ```text
//! lock ─▶ FORMAT ─▶ witnesses ─▶ sled ─▶ inspect ─▶ compare ─▶ repair what is derived ─▶ threads
//! └ nothing touched: head record, archive ┘ └ nothing of ours changed ┘
//! ```
//!
//! The one thing opening takes away are fragments at the very end of sled whose commit never
//! became whole: they were never acknowledged, since a sync covers a whole group. Everything else
//! that does not fit is [`LogError::Damaged`], with the range, and stays as it is. (sled itself
//! overwrites what it holds for its own torn tail while it opens; the archive has its own copy.)

use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;
use uuid::Uuid;

use crate::Position;
use crate::archive::{self, ArchiveStatus, Pieces};
use crate::error::LogError;
use crate::feed::Feed;
use crate::format;
use crate::hash::Head;
use crate::head::{self, Found, HeadFile, HeadRecord};
use crate::index::{Builder, Index};
use crate::index_file::{IndexFile, Unfit};
use crate::inspect::{self, Inspection};
use crate::options::LogOptions;
use crate::quarantine;
use crate::reader::Log;
use crate::shared::Shared;
use crate::space::SpaceGuard;
use crate::stats::Counters;
use crate::store::{self, OpenFault, Store};
use crate::survey::{ArchiveReport, PositionRange, Survey};
use crate::workers::Workers;
use crate::writer::Writer;

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
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenReport {
    /// The log did not exist before.
    pub created: bool,
    /// The log had been closed, and not cut off by a crash.
    pub was_closed: bool,
    /// The head.
    pub head: Head,
    /// A commit that never became whole and was never acknowledged; its pieces were dropped.
    pub dropped: Option<PositionRange>,
    /// Whole commits behind the head record. They were kept: most were acknowledged just before
    /// a crash, the last ones perhaps not.
    pub beyond_record: Option<PositionRange>,
    /// sled's own snapshot was unreadable and has been moved aside; sled did without.
    pub snapshot_set_aside: bool,
    /// The head record was missing or unreadable and has been written anew.
    pub head_record_rewritten: bool,
    /// What was done about the index.
    pub index: IndexReport,
    /// What was done about the archive.
    pub archive: ArchiveReport,
    /// Blocks whose hash and link were verified.
    pub verified_blocks: u64,
    /// How long it took.
    pub duration: Duration,
}

/// What opening did about the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IndexReport {
    /// It was complete, or lacked only the end.
    Continued {
        /// Up to where it was complete.
        from: Position,
    },
    /// There was none of this version, and it has been built from blocks.
    Rebuilt,
    /// What was there could not be trusted, and it has been built anew from blocks: it was
    /// unreadable or of another log, or was not as it had been written.
    Replaced,
}

impl Log {
    /// Opens the log in `dir`, or creates it.
    ///
    /// # Errors
    /// [`LogError::Locked`], [`LogError::UnsupportedVersion`], [`LogError::WrongOrganisation`]
    /// before anything is touched; [`LogError::Damaged`] when the stored log is not what was
    /// acknowledged; [`LogError::Io`].
    pub fn open(dir: &Path, options: LogOptions) -> Result<Opened, LogError> {
        let start = Instant::now();
        let lock = format::lock(dir)?;
        let opening = Opening::begin(dir, options)?;
        let mut opened = opening.run(lock)?;
        opened.report.duration = start.elapsed();
        Ok(opened)
    }
}

/// What is known before sled is opened.
struct Opening {
    dir: PathBuf,
    options: LogOptions,
    exists: bool,
    record: Found,
    survey: Survey,
}

/// What is known after.
struct Examined {
    inspection: Inspection,
    file: IndexFile,
    index: IndexReport,
}

impl Opening {
    fn begin(dir: &Path, options: LogOptions) -> Result<Self, LogError> {
        let organisation = options.organisation;
        let exists = format::check(dir, organisation)?;
        let record = head::read(dir, organisation)?;
        let survey = Survey::take(&dir.join(archive::FOLDER), organisation)?;
        Ok(Self {
            dir: dir.to_path_buf(),
            options,
            exists,
            record,
            survey,
        })
    }

    fn run(self, lock: File) -> Result<Opened, LogError> {
        let (store, snapshot_set_aside) = self.open_store()?;
        let examined = self
            .examine(&store)
            .map_err(|error| self.with_hint(error))?;
        let Examined {
            inspection,
            file,
            index,
        } = examined;
        let mut report = self.report(&inspection, index, snapshot_set_aside);
        let writing = match self.options.read_only {
            true => None,
            false => Some(self.prepare_writing(&store, &inspection)?),
        };
        let head = inspection.head;
        let shared = self.share(lock, store, head)?;
        let greatest = file.last_command()?.unwrap_or(Uuid::nil());
        let mut workers = Workers::start_index(&shared, file)?;
        let head_file = match writing {
            Some((head_file, pieces, archive)) => {
                report.archive = archive;
                let record = head_file.handle()?;
                if let Err(error) = workers.start_archive(&shared, pieces, record) {
                    // The index thread must not outlive a log that never opened.
                    workers.stop(&shared)?;
                    return Err(error);
                }
                Some(head_file)
            }
            None => None,
        };
        let log = Log {
            shared: Arc::clone(&shared),
        };
        let writer = Writer::new(shared, head_file, greatest, workers);
        Ok(Opened {
            log,
            writer,
            report,
        })
    }

    /// Verifies sled, holds it against the witnesses, and brings the index up to date.
    fn examine(&self, store: &Store) -> Result<Examined, LogError> {
        let (mut builder, index) = self.choose_index(store)?;
        let inspection = inspect::inspect(store, self.options.organisation, &mut builder)?;
        self.compare(store, &inspection)?;
        let (file, _) = builder.finish()?;
        Ok(Examined {
            inspection,
            file,
            index,
        })
    }

    fn record(&self) -> Option<&HeadRecord> {
        match &self.record {
            Found::Record(record) => Some(record),
            Found::Missing | Found::Damaged => None,
        }
    }

    /// Up to where it is certain that commits were acknowledged.
    fn acknowledged(&self) -> Position {
        let recorded = self.record().map_or(0, |record| record.head.position);
        recorded.max(self.survey.tail.position)
    }

    /// Opens sled; on corruption once more without its snapshot, which it can do without.
    fn open_store(&self) -> Result<(Store, bool), LogError> {
        let dir = self.dir.join(store::FOLDER);
        self.check_presence(&dir)?;
        fs::create_dir_all(&dir).map_err(LogError::io("create", &dir))?;
        if !self.record().is_some_and(|record| record.clean) {
            store::forget_cached(&dir).map_err(LogError::io("read", &dir))?;
        }
        let open = || {
            Store::open(
                &dir,
                self.options.cache_bytes,
                Arc::clone(&self.options.disk),
            )
        };
        let first = match open() {
            Ok(store) => return Ok((store, false)),
            Err(fault) => fault,
        };
        let corrupt = matches!(first, OpenFault::Corrupt(_));
        if !corrupt || !self.set_snapshots_aside(&dir)? {
            return Err(self.open_error(&first));
        }
        open()
            .map(|store| (store, true))
            .map_err(|fault| self.open_error(&fault))
    }

    /// sled creates what it does not find, so a lost data file must be noticed before.
    fn check_presence(&self, sled_dir: &Path) -> Result<(), LogError> {
        let acknowledged = self.acknowledged();
        let data = fs::metadata(sled_dir.join(store::DATA_FILE)).map_or(0, |data| data.len());
        let expected = self.exists || acknowledged > 0;
        if expected && data == 0 {
            let lost = LogError::damaged("sled's data file is lost", 1, acknowledged.max(1));
            return Err(self.with_hint(lost));
        }
        if !self.exists && acknowledged > 0 {
            let what = "the FORMAT file is lost";
            return Err(self.with_hint(LogError::damaged(what, 1, acknowledged)));
        }
        Ok(())
    }

    fn set_snapshots_aside(&self, sled_dir: &Path) -> Result<bool, LogError> {
        let entries = fs::read_dir(sled_dir).map_err(LogError::io("list", sled_dir))?;
        let mut any = false;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("snap.") {
                quarantine::move_aside(&entry.path(), &self.dir.join(quarantine::FOLDER))?;
                any = true;
            }
        }
        Ok(any)
    }

    fn open_error(&self, fault: &OpenFault) -> LogError {
        match fault {
            OpenFault::Locked => LogError::Locked {
                dir: self.dir.clone(),
            },
            OpenFault::Io(error) => {
                let again = std::io::Error::new(error.kind(), error.to_string());
                LogError::io("open", &self.dir.join(store::FOLDER))(again)
            }
            OpenFault::Corrupt(what) => {
                let what = format!("sled cannot read its files: {what}");
                self.with_hint(LogError::damaged(what, 1, self.acknowledged().max(1)))
            }
        }
    }

    /// Says how far the archive leads out of a damage.
    fn with_hint(&self, error: LogError) -> LogError {
        match error.located(1, self.acknowledged()) {
            LogError::Damaged { what, first, last } => {
                let reach = self.survey.tail.position;
                let what = format!("{what}; restore from the archive reaches position {reach}");
                LogError::Damaged {
                    what,
                    first,
                    last: last.max(first),
                }
            }
            other => other,
        }
    }

    /// The index continues from its checkpoint if the log has exactly that block there, and if
    /// its rows are still those that were written. A row that has changed would let a command be
    /// done twice, or hide an event of a stream.
    fn choose_index(&self, store: &Store) -> Result<(Builder, IndexReport), LogError> {
        let organisation = self.options.organisation;
        let (file, head) = match IndexFile::open(&self.dir, organisation) {
            Ok(found) => found,
            Err(Unfit::Missing | Unfit::Older) => {
                let builder = Builder::from_nothing(&self.dir, organisation)?;
                return Ok((builder, IndexReport::Rebuilt));
            }
            Err(unfit @ Unfit::Unreadable) => return self.replace_index(&unfit),
        };
        if inspect::hash_at(store, organisation, head.position)? != Some(head.hash) {
            return self.replace_index(&"it names a block that the log does not have");
        }
        if !file.is_uncut(&self.dir) || !file.is_as_written() {
            return self.replace_index(&"it is not as it was written");
        }
        let from = head.position;
        let builder = Builder::new(organisation, file, head);
        Ok((builder, IndexReport::Continued { from }))
    }

    fn replace_index(&self, why: &dyn Display) -> Result<(Builder, IndexReport), LogError> {
        let dir = self.dir.display();
        tracing::warn!(%why, %dir, "the index cannot be trusted and is built anew from the blocks");
        let builder = Builder::from_nothing(&self.dir, self.options.organisation)?;
        Ok((builder, IndexReport::Replaced))
    }

    /// Holds sled against the witnesses.
    fn compare(&self, store: &Store, inspection: &Inspection) -> Result<(), LogError> {
        let head = inspection.head;
        let record = self.record().map(|record| ("head record", record.head));
        for (name, witness) in record.into_iter().chain([("archive", self.survey.tail)]) {
            if witness.position > head.position {
                let what = format!("the acknowledged tail that the {name} names is lost");
                return Err(LogError::damaged(what, head.position + 1, witness.position));
            }
            let here = inspect::hash_at(store, self.options.organisation, witness.position)?;
            if here != Some(witness.hash) {
                let what = format!("sled and the {name} disagree about the hash");
                return Err(LogError::damaged(what, witness.position, witness.position));
            }
        }
        Ok(())
    }

    fn report(
        &self,
        inspection: &Inspection,
        index: IndexReport,
        snapshot_set_aside: bool,
    ) -> OpenReport {
        let head = inspection.head;
        let recorded = self.record().map_or(0, |record| record.head.position);
        let beyond = PositionRange {
            first: recorded + 1,
            last: head.position,
        };
        OpenReport {
            created: !self.exists,
            was_closed: self.record().is_some_and(|record| record.clean),
            head,
            dropped: inspection.torn.as_ref().map(|torn| torn.range),
            beyond_record: (beyond.first <= beyond.last).then_some(beyond),
            snapshot_set_aside,
            head_record_rewritten: self.exists && self.record().is_none(),
            index,
            archive: ArchiveReport {
                reached: self.survey.tail.position,
                ..Default::default()
            },
            verified_blocks: inspection.verified_blocks,
            duration: Duration::ZERO,
        }
    }

    /// Makes what was found durable, before anybody sees it, and repairs what is derived.
    fn prepare_writing(
        &self,
        store: &Store,
        inspection: &Inspection,
    ) -> Result<(HeadFile, Pieces, ArchiveReport), LogError> {
        let organisation = self.options.organisation;
        if let Some(torn) = &inspection.torn {
            store.remove(&torn.keys)?;
        }
        store.sync()?;
        let sequence = self.record().map_or(0, |record| record.sequence);
        let head_file = HeadFile::start(&self.dir, organisation, inspection.head, sequence)?;
        let archive_dir = self.dir.join(archive::FOLDER);
        let quarantine_dir = self.dir.join(quarantine::FOLDER);
        let (pieces, report) =
            self.survey
                .mend(&archive_dir, &self.options, store, &quarantine_dir)?;
        if !self.exists {
            format::write(&self.dir, organisation)?;
        }
        Ok((head_file, pieces, report))
    }

    fn share(self, lock: File, store: Store, head: Head) -> Result<Arc<Shared>, LogError> {
        let organisation = self.options.organisation;
        let lookups = IndexFile::open(&self.dir, organisation);
        let (lookups, _) = lookups.map_err(|unfit| LogError::Index {
            what: format!("the file cannot be opened a second time: {unfit}"),
        })?;
        let archive = ArchiveStatus::new(&self.dir.join(archive::FOLDER));
        Ok(Arc::new(Shared {
            space: SpaceGuard::new(&self.options),
            feed: Feed::new(head, self.options.ring_bytes),
            index: Index::new(organisation, lookups, head),
            archive,
            counters: Counters::default(),
            stopped: Mutex::default(),
            lock: Mutex::new(Some(lock)),
            dir: self.dir,
            options: self.options,
            store,
        }))
    }
}
