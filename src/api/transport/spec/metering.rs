//! Limits, the document cache and the metrics.

use std::num::NonZeroUsize;

use async_graphql::Variables;
use serde_json::json;

use super::{Server, TransportConfig};
use crate::metrics::{Metrics, RefusalLabels};
use crate::transport::errors::Code;
use crate::transport::{Document, DocumentCache, Limits};

/// The introspection query that editors and code generators send.
const INTROSPECTION: &str = "
query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) {
    name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name }
  } } } } } } } }
}";

fn cost(text: &str, variables: serde_json::Value) -> Result<u64, Code> {
    let limits = Limits::default();
    let document = Document::parse(text, &limits).map_err(|fault| fault.code)?;
    let operation = document.operation(None).map_err(|fault| fault.code)?;
    operation
        .cost(&limits, &Variables::from_json(variables))
        .map_err(|fault| fault.code)
}

#[test]
fn a_field_costs_one_and_a_page_its_size() {
    let none = || json!({});
    assert_eq!(cost("{ a b { c } }", none()), Ok(3));
    assert_eq!(
        cost("{ orders(first: 20) { nodes { id } } }", none()),
        Ok(41)
    );
    assert_eq!(cost("{ orders(last: 5) { id } }", none()), Ok(6));
    let nested = "{ orders(first: 10) { nodes { lines(first: 5) { nodes { id } } } } }";
    assert_eq!(cost(nested, none()), Ok(10 * (1 + 1 + 5 * 2) + 1));
    let spread = "{ orders(first: 3) { ...L } } fragment L on Order { id total }";
    assert_eq!(cost(spread, none()), Ok(7));
}

#[test]
fn a_page_size_may_be_a_variable() {
    let text = "query($n: Int = 7) { orders(first: $n) { id } }";
    assert_eq!(cost(text, json!({})), Ok(8));
    assert_eq!(cost(text, json!({ "n": 100 })), Ok(101));
    assert_eq!(
        cost(text, json!({ "n": 99_999 })),
        Err(Code::QueryTooComplex)
    );
    assert_eq!(
        cost("query($n: Int) { orders(first: $n) { id } }", json!({})),
        Ok(21)
    );
    assert_eq!(cost("{ orders(first: -3) { id } }", json!({})), Ok(2));
    let huge = "{ a(first: 18446744073709551615) { b(first: 18446744073709551615) { c } } }";
    assert_eq!(cost(huge, json!({})), Err(Code::QueryTooComplex));
}

#[test]
fn introspection_is_priced_apart() {
    assert_eq!(cost(INTROSPECTION, json!({})), Ok(1));
    let circle =
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(cost(circle, json!({})), Err(Code::QueryTooComplex));
}

#[tokio::test]
async fn the_standard_introspection_query_passes() {
    let reply = Server::new().query(INTROSPECTION).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json()["data"]["__schema"]["queryType"]["name"],
        "Query"
    );
}

#[test]
fn brackets_within_strings_and_comments_do_not_nest() {
    let braces = "{".repeat(500);
    let text = format!(
        "{{ a(x: \"\\\"{braces}\", y: \"\"\"{braces} \\\"\"\" {braces}\"\"\") # {braces}\n b }}"
    );
    assert_eq!(cost(&text, json!({})), Ok(2));
}

#[test]
fn the_cache_forgets_the_least_used_and_keeps_no_failures() {
    let metrics = Metrics::new();
    let two = NonZeroUsize::MIN.saturating_add(1);
    let cache = DocumentCache::new(two, 40, Limits::default(), metrics.clone());
    for text in ["{ a }", "{ b }", "{ a }", "{ c }", "{ a }", "{ b }"] {
        assert!(cache.get(text).is_ok());
    }
    assert_eq!(cache.len(), 2);
    assert_eq!(
        (
            metrics.document_cache_hits.get(),
            metrics.document_cache_misses.get()
        ),
        (2, 4)
    );
    assert!(cache.get("{ broken").is_err());
    assert!(
        cache
            .get("{ aVeryLongNameThatIsTooLongToBeKeptInTheCache }")
            .is_ok()
    );
    assert_eq!(cache.len(), 2);
    assert!(!cache.is_empty());
}

