//! The stored part of the index: one SQLite file of derived rows and a checkpoint.
//!
//! ```text
//! command        id (16 bytes) → position
//! stream_commit  (stream hash, position) → greatest version of that stream in that commit
//! checkpoint     position and block hash up to which both are complete, and their totals
//! ```
//!
//! The stream is kept as 64 bits of its BLAKE3 hash; readers filter the rare collision by
//! reading the commit. Rows and checkpoint are written in one transaction, so the file is always
//! right for its checkpoint, however old that is. It is never worth a sync of the writer: lost
//! rows are read again from the blocks. That rows have stayed what they were is not believed:
//! opening adds them up and compares with the [`Totals`] at the checkpoint.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use uuid::Uuid;

use crate::Position;
use crate::commit::CommitRef;
use crate::error::LogError;
use crate::hash::{Hash, Head};
use crate::index_totals::{SUM_BYTES, Totals, command_row, stream_row};
use crate::recent::is_time_ordered;

/// The file in the log's folder.
pub(crate) const FILE: &str = "index.sqlite";

/// Raised whenever the tables change; an index of another version is built anew.
const SCHEMA_VERSION: i64 = 2;

const SCHEMA: &str = "
    CREATE TABLE command (id BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE stream_commit (
        stream_hash INTEGER, position INTEGER, version INTEGER NOT NULL,
        PRIMARY KEY (stream_hash, position)
    ) WITHOUT ROWID;
    CREATE TABLE checkpoint (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        organisation BLOB NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL,
        row_count INTEGER NOT NULL, row_sum BLOB NOT NULL
    );";

/// Why there is no index to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the index is missing")]
    Missing,
    #[error("the index was written by an earlier version")]
    Older,
    #[error("the index is unreadable, or is that of another log")]
    Unreadable,
}

impl From<rusqlite::Error> for Unfit {
    fn from(_: rusqlite::Error) -> Self {
        Self::Unreadable
    }
}

/// The hash of a stream's name, as SQLite keeps integers.
pub(crate) fn stream_hash(stream: &str) -> i64 {
    let mut head = [0; 8];
    head.copy_from_slice(&blake3::hash(stream.as_bytes()).as_bytes()[..8]);
    i64::from_be_bytes(head)
}

/// Index rows of some commits, in memory.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) commands: HashMap<Uuid, Position>,
    /// By stream hash and position; the value is the greatest version.
    pub(crate) streams: BTreeMap<(i64, Position), u64>,
    /// Up to where these rows reach, once there are any.
    pub(crate) head: Option<Head>,
}

impl Rows {
    pub(crate) fn add(&mut self, commit: CommitRef<'_>) {
        let position = commit.position();
        self.commands.insert(commit.command_id(), position);
        for event in commit.events() {
            let key = (stream_hash(event.stream), position);
            let version = self.streams.entry(key).or_insert(event.version);
            *version = event.version.max(*version);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }
}

/// A connection to the index file.
#[derive(Debug)]
pub(crate) struct IndexFile {
    connection: Connection,
    /// Of the rows up to the checkpoint. Counted from what is written, never from what is read.
    totals: Totals,
}

/// What the file says about itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) head: Head,
    pub(crate) totals: Totals,
}

