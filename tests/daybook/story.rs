//! A sale from the first contact to the resolved complaint, over HTTP, as a frontend would tell
//! it, with an integrator who follows everything and an auditor who reads it afterwards.

use serde_json::{Value, json};
use tempfile::tempdir;
use uuid::Uuid;

use crate::{follower::Follower, server::Server};

/// One command: its mutation, its input, and the id under which it is sent.
struct Sent {
    command: &'static str,
    input: Value,
    payload: Value,
}

/// Issues commands, and remembers each to send it again.
struct Frontend<'a> {
    server: &'a Server,
    sent: Vec<Sent>,
}

impl Frontend<'_> {
    /// Issues a command that must be done; gives the id of the first object of a kind in it.
    #[track_caller]
    fn done(&mut self, command: &'static str, kind: &str, mut input: Value) -> String {
        input["commandId"] = json!(Uuid::now_v7());
        let payload = issue(self.server, command, &input);
        assert_eq!(payload["userErrors"], json!([]), "{command}: {payload}");
        let events = payload["receipt"]["events"].as_array().unwrap();
        let streams = events.iter().map(|event| event["stream"].as_str().unwrap());
        let id = streams
            .clone()
            .find(|stream| stream.starts_with(&format!("{kind}-")));
        let id = id
            .unwrap_or_else(|| panic!("{command} has no {kind}: {payload}"))
            .to_owned();
        self.sent.push(Sent {
            command,
            input,
            payload,
        });
        id
    }

    /// Issues a command that a rule must refuse.
    #[track_caller]
    fn refused(&mut self, command: &'static str, code: &str, mut input: Value) {
        input["commandId"] = json!(Uuid::now_v7());
        let payload = issue(self.server, command, &input);
        assert_eq!(
            payload["userErrors"][0]["code"], code,
            "{command}: {payload}"
        );
        assert_eq!(payload["receipt"]["events"], json!([]));
        assert!(
            payload["receipt"]["position"].is_string(),
            "a refusal is on the record"
        );
        self.sent.push(Sent {
            command,
            input,
            payload,
        });
    }
}

fn issue(server: &Server, command: &str, input: &Value) -> Value {
    let mut letters = command.chars();
    let field: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(letters)
        .collect();
    let query = format!(
        "mutation($input: {command}Input!) {{ it: {field}(input: $input) {{
            receipt {{ commandId position version replayed events {{ stream version type }} }}
            userErrors {{ code field message }} }} }}"
    );
    let answer = server.request(&query, json!({ "input": input }));
    assert_eq!(answer["errors"], Value::Null, "{command}: {answer}");
    answer["data"]["it"].clone()
}

#[test]
fn a_sale_from_lead_to_resolved_complaint() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let begin: u64 = position(&server.graphql("{ status { head } }")["data"]["status"]["head"]);
    let follower = Follower::start(&server, begin);
    let mut frontend = Frontend {
        server: &server,
        sent: Vec::new(),
    };

    let stock = open_shop(&mut frontend);
    let (customer, opportunity) = win_customer(&mut frontend);
    let order = sell_the_last(&mut frontend, &stock, &customer, &opportunity);
    deliver(&mut frontend, &order);
    comfort(&mut frontend, &customer, &order);

    let answer = server.graphql(&format!(
        "{{ order(id: \"{order}\") {{ number status total {{ amount currency }}
             customer {{ id }} shipments {{ nodes {{ id }} }} }} }}"
    ));
    assert_eq!(answer["data"]["order"]["status"], "DELIVERED", "{answer}");
    assert_eq!(
        answer["data"]["order"]["total"]["amount"], "3000",
        "{answer}"
    );
    assert_eq!(answer["data"]["order"]["customer"]["id"], customer.as_str());

    every_command_is_answered_once(&frontend);
    another_command_under_the_same_id_is_told_so(&frontend);
    nothing_is_missed(&server, follower, begin);
    assert_eq!(server.end(), Some(0));
}

struct Stock {
    product: String,
    warehouse: String,
}

