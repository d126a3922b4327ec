//! The rows that a batch of commits works on, in memory until they are written.

use std::{
    any::{Any, TypeId},
    collections::BTreeSet,
};

use rusqlite::{Connection, types::Value};

use super::{
    Entry, Fact, Row, Stamp, StoreError,
    lines::Lines,
    rows::{FastMap, Rows},
};

/// How many rows of all tables together stay in memory between two batches: 100 to 200 MB.
const KEPT_ROWS: usize = 64_000;
/// How many lines of ledgers wait until a rebuild writes them.
const PENDING_LINES: usize = 16_000;

/// Why an event could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The event is about a row that is not there.
    #[error("`{id}` is not in `{table}`")]
    Missing {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
    },
    /// A calculation left the range that can be kept exactly.
    #[error("`{id}` cannot be calculated: {message}")]
    OutOfRange {
        /// The row.
        id: String,
        /// What could not be calculated.
        message: String,
    },
    /// The store itself failed; the batch is given up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The working set of all tables.
pub struct Tables {
    connection: Connection,
    sets: FastMap<TypeId, Box<dyn Set>>,
    /// Whether the database was empty at the beginning, so that what is not in memory is nowhere.
    from_nothing: bool,
}

impl Tables {
    pub(crate) fn new(connection: Connection, from_nothing: bool) -> Self {
        Self {
            connection,
            sets: FastMap::default(),
            from_nothing,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Puts a new row in its table; a row with the same id is replaced.
    pub fn insert<R: Row>(&mut self, row: R) {
        let id = row.id();
        self.rows::<R>().0.put(&id, Some(row));
    }

    /// Takes a row out of its table.
    pub fn remove<R: Row>(&mut self, id: &str) {
        self.rows::<R>().0.put(id, None);
    }

    /// The row, if it is there.
    pub fn get<R: Row>(&mut self, id: &str) -> Result<Option<&R>, StoreError> {
        let (rows, connection) = self.rows::<R>();
        rows.get(connection, id)
    }

    /// A copy of a row that must be there.
    pub(crate) fn require<R: Row>(&mut self, id: &impl ToString) -> Result<R, FoldError> {
        let id = id.to_string();
        let row = self.get::<R>(&id)?.cloned();
        row.ok_or(FoldError::Missing {
            table: R::TABLE,
            id,
        })
    }

    /// The ids of all rows whose column holds a value, in the order of the ids. It looks through
    /// all rows in memory, and through the whole table where the column has no index (a rebuild
    /// makes them last), so it is for rare facts only.
    pub fn find<R: Row>(&mut self, column: &str, value: &Value) -> Result<Vec<String>, StoreError> {
        let index = R::COLUMNS.iter().position(|own| own.name == column);
        let Some(index) = index else {
            return Ok(Vec::new());
        };
        let (rows, connection) = self.rows::<R>();
        let mut ids = BTreeSet::new();
        if !rows.is_complete() {
            let sql = format!("SELECT id FROM \"{}\" WHERE {column} = ?1", R::TABLE);
            let mut statement = connection.prepare_cached(&sql)?;
            let written = statement.query_map([value], |row| row.get::<_, String>(0))?;
            ids = written.collect::<Result<_, _>>()?;
        }
        for (id, row) in rows.iter() {
            let holds = |row: &R| row.values().get(index) == Some(value);
            if row.is_some_and(holds) {
                ids.insert(id.to_owned());
            } else {
                ids.remove(id);
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// Changes a row and brings its stamp up to date.
    pub fn update<R: Row>(
        &mut self,
        fact: &Fact<'_>,
        id: &impl ToString,
        change: impl FnOnce(&mut R),
    ) -> Result<(), FoldError> {
        let id = id.to_string();
        let (rows, connection) = self.rows::<R>();
        let Some(row) = rows.change(connection, &id)? else {
            return Err(FoldError::Missing {
                table: R::TABLE,
                id,
            });
        };
        change(row);
        row.stamp_mut().touch(fact, fact.stream == id);
        Ok(())
    }

    /// Changes a row, which is made first where it is not there.
    pub fn upsert<R: Row>(
        &mut self,
        fact: &Fact<'_>,
        id: &impl ToString,
        make: impl FnOnce(Stamp) -> R,
        change: impl FnOnce(&mut R),
    ) -> Result<(), FoldError> {
        let id = id.to_string();
        if self.get::<R>(&id)?.is_none() {
            self.insert(make(Stamp::new(fact)));
        }
        self.update(fact, &id, change)
    }

    /// Writes a line of a ledger.
    pub fn append<E: Entry>(&mut self, entry: E) {
        let set = self
            .sets
            .entry(TypeId::of::<E>())
            .or_insert_with(|| Box::new(Lines::new::<E>()));
        let set: &mut dyn Any = set.as_mut();
        if let Some(lines) = set.downcast_mut::<Lines>() {
            lines.push(entry.values());
        }
    }

    /// Writes every changed row and every line, and lets the rows go that were asked for longest
    /// ago where there are too many; the caller holds a transaction.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        for follows in [false, true] {
            let sets = self.sets.values_mut();
            for set in sets.filter(|set| set.follows() == follows) {
                set.flush(&self.connection)?;
            }
        }
        if self.kept() > KEPT_ROWS {
            self.sets.values_mut().for_each(|set| set.let_go());
        }
        Ok(())
    }

    /// Whether there is more in memory than a rebuild should keep.
    pub(crate) fn is_full(&self) -> bool {
        self.kept() > KEPT_ROWS || self.pending() > PENDING_LINES
    }

    /// Writes what a rebuild need not keep: the lines, and the rows only where they are too many.
    pub(crate) fn relieve(&mut self) -> Result<(), StoreError> {
        if self.kept() > KEPT_ROWS {
            return self.flush();
        }
        let ledgers = self.sets.values_mut().filter(|set| set.lines() > 0);
        for set in ledgers {
            set.flush(&self.connection)?;
        }
        Ok(())
    }

    /// Forgets all rows; nothing waits to be written.
    #[cfg(test)]
    pub(crate) fn forget(&mut self) {
        while self.kept() > 0 {
            self.sets.values_mut().for_each(|set| set.let_go());
        }
    }

    fn kept(&self) -> usize {
        self.sets.values().map(|set| set.rows()).sum()
    }

    fn pending(&self) -> usize {
        self.sets.values().map(|set| set.lines()).sum()
    }

    fn rows<R: Row>(&mut self) -> (&mut Rows<R>, &Connection) {
        let complete = self.from_nothing;
        let set = self
            .sets
            .entry(TypeId::of::<R>())
            .or_insert_with(|| Box::new(Rows::<R>::new(complete)));
        let set: &mut dyn Any = set.as_mut();
        match set.downcast_mut::<Rows<R>>() {
            Some(rows) => (rows, &self.connection),
            None => unreachable!("the working set of a row type has that row type"),
        }
    }
}

/// What is common to the working sets of all tables.
pub(super) trait Set: Any + Send {
    /// Writes what has changed.
    fn flush(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// How many rows are in memory.
    fn rows(&self) -> usize {
        0
    }

    /// Whether its rows are written with what stands in another table, which must be there first.
    fn follows(&self) -> bool {
        false
    }

    /// How many lines wait to be written.
    fn lines(&self) -> usize {
        0
    }

    /// Forgets the half of the rows that was asked for longest ago; nothing waits to be written.
    fn let_go(&mut self) {}
}
