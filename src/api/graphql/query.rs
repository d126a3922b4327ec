//! The query root.

use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use daybook_projections::{
    customers::CustomerRow, goods::ProductRow, orders::OrderRow, store::Row,
};
use daybook_schema::kernel::{BigInt, DateTime};

use super::{
    fault::Fault,
    goods::GoodsQueries,
    history::{self, CommitFilter, CommitPage, CommitRange},
    object::{Lists, Node},
    orders::OrderQueries,
    reading::Reading,
};

/// Everything that can be asked. Every answer comes from one position of the log, which the
/// response names in `extensions.position`.
#[derive(MergedObject, Default)]
pub(super) struct Query(
    General,
    Lists,
    super::pipeline::PipelineQueries,
    GoodsQueries,
    OrderQueries,
    super::service::ServiceQueries,
    super::access::AccessQueries,
);

impl Default for Lists {
    fn default() -> Self {
        Self
    }
}

/// The greatest number of ids that `nodes` takes.
const NODES_MAX: usize = 100;
/// The greatest number of hits that `search` gives.
const HITS_MAX: usize = 50;

/// How far the read models have come.
#[derive(SimpleObject)]
struct Status {
    /// The position from which this answer was given.
    position: BigInt,
    /// When the commit at that position was recorded.
    recorded_at: DateTime,
    /// The last position of the log.
    head: BigInt,
    /// How many commits the read models are behind the log.
    lag: BigInt,
    /// Objects whose answers have a hole, because an event could not be applied.
    holes: Vec<Hole>,
}

/// An object whose answers lack events.
#[derive(SimpleObject)]
struct Hole {
    /// The read model that could not go on with the object.
    read_model: String,
    /// The object.
    stream: ID,
    /// The position from which on its events are missing.
    position: BigInt,
    /// Why.
    problem: String,
}

/// What `search` looks through.
const SEARCHED: &[&str] = &[
    CustomerRow::TABLE,
    ProductRow::TABLE,
    OrderRow::TABLE,
    daybook_projections::pipeline::LeadRow::TABLE,
    daybook_projections::pipeline::OpportunityRow::TABLE,
    daybook_projections::service::ComplaintRow::TABLE,
];

/// Questions that belong to no context.
#[derive(Default)]
pub(super) struct General;

#[Object]
impl General {
    /// How far the read models have come, and whether anything is missing in them.
    async fn status(&self, ctx: &Context<'_>) -> async_graphql::Result<Status> {
        let reading = Reading::of(ctx);
        let snapshot = reading.snapshot()?;
        let head = reading.organisation().log().head().position;
        let holes = snapshot
            .parked()
            .map_err(Fault::from)?
            .into_iter()
            .map(|parked| Hole {
                read_model: parked.read_model,
                stream: parked.stream.into(),
                position: BigInt(parked.position),
                problem: parked.problem,
            });
        Ok(Status {
            position: BigInt(snapshot.position()),
            recorded_at: snapshot.recorded_at(),
            head: BigInt(head),
            lag: BigInt(head.saturating_sub(snapshot.position())),
            holes: holes.collect(),
        })
    }

    /// Any object, by its id.
    async fn node(
        &self,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        Ok(super::kinds().of_id(&id).map(|kind| Node {
            kind: *kind,
            id: id.to_string(),
        }))
    }

    /// Several objects, in the order of their ids; those that are not there are null.
    async fn nodes(
        &self,
        #[graphql(desc = "The objects' ids, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        if ids.len() > NODES_MAX {
            let message = format!("`ids` has {} entries; {NODES_MAX} are allowed", ids.len());
            return Err(Fault::bad_input(message).into());
        }
        let node = |id: ID| {
            super::kinds().of_id(&id).map(|kind| Node {
                kind: *kind,
                id: id.to_string(),
            })
        };
        Ok(ids.into_iter().map(node).collect())
    }

    /// Objects that hold all the words, best match first. Chinese and Japanese substrings, pinyin
    /// and its initials are found; Latin words without regard to case and accents, and by their
    /// beginning.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for.")] text: String,
        #[graphql(desc = "Only these kinds of objects, by the prefix of their ids.")] kinds: Option<
            Vec<String>,
        >,
        #[graphql(default = 20, desc = "How many at most, up to 50.")] first: i32,
    ) -> async_graphql::Result<Vec<Node>> {
        let limit = usize::try_from(first).ok().filter(|hits| *hits <= HITS_MAX);
        let limit = limit.ok_or_else(|| {
            Fault::bad_input(format!("`first` is {first}; 0 to {HITS_MAX} are allowed"))
        })?;
        let tables: Vec<&str> = SEARCHED
            .iter()
            .copied()
            .filter(|table| {
                kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds.iter().any(|k| k == table))
            })
            .collect();
        let hits = Reading::of(ctx).snapshot()?.search(&text, &tables, limit);
        let hits = hits.map_err(Fault::from)?.into_iter();
        let node = |id: String| {
            super::kinds().of_id(&id).map(|kind| Node {
                kind: *kind,
                id: id.clone(),
            })
        };
        Ok(hits.filter_map(|hit| node(hit.id)).collect())
    }

    /// The record: commits in the order of the log, or newest first.
    async fn commits(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many at most, up to 200.")] first: i32,
        #[graphql(desc = "After this position.")] after: Option<BigInt>,
        #[graphql(desc = "Before this position.")] before: Option<BigInt>,
        #[graphql(default, desc = "Newest first instead of oldest first.")] newest_first: bool,
        #[graphql(name = "where", desc = "Which commits.")] filter: Option<CommitFilter>,
    ) -> async_graphql::Result<CommitPage> {
        let range = CommitRange {
            first,
            after,
            before,
            newest_first,
        };
        Ok(history::page(
            Reading::of(ctx),
            filter.unwrap_or_default(),
            &range,
        )?)
    }

    /// The history of one object: every commit that holds an event of it.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] of: ID,
        #[graphql(default = 20, desc = "How many at most, up to 200.")] first: i32,
        #[graphql(desc = "After this position.")] after: Option<BigInt>,
        #[graphql(desc = "Before this position.")] before: Option<BigInt>,
        #[graphql(default, desc = "Newest first instead of oldest first.")] newest_first: bool,
    ) -> async_graphql::Result<CommitPage> {
        let range = CommitRange {
            first,
            after,
            before,
            newest_first,
        };
        Ok(history::of_object(ctx, of.to_string(), &range)?)
    }
}
