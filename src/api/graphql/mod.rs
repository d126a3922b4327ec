//! The GraphQL side: the schema, and what runs a request against it.
//!
//! | file | what stands there |
//! |---|---|
//! | `object` | the kinds of objects, `node`, one object and its list |
//! | `shown`, `shape` | objects cut out of their documents, and their links |
//! | `connection`, `filter` | pages, `where`, `orderBy`, derived from the rows' columns |
//! | `command` | mutations, derived from the commands of the language |
//! | `history` | commits: pages, histories, the live feed |
//! | `reading` | the snapshot of one request, and loading without N+1 |
//! | one file per context | its objects' links, and its own questions |

mod access;
mod caller;
mod command;
mod connection;
mod customers;
mod fault;
#[cfg(test)]
mod feed_spec;
mod filter;
#[cfg(test)]
mod foreign_spec;
mod goods;
mod governance;
mod history;
mod links;
mod object;
mod orders;
mod permissions;
#[cfg(test)]
mod permissions_spec;
mod pipeline;
#[cfg(test)]
mod provider_spec;
mod query;
mod reading;
mod register;
mod roots;
mod seen;
mod service;
mod shape;
mod shown;
#[cfg(test)]
mod shown_spec;
#[cfg(test)]
mod sight_spec;
#[cfg(test)]
mod spec;
mod subscription;

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use async_graphql::{
    OutputType, Pos, Schema, SubscriptionType, ValidationMode, Value,
    parser::types::ExecutableDocument,
    registry::{MetaType, Registry},
};
use daybook_app::{Directory, access::Providers};
use daybook_schema::access::AccountId;
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use crate::transport::{
    GraphQl, GraphQlRequest, GraphQlResponse, Identity, RequestContext, errors,
};
pub use caller::ON_BEHALF_OF;
pub(crate) use caller::not_entered;
use caller::{Caller, Door};
use command::Mutation;
use object::{Kind, Kinds};
pub use permissions::{Allowed, Permission, Sort, permission_matrix, permissions};
use query::Query;
use reading::Reading;
use subscription::{Feed, Subscription};

/// All kinds of objects that the API shows, in the order of the contexts.
fn kinds() -> &'static Kinds {
    static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
        Kinds::new(vec![
            Kind::of::<governance::Organisation>(),
            Kind::of::<governance::Policy>(),
            Kind::of::<governance::Tenant>(),
            Kind::of::<access::Account>(),
            Kind::of::<access::Team>(),
            Kind::of::<access::ApiKey>(),
            Kind::of::<access::Session>(),
            Kind::of::<customers::Customer>(),
            Kind::of::<customers::Interaction>(),
            Kind::of::<pipeline::Lead>(),
            Kind::of::<pipeline::Opportunity>(),
            Kind::of::<service::Complaint>(),
            Kind::of::<goods::Warehouse>(),
            Kind::of::<goods::Product>(),
            Kind::of::<goods::PriceList>(),
            Kind::of::<goods::Price>(),
            Kind::of::<goods::StockItem>(),
            Kind::of::<orders::Order>(),
            Kind::of::<orders::Shipment>(),
        ])
    });
    &KINDS
}

type DaybookSchema = Schema<Query, Mutation, Subscription>;

/// The schema over one organisation, or over those of a house.
#[derive(Clone)]
pub struct Api {
    schema: DaybookSchema,
    /// The same schema for documents that were validated before.
    trusting: DaybookSchema,
    door: Door,
}

/// Suggestions for misspelt names cost more than all the rest on a document of thousands of them.
fn schema(validation: ValidationMode) -> DaybookSchema {
    Schema::build(Query::default(), Mutation, Subscription)
        .validation_mode(validation)
        .disable_suggestions()
        .finish()
}

/// The schema in the schema definition language, as it is published.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().include_specified_by();
    schema(ValidationMode::Strict).sdl_with_options(options)
}

impl Api {
    /// The API of an organisation or of a house. `unproven` is the account of requests without a
    /// token, for a demonstration; where it is none, nobody asks anonymously. `providers` are
    /// believed besides the organisation's own keys and sessions.
    pub fn new(
        directory: impl Into<Directory>,
        unproven: Option<AccountId>,
        providers: Arc<Providers>,
    ) -> Self {
        Self {
            schema: schema(ValidationMode::Strict),
            trusting: schema(ValidationMode::Fast),
            door: Door::new(directory.into(), unproven, providers),
        }
    }