fn open_shop(frontend: &mut Frontend<'_>) -> Stock {
    let warehouse = frontend.done(
        "OpenWarehouse",
        "warehouse",
        json!({ "code": "SHA", "name": "上海仓" }),
    );
    let product = frontend.done(
        "ListProduct",
        "product",
        json!({ "sku": "M-27", "details": { "name": "27 inch monitor", "category": "Monitors" } }),
    );
    frontend.done(
        "ReceiveStock",
        "stockItem",
        json!({
            "product": product, "warehouse": warehouse, "quantity": "2",
            "unitCost": { "amount": "900", "currency": "CNY" }
        }),
    );
    Stock { product, warehouse }
}

fn win_customer(frontend: &mut Frontend<'_>) -> (String, String) {
    let lead = frontend.done(
        "CaptureLead",
        "lead",
        json!({ "source": "fair", "title": "Monitors for a new office", "company": "晨光科技" }),
    );
    frontend.done(
        "AssignLead",
        "lead",
        json!({ "lead": lead, "assignee": "li.wei" }),
    );
    frontend.done(
        "QualifyLead",
        "lead",
        json!({ "lead": lead, "need": "two monitors" }),
    );
    let opportunity = frontend.done(
        "ConvertLead",
        "opportunity",
        json!({ "lead": lead, "opportunity": {
            "name": "Office monitors", "expectedCloseOn": "2026-12-01",
            "value": { "amount": "3000", "currency": "CNY" }
        } }),
    );
    let customer = format!(
        "customer-{}",
        opportunity.trim_start_matches("opportunity-")
    );
    frontend.refused(
        "AdvanceOpportunityStage",
        "EXIT_CRITERIA_UNMET",
        json!({ "opportunity": opportunity }),
    );
    for criterion in ["decision-maker", "needs-agreed", "offer-sent"] {
        frontend.done(
            "AdvanceOpportunityStage",
            "opportunity",
            json!({ "opportunity": opportunity, "criteria": [{ "criterion": criterion }] }),
        );
    }
    frontend.done(
        "WinOpportunity",
        "opportunity",
        json!({ "opportunity": opportunity }),
    );
    (customer, opportunity)
}

fn sell_the_last(
    frontend: &mut Frontend<'_>,
    stock: &Stock,
    customer: &str,
    opportunity: &str,
) -> String {
    let draft = |opportunity: Value| {
        json!({
            "customer": customer, "currency": "CNY", "opportunity": opportunity,
            "lines": [{
                "product": stock.product, "warehouse": stock.warehouse,
                "quantity": "2", "unitPrice": "1500"
            }]
        })
    };
    let order = frontend.done("PlaceOrder", "order", draft(json!(opportunity)));
    let rival = frontend.done("PlaceOrder", "order", draft(Value::Null));
    frontend.done("ConfirmOrder", "order", json!({ "order": order }));
    frontend.refused(
        "ConfirmOrder",
        "INSUFFICIENT_STOCK",
        json!({ "order": rival }),
    );
    order
}

fn deliver(frontend: &mut Frontend<'_>, order: &str) {
    let answer = frontend.server.graphql(&format!(
        "{{ order(id: \"{order}\") {{ lines {{ id }} }} }}"
    ));
    let line = answer["data"]["order"]["lines"][0]["id"].clone();
    let shipment = frontend.done(
        "PrepareShipment",
        "shipment",
        json!({ "order": order, "lines": [{ "line": line, "quantity": "2" }], "carrier": "SF" }),
    );
    frontend.done(
        "DispatchShipment",
        "shipment",
        json!({ "shipment": shipment, "trackingNumber": "SF-1" }),
    );
    frontend.done(
        "DeliverShipment",
        "shipment",
        json!({ "shipment": shipment, "proof": { "signedBy": "王芳" } }),
    );
}

fn comfort(frontend: &mut Frontend<'_>, customer: &str, order: &str) {
    let complaint = frontend.done(
        "LogComplaint",
        "complaint",
        json!({
            "customer": customer, "order": order, "channel": "PHONE",
            "description": "One monitor has a scratch / 有划痕"
        }),
    );
    let it = |more: Value| {
        let mut input = json!({ "complaint": complaint });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        input
    };
    let classified = json!({ "category": "quality", "severity": "LOW" });
    frontend.done("ClassifyComplaint", "complaint", it(classified));
    frontend.done(
        "AcknowledgeComplaint",
        "complaint",
        it(json!({ "message": "sorry" })),
    );
    let remedy = json!({
        "kind": "DISCOUNT", "description": "5 % back",
        "compensation": { "amount": "75", "currency": "CNY" }
    });
    frontend.done("ProposeRemedy", "complaint", it(remedy));
    let resolved = json!({
        "outcome": "the customer is content",
        "customerNotified": { "channel": "PHONE", "on": "2026-11-20" }
    });
    frontend.done("ResolveComplaint", "complaint", it(resolved));
    frontend.done("CloseComplaint", "complaint", it(json!({})));
}

