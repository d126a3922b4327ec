//! Reading: a snapshot answers everything it is asked from one position.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use daybook_schema::kernel::DateTime;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params_from_iter, types::Value};

use super::{
    Condition, Cursor, Database, Document, Page, PageRequest, Row, SearchHit, StoreError, View,
    database, search, search_query,
    view::{Restriction, Way, Ways},
};

/// Idle connections that are kept open for those who see everything.
const IDLE_CONNECTIONS: usize = 32;
/// Idle connections that are kept open for all views together.
const IDLE_RESTRICTED: usize = 64;
/// Virtual-machine steps between two looks at the clock.
const STEPS_BETWEEN_CHECKS: i32 = 20_000;

/// The words are in the main schema: there is nothing to see in them but through their objects.
const HITS: &str = "
    SELECT object_table, id FROM main.search_text
    JOIN search_object ON search_object.number = search_text.rowid
    WHERE search_text MATCH ?1 AND object_table IN (SELECT value FROM json_each(?2))
    ORDER BY bm25(search_text), id LIMIT ?3";

/// Connections to one database of read models.
#[derive(Clone)]
pub struct Readers(Arc<Pool>);

struct Pool {
    serving: Mutex<Serving>,
}

/// The database that serves, and the connections to it that nobody uses.
struct Serving {
    path: Arc<PathBuf>,
    idle: Idle,
}

/// Connections that nobody uses.
#[derive(Default)]
struct Idle {
    full: Vec<Connection>,
    /// The one that was used last comes last.
    restricted: Vec<(Connection, Restriction)>,
}

impl Idle {
    fn take_restricted(&mut self, view: &Arc<View>) -> Option<(Connection, Restriction)> {
        let same = |own: &Arc<View>| Arc::ptr_eq(own, view) || own == view;
        let mut idle = self.restricted.iter();
        let place = idle.rposition(|(_, restriction)| same(&restriction.view))?;
        Some(self.restricted.remove(place))
    }

