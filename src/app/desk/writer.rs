//! The writer thread: one append and one sync per batch, then every answer.

use std::sync::mpsc::Receiver;

use daybook_eventlog::{Appended, Log, LogError, Writer};
use daybook_schema::commit::CommitMeta;

use super::decide::{Batch, Replay};
use crate::{CommandError, Receipt};

pub(super) fn run(mut writer: Writer, log: &Log, batches: &Receiver<Batch>) -> Writer {
    while let Ok(Batch {
        base,
        commits,
        answers,
        replays,
        ..
    }) = batches.recv()
    {
        if !commits.is_empty() {
            let written = writer.append_at(base, &commits);
            report(&written);
            for (answer, receipt) in answers {
                // A client that no longer waits has its answer in the log.
                drop(answer.send(written.as_ref().map(|_| receipt).map_err(command_error)));
            }
        }
        for Replay {
            command_id,
            digest,
            answer,
        } in replays
        {
            drop(answer.send(replay(log, command_id, &digest)));
        }
    }
    writer
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
fn replay(log: &Log, command_id: uuid::Uuid, digest: &str) -> Result<Receipt, CommandError> {
    let position = log.command(command_id).map_err(CommandError::Log)?;
    // The first use was decided but could not be written: nothing is known of it any more.
    let position = position.ok_or(CommandError::Restarted)?;
    let commit = log.commit(position).map_err(CommandError::Log)?;
    let commit = commit.ok_or(CommandError::Restarted)?;
    let meta: CommitMeta = serde_json::from_slice(commit.meta())
        .map_err(|error| CommandError::Fault(error.to_string()))?;
    if meta.digest != digest {
        return Err(CommandError::IdempotencyKeyReused {
            command_id,
            position,
        });
    }
    Ok(Receipt::of(&commit, meta, true))
}
