//! What stands at the very end of a log that a crash or a failed write has cut off.
//!
//! None of it is damage: opening drops what never became whole, adopts what did, and continues
//! the archive. `verify` says so in notes, and holds to the head record: what that names was
//! acknowledged and must be there.

use crate::Position;
use crate::head::Found;
use crate::survey::PositionRange;
use crate::verify::{Area, Finding};

/// Blocks behind the last acknowledged position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    /// The end of what is whole.
    pub(crate) head: Position,
    /// The position that the head record names; unknown when it cannot be read.
    pub(crate) recorded: Option<Position>,
    /// Blocks behind the recorded position that belong to whole commits.
    pub(crate) blocks: u64,
    /// Blocks of a commit at the end of which the others are missing.
    pub(crate) fragments: u64,
}

impl Tail {
    /// What is to be said of whole commits and of fragments.
    pub(crate) fn notes(&self) -> Vec<Finding> {
        let adopted = self.recorded.and_then(|recorded| self.adopted(recorded));
        adopted.into_iter().chain(self.dropped()).collect()
    }

    fn adopted(&self, recorded: Position) -> Option<Finding> {
        let commits = self.head.checked_sub(recorded).filter(|count| *count > 0)?;
        let what = format!(
            "{commits} commits in {} blocks stand behind the last position that the head record \
             names; they were perhaps never acknowledged, and the next start adopts them",
            self.blocks
        );
        Some(note(Area::Store, what, (recorded + 1, self.head)))
    }

    fn dropped(&self) -> Option<Finding> {
        let position = self.head + 1;
        let what = format!(
            "{} blocks of a commit that never became whole stand at the end; it was never \
             acknowledged, and the next start drops them",
            self.fragments
        );
        (self.fragments > 0).then(|| note(Area::Store, what, (position, position)))
    }
}

/// Whether the log was closed in order, so that its archive must be complete.
pub(crate) fn was_closed(record: &Found) -> bool {
    matches!(record, Found::Record(record) if record.clean)
}

/// The archive lacks the end of the log.
pub(crate) fn archive_ends_early(first: Position, last: Position) -> Finding {
    let what = "the archive ends before the log, as after a crash; the next start continues it";
    note(Area::Archive, what.to_owned(), (first, last))
}

/// The archive ends within a record.
pub(crate) fn archive_is_torn(what: &str) -> Finding {
    Finding {
        area: Area::Archive,
        what: format!("{what}, as after a crash; the next start cuts that record away"),
        range: None,
    }
}

fn note(area: Area, what: String, (first, last): (Position, Position)) -> Finding {
    Finding {
        area,
        what,
        range: Some(PositionRange { first, last }),
    }
}
