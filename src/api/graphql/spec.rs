//! The schema as a whole, and questions of the contexts against a real organisation.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use std::sync::Arc;

use async_graphql::Request;
use daybook_app::{Founding, Organisation, OrganisationOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{caller::Caller, reading::Reading, sdl};

#[test]
fn the_schema_builds_and_names_what_it_derives() {
    let sdl = sdl();
    for name in [
        "type Mutation {",
        "registerCustomer(",
        "input RegisterCustomerInput {",
        "type RegisterCustomerPayload {",
        "type CustomerConnection {",
        "input CustomerWhere {",
        "input CustomerOrderBy {",
        "interface Node {",
        "scalar DateTime @specifiedBy",
        "type Subscription {",
    ] {
        assert!(sdl.contains(name), "`{name}` is missing in\n{sdl}");
    }
}

/// An organisation in a temporary folder, asked in GraphQL.
struct Desk {
    organisation: Arc<Organisation>,
    caller: Caller,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl Desk {
    fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let founding = Founding {
            name: "Spec".parse().unwrap(),
            currency: "CNY".parse().unwrap(),
            founder: "founder".parse().unwrap(),
            policies_from: "2020-01-01".parse().unwrap(),
            keeps_house: false,
            founded_at: None,
        };
        let options = OrganisationOptions {
            min_free_bytes: Some(0),
            ..Default::default()
        };
        let opened = Organisation::open(folder.path(), options, &founding, &mut |_, _| {});
        let organisation = Arc::new(opened.unwrap().0);
        Self {
            caller: Caller::first_of(&organisation, "li.wei"),
            organisation,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            _folder: folder,
        }
    }

    /// The answer to a document, read when everything on record is applied.
    #[track_caller]
    fn ask(&self, document: &str) -> Value {
        let head = self.organisation.log().head().position;
        let caller = self.caller.clone();
        let response = self.runtime.block_on(async move {
            let reading = Reading::begin(&caller, None, Some(head)).await;
            let request = Request::new(document).data(Arc::new(reading.unwrap()));
            super::schema(async_graphql::ValidationMode::Strict)
                .execute(request)
                .await
        });
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// Obeys a command and returns the id of the object that its payload shows.
    #[track_caller]
    fn tell(&self, command: &str, input: &str, object: &str) -> String {
        let document = format!(
            "mutation {{ {command}(input: {{ {input} }}) {{
                {object} {{ id }} userErrors {{ code message }}
            }} }}"
        );
        let answer = self.ask(&document);
        let payload = &answer[command];
        assert_eq!(payload["userErrors"], json!([]), "{command}");
        payload[object]["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_customer_is_seen_with_all_that_happened() {
    let desk = Desk::open();
    let details = r#"details: { name: "北京乳业" }"#;
    let customer = desk.tell("registerCustomer", details, "customer");
    let deal = format!(
        r#"customer: "{customer}", name: "冷链设备", expectedCloseOn: "2026-06-30",
           value: {{ amount: "1000", currency: "CNY" }}"#
    );
    let deal = desk.tell("openOpportunity", &deal, "opportunity");
    let complaint = format!(r#"customer: "{customer}", channel: PHONE, description: "到货晚了""#);
    desk.tell("logComplaint", &complaint, "complaint");
    let answer = desk.ask(&format!(
        r#"{{ customer(id: "{customer}") {{
            overview {{ openOpportunityCount openComplaintCount
                        pipeline {{ currency value weightedValue }} }}
            timeline(first: 2) {{ hasMore lines {{ event title object {{ id __typename }} }} }}
            opportunities {{ nodes {{ id stages {{ code leftAt }} customer {{ details: name }} }} }}
            complaints {{ totalCount }}
        }} }}"#
    ));
    let customer = &answer["customer"];
    assert_eq!(
        customer["overview"],
        json!({
            "openOpportunityCount": 1,
            "openComplaintCount": 1,
            "pipeline": [{ "currency": "CNY", "value": "1000", "weightedValue": "100" }],
        })
    );
    let lines = &customer["timeline"]["lines"];
    assert_eq!(lines[0]["event"], "ComplaintLogged");
    assert_eq!(lines[1]["title"], "冷链设备");
    assert_eq!(lines[1]["object"]["__typename"], "Opportunity");
    assert_eq!(customer["timeline"]["hasMore"], true);
    assert_eq!(customer["opportunities"]["nodes"][0]["id"], deal.as_str());
    assert_eq!(customer["complaints"]["totalCount"], "1");
}

#[test]
fn the_pipeline_and_the_complaints_answer_their_questions() {
    let desk = Desk::open();
    let customer = desk.tell("registerCustomer", r#"details: { name: "A" }"#, "customer");
    let deal = format!(
        r#"customer: "{customer}", name: "B", expectedCloseOn: "2026-06-30",
           value: {{ amount: "0.50", currency: "CNY" }}"#
    );
    let deal = desk.tell("openOpportunity", &deal, "opportunity");
    let lost = desk.tell(
        "openOpportunity",
        &format!(
            r#"customer: "{customer}", name: "C", expectedCloseOn: "2026-06-30",
           value: {{ amount: "2", currency: "CNY" }}"#
        ),
        "opportunity",
    );
    let lose = format!(r#"opportunity: "{lost}", lostReason: "price""#);
    desk.tell("loseOpportunity", &lose, "opportunity");
    let complaint = format!(r#"customer: "{customer}", channel: PHONE, description: "late""#);
    desk.tell("logComplaint", &complaint, "complaint");
    let answer = desk.ask(
        r#"{
            pipelineBoard { stages { code nameZh opportunities oldest { id } } totals { value } }
            pipelineFunnel(from: "2000-01-01", to: "2100-01-01") { stage entered lost wonShare }
            pipelineOutcomes(from: "2000-01-01", to: "2100-01-01") {
                winRate lostReasons { reason cumulativeShare }
            }
            complaintPatterns(from: "2000-01-01", to: "2100-01-01") {
                complaints open patterns { category share }
            }
        }"#,
    );
    let board = &answer["pipelineBoard"];
    assert_eq!(board["stages"].as_array().unwrap().len(), 4);
    assert_eq!(board["stages"][0]["nameZh"], "初步沟通");
    assert_eq!(board["stages"][0]["oldest"]["id"], deal.as_str());
    assert_eq!(board["totals"], json!([{ "value": "0.5" }]));
    assert_eq!(
        answer["pipelineFunnel"],
        json!([{ "stage": "contact", "entered": 2, "lost": 1, "wonShare": 0 }])
    );
    assert_eq!(
        answer["pipelineOutcomes"],
        json!({
            "winRate": 0,
            "lostReasons": [{ "reason": "price", "cumulativeShare": 10_000 }],
        })
    );
    assert_eq!(
        answer["complaintPatterns"],
        json!({
            "complaints": 1,
            "open": 1,
            "patterns": [{ "category": null, "share": 10_000 }],
        })
    );
}
