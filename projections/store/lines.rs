//! Lines of a ledger that wait to be written.

use rusqlite::{Connection, params_from_iter, types::Value};

use super::{Entry, StoreError, tables::Set};

pub(super) struct Lines {
    insert: String,
    pending: Vec<Vec<Value>>,
}

impl Lines {
    pub(super) fn new<E: Entry>() -> Self {
        let names: Vec<_> = E::COLUMNS.iter().map(|column| column.name).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let (table, names) = (E::TABLE, names.join(", "));
        Self {
            insert: format!("INSERT INTO \"{table}\" ({names}) VALUES ({marks})"),
            pending: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, line: Vec<Value>) {
        self.pending.push(line);
    }
}

impl Set for Lines {
    fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut insert = connection.prepare_cached(&self.insert)?;
        for line in self.pending.drain(..) {
            insert.execute(params_from_iter(&line))?;
        }
        Ok(())
    }

    fn lines(&self) -> usize {
        self.pending.len()
    }
}