impl IndexFile {
    /// Opens an index that exists, is of this version and belongs to the organisation.
    pub(crate) fn open(dir: &Path, organisation: Uuid) -> Result<(Self, Head), Unfit> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Err(Unfit::Missing);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        let totals = Totals::default();
        let mut file = Self { connection, totals };
        file.configure("NORMAL")?;
        // No single bit that flips makes the present version look older.
        if (1..SCHEMA_VERSION).contains(&file.version()?) {
            return Err(Unfit::Older);
        }
        let checkpoint = file.checkpoint(organisation)?.ok_or(Unfit::Unreadable)?;
        file.totals = checkpoint.totals;
        Ok((file, checkpoint.head))
    }

    /// Whether the rows are still those that were written, and stand in pages to which more can be
    /// added. Reads everything twice: once as rows, once as pages.
    pub(crate) fn is_as_written(&self) -> bool {
        let mut found = Totals::default();
        let commands = self.for_each_command(|id, position| found.add(command_row(id, position)));
        let streams = self.for_each_stream(|stream, position, version| {
            found.add(stream_row(stream, position, version));
        });
        commands.is_ok() && streams.is_ok() && found == self.totals && self.has_sound_pages()
    }

    fn has_sound_pages(&self) -> bool {
        let sql = "PRAGMA quick_check(1)";
        let said = self.connection.query_row(sql, [], |row| row.get(0));
        said.is_ok_and(|said: String| said == "ok")
    }

    /// Whether the file is as long as it says. SQLite opens one that was cut, and fails only when
    /// it reaches the cut. For opening alone: it empties the write-ahead log first.
    pub(crate) fn is_uncut(&self, dir: &Path) -> bool {
        let size = |name: &str| {
            let number = |row: &rusqlite::Row<'_>| row.get::<_, u64>(0);
            self.connection.pragma_query_value(None, name, number)
        };
        let emptied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let (Ok(()), Ok(pages), Ok(page)) = (emptied, size("page_count"), size("page_size")) else {
            return false;
        };
        fs::metadata(dir.join(FILE)).is_ok_and(|file| file.len() >= pages.saturating_mul(page))
    }

    /// Creates an empty index in place of whatever is there.
    pub(crate) fn create(dir: &Path, organisation: Uuid) -> Result<Self, LogError> {
        remove(dir)?;
        let connection = Connection::open(dir.join(FILE))?;
        let totals = Totals::default();
        let file = Self { connection, totals };
        file.configure("OFF")?;
        file.connection.execute_batch(SCHEMA)?;
        file.connection
            .pragma_update(None, "user_version", SCHEMA_VERSION)?;
        file.write_checkpoint(organisation, Head::genesis(organisation), totals)?;
        Ok(file)
    }

    fn configure(&self, synchronous: &str) -> rusqlite::Result<()> {
        self.connection.busy_timeout(Duration::from_secs(10))?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "cache_size", -16_384)?;
        self.synchronous(synchronous)
    }

    /// `OFF` while building, when a crash means building again; `NORMAL` afterwards.
    pub(crate) fn synchronous(&self, mode: &str) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "synchronous", mode)
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
    }

    fn checkpoint(&self, organisation: Uuid) -> rusqlite::Result<Option<Checkpoint>> {
        if self.version()? != SCHEMA_VERSION {
            return Ok(None);
        }
        let sql = "SELECT position, hash, row_count, row_sum FROM checkpoint
            WHERE id = 1 AND organisation = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let (position, hash) = (row.get(0)?, Hash(row.get(1)?));
            let sum = u128::from_be_bytes(row.get::<_, [u8; SUM_BYTES]>(3)?);
            let rows = row.get(2)?;
            Ok(Checkpoint {
                head: Head { position, hash },
                totals: Totals { rows, sum },
            })
        };
        self.connection
            .query_row(sql, params![organisation.as_bytes()], read)
            .optional()
    }

    fn write_checkpoint(
        &self,
        organisation: Uuid,
        head: Head,
        totals: Totals,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO checkpoint VALUES (1, ?1, ?2, ?3, ?4, ?5)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![
            organisation.as_bytes(),
            head.position,
            head.hash.0,
            totals.rows,
            totals.sum.to_be_bytes()
        ])?;
        Ok(())
    }

    /// Writes rows and moves the checkpoint to their head, in one transaction.
    pub(crate) fn write(&mut self, organisation: Uuid, rows: &Rows) -> Result<(), LogError> {
        let Some(head) = rows.head else { return Ok(()) };
        let mut totals = self.totals;
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let written = self
            .write_rows(rows, &mut totals)
            .and_then(|()| self.write_checkpoint(organisation, head, totals))
            .and_then(|()| self.connection.execute_batch("COMMIT"));
        match written {
            Ok(()) => self.totals = totals,
            // A transaction that failed by itself is gone already; that is what is wanted.
            Err(_) => drop(self.connection.execute_batch("ROLLBACK")),
        }
        Ok(written?)
    }

    /// A row that is there already stays, uncounted: the same row cannot be due twice, so it is
    /// either counted already or does not belong there, which the totals then show.
    fn write_rows(&self, rows: &Rows, totals: &mut Totals) -> rusqlite::Result<()> {
        let mut commands: Vec<_> = rows.commands.iter().collect();
        commands.sort_unstable();
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO command VALUES (?1, ?2)")?;
        for (id, position) in commands {
            if insert.execute(params![id.as_bytes(), position])? == 1 {
                totals.add(command_row(*id, *position));
            }
        }
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO stream_commit VALUES (?1, ?2, ?3)")?;
        for ((stream, position), version) in &rows.streams {
            let version = stored_version(*version);
            if insert.execute(params![stream, position, version])? == 1 {
                totals.add(stream_row(*stream, *position, version));
            }
        }
        Ok(())
    }

    pub(crate) fn command(&self, id: Uuid) -> rusqlite::Result<Option<Position>> {
        let sql = "SELECT position FROM command WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement
            .query_row(params![id.as_bytes()], |row| row.get(0))
            .optional()
    }

    /// The greatest time-ordered command id there is. Such ids begin with a small byte until the
    /// year 2527, so nearly all random ones are left out of the search.
    pub(crate) fn last_command(&self) -> rusqlite::Result<Option<Uuid>> {
        let sql = "SELECT id FROM command WHERE id < x'10' ORDER BY id DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = Uuid::from_bytes(row.get(0)?);
            if is_time_ordered(&id) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Positions of a stream behind `after` with a version above `after_version`, in order.
    pub(crate) fn positions(
        &self,
        stream: i64,
        after: Position,
        after_version: Option<u64>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Position>> {
        let sql = "SELECT position FROM stream_commit WHERE stream_hash = ?1 AND position > ?2
            AND version >= ?3 ORDER BY position LIMIT ?4";
        let least = after_version.map_or(i64::MIN, |v| stored_version(v.saturating_add(1)));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![stream, after, least, limit], |row| row.get(0))?;
        rows.collect()
    }

    /// Positions before another, last first.
    pub(crate) fn last_positions(
        &self,
        stream: i64,
        before: Position,
        limit: usize,
    ) -> rusqlite::Result<Vec<Position>> {
        let sql = "SELECT position FROM stream_commit WHERE stream_hash = ?1 AND position < ?2
            ORDER BY position DESC LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![stream, before, limit], |row| row.get(0))?;
        rows.collect()
    }

    /// Begins a reading transaction that ends with the connection; gives the checkpoint in it.
    pub(crate) fn snapshot(&self, organisation: Uuid) -> Result<Checkpoint, Unfit> {
        self.connection.execute_batch("BEGIN")?;
        self.checkpoint(organisation)?.ok_or(Unfit::Unreadable)
    }

    /// All rows up to the checkpoint, in order of their keys.
    pub(crate) fn for_each_command(
        &self,
        mut visit: impl FnMut(Uuid, Position),
    ) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare("SELECT id, position FROM command")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(Uuid::from_bytes(row.get(0)?), row.get(1)?);
        }
        Ok(())
    }

    /// See [`IndexFile::for_each_command`].
    pub(crate) fn for_each_stream(
        &self,
        mut visit: impl FnMut(i64, Position, i64),
    ) -> rusqlite::Result<()> {
        let sql = "SELECT stream_hash, position, version FROM stream_commit";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?, row.get(1)?, row.get(2)?);
        }
        Ok(())
    }
}

/// SQLite has no unsigned 64-bit integers. Versions count events, so the clamp is never met.
pub(crate) fn stored_version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// Deletes the index and its companions.
pub(crate) fn remove(dir: &Path) -> Result<(), LogError> {
    for suffix in ["", "-wal", "-shm"] {
        let path: PathBuf = dir.join(format!("{FILE}{suffix}"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(LogError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
