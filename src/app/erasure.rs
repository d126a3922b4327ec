//! Erasures on the record are carried out: whoever the log says was erased has no key.
//!
//! The desk destroys the keys before it acknowledges. Where it could not, because the process
//! ended in between or because the keys come from a backup, the next opening does so, from the
//! position up to which the key ring knows it done.

use daybook_eventlog::{CommitRef, EventRef, Log};
use daybook_schema::{Event as _, EventError, governance::ErasureEvent};

use crate::{AppError, seals::Seals};

/// The fact that somebody was erased.
pub(crate) const SUBJECT_ERASED: &str = "SubjectErased";

/// Destroys the keys of everybody who is erased by the log, and says up to which position.
pub(crate) fn carry_out(log: &Log, seals: &Seals) -> Result<u64, AppError> {
    let head = log.head().position;
    let done = seals.carried_out()?.min(head);
    let mut subjects = Vec::new();
    for block in log.blocks(done) {
        for commit in block?.commits() {
            subjects.extend(erased(&commit)?);
        }
    }
    if !subjects.is_empty() {
        seals.destroy(&subjects)?;
    }
    seals.carry_out(head)?;
    Ok(head)
}

/// Who is erased by a commit.
pub(crate) fn erased(commit: &CommitRef<'_>) -> Result<Vec<String>, EventError> {
    let events = commit.events();
    let erasures = events.filter(|event| event.type_name == SUBJECT_ERASED);
    erasures.map(|event| subject(&event)).collect()
}

fn subject(event: &EventRef<'_>) -> Result<String, EventError> {
    let ErasureEvent::SubjectErased { subject, .. } =
        ErasureEvent::decode(event.type_name, event.data)?;
    Ok(subject.to_string())
}
