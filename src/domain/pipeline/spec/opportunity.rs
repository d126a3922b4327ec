use daybook_schema::{
    customers::CustomerId,
    governance::PipelineDefinition,
    pipeline::{
        AddOpportunityCompetitor, AssignOpportunityOwner, ChangeOpportunityValue, LeadId,
        LoseOpportunity, MetCriterion, MoveOpportunityCloseDate, NoteOpportunityInsight,
        OpenOpportunity, OpportunityEvent, OpportunityId, OpportunityInsight, OpportunityPhase,
        ReopenOpportunity, WinOpportunity,
    },
};

use super::{acme, at, business, deactivate, pipeline, publish, register, yuan};
use crate::spec::{Given, given, t, uuid};

fn deal() -> OpportunityId {
    OpportunityId(uuid(20))
}

fn open() -> OpenOpportunity {
    OpenOpportunity {
        customer: acme(),
        name: t("Ten forklifts"),
        value: yuan(1_000),
        expected_close_on: t("2026-05-31"),
        pipeline: None,
        owner: None,
        lead: None,
    }
}

fn opened() -> Given {
    business().done(20, open())
}

fn all_criteria() -> Vec<MetCriterion> {
    let criteria = pipeline().stages.into_iter().flat_map(|s| s.exit_criteria);
    criteria
        .map(|asked| MetCriterion {
            criterion: asked.code,
            note: None,
        })
        .collect()
}

fn win() -> WinOpportunity {
    WinOpportunity {
        opportunity: deal(),
        order: None,
        criteria: all_criteria(),
        note: None,
    }
}

fn lose() -> LoseOpportunity {
    LoseOpportunity {
        opportunity: deal(),
        lost_reason: t("price"),
        competitor: Some(t("Rival Ltd")),
        note: None,
    }
}

fn reopen(stage: Option<&str>) -> ReopenOpportunity {
    ReopenOpportunity {
        opportunity: deal(),
        because: t("they called back"),
        stage: stage.map(t),
    }
}

fn change_value(amount: i64) -> ChangeOpportunityValue {
    ChangeOpportunityValue {
        opportunity: deal(),
        value: yuan(amount),
    }
}

#[test]
fn an_opportunity_begins_in_the_first_stage_of_the_version_in_force() {
    let opened = OpportunityEvent::OpportunityOpened {
        customer: acme(),
        name: t("Ten forklifts"),
        value: yuan(1_000),
        expected_close_on: t("2026-05-31"),
        owner: t("li.wei"),
        lead: None,
        pipeline: t("default"),
        pipeline_version: 2,
        stage: at("contact"),
    };
    business()
        .done(3, publish(pipeline()))
        .when(open())
        .then(&[(&OpportunityId(uuid(99)), opened.into())]);
}

#[test]
fn an_opportunity_needs_an_active_customer() {
    business()
        .done(3, deactivate())
        .when(open())
        .then_refused("CUSTOMER_INACTIVE");
    let stranger = OpenOpportunity {
        customer: CustomerId(uuid(77)),
        ..open()
    };
    business().when(stranger).then_refused("NOT_FOUND");
}

#[test]
fn an_opportunity_needs_a_pipeline_in_force() {
    given()
        .done(1, register("Acme"))
        .when(open())
        .then_refused("POLICY_NOT_IN_FORCE");
    let other = OpenOpportunity {
        pipeline: Some(t("partners")),
        ..open()
    };
    business().when(other).then_refused("POLICY_NOT_IN_FORCE");
}

#[test]
fn a_named_pipeline_is_followed_instead_of_the_default_one() {
    let mut definition = pipeline();
    definition.stages.remove(0);
    let mut partners = publish(definition);
    partners.name = Some(t("partners"));
    let wanted = OpenOpportunity {
        pipeline: Some(t("partners")),
        ..open()
    };
    let events = business()
        .done(3, partners)
        .when(wanted)
        .then_types(&["OpportunityOpened"]);
    let daybook_schema::DomainEvent::Opportunity(OpportunityEvent::OpportunityOpened {
        pipeline,
        stage,
        ..
    }) = &events[0].event
    else {
        unreachable!("the type was compared");
    };
    assert_eq!(
        (pipeline.as_str(), stage.code.as_str(), stage.position),
        ("partners", "analysis", 1)
    );
}

