//! A commit: what one command brought about, all of it or nothing.
//!
//! ```text
//! commit  length u32 │ command id 16 │ event count u32 │ meta length u32 │ meta │ event …
//! event   version u64 │ type version u16 │ stream length u16 │ type length u16 │ data length u32
//!         │ stream │ type │ data
//! ```
//!
//! The position is not stored: it is the first position of the block plus the commit's rank in
//! it, so it cannot disagree with the order. Metadata and event data are opaque here.
//!
//! Bytes are checked once, when they enter ([`encode`]) or are read ([`CommitRef::split`]); from
//! then on a [`Commit`] can be walked without errors.

use std::borrow::Cow;

use bytes::Bytes;
use uuid::Uuid;

use crate::error::LogError;
use crate::wire::{Input, u32_of, usize_of};
use crate::{MAX_COMMIT_BYTES, Position};

/// Command id, event count and meta length.
const COMMIT_HEAD_BYTES: usize = 16 + 4 + 4;
/// The fixed part of an event.
const EVENT_HEAD_BYTES: usize = 8 + 2 + 2 + 2 + 4;

/// An event to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The stream it belongs to, at most 65,535 bytes, not empty.
    pub stream: String,
    /// Its number in that stream. The engine stores it and does not check it.
    pub version: u64,
    /// The name of its type, at most 65,535 bytes, not empty.
    pub type_name: Cow<'static, str>,
    /// The version of that type's shape.
    pub type_version: u16,
    /// Its content, opaque to the engine.
    pub data: Vec<u8>,
}

/// A commit to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// The command that is answered by it; unique in the log for ever.
    pub command_id: Uuid,
    /// Who, when, why: opaque to the engine.
    pub meta: Vec<u8>,
    /// The events; none for a refusal that is put on record.
    pub events: Vec<NewEvent>,
}

impl NewCommit {
    /// The stored size in bytes, which counts against [`MAX_COMMIT_BYTES`].
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let events: usize = self
            .events
            .iter()
            .map(|e| EVENT_HEAD_BYTES + e.stream.len() + e.type_name.len() + e.data.len())
            .sum();
        COMMIT_HEAD_BYTES + self.meta.len() + events
    }
}

/// A stored event, borrowed from its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// Its rank in the commit, from 0. Position and index together address an event.
    pub index: u32,
    /// The stream it belongs to.
    pub stream: &'a str,
    /// Its number in that stream.
    pub version: u64,
    /// The name of its type.
    pub type_name: &'a str,
    /// The version of that type's shape.
    pub type_version: u16,
    /// Its content.
    pub data: &'a [u8],
}

/// A stored commit that owns its bytes; cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    position: Position,
    body: Bytes,
}

impl Commit {
    pub(crate) fn new(position: Position, body: Bytes) -> Self {
        Self { position, body }
    }

    /// Its number in the log.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The command it answers.
    #[must_use]
    pub fn command_id(&self) -> Uuid {
        self.borrowed().command_id()
    }

    /// The metadata as it was given.
    #[must_use]
    pub fn meta(&self) -> &[u8] {
        self.borrowed().meta()
    }

    /// How many events it has.
    #[must_use]
    pub fn event_count(&self) -> u32 {
        self.borrowed().event_count()
    }

    /// Its events in order.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        self.borrowed().events()
    }

    /// The event with this index.
    #[must_use]
    pub fn event(&self, index: u32) -> Option<EventRef<'_>> {
        self.events().nth(usize_of(index))
    }

    /// Its stored size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// The same commit, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> CommitRef<'_> {
        CommitRef {
            position: self.position,
            body: &self.body,
        }
    }
}

/// A stored commit, borrowed from its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitRef<'a> {
    position: Position,
    body: &'a [u8],
}

impl<'a> CommitRef<'a> {
    /// Takes the next commit off a payload; `None` when the bytes are not a commit.
    fn split(position: Position, input: &mut Input<'a>) -> Option<Self> {
        let length = input.u32()?;
        let body = input.bytes(usize_of(length))?;
        Some(Self { position, body })
    }

    /// Its number in the log.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The command it answers.
    #[must_use]
    pub fn command_id(&self) -> Uuid {
        Input::new(self.body)
            .array()
            .map_or(Uuid::nil(), Uuid::from_bytes)
    }

    /// The metadata as it was given.
    #[must_use]
    pub fn meta(&self) -> &'a [u8] {
        self.head().map_or(&[], |head| head.meta)
    }

    /// How many events it has.
    #[must_use]
    pub fn event_count(&self) -> u32 {
        self.head().map_or(0, |head| head.event_count)
    }

    /// Its events in order.
    #[must_use]
    pub fn events(&self) -> Events<'a> {
        self.head().map_or(
            Events {
                index: 0,
                rest: Input::new(&[]),
            },
            |head| head.events,
        )
    }

    /// The commit as it stands in a payload, with its length.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        [&u32_of(self.body.len()).to_be_bytes(), self.body].concat()
    }

    fn head(&self) -> Option<BodyHead<'a>> {
        let mut input = Input::new(self.body);
        let _command_id: [u8; 16] = input.array()?;
        let event_count = input.u32()?;
        let meta_bytes = input.u32()?;
        let meta = input.bytes(usize_of(meta_bytes))?;
        Some(BodyHead {
            event_count,
            meta,
            events: Events {
                index: 0,
                rest: input,
            },
        })
    }

    /// Whether the body is exactly what [`encode`] writes; gives the number of events.
    fn check(&self) -> Option<u32> {
        let head = self.head()?;
        let mut events = head.events;
        for _ in 0..head.event_count {
            events.next()?;
        }
        events.rest.is_empty().then_some(head.event_count)
    }
}

