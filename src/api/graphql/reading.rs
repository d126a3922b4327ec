//! What one request reads: the read models at one position, each object at most once.
//!
//! Reading begins where something is read first. A command that is only acknowledged reads
//! nothing, and would otherwise keep a transaction open for as long as the disk takes.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use async_graphql::{Context, ContextSelectionSet};
use daybook_app::{Lease, Organisation, access::Principal};
use daybook_projections::store::{Document, Row, Snapshot};

use super::{
    caller::Caller,
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
    organisation: Lease,
    principal: Arc<Principal>,
    /// A key for the first command of the request, from the header `Idempotency-Key`.
    pub(super) idempotency_key: Option<Box<str>>,
    view: Mutex<View>,
    /// What selections want of the documents of a type, by the place of the selection.
    shapes: Mutex<HashMap<(usize, TypeId), Arc<Shape>>>,
    /// Whether objects are wanted that a further poll will read.
    has_noted: AtomicBool,
    /// The last position that this request itself wrote.
    written: AtomicU64,
}

#[derive(Default)]
struct View {
    snapshot: Option<Arc<Snapshot>>,
    objects: HashMap<TypeId, Box<dyn Any + Send>>,
}

impl Reading {
    /// Waits until `at_least` or later can be read.
    pub(super) async fn begin(
        caller: &Caller,
        idempotency_key: Option<Box<str>>,
        at_least: Option<u64>,
    ) -> Answer<Self> {
        if let Some(position) = at_least {
            reached(&caller.organisation, position).await?;
        }
        Ok(Self {
            organisation: caller.organisation.clone(),
            principal: caller.principal.clone(),
            idempotency_key,
            view: Mutex::default(),
            has_noted: AtomicBool::new(false),
            shapes: Mutex::default(),
            written: AtomicU64::new(0),
        })
    }

    /// The request's own state.
    pub(super) fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<std::sync::Arc<Self>>()
    }

    /// Who asks.
    pub(super) fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// The organisation.
    pub(super) fn organisation(&self) -> &Lease {
        &self.organisation
    }

    /// The read models at the position of this request.
    pub(super) fn snapshot(&self) -> Answer<Arc<Snapshot>> {
        self.view().snapshot(&self.organisation, &self.principal)
    }

    /// Notes that a command of this request was answered at a position.
    pub(super) fn wrote(&self, position: u64) {
        self.written.fetch_max(position, Ordering::Relaxed);
    }

    /// The position that the response names: what was read, or written after that.
    pub(super) fn position(&self) -> u64 {
        let written = self.written.load(Ordering::Relaxed);
        match &self.view().snapshot {
            Some(snapshot) => snapshot.position().max(written),
            None if written > 0 => written,
            None => self.organisation.applied().borrow().position,
        }
    }

    /// Goes on to a later position: what a mutation did is read after it was done.
    pub(super) async fn renew(&self, at_least: u64) -> Answer<()> {
        reached(&self.organisation, at_least).await?;
        let mut view = self.view();
        let snapshot = view.snapshot.as_ref();
        if snapshot.is_some_and(|snapshot| snapshot.position() < at_least) {
            *view = View::default();
        }
        Ok(())
    }

    /// Runs the request. Where all that it waits for are objects that it has only noted so far,
    /// it goes on at once; a turn for other requests would leave its transaction open meanwhile.
    pub(super) async fn drive<T>(&self, request: impl Future<Output = T>) -> T {
        let mut request = pin!(request);
        poll_fn(|wake| {
            loop {
                let polled = request.as_mut().poll(wake);
                if polled.is_ready() || !self.has_noted.swap(false, Ordering::Relaxed) {
                    return polled;
                }
            }
        })
        .await
    }

    /// One object. All objects that are asked for while a level of the answer is resolved are
    /// read by one statement: the first poll of each future only notes what is wanted, and the
    /// executor polls all fields of a level once before it polls any of them again.
    pub(super) async fn load<R: Row>(&self, id: String) -> Answer<Option<Arc<Document<R>>>> {
        let mut noted = false;
        poll_fn(|wake| {
            let mut view = self.view();
            let batch = view.batch::<R>();
            if !noted && !batch.found.contains_key(&id) {
                batch.wanted.push(id.clone());
                noted = true;
                self.has_noted.store(true, Ordering::Relaxed);
                wake.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !batch.wanted.is_empty() {
                let snapshot = view.snapshot(&self.organisation, &self.principal)?;
                view.batch::<R>().read(&snapshot)?;
            }
            let found = view.batch::<R>().found.get(&id);
            Poll::Ready(Ok(found.cloned().flatten()))
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
    fn snapshot(
        &mut self,
        organisation: &Organisation,
        principal: &Principal,
    ) -> Answer<Arc<Snapshot>> {
        if let Some(snapshot) = &self.snapshot {
            return Ok(snapshot.clone());
        }
        let snapshot = Arc::new(seen_by(organisation, principal)?);
        self.snapshot = Some(snapshot.clone());
        Ok(snapshot)
    }

    fn batch<R: Row>(&mut self) -> &mut Batch<R> {
        let batch = self.objects.entry(TypeId::of::<R>());
        let batch = batch.or_insert_with(|| Box::new(Batch::<R>::default()));
        match batch.downcast_mut() {
            Some(batch) => batch,
            None => unreachable!("the objects of a row type have that row type"),
        }
    }
}

/// The read models, as far as an identity may see them.
pub(super) fn seen_by(organisation: &Organisation, principal: &Principal) -> Answer<Snapshot> {
    let deadline = Some(Instant::now() + READ_TIME);
    let readers = organisation.readers();
    Ok(match &principal.view {
        None => readers.snapshot(deadline)?,
        Some(view) => readers.snapshot_for(deadline, view)?,
    })
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

/// Waits until the read models have come to a position.
pub(super) async fn reached(organisation: &Organisation, position: u64) -> Answer<()> {
    let mut applied = organisation.applied();
    let reached =
        applied.wait_for(|applied| applied.position >= position || applied.stopped.is_some());
    let reached = tokio::time::timeout(CATCH_UP_TIME, reached).await;
    if reached.is_ok_and(|seen| seen.is_ok_and(|seen| seen.position >= position)) {
        return Ok(());
    }
    let message = format!("the read models have not reached position {position}");
    Err(Fault::new(Code::ProjectionLagging, message).retry_after(500))
}
