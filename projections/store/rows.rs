//! The rows of one table that are in memory, and how the changed ones are written.
//!
//! A changed row remembers the columns that stand in the database. Only columns that differ are
//! set, because SQLite touches every index of a column that is set, whether its value changes or
//! not; most facts change a document and hardly any column.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
};

use rusqlite::{Connection, OptionalExtension, ToSql, params_from_iter, types::Value};

use super::{
    Row, StoreError, Words,
    row::{Cell, HELD_BY, HELD_IN},
    search,
    tables::Set,
};

pub(super) type FastMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

pub(super) struct Rows<R> {
    slots: FastMap<String, Slot<R>>,
    /// The ids of the rows that wait to be written, each once.
    changed: Vec<String>,
    /// Whether a row that is not here is nowhere.
    complete: bool,
    /// How often a row was asked for.
    clock: u64,
    statements: Statements,
}

struct Slot<R> {
    row: Option<R>,
    stored: Stored,
    changed: bool,
    /// The clock when it was last asked for.
    used_at: u64,
}

/// What the database holds of a row.
enum Stored {
    /// That has not been looked up.
    Unknown,
    /// Nothing.
    Nowhere,
    /// The row, under this number. What it says is taken down before the first change.
    At(i64, Option<Written>),
}

/// What stands in the database beside the document.
struct Written {
    columns: Vec<Value>,
    words: Option<Words>,
}

impl Written {
    fn of<R: Row>(row: &R) -> Self {
        Self {
            columns: row.values(),
            words: row.search_text(),
        }
    }
}

impl<R: Row> Slot<R> {
    fn new(row: Option<R>, stored: Stored) -> Self {
        Self {
            row,
            stored,
            changed: false,
            used_at: 0,
        }
    }

    fn read(connection: &Connection, sql: &str, id: &str) -> Result<Self, StoreError> {
        let found = connection
            .prepare_cached(sql)?
            .query_row([id], |row| {
                let document = serde_json::from_slice::<R>(row.get_ref(1)?.as_bytes()?);
                Ok((row.get(0)?, document))
            })
            .optional()?;
        Ok(match found {
            Some((number, document)) => Self::new(Some(document?), Stored::At(number, None)),
            None => Self::new(None, Stored::Nowhere),
        })
    }

    /// Takes down what the database holds, before a change makes that unknown.
    fn remember(&mut self) {
        if let (Stored::At(_, before @ None), Some(row)) = (&mut self.stored, &self.row) {
            *before = Some(Written::of(row));
        }
    }
}

impl<R: Row> Rows<R> {
    pub(super) fn new(complete: bool) -> Self {
        Self {
            slots: FastMap::default(),
            changed: Vec::new(),
            complete,
            clock: 0,
            statements: Statements::new::<R>(),
        }
    }

    /// Whether a row that is not in memory is nowhere.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// All rows in memory, and those known to be absent, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Option<&R>)> {
        let slots = self.slots.iter();
        slots.map(|(id, slot)| (id.as_str(), slot.row.as_ref()))
    }

    pub(super) fn get(
        &mut self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<&R>, StoreError> {
        let slot = self.slot(connection, id)?;
        Ok(slot.and_then(|slot| slot.row.as_ref()))
    }

    /// The row, to be changed.
    pub(super) fn change(
        &mut self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<&mut R>, StoreError> {
        if self.get(connection, id)?.is_none() {
            return Ok(None);
        }
        let Some(slot) = self.slots.get_mut(id) else {
            return Ok(None);
        };
        if !slot.changed {
            slot.changed = true;
            slot.remember();
            self.changed.push(id.to_owned());
        }
        Ok(slot.row.as_mut())
    }

    /// Puts a row, or nothing, in the place of whatever is there.
    pub(super) fn put(&mut self, id: &str, row: Option<R>) {
        let stored = if self.complete {
            Stored::Nowhere
        } else {
            Stored::Unknown
        };
        let slot = match self.slots.entry(id.to_owned()) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(place) => place.insert(Slot::new(None, stored)),
        };
        slot.remember();
        slot.row = row;
        self.clock += 1;
        slot.used_at = self.clock;
        if !mem::replace(&mut slot.changed, true) {
            self.changed.push(id.to_owned());
        }
    }

    fn slot(
        &mut self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<&mut Slot<R>>, StoreError> {
        if !self.slots.contains_key(id) {
            if self.complete {
                return Ok(None);
            }
            let slot = Slot::read(connection, &self.statements.read, id)?;
            self.slots.insert(id.to_owned(), slot);
        }
        self.clock += 1;
        let mut slot = self.slots.get_mut(id);
        if let Some(slot) = &mut slot {
            slot.used_at = self.clock;
        }
        Ok(slot)
    }
}

impl<R: Row> Set for Rows<R> {
    /// In the order of the ids, in which their index grows fastest.
    fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut changed = mem::take(&mut self.changed);
        changed.sort_unstable();
        for id in changed.drain(..) {
            if let Some(slot) = self.slots.get_mut(&id) {
                self.statements.write(connection, &id, slot)?;
                slot.changed = false;
            }
        }
        self.changed = changed;
        Ok(())
    }

    fn rows(&self) -> usize {
        self.slots.len()
    }

    fn follows(&self) -> bool {
        R::HOLDER.is_some()
    }

    fn let_go(&mut self) {
        self.complete = false;
        let mut times: Vec<u64> = self.slots.values().map(|slot| slot.used_at).collect();
        let middle = times.len() / 2;
        if middle < times.len() {
            let (_, middle, _) = times.select_nth_unstable(middle);
            self.slots.retain(|_, slot| slot.used_at > *middle);
        }
    }
}