    fn put(&mut self, connection: Connection, restriction: Option<Restriction>) {
        match restriction {
            None if self.full.len() < IDLE_CONNECTIONS => self.full.push(connection),
            None => {}
            Some(restriction) => {
                if self.restricted.len() >= IDLE_RESTRICTED {
                    self.restricted.remove(0);
                }
                self.restricted.push((connection, restriction));
            }
        }
    }
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        let serving = Serving {
            path: Arc::new(path),
            idle: Idle::default(),
        };
        Self(Arc::new(Pool {
            serving: Mutex::new(serving),
        }))
    }

    /// Goes on with another database that took the place of this one. Nothing of the old one stays
    /// open but the snapshots that are being read.
    pub fn follow(&self, database: &Database) {
        let path = Arc::new(database.path());
        let idle = Idle::default();
        *lock(&self.0.serving) = Serving { path, idle };
    }

    /// Begins to read at the position reached now. Queries stop with
    /// [`StoreError::Interrupted`] once the deadline has passed.
    pub fn snapshot(&self, deadline: Option<Instant>) -> Result<Snapshot, StoreError> {
        let (connection, path) = self.connection(|idle| idle.full.pop(), Ok)?;
        self.begin((connection, path), None, deadline)
    }

    /// The same for an identity that may not see everything: all answers are as if nothing else
    /// were there.
    pub fn snapshot_for(
        &self,
        deadline: Option<Instant>,
        view: &Arc<View>,
    ) -> Result<Snapshot, StoreError> {
        let restrict = |connection| {
            let restriction = Restriction::new(&connection, view)?;
            Ok((connection, restriction))
        };
        let idle = |idle: &mut Idle| idle.take_restricted(view);
        let ((connection, restriction), path) = self.connection(idle, restrict)?;
        self.begin((connection, path), Some(restriction), deadline)
    }

    fn begin(
        &self,
        (mut connection, path): (Connection, Arc<PathBuf>),
        mut restriction: Option<Restriction>,
        deadline: Option<Instant>,
    ) -> Result<Snapshot, StoreError> {
        let late = deadline.map(|deadline| move || Instant::now() > deadline);
        connection.progress_handler(STEPS_BETWEEN_CHECKS, late)?;
        connection.prepare_cached("BEGIN")?.execute([])?;
        let (position, recorded_at) = database::checkpoint(&connection)?;
        if let Some(restriction) = &mut restriction {
            let begun = restriction.begin(&connection, position);
            begun.map_err(StoreError::in_query)?;
        }
        Ok(Snapshot {
            pool: self.0.clone(),
            restricted: restriction.is_some(),
            path,
            inner: Mutex::new(Inner {
                connection: Some(connection),
                restriction,
                statements: 0,
            }),
            position,
            recorded_at: DateTime::from_micros(recorded_at),
        })
    }

    /// A connection, an idle one or else a new one made ready, and the database that it reads.
    fn connection<T>(
        &self,
        idle: impl Fn(&mut Idle) -> Option<T>,
        make_ready: impl Fn(Connection) -> Result<T, StoreError>,
    ) -> Result<(T, Arc<PathBuf>), StoreError> {
        loop {
            let path = {
                let mut serving = lock(&self.0.serving);
                if let Some(connection) = idle(&mut serving.idle) {
                    return Ok((connection, serving.path.clone()));
                }
                serving.path.clone()
            };
            match Self::connect(&path).and_then(&make_ready) {
                Ok(connection) => return Ok((connection, path)),
                // Another database took its place between the two looks.
                Err(_) if !Arc::ptr_eq(&path, &lock(&self.0.serving).path) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn connect(path: &Path) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.execute_batch(
            "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8192; PRAGMA mmap_size = 268435456;
             PRAGMA temp_store = MEMORY;",
        )?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(connection)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The read models at one position.
pub struct Snapshot {
    pool: Arc<Pool>,
    restricted: bool,
    path: Arc<PathBuf>,
    inner: Mutex<Inner>,
    position: u64,
    recorded_at: DateTime,
}

struct Inner {
    connection: Option<Connection>,
    restriction: Option<Restriction>,
    statements: u32,
}

/// An object whose answers have a hole, because one of its events could not be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    /// The read model.
    pub read_model: String,
    /// The object.
    pub stream: String,
    /// The position from which on its events are missing.
    pub position: u64,
    /// Why.
    pub problem: String,
}

impl Snapshot {
    /// The position from which everything is answered.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When the commit at that position was recorded.
    pub fn recorded_at(&self) -> DateTime {
        self.recorded_at
    }

    /// Whether there may be more than is seen here.
    pub fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// Which of these objects are seen. In a full snapshot all are, whether they are there or not.
    pub fn visible(&self, ids: &[String]) -> Result<HashSet<String>, StoreError> {
        let sql = match &lock(&self.inner).restriction {
            Some(Restriction { object_seen, .. }) => {
                format!("SELECT asked.value FROM json_each(?1) AS asked WHERE {object_seen}")
            }
            None => return Ok(ids.iter().cloned().collect()),
        };
        let ids = Value::Text(serde_json::to_string(ids)?);
        let seen = self.select(&sql, vec![ids], |row| row.get(0))?;
        Ok(seen.into_iter().collect())
    }

    /// How many statements were run so far, to prove that nothing is asked for row by row.
    pub fn statements(&self) -> u32 {
        lock(&self.inner).statements
    }

    /// One object.
    pub fn get<R: Row>(&self, id: &str) -> Result<Option<R>, StoreError> {
        self.document::<R>(id)?
            .map(|document| document.row())
            .transpose()
    }

    /// One object, as it is kept.
    pub fn document<R: Row>(&self, id: &str) -> Result<Option<Document<R>>, StoreError> {
        let way = self.way(|ways, _| Ok(ways.for_ids(R::TABLE)))?;
        let table = way.view(R::TABLE);
        let sql = format!("SELECT id, document FROM \"{table}\" WHERE id = ?1");
        self.read(&sql, |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement.query_row([id], document).optional()?)
        })
    }

    /// Several objects by one statement, in no particular order; unknown ids are left out.
    pub fn documents<R: Row>(&self, ids: &[String]) -> Result<Vec<Document<R>>, StoreError> {
        let way = self.way(|ways, _| Ok(ways.for_ids(R::TABLE)))?;
        let table = way.view(R::TABLE);
        let sql = format!(
            "SELECT id, document FROM \"{table}\" WHERE id IN (SELECT value FROM json_each(?1))"
        );
        self.read(&sql, |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([serde_json::to_string(ids)?], document)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A part of a list.
    pub fn page<R: Row>(&self, request: &PageRequest) -> Result<Page<R>, StoreError> {
        let way =
            self.way(|ways, connection| ways.for_page(connection, R::TABLE, self.position))?;
        let sql = request.sql::<R>(way, self.restricted);
        let mut rows = self.read(&sql.text, |connection| {
            let mut statement = connection.prepare_cached(&sql.text)?;
            let mut found = statement.query(params_from_iter(sql.parameters))?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                let document = document(row)?;
                let keys: Result<Vec<Value>, _> = (0..request.order.len())
                    .map(|key| row.get(key + 2))
                    .collect();
                let cursor = Cursor::new(keys?, document.id().to_owned());
                rows.push((document, cursor));
            }
            Ok(rows)
        })?;
        let more = rows.len() > request.limit;
        rows.truncate(request.limit);
        let (mut has_next, mut has_previous) = (more, request.after.is_some());
        if request.backwards {
            rows.reverse();
            (has_next, has_previous) = (request.before.is_some(), more);
        }
        Ok(Page {
            rows,
            has_next,
            has_previous,
        })
    }

    /// How many rows a list has.
    pub fn count<R: Row>(&self, condition: &Condition) -> Result<u64, StoreError> {
        let way =
            self.way(|ways, connection| ways.for_count(connection, R::TABLE, self.position))?;
        let sql = condition.count_sql::<R>(way);
        self.read(&sql.text, |connection| {
            let mut statement = connection.prepare_cached(&sql.text)?;
            Ok(statement.query_row(params_from_iter(sql.parameters), |row| row.get(0))?)
        })
    }

    /// The objects of some tables that hold all the words a person typed, best match first.
    pub fn search(
        &self,
        typed: &str,
        tables: &[&str],
        limit: usize,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let Some(mut query) = search_query(typed) else {
            return Ok(Vec::new());
        };
        let hides = |restriction: &Restriction| restriction.hides_personal(tables);
        if lock(&self.inner).restriction.as_ref().is_some_and(hides) {
            query = search::without_personal(&query);
        }
        self.read(HITS, |connection| {
            let mut statement = connection.prepare_cached(HITS)?;
            let tables = serde_json::to_string(tables)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let hits = statement.query_map((query, tables, limit), |row| {
                Ok(SearchHit {
                    table: row.get(0)?,
                    id: row.get(1)?,
                })
            })?;
            Ok(hits.collect::<Result<_, _>>()?)
        })
    }

    /// The objects whose answers have a hole, up to a hundred.
    pub fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        let sql = "SELECT read_model, stream, position, problem FROM parked LIMIT 100";
        self.select(sql, Vec::new(), |row| {
            Ok(Parked {
                read_model: row.get(0)?,
                stream: row.get(1)?,
                position: row.get(2)?,
                problem: row.get(3)?,
            })
        })
    }

    /// Rows of a statement written by a read model.
    pub(crate) fn select<T>(
        &self,
        sql: &str,
        parameters: Vec<Value>,
        map: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(sql, |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params_from_iter(parameters), map)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The way that a list goes.
    fn way(
        &self,
        choose: impl FnOnce(&mut Ways, &Connection) -> Result<Way, StoreError>,
    ) -> Result<Way, StoreError> {
        let mut inner = lock(&self.inner);
        match &mut *inner {
            Inner {
                connection: Some(connection),
                restriction: Some(restriction),
                ..
            } => choose(&mut restriction.ways, connection).map_err(StoreError::in_query),
            _ => Ok(Way::Plain),
        }
    }

    fn read<T>(
        &self,
        sql: &str,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = lock(&self.inner);
        inner.statements += 1;
        let Inner {
            connection: Some(connection),
            restriction,
            ..
        } = &mut *inner
        else {
            return Err(StoreError::Interrupted);
        };
        if let Some(restriction) = restriction
            && let Err(error) = restriction.prepare(connection, sql)
        {
            // Stopping a statement that writes ends the transaction, and with it all that is
            // known of this position: nothing more may be read here.
            inner.connection = None;
            return Err(error.in_query());
        }
        question(connection).map_err(StoreError::in_query)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut inner = lock(&self.inner);
        let restriction = inner.restriction.take();
        let Some(connection) = inner.connection.take() else {
            return;
        };
        let ended = connection
            .prepare_cached("COMMIT")
            .and_then(|mut end| end.execute([]));
        let mut serving = lock(&self.pool.serving);
        if ended.is_ok() && Arc::ptr_eq(&self.path, &serving.path) {
            serving.idle.put(connection, restriction);
        }
    }
}

fn document<R>(row: &rusqlite::Row<'_>) -> rusqlite::Result<Document<R>> {
    Ok(Document::new(
        row.get_ref(0)?.as_str()?,
        row.get_ref(1)?.as_bytes()?,
    ))
}
