//! Folds commits into rows, in the order of the log, and writes them with the position reached.

use std::collections::HashSet;

use daybook_schema::{DomainEvent, commit::CommitMeta};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    Decoded, Entry, FoldError, Row, StoreError, Tables,
    commit::DecodedEvent,
    database,
    mask::Marks,
    row::{HELD_BY, HELD_IN},
};

/// One event with everything that a fold may want to know of it.
pub struct Fact<'a> {
    /// The position of the commit.
    pub position: u64,
    /// The place of the event in its commit, from 0.
    pub index: usize,
    /// The command that caused it.
    pub command_id: Uuid,
    /// The stream, which is the id of the object.
    pub stream: &'a str,
    /// The version of the stream after the event.
    pub version: u64,
    /// Who, when, why.
    pub meta: &'a CommitMeta,
    /// What happened.
    pub event: DomainEvent,
}

impl Fact<'_> {
    /// The id of the object that the event is about.
    pub(crate) fn id<Id: std::str::FromStr>(&self) -> Result<Id, FoldError> {
        let missing = |_| FoldError::Missing {
            table: "stream",
            id: self.stream.to_owned(),
        };
        self.stream.parse().map_err(missing)
    }
}

/// A family of tables that one context folds.
pub struct ReadModel {
    /// Its name.
    pub name: &'static str,
    /// Raised whenever the tables or the fold change, so that the next start rebuilds.
    pub version: u32,
    /// Declares its tables.
    pub tables: fn(&mut Definitions),
    /// Applies one event. It looks before it writes: an error must leave the rows as they were.
    pub fold: fn(&Fact<'_>, &mut Tables) -> Result<(), FoldError>,
}

/// The data definition of all tables, collected from the read models.
#[derive(Default)]
pub struct Definitions {
    pub(crate) tables: Vec<String>,
    pub(crate) indexes: Vec<String>,
    /// Triggers of a database that serves; a rebuild has its own way.
    pub(crate) triggers: Vec<String>,
    /// The tables whose rows follow those of another one, and that one.
    pub(crate) held: Vec<(&'static str, &'static str)>,
    /// What of each table is not for everybody.
    pub(crate) marks: Vec<Marks>,
}

impl Definitions {
    /// A table of documents.
    pub fn rows<R: Row>(&mut self) {
        let mut columns: String = R::COLUMNS.iter().map(definition).collect();
        if R::HOLDER.is_some() {
            columns.push_str(&format!("{HELD_BY} TEXT, {HELD_IN} TEXT,"));
        }
        self.tables.push(format!(
            "CREATE TABLE \"{}\" (row_number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, \
             position INTEGER NOT NULL, {columns} document TEXT NOT NULL)",
            R::TABLE
        ));
        self.index(R::TABLE, R::COLUMNS, "id");
        if let Some(holder) = R::HOLDER {
            self.held_by(R::TABLE, holder);
        }
        self.marks.push(Marks::of_rows::<R>());
    }

    /// What keeps a table in line with the hands of what its rows follow. A row is written with
    /// them, so only changes are left.
    fn held_by(&mut self, table: &'static str, holder: &'static str) {
        self.index_on(table, &[HELD_BY, "id"]);
        self.index_on(table, &[HELD_IN, "id"]);
        self.held.push((table, holder));
        self.triggers.push(format!(
            "CREATE TRIGGER \"{table}_changes_hands\" AFTER UPDATE OF owner, territory ON {holder}
             BEGIN
                 UPDATE \"{table}\" SET {HELD_BY} = new.owner, {HELD_IN} = new.territory
                 WHERE {holder} = new.id;
             END"
        ));
        self.triggers.push(format!(
            "CREATE TRIGGER \"{table}_changes_{holder}\" AFTER UPDATE OF {holder} ON \"{table}\"
             BEGIN
                 UPDATE \"{table}\" SET ({HELD_BY}, {HELD_IN}) =
                     (SELECT owner, territory FROM {holder} WHERE id = new.{holder})
                 WHERE row_number = new.row_number;
             END"
        ));
    }

    /// A ledger.
    pub fn entries<E: Entry>(&mut self) {
        let columns: String = E::COLUMNS.iter().map(definition).collect();
        self.tables.push(format!(
            "CREATE TABLE \"{}\" ({columns} row_number INTEGER PRIMARY KEY)",
            E::TABLE
        ));
        self.index(E::TABLE, E::COLUMNS, "row_number");
        self.marks.push(Marks::of_entries::<E>());
    }

    /// An index over several columns of a table, for a question that one column does not answer.
    pub(crate) fn index_on(&mut self, table: &str, columns: &[&str]) {
        let (name, columns) = (columns.join("_"), columns.join(", "));
        self.indexes.push(format!(
            "CREATE INDEX \"{table}_by_{name}\" ON \"{table}\" ({columns})"
        ));
    }

