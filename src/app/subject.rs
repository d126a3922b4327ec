//! Everything that is on record about one person, for the person (subject access).

use std::{collections::BTreeSet, path::Path};

use daybook_eventlog::{Commit, Log, LogOptions};
use daybook_projections::{
    access::AccountRow,
    customers::{CustomerRow, InteractionRow},
    orders::{OrderRow, ShipmentRow},
    pipeline::{LeadRow, OpportunityRow},
    service::ComplaintRow,
    store::{Row, Snapshot, StoreError},
};
use daybook_schema::{
    commit::CommitMeta,
    customers::CustomerId,
    governance::SubjectId,
    kernel::{BigInt, StreamKey as _},
    personal, prefix,
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{AppError, MasterKeySource, Organisation, Seals, organisation, projection};

/// What is on record about a person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectExport {
    /// Who.
    pub subject: SubjectId,
    /// The position up to which the record was read.
    pub position: BigInt,
    /// The objects that are about the person, as they are now, by id.
    pub objects: Vec<Value>,
    /// Every commit with an event about the person, oldest first, with those events only.
    pub commits: Vec<SubjectCommit>,
}

/// A commit with an event about the person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectCommit {
    position: u64,
    command_id: Uuid,
    #[serde(flatten)]
    meta: CommitMeta,
    events: Vec<SubjectEvent>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SubjectEvent {
    stream: String,
    version: u64,
    #[serde(rename = "type")]
    type_name: String,
    data: Value,
}

/// Collects everything about a person; reads the whole log once.
///
/// # Errors
/// [`AppError::Log`], [`AppError::Store`].
pub fn export(organisation: &Organisation, subject: SubjectId) -> Result<SubjectExport, AppError> {
    let snapshot = organisation.readers().snapshot(None)?;
    collect(organisation.log(), organisation.seals(), &snapshot, subject)
}

