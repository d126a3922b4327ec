//! A company that knows two persons well and erases one of them.

use std::{fs, path::Path, thread, time::Duration};

use daybook_projections::{
    customers::CustomerRow,
    orders::{OrderRow, SalesTotalRow},
    store::{Condition, PageRequest, Row},
};
use daybook_schema::{DomainCommand, governance::SubjectId, personal::ERASED};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{envelope, open};
use crate::{Envelope, Organisation, Receipt, Seals, export, rebuild_offline};

/// What every personal text of the one person holds, in one form or another.
const MARKERS: [&str; 4] = ["zhqx", "917364528", "卓青轩", "qing xuan"];

/// A folder, and the organisation in it while it is open.
struct Company {
    folder: TempDir,
    organisation: Option<Organisation>,
}

/// The objects that are about a person.
struct Person {
    lead: String,
    customer: String,
    contact: String,
    order: String,
}

impl Company {
    fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let organisation = Some(open(folder.path()).0);
        Self {
            folder,
            organisation,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn organisation(&self) -> &Organisation {
        self.organisation.as_ref().unwrap()
    }

    fn close(&mut self) {
        self.organisation.take().unwrap().close().unwrap();
    }

    fn reopen(&mut self) {
        self.organisation = Some(open(self.path()).0);
    }

    fn submit(&self, name: &str, command: &Value, reason: Option<&str>) -> Receipt {
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
    fn done(&self, name: &str, command: Value) -> Uuid {
        let about = command.to_string().contains("Zhqx");
        let receipt = self.submit(name, &command, about.then_some("Zhqx wished so"));
        assert_eq!(receipt.refusal, None, "{name}");
        receipt.command_id
    }

    fn refused(&self, name: &str, command: Value) -> String {
        let receipt = self.submit(name, &command, Some("Zhqx wished so"));
        receipt.refusal.unwrap().code
    }

    fn erase(&self, subject: &str) -> Receipt {
        let erase = json!({ "subject": subject, "because": "asked for" });
        let receipt = self.submit("EraseSubject", &erase, None);
        assert_eq!(receipt.refusal, None);
        receipt
    }

    /// Waits until the read models show everything.
    fn shown(&self) {
        let head = self.organisation().log().head().position;
        let applied = self.organisation().applied();
        while applied.borrow().position < head {
            assert_eq!(applied.borrow().stopped, None);
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn row<R: Row>(&self, id: &str) -> R {
        let snapshot = self.organisation().readers().snapshot(None).unwrap();
        snapshot.get(id).unwrap().unwrap()
    }

    fn rows<R: Row>(&self) -> Vec<Value> {
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
    fn told(&self, type_name: &str) -> Vec<(Value, Option<String>)> {
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
    fn stock(&self) -> (Uuid, Uuid) {
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

    /// From a lead to a customer with an order, a delivery and a complaint. `mark` stands in
    /// every personal text.
    fn know(&self, mark: &str, digits: &str, (warehouse, product): (Uuid, Uuid)) -> Person {
        let phone = format!("+86 {digits}");
        let name = match mark {
            "Zhqx" => "Zhqx 卓青轩",
            _ => "Else 吴别人",
        };
        let lead = self.done("CaptureLead", json!({
            "source": "fair", "title": format!("{mark} wants tea"), "sourceKey": format!("{mark}-1"),
            "contact": { "name": name, "phone": phone },
            "interest": format!("Tea for {mark}"), "owner": "li.wei"
        }));
        let lead = format!("lead-{lead}");
        self.done("AssignLead", json!({ "lead": lead, "assignee": "li.wei" }));
        self.done(
            "LogLeadFollowUp",
            json!({
                "lead": lead, "channel": "phone", "summary": format!("Spoke with {mark}")
            }),
        );
        self.done(
            "QualifyLead",
            json!({ "lead": lead, "note": format!("{mark} can pay") }),
        );
        let customer = self.done("ConvertLead", json!({
            "lead": lead, "opportunity": {
                "name": format!("Tea for {mark}"), "value": { "amount": "50.00", "currency": "CNY" },
                "expectedCloseOn": "2030-01-01"
            }
        }));
        let customer = format!("customer-{customer}");
        self.done(
            "ChangeCustomerDetails",
            json!({ "customer": customer, "details": {
                "name": name, "customerType": "person", "phone": phone,
                "email": format!("{mark}@example.com"), "taxNumber": format!("TX{digits}"),
                "externalNumber": format!("crm-{mark}"),
                "address": { "street": format!("{mark} Road 1"), "city": format!("{mark} City"),
                    "region": format!("{mark} Province"), "postalCode": digits, "country": "China" }
            }}),
        );
        let contact = self.done(
            "AddContact",
            json!({ "customer": customer, "contact": {
                "name": format!("{mark} Assistant"), "email": format!("assistant@{mark}.com")
            }}),
        );
        let contact = format!("contact-{contact}");
        self.done(
            "ChangeContact",
            json!({ "customer": customer, "contact": contact,
            "details": { "name": format!("{mark} Secretary") } }),
        );
        self.done(
            "LogInteraction",
            json!({ "customer": customer, "details": {
                "channel": "meeting", "direction": "inbound", "summary": format!("{mark} came by"),
                "participants": [format!("{mark} Partner")]
            }}),
        );
        let order = self.order(mark, &customer, (warehouse, product));
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
        Person {
            lead,
            customer,
            contact,
            order,
        }
    }

    fn order(&self, mark: &str, customer: &str, (warehouse, product): (Uuid, Uuid)) -> String {
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
    fn ship(&self, order: &str) -> String {
        let row: OrderRow = self.row(order);
        let line = serde_json::to_value(&row.lines[0].id).unwrap();
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

    fn deliver(&self, shipment: &str, mark: &str) {
        self.done(
            "DeliverShipment",
            json!({ "shipment": shipment, "proof": {
                "signedBy": format!("{mark} Neighbour"), "note": format!("{mark} was out")
            }}),
        );
    }
}

/// The files of a folder that hold any of the markers, whatever their case.
fn holding(folder: &Path) -> Vec<String> {
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
        if MARKERS.iter().any(|marker| holds(&marker)) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// A company with the person who will be erased, and one who will not.
fn company() -> (Company, Person, Person, String) {
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
fn company_shipment(company: &Company, person: &Person) -> String {
    company.shown();
    let first = company.ship(&person.order);
    company.deliver(&first, "Zhqx");
    company.ship(&person.order)
}

/// Amounts, counts and states; a total may call a person by name.
fn totals(company: &Company) -> Vec<Value> {
    let mut rows = company.rows::<SalesTotalRow>();
    for row in &mut rows {
        for changed in ["label", "stamp"] {
            row.as_object_mut().unwrap().remove(changed);
        }
    }
    let orders = company.rows::<OrderRow>().into_iter();
    rows.extend(orders.map(|row| json!([row["total"], row["status"], row["number"]])));
    rows
}

#[test]
fn an_erased_person_is_in_no_file_and_everything_else_is_as_it_was() {
    let (mut company, erased, other, under_way) = company();
    company.shown();
    let folder = company.path().to_owned();
    assert!(
        !holding(&folder.join("read-models")).is_empty(),
        "the search finds nothing"
    );
    for sealed in ["log", "keys"] {
        assert_eq!(holding(&folder.join(sealed)), Vec::<String>::new());
    }
    let before = (totals(&company), company.rows::<CustomerRow>());

    let receipt = company.erase(&erased.customer);
    // The customer, two contacts and the lead: the lead's person became a contact too.
    let erasures = receipt
        .events
        .iter()
        .filter(|event| event.event_type == "SubjectErased");
    assert_eq!(erasures.count(), 4);
    company.shown();
    assert_eq!(holding(&folder), Vec::<String>::new());

    let shown: CustomerRow = company.row(&erased.customer);
    assert_eq!(shown.details.name.as_str(), ERASED);
    assert_eq!(
        shown.details.address.unwrap().country.unwrap().as_str(),
        "China"
    );
    assert!(!shown.active);
    let others = |rows: &[Value]| -> Vec<Value> {
        let rows = rows
            .iter()
            .filter(|row| row["id"] == other.customer.as_str());
        rows.cloned().collect()
    };
    assert_eq!(others(&company.rows::<CustomerRow>()), others(&before.1));
    assert_eq!(totals(&company), before.0);

    let registered = company.told("CustomerRegistered");
    assert_eq!(registered[0].0["details"]["name"], ERASED);
    assert_eq!(registered[0].1.as_deref(), Some(ERASED));
    assert_eq!(registered[1].0["details"]["name"], "Else 吴别人");

    // What is under way goes on, and names nobody any more.
    company.deliver(&under_way, "Zhqx");
    company.shown();
    assert_eq!(company.told("ShipmentDelivered")[1].0["signedBy"], ERASED);
    assert_eq!(holding(&folder), Vec::<String>::new());

    company.close();
    let report = daybook_eventlog::verify_dir(&folder.join("log"), &mut |_| {}).unwrap();
    assert!(report.is_whole(), "{report}");
    let compared = rebuild_offline(&folder, &Default::default(), &mut |_, _| {}).unwrap();
    assert_eq!(compared.equal(), Some(true), "{compared:?}");
    assert_eq!(holding(&folder), Vec::<String>::new());
}

#[test]
fn nothing_begins_anew_with_somebody_erased() {
    let (company, erased, other, _) = company();
    company.erase(&erased.customer);
    let again = json!({ "subject": erased.customer, "because": "twice" });
    assert_eq!(company.refused("EraseSubject", again), "SUBJECT_ERASED");
    let lead = json!({ "subject": erased.lead, "because": "with the customer already" });
    assert_eq!(company.refused("EraseSubject", lead), "SUBJECT_ERASED");
    let back = json!({ "customer": erased.customer });
    assert_eq!(
        company.refused("ReactivateCustomer", back),
        "SUBJECT_ERASED"
    );
    let recycle = json!({ "lead": erased.lead, "because": "why not" });
    assert_eq!(company.refused("RecycleLead", recycle), "SUBJECT_ERASED");
    let nameless = json!({ "subject": other.contact, "because": "of which customer?" });
    assert_eq!(
        company.refused("EraseSubject", nameless),
        "ERASURE_CUSTOMER_MISMATCH"
    );
    // The number is free for somebody else.
    company.done(
        "RegisterCustomer",
        json!({
            "details": { "name": "Newcomer", "phone": "+86 917364528" }
        }),
    );
}

#[test]
fn a_contact_is_erased_without_the_customer() {
    let (mut company, known, _, _) = company();
    let erase = json!({
        "subject": known.contact, "customer": known.customer, "because": "asked for"
    });
    company.done("EraseSubject", erase);
    company.shown();
    let shown: CustomerRow = company.row(&known.customer);
    assert!(shown.details.name.as_str().starts_with("Zhqx"));
    assert!(
        shown
            .contacts
            .iter()
            .all(|one| one.id.to_string() != known.contact)
    );
    let added = company.told("ContactAdded");
    let erased = added
        .iter()
        .filter(|(data, _)| data["contact"]["name"] == ERASED);
    assert_eq!(erased.count(), 1);
    company.close();
}

#[test]
fn an_erasure_that_a_crash_cut_short_is_carried_out_at_the_next_opening() {
    let (mut company, erased, _, _) = company();
    company.shown();
    company.close();
    let keys = company.path().join("keys/keys.db");
    let wrapped = fs::read(&keys).unwrap();
    company.reopen();
    company.erase(&erased.customer);
    company.shown();
    company.close();
    // As after a crash between the commit and the destruction, or with keys from a backup.
    fs::write(&keys, wrapped).unwrap();
    let read_models = company.path().join("read-models");
    fs::remove_dir_all(read_models).unwrap();
    company.reopen();
    company.shown();
    let shown: CustomerRow = company.row(&erased.customer);
    assert_eq!(shown.details.name.as_str(), ERASED);
    assert_eq!(holding(company.path()), Vec::<String>::new());
    assert_eq!(
        company.organisation().seals().status().unwrap().destroyed,
        4
    );
}

#[test]
fn a_refused_command_leaves_nothing_personal_in_the_record() {
    let (company, _, _, _) = company();
    let log = company.organisation().log();
    let mut withheld = 0;
    for commit in log.read(0) {
        let commit = commit.unwrap();
        let meta = company.organisation().seals().meta(commit.meta()).unwrap();
        let Some(attempted) = meta.attempted else {
            continue;
        };
        withheld += usize::from(attempted.to_string().contains("withheld"));
        let text = String::from_utf8_lossy(commit.meta()).to_lowercase();
        assert!(!text.contains("zhqx"), "{text}");
    }
    assert_eq!(withheld, 1);
}

#[test]
fn an_export_tells_all_of_one_person_and_nothing_of_another() {
    let (mut company, known, other, _) = company();
    company.shown();
    let told = |subject: &str| {
        let subject: SubjectId = subject.parse().unwrap();
        let told = export(company.organisation(), subject).unwrap();
        serde_json::to_value(told).unwrap()
    };
    let all = told(&known.customer);
    let text = all.to_string();
    for part in [
        "Zhqx Road 1",
        "Zhqx came by",
        "Dear Zhqx",
        "Zhqx Neighbour",
        "Zhqx Lane 2",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("Else"), "{text}");
    assert!(!text.contains("sealed:"), "{text}");
    let ids: Vec<_> = all["objects"].as_array().unwrap().iter().collect();
    let kinds = [
        "complaint",
        "customer",
        "interaction",
        "lead",
        "opportunity",
        "order",
        "shipment",
    ];
    for kind in kinds {
        let is_kind = |row: &&&Value| row["id"].as_str().unwrap().starts_with(kind);
        assert!(ids.iter().find(is_kind).is_some(), "{kind}");
    }
    let contact = told(&other.contact).to_string();
    assert!(
        contact.contains("Else Secretary") && !contact.contains("Else Road"),
        "{contact}"
    );
    company.erase(&known.customer);
    company.shown();
    let subject: SubjectId = known.customer.parse().unwrap();
    let left = serde_json::to_string(&export(company.organisation(), subject).unwrap()).unwrap();
    assert!(!left.contains("Zhqx") && left.contains(ERASED), "{left}");
    company.close();
}

#[test]
fn lost_keys_are_noticed_and_given_up_only_when_asked() {
    let (mut company, _, _, _) = company();
    company.close();
    fs::remove_dir_all(company.path().join("keys")).unwrap();
    let options = crate::OrganisationOptions::default();
    let founding = super::founding();
    let opened = Organisation::open(company.path(), options, &founding, &mut |_, _| {});
    assert_eq!(opened.err().unwrap().code(), "KEY_RING_MISSING");
    let source = Default::default();
    // Two persons, each a customer with two contacts and a lead.
    assert_eq!(
        crate::abandon_lost_keys(company.path(), &source).unwrap(),
        8
    );
    company.reopen();
    let customers = company.rows::<CustomerRow>();
    assert!(
        customers.iter().all(|row| row["details"]["name"] == ERASED),
        "{customers:?}"
    );
    company.done(
        "RegisterCustomer",
        json!({ "details": { "name": "Newcomer" } }),
    );
    company.close();
}

#[test]
fn another_master_key_opens_no_organisation() {
    let (mut company, _, _, _) = company();
    company.close();
    fs::remove_file(company.path().join("master.key")).unwrap();
    let id = Uuid::nil();
    let opened = Seals::open(company.path(), id, &Default::default());
    assert_eq!(opened.err().unwrap().code(), "MASTER_KEY_MISSING");
    let source = crate::MasterKeySource::Text("00".repeat(32));
    let opened = Seals::open(company.path(), id, &source);
    assert_eq!(opened.err().unwrap().code(), "KEY_RING_WRONG_ORGANISATION");
    let compared = rebuild_offline(company.path(), &source, &mut |_, _| {});
    assert_eq!(compared.err().unwrap().code(), "MASTER_KEY_WRONG");
}
