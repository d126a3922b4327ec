use daybook_schema::{
    customers::{
        AddContact, Channel, Contact, ContactId, CustomerDetails, CustomerEvent, CustomerId,
        CustomerType,
    },
    kernel::Money,
    pipeline::{
        AssignLead, CaptureLead, ConvertLead, DisqualifyLead, LeadEvent, LeadId, LeadOpportunity,
        LeadPhase, LogLeadFollowUp, OpportunityEvent, OpportunityId, QualifyLead, RecycleLead,
    },
};

use super::{acme, at, business, deactivate, pipeline, publish, yuan};
use crate::spec::{Given, given, t, uuid};

fn lead() -> LeadId {
    LeadId(uuid(10))
}

fn wang_fang() -> Contact {
    Contact {
        name: t("王芳"),
        title: Some(t("采购经理")),
        phone: Some(t("139 0000 0000")),
        email: Some(t("wang.fang@example.com")),
    }
}

fn capture() -> CaptureLead {
    CaptureLead {
        source: t("trade-fair"),
        source_key: None,
        campaign: Some(t("spring-2026")),
        title: t("Ten forklifts"),
        company: Some(t("晨光物流")),
        contact: Some(wang_fang()),
        interest: Some(t("electric ones")),
        estimated_value: Some(yuan(50_000)),
        owner: None,
    }
}

fn with_key(source: &str, key: &str) -> CaptureLead {
    CaptureLead {
        source: t(source),
        source_key: Some(t(key)),
        ..capture()
    }
}

fn assign(assignee: &str) -> AssignLead {
    AssignLead {
        lead: lead(),
        assignee: t(assignee),
    }
}

fn follow_up() -> LogLeadFollowUp {
    LogLeadFollowUp {
        lead: lead(),
        channel: Channel::Phone,
        summary: t("wants a visit"),
        next_on: Some(t("2026-03-02")),
    }
}

fn qualify() -> QualifyLead {
    QualifyLead {
        lead: lead(),
        need: Some(t("ten forklifts by May")),
        budget: Some(yuan(60_000)),
        note: None,
    }
}

fn disqualify() -> DisqualifyLead {
    DisqualifyLead {
        lead: lead(),
        disqualified_reason: t("no-budget"),
        note: None,
    }
}

fn recycle() -> RecycleLead {
    RecycleLead {
        lead: lead(),
        because: t("budget comes in autumn"),
    }
}

fn convert() -> ConvertLead {
    ConvertLead {
        lead: lead(),
        customer: None,
        contact: None,
        opportunity: LeadOpportunity {
            name: t("Ten forklifts"),
            value: yuan(55_000),
            expected_close_on: t("2026-05-31"),
            pipeline: None,
        },
    }
}

fn convert_to_acme() -> ConvertLead {
    ConvertLead {
        customer: Some(acme()),
        ..convert()
    }
}

fn new_lead() -> Given {
    business().done(10, capture())
}

fn working() -> Given {
    new_lead().done(11, assign("zhang.min"))
}

fn qualified() -> Given {
    working().done(12, qualify())
}

fn disqualified() -> Given {
    working().done(12, disqualify())
}

fn recycled() -> Given {
    disqualified().done(13, recycle())
}

#[test]
fn a_captured_lead_keeps_all_that_the_source_said() {
    let CaptureLead {
        source,
        source_key,
        campaign,
        title,
        company,
        contact,
        interest,
        estimated_value,
        owner,
    } = capture();
    let captured = LeadEvent::LeadCaptured {
        source,
        source_key,
        campaign,
        title,
        company,
        contact,
        interest,
        estimated_value,
        owner,
    };
    given()
        .when(capture())
        .then(&[(&LeadId(uuid(99)), captured.into())]);
}

#[test]
fn a_lead_names_a_company_or_a_person() {
    let nobody = CaptureLead {
        company: None,
        contact: None,
        ..capture()
    };
    given().when(nobody).then_refused("LEAD_WITHOUT_PARTY");
}

