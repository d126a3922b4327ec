//! Sums of index rows, to compare an index with the blocks without holding either in memory.
//!
//! Each row is hashed together with its kind; the hashes of all rows of a span of positions are
//! added up. Two sets of rows with equal sums are equal, up to a chance of 2⁻¹²⁸.

use std::path::Path;

use uuid::Uuid;

use crate::Position;
use crate::commit::CommitRef;
use crate::hash::Head;
use crate::index_file::{IndexFile, Rows, stored_version};
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
}

impl IndexSums {
    /// No rows yet, and room for those up to a position.
    pub(crate) fn up_to(position: Position) -> Self {
        let hash = crate::Hash([0; 32]);
        Self {
            head: Head { position, hash },
            sums: Vec::new(),
            strays: 0,
        }
    }

    /// The sums of an index file, read in one transaction; `None` when it cannot be read.
    pub(crate) fn of_file(dir: &Path, organisation: Uuid) -> Option<Self> {
        let (file, _) = IndexFile::open(dir, organisation)?;
        let snapshot = file.snapshot(organisation).ok()?;
        let mut sums = Self::up_to(snapshot.position);
        sums.head = snapshot;
        file.for_each_command(|id, position| sums.add_command(id, position))
            .ok()?;
        let add = |stream, position, version| sums.add_stream(stream, position, version);
        file.for_each_stream(add).ok()?;
        Some(sums)
    }

    /// Adds the rows that a commit must have, if it is within reach.
    pub(crate) fn add_commit(&mut self, commit: CommitRef<'_>) {
        if commit.position() > self.head.position {
            return;
        }
        let mut rows = Rows::default();
        rows.add(commit);
        self.add_command(commit.command_id(), commit.position());
        for ((stream, position), version) in &rows.streams {
            self.add_stream(*stream, *position, stored_version(*version));
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

    fn add_command(&mut self, id: Uuid, position: Position) {
        let mut row = [0; 25];
        row[0] = 1;
        row[1..17].copy_from_slice(id.as_bytes());
        row[17..].copy_from_slice(&position.to_be_bytes());
        self.add(&row, position);
    }

    fn add_stream(&mut self, stream: i64, position: Position, version: i64) {
        let mut row = [0; 25];
        row[0] = 2;
        row[1..9].copy_from_slice(&stream.to_be_bytes());
        row[9..17].copy_from_slice(&position.to_be_bytes());
        row[17..].copy_from_slice(&version.to_be_bytes());
        self.add(&row, position);
    }

    fn add(&mut self, row: &[u8], position: Position) {
        let mut head = [0; 16];
        head.copy_from_slice(&blake3::hash(row).as_bytes()[..16]);
        let value = u128::from_be_bytes(head);
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
