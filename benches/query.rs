//! GraphQL over HTTP, from the read models, beside the bare framework answering the same from
//! memory; and mutations, durable, beside the bare framework with raw group commit behind it.

use std::{sync::Arc, time::Duration};

use daybook_api::{
    graphql::Api,
    health::Report,
    metrics::Metrics,
    transport::{Lifecycle, ServeConfig, TransportConfig, router, serve},
};
use daybook_app::{Organisation, access::Providers, demo};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    access,
    bare::{self, Memory},
    company,
    floor::RawLog,
    load::{Connection, rate},
    report::{Figure, publish},
};

const TIME: Duration = Duration::from_secs(3);

const POINT: &str = "query($id: ID!) { customer(id: $id) { id name number owner } }";
pub(crate) const PAGE: &str =
    "{ orders(first: 20) { nodes { id number status total { amount currency }
    lines { sku name ordered net { amount currency } } customer { id name number owner } } } }";
pub(crate) const LIST: &str = "{ orders(first: 20, where: { status: { eq: DELIVERED } }) {
    totalCount nodes { id number status total { amount currency } } } }";
const MUTATION: &str = "mutation($input: LogInteractionInput!) {
    logInteraction(input: $input) { receipt { position replayed } } }";

const BARE_POINT: &str = "query($id: String!) { customer(id: $id) { id name number owner } }";
const BARE_LIST: &str = "{ orders(first: 20, status: \"DELIVERED\") {
    totalCount nodes { id number status total { amount currency } } } }";
const BARE_MUTATION: &str = "mutation($input: Interaction!) {
    logInteraction(input: $input) { position replayed } }";

pub(crate) fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let organisation = company::open(folder.path(), 1.0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let raw = RawLog::open(folder.path());
    runtime.block_on(measure(organisation, raw));
}

async fn measure(organisation: Arc<Organisation>, raw: RawLog) {
    let ours = serve_ours(Arc::clone(&organisation), demo::ADMINISTRATOR).await;
    let orders = ask(&ours, PAGE, Value::Null).await["data"]["orders"]["nodes"].clone();
    let customer = orders[0]["customer"].clone();
    let memory = Memory {
        customer: serde_json::from_value(customer.clone()).unwrap(),
        orders: serde_json::from_value(orders).unwrap(),
        raw,
    };
    let floor = serve_bare(memory).await;
    let id = json!({ "id": customer["id"] });
    let mut figures = Vec::new();
    let cases = [
        ("point query", POINT, BARE_POINT, id, [0.8, 0.8, 0.8]),
        (
            "page of 20 orders, lines, customer",
            PAGE,
            PAGE,
            Value::Null,
            [0.6, 0.6, 0.6],
        ),
        (
            "filtered list with count",
            LIST,
            BARE_LIST,
            Value::Null,
            [0.5, 0.5, 0.5],
        ),
    ];
    for (what, document, bare_document, variables, aims) in cases {
        for (connections, aim) in [1, 16, 64].into_iter().zip(aims) {
            let request =
                |document: &str| json!({ "query": document, "variables": variables }).to_string();
            let (body, bare_body) = (request(document), request(bare_document));
            let bare = rate(&floor, "/bare", connections, TIME, move || {
                bare_body.clone()
            })
            .await;
            let full = rate(&ours, "/graphql", connections, TIME, move || body.clone()).await;
            let what = format!("{what}, {connections} connections");
            figures.push(Figure::new(what, full, bare, Some(aim)));
        }
    }
    publish(
        "query",
        "axum + async-graphql, same shape, from memory",
        &figures,
    );
    access::run(&organisation, &ours).await;
    mutations(&ours, &floor, &customer["id"]).await;
}

async fn mutations(ours: &str, floor: &str, customer: &Value) {
    let mut figures = Vec::new();
    let summary = "x".repeat(190);
    for connections in [1, 16, 64] {
        let details = json!({ "channel": "PHONE", "direction": "INBOUND", "summary": summary });
        let input = json!({ "customer": customer, "details": details });
        let full = json!({ "query": MUTATION, "variables": { "input": input } }).to_string();
        let input = json!({ "customer": customer, "summary": summary });
        let bare = json!({ "query": BARE_MUTATION, "variables": { "input": input } }).to_string();
        let bare = rate(floor, "/bare", connections, TIME, move || bare.clone()).await;
        let full = rate(ours, "/graphql", connections, TIME, move || full.clone()).await;
        let aim = (connections > 1).then_some(0.5);
        figures.push(Figure::new(
            format!("{connections} connections"),
            full,
            bare,
            aim,
        ));
    }
    publish(
        "mutation",
        "axum + async-graphql + raw group commit",
        &figures,
    );
}

pub(crate) async fn ask(address: &str, document: &str, variables: Value) -> Value {
    let mut connection = Connection::open(address, "/graphql").await;
    let body = json!({ "query": document, "variables": variables }).to_string();
    let answer: Value = serde_json::from_str(&connection.ask(&body).await).unwrap();
    assert!(answer["errors"].is_null(), "{answer}");
    answer
}

/// Serves the API to an account of the demo, which needs no token.
pub(crate) async fn serve_ours(organisation: Arc<Organisation>, login: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
    let account = format!("account-{login}").parse().unwrap();
    let api = Api::new(
        organisation,
        Some(account),
        Arc::new(Providers::new(Vec::new())),
    );
    let config = TransportConfig::default();
    let routes = router(
        api,
        Report::ready,
        config,
        &metrics,
        &lifecycle,
        axum::Router::new(),
    );
    tokio::spawn(async move {
        serve(
            listener,
            routes,
            &lifecycle,
            ServeConfig::default(),
            &metrics,
        )
        .await
    });
    address
}

async fn serve_bare(memory: Memory) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, bare::router(memory)).await.unwrap() });
    address
}
