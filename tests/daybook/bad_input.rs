//! What comes in wrong is answered with the code that is published for it, changes nothing, and
//! leaves the server as it was.

use serde_json::{Value, json};
use tempfile::tempdir;
use uuid::Uuid;

use crate::server::Server;

const JSON: &str = "Content-Type: application/json\r\n";
const GRAPHQL: &str =
    "Content-Type: application/json\r\nAccept: application/graphql-response+json\r\n";

/// Runs a test against a server of its own, which must still be ready at the end.
pub(crate) fn with_server(test: impl FnOnce(&Server)) {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    test(&server);
    assert_eq!(server.ask("GET", "/readyz", "").0, 200);
    assert!(!server.said().contains("panicked"), "{}", server.said());
    assert_eq!(server.end(), Some(0));
}

pub(crate) fn head(server: &Server) -> u64 {
    let answer = server.graphql("{ status { head } }");
    let head = answer["data"]["status"]["head"].as_str();
    head.unwrap().parse().unwrap()
}

/// Sends a request, and expects an error with a status, a code and words that name what is wrong;
/// the log stays where it is.
#[track_caller]
fn refused(
    server: &Server,
    request: (&str, &str, &[u8]),
    (status, code, words): (u16, &str, &str),
) -> Value {
    let before = head(server);
    let (line, headers, body) = request;
    let (found, answer) = server.exchange(line, headers, body);
    assert_eq!(found, status, "{line} {headers}: {answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], code, "{answer}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(words), "`{words}` in {answer}");
    assert_eq!(head(server), before, "{answer}");
    answer
}

/// The same for a document with variables.
#[track_caller]
fn document_refused(
    server: &Server,
    (query, variables): (&str, Value),
    expected: (u16, &str, &str),
) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = ("POST /graphql", GRAPHQL, body.as_bytes());
    refused(server, request, expected)
}

/// A page of another host opens a socket.
const FOREIGN_SOCKET: &str = "Connection: upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: graphql-transport-ws\r\nOrigin: https://example.com\r\n";
const HEAD: &[u8] = br#"{"query":"{ status { head } }"}"#;