/// Every command sent once more gives the first receipt.
fn every_command_is_answered_once(frontend: &Frontend<'_>) {
    for Sent {
        command,
        input,
        payload,
    } in &frontend.sent
    {
        let mut again = issue(frontend.server, command, input);
        assert_eq!(again["receipt"]["replayed"], true, "{command}");
        again["receipt"]["replayed"] = json!(false);
        // The version is that of the object, which a replay knows as well.
        assert_eq!(again["receipt"], payload["receipt"], "{command}");
    }
}

fn another_command_under_the_same_id_is_told_so(frontend: &Frontend<'_>) {
    let Sent { command, input, .. } = &frontend.sent[0];
    let mut other = input.clone();
    other["name"] = json!("another");
    let payload = issue(frontend.server, command, &other);
    assert_eq!(payload["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED");
}

/// Who was connected throughout saw every commit once and in order; who reconnects misses none.
fn nothing_is_missed(server: &Server, mut follower: Follower, begin: u64) {
    let head = position(&server.graphql("{ status { head } }")["data"]["status"]["head"]);
    let all: Vec<u64> = (begin + 1..=head).collect();
    assert_eq!(follower.positions_until(head), all);
    let middle = begin + (head - begin) / 2;
    let mut returned = Follower::start(server, middle);
    assert_eq!(
        returned.positions_until(head),
        all[usize::try_from(middle - begin).unwrap()..]
    );
}

fn position(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// A person who rose keeps the id: what names the person shows how to reach the same one now.
#[test]
fn a_contact_who_moved_up_is_found_under_what_is_said_of_the_person_now() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut frontend = Frontend {
        server: &server,
        sent: Vec::new(),
    };
    let registered = json!({
        "details": { "name": "晨光科技" },
        "contacts": [{ "name": "王芳", "title": "采购经理" }, { "name": "李强" }]
    });
    let customer = frontend.done("RegisterCustomer", "customer", registered);
    let first = contacts(&server, &customer)[0]["id"].clone();
    let rises = json!({
        "customer": customer, "contact": first,
        "details": { "name": "王芳", "title": "采购总监", "email": "wang.fang@example.com" }
    });
    frontend.done("ChangeContact", "customer", rises.clone());
    frontend.refused("ChangeContact", "NOTHING_TO_CHANGE", rises.clone());
    let mut stranger = rises;
    stranger["contact"] = json!(format!("contact-{}", Uuid::now_v7()));
    frontend.refused("ChangeContact", "CONTACT_UNKNOWN", stranger);

    let now = contacts(&server, &customer);
    assert_eq!(now[0]["id"], first);
    assert_eq!(now[0]["title"], "采购总监");
    assert_eq!(now[0]["email"], "wang.fang@example.com");
    assert_eq!(now[1]["name"], "李强");
    let history = server.graphql(&format!(
        "{{ customer(id: \"{customer}\") {{ history(first: 9) {{ nodes {{
             command refusal {{ code }} events {{ type }} }} }} }} }}"
    ));
    let told = history["data"]["customer"]["history"]["nodes"].as_array();
    let mut told = told.unwrap().iter();
    assert!(
        told.any(|commit| commit["command"] == "ChangeContact"
            && commit["events"] == json!([{ "type": "ContactChanged" }])),
        "{history}"
    );
    every_command_is_answered_once(&frontend);
    assert_eq!(server.end(), Some(0));
}

fn contacts(server: &Server, customer: &str) -> Value {
    let answer = server.graphql(&format!(
        "{{ customer(id: \"{customer}\") {{ contacts {{ id name title email }} }} }}"
    ));
    answer["data"]["customer"]["contacts"].clone()
}
