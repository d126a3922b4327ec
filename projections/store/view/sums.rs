//! Summing a table up anew from the rows that are seen.

use rusqlite::{Connection, ToSql, params_from_iter, types::Value};

use crate::store::{Row, Stamp, StoreError, row::Cell as _};

/// Calls `each` with every row of a table that is seen, whole: nothing of it is hidden, because
/// sums show none of what is hidden from anybody.
pub(crate) fn each_seen<R: Row>(
    connection: &Connection,
    mut each: impl FnMut(R),
) -> Result<(), StoreError> {
    let table = R::TABLE;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT whole.document FROM \"{table}\" AS seen
         JOIN main.\"{table}\" AS whole ON whole.row_number = seen.row_number"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let document: String = row.get(0)?;
        each(serde_json::from_str(&document)?);
    }
    Ok(())
}

/// Puts a row in the temporary table of sums.
pub(crate) fn put_sum<R: Row>(connection: &Connection, row: &R) -> Result<(), StoreError> {
    let names: String = R::COLUMNS
        .iter()
        .map(|column| format!(", {}", column.name))
        .collect();
    let marks = ", ?".repeat(R::COLUMNS.len());
    let sql = format!(
        "INSERT INTO temp.\"{}\" (id, position, document{names}) VALUES (?, ?, ?{marks})",
        R::TABLE
    );
    let fixed = [
        Value::Text(row.id()),
        row.stamp().position.cell(),
        Value::Text(serde_json::to_string(row)?),
    ];
    let values = row.values();
    let all = fixed
        .iter()
        .chain(&values)
        .map(|value| -> &dyn ToSql { value });
    connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(all))?;
    Ok(())
}

/// Makes the stamp of a sum cover that of one more row.
pub(crate) fn widen(stamp: &mut Stamp, more: &Stamp) {
    stamp.position = stamp.position.max(more.position);
    stamp.created_at = stamp.created_at.min(more.created_at);
    stamp.updated_at = stamp.updated_at.max(more.updated_at);
}