/// The same for an organisation that nobody has open; read models that do not stand where the log
/// ends are built anew.
///
/// # Errors
/// [`AppError::Missing`] where there is no organisation, and as [`crate::rebuild_offline`].
pub fn export_offline(
    folder: &Path,
    master_key: &MasterKeySource,
    subject: SubjectId,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<SubjectExport, AppError> {
    let id = organisation::existing(folder)?;
    let opened = Log::open(&folder.join("log"), LogOptions::new(id))?;
    let seals = Seals::open(folder, id, master_key)?;
    let database = projection::database(folder)?;
    let head = opened.log.head().position;
    if database.position() != Some(head) {
        projection::rebuild(&opened.log, &seals, &database, &mut |at| progress(at, head))?;
        database.adopt()?;
    }
    let snapshot = database.readers().snapshot(None)?;
    let told = collect(&opened.log, &seals, &snapshot, subject);
    opened.writer.close()?;
    told
}

fn collect(
    log: &Log,
    seals: &Seals,
    snapshot: &Snapshot,
    subject: SubjectId,
) -> Result<SubjectExport, AppError> {
    let position = snapshot.position();
    let about = About::find(log, &subject, position)?;
    let mut commits = Vec::new();
    for at in &about.positions {
        if let Some(commit) = log.commit(*at)? {
            commits.push(about.told(&commit, seals)?);
        }
    }
    Ok(SubjectExport {
        subject,
        position: BigInt(position),
        objects: about.objects(snapshot)?,
        commits,
    })
}

/// Where it is told of a person.
struct About {
    subject: String,
    /// Objects that are about the person as a whole.
    streams: BTreeSet<String>,
    positions: BTreeSet<u64>,
}

impl About {
    /// What is sealed names the person whom it is sealed for, and what belongs to a person names
    /// it: so an event is about the person where its bytes hold the id.
    fn find(log: &Log, subject: &SubjectId, last: u64) -> Result<Self, AppError> {
        let mut about = Self {
            subject: subject.to_string(),
            streams: BTreeSet::new(),
            positions: BTreeSet::new(),
        };
        // A contact is one of several persons in the record of a customer.
        let whole = !matches!(subject, SubjectId::Contact(_));
        for commit in log.read(0) {
            let commit = commit?;
            if commit.position() > last {
                break;
            }
            for event in commit.events() {
                if !about.mentioned(event.stream, event.data) {
                    continue;
                }
                about.positions.insert(commit.position());
                if whole && personal::is_of_persons(event.stream) {
                    about.streams.insert(event.stream.to_owned());
                }
            }
        }
        for stream in &about.streams {
            let positions = log.stream_positions(stream, 0, usize::MAX)?;
            let known = positions.into_iter().filter(|position| *position <= last);
            about.positions.extend(known);
        }
        Ok(about)
    }

    fn mentioned(&self, stream: &str, data: &[u8]) -> bool {
        let mut found = memchr::memmem::find_iter(data, self.subject.as_bytes());
        stream == self.subject || found.any(|at| ends_there(&data[at + self.subject.len()..]))
    }

    fn told(&self, commit: &Commit, seals: &Seals) -> Result<SubjectCommit, AppError> {
        let unreadable = |error: serde_json::Error| StoreError::from(error);
        let events = commit.events().filter(|event| {
            self.streams.contains(event.stream) || self.mentioned(event.stream, event.data)
        });
        let events = events.map(|event| {
            Ok(SubjectEvent {
                stream: event.stream.to_owned(),
                version: event.version,
                type_name: event.type_name.to_owned(),
                data: without_secrets(serde_json::from_slice(&seals.event(&event))?),
            })
        });
        Ok(SubjectCommit {
            position: commit.position(),
            command_id: commit.command_id(),
            meta: seals.meta(commit.meta()).map_err(unreadable)?,
            events: events.collect::<Result<_, _>>().map_err(unreadable)?,
        })
    }

    fn objects(&self, snapshot: &Snapshot) -> Result<Vec<Value>, StoreError> {
        let mut objects = Vec::new();
        for id in &self.streams {
            objects.extend(object(snapshot, id)?);
        }
        Ok(objects)
    }
}

/// Whether an id ends where these bytes follow it: its text does, or the name of whom a text is
/// sealed for, behind which there is only the sealed text. One user name may begin with another.
fn ends_there(rest: &[u8]) -> bool {
    match rest.first() {
        Some(b'"') => true,
        Some(b':') => {
            let mut rest = rest[1..].iter();
            rest.find(|byte| matches!(byte, b'"' | b':')) == Some(&b'"')
        }
        _ => false,
    }
}

/// An object as the read models show it.
fn object(snapshot: &Snapshot, id: &str) -> Result<Option<Value>, StoreError> {
    match prefix(id) {
        CustomerId::PREFIX => row::<CustomerRow>(snapshot, id),
        "account" => Ok(row::<AccountRow>(snapshot, id)?.map(without_secrets)),
        "interaction" => row::<InteractionRow>(snapshot, id),
        "lead" => row::<LeadRow>(snapshot, id),
        "opportunity" => row::<OpportunityRow>(snapshot, id),
        "order" => row::<OrderRow>(snapshot, id),
        "shipment" => row::<ShipmentRow>(snapshot, id),
        "complaint" => row::<ComplaintRow>(snapshot, id),
        _ => Ok(None),
    }
}

/// What is kept of secrets is nobody's to carry away, not even of one's own.
fn without_secrets(mut json: Value) -> Value {
    if let Value::Object(members) = &mut json {
        for secret in ["verifier", "password", "invitation"] {
            members.remove(secret);
        }
    }
    json
}

fn row<R: Row>(snapshot: &Snapshot, id: &str) -> Result<Option<Value>, StoreError> {
    let document = snapshot.document::<R>(id)?;
    let json = document.map(|document| serde_json::from_slice(document.json()));
    Ok(json.transpose()?)
}