#[tokio::test]
async fn requests_and_operations_are_measured() {
    let server = Server::new();
    server.query("{ hello }").await;
    server.query("{ hello }").await;
    server.query("{ hello fails }").await;
    server.query("{ nothing }").await;
    server.query("mutation { place(name: \"x\") }").await;
    let refusal = RefusalLabels {
        code: "CREDIT_LIMIT_EXCEEDED".to_owned(),
    };
    server.metrics.refusals.get_or_create(&refusal).inc();
    let page = server.get("/metrics").await;
    assert_eq!(page.header("content-type"), crate::metrics::TEXT);
    let expected = [
        "daybook_graphql_operation_duration_seconds_count{kind=\"query\",outcome=\"ok\"} 2",
        "daybook_graphql_operation_duration_seconds_count{kind=\"query\",outcome=\"partial\"} 1",
        "daybook_graphql_operation_duration_seconds_count{kind=\"query\",outcome=\"error\"} 1",
        "daybook_graphql_operation_duration_seconds_count{kind=\"mutation\",outcome=\"ok\"} 1",
        "daybook_document_cache_hits_total 1",
        "daybook_document_cache_misses_total 4",
        "http_server_request_duration_seconds_count\
            {method=\"POST\",route=\"/graphql\",status=\"200\"} 4",
        "# TYPE daybook_events_appended_total counter",
        "# TYPE daybook_append_duration_seconds histogram",
        "# TYPE daybook_log_head_position gauge",
        "# TYPE daybook_log_writable gauge",
        "daybook_refusals_total{code=\"CREDIT_LIMIT_EXCEEDED\"} 1",
        "# TYPE daybook_refusals_total counter",
    ];
    for line in expected {
        assert!(
            page.text().lines().any(|found| found == line),
            "{line} in\n{}",
            page.text()
        );
    }
    assert!(!page.text().contains("# EOF"));
}

#[tokio::test]
async fn open_metrics_are_given_on_request() {
    let page = Server::new()
        .get_as("/metrics", "application/openmetrics-text;version=1.0.0")
        .await;
    assert_eq!(page.header("content-type"), crate::metrics::OPEN_METRICS);
    assert!(page.text().ends_with("# EOF\n"));
}

#[tokio::test]
async fn paths_cannot_grow_the_registry() {
    let server = Server::new();
    for path in ["/a", "/b", "/c"] {
        server.get(path).await.is_refused(404, "NOT_FOUND");
    }
    let routes = server
        .metrics
        .to_text()
        .matches("route=\"other\",status=\"404\"} 3")
        .count();
    assert!(routes > 0, "three requests under one label");
}

#[tokio::test]
async fn probes_tell_life_readiness_and_health() {
    let server = Server::new();
    assert_eq!(server.get("/livez").await.text(), "alive\n");
    assert_eq!(server.get("/readyz").await.text(), "ready\n");
    let verbose = server.get("/readyz?verbose").await;
    assert_eq!(verbose.text(), "[+] log position 7\nready\n");
    server.lifecycle.shut_down();
    let draining = server.get("/readyz?verbose").await;
    assert_eq!(draining.status, 503);
    assert_eq!(
        draining.text(),
        "[+] log position 7\n[-] shutdown draining\nnot ready\n"
    );
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_small_cost_limit_holds_for_every_operation_of_a_document() {
    let limits = Limits {
        cost_max: 5,
        ..Limits::default()
    };
    let server = Server::with(TransportConfig {
        limits,
        ..Default::default()
    });
    let reply = server
        .query("query A { hello } query B { items(first: 9) { id } }")
        .await;
    reply.is_refused(400, "QUERY_TOO_COMPLEX");
    let extensions = reply.json()["errors"][0]["extensions"].clone();
    let expected = json!({
        "code": "QUERY_TOO_COMPLEX", "limit": "cost", "allowed": 5, "actual": 10,
    });
    assert_eq!(extensions, expected);
}