struct BodyHead<'a> {
    event_count: u32,
    meta: &'a [u8],
    events: Events<'a>,
}

/// The events of one commit.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    index: u32,
    rest: Input<'a>,
}

impl<'a> Iterator for Events<'a> {
    type Item = EventRef<'a>;

    fn next(&mut self) -> Option<EventRef<'a>> {
        let version = self.rest.u64()?;
        let type_version = self.rest.u16()?;
        let stream_bytes = self.rest.u16()?;
        let type_bytes = self.rest.u16()?;
        let data_bytes = self.rest.u32()?;
        let stream = std::str::from_utf8(self.rest.bytes(stream_bytes.into())?).ok()?;
        let type_name = std::str::from_utf8(self.rest.bytes(type_bytes.into())?).ok()?;
        let data = self.rest.bytes(usize_of(data_bytes))?;
        let index = self.index;
        self.index += 1;
        Some(EventRef {
            index,
            stream,
            version,
            type_name,
            type_version,
            data,
        })
    }
}

/// Appends the stored form of a commit, with its length, to a payload.
pub(crate) fn encode(commit: &NewCommit, out: &mut Vec<u8>) -> Result<(), LogError> {
    let bytes = check_new(commit)?;
    out.reserve(4 + bytes);
    out.extend_from_slice(&u32_of(bytes).to_be_bytes());
    out.extend_from_slice(commit.command_id.as_bytes());
    out.extend_from_slice(&u32_of(commit.events.len()).to_be_bytes());
    out.extend_from_slice(&u32_of(commit.meta.len()).to_be_bytes());
    out.extend_from_slice(&commit.meta);
    commit
        .events
        .iter()
        .for_each(|event| encode_event(event, out));
    Ok(())
}

fn encode_event(event: &NewEvent, out: &mut Vec<u8>) {
    out.extend_from_slice(&event.version.to_be_bytes());
    out.extend_from_slice(&event.type_version.to_be_bytes());
    out.extend_from_slice(&name_length(&event.stream).to_be_bytes());
    out.extend_from_slice(&name_length(&event.type_name).to_be_bytes());
    out.extend_from_slice(&u32_of(event.data.len()).to_be_bytes());
    out.extend_from_slice(event.stream.as_bytes());
    out.extend_from_slice(event.type_name.as_bytes());
    out.extend_from_slice(&event.data);
}

/// [`check_new`] has refused names that do not fit.
fn name_length(name: &str) -> u16 {
    u16::try_from(name.len()).unwrap_or(u16::MAX)
}

/// Checks a commit against the limits of the format; gives its stored size.
pub(crate) fn check_new(commit: &NewCommit) -> Result<usize, LogError> {
    let command_id = commit.command_id;
    let bytes = commit.encoded_bytes();
    if bytes > MAX_COMMIT_BYTES {
        return Err(LogError::CommitTooLarge {
            command_id,
            bytes,
            limit: MAX_COMMIT_BYTES,
        });
    }
    let names = commit
        .events
        .iter()
        .flat_map(|e| [&*e.stream, &*e.type_name]);
    for name in names {
        if name.is_empty() || u16::try_from(name.len()).is_err() {
            let what = "stream and type names have 1 to 65535 bytes";
            return Err(LogError::InvalidCommit { command_id, what });
        }
    }
    Ok(bytes)
}

/// Checks a payload once: it must hold exactly these many commits and events and nothing else.
pub(crate) fn check_payload(payload: &[u8], commits: u32, events: u32) -> bool {
    let mut input = Input::new(payload);
    let mut event_sum = 0_u32;
    for _ in 0..commits {
        let found = CommitRef::split(0, &mut input).and_then(|commit| commit.check());
        let Some(count) = found else { return false };
        event_sum = event_sum.saturating_add(count);
    }
    input.is_empty() && event_sum == events
}

/// The commits of a checked payload, borrowed.
#[derive(Clone, Debug)]
pub struct CommitRefs<'a> {
    next: Position,
    rest: Input<'a>,
}

impl<'a> CommitRefs<'a> {
    pub(crate) fn new(first: Position, payload: &'a [u8]) -> Self {
        Self {
            next: first,
            rest: Input::new(payload),
        }
    }
}

impl<'a> Iterator for CommitRefs<'a> {
    type Item = CommitRef<'a>;

    fn next(&mut self) -> Option<CommitRef<'a>> {
        let commit = CommitRef::split(self.next, &mut self.rest)?;
        self.next += 1;
        Some(commit)
    }
}

/// The commits of a checked payload, sharing its bytes.
pub(crate) fn owned_commits(first: Position, payload: &Bytes) -> Vec<Commit> {
    CommitRefs::new(first, payload)
        .map(|commit| Commit::new(commit.position, payload.slice_ref(commit.body)))
        .collect()
}
