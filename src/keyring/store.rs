//! The wrapped keys on disk: one SQLite database, of which no byte of a destroyed key stays.
//!
//! Rows are only appended, and destroying overwrites a key in its place with as many zeros. A row
//! therefore never moves, and no page keeps a stale copy of it; what the write-ahead log holds of
//! it goes when that is truncated.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use uuid::Uuid;

use crate::KeyError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS ring (
        organisation BLOB NOT NULL, proof BLOB NOT NULL, carried_out INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS keys (
        number INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL,
        destroyed INTEGER NOT NULL DEFAULT 0
    );
";
/// Overwriting is worth something only if nothing is written beside: pages that become free are
/// zeroed, temporary tables stay in memory, and nothing of the log outlives a checkpoint.
const PRAGMAS: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
    PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY;
";

/// What is kept for a subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Wrapped(Vec<u8>),
    Destroyed,
    Nothing,
}

/// The id of an organisation, and what a master key proves itself by.
pub(crate) type Owner = (Vec<u8>, Vec<u8>);

/// One connection to the database.
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    pub(crate) fn open(path: &Path) -> Result<Self, KeyError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(PRAGMAS)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Whose keys these are, and the proof that a master key is theirs; none in a new database.
    pub(crate) fn owner(&self) -> Result<Option<Owner>, KeyError> {
        let sql = "SELECT organisation, proof FROM ring";
        let found = self
            .connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    pub(crate) fn found(&self, organisation: Uuid, proof: &[u8]) -> Result<(), KeyError> {
        let sql = "INSERT INTO ring VALUES (?1, ?2, 0)";
        let values = params![organisation.as_bytes().as_slice(), proof];
        self.connection.execute(sql, values)?;
        Ok(())
    }

    pub(crate) fn find(&self, subject: &str) -> Result<Kept, KeyError> {
        let sql = "SELECT wrapped, destroyed FROM keys WHERE subject = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([subject], |row| {
            let destroyed: bool = row.get(1)?;
            Ok(match destroyed {
                true => Kept::Destroyed,
                false => Kept::Wrapped(row.get(0)?),
            })
        });
        Ok(found.optional()?.unwrap_or(Kept::Nothing))
    }

    /// Adds keys in one transaction. A subject that was destroyed in the meantime gets none.
    pub(crate) fn add(&mut self, keys: &[(String, Vec<u8>)], through: u64) -> Result<(), KeyError> {
        let transaction = self.connection.transaction()?;
        for (subject, wrapped) in keys {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO keys (subject, wrapped) VALUES (?1, ?2)")?
                .execute(params![subject, wrapped])?;
        }
        transaction
            .prepare_cached("UPDATE ring SET carried_out = max(carried_out, ?1)")?
            .execute([position(through)])?;
        Ok(transaction.commit()?)
    }

    /// Leaves nothing of the keys of some subjects but the fact that they were destroyed; `true`
    /// where there was anything to do.
    pub(crate) fn destroy(&mut self, subjects: &[String]) -> Result<bool, KeyError> {
        let transaction = self.connection.transaction()?;
        let mut changed = 0;
        for subject in subjects {
            changed += transaction.execute(
                "INSERT INTO keys (subject, wrapped, destroyed) VALUES (?1, x'', 1)
                 ON CONFLICT (subject) DO UPDATE
                 SET wrapped = zeroblob(length(wrapped)), destroyed = 1 WHERE destroyed = 0",
                [subject],
            )?;
        }
        transaction.commit()?;
        if changed > 0 {
            self.truncate()?;
        }
        Ok(changed > 0)
    }

    /// Moves the write-ahead log into the database and leaves it empty.
    fn truncate(&self) -> Result<(), KeyError> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: bool = self.connection.query_row(sql, [], |row| row.get(0))?;
        if busy {
            let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(rusqlite::Error::SqliteFailure(busy, None).into());
        }
        Ok(())
    }

    /// Writes every key anew; `rewrap` gets a subject and its wrapped key.
    pub(crate) fn replace(
        &mut self,
        proof: &[u8],
        mut rewrap: impl FnMut(&str, &[u8]) -> Result<Vec<u8>, KeyError>,
    ) -> Result<(), KeyError> {
        let transaction = self.connection.transaction()?;
        let mut last = 0_i64;
        let sql = "SELECT number, subject, wrapped FROM keys
                   WHERE number > ?1 AND destroyed = 0 ORDER BY number LIMIT 1";
        loop {
            let next = transaction
                .prepare_cached(sql)?
                .query_row([last], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, Vec<u8>>(2)?,
                    ))
                })
                .optional()?;
            let Some((number, subject, wrapped)) = next else {
                break;
            };
            transaction
                .prepare_cached("UPDATE keys SET wrapped = ?2 WHERE number = ?1")?
                .execute(params![number, rewrap(&subject, &wrapped)?])?;
            last = number;
        }
        transaction.execute("UPDATE ring SET proof = ?1", [proof])?;
        transaction.commit()?;
        self.truncate()
    }

    /// The position up to which erasures on the record were carried out.
    pub(crate) fn carried_out(&self) -> Result<u64, KeyError> {
        let sql = "SELECT carried_out FROM ring";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    pub(crate) fn carry_out(&self, through: u64) -> Result<(), KeyError> {
        let sql = "UPDATE ring SET carried_out = ?1";
        self.connection.execute(sql, [position(through)])?;
        Ok(())
    }

    /// How many keys there are, and how many were destroyed.
    pub(crate) fn count(&self) -> Result<(u64, u64), KeyError> {
        let sql = "SELECT count(*) FILTER (WHERE destroyed = 0),
                          count(*) FILTER (WHERE destroyed = 1) FROM keys";
        Ok(self
            .connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }
}

/// Copies all of a database to a new file, and changes nothing of it.
pub(crate) fn copy(source: &Path, target: &str) -> Result<(), KeyError> {
    let source = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.execute("VACUUM INTO ?1", [target])?;
    Ok(())
}

/// Positions are far below what SQLite counts to.
fn position(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
