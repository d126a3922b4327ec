//! Filters, orders and pages, as data, and the SQL that they become.
//!
//! Columns are named by their place in [`Row::COLUMNS`], so that no text from outside ever becomes
//! part of a statement; values are always parameters.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{Column, Document, Row, view::Way};

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// At least one of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A column compares so with a value.
    Is {
        /// The column's place in [`Row::COLUMNS`].
        column: usize,
        /// How it compares.
        operator: Operator,
        /// With what; several values for [`Operator::In`], none for [`Operator::IsNull`].
        values: Vec<Value>,
    },
}

impl Condition {
    /// No restriction.
    pub const EVERYTHING: Self = Self::All(Vec::new());

    fn sql(&self, columns: &[Column], parameters: &mut Vec<Value>) -> String {
        match self {
            Self::All(all) => join(all, " AND ", "1", columns, parameters),
            Self::Any(any) => join(any, " OR ", "0", columns, parameters),
            Self::Not(condition) => format!("NOT ({})", condition.sql(columns, parameters)),
            Self::Is {
                column,
                operator,
                values,
            } => {
                let name = columns.get(*column).map_or("id", |column| column.name);
                operator.sql(name, values, parameters)
            }
        }
    }
}

fn join(
    conditions: &[Condition],
    with: &str,
    nothing: &str,
    columns: &[Column],
    parameters: &mut Vec<Value>,
) -> String {
    if conditions.is_empty() {
        return nothing.to_owned();
    }
    let parts: Vec<_> = conditions
        .iter()
        .map(|condition| condition.sql(columns, parameters))
        .collect();
    format!("({})", parts.join(with))
}

/// How a column compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal; an empty column equals nothing.
    Eq,
    /// Not equal; an empty column differs from everything.
    Ne,
    /// One of several.
    In,
    /// None of several.
    NotIn,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Contains the text, whatever its case.
    Contains,
    /// Begins with the text, whatever its case.
    StartsWith,
    /// Is empty (`1`) or is not (`0`).
    IsNull,
}

impl Operator {
    fn sql(self, name: &str, values: &[Value], parameters: &mut Vec<Value>) -> String {
        parameters.extend(values.iter().cloned());
        let marks = || vec!["?"; values.len()].join(", ");
        match self {
            Self::Eq => format!("{name} = ?"),
            Self::Ne => format!("{name} IS NOT ?"),
            Self::In => format!("{name} IN ({})", marks()),
            Self::NotIn => format!("({name} IS NULL OR {name} NOT IN ({}))", marks()),
            Self::Gt => format!("{name} > ?"),
            Self::Gte => format!("{name} >= ?"),
            Self::Lt => format!("{name} < ?"),
            Self::Lte => format!("{name} <= ?"),
            Self::Contains => format!("instr(lower({name}), lower(?)) > 0"),
            Self::StartsWith => format!("instr(lower({name}), lower(?)) = 1"),
            Self::IsNull => format!("({name} IS NULL) = ?"),
        }
    }
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// One sort key. Rows without a value come last, whichever way the list runs, unless
/// `nulls_first` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The column's place in [`Row::COLUMNS`].
    pub column: usize,
    /// Which way.
    pub direction: Direction,
    /// Whether rows without a value come first.
    pub nulls_first: bool,
}

/// The place of a row in a sorted list: the values of its sort keys, and its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    #[serde(rename = "k")]
    keys: Vec<Key>,
    #[serde(rename = "i")]
    id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Null,
    Integer(i64),
    Text(String),
}

/// Text that is no cursor of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list and order")]
pub struct CursorError;

