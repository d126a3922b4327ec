//! One row of a source: cells by the names of their columns.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

/// The header of a file.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    index: HashMap<String, usize>,
}

impl Columns {
    /// The columns of a header; the name that stands twice, if one does.
    pub(super) fn new(names: Vec<String>) -> Result<Self, String> {
        let mut index = HashMap::new();
        for (position, name) in names.iter().enumerate() {
            if index.insert(name.clone(), position).is_some() {
                return Err(name.clone());
            }
        }
        Ok(Self { names, index })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }
}

/// A row. An empty cell and one that holds a null marker are the same.
#[derive(Debug)]
pub(super) struct Row {
    /// The line on which it begins, counted from 1.
    pub(super) line: u64,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    Record(Arc<Columns>, Vec<Box<str>>),
    Object(BTreeMap<String, String>),
}

impl Row {
    pub(super) fn record(line: u64, columns: Arc<Columns>, cells: Vec<Box<str>>) -> Self {
        let cells = Cells::Record(columns, cells);
        Self { line, cells }
    }

    pub(super) fn object(line: u64, cells: BTreeMap<String, String>) -> Self {
        let cells = Cells::Object(cells);
        Self { line, cells }
    }

    /// The cell of a column; empty where the row has none.
    pub(super) fn cell(&self, column: &str) -> &str {
        match &self.cells {
            Cells::Record(columns, cells) => {
                let position = columns.index.get(column);
                position
                    .and_then(|at| cells.get(*at))
                    .map_or("", AsRef::as_ref)
            }
            Cells::Object(cells) => cells.get(column).map_or("", String::as_str),
        }
    }

    /// The whole row, for the record of rejects.
    pub(super) fn to_json(&self) -> Value {
        match &self.cells {
            Cells::Record(columns, cells) => {
                let pairs = columns.names.iter().zip(cells);
                pairs
                    .map(|(name, cell)| (name.clone(), Value::from(cell.as_ref())))
                    .collect()
            }
            Cells::Object(cells) => {
                let pairs = cells.iter();
                pairs
                    .map(|(name, cell)| (name.clone(), Value::from(cell.as_str())))
                    .collect()
            }
        }
    }
}
