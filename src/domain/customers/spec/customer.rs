use daybook_schema::customers::{
    AddContact, AssignCustomerOwner, ChangeContact, ChangeCustomerDetails, Channel, Contact,
    ContactId, CorrectCustomerDetails, CustomerDetails, CustomerEvent, CustomerId, CustomerType,
    DeactivateCustomer, Direction, InteractionDetails, LogInteraction, ReactivateCustomer,
    RegisterCustomer, RemoveContact,
};
use daybook_schema::kernel::BigInt;

use crate::spec::{given, t, uuid};

fn details(name: &str) -> CustomerDetails {
    CustomerDetails {
        name: t(name),
        customer_type: CustomerType::Company,
        tax_number: None,
        phone: None,
        email: None,
        address: None,
        currency: None,
        language: None,
        external_number: None,
    }
}

fn with_tax_number(name: &str, tax_number: &str) -> CustomerDetails {
    CustomerDetails {
        tax_number: Some(t(tax_number)),
        ..details(name)
    }
}

fn register(details: CustomerDetails) -> RegisterCustomer {
    RegisterCustomer {
        details,
        contacts: Vec::new(),
        owner: None,
    }
}

fn customer(number: u128) -> CustomerId {
    CustomerId(uuid(number))
}

#[test]
fn a_new_customer_gets_a_number_and_its_registrar_as_owner() {
    let events = given()
        .when(register(details("上海晨光贸易有限公司")))
        .then_types(&["DocumentNumberIssued", "CustomerRegistered"]);
    let registered = CustomerEvent::CustomerRegistered {
        number: 1,
        details: details("上海晨光贸易有限公司"),
        owner: t("li.wei"),
    };
    assert_eq!(events[1].event, registered.into());
    assert_eq!(events[1].stream, customer(99).to_string());
}

#[test]
fn numbers_have_no_gap() {
    let events = given()
        .done(1, register(details("One")))
        .done(2, register(details("Two")))
        .when(register(details("Three")))
        .then_types(&["DocumentNumberIssued", "CustomerRegistered"]);
    assert_eq!(events[0].version, 3);
}

#[test]
fn a_tax_number_belongs_to_one_customer_however_it_is_spelled() {
    given()
        .done(1, register(with_tax_number("One", "9131-0000 7109")))
        .when(register(with_tax_number("Two", "913100007109")))
        .then_refused("NATURAL_KEY_TAKEN");
}

#[test]
fn a_deactivated_customer_gives_its_tax_number_back() {
    let close = DeactivateCustomer {
        customer: customer(1),
        because: t("moved abroad"),
    };
    given()
        .done(1, register(with_tax_number("One", "913100007109")))
        .done(2, close)
        .when(register(with_tax_number("Two", "913100007109")))
        .then_types(&[
            "NaturalKeyReserved",
            "DocumentNumberIssued",
            "CustomerRegistered",
        ]);
}

#[test]
fn a_customer_whose_tax_number_was_taken_meanwhile_stays_closed() {
    let close = DeactivateCustomer {
        customer: customer(1),
        because: t("moved abroad"),
    };
    given()
        .done(1, register(with_tax_number("One", "913100007109")))
        .done(2, close)
        .done(3, register(with_tax_number("Two", "913100007109")))
        .when(ReactivateCustomer {
            customer: customer(1),
        })
        .then_refused("NATURAL_KEY_TAKEN");
}