#[test]
fn an_opportunity_names_only_a_lead_on_record() {
    let stray = OpenOpportunity {
        lead: Some(LeadId(uuid(77))),
        ..open()
    };
    business().when(stray).then_refused("NOT_FOUND");
}

#[test]
fn an_opportunity_is_not_worth_less_than_nothing() {
    let negative = OpenOpportunity {
        value: yuan(-1),
        ..open()
    };
    business()
        .when(negative)
        .then_refused("OPPORTUNITY_VALUE_NEGATIVE");
    opened()
        .when(change_value(-1))
        .then_refused("OPPORTUNITY_VALUE_NEGATIVE");
}

#[test]
fn every_change_of_value_is_a_fact_with_both_amounts() {
    let changed = OpportunityEvent::OpportunityValueChanged {
        from: yuan(1_200),
        to: yuan(900),
    };
    opened()
        .done(21, change_value(1_200))
        .when(change_value(900))
        .then(&[(&deal(), changed.into())]);
}

#[test]
fn the_currency_stays() {
    let dollars = ChangeOpportunityValue {
        opportunity: deal(),
        value: daybook_schema::kernel::Money::from_minor(100_000, t("USD")),
    };
    opened()
        .when(dollars)
        .then_refused("OPPORTUNITY_CURRENCY_FIXED");
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    let code = "NOTHING_TO_CHANGE";
    opened().when(change_value(1_000)).then_refused(code);
    let same_day = MoveOpportunityCloseDate {
        opportunity: deal(),
        expected_close_on: t("2026-05-31"),
    };
    opened().when(same_day).then_refused(code);
    let same_owner = AssignOpportunityOwner {
        opportunity: deal(),
        owner: t("li.wei"),
    };
    opened().when(same_owner).then_refused(code);
}

#[test]
fn a_moved_close_date_names_both_days() {
    let moved = OpportunityEvent::OpportunityCloseDateMoved {
        from: t("2026-05-31"),
        to: t("2026-06-30"),
    };
    let command = MoveOpportunityCloseDate {
        opportunity: deal(),
        expected_close_on: t("2026-06-30"),
    };
    opened().when(command).then(&[(&deal(), moved.into())]);
}

#[test]
fn a_new_owner_follows_the_old_one_on_record() {
    let assigned = OpportunityEvent::OpportunityOwnerAssigned {
        from: t("li.wei"),
        to: t("zhang.min"),
    };
    let command = AssignOpportunityOwner {
        opportunity: deal(),
        owner: t("zhang.min"),
    };
    opened().when(command).then(&[(&deal(), assigned.into())]);
}

