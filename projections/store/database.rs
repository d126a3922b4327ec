//! The files of the read models: which one serves, and how another one takes its place.
//!
//! A file is named after the fingerprint of all read models. A build whose read models differ
//! does not find its file and rebuilds; a file under construction has another name until it is
//! complete, so a crash in the middle leaves nothing that could be mistaken for the real one.
//! A file that takes the place of another has the next number in its name: readers may still have
//! the old one open, and what SQLite keeps beside a file goes by its name.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Projector, ReadModel, Readers, StoreError, digest,
    projector::Definitions,
    row::{HELD_BY, HELD_IN},
    search,
};

/// Where the read models of one organisation live.
pub struct Database {
    folder: PathBuf,
    models: &'static [ReadModel],
}

/// Prepared statements that a projector keeps: a few for each table, and one for each set of
/// columns that facts change together.
const STATEMENTS: usize = 512;
/// Raised whenever the store writes the same rows in another way, so that the next start rebuilds.
const STORE_VERSION: u32 = 2;

const COMMON_SCHEMA: &str = "
    CREATE TABLE checkpoint (position INTEGER NOT NULL, recorded_at INTEGER NOT NULL);
    INSERT INTO checkpoint VALUES (0, 0);
    CREATE TABLE parked (
        read_model TEXT NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL,
        problem TEXT NOT NULL, PRIMARY KEY (read_model, stream)
    );
";

