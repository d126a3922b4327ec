//! The rows that a batch of commits works on, in memory until they are written.

use std::{
    any::{Any, TypeId},
    collections::{BTreeSet, HashMap},
};

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};

use super::{
    Entry, Fact, Row, Stamp, StoreError,
    row::{Cell, Column},
    search,
};

/// How many rows of one table stay in memory between two batches.
const KEPT_ROWS: usize = 20_000;

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
    sets: HashMap<TypeId, Box<dyn Set>>,
}

impl Tables {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            sets: HashMap::new(),
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Puts a new row in its table; a row with the same id is replaced.
    pub fn insert<R: Row>(&mut self, row: R) {
        let id = row.id();
        let rows = rows::<R>(&mut self.sets);
        let indexed = rows.slots.get(&id).and_then(|slot| slot.indexed.clone());
        rows.slots.insert(
            id,
            Slot {
                row: Some(row),
                dirty: true,
                indexed,
            },
        );
    }

    /// Takes a row out of its table.
    pub fn remove<R: Row>(&mut self, id: &str) {
        // An empty text differs from none, so that the next flush looks for words to take out.
        let slot = Slot::<R> {
            row: None,
            dirty: true,
            indexed: Some(String::new()),
        };
        rows::<R>(&mut self.sets).slots.insert(id.to_owned(), slot);
    }

