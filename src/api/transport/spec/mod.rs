//! The transport from outside, over a toy schema.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

mod codes;
mod connections;
mod exchange;
mod hardening;
mod metering;
mod secrecy;
mod serving;
mod shares;
mod sockets;
mod streams;

#[path = "../../examples/toy/schema.rs"]
mod toy;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use self::toy::Toy;
use super::errors::{Code, Fault};
use super::{
    GraphQl, GraphQlRequest, GraphQlResponse, Identity, Lifecycle, Peer, Rate, Rates,
    RequestContext, TransportConfig, router,
};
use crate::health::Report;
use crate::metrics::Metrics;

const GRAPHQL_JSON: &str = "application/graphql-response+json";

/// A server without a network.
struct Server {
    routes: Router,
    metrics: Metrics,
    lifecycle: Lifecycle,
}

impl Server {
    fn new() -> Self {
        Self::with(TransportConfig::default())
    }

    fn with(config: TransportConfig) -> Self {
        let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
        let health = || Report::ready().with("log", true, "position 7");
        let routes = router(
            Toy::new(),
            health,
            config,
            &metrics,
            &lifecycle,
            Router::new(),
        );
        Self {
            routes,
            metrics,
            lifecycle,
        }
    }

    async fn ask(&self, request: Request<Body>) -> Reply {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// POST with the media type whose status tells what happened.
    async fn query(&self, text: &str) -> Reply {
        self.query_with(text, Value::Null).await
    }

    async fn query_with(&self, text: &str, variables: Value) -> Reply {
        let body = serde_json::json!({ "query": text, "variables": variables });
        self.ask(post(body.to_string()).body_as(GRAPHQL_JSON)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.get_as(path, "*/*").await
    }

    async fn get_as(&self, path: &str, accept: &str) -> Reply {
        let request = Request::get(path).header("accept", accept);
        self.ask(request.body(Body::empty()).unwrap()).await
    }
}

/// A POST that is about to be sent.
struct Post {
    builder: http::request::Builder,
    body: Body,
}

fn post(body: impl Into<Body>) -> Post {
    let builder = Request::builder().method(Method::POST).uri("/graphql");
    Post {
        builder,
        body: body.into(),
    }
}

impl Post {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    fn body_as(self, accept: &str) -> Request<Body> {
        self.header("content-type", "application/json")
            .header("accept", accept)
            .plain()
    }

    fn plain(self) -> Request<Body> {
        self.builder.body(self.body).unwrap()
    }
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn code(&self) -> String {
        let json = self.json();
        json["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Refused before anything was executed.
    #[track_caller]
    fn is_refused(&self, status: u16, code: &str) {
        let found = (self.status.as_u16(), self.code());
        assert_eq!(found, (status, code.to_owned()), "{}", self.text());
        assert!(
            self.json().get("data").is_none(),
            "data in a refusal: {}",
            self.text()
        );
    }
}