#[test]
fn a_lead_is_not_worth_less_than_nothing() {
    let negative = CaptureLead {
        estimated_value: Some(yuan(-1)),
        ..capture()
    };
    given().when(negative).then_refused("LEAD_VALUE_NEGATIVE");
}

#[test]
fn a_source_captures_each_of_its_keys_once() {
    let refusal = given()
        .done(10, with_key("web", "A-1"))
        .when(with_key("web", "A-1"))
        .then_refused("NATURAL_KEY_TAKEN");
    let holder = lead().to_string();
    assert!(refusal.message.contains(&holder), "{}", refusal.message);
}

#[test]
fn another_source_or_another_spelling_is_another_key() {
    let known = given().done(10, with_key("web", "A-1"));
    let types = ["NaturalKeyReserved", "LeadCaptured"];
    known
        .done(11, with_key("web", "a-1"))
        .when(with_key("fair", "A-1"))
        .then_types(&types);
}

#[test]
fn an_assigned_lead_is_in_work() {
    let assigned = LeadEvent::LeadAssigned {
        assignee: t("zhang.min"),
        phase: LeadPhase::Working,
    };
    new_lead()
        .when(assign("zhang.min"))
        .then(&[(&lead(), assigned.into())]);
}

#[test]
fn the_first_follow_up_puts_a_lead_in_work() {
    let followed_up = LeadEvent::LeadFollowedUp {
        channel: Channel::Phone,
        summary: t("wants a visit"),
        next_on: Some(t("2026-03-02")),
        phase: LeadPhase::Working,
    };
    new_lead()
        .when(follow_up())
        .then(&[(&lead(), followed_up.into())]);
}

#[test]
fn a_lead_captured_with_an_owner_is_new_until_that_owner_takes_it_up() {
    let owned = CaptureLead {
        owner: Some(t("zhang.min")),
        ..capture()
    };
    business()
        .done(10, owned.clone())
        .when(qualify())
        .then_refused("LEAD_NOT_WORKED");
    business()
        .done(10, owned)
        .when(assign("zhang.min"))
        .then_types(&["LeadAssigned"]);
}

#[test]
fn a_lead_in_work_passes_to_somebody_else_only() {
    working()
        .when(assign("zhang.min"))
        .then_refused("NOTHING_TO_CHANGE");
    working()
        .when(assign("chen.jie"))
        .then_types(&["LeadAssigned"]);
}

#[test]
fn a_follow_up_is_not_planned_for_a_day_that_is_over() {
    let late = LogLeadFollowUp {
        next_on: Some(t("2026-03-01")),
        ..follow_up()
    };
    let refusal = new_lead().when(late).then_refused("NEXT_FOLLOW_UP_PAST");
    assert_eq!(refusal.field, ["nextOn"]);
}

#[test]
fn only_a_lead_in_work_is_qualified() {
    working().when(qualify()).then_types(&["LeadQualified"]);
    new_lead().when(qualify()).then_refused("LEAD_NOT_WORKED");
    recycled().when(qualify()).then_refused("LEAD_NOT_WORKED");
    qualified()
        .when(qualify())
        .then_refused("LEAD_IS_QUALIFIED");
    disqualified()
        .when(qualify())
        .then_refused("LEAD_IS_DISQUALIFIED");
}

#[test]
fn a_budget_is_not_less_than_nothing() {
    let negative = QualifyLead {
        budget: Some(yuan(-1)),
        ..qualify()
    };
    working().when(negative).then_refused("LEAD_VALUE_NEGATIVE");
}

#[test]
fn a_qualified_lead_stays_qualified_while_it_is_followed_up_and_passed_on() {
    let passed_on = LeadEvent::LeadAssigned {
        assignee: t("chen.jie"),
        phase: LeadPhase::Qualified,
    };
    qualified()
        .done(13, follow_up())
        .when(assign("chen.jie"))
        .then(&[(&lead(), passed_on.into())]);
}

