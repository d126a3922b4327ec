//! The record itself: commits, as pages, as the history of one object, and as a live feed.

use async_graphql::{ComplexObject, Context, ID, InputObject, Json, SimpleObject};
use daybook_app::Seals;
use daybook_eventlog::{Commit as Stored, Log};
use daybook_projections::audit::{self, AuditFilter};
use daybook_schema::{
    commit::{CommitMeta, PolicyRef, Refusal, Source},
    kernel::{Actor, BigInt, DateTime, Name, Note, UniqueId},
    prefix,
};

use super::{
    fault::{Answer, Fault},
    object::Node,
    reading::Reading,
};

/// The greatest page of commits.
const PAGE_MAX: usize = 200;

/// The answer to one command, as it stands in the log: its events, or the rule that said no.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(super) struct Commit {
    /// Its place in the log, counted from 1 without a gap.
    pub(super) position: BigInt,
    /// The command's id.
    command_id: UniqueId,
    /// The name of the command, for example `PlaceOrder`.
    command: String,
    /// Who acted.
    actor: Actor,
    /// For whom, where the actor was a delegate.
    on_behalf_of: Option<Actor>,
    /// The role in which the actor acted.
    role: Option<Name>,
    /// The number of the grant by which it was permitted, in the account whose authority counted;
    /// empty where the actor cared for their own account.
    grant: Option<u32>,
    /// When the desk decided.
    recorded_at: DateTime,
    /// When it happened in business, where that differs.
    occurred_at: Option<DateTime>,
    /// The conversation that the command belongs to.
    correlation_id: Option<UniqueId>,
    /// The position of the commit that caused it.
    causation: Option<BigInt>,
    /// Why, in the actor's words.
    reason: Option<Note>,
    /// The policies that the decision used, with their versions.
    policies: Vec<PolicyRef>,
    /// Which door the command came through.
    source: Source,
    /// What happened, in order.
    events: Vec<Event>,
    /// The rule that said no.
    refusal: Option<Refusal>,
    /// The refused command, as it came; in the place of personal text stands `withheld`.
    attempted: Option<Json<serde_json::Value>>,
}

/// One fact.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(super) struct Event {
    /// Its place in its commit, from 0; position and index name an event for ever.
    index: u32,
    /// The object that it happened to.
    stream: ID,
    /// The version of the object after the event.
    version: BigInt,
    /// The name of the fact, for example `OrderPlaced`.
    #[graphql(name = "type")]
    event_type: String,
    /// The version of the shape of its data.
    type_version: u16,
    /// Its data, as recorded; what was said of a person who was erased since reads `erased`.
    data: Json<serde_json::Value>,
}

#[ComplexObject]
impl Commit {
    /// Whether a rule refused the command.
    async fn refused(&self) -> bool {
        self.refusal.is_some()
    }
}

#[ComplexObject]
impl Event {
    /// The object that it happened to, as it is at the position of this answer.
    async fn object(&self) -> Option<Node> {
        let kind = *super::kinds().of_id(&self.stream)?;
        Some(Node {
            kind,
            id: self.stream.to_string(),
        })
    }
}

impl Commit {
    pub(super) fn read(stored: &Stored, seals: &Seals) -> Answer<Self> {
        let meta: CommitMeta = seals.meta(stored.meta())?;
        let events: Result<Vec<_>, serde_json::Error> = stored
            .events()
            .map(|event| {
                Ok(Event {
                    index: event.index,
                    stream: event.stream.into(),
                    version: BigInt(event.version),
                    event_type: event.type_name.to_owned(),
                    type_version: event.type_version,
                    data: Json(serde_json::from_slice(&seals.event(&event))?),
                })
            })
            .collect();
        Ok(Self {
            position: BigInt(stored.position()),
            command_id: UniqueId(stored.command_id()),
            command: meta.command,
            actor: meta.actor,
            on_behalf_of: meta.on_behalf_of,
            role: meta.role,
            grant: meta.grant,
            recorded_at: meta.recorded_at,
            occurred_at: meta.occurred_at,
            correlation_id: meta.correlation.map(UniqueId),
            causation: meta.causation.map(BigInt),
            reason: meta.reason,
            policies: meta.policies,
            source: meta.source,
            events: events?,
            refusal: meta.refusal,
            attempted: meta.attempted.map(Json),
        })
    }
}

/// Which commits. Every field that is given must hold; within one commit, several may hold for
/// different events.
#[derive(InputObject, Clone, Default)]
pub(super) struct CommitFilter {
    /// With an event of one of these objects, or about them.
    streams: Option<Vec<ID>>,
    /// With an event of one of these kinds of objects, by the prefix of their ids.
    kinds: Option<Vec<String>>,
    /// With an event of one of these types.
    types: Option<Vec<String>>,
    /// By one of these actors.
    actors: Option<Vec<Actor>>,
    /// Answers to one of these commands.
    commands: Option<Vec<String>>,
    /// Only refusals, or only what was done.
    refused: Option<bool>,
    /// Recorded at this instant or later.
    recorded_from: Option<DateTime>,
    /// Recorded before this instant.
    recorded_until: Option<DateTime>,
}

fn allows<T: AsRef<str>>(allowed: Option<&Vec<T>>, mut any: impl FnMut(&str) -> bool) -> bool {
    allowed.is_none_or(|allowed| allowed.iter().any(|value| any(value.as_ref())))
}

