//! Erasures on the record are carried out: whoever the log says was erased has no key.
//!
//! The desk destroys the keys before it acknowledges. Where it could not, because the process
//! ended in between or because the keys come from a backup, the next opening does so, from the
//! position up to which the key ring knows it done.

use std::{collections::BTreeSet, path::Path};

use daybook_eventlog::{CommitRef, EventRef, Log};
use daybook_keyring::KeyError;
use daybook_schema::{Event as _, EventError, governance::ErasureEvent};

use crate::{AppError, MasterKeySource, Seals, offline, projection, seals};

/// The fact that somebody was erased.
pub(crate) const SUBJECT_ERASED: &str = "SubjectErased";

/// Destroys the keys of everybody who is erased by the log, and says up to which position.
pub(crate) fn carry_out(log: &Log, seals: &Seals) -> Result<u64, AppError> {
    let head = log.head().position;
    let done = seals.carried_out()?.min(head);
    let status = seals.status()?;
    let empty = status.keys + status.destroyed == 0;
    let mut subjects = Vec::new();
    for block in log.blocks(done) {
        for commit in block?.commits() {
            if empty && is_sealed(&commit) {
                return Err(KeyError::RingMissing.into());
            }
            subjects.extend(erased(&commit)?);
        }
    }
    if !subjects.is_empty() {
        seals.destroy(&subjects)?;
    }
    seals.carry_out(head)?;
    Ok(head)
}

/// Whether a commit holds sealed text; an empty key ring that meets any has lost its keys.
fn is_sealed(commit: &CommitRef<'_>) -> bool {
    let mut events = commit.events();
    events.any(|event| !seals::subjects(event.data).is_empty())
}

/// Gives the keys of everybody up who has none any more: what was sealed for them reads `erased`
/// from then on, as if all of them had been erased. Says how many those are.
///
/// # Errors
/// [`AppError::Missing`] where there is no organisation, and as [`Log::open`].
pub fn abandon_lost_keys(folder: &Path, master_key: &MasterKeySource) -> Result<usize, AppError> {
    let opened = offline::open_log(folder)?;
    let seals = Seals::open(folder, opened.log.organisation(), master_key)?;
    let mut lost = BTreeSet::new();
    for block in opened.log.blocks(0) {
        for commit in block?.commits() {
            let texts = commit
                .events()
                .map(|event| event.data)
                .chain([commit.meta()]);
            let subjects = texts.flat_map(seals::subjects);
            lost.extend(subjects.map(str::to_owned));
        }
    }
    let lost = seals.without_key(lost)?;
    seals.destroy(&lost)?;
    // Read models that were built while there were keys know what nobody shall read any more.
    let database = projection::database(folder)?;
    projection::rebuild(&opened.log, &seals, &database, &mut |_| {})?;
    database.adopt()?;
    opened.writer.close()?;
    Ok(lost.len())
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
