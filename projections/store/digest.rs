//! A digest of everything that the read models say, to compare two of them.
//!
//! Rows are read in the order of their ids and ledgers in the order of their lines; row numbers
//! and the search index are left out, because they depend on how a database came about.

use rusqlite::{Connection, types::ValueRef};

use super::StoreError;

/// BLAKE3 over the content of the given tables, in hexadecimal.
pub(crate) fn of(connection: &Connection, tables: &[String]) -> Result<String, StoreError> {
    let mut hasher = blake3::Hasher::new();
    for table in tables.iter().map(String::as_str).chain(["parked"]) {
        hasher.update(table.as_bytes());
        table_into(connection, table, &mut hasher)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn table_into(
    connection: &Connection,
    table: &str,
    hasher: &mut blake3::Hasher,
) -> Result<(), StoreError> {
    let order = if has_id(connection, table)? {
        "id"
    } else {
        "rowid"
    };
    let mut statement =
        connection.prepare(&format!("SELECT * FROM \"{table}\" ORDER BY {order}"))?;
    let columns: Vec<usize> = statement
        .column_names()
        .enumerate()
        .filter(|(_, name)| *name != "row_number")
        .map(|(index, _)| index)
        .collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for index in &columns {
            value_into(row.get_ref(*index)?, hasher);
        }
    }
    Ok(())
}

fn has_id(connection: &Connection, table: &str) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'id'";
    Ok(connection.query_row(sql, [table], |row| row.get::<_, i64>(0))? > 0)
}

fn value_into(value: ValueRef<'_>, hasher: &mut blake3::Hasher) {
    let (tag, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => {
            hasher.update(&[1]).update(&number.to_le_bytes());
            return;
        }
        ValueRef::Real(number) => {
            hasher.update(&[2]).update(&number.to_bits().to_le_bytes());
            return;
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    hasher
        .update(&[tag])
        .update(&length.to_le_bytes())
        .update(bytes);
}
