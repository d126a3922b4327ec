//! One request through its stages: parameters, document, limits, execution, answer.
//!
//! Every carrier uses these stages, so a request means the same over POST, GET, a socket or an
//! event stream.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use super::GraphQl;
use super::document::{Document, DocumentCache};
use super::errors::{self, Code, Fault, Known};
use super::limits::Limits;
use super::rates::Budget;
use super::request::{Carrier, GraphQlRequest, GraphQlResponse, Params, RequestContext, RequestId};
use crate::metrics::{Metrics, OperationLabels};

/// The words that clients know from other servers.
const NO_INTROSPECTION: &str = "introspection is switched off: __schema and __type cannot be asked";

#[derive(Debug)]
pub(super) struct Engine<G> {
    pub(super) graphql: G,
    pub(super) documents: DocumentCache,
    pub(super) limits: Limits,
    pub(super) time_max: Duration,
    pub(super) budget: Budget,
    pub(super) introspection: bool,
    pub(super) metrics: Metrics,
}

/// What a carrier sends.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: GraphQlResponse,
    /// Set when nothing was executed; such an answer has no `data` entry.
    pub(super) refused: Option<Code>,
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Self {
        let refused = Some(fault.code);
        Self {
            response: fault.into_response(),
            refused,
        }
    }
}

impl From<GraphQlResponse> for Answer {
    fn from(response: GraphQlResponse) -> Self {
        let refused = errors::is_request_error(&response).then(|| {
            let code = response.errors.first().and_then(errors::code_of);
            code.unwrap_or(Code::InternalServerError)
        });
        Self { response, refused }
    }
}

impl<G: GraphQl> Engine<G> {
    /// Establishes who asks, within the time limit, and counts the request.
    pub(super) async fn identify(&self, context: &mut RequestContext) -> Result<(), Fault> {
        let established = self.graphql.authenticate(context);
        let established = tokio::time::timeout(self.time_max, established).await;
        context.identity = established.unwrap_or_else(|_| {
            let message = format!("not authenticated within {} ms", self.time_max.as_millis());
            Err(Fault::new(Code::QueryTimeout, message))
        })?;
        Ok(self.budget.count_for(context)?)
    }

