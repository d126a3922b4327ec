//! A digest of everything that the read models say, to compare two of them.
//!
//! Rows are read in the order of their ids and ledgers in the order of their lines; row numbers
//! and the search index are left out, because they depend on how a database came about.

use rusqlite::{Connection, types::ValueRef};

use super::StoreError;

/// BLAKE3 is several times faster over long inputs than over many short ones.
const BUFFER_BYTES: usize = 128 * 1024;

/// BLAKE3 over the content of the given tables, in hexadecimal.
pub(crate) fn of(connection: &Connection, tables: &[String]) -> Result<String, StoreError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    for table in tables.iter().map(String::as_str).chain(["parked"]) {
        buffer.extend_from_slice(table.as_bytes());
        table_into(connection, table, &mut hasher, &mut buffer)?;
    }
    hasher.update(&buffer);
    Ok(hasher.finalize().to_hex().to_string())
}

fn table_into(
    connection: &Connection,
    table: &str,
    hasher: &mut blake3::Hasher,
    buffer: &mut Vec<u8>,
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
            value_into(row.get_ref(*index)?, buffer);
        }
        if buffer.len() >= BUFFER_BYTES {
            hasher.update(buffer);
            buffer.clear();
        }
    }
    Ok(())
}

fn has_id(connection: &Connection, table: &str) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'id'";
    Ok(connection.query_row(sql, [table], |row| row.get::<_, i64>(0))? > 0)
}

fn value_into(value: ValueRef<'_>, buffer: &mut Vec<u8>) {
    let (tag, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => {
            buffer.push(1);
            buffer.extend_from_slice(&number.to_le_bytes());
            return;
        }
        ValueRef::Real(number) => {
            buffer.push(2);
            buffer.extend_from_slice(&number.to_bits().to_le_bytes());
            return;
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    buffer.push(tag);
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(bytes);
}
