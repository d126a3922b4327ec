//! The bare framework: axum and async-graphql with types of the same shape, answering from
//! memory, and a mutation with nothing but a raw group commit behind it.

use std::sync::Arc;

use async_graphql::{EmptySubscription, InputObject, Object, Schema, SimpleObject};
use axum::{Router, body::Bytes, extract::State, http::header::CONTENT_TYPE, routing::post};
use serde::Deserialize;

use crate::floor::RawLog;

#[derive(Clone, SimpleObject, Deserialize)]
pub(crate) struct Customer {
    id: String,
    name: String,
    number: String,
    owner: String,
}

#[derive(Clone, SimpleObject, Deserialize)]
struct Amount {
    amount: String,
    currency: String,
}

#[derive(Clone, SimpleObject, Deserialize)]
struct Line {
    sku: String,
    name: String,
    ordered: String,
    net: Amount,
}

#[derive(Clone, SimpleObject, Deserialize)]
pub(crate) struct Order {
    id: String,
    number: String,
    status: String,
    total: Amount,
    lines: Vec<Line>,
    customer: Customer,
}

#[derive(Clone, SimpleObject)]
struct Page {
    nodes: Vec<Order>,
    total_count: String,
}

/// What the bare server holds in memory.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) customer: Customer,
    pub(crate) orders: Vec<Order>,
    pub(crate) raw: RawLog,
}

pub(crate) struct Query(Arc<Memory>);

#[Object]
impl Query {
    async fn customer(&self, id: String) -> Customer {
        Customer {
            id,
            ..self.0.customer.clone()
        }
    }

    async fn orders(&self, first: i32, status: Option<String>) -> Page {
        let first = usize::try_from(first).unwrap_or(0);
        let nodes: Vec<_> = self
            .0
            .orders
            .iter()
            .filter(|order| status.as_ref().is_none_or(|status| *status == order.status))
            .take(first)
            .cloned()
            .collect();
        Page {
            nodes,
            total_count: self.0.orders.len().to_string(),
        }
    }
}

#[derive(InputObject)]
struct Interaction {
    customer: String,
    summary: String,
}

#[derive(SimpleObject)]
struct Receipt {
    position: String,
    replayed: bool,
}

pub(crate) struct Mutation(Arc<Memory>);

#[Object]
impl Mutation {
    async fn log_interaction(&self, input: Interaction) -> Receipt {
        let bytes = [input.customer.into_bytes(), input.summary.into_bytes()].concat();
        self.0.raw.append(bytes.into()).await;
        Receipt {
            position: "1".to_owned(),
            replayed: false,
        }
    }
}

type BareSchema = Schema<Query, Mutation, EmptySubscription>;

pub(crate) fn router(memory: Memory) -> Router {
    let memory = Arc::new(memory);
    let schema = Schema::new(Query(memory.clone()), Mutation(memory), EmptySubscription);
    Router::new()
        .route("/bare", post(answer))
        .with_state(schema)
}

async fn answer(
    State(schema): State<BareSchema>,
    body: Bytes,
) -> ([(axum::http::HeaderName, &'static str); 1], Vec<u8>) {
    let request: async_graphql::Request = serde_json::from_slice(&body).unwrap();
    let response = schema.execute(request).await;
    (
        [(CONTENT_TYPE, "application/json")],
        serde_json::to_vec(&response).unwrap(),
    )
}
