//! A company erases one of two persons whom it knows well.

use std::fs;

use daybook_projections::{
    customers::CustomerRow,
    orders::{OrderRow, SalesTotalRow},
};
use daybook_schema::{governance::SubjectId, personal::ERASED};
use serde_json::{Value, json};
use uuid::Uuid;

use super::company::{Company, company, holding};
use crate::{Organisation, Seals, export, rebuild_offline};

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
