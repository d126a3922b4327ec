//! The timeline of a customer: what happened, from all contexts, one line per fact.

use std::{fmt, str::FromStr};

use async_graphql::SimpleObject;
use daybook_schema::{
    DomainEvent,
    customers::CustomerId,
    kernel::{Actor, BigInt, DateTime, TextError},
    orders::ShipmentEvent,
};
use rusqlite::types::Value;

use crate::store::{
    Cell, Class, Column, ColumnKind, CursorError, Definitions, Entry, Fact, Snapshot, StoreError,
};

/// A line as it is written.
pub(super) struct Line {
    customer: CustomerId,
    pub(super) occurred_at: DateTime,
    position: u64,
    index: u64,
    event: &'static str,
    object: String,
    title: String,
    actor: Actor,
}

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        indexed: false,
        class: None,
        description: "",
    }
}

impl Entry for Line {
    const TABLE: &'static str = "customer_timeline";
    const COLUMNS: &'static [Column] = &[
        column("customer", ColumnKind::Id),
        column("occurred_at", ColumnKind::DateTime),
        column("position", ColumnKind::Integer),
        column("event_index", ColumnKind::Integer),
        column("event", ColumnKind::Text),
        column("object", ColumnKind::Id),
        Column {
            class: Some(Class::Personal),
            ..column("title", ColumnKind::Text)
        },
        column("actor", ColumnKind::Text),
    ];

    fn values(self) -> Vec<Value> {
        vec![
            self.customer.cell(),
            self.occurred_at.cell(),
            self.position.cell(),
            self.index.cell(),
            self.event.cell(),
            Value::Text(self.object),
            Value::Text(self.title),
            self.actor.cell(),
        ]
    }
}

impl Line {
    pub(super) fn new(fact: &Fact<'_>, customer: CustomerId, title: String) -> Self {
        Self {
            customer,
            occurred_at: occurred_at(fact),
            position: fact.position,
            index: u64::try_from(fact.index).unwrap_or(u64::MAX),
            event: fact.event.type_name(),
            object: fact.stream.to_owned(),
            title,
            actor: fact.meta.actor.clone(),
        }
    }
}

/// The business time of a fact; a delivery knows its own.
fn occurred_at(fact: &Fact<'_>) -> DateTime {
    if let DomainEvent::Shipment(ShipmentEvent::ShipmentDelivered { delivered_at, .. }) =
        &fact.event
    {
        return *delivered_at;
    }
    fact.meta.effective_at()
}

pub(super) fn define(definitions: &mut Definitions) {
    definitions.entries::<Line>();
    definitions.index_on(
        Line::TABLE,
        &["customer", "occurred_at", "position", "event_index"],
    );
}

/// One line of a customer's timeline.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
#[graphql(name = "CustomerTimelineLineFields")]
pub struct TimelineLine {
    /// When it happened, by business time.
    pub occurred_at: DateTime,
    /// The position of the commit that recorded it.
    pub position: BigInt,
    /// The name of the fact, for example `OrderPlaced`.
    pub event: String,
    /// The name, the number or the beginning of what it is about; may be empty, and is for those
    /// who do not see what is personal.
    pub title: String,
    /// Who recorded it.
    pub actor: Actor,
    /// The object that it happened to.
    #[graphql(skip)]
    pub object: String,
    /// The place of the line in the timeline.
    #[graphql(skip)]
    pub place: TimelinePlace,
}

/// The place of a line in a timeline: by business time, then in the order of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelinePlace {
    occurred_at: i64,
    position: u64,
    index: u64,
}

impl fmt::Display for TimelinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.occurred_at, self.position, self.index)
    }
}

impl FromStr for TimelinePlace {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let place = Self {
            occurred_at: number(parts.next())?,
            position: number(parts.next())?,
            index: number(parts.next())?,
        };
        match parts.next() {
            None => Ok(place),
            Some(_) => Err(CursorError),
        }
    }
}

fn number<N: FromStr>(part: Option<&str>) -> Result<N, CursorError> {
    part.and_then(|text| text.parse().ok()).ok_or(CursorError)
}

const LINES: &str = "
    SELECT occurred_at, position, event_index, event, object, ifnull(title, ''), actor
    FROM customer_timeline
    WHERE customer = ?1 AND (occurred_at, position, event_index) < (?2, ?3, ?4)
    ORDER BY occurred_at DESC, position DESC, event_index DESC LIMIT ?5";

/// The lines of a customer's timeline before a place, newest first, at most `limit`.
pub fn timeline(
    snapshot: &Snapshot,
    customer: &str,
    before: Option<TimelinePlace>,
    limit: usize,
) -> Result<Vec<TimelineLine>, StoreError> {
    let end = TimelinePlace {
        occurred_at: i64::MAX,
        position: u64::MAX,
        index: u64::MAX,
    };
    let before = before.unwrap_or(end);
    let parameters = vec![
        customer.cell(),
        Value::Integer(before.occurred_at),
        before.position.cell(),
        before.index.cell(),
        Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    let lines: Vec<Result<_, TextError>> = snapshot.select(LINES, parameters, |row| {
        let place = TimelinePlace {
            occurred_at: row.get(0)?,
            position: row.get(1)?,
            index: row.get(2)?,
        };
        let (event, object, title) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let actor = row.get::<_, String>(6)?.parse();
        Ok(actor.map(|actor| TimelineLine {
            occurred_at: DateTime::from_micros(place.occurred_at),
            position: BigInt(place.position),
            event,
            title,
            actor,
            object,
            place,
        }))
    })?;
    // Only actors of the language are ever written, so every one of them is read back.
    Ok(lines.into_iter().flatten().collect())
}
