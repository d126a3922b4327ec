//! What a command names that is not its issuer's: refused as if it were not there, or, where it is
//! seen, as out of scope.

use daybook_schema::{
    DomainCommand,
    access::Role,
    customers::{CorrectInteraction, LogInteraction},
    orders::{CancelShipment, HoldOrder, PlaceOrder, PrepareShipment},
    pipeline::{ConvertLead, LogLeadFollowUp, OpenOpportunity, WinOpportunity},
    service::{CloseComplaint, LogComplaint},
};
use serde_json::{Value, json};

use super::{
    command, everything, own,
    world::{complaint, customer, interaction, lead, opportunity, order, shipment},
};
use crate::spec::{Given, given};

/// What the asker has, what somebody else has, and what nobody has.
const MINE: u128 = 1;
const THEIRS: u128 = 2;
const NOBODYS: u128 = 3;

/// Everything of two people, of whom the first has every role that may change anything.
fn two() -> Given {
    [(MINE, "li.wei"), (THEIRS, "zhao.min")]
        .into_iter()
        .fold(given(), |given, (number, owner)| {
            given
                .hired(owner)
                .customer(number, owner)
                .lead(number, Some(owner))
                .opportunity(number, number, owner)
                .order(number, number, Some(owner))
                .shipment(number, number)
                .complaint(number, number)
                .interaction(number, number)
        })
        .granted("li.wei", Role::Manager, own())
}

fn words(mut content: Value, fields: Value) -> Value {
    for (field, value) in fields.as_object().expect("fields") {
        content[field] = value.clone();
    }
    content
}

/// One place in a command where an id stands.
struct Place {
    what: &'static str,
    /// The id of the object with a number.
    id: fn(u128) -> String,
    /// The command in which this id stands in the place, and the asker's own ids in all others.
    with: fn(String) -> DomainCommand,
}

macro_rules! place {
    ($command:ident.$field:literal: $object:ident, $content:expr) => {
        Place {
            what: concat!(stringify!($command), ".", $field),
            id: |number| $object(number).to_string(),
            with: |id| {
                let content = words($content, json!({ $field: id }));
                command::<$command>(content).into()
            },
        }
    };
}

fn talk() -> Value {
    json!({ "channel": "phone", "direction": "outbound", "summary": "hello" })
}

fn deal() -> Value {
    json!({
        "name": "Monitors", "expectedCloseOn": "2026-12-01",
        "value": { "amount": "1", "currency": "CNY" }
    })
}

fn sale() -> Value {
    json!({ "customer": customer(MINE).to_string(), "currency": "CNY", "lines": [] })
}

fn open() -> Value {
    words(deal(), json!({ "customer": customer(MINE).to_string() }))
}

fn convert() -> Value {
    json!({ "lead": lead(MINE).to_string(), "opportunity": deal() })
}

fn complain() -> Value {
    json!({
        "customer": customer(MINE).to_string(), "channel": "phone", "description": "late"
    })
}

fn follow_up() -> Value {
    json!({ "channel": "phone", "summary": "hello" })
}

/// Every place of every shape in which a command names something that is in somebody's hands: the
/// object that it is about, one that the new object belongs to, and one that is mentioned.
fn places() -> Vec<Place> {
    vec![
        place!(LogInteraction."customer": customer, json!({ "details": talk() })),
        place!(CorrectInteraction."interaction": interaction,
            json!({ "details": talk(), "corrects": "7" })),
        place!(LogLeadFollowUp."lead": lead, follow_up()),
        place!(ConvertLead."lead": lead, convert()),
        place!(ConvertLead."customer": customer, convert()),
        place!(OpenOpportunity."customer": customer, open()),
        place!(OpenOpportunity."lead": lead, open()),
        place!(WinOpportunity."opportunity": opportunity, json!({})),
        place!(WinOpportunity."order": order,
            json!({ "opportunity": opportunity(MINE).to_string() })),
        place!(PlaceOrder."customer": customer, sale()),
        place!(PlaceOrder."opportunity": opportunity, sale()),
        place!(HoldOrder."order": order, json!({ "because": "wait" })),
        place!(PrepareShipment."order": order, json!({ "lines": [] })),
        place!(CancelShipment."shipment": shipment, json!({ "because": "wait" })),
        place!(LogComplaint."customer": customer, complain()),
        place!(LogComplaint."order": order, complain()),
        place!(CloseComplaint."complaint": complaint, json!({})),
    ]
}

