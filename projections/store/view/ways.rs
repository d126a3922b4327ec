//! Which way a list goes through a table of which not every row is seen.
//!
//! Walking in the order of the list meets a row that is seen every `rows / seen` rows, and a page
//! is full after a few of those. Finding what is seen and sorting it touches all that is seen. The
//! two cost about the same where the square of what is seen equals the rows of the table times a
//! small number, so a page costs no more than some square roots of the table, whoever asks.

use rusqlite::Connection;

use crate::store::StoreError;

/// A way through a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The only one.
    Plain,
    /// In the order of the list.
    Walk,
    /// From what is seen.
    Find,
}

impl Way {
    /// The name of the table, or of the view of it that goes this way.
    pub(crate) fn view(self, table: &str) -> String {
        match self {
            Self::Plain => table.to_owned(),
            Self::Walk => format!("{table} walked"),
            Self::Find => format!("{table} found"),
        }
    }
}

/// After so many positions it is looked again whether few rows are seen.
const POSITIONS: u64 = 64;

/// The tables that can be gone through in two ways.
#[derive(Default)]
pub(crate) struct Ways(Vec<Table>);

struct Table {
    name: String,
    /// SQL that gives the number of every row that is seen, some of them twice: to leave those
    /// out it would have to find all before it gives the first.
    numbers: String,
    /// Whether few are seen, and the position at which that was so.
    few: Option<(bool, u64)>,
}

impl Ways {
    pub(crate) fn add(&mut self, table: &str, numbers: &[String]) {
        self.0.push(Table {
            name: table.to_owned(),
            numbers: numbers.join(" UNION ALL "),
            few: None,
        });
    }

    /// The way to objects whose ids are known: they are looked up, and then looked at.
    pub(crate) fn for_ids(&self, table: &str) -> Way {
        match self.0.iter().any(|own| own.name == table) {
            true => Way::Walk,
            false => Way::Plain,
        }
    }

    /// The way of a page of a list.
    pub(crate) fn for_page(
        &mut self,
        connection: &Connection,
        table: &str,
        position: u64,
    ) -> Result<Way, StoreError> {
        let Some(table) = self.0.iter_mut().find(|own| own.name == table) else {
            return Ok(Way::Plain);
        };
        let few = table.sees_few(connection, position)?;
        Ok(if few { Way::Find } else { Way::Walk })
    }

    /// The way of a count, which must touch all that is seen.
    pub(crate) fn for_count(
        &mut self,
        connection: &Connection,
        table: &str,
        position: u64,
    ) -> Result<Way, StoreError> {
        let way = self.for_page(connection, table, position)?;
        Ok(if way == Way::Walk { Way::Plain } else { way })
    }
}

impl Table {
    fn sees_few(&mut self, connection: &Connection, position: u64) -> Result<bool, StoreError> {
        match self.few {
            Some((few, looked)) if position.abs_diff(looked) < POSITIONS => Ok(few),
            _ => {
                let few = self.count(connection)?;
                self.few = Some((few, position));
                Ok(few)
            }
        }
    }

    /// Counts no further than what is few, which is twice the square root of the rows.
    fn count(&self, connection: &Connection) -> Result<bool, StoreError> {
        let sql = format!("SELECT max(row_number) FROM main.\"{}\"", self.name);
        let last: Option<u64> = connection
            .prepare_cached(&sql)?
            .query_row([], |row| row.get(0))?;
        let few = last.unwrap_or(0).isqrt().saturating_mul(2);
        let sql = format!("SELECT count(*) FROM ({} LIMIT ?1)", self.numbers);
        let seen: u64 = connection
            .prepare_cached(&sql)?
            .query_row([few], |row| row.get(0))?;
        Ok(seen < few)
    }
}