impl CommitFilter {
    /// Whether a commit passes; what the feed uses.
    pub(super) fn passes(&self, commit: &Commit) -> bool {
        let events = &commit.events;
        let actors: Option<Vec<String>> = self
            .actors
            .as_ref()
            .map(|actors| actors.iter().map(ToString::to_string).collect());
        let streams: Option<Vec<String>> = self
            .streams
            .as_ref()
            .map(|ids| ids.iter().map(|id| id.to_string()).collect());
        allows(streams.as_ref(), |id| {
            events.iter().any(|event| *event.stream == *id)
        }) && allows(self.kinds.as_ref(), |kind| {
            events.iter().any(|event| prefix(&event.stream) == kind)
        }) && allows(self.types.as_ref(), |name| {
            events.iter().any(|event| event.event_type == name)
        }) && allows(actors.as_ref(), |actor| commit.actor.as_str() == actor)
            && allows(self.commands.as_ref(), |name| commit.command == name)
            && self
                .refused
                .is_none_or(|refused| refused == commit.refusal.is_some())
            && self
                .recorded_from
                .is_none_or(|from| commit.recorded_at >= from)
            && self
                .recorded_until
                .is_none_or(|until| commit.recorded_at < until)
    }

    fn audit(&self) -> AuditFilter {
        let strings = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let actors = self
            .actors
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        AuditFilter {
            after: None,
            before: None,
            actors,
            event_types: strings(&self.types),
            aggregates: strings(&self.kinds),
            commands: strings(&self.commands),
            refused: self.refused,
            recorded_from: self.recorded_from,
            recorded_until: self.recorded_until,
        }
    }
}

/// Commits in the order of the log, or newest first.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct CommitPage {
    /// The commits.
    nodes: Vec<Commit>,
    /// Whether there are more in the direction of reading.
    has_more: bool,
    /// Give it as `after` (or `before`, newest first) to read on.
    end_position: Option<BigInt>,
    #[graphql(skip)]
    filter: CommitFilter,
}

#[ComplexObject]
impl CommitPage {
    /// How many commits there are in all, whatever the page; not counted for single objects.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<BigInt>> {
        if self.filter.streams.is_some() {
            return Ok(None);
        }
        let snapshot = Reading::of(ctx).snapshot()?;
        let count = audit::count(&snapshot, &self.filter.audit()).map_err(Fault::from)?;
        Ok(Some(BigInt(count)))
    }
}

/// Which page of commits.
pub(super) struct CommitRange {
    pub(super) first: i32,
    pub(super) after: Option<BigInt>,
    pub(super) before: Option<BigInt>,
    pub(super) newest_first: bool,
}

/// Reads a page of commits, none of them beyond the position of the request.
pub(super) fn page(
    reading: &Reading,
    filter: CommitFilter,
    range: &CommitRange,
) -> Answer<CommitPage> {
    let limit = usize::try_from(range.first)
        .ok()
        .filter(|count| *count <= PAGE_MAX);
    let limit = limit.ok_or_else(|| {
        Fault::bad_input(format!(
            "`first` is {}; 0 to {PAGE_MAX} are allowed",
            range.first
        ))
    })?;
    let snapshot = reading.snapshot()?;
    let (log, seals) = (reading.organisation().log(), reading.organisation().seals());
    let end = snapshot.position() + 1;
    let before = range.before.map_or(end, |before| before.0.min(end));
    let after = range.after.map_or(0, |after| after.0);
    let mut positions = match &filter.streams {
        Some(streams) => stream_positions(log, streams, after, before, range.newest_first)?,
        None => {
            let bounds = AuditFilter {
                after: Some(after),
                before: Some(before),
                ..filter.audit()
            };
            audit::positions(&snapshot, &bounds, range.newest_first, limit + 1)?
        }
    };
    let mut nodes = Vec::with_capacity(limit);
    let mut has_more = false;
    for position in positions.drain(..) {
        let Some(stored) = log.commit(position)? else {
            continue;
        };
        let commit = Commit::read(&stored, seals)?;
        if !filter.passes(&commit) {
            continue;
        }
        if nodes.len() == limit {
            has_more = true;
            break;
        }
        nodes.push(commit);
    }
    let end_position = nodes.last().map(|commit| commit.position);
    Ok(CommitPage {
        nodes,
        has_more,
        end_position,
        filter,
    })
}

/// A page of the history of one object.
pub(super) fn of_object(ctx: &Context<'_>, id: String, range: &CommitRange) -> Answer<CommitPage> {
    let filter = CommitFilter {
        streams: Some(vec![id.into()]),
        ..CommitFilter::default()
    };
    page(Reading::of(ctx), filter, range)
}

fn stream_positions(
    log: &Log,
    streams: &[ID],
    after: u64,
    before: u64,
    newest_first: bool,
) -> Answer<Vec<u64>> {
    let mut positions = Vec::new();
    for stream in streams {
        let found = log.stream_positions(stream, after, usize::MAX)?;
        positions.extend(found.into_iter().filter(|position| *position < before));
    }
    positions.sort_unstable();
    positions.dedup();
    if newest_first {
        positions.reverse();
    }
    Ok(positions)
}