#[test]
fn a_lead_is_disqualified_from_any_open_phase_and_says_from_which() {
    let cases = [
        (new_lead(), LeadPhase::New),
        (working(), LeadPhase::Working),
        (qualified(), LeadPhase::Qualified),
        (recycled(), LeadPhase::Recycled),
    ];
    for (known, from) in cases {
        let disqualified = LeadEvent::LeadDisqualified {
            from,
            disqualified_reason: t("no-budget"),
            note: None,
        };
        known
            .when(disqualify())
            .then(&[(&lead(), disqualified.into())]);
    }
}

#[test]
fn a_disqualified_lead_must_be_recycled_before_anything_else() {
    let code = "LEAD_IS_DISQUALIFIED";
    disqualified().when(assign("chen.jie")).then_refused(code);
    disqualified().when(follow_up()).then_refused(code);
    disqualified().when(disqualify()).then_refused(code);
    disqualified().when(recycle()).then_types(&["LeadRecycled"]);
}

#[test]
fn a_lead_that_nobody_worked_on_is_not_recycled() {
    new_lead().when(recycle()).then_refused("LEAD_NOT_WORKED");
    recycled().when(recycle()).then_refused("LEAD_NOT_WORKED");
    working().when(recycle()).then_types(&["LeadRecycled"]);
    qualified().when(recycle()).then_types(&["LeadRecycled"]);
}

#[test]
fn a_recycled_lead_goes_to_work_again_even_with_the_same_owner() {
    let assigned = LeadEvent::LeadAssigned {
        assignee: t("zhang.min"),
        phase: LeadPhase::Working,
    };
    recycled()
        .when(assign("zhang.min"))
        .then(&[(&lead(), assigned.into())]);
    recycled().when(follow_up()).then_types(&["LeadFollowedUp"]);
}

#[test]
fn only_a_qualified_lead_is_converted() {
    for known in [new_lead(), working(), disqualified(), recycled()] {
        known.when(convert()).then_refused("LEAD_NOT_QUALIFIED");
    }
}

#[test]
fn a_conversion_makes_customer_contact_and_opportunity_at_once() {
    let events = qualified().when(convert()).then_types(&[
        "DocumentNumberIssued",
        "CustomerRegistered",
        "ContactAdded",
        "OpportunityOpened",
        "LeadConverted",
        "CustomerLeadMatched",
    ]);
    let converted = LeadEvent::LeadConverted {
        customer: CustomerId(uuid(99)),
        new_customer: true,
        opportunity: OpportunityId(uuid(99)),
        contact: Some(ContactId(first_contact())),
    };
    assert_eq!(events[4].event, converted.into());
    let added = CustomerEvent::ContactAdded {
        contact_id: ContactId(first_contact()),
        contact: wang_fang(),
    };
    assert_eq!(events[2].event, added.into());
    let opened = OpportunityEvent::OpportunityOpened {
        customer: CustomerId(uuid(99)),
        name: t("Ten forklifts"),
        value: yuan(55_000),
        expected_close_on: t("2026-05-31"),
        owner: t("zhang.min"),
        lead: Some(lead()),
        pipeline: t("default"),
        pipeline_version: 1,
        stage: at("contact"),
    };
    assert_eq!(events[3].event, opened.into());
}

/// The id of the first contact that the command under test adds.
fn first_contact() -> uuid::Uuid {
    uuid::Uuid::new_v5(&uuid(99), b"0")
}

#[test]
fn a_company_is_registered_without_the_persons_phone() {
    let events = qualified().when(convert()).then_types(&[
        "DocumentNumberIssued",
        "CustomerRegistered",
        "ContactAdded",
        "OpportunityOpened",
        "LeadConverted",
        "CustomerLeadMatched",
    ]);
    let registered = CustomerEvent::CustomerRegistered {
        number: 2,
        details: CustomerDetails {
            name: t("晨光物流"),
            customer_type: CustomerType::Company,
            ..super::register("Acme").details
        },
        owner: t("zhang.min"),
    };
    assert_eq!(events[1].event, registered.into());
}

