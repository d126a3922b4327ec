//! Ids that follow from keys, so that no table of ids has to be kept.
//!
//! The desk gives a new object the UUID of the command that creates it. An import gives that
//! command a UUID made of the namespace, the kind of object and the key; so any row that knows the
//! key knows the id, in this import or in any later one with the same namespace.
//!
//! A refusal is final for its command id. To try a refused row again, the command gets the next id
//! of a fixed series, and the log says how far the series of a command has gone: nothing else has
//! to be remembered between two imports.

use std::collections::{HashMap, HashSet};

use daybook_eventlog::{Log, LogError};
use serde::{Deserialize, de::IgnoredAny};
use uuid::Uuid;

use super::error::RowProblem;

/// The namespace of all imports.
const IMPORTS: Uuid = Uuid::from_u128(0x51d0_7a3c_e2b4_5f19_9c6e_8b70_43da_1f25);

/// A character that no key holds, so that parts cannot run into each other.
const SEPARATOR: &str = "\u{1f}";

/// How often a refused row can be tried again.
const ATTEMPTS_MAX: u32 = 1_000;

/// The ids of one namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids(Uuid);

impl Ids {
    pub(super) fn of(namespace: &str) -> Self {
        Self(Uuid::new_v5(&IMPORTS, namespace.as_bytes()))
    }

    /// The namespace itself, by which all commands of an import can be found again.
    pub(super) fn namespace(self) -> Uuid {
        self.0
    }

    /// The object of a kind (the prefix of its id) under a key, and the command that creates it.
    pub(super) fn object(self, kind: &str, key: &str) -> Uuid {
        self.derive(&["object", kind, key])
    }

    /// A command about an object that exists.
    pub(super) fn command(self, step: &str, key: &str, command: &str) -> Uuid {
        self.derive(&["command", step, key, command])
    }

    fn derive(self, parts: &[&str]) -> Uuid {
        Uuid::new_v5(&self.0, parts.join(SEPARATOR).as_bytes())
    }
}

/// The id of one of several objects that one command creates, as decisions number them.
pub(super) fn numbered(command: Uuid, number: u64) -> Uuid {
    Uuid::new_v5(&command, number.to_string().as_bytes())
}

/// The id of a further attempt at a command, counted from 1.
fn attempt(command: Uuid, number: u32) -> Uuid {
    Uuid::new_v5(&command, format!("attempt{SEPARATOR}{number}").as_bytes())
}

/// The ids of one namespace as this run of an import sees them.
pub(super) struct IdBook {
    ids: Ids,
    /// The log that says how far each command has come; none in a dry run.
    log: Option<Log>,
    retry_refused: bool,
    /// Objects whose rows were rejected in this run, by the id of the first attempt.
    rejected: HashSet<Uuid>,
    /// Objects that exist under a later attempt made in this run.
    moved: HashMap<Uuid, Uuid>,
}

impl IdBook {
    pub(super) fn new(ids: Ids, log: Option<Log>, retry_refused: bool) -> Self {
        Self {
            ids,
            log,
            retry_refused,
            rejected: HashSet::new(),
            moved: HashMap::new(),
        }
    }

    pub(super) fn namespace(&self) -> Uuid {
        self.ids.namespace()
    }

    /// The object under a key, for a command that refers to it. A row that needs an object whose
    /// own row was rejected is rejected here: a refusal by the desk would be final.
    pub(super) fn refer(&self, kind: &str, key: &str) -> Result<Uuid, RowProblem> {
        let first = self.ids.object(kind, key);
        if self.rejected.contains(&first) && !self.exists(first).map_err(unreadable)? {
            let message = format!("the row of {kind} `{key}` was rejected");
            return Err(RowProblem::new("IMPORT_PREREQUISITE_REJECTED", message));
        }
        if let Some(moved) = self.moved.get(&first) {
            return Ok(*moved);
        }
        self.last_attempt(first)
            .map(|(id, _)| id)
            .map_err(unreadable)
    }

    /// The id for the command that creates the object under a key.
    pub(super) fn create(&mut self, kind: &str, key: &str) -> Result<Uuid, RowProblem> {
        let first = self.ids.object(kind, key);
        let id = self.next_attempt(first).map_err(unreadable)?;
        if id != first {
            self.moved.insert(first, id);
        }
        Ok(id)
    }

    /// The id for a command about an object that exists.
    pub(super) fn change(&self, step: &str, key: &str, command: &str) -> Result<Uuid, RowProblem> {
        let first = self.ids.command(step, key, command);
        self.next_attempt(first).map_err(unreadable)
    }

    /// Notes that the row that should have created the object under a key was rejected.
    pub(super) fn reject(&mut self, kind: &str, key: &str) {
        self.rejected.insert(self.ids.object(kind, key));
    }

    fn next_attempt(&self, first: Uuid) -> Result<Uuid, LogError> {
        let (last, number) = self.last_attempt(first)?;
        if self.retry_refused && self.refused(last)? == Some(true) {
            return Ok(attempt(first, number + 1));
        }
        Ok(last)
    }

    /// The last attempt that the log has an answer to, or the first of all.
    fn last_attempt(&self, first: Uuid) -> Result<(Uuid, u32), LogError> {
        let mut last = (first, 0);
        let Some(log) = &self.log else {
            return Ok(last);
        };
        for number in 1..=ATTEMPTS_MAX {
            let next = attempt(first, number);
            if log.command(next)?.is_none() {
                break;
            }
            last = (next, number);
        }
        Ok(last)
    }

    fn exists(&self, first: Uuid) -> Result<bool, LogError> {
        let (last, _) = self.last_attempt(first)?;
        Ok(self.refused(last)? == Some(false))
    }

    /// Whether the answer to a command is a refusal; none where there is no answer yet.
    fn refused(&self, command: Uuid) -> Result<Option<bool>, LogError> {
        let Some(log) = &self.log else {
            return Ok(None);
        };
        let Some(position) = log.command(command)? else {
            return Ok(None);
        };
        let commit = log.commit(position)?;
        let answer = commit.and_then(|commit| serde_json::from_slice(commit.meta()).ok());
        Ok(answer.map(|answer: Answer| answer.refusal.is_some()))
    }
}

/// As much of an envelope as says whether it is a refusal; the rest may be sealed.
#[derive(Deserialize)]
struct Answer {
    refusal: Option<IgnoredAny>,
}

fn unreadable(error: LogError) -> RowProblem {
    RowProblem::new(error.code(), error.to_string())
}