    async fn reading(&self, context: &mut RequestContext) -> Result<Reading, fault::Fault> {
        let caller = context.identity.known::<Caller>();
        let caller = caller.ok_or_else(fault::Fault::unauthenticated)?;
        let key = context.idempotency_key.take();
        Reading::begin(&caller, key, context.at_least).await
    }
}

impl Api {
    async fn answer(&self, request: GraphQlRequest) -> GraphQlResponse {
        let GraphQlRequest {
            inner,
            mut context,
            document,
            cost,
            trusted,
            ..
        } = request;
        let permitted = permitted(&context, document.syntax(), inner.operation_name.as_deref());
        let reading = match permitted {
            Ok(()) => self.reading(&mut context).await,
            Err(fault) => Err(fault),
        };
        let reading = match reading {
            Ok(reading) => Arc::new(reading),
            Err(fault) => return refused(fault),
        };
        let request = inner.data(reading.clone());
        let schema = if trusted {
            &self.trusting
        } else {
            &self.schema
        };
        let mut response = reading.drive(schema.execute(request)).await;
        let position = reading.position();
        response
            .extensions
            .insert("position".to_owned(), Value::from(position.to_string()));
        let cost = async_graphql::value!({ "requested": cost });
        response.extensions.insert("cost".to_owned(), cost);
        response
    }
}

impl GraphQl for Api {
    async fn authenticate(&self, context: &RequestContext) -> Result<Identity, errors::Fault> {
        self.door.admit(context).await
    }

    fn execute(&self, request: GraphQlRequest) -> BoxFuture<'_, GraphQlResponse> {
        Box::pin(self.answer(request))
    }

    fn subscribe(&self, request: GraphQlRequest) -> BoxStream<'static, GraphQlResponse> {
        let GraphQlRequest {
            inner,
            mut context,
            document,
            ..
        } = request;
        let name = inner.operation_name.as_deref();
        if let Err(fault) = permitted(&context, document.syntax(), name) {
            return stream::iter([refused(fault)]).boxed();
        }
        let api = self.clone();
        let answers = stream::once(async move {
            let caller = context.identity.known::<Caller>();
            let reading = api.reading(&mut context).await;
            let called = caller.ok_or_else(fault::Fault::unauthenticated);
            match reading.and_then(|reading| called.map(|caller| (reading, caller))) {
                Ok((reading, caller)) => {
                    let feed = Feed::new(caller.as_ref().clone());
                    let request = inner.data(Arc::new(reading)).data(Arc::new(feed));
                    api.schema.execute_stream(request).left_stream()
                }
                Err(fault) => stream::iter([refused(fault)]).right_stream(),
            }
        });
        answers.flatten().boxed()
    }
}

/// Refuses what none of the caller's roles may ask for.
fn permitted(
    context: &RequestContext,
    document: &ExecutableDocument,
    operation: Option<&str>,
) -> Result<(), fault::Fault> {
    let caller = context.identity.known::<Caller>();
    let caller = caller.ok_or_else(fault::Fault::unauthenticated)?;
    roots::check(document, operation, &caller.principal)
}

/// Whether neither the query root nor the subscription root has such a field.
fn is_unknown_root(field: &str) -> bool {
    static FIELDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let mut registry = Registry::default();
        <Query as OutputType>::create_type_info(&mut registry);
        <Subscription as SubscriptionType>::create_type_info(&mut registry);
        let roots = ["Query", "Subscription"].map(|root| registry.types.get(root));
        let fields = roots.into_iter().flatten().filter_map(MetaType::fields);
        fields.flat_map(|fields| fields.keys().cloned()).collect()
    });
    !FIELDS.contains(field)
}

fn refused(fault: fault::Fault) -> GraphQlResponse {
    let mut error = async_graphql::Error::from(fault).into_server_error(Pos::default());
    // It concerns the request, not a place in the document.
    error.locations.clear();
    GraphQlResponse::from_errors(vec![error])
}
