//! Sums of index rows, to compare an index with the blocks without holding either in memory.
//!
//! As the [totals](crate::index_totals) of an index, but for each span of positions, so that
//! `verify` can say where two indexes differ.

use std::path::Path;

use uuid::Uuid;

use crate::Position;
use crate::commit::CommitRef;
use crate::hash::Head;
use crate::index_file::{IndexFile, Rows, Unfit, stored_version};
use crate::index_totals::{Totals, command_row, stream_row};
use crate::survey::PositionRange;

/// Positions whose rows are summed up together.
pub(crate) const SPAN: u64 = 1024;

/// Sums by span of positions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexSums {
    /// Up to where the rows are counted.
    pub(crate) head: Head,
    sums: Vec<u128>,
    /// Rows outside the positions that the index claims to cover.
    strays: u128,
    totals: Totals,
    /// What the checkpoint says that the totals are; `None` where there is no file.
    written: Option<Totals>,
}

impl IndexSums {
    /// No rows yet, and room for those up to a position.
    pub(crate) fn up_to(position: Position) -> Self {
        let hash = crate::Hash([0; 32]);
        Self {
            head: Head { position, hash },
            sums: Vec::new(),
            strays: 0,
            totals: Totals::default(),
            written: None,
        }
    }

    /// The sums of an index file, read in one transaction.
    pub(crate) fn of_file(dir: &Path, organisation: Uuid) -> Result<Self, Unfit> {
        let (file, _) = IndexFile::open(dir, organisation)?;
        let snapshot = file.snapshot(organisation)?;
        let mut sums = Self::up_to(snapshot.head.position);
        sums.head = snapshot.head;
        sums.written = Some(snapshot.totals);
        file.for_each_command(|id, position| sums.add(command_row(id, position), position))?;
        file.for_each_stream(|stream, position, version| {
            sums.add(stream_row(stream, position, version), position);
        })?;
        Ok(sums)
    }

    /// Whether the rows are those that were written, by the totals at the checkpoint.
    pub(crate) fn is_as_written(&self) -> bool {
        self.written.is_none_or(|written| written == self.totals)
    }

    /// Adds the rows that a commit must have, if it is within reach.
    pub(crate) fn add_commit(&mut self, commit: CommitRef<'_>) {
        if commit.position() > self.head.position {
            return;
        }
        let mut rows = Rows::default();
        rows.add(commit);
        let position = commit.position();
        self.add(command_row(commit.command_id(), position), position);
        for ((stream, position), version) in &rows.streams {
            let row = stream_row(*stream, *position, stored_version(*version));
            self.add(row, *position);
        }
    }

    /// Where two indexes with the same reach differ.
    pub(crate) fn differences(&self, derived: &Self) -> Vec<PositionRange> {
        let spans = self.sums.len().max(derived.sums.len());
        let mut ranges = Vec::new();
        for (span, begin) in (0..spans).zip((0_u64..).step_by(1024)) {
            if self.sums.get(span).unwrap_or(&0) != derived.sums.get(span).unwrap_or(&0) {
                let last = (begin + SPAN - 1).min(self.head.position);
                ranges.push(PositionRange {
                    first: begin.max(1),
                    last,
                });
            }
        }
        if self.strays != derived.strays {
            ranges.push(PositionRange {
                first: self.head.position + 1,
                last: Position::MAX,
            });
        }
        ranges
    }

    fn add(&mut self, value: u128, position: Position) {
        self.totals.add(value);
        let span = usize::try_from(position / SPAN).unwrap_or(usize::MAX);
        if position == 0 || position > self.head.position {
            self.strays = self.strays.wrapping_add(value);
            return;
        }
        if span >= self.sums.len() {
            self.sums.resize(span + 1, 0);
        }
        self.sums[span] = self.sums[span].wrapping_add(value);
    }
}
