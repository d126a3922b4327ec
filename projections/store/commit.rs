//! Commits on their way from the log to the folds: as bytes, and read.

use daybook_schema::{DomainEvent, commit::CommitMeta};
use uuid::Uuid;

use super::StoreError;

/// A commit as the log hands it over.
pub struct Commit<'a> {
    /// Its place in the log.
    pub position: u64,
    /// The command that it answers.
    pub command_id: Uuid,
    /// The envelope, as JSON.
    pub meta: &'a [u8],
    /// The events, in order.
    pub events: Vec<CommitEvent<'a>>,
}

/// One event of a commit.
pub struct CommitEvent<'a> {
    /// The stream.
    pub stream: &'a str,
    /// The version of the stream after the event.
    pub version: u64,
    /// The name of the fact.
    pub type_name: &'a str,
    /// The version of its shape.
    pub type_version: u16,
    /// Its data, as JSON.
    pub data: &'a [u8],
}

impl Commit<'_> {
    /// Reads the JSON of the envelope and of the events; this may be done on any thread.
    ///
    /// # Errors
    /// [`StoreError::Envelope`]. An event that cannot be read is no error here: it parks its
    /// stream when it is folded.
    pub fn decode(&self) -> Result<Decoded, StoreError> {
        let meta = serde_json::from_slice(self.meta).map_err(|source| StoreError::Envelope {
            position: self.position,
            source,
        })?;
        Ok(Decoded {
            position: self.position,
            command_id: self.command_id,
            meta,
            events: self.events.iter().map(CommitEvent::decode).collect(),
        })
    }
}

impl CommitEvent<'_> {
    fn decode(&self) -> DecodedEvent {
        let Self {
            stream,
            version,
            type_name,
            type_version,
            data,
        } = *self;
        let content = DomainEvent::decode(stream, type_name, type_version, data);
        DecodedEvent {
            stream: stream.to_owned(),
            version,
            content: content.map_err(|problem| Unreadable {
                type_name: type_name.to_owned(),
                problem: problem.to_string(),
            }),
        }
    }
}

/// A commit whose JSON was read; it holds nothing of the log's bytes.
pub struct Decoded {
    pub(crate) position: u64,
    pub(crate) command_id: Uuid,
    pub(crate) meta: CommitMeta,
    pub(crate) events: Vec<DecodedEvent>,
}

impl Decoded {
    /// How many events it has.
    pub fn event_count(&self) -> usize {
        self.events.len()
    }
}

pub(crate) struct DecodedEvent {
    pub(crate) stream: String,
    pub(crate) version: u64,
    pub(crate) content: Result<DomainEvent, Unreadable>,
}

/// An event that does not fit any shape that this build knows.
pub(crate) struct Unreadable {
    pub(crate) type_name: String,
    pub(crate) problem: String,
}

impl DecodedEvent {
    /// The name of the fact.
    pub(crate) fn type_name(&self) -> &str {
        match &self.content {
            Ok(event) => event.type_name(),
            Err(unreadable) => &unreadable.type_name,
        }
    }
}