#[test]
fn own_objects_may_be_named_everywhere() {
    let given = two().signed_in("li.wei");
    for Place { what, id, with } in places() {
        let outcome = given.authorised(with(id(MINE)));
        assert!(outcome.is_ok(), "{what}: {outcome:?}");
    }
}

#[test]
fn what_others_have_is_not_found_in_the_same_words_as_what_nobody_has() {
    let given = two().signed_in("li.wei");
    for Place { what, id, with } in places() {
        let refusal = |number| given.authorised(with(id(number))).expect_err(what);
        let (theirs, nobodys) = (refusal(THEIRS), refusal(NOBODYS));
        assert_eq!(theirs.code, "NOT_FOUND", "{what}");
        assert_eq!(theirs.message, format!("there is no `{}`", id(THEIRS)));
        let same = theirs.message.replace(&id(THEIRS), &id(NOBODYS));
        assert_eq!(nobodys.message, same, "{what}");
        assert_eq!((nobodys.code, nobodys.field), (theirs.code, theirs.field));
    }
}

/// The rule of the aggregate itself says no in those words, to whom everything is permitted.
#[test]
fn what_nobody_has_is_not_found_in_the_same_words_by_the_rules_themselves() {
    let hold = || HoldOrder {
        order: order(NOBODYS),
        because: because(),
    };
    let by_rule = two().when(hold()).then_refused("NOT_FOUND");
    let unreached = two().signed_in("li.wei").authorised(hold());
    assert_eq!(unreached, Err(by_rule));
}

fn because() -> daybook_schema::kernel::Note {
    crate::spec::t("wait")
}

#[test]
fn what_is_seen_and_not_reached_is_out_of_scope() {
    let given = two()
        .granted("li.wei", Role::Auditor, everything())
        .signed_in("li.wei");
    for Place { what, id, with } in places() {
        let command = with(id(THEIRS));
        let name = command.name();
        let refusal = given.authorised(command).expect_err(what);
        assert_eq!(refusal.code, "OUT_OF_SCOPE", "{what}");
        let words = format!(
            "no grant by which `account-li.wei` may {name} reaches `{}`",
            id(THEIRS)
        );
        assert_eq!(refusal.message, words);
    }
}

#[test]
fn whoever_may_not_do_it_at_all_is_told_so_and_nothing_of_the_object() {
    let given = two()
        .hired("qin.lan")
        .granted("qin.lan", Role::Analyst, everything())
        .signed_in("qin.lan");
    for Place { what, id, with } in places() {
        let refusal = |number| given.authorised(with(id(number))).expect_err(what);
        assert_eq!(refusal(THEIRS).code, "PERMISSION_DENIED", "{what}");
        assert_eq!(refusal(THEIRS), refusal(NOBODYS));
    }
}

/// A role shows only the kinds that it has to do with: a stock keeper sees orders and no customers.
#[test]
fn a_kind_that_no_role_of_the_account_shows_is_not_seen() {
    let given = two()
        .hired("ma.jun")
        .granted("ma.jun", Role::Salesperson, own())
        .granted("ma.jun", Role::StockKeeper, everything())
        .signed_in("ma.jun");
    let hold = |number| HoldOrder {
        order: order(number),
        because: because(),
    };
    let seen = given.authorised(hold(THEIRS)).expect_err("an order");
    assert_eq!(seen.code, "OUT_OF_SCOPE");
    let talk = json!({ "customer": customer(THEIRS).to_string(), "details": talk() });
    let unseen = given.authorised(command::<LogInteraction>(talk));
    assert_eq!(unseen.expect_err("a customer").code, "NOT_FOUND");
}