    /// Asks again who listens, and tells whether they still may. What passes by itself, such as a
    /// provider that cannot be reached, ends nothing: whatever is then handed out asks for itself.
    pub(super) async fn renew(&self, context: &RequestContext) -> Result<(), Fault> {
        let established = self.graphql.authenticate(context);
        match tokio::time::timeout(self.time_max, established).await {
            Ok(Err(fault)) if turns_away(fault.code) => Err(fault),
            Ok(Ok(_) | Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Everything up to execution, for somebody who has been identified.
    pub(super) fn prepare(
        &self,
        mut params: Params<'_>,
        context: RequestContext,
    ) -> Result<GraphQlRequest, Fault> {
        let document = self.documents.get(params.query())?;
        let operation = document.operation(params.operation_name())?;
        let kind = operation.kind();
        check_carrier(kind, context.carrier)?;
        operation.complete(&mut params.variables)?;
        if !self.introspection && operation.asks_for_schema() {
            return Err(Fault::new(Code::ValidationFailed, NO_INTROSPECTION));
        }
        let cost = operation.cost(&self.limits, &params.variables)?;
        let available = self.budget.spend_for(&context, cost)?.available;
        let trusted = params.extensions.is_empty() && operation.is_trusted(&params.variables);
        let mut inner = async_graphql::Request::new(String::new());
        inner.operation_name = params.operation_name().map(str::to_owned);
        inner.variables = params.variables;
        inner.extensions = params.extensions;
        inner.set_parsed_query(document.syntax().clone());
        Ok(GraphQlRequest {
            inner,
            document,
            kind,
            cost,
            available,
            trusted,
            context,
        })
    }

    /// Runs a query or a mutation to its end, within the time limit.
    pub(super) async fn execute(&self, request: GraphQlRequest) -> Answer {
        let started = Instant::now();
        let (document, kind) = (Arc::clone(&request.document), request.kind);
        let request_id = request.context.request_id.clone();
        let doubt = request.trusted.then(|| request.doubt());
        let trusted = doubt.is_some();
        let spent = (request.cost, request.available);
        let mut response = self.run(request).await;
        if let Some(doubt) = doubt.filter(|_| errors::refuses_input(&response)) {
            response = self.run(doubt.into_request()).await;
        }
        self.finish(&mut response, &document, &request_id);
        tell_cost(&mut response, spent);
        let answer = Answer::from(response);
        if answer.refused.is_none() && !trusted {
            document.mark_validated();
        }
        self.observe(kind, &answer, started);
        answer
    }

    /// Gives errors their codes, and takes out of their words what the client shall not learn.
    fn finish(&self, response: &mut GraphQlResponse, document: &Document, id: &RequestId) {
        let known = if self.introspection {
            Known::Schema
        } else {
            Known::Nothing
        };
        errors::finish(response, document.syntax(), known, id.as_str());
    }

    async fn run(&self, request: GraphQlRequest) -> GraphQlResponse {
        let (kind, request_id) = (request.kind, request.context.request_id.clone());
        let run = AssertUnwindSafe(self.graphql.execute(request)).catch_unwind();
        match tokio::time::timeout(self.time_max, run).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => panicked(&*panic, request_id.as_str()),
            Err(_) => timed_out(kind, self.time_max).into_response(),
        }
    }

    /// Runs any operation as a stream of answers. The stream ends after the first answer of a
    /// query or mutation, and after a refusal.
    pub(super) fn stream(
        this: &Arc<Self>,
        request: GraphQlRequest,
    ) -> impl Stream<Item = Answer> + Send + use<G> {
        let this = Arc::clone(this);
        if request.kind != OperationType::Subscription {
            let once = async move { this.execute(request).await };
            return once.into_stream().left_stream();
        }
        let started = Instant::now();
        let document = request.document.clone();
        let request_id = request.context.request_id.clone();
        let engine = Arc::clone(&this);
        let finish = move |item: std::thread::Result<GraphQlResponse>| {
            let mut response = item.unwrap_or_else(|panic| panicked(&*panic, request_id.as_str()));
            engine.finish(&mut response, &document, &request_id);
            Answer::from(response)
        };
        let responses = AssertUnwindSafe(this.graphql.subscribe(request)).catch_unwind();
        let responses = responses.map(finish);
        let watch = Watch {
            engine: this,
            started,
            outcome: "ok",
        };
        futures_util::stream::unfold(
            (Box::pin(responses), watch, false),
            |(mut responses, mut watch, refused)| async move {
                if refused {
                    return None;
                }
                let answer = responses.next().await?;
                let refused = answer.refused.is_some();
                watch.outcome = if refused { "error" } else { outcome(&answer) };
                Some((answer, (responses, watch, refused)))
            },
        )
        .right_stream()
    }

    fn observe(&self, kind: OperationType, answer: &Answer, started: Instant) {
        let kind = match kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let labels = OperationLabels {
            kind,
            outcome: outcome(answer),
        };
        self.metrics.operations.observe(labels, started.elapsed());
    }
}

/// Records a subscription when its stream is dropped, whoever ends it.
struct Watch<G: GraphQl> {
    engine: Arc<Engine<G>>,
    started: Instant,
    outcome: &'static str,
}

impl<G: GraphQl> Drop for Watch<G> {
    fn drop(&mut self) {
        let labels = OperationLabels {
            kind: "subscription",
            outcome: self.outcome,
        };
        self.engine
            .metrics
            .operations
            .observe(labels, self.started.elapsed());
    }
}

fn outcome(answer: &Answer) -> &'static str {
    match (&answer.response.data, answer.response.errors.is_empty()) {
        (_, true) => "ok",
        (async_graphql::Value::Null, false) => "error",
        (_, false) => "partial",
    }
}

/// Adds what the caller can still spend to what the request has cost.
fn tell_cost(response: &mut GraphQlResponse, (requested, available): (u64, Option<u64>)) {
    if let Some(available) = available.filter(|_| !errors::is_request_error(response)) {
        let cost = async_graphql::value!({ "requested": requested, "available": available });
        response.extensions.insert("cost".to_owned(), cost);
    }
}

fn check_carrier(kind: OperationType, carrier: Carrier) -> Result<(), Fault> {
    match (kind, carrier) {
        (OperationType::Mutation, Carrier::Get | Carrier::GetStream) => {
            Err(Fault::new(Code::MethodNotAllowed, "a mutation needs POST"))
        }
        (OperationType::Subscription, Carrier::Get | Carrier::Post) => Err(Fault::new(
            Code::NotAcceptable,
            "a subscription needs a websocket or accept: text/event-stream",
        )),
        _ => Ok(()),
    }
}

fn timed_out(kind: OperationType, limit: Duration) -> Fault {
    let limit_ms = limit.as_millis();
    let message = match kind {
        // The command is with the desk and may yet be carried out.
        OperationType::Mutation => {
            format!("no outcome within {limit_ms} ms: repeat the command under the same commandId")
        }
        _ => format!("not finished within {limit_ms} ms"),
    };
    Fault::new(Code::QueryTimeout, message)
}

pub(super) fn panicked(panic: &(dyn std::any::Any + Send), trace_id: &str) -> GraphQlResponse {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(trace_id, panic = words, "a handler panicked");
    errors::internal(trace_id)
}

/// Whether somebody who is refused with this code will not be let in by waiting.
const fn turns_away(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated | Code::Forbidden | Code::OrganisationSuspended
    )
}