    fn index(&mut self, table: &str, columns: &[super::Column], last: &str) {
        for column in columns.iter().filter(|column| column.indexed) {
            let name = column.name;
            self.indexes.push(format!(
                "CREATE INDEX \"{table}_by_{name}\" ON \"{table}\" ({name}, {last})"
            ));
        }
    }
}

fn definition(column: &super::Column) -> String {
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{} {}{null}, ", column.name, column.kind.sql())
}

/// Writes one database of read models.
pub struct Projector {
    models: &'static [ReadModel],
    tables: Tables,
    position: u64,
    recorded_at: i64,
    parked: HashSet<(&'static str, String)>,
    newly_parked: Vec<NewlyParked>,
}

struct NewlyParked {
    model: &'static str,
    stream: String,
    position: u64,
    problem: String,
}

impl Projector {
    pub(crate) fn new(
        connection: Connection,
        models: &'static [ReadModel],
    ) -> Result<Self, StoreError> {
        let (position, recorded_at) = database::checkpoint(&connection)?;
        let parked = parked(&connection, models)?;
        let tables = Tables::new(connection, position == 0);
        Ok(Self {
            models,
            tables,
            position,
            recorded_at,
            parked,
            newly_parked: Vec::new(),
        })
    }

    /// The last position applied; written only after [`Projector::flush`].
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Keeps the memory bounded during a rebuild, with as little writing as possible. What is
    /// written is complete only after [`Projector::flush`].
    pub fn relieve(&mut self) -> Result<(), StoreError> {
        if self.tables.is_full() {
            self.transaction(|projector| projector.tables.relieve())?;
        }
        Ok(())
    }

    /// Folds one commit into the rows in memory.
    pub fn fold(&mut self, commit: Decoded) -> Result<(), StoreError> {
        if commit.position != self.position + 1 {
            return Err(StoreError::Gap {
                at: self.position,
                got: commit.position,
            });
        }
        crate::audit::record(&commit, &mut self.tables);
        let Decoded {
            position,
            command_id,
            meta,
            events,
        } = commit;
        for (index, event) in events.into_iter().enumerate() {
            let DecodedEvent {
                stream,
                version,
                content,
            } = event;
            match content {
                Ok(event) => self.fold_event(&Fact {
                    position,
                    index,
                    command_id,
                    stream: &stream,
                    version,
                    meta: &meta,
                    event,
                })?,
                Err(unreadable) => {
                    for model in self.models {
                        self.park(model.name, &stream, position, unreadable.problem.clone());
                    }
                }
            }
        }
        self.position = position;
        self.recorded_at = meta.recorded_at.micros();
        Ok(())
    }

    fn fold_event(&mut self, fact: &Fact<'_>) -> Result<(), StoreError> {
        for model in self.models {
            if self.is_parked(model.name, fact.stream) {
                continue;
            }
            match (model.fold)(fact, &mut self.tables) {
                Ok(()) => {}
                Err(FoldError::Store(error)) => return Err(error),
                Err(problem) => {
                    self.park(model.name, fact.stream, fact.position, problem.to_string());
                }
            }
        }
        Ok(())
    }

    fn is_parked(&self, model: &'static str, stream: &str) -> bool {
        !self.parked.is_empty() && self.parked.contains(&(model, stream.to_owned()))
    }

    fn park(&mut self, model: &'static str, stream: &str, position: u64, problem: String) {
        if self.parked.insert((model, stream.to_owned())) {
            let stream = stream.to_owned();
            self.newly_parked.push(NewlyParked {
                model,
                stream,
                position,
                problem,
            });
        }
    }

    /// Writes the changed rows and the position reached in one transaction. Returns what was
    /// parked since the last time, as one line each, so that an alarm can be raised.
    pub fn flush(&mut self) -> Result<Vec<String>, StoreError> {
        self.transaction(Self::write)
    }

    fn transaction<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.tables.connection().execute_batch("BEGIN IMMEDIATE")?;
        let written = write(self);
        let end = if written.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        self.tables.connection().execute_batch(end)?;
        written
    }

    fn write(&mut self) -> Result<Vec<String>, StoreError> {
        self.tables.flush()?;
        let connection = self.tables.connection();
        let mut alarms = Vec::new();
        for NewlyParked {
            model,
            stream,
            position,
            problem,
        } in self.newly_parked.drain(..)
        {
            connection
                .prepare_cached("INSERT OR IGNORE INTO parked VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![
                    model,
                    stream,
                    super::row::Cell::cell(&position),
                    problem
                ])?;
            alarms.push(format!("{model} parked {stream} at {position}: {problem}"));
        }
        connection
            .prepare_cached("UPDATE checkpoint SET position = ?1, recorded_at = ?2")?
            .execute(params![
                super::row::Cell::cell(&self.position),
                self.recorded_at
            ])?;
        Ok(alarms)
    }

    /// Forgets all rows after they were written, so that the next fold reads them back.
    #[cfg(test)]
    pub(crate) fn forget(&mut self) {
        self.tables.forget();
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.tables.connection()
    }
}

fn parked(
    connection: &Connection,
    models: &'static [ReadModel],
) -> Result<HashSet<(&'static str, String)>, StoreError> {
    let mut statement = connection.prepare("SELECT read_model, stream FROM parked")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut parked = HashSet::new();
    for row in rows {
        let (name, stream): (String, String) = row?;
        if let Some(model) = models.iter().find(|model| model.name == name) {
            parked.insert((model.name, stream));
        }
    }
    Ok(parked)
}
