//! The live feed: every commit once, in order, from any position on.

use std::sync::Arc;

use async_graphql::{Context, Subscription as GraphQlSubscription};
use daybook_app::Organisation;
use daybook_schema::kernel::BigInt;
use futures_util::{Stream, stream};

use super::{
    fault::Fault,
    history::{Commit, CommitFilter},
};

/// The greatest batch.
const BATCH_MAX: usize = 500;

/// Where subscriptions read from.
pub(super) struct Feed(Arc<Organisation>);

impl Feed {
    pub(super) fn new(organisation: Arc<Organisation>) -> Self {
        Self(organisation)
    }
}

/// What can be followed.
pub(super) struct Subscription;

#[GraphQlSubscription]
impl Subscription {
    /// Commits as they become durable, in batches, beginning after a position; without one, from
    /// now on. There is no gap and no overlap between what is read from the log and what is new:
    /// give the last position received to go on where a connection broke off.
    async fn commits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "After this position; `0` is the beginning.")] after: Option<BigInt>,
        #[graphql(name = "where", desc = "Which commits.")] filter: Option<CommitFilter>,
        #[graphql(
            default = 100,
            desc = "How many commits one message holds at most, up to 500."
        )]
        batch_size: i32,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Vec<Commit>>> + use<>> {
        let batch = usize::try_from(batch_size)
            .ok()
            .filter(|size| (1..=BATCH_MAX).contains(size));
        let batch = batch.ok_or_else(|| {
            Fault::bad_input(format!(
                "`batchSize` is {batch_size}; 1 to {BATCH_MAX} are allowed"
            ))
        })?;
        let feed = &ctx.data_unchecked::<Feed>().0;
        let (log, seals) = (feed.log(), feed.seals().clone());
        let after = after.map_or_else(|| log.head().position, |after| after.0);
        let tail = log.subscribe(after);
        let filter = filter.unwrap_or_default();
        let pending = std::collections::VecDeque::new();
        Ok(stream::try_unfold(
            (tail, seals, filter, pending),
            move |(mut tail, seals, filter, mut pending)| async move {
                while pending.is_empty() {
                    for stored in tail.next().await.map_err(Fault::from)?.iter() {
                        let commit = Commit::read(stored, &seals)?;
                        if filter.passes(&commit) {
                            pending.push_back(commit);
                        }
                    }
                }
                let ready = pending.drain(..batch.min(pending.len())).collect();
                Ok(Some((ready, (tail, seals, filter, pending))))
            },
        ))
    }
}
