//! The audit trail: one line per event, and one per refusal, by which commits are found.
//!
//! It holds no copy of the facts. The commits themselves are read from the log at the positions
//! found here; those of one object are found by the log's own index.

use daybook_schema::{kernel::DateTime, prefix};
use rusqlite::types::Value;

use crate::store::{
    Cell, Column, ColumnKind, Decoded, Definitions, Entry, Snapshot, StoreError, Tables,
};

/// One line of the audit trail.
struct Line {
    position: u64,
    stream: String,
    aggregate: String,
    event_type: String,
    actor: String,
    command: String,
    recorded_at: DateTime,
    refusal: Option<String>,
}

const fn column(name: &'static str, kind: ColumnKind, indexed: bool) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        indexed,
        class: None,
        description: "",
    }
}

impl Entry for Line {
    const TABLE: &'static str = "audit";
    const COLUMNS: &'static [Column] = &[
        column("position", ColumnKind::Integer, true),
        column("stream", ColumnKind::Id, false),
        column("aggregate", ColumnKind::Text, false),
        column("event_type", ColumnKind::Text, true),
        column("actor", ColumnKind::Text, true),
        column("command", ColumnKind::Text, false),
        column("recorded_at", ColumnKind::DateTime, true),
        Column {
            nullable: true,
            ..column("refusal", ColumnKind::Text, false)
        },
    ];

    fn values(self) -> Vec<Value> {
        vec![
            self.position.cell(),
            Value::Text(self.stream),
            Value::Text(self.aggregate),
            Value::Text(self.event_type),
            Value::Text(self.actor),
            Value::Text(self.command),
            self.recorded_at.cell(),
            self.refusal.cell(),
        ]
    }
}

pub(crate) fn define(definitions: &mut Definitions) {
    definitions.entries::<Line>();
}

pub(crate) fn record(commit: &Decoded, tables: &mut Tables) {
    let meta = &commit.meta;
    let line = |stream: &str, event_type: &str| Line {
        position: commit.position,
        stream: stream.to_owned(),
        aggregate: prefix(stream).to_owned(),
        event_type: event_type.to_owned(),
        actor: meta.actor.to_string(),
        command: meta.command.clone(),
        recorded_at: meta.recorded_at,
        refusal: meta.refusal.as_ref().map(|refusal| refusal.code.clone()),
    };
    if commit.events.is_empty() {
        tables.append(line("", ""));
    }
    for event in &commit.events {
        tables.append(line(&event.stream, event.type_name()));
    }
}

/// Which commits are wanted; each restriction that is given must hold for one line of a commit.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// After this position.
    pub after: Option<u64>,
    /// Before this position.
    pub before: Option<u64>,
    /// By one of these actors.
    pub actors: Vec<String>,
    /// With an event of one of these types.
    pub event_types: Vec<String>,
    /// With an event of one of these aggregates, by the prefix of their ids.
    pub aggregates: Vec<String>,
    /// Answers to one of these commands.
    pub commands: Vec<String>,
    /// Only refusals (`true`) or only what was done (`false`).
    pub refused: Option<bool>,
    /// Recorded at this instant or later.
    pub recorded_from: Option<DateTime>,
    /// Recorded before this instant.
    pub recorded_until: Option<DateTime>,
}

impl AuditFilter {
    fn sql(&self) -> (String, Vec<Value>) {
        let mut wheres = vec!["1".to_owned()];
        let mut values = Vec::new();
        let mut push = |text: String, more: &mut dyn Iterator<Item = Value>| {
            wheres.push(text);
            values.extend(more);
        };
        let bounds = [
            ("position > ?", self.after.map(|position| position.cell())),
            ("position < ?", self.before.map(|position| position.cell())),
            ("recorded_at >= ?", self.recorded_from.map(|at| at.cell())),
            ("recorded_at < ?", self.recorded_until.map(|at| at.cell())),
        ];
        for (text, value) in bounds {
            if let Some(value) = value {
                push(text.to_owned(), &mut std::iter::once(value));
            }
        }
        let lists = [
            ("actor", &self.actors),
            ("event_type", &self.event_types),
            ("aggregate", &self.aggregates),
            ("command", &self.commands),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            let marks = vec!["?"; list.len()].join(", ");
            push(
                format!("{name} IN ({marks})"),
                &mut list.iter().cloned().map(Value::Text),
            );
        }
        match self.refused {
            Some(true) => push("refusal IS NOT NULL".to_owned(), &mut std::iter::empty()),
            Some(false) => push("refusal IS NULL".to_owned(), &mut std::iter::empty()),
            None => {}
        }
        (wheres.join(" AND "), values)
    }
}

/// The positions of the commits that a filter lets through, at most `limit`, oldest first or
/// newest first.
pub fn positions(
    snapshot: &Snapshot,
    filter: &AuditFilter,
    newest_first: bool,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let (wheres, values) = filter.sql();
    let way = if newest_first { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT DISTINCT position FROM audit WHERE {wheres} ORDER BY position {way} LIMIT {limit}"
    );
    snapshot.select(&sql, values, |row| row.get(0))
}

/// How many commits a filter lets through.
pub fn count(snapshot: &Snapshot, filter: &AuditFilter) -> Result<u64, StoreError> {
    let (wheres, values) = filter.sql();
    let sql = format!("SELECT count(DISTINCT position) FROM audit WHERE {wheres}");
    Ok(snapshot
        .select(&sql, values, |row| row.get(0))?
        .into_iter()
        .next()
        .unwrap_or(0))
}