#[test]
fn a_person_is_registered_with_their_phone_which_nobody_else_may_have() {
    let person = CaptureLead {
        company: None,
        ..capture()
    };
    let known = || {
        business()
            .done(10, person.clone())
            .done(11, follow_up())
            .done(12, qualify())
    };
    known().when(convert()).then_types(&[
        "NaturalKeyReserved",
        "NaturalKeyReserved",
        "DocumentNumberIssued",
        "CustomerRegistered",
        "ContactAdded",
        "OpportunityOpened",
        "LeadConverted",
        "CustomerLeadMatched",
    ]);
    let mut namesake = super::register("王芳");
    namesake.details.phone = Some(t("13900000000"));
    let refusal = known()
        .done(13, namesake)
        .when(convert())
        .then_refused("NATURAL_KEY_TAKEN");
    let holder = CustomerId(uuid(13)).to_string();
    assert!(refusal.message.contains(&holder), "{}", refusal.message);
}

#[test]
fn a_conversion_to_a_known_customer_adds_the_person_only() {
    let events = qualified().when(convert_to_acme()).then_types(&[
        "ContactAdded",
        "OpportunityOpened",
        "LeadConverted",
        "CustomerLeadMatched",
    ]);
    assert_eq!(events[0].stream, acme().to_string());
    let converted = LeadEvent::LeadConverted {
        customer: acme(),
        new_customer: false,
        opportunity: OpportunityId(uuid(99)),
        contact: Some(ContactId(first_contact())),
    };
    assert_eq!(events[2].event, converted.into());
}

#[test]
fn a_conversion_can_name_a_contact_that_the_customer_has() {
    let add = AddContact {
        customer: acme(),
        contact: wang_fang(),
    };
    let known_person = ConvertLead {
        contact: Some(ContactId(uuid(14))),
        ..convert_to_acme()
    };
    qualified()
        .done(14, add)
        .when(known_person.clone())
        .then_types(&["OpportunityOpened", "LeadConverted", "CustomerLeadMatched"]);
    qualified()
        .when(known_person)
        .then_refused("CONTACT_UNKNOWN");
}

#[test]
fn a_new_customer_has_no_contact_to_name() {
    let stray = ConvertLead {
        contact: Some(ContactId(uuid(14))),
        ..convert()
    };
    qualified().when(stray).then_refused("CONTACT_UNKNOWN");
}

#[test]
fn a_lead_is_not_converted_to_a_closed_or_missing_customer() {
    qualified()
        .done(13, deactivate())
        .when(convert_to_acme())
        .then_refused("CUSTOMER_INACTIVE");
    let missing = ConvertLead {
        customer: Some(CustomerId(uuid(77))),
        ..convert()
    };
    qualified().when(missing).then_refused("NOT_FOUND");
}

#[test]
fn a_refused_opportunity_leaves_no_customer_behind() {
    let mut command = convert();
    command.opportunity.value = Money::from_minor(-1, t("CNY"));
    qualified()
        .when(command)
        .then_refused("OPPORTUNITY_VALUE_NEGATIVE");
    given()
        .done(2, publish(pipeline()))
        .done(10, capture())
        .done(11, follow_up())
        .done(12, qualify())
        .when(ConvertLead {
            opportunity: LeadOpportunity {
                pipeline: Some(t("partners")),
                ..convert().opportunity
            },
            ..convert()
        })
        .then_refused("POLICY_NOT_IN_FORCE");
}

#[test]
fn a_lead_is_converted_once_and_then_at_rest() {
    let converted = || qualified().done(13, convert());
    let code = "LEAD_IS_CONVERTED";
    converted().when(convert()).then_refused(code);
    converted().when(assign("chen.jie")).then_refused(code);
    converted().when(follow_up()).then_refused(code);
    converted().when(qualify()).then_refused(code);
    converted().when(disqualify()).then_refused(code);
    converted().when(recycle()).then_refused(code);
}

#[test]
fn an_unknown_lead_is_not_found() {
    given().when(assign("zhang.min")).then_refused("NOT_FOUND");
}
