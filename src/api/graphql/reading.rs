//! What one request reads: the read models at one position, each object at most once.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use async_graphql::{Context, ContextSelectionSet};
use daybook_app::Organisation;
use daybook_projections::store::{Document, Row, Snapshot};
use daybook_schema::kernel::Actor;

use super::{
    fault::{Answer, Fault},
    object::ReadObject,
    shape::Shape,
};
use crate::transport::errors::Code;

/// How long a request may read.
pub(super) const READ_TIME: Duration = Duration::from_secs(10);
/// How long a request waits for the read models to reach a position.
pub(super) const CATCH_UP_TIME: Duration = Duration::from_secs(5);

/// The state of one request.
pub(super) struct Reading {
    organisation: Arc<Organisation>,
    pub(super) actor: Actor,
    /// A key for the first command of the request, from the header `Idempotency-Key`.
    pub(super) idempotency_key: Option<Box<str>>,
    view: Mutex<View>,
    /// What selections want of the documents of a type, by the place of the selection.
    shapes: Mutex<HashMap<(usize, TypeId), Arc<Shape>>>,
    /// The last position that this request itself wrote.
    written: AtomicU64,
}

struct View {
    snapshot: Arc<Snapshot>,
    objects: HashMap<TypeId, Box<dyn Any + Send>>,
}

impl View {
    fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            objects: HashMap::new(),
        }
    }
}

impl Reading {
    /// Begins to read at `at_least` or later.
    pub(super) async fn begin(
        organisation: Arc<Organisation>,
        actor: Actor,
        idempotency_key: Option<Box<str>>,
        at_least: Option<u64>,
    ) -> Answer<Self> {
        let snapshot = snapshot(&organisation, at_least).await?;
        let view = Mutex::new(View::new(snapshot));
        Ok(Self {
            organisation,
            actor,
            idempotency_key,
            view,
            shapes: Mutex::default(),
            written: AtomicU64::new(0),
        })
    }

    /// The request's own state.
    pub(super) fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<std::sync::Arc<Self>>()
    }

    /// The organisation.
    pub(super) fn organisation(&self) -> &Arc<Organisation> {
        &self.organisation
    }

    /// The read models at the position of this request.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.view().snapshot.clone()
    }

    /// Notes that a command of this request was answered at a position.
    pub(super) fn wrote(&self, position: u64) {
        self.written.fetch_max(position, Ordering::Relaxed);
    }

    /// The position that the response names: what was read, or written after that.
    pub(super) fn position(&self) -> u64 {
        self.snapshot()
            .position()
            .max(self.written.load(Ordering::Relaxed))
    }

    /// Goes on to a later position: what a mutation did is read after it was done.
    pub(super) async fn renew(&self, at_least: u64) -> Answer<()> {
        if self.snapshot().position() < at_least {
            let snapshot = snapshot(&self.organisation, Some(at_least)).await?;
            *self.view() = View::new(snapshot);
        }
        Ok(())
    }

    /// One object. All objects that are asked for while a level of the answer is resolved are
    /// read by one statement: the first poll of each future only notes what is wanted, and the
    /// executor polls all fields of a level once before it polls any of them again.
    pub(super) async fn load<R: Row>(&self, id: String) -> Answer<Option<Arc<Document<R>>>> {
        let mut noted = false;
        poll_fn(|wake| {
            let mut view = self.view();
            let snapshot = view.snapshot.clone();
            let batch = view.batch::<R>();
            if !noted && !batch.found.contains_key(&id) {
                batch.wanted.push(id.clone());
                noted = true;
                wake.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !batch.wanted.is_empty()
                && let Err(error) = batch.read(&snapshot)
            {
                return Poll::Ready(Err(error));
            }
            Poll::Ready(Ok(batch.found.get(&id).cloned().flatten()))
        })
        .await
    }

    /// What a selection wants of an object's document; made once for all objects of a list.
    pub(super) fn shape<O: ReadObject>(&self, ctx: &ContextSelectionSet<'_>) -> Arc<Shape> {
        let selection = std::ptr::from_ref(ctx.item).addr();
        let mut shapes = lock(&self.shapes);
        let shape = shapes.entry((selection, TypeId::of::<O>()));
        let make = || Shape::new(ctx, &ctx.item.node, &O::type_name(), O::LINKS);
        shape.or_insert_with(|| make().into()).clone()
    }

    fn view(&self) -> MutexGuard<'_, View> {
        lock(&self.view)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl View {
    fn batch<R: Row>(&mut self) -> &mut Batch<R> {
        let batch = self.objects.entry(TypeId::of::<R>());
        let batch = batch.or_insert_with(|| Box::new(Batch::<R>::default()));
        match batch.downcast_mut() {
            Some(batch) => batch,
            None => unreachable!("the objects of a row type have that row type"),
        }
    }
}

struct Batch<R> {
    wanted: Vec<String>,
    found: HashMap<String, Option<Arc<Document<R>>>>,
}

impl<R> Default for Batch<R> {
    fn default() -> Self {
        Self {
            wanted: Vec::new(),
            found: HashMap::new(),
        }
    }
}

impl<R: Row> Batch<R> {
    fn read(&mut self, snapshot: &Snapshot) -> Answer<()> {
        let wanted = std::mem::take(&mut self.wanted);
        let documents = snapshot.documents::<R>(&wanted)?.into_iter();
        self.found.extend(wanted.into_iter().map(|id| (id, None)));
        let documents = documents.map(|found| (found.id().to_owned(), Some(Arc::new(found))));
        self.found.extend(documents);
        Ok(())
    }
}

async fn snapshot(organisation: &Organisation, at_least: Option<u64>) -> Answer<Snapshot> {
    if let Some(position) = at_least {
        let mut applied = organisation.applied();
        let reached =
            applied.wait_for(|applied| applied.position >= position || applied.stopped.is_some());
        let reached = tokio::time::timeout(CATCH_UP_TIME, reached).await;
        let reached = reached.is_ok_and(|seen| seen.is_ok_and(|seen| seen.position >= position));
        if !reached {
            let message = format!("the read models have not reached position {position}");
            return Err(Fault::new(Code::ProjectionLagging, message).retry_after(500));
        }
    }
    Ok(organisation
        .readers()
        .snapshot(Some(Instant::now() + READ_TIME))?)
}
