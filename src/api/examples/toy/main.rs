//! Serves a toy schema over the transport, for the conformance scripts and for measuring.
//!
//! `toy [address]`; `/graphql` is the transport, `/bare` the same schema behind the plainest
//! handler that axum and the executor allow, as the yardstick.

mod schema;

use std::error::Error;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use daybook_api::health::Report;
use daybook_api::metrics::Metrics;
use daybook_api::transport::errors::{Code, Fault};
use daybook_api::transport::{
    GraphQl, GraphQlRequest, GraphQlResponse, Identity, Lifecycle, RequestContext, ServeConfig,
    TransportConfig, router, serve,
};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;

use self::schema::Toy;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:4000".to_owned());
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
    let toy = Toy::new();
    let bare = Router::new()
        .route("/bare", post(bare))
        .with_state(toy.clone());
    let health = || Report::ready().with("toy", true, "always well");
    let config = TransportConfig::default();
    let routes = router(toy, health, config, &metrics, &lifecycle, Router::new());
    let routes = bare.fallback_service(routes);
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let ending = lifecycle.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            ending.shut_down();
        }
    });
    serve(
        listener,
        routes,
        &lifecycle,
        ServeConfig::default(),
        &metrics,
    )
    .await;
    Ok(())
}

async fn bare(State(toy): State<Toy>, body: Bytes) -> impl IntoResponse {
    let Ok(request) = serde_json::from_slice::<async_graphql::Request>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let response = toy.schema.execute(request).await;
    let body = serde_json::to_vec(&response).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