#[test]
fn what_is_no_graphql_request_is_refused() {
    let large = [br#"{"query":""#, vec![b' '; 10 << 20].as_slice(), br#""}"#].concat();
    let post = |body: &'static [u8]| ("POST /graphql", GRAPHQL, body);
    let get = |line: &'static str| (line, "", b"".as_slice());
    let cases = [
        (
            post(br#"{"query""#),
            (400, "BAD_REQUEST", "malformed request: EOF"),
        ),
        (
            post(b"{\"query\":\"{ a } # \xff\"}"),
            (400, "BAD_REQUEST", "invalid unicode"),
        ),
        (
            post(b"{\"query\":\"{ a }\",\"variables\":{\"a\":\"\xc3\x28\"}}"),
            (400, "BAD_REQUEST", "invalid unicode"),
        ),
        (post(br#"{"query":7}"#), (400, "BAD_REQUEST", "integer `7`")),
        (
            post(b"[]"),
            (400, "BATCHING_UNSUPPORTED", "one request at a time"),
        ),
        (
            ("POST /graphql", GRAPHQL, &large),
            (413, "PAYLOAD_TOO_LARGE", "1048576"),
        ),
        (
            ("GET /graphql", FOREIGN_SOCKET, b""),
            (403, "FORBIDDEN", "origin"),
        ),
        (
            ("PUT /graphql", JSON, HEAD),
            (405, "METHOD_NOT_ALLOWED", "GET and POST"),
        ),
        (
            get("GET /graphql?query=mutation%7Ba%7D"),
            (405, "METHOD_NOT_ALLOWED", "a mutation needs POST"),
        ),
        (get("GET /nowhere"), (404, "NOT_FOUND", "no such path")),
    ];
    with_server(|server| {
        for (request, expected) in cases {
            refused(server, request, expected);
        }
    });
}

#[test]
fn headers_that_do_not_fit_are_refused() {
    let cases = [
        (
            ("Content-Type: text/plain\r\n"),
            (415, "UNSUPPORTED_MEDIA_TYPE", "application/json"),
        ),
        (
            ("Content-Type: application/json\r\nAccept: image/png\r\n"),
            (406, "NOT_ACCEPTABLE", "application/json"),
        ),
        (
            ("Content-Type: application/json\r\nDaybook-On-Behalf-Of: li wei!\r\n"),
            (400, "BAD_REQUEST", "daybook-on-behalf-of"),
        ),
        (
            ("Content-Type: application/json\r\nDaybook-On-Behalf-Of: é\r\n"),
            (400, "BAD_REQUEST", "daybook-on-behalf-of"),
        ),
        (
            ("Content-Type: application/json\r\nDaybook-At-Least: -1\r\n"),
            (400, "BAD_REQUEST", "daybook-at-least"),
        ),
        (
            ("Content-Type: application/json\r\nIdempotency-Key: \r\n"),
            (400, "BAD_REQUEST", "idempotency-key"),
        ),
    ];
    with_server(|server| {
        for (headers, expected) in cases {
            refused(server, ("POST /graphql", headers, HEAD), expected);
        }
    });
}

#[test]
fn documents_are_refused_by_the_limit_that_they_exceed() {
    let nested = |depth| "{a".repeat(depth) + &"}".repeat(depth);
    let repeated = |field: &str, count| format!("{{ {} }}", format!("{field} ").repeat(count));
    let aliases: String = (0..101).map(|n| format!("a{n}: __typename ")).collect();
    let cases = [
        (nested(17), "depth", 15),
        (nested(61), "nesting", 60),
        (
            "{ customers(first: 60000) { nodes { id } } }".to_owned(),
            "cost",
            50_000,
        ),
        (format!("{{ {aliases} }}"), "aliases", 100),
        (repeated("__typename", 51), "root fields", 50),
        (
            format!("{{ a {} }}", "@skip(if: true) ".repeat(51)),
            "directives",
            50,
        ),
        (repeated("__typename", 6_000), "tokens", 5_000),
    ];
    with_server(|server| {
        for (query, limit, allowed) in &cases {
            let expected = (400, "QUERY_TOO_COMPLEX", *limit);
            let answer = document_refused(server, (query, Value::Null), expected);
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(extensions["limit"], *limit);
            assert_eq!(extensions["allowed"], *allowed);
            assert!(extensions["actual"].as_u64() > extensions["allowed"].as_u64());
        }
    });
}

#[test]
fn documents_that_do_not_fit_the_schema_are_refused() {
    let invalid = "GRAPHQL_VALIDATION_FAILED";
    let cases = [
        ("{", (400, "GRAPHQL_PARSE_FAILED", "syntax error")),
        ("{ nothing }", (400, invalid, "\"nothing\"")),
        ("{ a: status { head } ...F }", (400, invalid, "F")),
        (
            "query A { status { head } } query B { status { head } }",
            (400, "OPERATION_RESOLUTION_FAILURE", "operationName"),
        ),
    ];
    with_server(|server| {
        for (query, expected) in cases {
            document_refused(server, (query, Value::Null), expected);
        }
        let sized = "query($n: Int!) { customers(first: $n) { nodes { id } } }";
        for (n, words) in [(json!("x"), "\"first\""), (Value::Null, "n")] {
            let expected = (400, "BAD_USER_INPUT", words);
            document_refused(server, (sized, json!({ "n": n })), expected);
        }
    });
}

#[test]
fn pages_cursors_and_ids_that_do_not_fit_are_refused_at_their_field() {
    let customers = |arguments: &str| format!("customers({arguments}) {{ nodes {{ id }} }}");
    let commits = |arguments: &str| format!("commits({arguments}) {{ nodes {{ position }} }}");
    let ids = vec!["customer-x"; 101];
    let foreign = format!("customer-{}", Uuid::nil());
    let cases = [
        (
            customers("first: 101"),
            "`first` is 101; 0 to 100 are allowed",
        ),
        (customers("last: -1"), "`last` is -1; 0 to 100 are allowed"),
        (customers("first: 1, last: 1"), "`first` and `last`"),
        (customers(r#"after: "nonsense""#), "cursor"),
        (customers(r#"where: { createdAt: { gt: "x" } }"#), "`x`"),
        (
            commits("first: 201"),
            "`first` is 201; 0 to 200 are allowed",
        ),
        (commits(r#"after: "x""#), "`x`"),
        (
            r#"search(text: "a", first: 51) { id }"#.to_owned(),
            "0 to 50 are allowed",
        ),
        (
            r#"customer(id: "nonsense") { id }"#.to_owned(),
            "`nonsense`",
        ),
        (format!("order(id: {foreign:?}) {{ id }}"), "`order-…`"),
        (
            format!("nodes(ids: {ids:?}) {{ id }}"),
            "101 entries; 100 are allowed",
        ),
    ];
    with_server(|server| {
        for (field, words) in &cases {
            let query = format!("{{ it: {field} }}");
            let expected = (200, "BAD_USER_INPUT", *words);
            let answer = document_refused(server, (&query, Value::Null), expected);
            assert_eq!(answer["errors"][0]["path"], json!(["it"]), "{answer}");
        }
        // What is well formed and not there is no error.
        let unknown = format!("{{ node(id: \"customer-{}\") {{ id }} }}", Uuid::now_v7());
        assert_eq!(server.graphql(&unknown)["data"], json!({ "node": null }));
    });
}

const OPEN: &str = "mutation($input: OpenWarehouseInput!) {
    openWarehouse(input: $input) { receipt { position } userErrors { code field } } }";

#[test]
fn values_that_do_not_fit_are_refused_before_the_desk() {
    let (product, warehouse) = (Uuid::now_v7(), Uuid::now_v7());
    let receipt = |quantity: &str, amount: &str, currency: &str| {
        json!({
            "product": format!("product-{product}"),
            "warehouse": format!("warehouse-{warehouse}"),
            "quantity": quantity, "unitCost": { "amount": amount, "currency": currency }
        })
    };
    let (range, places) = ("-1000000000000 to 1000000000000", "6 decimal places");
    let received = [
        (receipt("99999999999999999999", "1", "CNY"), range),
        (receipt("1.0000001", "1", "CNY"), places),
        (receipt("many", "1", "CNY"), "`many`"),
        (receipt("NaN", "1", "CNY"), "`NaN`"),
        (receipt("1", "-99999999999999999999", "CNY"), range),
        (receipt("1", "0.0000001", "CNY"), places),
        (receipt("1", "1", "ZZZ"), "`ZZZ` is not a currency code"),
        (receipt("1", "1", "cny"), "`cny` is not a currency code"),
    ];
    let opened = [
        (json!({ "code": "", "name": "W" }), "the text is empty"),
        (json!({ "code": "W".repeat(65), "name": "W" }), "at most 64"),
        (
            json!({ "code": "A\u{0}B", "name": "W" }),
            "control character",
        ),
        (
            json!({ "code": "W", "name": "W", "commandId": "seven" }),
            "`seven`",
        ),
        (
            json!({ "code": "W", "name": "W", "expectedVersion": "-1" }),
            "`-1`",
        ),
        (
            json!({ "code": "W", "name": "W", "occurredAt": "yesterday" }),
            "`yesterday`",
        ),
    ];
    let receive = "mutation($input: ReceiveStockInput!) { receiveStock(input: $input) {
        receipt { position } } }";
    with_server(|server| {
        let received = received.into_iter().map(|case| (receive, case));
        let opened = opened.into_iter().map(|case| (OPEN, case));
        for (mutation, (input, words)) in received.chain(opened) {
            let document = (mutation, json!({ "input": input }));
            document_refused(server, document, (200, "BAD_USER_INPUT", words));
        }
        for (input, words) in [
            (json!({ "code": "W" }), "\"name\""),
            (json!({ "code": "W", "name": "W", "size": 7 }), "\"size\""),
            (json!({ "code": ["W"], "name": 7 }), "input.code"),
        ] {
            let document = (OPEN, json!({ "input": input }));
            document_refused(server, document, (400, "BAD_USER_INPUT", words));
        }
    });
}

/// What was done before a bad value was met stays done, and is told.
#[test]
fn a_bad_value_does_not_hide_what_the_document_has_done() {
    let document = r#"mutation {
        first: openWarehouse(input: { code: "W", name: "W" }) { receipt { position } }
        second: openWarehouse(input: { code: "", name: "W" }) { receipt { position } }
    }"#;
    with_server(|server| {
        let before = head(server);
        let answer = server.graphql(document);
        let position = (before + 1).to_string();
        assert_eq!(answer["extensions"]["position"], position, "{answer}");
        assert_eq!(answer["errors"][0]["path"], json!(["second"]), "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(head(server), before + 1);
    });
}

#[test]
fn a_position_that_is_far_ahead_is_waited_for_and_then_refused() {
    with_server(|server| {
        let headers = format!("{GRAPHQL}Daybook-At-Least: 999999\r\n");
        let request = ("POST /graphql", headers.as_str(), HEAD);
        let answer = refused(server, request, (503, "PROJECTION_LAGGING", "999999"));
        assert_eq!(answer["errors"][0]["extensions"]["retryAfterMs"], 500);
        assert_eq!(answer["errors"][0]["locations"], Value::Null);
    });
}

#[test]
fn a_command_that_makes_more_than_a_commit_holds_is_refused() {
    let document = "mutation($input: RegisterCustomerInput!) {
        registerCustomer(input: $input) { receipt { position } } }";
    let contacts = vec![json!({ "name": "a" }); 20_000];
    let input = json!({ "details": { "name": "Acme" }, "contacts": contacts });
    with_server(|server| {
        let document = (document, json!({ "input": input }));
        let expected = (200, "LOG_COMMIT_TOO_LARGE", "the limit is 1048576");
        document_refused(server, document, expected);
    });
}
