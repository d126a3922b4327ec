//! The writer thread: one append and one sync per batch, then every answer.

use std::sync::mpsc::Receiver;

use super::{
    decide::{Batch, Replay},
    gathering::Idle,
};
use crate::{CommandError, Receipt, erasure::SUBJECT_ERASED, seals::Seals};
use daybook_eventlog::{Appended, Log, LogError, NewCommit, Writer};

pub(super) fn run(
    mut writer: Writer,
    log: &Log,
    seals: &Seals,
    batches: &Receiver<Batch>,
    idle: &Idle,
) -> Writer {
    loop {
        idle.tell();
        let Ok(batch) = batches.recv() else {
            return writer;
        };
        let Batch {
            base,
            commits,
            answers,
            replays,
            erased,
            done,
            ..
        } = batch;
        if !commits.is_empty() {
            let written = write(&mut writer, seals, base, &commits);
            let destroyed = match &written {
                Ok(()) => destroy(seals, &erased),
                Err(_) => Ok(()),
            };
            for (answer, receipt) in answers {
                let erases = erases(&receipt);
                let outcome = written.clone().map(|()| receipt);
                let outcome = match &destroyed {
                    Err(error) if erases => Err(error.clone()),
                    Ok(()) | Err(_) => outcome,
                };
                // A client that no longer waits has its answer in the log.
                drop(answer.send(outcome));
            }
        }
        if let Some(done) = done {
            // A desk that has ended waits for nothing.
            let _ = done.send(());
        }
        for Replay {
            command_id,
            digest,
            answer,
        } in replays
        {
            drop(answer.send(replay(log, seals, command_id, &digest)));
        }
    }
}

/// Appends a batch. The keys come first: what they sealed is never in the log without them.
fn write(
    writer: &mut Writer,
    seals: &Seals,
    base: u64,
    commits: &[NewCommit],
) -> Result<(), CommandError> {
    // Whatever stands before this batch was dealt with in full, its erasures too.
    if let Err(error) = seals.flush(base) {
        tracing::error!(code = error.code(), %error, "batch not written, its keys are not durable");
        return Err(error.into());
    }
    let written = writer.append_at(base, commits);
    report(&written);
    written.map(|_| ()).map_err(|error| command_error(&error))
}

/// Destroys the keys of whoever a durable batch erases. Where that fails, nothing of them opens in
/// this process all the same, and the next opening destroys them.
fn destroy(seals: &Seals, erased: &[String]) -> Result<(), CommandError> {
    if erased.is_empty() {
        return Ok(());
    }
    match seals.destroy(erased) {
        Ok(()) => {
            tracing::info!(subjects = erased.len(), "keys destroyed");
            Ok(())
        }
        Err(error) => {
            tracing::error!(code = error.code(), %error, "keys not destroyed; open anew");
            Err(error.into())
        }
    }
}

fn erases(receipt: &Receipt) -> bool {
    let mut events = receipt.events.iter();
    events.any(|event| event.event_type == SUBJECT_ERASED)
}

fn report(written: &Result<Appended, LogError>) {
    match written {
        Ok(appended) => tracing::debug!(
            position = appended.head.position,
            commits = appended.commits.len(),
            sync_us = appended.sync.as_micros(),
            "batch written"
        ),
        Err(error) => tracing::error!(code = error.code(), %error, "batch not written"),
    }
}

fn command_error(error: &LogError) -> CommandError {
    match error {
        LogError::UnexpectedHead { .. } => CommandError::Restarted,
        other => CommandError::Log(other.clone()),
    }
}

/// Answers a repeated command from the log.
fn replay(
    log: &Log,
    seals: &Seals,
    command_id: uuid::Uuid,
    digest: &str,
) -> Result<Receipt, CommandError> {
    let position = log.command(command_id).map_err(CommandError::Log)?;
    // The first use was decided but could not be written: nothing is known of it any more.
    let position = position.ok_or(CommandError::Restarted)?;
    let commit = log.commit(position).map_err(CommandError::Log)?;
    let commit = commit.ok_or(CommandError::Restarted)?;
    let meta = seals.meta(commit.meta());
    let meta = meta.map_err(|error| CommandError::Fault(error.to_string()))?;
    if meta.digest != digest {
        return Err(CommandError::IdempotencyKeyReused {
            command_id,
            position,
        });
    }
    Ok(Receipt::of(&commit, meta, true))
}
