//! The live feed: every commit once, in order, from any position on.

use std::sync::Arc;

use async_graphql::{Context, Subscription as GraphQlSubscription};
use daybook_eventlog::Commit as Stored;
use daybook_schema::{
    access::{AccountId, ApiKeyId, SessionId, TeamId},
    kernel::{BigInt, StreamKey as _},
    prefix,
};
use futures_util::{Stream, stream};

use super::{
    caller::Caller,
    fault::{Answer, Fault},
    history::{Commit, CommitFilter},
    reading::{reached, seen_by},
    roots,
    seen::Lens,
};
use crate::transport::errors::Code;

/// The greatest batch.
const BATCH_MAX: usize = 500;

/// Where subscriptions read from.
pub(super) struct Feed(Caller);

impl Feed {
    pub(super) fn new(caller: Caller) -> Self {
        Self(caller)
    }

    /// The commits of a batch that the caller sees now. Where not everything is seen, it is asked
    /// of the read models, which have to have come as far; whoever may no longer ask, gets an
    /// error.
    async fn seen(&self, batch: &[Stored]) -> Answer<Vec<Commit>> {
        let organisation = &self.0.organisation;
        let last = batch.last().map_or(0, Stored::position);
        // Who may see what is known from the read models: nothing that follows a change of it is
        // handed out before they have come past the change.
        if batch.iter().any(changes_access) {
            reached(organisation, last).await?;
        }
        let principal = self.0.renewed().map_err(|_| Fault::unauthenticated())?;
        if !roots::permits(&principal, "commits") {
            let message = "none of your roles may ask for `commits`";
            return Err(Fault::new(Code::Forbidden, message));
        }
        if principal.view.is_some() {
            reached(organisation, last).await?;
        }
        let snapshot = || Ok(Arc::new(seen_by(organisation, &principal)?));
        let lens = Lens::of(&principal, snapshot)?;
        let mut seen = Vec::with_capacity(batch.len());
        for stored in batch {
            let commit = Commit::read(stored, organisation.seals())?;
            seen.extend(lens.look(commit)?);
        }
        Ok(seen)
    }
}

/// Whether a commit may change who is let in, or what they see.
fn changes_access(commit: &Stored) -> bool {
    let kinds = [
        AccountId::PREFIX,
        TeamId::PREFIX,
        ApiKeyId::PREFIX,
        SessionId::PREFIX,
    ];
    let mut streams = commit.events().map(|event| event.stream);
    streams.any(|stream| kinds.contains(&prefix(stream)))
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
        let feed = ctx.data_unchecked::<Arc<Feed>>().clone();
        let log = feed.0.organisation.log();
        let after = after.map_or_else(|| log.head().position, |after| after.0);
        let tail = log.subscribe(after);
        let filter = filter.unwrap_or_default();
        let pending = std::collections::VecDeque::new();
        Ok(stream::try_unfold(
            (tail, feed, filter, pending),
            move |(mut tail, feed, filter, mut pending)| async move {
                while pending.is_empty() {
                    let batch = tail.next().await.map_err(Fault::from)?;
                    let mut seen = feed.seen(&batch).await?;
                    seen.retain(|commit| filter.passes(commit));
                    pending.extend(seen);
                }
                let ready = pending.drain(..batch.min(pending.len())).collect();
                Ok(Some((ready, (tail, feed, filter, pending))))
            },
        ))
    }
}