#[test]
fn changed_details_release_the_old_key_and_take_the_new() {
    let change = ChangeCustomerDetails {
        customer: customer(1),
        details: with_tax_number("One", "91310000AAAA"),
    };
    given()
        .done(1, register(with_tax_number("One", "913100007109")))
        .when(change)
        .then_types(&[
            "NaturalKeyReleased",
            "NaturalKeyReserved",
            "CustomerDetailsChanged",
        ]);
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    given()
        .done(1, register(details("One")))
        .when(ChangeCustomerDetails {
            customer: customer(1),
            details: details("One"),
        })
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn a_correction_is_a_fact_of_its_own() {
    let correct = CorrectCustomerDetails {
        customer: customer(1),
        details: details("Uno"),
        corrects: BigInt(7),
    };
    given()
        .done(1, register(details("One")))
        .when(correct)
        .then(&[(
            &customer(1),
            CustomerEvent::CustomerDetailsCorrected {
                details: details("Uno"),
                corrects: 7,
            }
            .into(),
        )]);
}

fn contact(name: &str) -> Contact {
    Contact {
        name: t(name),
        title: None,
        phone: None,
        email: None,
    }
}

fn promoted() -> Contact {
    Contact {
        title: Some(t("采购总监")),
        phone: Some(t("+86 21 5500 0001")),
        ..contact("王芳")
    }
}

/// The id of a person who is added is that of the command.
fn add(name: &str) -> AddContact {
    AddContact {
        customer: customer(1),
        contact: contact(name),
    }
}

fn change(details: Contact) -> ChangeContact {
    ChangeContact {
        customer: customer(1),
        contact: uuid(2).into(),
        details,
    }
}

fn remove() -> RemoveContact {
    RemoveContact {
        customer: customer(1),
        contact: uuid(2).into(),
    }
}

#[test]
fn a_contact_can_be_removed_once() {
    given()
        .done(1, register(details("One")))
        .done(2, add("王芳"))
        .done(3, remove())
        .when(remove())
        .then_refused("CONTACT_UNKNOWN");
}

#[test]
fn a_changed_contact_keeps_its_id() {
    let contact_id = ContactId(uuid(2));
    given()
        .done(1, register(details("One")))
        .done(2, add("王芳"))
        .when(change(promoted()))
        .then(&[(
            &customer(1),
            CustomerEvent::ContactChanged {
                contact_id,
                contact: promoted(),
            }
            .into(),
        )]);
}

#[test]
fn a_contact_is_compared_with_what_was_last_said_of_it() {
    let given = || {
        given()
            .done(1, register(details("One")))
            .done(2, add("王芳"))
            .done(3, change(promoted()))
    };
    given()
        .when(change(promoted()))
        .then_refused("NOTHING_TO_CHANGE");
    given()
        .when(change(contact("王芳")))
        .then_types(&["ContactChanged"]);
}

#[test]
fn only_a_person_on_the_record_can_be_changed() {
    given()
        .done(1, register(details("One")))
        .when(change(promoted()))
        .then_refused("CONTACT_UNKNOWN");
    given()
        .done(1, register(details("One")))
        .done(2, add("王芳"))
        .done(3, remove())
        .when(change(promoted()))
        .then_refused("CONTACT_UNKNOWN");
}

#[test]
fn nobody_of_a_closed_or_unknown_customer_is_changed() {
    let close = DeactivateCustomer {
        customer: customer(1),
        because: t("duplicate"),
    };
    given()
        .done(1, register(details("One")))
        .done(2, add("王芳"))
        .done(3, close)
        .when(change(promoted()))
        .then_refused("CUSTOMER_INACTIVE");
    given().when(change(promoted())).then_refused("NOT_FOUND");
}

#[test]
fn a_closed_record_accepts_nothing() {
    let close = DeactivateCustomer {
        customer: customer(1),
        because: t("duplicate"),
    };
    given()
        .done(1, register(details("One")))
        .done(2, close)
        .when(AssignCustomerOwner {
            customer: customer(1),
            owner: t("zhang.min"),
        })
        .then_refused("CUSTOMER_INACTIVE");
}

#[test]
fn an_unknown_customer_is_named_in_the_refusal() {
    let refusal = given()
        .when(ReactivateCustomer {
            customer: customer(5),
        })
        .then_refused("NOT_FOUND");
    assert!(
        refusal.message.contains(&customer(5).to_string()),
        "{}",
        refusal.message
    );
}

#[test]
fn a_talk_is_logged_with_active_customers_only() {
    let talk = LogInteraction {
        customer: customer(1),
        details: InteractionDetails {
            channel: Channel::Phone,
            direction: Direction::Inbound,
            summary: t("asks for delivery dates"),
            participants: Vec::new(),
        },
    };
    given().when(talk.clone()).then_refused("NOT_FOUND");
    given()
        .done(1, register(details("One")))
        .when(talk)
        .then_types(&["InteractionLogged"]);
}