impl Cursor {
    /// The opaque text that the API shows.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the opaque text back, for a list with so many sort keys.
    pub fn decode(text: &str, order: &[Order]) -> Result<Self, CursorError> {
        if text.len() > 4_096 {
            return Err(CursorError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor: Self = bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or(CursorError)?;
        if cursor.keys.len() == order.len() {
            Ok(cursor)
        } else {
            Err(CursorError)
        }
    }

    pub(crate) fn new(keys: Vec<Value>, id: String) -> Self {
        let keys = keys
            .into_iter()
            .map(|value| match value {
                Value::Integer(number) => Key::Integer(number),
                Value::Text(text) => Key::Text(text),
                Value::Null | Value::Real(_) | Value::Blob(_) => Key::Null,
            })
            .collect();
        Self { keys, id }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Which rows.
    pub condition: Condition,
    /// In which order; the id breaks ties.
    pub order: Vec<Order>,
    /// After this place.
    pub after: Option<Cursor>,
    /// Before this place.
    pub before: Option<Cursor>,
    /// At most so many rows.
    pub limit: usize,
    /// Whether the last rows are wanted instead of the first.
    pub backwards: bool,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<R> {
    /// The rows, in the order of the list, each with its place.
    pub rows: Vec<(Document<R>, Cursor)>,
    /// Whether there are rows after these.
    pub has_next: bool,
    /// Whether there are rows before these.
    pub has_previous: bool,
}

pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Value>,
}

impl PageRequest {
    /// One row more than wanted is asked for, to know whether there are more. Where something may
    /// be `hidden`, columns that are not for everybody may be empty.
    pub(crate) fn sql<R: Row>(&self, way: Way, hidden: bool) -> Sql {
        let mut parameters = Vec::new();
        let mut wheres = vec![self.condition.sql(R::COLUMNS, &mut parameters)];
        for (cursor, forwards) in [(&self.after, true), (&self.before, false)] {
            if let Some(cursor) = cursor {
                wheres.push(self.beyond::<R>(cursor, forwards, hidden, &mut parameters));
            }
        }
        let keys: Vec<_> = self
            .order
            .iter()
            .map(|order| name::<R>(order.column))
            .collect();
        let selected: String = keys.iter().map(|name| format!(", {name}")).collect();
        let (view, order) = (way.view(R::TABLE), self.order_by::<R>(hidden));
        let rows = format!(
            "FROM \"{view}\" WHERE {} ORDER BY {order} LIMIT {}",
            wheres.join(" AND "),
            self.limit + 1
        );
        // What was found is sorted without its documents, of which only a page is read.
        let rows = match way {
            Way::Plain | Way::Walk => rows,
            Way::Find => {
                let view = Way::Walk.view(R::TABLE);
                let page = format!("row_number IN (SELECT row_number {rows})");
                format!("FROM \"{view}\" WHERE {page} ORDER BY {order}")
            }
        };
        let text = format!("SELECT id, document{selected} {rows}");
        Sql { text, parameters }
    }

    fn order_by<R: Row>(&self, hidden: bool) -> String {
        let word = |ascending: bool| {
            if ascending != self.backwards {
                "ASC"
            } else {
                "DESC"
            }
        };
        let mut terms = Vec::new();
        for order in &self.order {
            let column = name::<R>(order.column);
            if nullable::<R>(order.column, hidden) {
                terms.push(format!("({column} IS NULL) {}", word(!order.nulls_first)));
            }
            terms.push(format!(
                "{column} {}",
                word(order.direction == Direction::Ascending)
            ));
        }
        terms.push(format!("id {}", word(self.ids_ascend())));
        terms.join(", ")
    }

    /// Ids run the way of the last sort key, so that one index serves both.
    fn ids_ascend(&self) -> bool {
        self.order
            .last()
            .is_none_or(|order| order.direction == Direction::Ascending)
    }

    /// Rows beyond a place: the first sort key that differs decides.
    fn beyond<R: Row>(
        &self,
        cursor: &Cursor,
        forwards: bool,
        hidden: bool,
        parameters: &mut Vec<Value>,
    ) -> String {
        let mut terms: Vec<(String, bool, Value)> = Vec::new();
        for (order, key) in self.order.iter().zip(&cursor.keys) {
            let column = name::<R>(order.column);
            let value = match key {
                Key::Null => Value::Null,
                Key::Integer(number) => Value::Integer(*number),
                Key::Text(text) => Value::Text(text.clone()),
            };
            if nullable::<R>(order.column, hidden) {
                let is_null = Value::Integer(i64::from(value == Value::Null));
                terms.push((format!("({column} IS NULL)"), !order.nulls_first, is_null));
            }
            if value != Value::Null {
                terms.push((
                    column.to_owned(),
                    order.direction == Direction::Ascending,
                    value,
                ));
            }
        }
        terms.push((
            "id".to_owned(),
            self.ids_ascend(),
            Value::Text(cursor.id.clone()),
        ));
        let mut alternatives = Vec::new();
        for (index, (column, ascending, value)) in terms.iter().enumerate() {
            let mut parts = Vec::new();
            for (column, _, value) in &terms[..index] {
                parts.push(format!("{column} = ?"));
                parameters.push(value.clone());
            }
            let operator = if *ascending == forwards { ">" } else { "<" };
            parts.push(format!("{column} {operator} ?"));
            parameters.push(value.clone());
            alternatives.push(parts.join(" AND "));
        }
        format!("({})", alternatives.join(" OR "))
    }
}

impl Condition {
    pub(crate) fn count_sql<R: Row>(&self, way: Way) -> Sql {
        let mut parameters = Vec::new();
        let condition = self.sql(R::COLUMNS, &mut parameters);
        let view = way.view(R::TABLE);
        let text = format!("SELECT count(*) FROM \"{view}\" WHERE {condition}");
        Sql { text, parameters }
    }
}

fn name<R: Row>(column: usize) -> &'static str {
    R::COLUMNS.get(column).map_or("id", |column| column.name)
}

fn nullable<R: Row>(column: usize, hidden: bool) -> bool {
    let column = R::COLUMNS.get(column);
    column.is_some_and(|column| column.nullable || hidden && column.class.is_some())
}
