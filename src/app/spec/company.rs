//! A company that knows two persons well.

use std::{fs, path::Path, thread, time::Duration};

use daybook_projections::{
    orders::OrderRow,
    store::{Condition, PageRequest, Row},
};
use daybook_schema::DomainCommand;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{envelope, open};
use crate::{Envelope, Organisation, Receipt};

/// What every personal text of the one person holds, in one form or another.
pub(super) const MARKERS: [&str; 4] = ["zhqx", "917364528", "卓青轩", "qing xuan"];

/// A folder, and the organisation in it while it is open.
pub(super) struct Company {
    pub(super) folder: TempDir,
    pub(super) organisation: Option<Organisation>,
}

/// The objects that are about a person.
pub(super) struct Person {
    pub(super) lead: String,
    pub(super) customer: String,
    pub(super) contact: String,
    pub(super) order: String,
}

impl Company {
    pub(super) fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let organisation = Some(open(folder.path()).0);
        Self {
            folder,
            organisation,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn organisation(&self) -> &Organisation {
        self.organisation.as_ref().unwrap()
    }

    pub(super) fn close(&mut self) {
        self.organisation.take().unwrap().close().unwrap();
    }

    pub(super) fn reopen(&mut self) {
        self.organisation = Some(open(self.path()).0);
    }

    pub(super) fn submit(&self, name: &str, command: &Value, reason: Option<&str>) -> Receipt {
        let command = DomainCommand::read(name, command).unwrap();
        let command = command.unwrap_or_else(|error| panic!("{name}: {error}"));
        let envelope = Envelope {
            reason: reason.map(|reason| reason.parse().unwrap()),
            ..envelope(command)
        };
        let answer = self
            .organisation()
            .desk()
            .submit_blocking(envelope)
            .unwrap();
        answer.blocking_recv().unwrap().unwrap()
    }

    /// Has a command done; gives the id of what it creates.
    pub(super) fn done(&self, name: &str, command: Value) -> Uuid {
        let about = command.to_string().contains("Zhqx");
        let receipt = self.submit(name, &command, about.then_some("Zhqx wished so"));
        assert_eq!(receipt.refusal, None, "{name}");
        receipt.command_id
    }

    pub(super) fn refused(&self, name: &str, command: Value) -> String {
        let receipt = self.submit(name, &command, Some("Zhqx wished so"));
        receipt.refusal.unwrap().code
    }

    pub(super) fn erase(&self, subject: &str) -> Receipt {
        let erase = json!({ "subject": subject, "because": "asked for" });
        let receipt = self.submit("EraseSubject", &erase, None);
        assert_eq!(receipt.refusal, None);
        receipt
    }

    /// Waits until the read models show everything.
    pub(super) fn shown(&self) {
        let head = self.organisation().log().head().position;
        let applied = self.organisation().applied();
        while applied.borrow().position < head {
            assert_eq!(applied.borrow().stopped, None);
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn row<R: Row>(&self, id: &str) -> R {
        let snapshot = self.organisation().readers().snapshot(None).unwrap();
        snapshot.get(id).unwrap().unwrap()
    }

    pub(super) fn rows<R: Row>(&self) -> Vec<Value> {
        let snapshot = self.organisation().readers().snapshot(None).unwrap();
        let request = PageRequest {
            condition: Condition::EVERYTHING,
            order: Vec::new(),
            after: None,
            before: None,
            limit: 1_000,
            backwards: false,
        };
        let rows = snapshot.page::<R>(&request).unwrap().rows.into_iter();
        rows.map(|(row, _)| serde_json::from_slice(row.json()).unwrap())
            .collect()
    }

    /// The data of all events of one type, and the reasons of their commits, as they can be read.
    pub(super) fn told(&self, type_name: &str) -> Vec<(Value, Option<String>)> {
        let mut told = Vec::new();
        let seals = self.organisation().seals();
        for commit in self.organisation().log().read(0) {
            let commit = commit.unwrap();
            let reason = seals.meta(commit.meta()).unwrap().reason;
            for event in commit.events().filter(|event| event.type_name == type_name) {
                let data = serde_json::from_slice(&seals.event(&event)).unwrap();
                told.push((data, reason.as_ref().map(ToString::to_string)));
            }
        }
        told
    }

    /// What the warehouse sells.
    pub(super) fn stock(&self) -> (Uuid, Uuid) {
        let warehouse = self.done(
            "OpenWarehouse",
            json!({
                "code": "N", "name": "North", "address": { "city": "Hangzhou" }
            }),
        );
        let tea = json!({ "sku": "TEA", "details": { "name": "Tea" } });
        let product = self.done("ListProduct", tea);
        self.done("ReceiveStock", json!({
            "product": format!("product-{product}"), "warehouse": format!("warehouse-{warehouse}"),
            "quantity": "100", "unitCost": { "amount": "2", "currency": "CNY" }
        }));
        (warehouse, product)
    }

    /// From a lead to a customer with an order and a complaint. `mark` stands in every personal
    /// text.
    pub(super) fn know(&self, mark: &str, digits: &str, stock: (Uuid, Uuid)) -> Person {
        let name = match mark {
            "Zhqx" => "Zhqx 卓青轩",
            _ => "Else 吴别人",
        };
        let lead = self.lead(mark, name, digits);
        let customer = self.won(mark, &lead);
        self.describe(mark, name, digits, &customer);
        let contact = self.contact(mark, &customer);
        let order = self.order(mark, &customer, stock);
        self.complain(mark, &customer, &order);
        Person {
            lead,
            customer,
            contact,
            order,
        }
    }

    pub(super) fn lead(&self, mark: &str, name: &str, digits: &str) -> String {
        let lead = self.done(
            "CaptureLead",
            json!({
                "source": "fair", "title": format!("{mark} wants tea"),
                "sourceKey": format!("{mark}-1"), "interest": format!("Tea for {mark}"),
                "contact": { "name": name, "phone": format!("+86 {digits}") }, "owner": "li.wei"
            }),
        );
        let lead = format!("lead-{lead}");
        self.done("AssignLead", json!({ "lead": lead, "assignee": "li.wei" }));
        self.done(
            "LogLeadFollowUp",
            json!({
                "lead": lead, "channel": "phone", "summary": format!("Spoke with {mark}")
            }),
        );
        let note = format!("{mark} can pay");
        self.done("QualifyLead", json!({ "lead": lead, "note": note }));
        lead
    }

    pub(super) fn won(&self, mark: &str, lead: &str) -> String {
        let customer = self.done(
            "ConvertLead",
            json!({ "lead": lead, "opportunity": {
                "name": format!("Tea for {mark}"), "expectedCloseOn": "2030-01-01",
                "value": { "amount": "50.00", "currency": "CNY" }
            }}),
        );
        format!("customer-{customer}")
    }

    pub(super) fn describe(&self, mark: &str, name: &str, digits: &str, customer: &str) {
        let address = json!({
            "street": format!("{mark} Road 1"), "city": format!("{mark} City"),
            "region": format!("{mark} Province"), "postalCode": digits, "country": "China"
        });
        self.done(
            "ChangeCustomerDetails",
            json!({ "customer": customer, "details": {
                "name": name, "customerType": "person", "phone": format!("+86 {digits}"),
                "email": format!("{mark}@example.com"), "taxNumber": format!("TX{digits}"),
                "externalNumber": format!("crm-{mark}"), "address": address
            }}),
        );
        self.done(
            "LogInteraction",
            json!({ "customer": customer, "details": {
                "channel": "meeting", "direction": "inbound", "summary": format!("{mark} came by"),
                "participants": [format!("{mark} Partner")]
            }}),
        );
    }

    pub(super) fn contact(&self, mark: &str, customer: &str) -> String {
        let assistant = json!({
            "name": format!("{mark} Assistant"), "email": format!("assistant@{mark}.com")
        });
        let add = json!({ "customer": customer, "contact": assistant });
        let contact = format!("contact-{}", self.done("AddContact", add));
        let secretary = json!({ "name": format!("{mark} Secretary") });
        self.done(
            "ChangeContact",
            json!({
                "customer": customer, "contact": contact, "details": secretary
            }),
        );
        contact
    }

    pub(super) fn complain(&self, mark: &str, customer: &str, order: &str) {
        let complaint = self.done("LogComplaint", json!({
            "customer": customer, "channel": "letter", "order": order,
            "description": format!("{mark} is not pleased"), "contact": format!("{mark} himself")
        }));
        self.done(
            "AcknowledgeComplaint",
            json!({
                "complaint": format!("complaint-{complaint}"), "message": format!("Dear {mark}")
            }),
        );
    }

    pub(super) fn order(
        &self,
        mark: &str,
        customer: &str,
        (warehouse, product): (Uuid, Uuid),
    ) -> String {
        let order = self.done(
            "PlaceOrder",
            json!({
                "customer": customer, "currency": "CNY",
                "lines": [{ "product": format!("product-{product}"), "quantity": "5",
                    "warehouse": format!("warehouse-{warehouse}"), "unitPrice": "10" }],
                "shipTo": { "street": format!("{mark} Lane 2"), "city": format!("{mark}ville"),
                    "country": "China" }
            }),
        );
        let order = format!("order-{order}");
        self.done("ConfirmOrder", json!({ "order": order }));
        order
    }

    /// Sends half of an order; gives the shipment.
    pub(super) fn ship(&self, order: &str) -> String {
        let row: OrderRow = self.row(order);
        let line = serde_json::to_value(row.lines[0].id).unwrap();
        let shipment = self.done(
            "PrepareShipment",
            json!({
                "order": order, "lines": [{ "line": line, "quantity": "2" }]
            }),
        );
        let shipment = format!("shipment-{shipment}");
        self.done("DispatchShipment", json!({ "shipment": shipment }));
        shipment
    }

    pub(super) fn deliver(&self, shipment: &str, mark: &str) {
        self.done(
            "DeliverShipment",
            json!({ "shipment": shipment, "proof": {
                "signedBy": format!("{mark} Neighbour"), "note": format!("{mark} was out")
            }}),
        );
    }
}

/// The files of a folder that hold any of the markers, whatever their case.
pub(super) fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
        let holds = |marker: &&str| {
            let marker = marker.as_bytes();
            memchr::memmem::find(&bytes, marker).is_some()
        };
        if MARKERS.iter().any(holds) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// A company with the person who will be erased, and one who will not.
pub(super) fn company() -> (Company, Person, Person, String) {
    let company = Company::found();
    let stock = company.stock();
    let erased = company.know("Zhqx", "917364528", stock);
    let other = company.know("Else", "500600700", stock);
    let delivered = company_shipment(&company, &erased);
    let again = json!({ "details": { "name": "Zhqx twin", "phone": "+86 917364528" } });
    assert_eq!(
        company.refused("RegisterCustomer", again),
        "NATURAL_KEY_TAKEN"
    );
    let missing =
        json!({ "customer": erased.customer, "contact": erased.lead.replace("lead", "contact") });
    assert_eq!(company.refused("RemoveContact", missing), "CONTACT_UNKNOWN");
    (company, erased, other, delivered)
}

/// A delivered shipment, and one that is still under way.
pub(super) fn company_shipment(company: &Company, person: &Person) -> String {
    company.shown();
    let first = company.ship(&person.order);
    company.deliver(&first, "Zhqx");
    company.ship(&person.order)
}
