//! Sources that are held in memory, to be looked up by a key.

use std::{collections::HashMap, path::Path, sync::Arc};

use super::{
    condition::{self, Condition},
    error::ImportError,
    ids::IdBook,
    row::Row,
    source::{SourcePlan, SourceReader},
    template::{Bound, Scope, Template},
};

/// A table of the mapping.
#[derive(Debug)]
pub(super) struct TablePlan {
    pub(super) source: String,
    pub(super) key: Template,
    pub(super) when: Vec<Condition>,
}

/// The rows of all tables, by table and key, in the order of their files.
#[derive(Debug, Default)]
pub(super) struct Tables(Vec<HashMap<String, Vec<Arc<Row>>>>);

impl Tables {
    /// The rows under a key.
    pub(super) fn rows(&self, table: usize, key: &str) -> &[Arc<Row>] {
        let rows = self.0.get(table).and_then(|rows| rows.get(key));
        rows.map_or(&[], Vec::as_slice)
    }

    /// Reads one more table.
    pub(super) fn load(
        &mut self,
        plan: &TablePlan,
        source: &SourcePlan,
        path: &Path,
        book: &IdBook,
    ) -> Result<(), ImportError> {
        let mut rows: HashMap<String, Vec<Arc<Row>>> = HashMap::new();
        let nothing = Self::default();
        for row in read_whole(source, path)? {
            let bound = Bound {
                row: Some(row.clone()),
                joined: Vec::new(),
            };
            let scope = Scope {
                bound: &bound,
                group: &[],
                index: 0,
                parent: None,
                tables: &nothing,
                book,
            };
            if condition::all(&plan.when, &scope) {
                rows.entry(plan.key.render(&scope)).or_default().push(row);
            }
        }
        self.0.push(rows);
        Ok(())
    }
}

/// All rows of a file. A broken one is an error: leaving it out would make others wrong.
pub(super) fn read_whole(source: &SourcePlan, path: &Path) -> Result<Vec<Arc<Row>>, ImportError> {
    let mut reader = SourceReader::open(source, path)?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        let row = row.map_err(|bad| ImportError::RowUnreadable {
            path: path.to_owned(),
            line: bad.line,
            problem: bad.problem,
        })?;
        rows.push(Arc::new(row));
    }
    Ok(rows)
}
