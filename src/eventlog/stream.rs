//! The events of one stream, found through the index.

use std::collections::VecDeque;

use crate::Position;
use crate::commit::{Commit, EventRef};
use crate::error::LogError;
use crate::reader::Log;

/// Positions asked of the index at a time.
const PAGE: usize = 256;

/// One event of a stream, with the commit it is part of.
#[derive(Clone, Debug)]
pub struct StreamEvent {
    /// The position of the commit.
    pub position: Position,
    /// The commit; it shares its bytes.
    pub commit: Commit,
    /// The index of the event in the commit.
    pub index: u32,
}

impl StreamEvent {
    /// The event itself.
    #[must_use]
    pub fn event(&self) -> Option<EventRef<'_>> {
        self.commit.event(self.index)
    }
}

/// See [`Log::stream`]. Ends at the durable head.
#[derive(Debug)]
pub struct StreamScan {
    log: Log,
    stream: String,
    after_version: u64,
    after: Position,
    positions: VecDeque<Position>,
    ready: VecDeque<StreamEvent>,
    failed: bool,
}

impl StreamScan {
    pub(crate) fn new(log: Log, stream: &str, after_version: u64) -> Self {
        Self {
            log,
            stream: stream.to_owned(),
            after_version,
            after: 0,
            positions: VecDeque::new(),
            ready: VecDeque::new(),
            failed: false,
        }
    }

    fn step(&mut self) -> Result<Option<StreamEvent>, LogError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let Some(position) = self.next_position()? else {
                return Ok(None);
            };
            self.load(position)?;
        }
    }

    fn next_position(&mut self) -> Result<Option<Position>, LogError> {
        if self.positions.is_empty() {
            let (after, version) = (self.after, self.after_version);
            self.positions = self
                .log
                .index_positions(&self.stream, after, version, PAGE)?
                .into();
        }
        let next = self.positions.pop_front();
        self.after = next.unwrap_or(self.after);
        Ok(next)
    }

    fn load(&mut self, position: Position) -> Result<(), LogError> {
        let Some(commit) = self.log.commit(position)? else {
            let what = "index names a commit that is not there";
            return Err(LogError::damaged(what, position, position));
        };
        let wanted = |event: &EventRef<'_>| {
            event.stream == self.stream && event.version > self.after_version
        };
        let indexes: Vec<u32> = commit
            .events()
            .filter(wanted)
            .map(|event| event.index)
            .collect();
        let events = indexes.into_iter().map(|index| {
            let commit = commit.clone();
            StreamEvent {
                position,
                commit,
                index,
            }
        });
        self.ready.extend(events);
        Ok(())
    }
}

impl Iterator for StreamScan {
    type Item = Result<StreamEvent, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.step().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}