    /// The row, if it is there.
    pub fn get<R: Row>(&mut self, id: &str) -> Result<Option<&R>, StoreError> {
        Ok(self.slot::<R>(id)?.row.as_ref())
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
    /// the whole table where the column has no index (a rebuild makes them last), so it is for
    /// rare facts only.
    pub fn find<R: Row>(&mut self, column: &str, value: &Value) -> Result<Vec<String>, StoreError> {
        let index = R::COLUMNS.iter().position(|own| own.name == column);
        let Some(index) = index else {
            return Ok(Vec::new());
        };
        let sql = format!("SELECT id FROM \"{}\" WHERE {column} = ?1", R::TABLE);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let written = statement.query_map([value], |row| row.get::<_, String>(0))?;
        let mut ids = written.collect::<Result<BTreeSet<_>, _>>()?;
        for (id, slot) in &rows::<R>(&mut self.sets).slots {
            let holds = |row: &R| row.values().get(index) == Some(value);
            if slot.row.as_ref().is_some_and(holds) {
                ids.insert(id.clone());
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
        let slot = self.slot::<R>(&id)?;
        let Some(row) = slot.row.as_mut() else {
            return Err(FoldError::Missing {
                table: R::TABLE,
                id,
            });
        };
        change(row);
        row.stamp_mut().touch(fact, fact.stream == id);
        slot.dirty = true;
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
        if self.get::<R>(&id.to_string())?.is_none() {
            self.insert(make(Stamp::new(fact)));
        }
        self.update(fact, id, change)
    }

    /// Writes a line of a ledger.
    pub fn append<E: Entry>(&mut self, entry: E) {
        let set = self.sets.entry(TypeId::of::<E>()).or_insert_with(|| {
            Box::new(Lines {
                table: E::TABLE,
                columns: E::COLUMNS,
                pending: Vec::new(),
            })
        });
        let set: &mut dyn Any = set.as_mut();
        if let Some(lines) = set.downcast_mut::<Lines>() {
            lines.pending.push(entry.values());
        }
    }

    /// Writes every changed row; the caller holds a transaction.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        for set in self.sets.values_mut() {
            set.flush(&self.connection)?;
        }
        Ok(())
    }

    /// How many rows and lines wait to be written or are kept to be read again.
    pub(crate) fn held(&self) -> usize {
        self.sets.values().map(|set| set.len()).sum()
    }

    fn slot<R: Row>(&mut self, id: &str) -> Result<&mut Slot<R>, StoreError> {
        let rows = rows::<R>(&mut self.sets);
        if !rows.slots.contains_key(id) {
            let slot = read::<R>(&self.connection, id)?;
            rows.slots.insert(id.to_owned(), slot);
        }
        Ok(rows.slots.entry(id.to_owned()).or_insert_with(Slot::absent))
    }
}

/// What is common to the working sets of all tables.
trait Set: Any + Send {
    fn flush(&mut self, connection: &Connection) -> Result<(), StoreError>;
    fn len(&self) -> usize;
}

struct Rows<R> {
    slots: HashMap<String, Slot<R>>,
    upsert: String,
}

struct Slot<R> {
    row: Option<R>,
    dirty: bool,
    /// The search text as it stands in the index, so that it is written only when it changes.
    indexed: Option<String>,
}

impl<R> Slot<R> {
    fn absent() -> Self {
        Self {
            row: None,
            dirty: false,
            indexed: None,
        }
    }
}

fn rows<R: Row>(sets: &mut HashMap<TypeId, Box<dyn Set>>) -> &mut Rows<R> {
    let set = sets
        .entry(TypeId::of::<R>())
        .or_insert_with(|| Box::new(Rows::<R>::new()));
    let set: &mut dyn Any = set.as_mut();
    match set.downcast_mut::<Rows<R>>() {
        Some(rows) => rows,
        None => unreachable!("the working set of a row type has that row type"),
    }
}

fn read<R: Row>(connection: &Connection, id: &str) -> Result<Slot<R>, StoreError> {
    let sql = format!("SELECT document FROM \"{}\" WHERE id = ?1", R::TABLE);
    let mut statement = connection.prepare_cached(&sql)?;
    let row = statement
        .query_row([id], |row| {
            Ok(serde_json::from_slice::<R>(row.get_ref(0)?.as_bytes()?))
        })
        .optional()?
        .transpose()?;
    let indexed = row.as_ref().and_then(Row::search_text);
    Ok(Slot {
        row,
        dirty: false,
        indexed,
    })
}

impl<R: Row> Rows<R> {
    fn new() -> Self {
        Self {
            slots: HashMap::new(),
            upsert: upsert_sql(R::TABLE, R::COLUMNS),
        }
    }
}

impl<R: Row> Set for Rows<R> {
    fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut upsert = connection.prepare_cached(&self.upsert)?;
        for (id, slot) in self.slots.iter_mut().filter(|(_, slot)| slot.dirty) {
            match &slot.row {
                Some(row) => {
                    let mut values = vec![Value::Text(id.clone()), row.stamp().position.cell()];
                    values.extend(row.values());
                    values.push(Value::Text(serde_json::to_string(row)?));
                    upsert.execute(params_from_iter(values))?;
                }
                None => {
                    let sql = format!("DELETE FROM \"{}\" WHERE id = ?1", R::TABLE);
                    connection.prepare_cached(&sql)?.execute([id])?;
                }
            }
            let text = slot.row.as_ref().and_then(Row::search_text);
            if text != slot.indexed {
                search::index(connection, R::TABLE, id, text.as_deref())?;
                slot.indexed = text;
            }
            slot.dirty = false;
        }
        if self.slots.len() > KEPT_ROWS {
            self.slots.clear();
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.slots.len()
    }
}

struct Lines {
    table: &'static str,
    columns: &'static [Column],
    pending: Vec<Vec<Value>>,
}

impl Set for Lines {
    fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let marks = vec!["?"; self.columns.len()].join(", ");
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        let sql = format!(
            "INSERT INTO \"{}\" ({}) VALUES ({marks})",
            self.table,
            names.join(", ")
        );
        let mut insert = connection.prepare_cached(&sql)?;
        for values in self.pending.drain(..) {
            insert.execute(params_from_iter(values))?;
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.pending.len()
    }
}

fn upsert_sql(table: &str, columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    let all = [&["id", "position"], names.as_slice(), &["document"]].concat();
    let marks = vec!["?"; all.len()].join(", ");
    let sets: Vec<_> = all
        .iter()
        .skip(1)
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "INSERT INTO \"{table}\" ({}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {}",
        all.join(", "),
        sets.join(", ")
    )
}