impl Database {
    /// The read models in a folder, which is made where it is missing.
    pub fn new(folder: &Path, models: &'static [ReadModel]) -> Result<Self, StoreError> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            models,
        })
    }

    /// The position of the complete database of these read models; none where it must be rebuilt.
    pub fn position(&self) -> Option<u64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.path(), flags).ok()?;
        checkpoint(&connection).ok().map(|(position, _)| position)
    }

    /// The file that serves, or that would be the first.
    pub fn path(&self) -> PathBuf {
        self.numbered(self.newest().unwrap_or(0))
    }

    fn numbered(&self, number: u64) -> PathBuf {
        let name = format!("read-models-{}", self.fingerprint());
        self.folder.join(match number {
            0 => format!("{name}.sqlite"),
            number => format!("{name}.{number}.sqlite"),
        })
    }

    /// The number of the newest file; none where there is none of these read models.
    fn newest(&self) -> Option<u64> {
        let name = format!("read-models-{}.", self.fingerprint());
        let number = |file: &str| match file.strip_prefix(&name)?.strip_suffix("sqlite")? {
            "" => Some(0),
            number => number.strip_suffix('.')?.parse().ok(),
        };
        let entries = fs::read_dir(&self.folder).ok()?.flatten();
        let names = entries.map(|entry| entry.file_name());
        names.filter_map(|file| number(file.to_str()?)).max()
    }

    /// Continues the database that serves, for live projection.
    pub fn projector(&self) -> Result<Projector, StoreError> {
        let connection = Connection::open(self.path())?;
        prepare_live(&connection)?;
        Projector::new(connection, self.models)
    }

    /// Moves what live projection writes from the WAL into the database, beside it.
    pub fn checkpointer(&self) -> Result<Checkpointer, StoreError> {
        let connection = Connection::open(self.path())?;
        connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 20;")?;
        Ok(Checkpointer(connection))
    }

    /// Readers of the database that serves.
    pub fn readers(&self) -> Readers {
        Readers::new(self.path())
    }

    /// Begins an empty database beside the one that serves.
    pub fn begin_rebuild(&self) -> Result<Projector, StoreError> {
        let path = self.rebuild_path();
        remove(&path)?;
        let connection = Connection::open(&path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
        )?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(COMMON_SCHEMA)?;
        connection.execute_batch(search::SCHEMA)?;
        let definitions = self.definitions();
        connection.execute_batch(&definitions.tables.join(";"))?;
        note_changed_hands(&connection, &definitions)?;
        Projector::new(connection, self.models)
    }

    /// Completes a database begun with [`Database::begin_rebuild`]: makes its indexes and returns
    /// the digest of its content. It does not serve before [`Database::adopt`].
    pub fn finish_rebuild(&self, mut projector: Projector) -> Result<String, StoreError> {
        projector.flush()?;
        let connection = projector.connection();
        let definitions = self.definitions();
        connection.execute_batch(&definitions.indexes.join(";"))?;
        hand_over(connection, &definitions)?;
        connection.execute_batch(&definitions.triggers.join(";"))?;
        connection.execute_batch("PRAGMA optimize = 0x10002;")?;
        let digest = digest::of(connection, &self.table_names())?;
        drop(projector);
        fs::File::open(self.rebuild_path())?.sync_all()?;
        Ok(digest)
    }

    /// Puts the rebuilt database in the place of the one that serves, of which no file stays. Its
    /// projector and checkpointer must be gone; snapshots of it may live on until they are dropped,
    /// and [`Readers::follow`] takes readers to the new one.
    pub fn adopt(&self) -> Result<(), StoreError> {
        let next = self.newest().map_or(0, |number| number + 1);
        fs::rename(self.rebuild_path(), self.numbered(next))?;
        self.remove_others()
    }

    /// The digest of the content of the database that serves, and its position.
    pub fn digest(&self) -> Result<(u64, String), StoreError> {
        let connection =
            Connection::open_with_flags(self.path(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch("BEGIN")?;
        let (position, _) = checkpoint(&connection)?;
        Ok((position, digest::of(&connection, &self.table_names())?))
    }

    /// A name that differs whenever a read model differs.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&STORE_VERSION.to_le_bytes());
        let Definitions {
            tables,
            indexes,
            triggers,
            ..
        } = self.definitions();
        for text in tables.iter().chain(&indexes).chain(&triggers) {
            hasher.update(text.as_bytes());
        }
        for model in self.models {
            hasher
                .update(model.name.as_bytes())
                .update(&model.version.to_le_bytes());
        }
        hasher.finalize().to_hex().chars().take(12).collect()
    }

    fn definitions(&self) -> Definitions {
        let mut definitions = Definitions::default();
        crate::audit::define(&mut definitions);
        for model in self.models {
            (model.tables)(&mut definitions);
        }
        definitions
    }

    fn table_names(&self) -> Vec<String> {
        let quoted = |sql: &String| sql.split('"').nth(1).map(str::to_owned);
        self.definitions()
            .tables
            .iter()
            .filter_map(quoted)
            .collect()
    }

    fn rebuild_path(&self) -> PathBuf {
        self.folder
            .join(format!("read-models-{}.rebuild", self.fingerprint()))
    }

    fn remove_others(&self) -> Result<(), StoreError> {
        let own = self.path();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let stale = name.starts_with("read-models-")
                && (name.ends_with(".sqlite") || name.ends_with(".rebuild"));
            if stale && path != own {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

/// During a rebuild there is no index by which the rows that follow a changed one are found. So
/// what changed is noted, and taken over when the indexes are there.
fn note_changed_hands(
    connection: &Connection,
    definitions: &Definitions,
) -> Result<(), StoreError> {
    let holders: BTreeSet<_> = definitions.held.iter().map(|(_, holder)| holder).collect();
    for holder in holders {
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE changed_{holder} (id TEXT PRIMARY KEY) WITHOUT ROWID;
             CREATE TEMP TRIGGER note_{holder} AFTER UPDATE OF owner, territory ON main.{holder}
             BEGIN
                 INSERT OR IGNORE INTO changed_{holder} VALUES (new.id);
             END;"
        ))?;
    }
    Ok(())
}

fn hand_over(connection: &Connection, definitions: &Definitions) -> Result<(), StoreError> {
    for (table, holder) in &definitions.held {
        connection.execute_batch(&format!(
            "UPDATE main.\"{table}\" SET ({HELD_BY}, {HELD_IN}) =
                 (SELECT owner, territory FROM {holder} WHERE id = \"{table}\".{holder})
             WHERE {holder} IN (SELECT id FROM temp.changed_{holder})"
        ))?;
    }
    Ok(())
}

/// Pages of a WAL that is to begin anew: 16 MB.
const LONG_WAL_PAGES: i64 = 4_000;

/// Moves pages from the WAL into the database, without keeping anybody waiting.
pub struct Checkpointer(Connection);

impl Checkpointer {
    /// Moves what is in the WAL. Under load more comes in meanwhile, and a WAL that is never empty
    /// only grows: a long one is therefore moved once more with the projector held up, which has
    /// little left to wait for.
    pub fn run(&self) -> Result<(), StoreError> {
        if self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)")? > LONG_WAL_PAGES {
            self.checkpoint("PRAGMA wal_checkpoint(RESTART)")?;
        }
        Ok(())
    }

    /// How many pages the WAL has.
    fn checkpoint(&self, sql: &str) -> Result<i64, StoreError> {
        let mut checkpoint = self.0.prepare_cached(sql)?;
        Ok(checkpoint.query_row([], |row| row.get(1))?)
    }
}

/// The projector moves the WAL itself only where it has grown to 64 MB in spite of the
/// [`Checkpointer`].
fn prepare_live(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;
         PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -32768;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

pub(crate) fn checkpoint(connection: &Connection) -> Result<(u64, i64), StoreError> {
    let sql = "SELECT position, recorded_at FROM checkpoint";
    let (position, recorded_at) = connection
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((position, recorded_at))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