#[test]
fn a_competitor_is_named_once() {
    let rival = AddOpportunityCompetitor {
        opportunity: deal(),
        competitor: t("Rival Ltd"),
    };
    opened()
        .done(21, rival.clone())
        .when(rival)
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn insights_gather_on_the_record() {
    let note = NoteOpportunityInsight {
        opportunity: deal(),
        insight: OpportunityInsight::DecisionFactor,
        note: t("delivery before May"),
    };
    let noted = OpportunityEvent::OpportunityInsightNoted {
        insight: OpportunityInsight::DecisionFactor,
        note: t("delivery before May"),
    };
    opened()
        .done(21, note.clone())
        .when(note)
        .then(&[(&deal(), noted.into())]);
}

#[test]
fn a_win_names_stage_and_value() {
    let events = opened()
        .done(21, change_value(900))
        .when(win())
        .then_types(&[
            "OpportunityCriterionMet",
            "OpportunityCriterionMet",
            "OpportunityCriterionMet",
            "OpportunityCriterionMet",
            "OpportunityWon",
        ]);
    let won = OpportunityEvent::OpportunityWon {
        stage: at("contact"),
        value: yuan(900),
        expected_close_on: t("2026-05-31"),
        order: None,
        note: None,
    };
    assert_eq!(events[4].event, won.into());
}

#[test]
fn a_win_is_no_way_around_the_exit_criteria() {
    let hasty = WinOpportunity {
        criteria: all_criteria().into_iter().skip(1).collect(),
        ..win()
    };
    let refusal = opened().when(hasty).then_refused("EXIT_CRITERIA_UNMET");
    assert_eq!(refusal.message, "not on record: `need-known`");
}

#[test]
fn a_pipeline_that_wants_an_order_is_not_won_without_one() {
    let strict = PipelineDefinition {
        win_requires_order: true,
        ..pipeline()
    };
    business()
        .done(3, publish(strict.clone()))
        .done(20, open())
        .when(win())
        .then_refused("ORDER_REQUIRED");
    let events = opened()
        .done(21, publish(strict))
        .attempt(22, win())
        .unwrap_or_default();
    assert!(!events.is_empty(), "the version it was opened under counts");
}

#[test]
fn a_loss_names_reason_stage_and_value() {
    let lost = OpportunityEvent::OpportunityLost {
        stage: at("contact"),
        value: yuan(1_000),
        expected_close_on: t("2026-05-31"),
        lost_reason: t("price"),
        competitor: Some(t("Rival Ltd")),
        note: None,
    };
    opened().when(lose()).then(&[(&deal(), lost.into())]);
}

#[test]
fn a_decided_opportunity_accepts_nothing_but_its_reopening() {
    let code = "OPPORTUNITY_IS_CLOSED";
    let lost = || opened().done(21, lose());
    lost().when(change_value(5)).then_refused(code);
    lost().when(win()).then_refused(code);
    lost().when(lose()).then_refused(code);
    let won = || opened().done(21, win());
    won().when(change_value(5)).then_refused(code);
    won().when(win()).then_refused(code);
    won().when(lose()).then_refused(code);
}

#[test]
fn an_open_opportunity_is_not_reopened() {
    opened()
        .when(reopen(None))
        .then_refused("OPPORTUNITY_IS_OPEN");
}

#[test]
fn a_reopened_opportunity_goes_on_where_it_was_and_names_its_earlier_outcome() {
    let reopened = |outcome| OpportunityEvent::OpportunityReopened {
        outcome,
        from_stage: at("contact"),
        to_stage: at("contact"),
        value: yuan(1_000),
        because: t("they called back"),
    };
    opened()
        .done(21, lose())
        .when(reopen(None))
        .then(&[(&deal(), reopened(OpportunityPhase::Lost).into())]);
    opened()
        .done(21, win())
        .when(reopen(None))
        .then(&[(&deal(), reopened(OpportunityPhase::Won).into())]);
}

#[test]
fn a_reopened_opportunity_can_be_decided_again() {
    opened()
        .done(21, lose())
        .done(22, reopen(None))
        .done(23, win())
        .done(24, reopen(None))
        .when(lose())
        .then_types(&["OpportunityLost"]);
}

#[test]
fn an_opportunity_is_not_reopened_for_a_closed_customer() {
    opened()
        .done(21, lose())
        .done(22, deactivate())
        .when(reopen(None))
        .then_refused("CUSTOMER_INACTIVE");
}

#[test]
fn a_reopening_leads_to_a_stage_of_the_pipeline_up_to_the_last_one() {
    opened()
        .done(21, lose())
        .when(reopen(Some("analysis")))
        .then_refused("STAGE_BEYOND_CLOSE");
    opened()
        .done(21, lose())
        .when(reopen(Some("tender")))
        .then_refused("STAGE_UNKNOWN");
}

#[test]
fn an_unknown_opportunity_is_not_found() {
    given().when(lose()).then_refused("NOT_FOUND");
}