/// The statements of one table.
struct Statements {
    table: &'static str,
    read: String,
    insert: String,
    delete: String,
    /// By the columns that they set.
    updates: FastMap<Vec<usize>, String>,
}

impl Statements {
    fn new<R: Row>() -> Self {
        let table = R::TABLE;
        let names: String = R::COLUMNS
            .iter()
            .map(|column| format!(", {}", column.name))
            .collect();
        let marks = ", ?".repeat(R::COLUMNS.len());
        let insert = match R::HOLDER {
            None => format!("(id, position, document{names}) VALUES (?, ?, ?{marks})"),
            Some(holder) => {
                let own = R::COLUMNS.iter().position(|column| column.name == holder);
                let mark = own.map_or(1, |own| own + 4);
                format!(
                    "(id, position, document{names}, {HELD_BY}, {HELD_IN})
                     SELECT ?, ?, ?{marks}, owner, territory
                     FROM (SELECT 1) LEFT JOIN {holder} ON {holder}.id = ?{mark}"
                )
            }
        };
        Self {
            table,
            read: format!("SELECT row_number, document FROM \"{table}\" WHERE id = ?1"),
            insert: format!("INSERT INTO \"{table}\" {insert}"),
            delete: format!("DELETE FROM \"{table}\" WHERE row_number = ?1"),
            updates: FastMap::default(),
        }
    }

    /// Brings the database in line with a slot.
    fn write<R: Row>(
        &mut self,
        connection: &Connection,
        id: &str,
        slot: &mut Slot<R>,
    ) -> Result<(), StoreError> {
        if matches!(slot.stored, Stored::Unknown) {
            slot.stored = Slot::<R>::read(connection, &self.read, id)?.known();
        }
        let stored = mem::replace(&mut slot.stored, Stored::Nowhere);
        slot.stored = match (&slot.row, stored) {
            (Some(row), Stored::At(number, before)) => {
                self.update(connection, (id, number), row, before)?;
                Stored::At(number, None)
            }
            (Some(row), _) => Stored::At(self.insert(connection, id, row)?, None),
            (None, Stored::At(number, _)) => {
                connection.prepare_cached(&self.delete)?.execute([number])?;
                search::remove(connection, id)?;
                Stored::Nowhere
            }
            (None, _) => Stored::Nowhere,
        };
        Ok(())
    }

    fn insert<R: Row>(
        &self,
        connection: &Connection,
        id: &str,
        row: &R,
    ) -> Result<i64, StoreError> {
        let document = serde_json::to_string(row)?;
        let (position, columns) = (row.stamp().position.cell(), row.values());
        let fixed: [&dyn ToSql; 3] = [&id, &position, &document];
        let columns = columns.iter().map(|value| -> &dyn ToSql { value });
        let number = connection
            .prepare_cached(&self.insert)?
            .insert(params_from_iter(fixed.into_iter().chain(columns)))?;
        if let Some(words) = row.search_text() {
            search::add(connection, self.table, id, &words)?;
        }
        Ok(number)
    }

    fn update<R: Row>(
        &mut self,
        connection: &Connection,
        (id, number): (&str, i64),
        row: &R,
        before: Option<Written>,
    ) -> Result<(), StoreError> {
        let now = Written::of(row);
        let differs = |index: &usize| {
            let before = before
                .as_ref()
                .and_then(|before| before.columns.get(*index));
            before != now.columns.get(*index)
        };
        let changed: Vec<usize> = (0..now.columns.len()).filter(differs).collect();
        let document = serde_json::to_string(row)?;
        let position = row.stamp().position.cell();
        let fixed: [&dyn ToSql; 3] = [&number, &position, &document];
        let columns = changed.iter().filter_map(|index| now.columns.get(*index));
        let columns = columns.map(|value| -> &dyn ToSql { value });
        connection
            .prepare_cached(self.update_sql::<R>(&changed))?
            .execute(params_from_iter(fixed.into_iter().chain(columns)))?;
        if before.is_none_or(|before| before.words != now.words) {
            search::replace(connection, self.table, id, now.words.as_ref())?;
        }
        Ok(())
    }

    fn update_sql<R: Row>(&mut self, changed: &[usize]) -> &str {
        let table = self.table;
        let make = || {
            let sets: String = (4..)
                .zip(changed.iter().filter_map(|index| R::COLUMNS.get(*index)))
                .map(|(mark, column)| format!(", {} = ?{mark}", column.name))
                .collect();
            format!(
                "UPDATE \"{table}\" SET position = ?2, document = ?3{sets} WHERE row_number = ?1"
            )
        };
        self.updates.entry(changed.to_vec()).or_insert_with(make)
    }
}

impl<R: Row> Slot<R> {
    /// What was read of the database, with everything that it says.
    fn known(mut self) -> Stored {
        self.remember();
        self.stored
    }
}
