//! A schema that exercises the transport: point queries, pages, faults of every kind, a counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_graphql::{
    Context, Enum, Error, ErrorExtensions as _, InputObject, Object, Schema, SimpleObject,
    Subscription, ValidationMode,
};
use futures_util::{
    Stream, StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Code, Fault, GraphQl, GraphQlRequest, GraphQlResponse, Identity, RequestContext};

/// The toy as the transport sees it.
#[derive(Clone)]
pub(crate) struct Toy {
    pub(crate) schema: Schema<Query, Mutation, Counter>,
    trusting: Schema<Query, Mutation, Counter>,
    guests: Arc<AtomicBool>,
}

impl Toy {
    pub(crate) fn new() -> Self {
        let build = || Schema::build(Query, Mutation, Counter);
        Self {
            schema: build().finish(),
            trusting: build().validation_mode(ValidationMode::Fast).finish(),
            guests: Arc::default(),
        }
    }

    fn request(request: GraphQlRequest) -> async_graphql::Request {
        let GraphQlRequest {
            inner,
            context,
            cost,
            trusted,
            ..
        } = request;
        inner.data(context).data(Price { cost, trusted })
    }
}

impl Toy {
    async fn answer(&self, request: GraphQlRequest) -> GraphQlResponse {
        let schema = if request.trusted {
            &self.trusting
        } else {
            &self.schema
        };
        schema.execute(Self::request(request)).await
    }
}

impl GraphQl for Toy {
    fn execute(&self, request: GraphQlRequest) -> BoxFuture<'_, GraphQlResponse> {
        Box::pin(self.answer(request))
    }

    fn subscribe(&self, request: GraphQlRequest) -> BoxStream<'static, GraphQlResponse> {
        Box::pin(self.schema.execute_stream(Self::request(request)))
    }

    /// Whoever names nobody is anonymous; the names `nobody` and `wrong` are turned away, and
    /// `guest` is known once.
    async fn authenticate(&self, context: &RequestContext) -> Result<Identity, Fault> {
        match context.said("daybook-actor") {
            Some("nobody") => Err(Fault::new(Code::Unauthenticated, "who are you?")),
            Some("guest") if self.guests.swap(true, Ordering::Relaxed) => {
                Err(Fault::new(Code::Unauthenticated, "not any more"))
            }
            Some("wrong") => Err(Fault::new(Code::Forbidden, "not you")),
            Some(name) => Ok(Identity::new(name)),
            None => Ok(Identity::anonymous()),
        }
    }
}

struct Price {
    cost: u64,
    trusted: bool,
}

/// What is asked.
pub(crate) struct Query;

/// How loud a greeting is.
#[derive(Clone, Copy, Enum, PartialEq, Eq)]
enum Volume {
    /// Lower case.
    Quiet,
    /// Upper case.
    Loud,
}

/// A thing with a number.
#[derive(SimpleObject)]
struct Item {
    id: i32,
    name: String,
    price: String,
}

/// What the transport handed on.
#[derive(SimpleObject)]
struct Handed {
    request_id: String,
    at_least: Option<String>,
    idempotency_key: Option<String>,
    hello: Option<String>,
    cost: String,
    trusted: bool,
}

/// What to look for.
#[derive(InputObject)]
struct Wanted {
    name: Option<String>,
}

#[Object]
impl Query {
    /// A greeting.
    async fn hello(&self, #[graphql(default_with = "Volume::Quiet")] volume: Volume) -> String {
        match volume {
            Volume::Quiet => "hello".to_owned(),
            Volume::Loud => "HELLO".to_owned(),
        }
    }

    /// One thing by its number.
    async fn item(&self, id: i32) -> Item {
        Item {
            id,
            name: format!("item {id}"),
            price: "12.50".to_owned(),
        }
    }

    /// A page of things.
    async fn items(&self, first: i32) -> Vec<Item> {
        (0..first)
            .map(|id| Item {
                id,
                name: format!("item {id}"),
                price: "12.50".to_owned(),
            })
            .collect()
    }

    /// The name that is looked for, or `anything`.
    async fn find(&self, wanted: Wanted) -> String {
        wanted.name.unwrap_or_else(|| "anything".to_owned())
    }

    /// At most ten.
    async fn small(&self, #[graphql(validator(maximum = 10))] value: i32) -> i32 {
        value
    }

    /// Itself, for as deep as one asks.
    async fn again(&self) -> Self {
        Self
    }

    /// An error without a code.
    async fn fails(&self) -> Option<Result<i32, Error>> {
        Some(Err(Error::new("the disk with the secret name is full")))
    }

    /// An error with a code.
    async fn refuses(&self, code: String) -> Option<Result<i32, Error>> {
        Some(Err(
            Error::new("not so").extend_with(|_, held| held.set("code", code))
        ))
    }

    /// A panic.
    async fn panics(&self) -> i32 {
        let none: Option<i32> = None;
        match none {
            Some(value) => value,
            None => std::panic::panic_any("the secret words of a panic"),
        }
    }

    /// Answers after a while.
    async fn slow(&self, ms: u32) -> u32 {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
        ms
    }

    /// What the transport handed on.
    async fn handed(&self, ctx: &Context<'_>) -> Result<Handed, Error> {
        let context = ctx.data::<RequestContext>()?;
        Ok(Handed {
            request_id: context.request_id.as_str().to_owned(),
            at_least: context.at_least.map(|position| position.to_string()),
            idempotency_key: context.idempotency_key.as_deref().map(str::to_owned),
            hello: context.hello.as_deref().map(ToString::to_string),
            cost: ctx.data::<Price>()?.cost.to_string(),
            trusted: ctx.data::<Price>()?.trusted,
        })
    }
}

/// What is done.
pub(crate) struct Mutation;

#[Object]
impl Mutation {
    /// Repeats what it is given.
    async fn place(&self, name: String) -> String {
        name
    }

    /// Takes its time.
    async fn linger(&self, ms: u32) -> u32 {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
        ms
    }
}

/// What is watched.
pub(crate) struct Counter;

#[Subscription]
impl Counter {
    /// Counts from 1 up to `to`, one number every `everyMs` milliseconds.
    async fn count(
        &self,
        to: u32,
        #[graphql(default = 0)] every_ms: u32,
    ) -> impl Stream<Item = u32> + use<> {
        stream::iter(1..=to).then(move |number| async move {
            if every_ms > 0 {
                tokio::time::sleep(Duration::from_millis(every_ms.into())).await;
            }
            number
        })
    }

    /// Counts one and then fails.
    async fn breaks(&self) -> impl Stream<Item = Result<u32, Error>> + use<> {
        stream::iter([Ok(1), Err(Error::new("the secret end of a stream"))])
    }
}
