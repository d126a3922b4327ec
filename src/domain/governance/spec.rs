//! Specs of erasing: who goes with whom, and what is refused afterwards.

use daybook_schema::{
    DomainCommand, DomainEvent,
    access::{AccountId, ExternalIdentity, InviteUser, ReinstateAccount, Verifier},
    customers::{
        AddContact, Contact, ContactId, CustomerDetails, CustomerId, CustomerType,
        ReactivateCustomer, RegisterCustomer, RemoveContact,
    },
    governance::{EraseSubject, ErasureEvent, SubjectId},
    pipeline::{CaptureLead, LeadId, RecycleLead},
};

use crate::{
    RecordedEvent,
    spec::{Given, given, t, uuid},
};

const CUSTOMER: CustomerId = CustomerId(uuid(1));
const CONTACT: ContactId = ContactId(uuid(2));
const LEAD: LeadId = LeadId(uuid(4));

fn person(name: &str) -> Contact {
    Contact {
        name: t(name),
        title: None,
        phone: None,
        email: None,
    }
}

fn register(tax_number: &str) -> RegisterCustomer {
    RegisterCustomer {
        details: CustomerDetails {
            name: t("Wang"),
            customer_type: CustomerType::Person,
            tax_number: Some(t(tax_number)),
            phone: None,
            email: None,
            address: None,
            currency: None,
            language: None,
            external_number: None,
        },
        contacts: Vec::new(),
        owner: None,
    }
}

fn erase(subject: SubjectId) -> EraseSubject {
    EraseSubject {
        subject,
        customer: None,
        because: t("asked for"),
    }
}

fn erase_contact() -> EraseSubject {
    EraseSubject {
        customer: Some(CUSTOMER),
        ..erase(SubjectId::Contact(CONTACT))
    }
}

/// A customer with a person to talk to, and a lead that has nothing to do with them.
fn known() -> Given {
    let add = AddContact {
        customer: CUSTOMER,
        contact: person("Li"),
    };
    let capture = CaptureLead {
        source: t("fair"),
        source_key: None,
        campaign: None,
        title: t("Tea"),
        company: None,
        contact: Some(person("Zhao")),
        interest: None,
        estimated_value: None,
        owner: None,
    };
    given()
        .done(1, register("9131"))
        .done(2, add)
        .done(4, capture)
}

fn erased(events: &[RecordedEvent]) -> Vec<SubjectId> {
    let subject = |recorded: &RecordedEvent| match &recorded.event {
        DomainEvent::Erasure(ErasureEvent::SubjectErased { subject, .. }) => {
            assert_eq!(recorded.stream, subject.erasure().to_string());
            Some(subject.clone())
        }
        _ => None,
    };
    events.iter().filter_map(subject).collect()
}

#[track_caller]
fn refused(given: Given, command: impl Into<DomainCommand>, code: &str) {
    given.when(command.into()).then_refused(code);
}

#[test]
fn with_a_customer_go_all_its_contacts_and_its_keys_become_free() {
    let removed = RemoveContact {
        customer: CUSTOMER,
        contact: CONTACT,
    };
    let events = known()
        .done(5, removed)
        .when(erase(SubjectId::Customer(CUSTOMER)))
        .then_types(&[
            "NaturalKeyReleased",
            "CustomerDeactivated",
            "SubjectErased",
            "SubjectErased",
        ]);
    let both = [SubjectId::Customer(CUSTOMER), SubjectId::Contact(CONTACT)];
    assert_eq!(erased(&events), both);
    known()
        .done(6, erase(SubjectId::Customer(CUSTOMER)))
        .when(register("9131"))
        .then_types(&[
            "NaturalKeyReserved",
            "DocumentNumberIssued",
            "CustomerRegistered",
        ]);
}

#[test]
fn nobody_is_erased_twice() {
    let events = known()
        .done(5, erase_contact())
        .when(erase(SubjectId::Customer(CUSTOMER)))
        .then_types(&["NaturalKeyReleased", "CustomerDeactivated", "SubjectErased"]);
    assert_eq!(erased(&events), [SubjectId::Customer(CUSTOMER)]);
    let gone = || known().done(5, erase(SubjectId::Customer(CUSTOMER)));
    refused(
        gone(),
        erase(SubjectId::Customer(CUSTOMER)),
        "SUBJECT_ERASED",
    );
    refused(gone(), erase_contact(), "SUBJECT_ERASED");
}

#[test]
fn a_contact_leaves_the_record_and_the_customer_stays() {
    let events = known()
        .when(erase_contact())
        .then_types(&["ContactRemoved", "SubjectErased"]);
    assert_eq!(erased(&events), [SubjectId::Contact(CONTACT)]);
}

#[test]
fn a_lead_leaves_the_pool_and_rests() {
    let subject = SubjectId::Lead(LEAD);
    let events = known()
        .when(erase(subject.clone()))
        .then_types(&["LeadDisqualified", "SubjectErased"]);
    assert_eq!(erased(&events), std::slice::from_ref(&subject));
    let recycle = RecycleLead {
        lead: LEAD,
        because: t("why not"),
    };
    refused(known().done(5, erase(subject)), recycle, "SUBJECT_ERASED");
}

#[test]
fn an_erased_customer_is_not_opened_again() {
    let gone = known().done(5, erase(SubjectId::Customer(CUSTOMER)));
    refused(
        gone,
        ReactivateCustomer { customer: CUSTOMER },
        "SUBJECT_ERASED",
    );
}

#[test]
fn only_of_a_contact_the_customer_is_named_and_it_must_be_theirs() {
    let mismatch = "ERASURE_CUSTOMER_MISMATCH";
    refused(known(), erase(SubjectId::Contact(CONTACT)), mismatch);
    let named = EraseSubject {
        customer: Some(CUSTOMER),
        ..erase(SubjectId::Lead(LEAD))
    };
    refused(known(), named, mismatch);
    let stranger = EraseSubject {
        customer: Some(CUSTOMER),
        ..erase(SubjectId::Contact(ContactId(uuid(77))))
    };
    refused(known(), stranger, "CONTACT_UNKNOWN");
    let nobody = CustomerId(uuid(77));
    refused(known(), erase(SubjectId::Customer(nobody)), "NOT_FOUND");
    refused(
        known(),
        erase(SubjectId::Lead(LeadId(uuid(77)))),
        "NOT_FOUND",
    );
}

#[test]
fn an_account_is_suspended_for_ever_and_known_nowhere_else() {
    let account: AccountId = t("account-sun.li");
    let invite = InviteUser {
        login: t("sun.li"),
        name: t("孙丽"),
        email: None,
        identity: Some(ExternalIdentity {
            issuer: t("https://login.example.com"),
            subject: t("42"),
        }),
        verifier: Some(Verifier::new("digest")),
    };
    let subject = SubjectId::Account(account.clone());
    let events = given()
        .done(1, invite.clone())
        .when(erase(subject.clone()))
        .then_types(&[
            "NaturalKeyReleased",
            "IdentityUnlinked",
            "AccountSuspended",
            "SubjectErased",
        ]);
    assert_eq!(erased(&events), std::slice::from_ref(&subject));
    let gone = given().done(1, invite).done(2, erase(subject));
    refused(gone, ReinstateAccount { account }, "SUBJECT_ERASED");
}
