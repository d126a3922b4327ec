//! One commit as it is shown.

use std::io::{self, Write};

use daybook_app::Seals;
use daybook_eventlog::{Commit, EventRef};
use daybook_schema::commit::CommitMeta;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::filter::{Filter, allows};
use crate::error::CliError;

/// Characters of an event's data on one line, unless all of it is asked for.
const DATA_SHOWN: usize = 160;

/// A commit read as far as it is shown: the envelope wholly, the data of events not at all.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    position: u64,
    command_id: Uuid,
    #[serde(flatten)]
    meta: CommitMeta,
    events: Vec<EntryEvent<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryEvent<'a> {
    index: u32,
    stream: &'a str,
    version: u64,
    #[serde(rename = "type")]
    type_name: &'a str,
    type_version: u16,
    data: Box<RawValue>,
}

impl<'a> Entry<'a> {
    pub(super) fn of(commit: &'a Commit, seals: &Seals) -> Result<Self, CliError> {
        let unreadable = |error: serde_json::Error| CliError::Unreadable {
            position: commit.position(),
            problem: error.to_string(),
        };
        let meta = seals.meta(commit.meta()).map_err(unreadable)?;
        let events: Result<Vec<_>, _> = commit
            .events()
            .map(|event| EntryEvent::of(event, seals))
            .collect();
        Ok(Self {
            position: commit.position(),
            command_id: commit.command_id(),
            meta,
            events: events.map_err(unreadable)?,
        })
    }

    pub(super) fn passes(&self, filter: &Filter) -> bool {
        let stream = filter.stream.as_deref();
        stream.is_none_or(|id| self.events.iter().any(|event| event.stream == id))
            && (filter.types.is_empty()
                || self
                    .events
                    .iter()
                    .any(|event| allows(&filter.types, event.type_name)))
            && allows(&filter.commands, self.meta.command.as_str())
            && allows(&filter.actors, &self.meta.actor)
            && (!filter.refused || self.meta.refusal.is_some())
    }

    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    /// One line for the commit, one indented line per fact or for the rule that said no.
    pub(super) fn write_text(&self, out: &mut dyn Write, full: bool) -> io::Result<()> {
        let meta = &self.meta;
        write!(
            out,
            "{}  {}  {}  by {}",
            self.position, meta.recorded_at, meta.command, meta.actor
        )?;
        if let Some(principal) = &meta.on_behalf_of {
            write!(out, " for {principal}")?;
        }
        if let Some(occurred) = meta.occurred_at {
            write!(out, "  as of {occurred}")?;
        }
        if let Some(reason) = &meta.reason {
            write!(out, "  \"{reason}\"")?;
        }
        writeln!(out)?;
        if let Some(refusal) = &meta.refusal {
            writeln!(out, "    refused: {} ({})", refusal.message, refusal.code)?;
        }
        for event in &self.events {
            event.write_text(out, full)?;
        }
        Ok(())
    }
}

impl<'a> EntryEvent<'a> {
    fn of(event: EventRef<'a>, seals: &Seals) -> Result<Self, serde_json::Error> {
        Ok(Self {
            index: event.index,
            stream: event.stream,
            version: event.version,
            type_name: event.type_name,
            type_version: event.type_version,
            data: serde_json::from_slice(&seals.event(&event))?,
        })
    }

    fn write_text(&self, out: &mut dyn Write, full: bool) -> io::Result<()> {
        let Self {
            stream,
            version,
            type_name,
            data,
            ..
        } = self;
        let data = data.get();
        let cut = data.char_indices().nth(DATA_SHOWN).filter(|_| !full);
        let (shown, more) = cut.map_or((data, ""), |(at, _)| (&data[..at], "…"));
        writeln!(out, "    {type_name}  {stream} v{version}  {shown}{more}")
    }
}
