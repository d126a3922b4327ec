//! Given events, then rows: leads, the board, the funnel, outcomes.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use daybook_schema::{
    customers::Channel,
    governance::{ExitCriterion, PipelineDefinition, PipelineStage},
    kernel::{BasisPoints, BigInt, Code},
    pipeline::{
        LeadEvent, LeadId, LeadPhase, OpportunityEvent, OpportunityId, OpportunityPhase,
        OpportunityStage,
    },
};

use super::{LeadRow, OpportunityRow, StageExit, board, board_totals, funnel, outcomes};
use crate::{
    measure::Period,
    spec::{History, customer_registered, given, id, money, value},
    store::Condition,
};

const CUSTOMER: u128 = 1;

fn points(points: i64) -> BasisPoints {
    points.try_into().unwrap()
}

fn stage(code: &str) -> OpportunityStage {
    let (position, probability) = match code {
        "lead-in" => (1, 1_000),
        "demo" => (2, 3_000),
        "offer" => (3, 6_000),
        other => panic!("no stage `{other}`"),
    };
    OpportunityStage {
        code: value(code),
        position,
        probability: points(probability),
    }
}

fn customer() -> History {
    customer_registered(given(), CUSTOMER, "北京乳业")
}

fn opened(value_text: &str) -> OpportunityEvent {
    OpportunityEvent::OpportunityOpened {
        customer: id(CUSTOMER),
        name: value("冷链设备"),
        value: money(value_text),
        expected_close_on: value("2026-06-30"),
        owner: value("li.wei"),
        lead: None,
        pipeline: value("default"),
        pipeline_version: 1,
        stage: stage("lead-in"),
    }
}

fn advanced(from: &str, to: &str) -> OpportunityEvent {
    OpportunityEvent::OpportunityStageAdvanced {
        from_stage: stage(from),
        to_stage: stage(to),
        value: money("100 CNY"),
    }
}

fn lost(at: &str, reason: &str) -> OpportunityEvent {
    OpportunityEvent::OpportunityLost {
        stage: stage(at),
        value: money("100 CNY"),
        expected_close_on: value("2026-06-30"),
        lost_reason: value(reason),
        competitor: Some(value("别家")),
        note: None,
    }
}

fn won(at: &str) -> OpportunityEvent {
    OpportunityEvent::OpportunityWon {
        stage: stage(at),
        value: money("100 CNY"),
        expected_close_on: value("2026-06-30"),
        order: None,
        note: None,
    }
}

fn reopened(from: &str, to: &str) -> OpportunityEvent {
    OpportunityEvent::OpportunityReopened {
        outcome: OpportunityPhase::Lost,
        from_stage: stage(from),
        to_stage: stage(to),
        value: money("100 CNY"),
        because: value("they called again"),
    }
}

fn deal(number: u128) -> OpportunityId {
    id(number)
}

fn definition() -> PipelineDefinition {
    let stage = |code: &str| PipelineStage {
        code: value(code),
        name: value(code),
        name_zh: None,
        probability: stage(code).probability,
        exit_criteria: Vec::<ExitCriterion>::new(),
        may_regress: true,
    };
    PipelineDefinition {
        stages: vec![stage("lead-in"), stage("demo")],
        win_requires_order: false,
    }
}

fn default_pipeline() -> Code {
    value("default")
}

fn year() -> Period {
    Period {
        from: value("2026-01-01"),
        to: value("2027-01-01"),
    }
}

#[test]
fn a_stay_in_a_stage_is_timed_and_a_decision_ends_it() {
    let shown = customer()
        .on("2026-01-10")
        .event(deal(1), opened("1000 CNY"))
        .on("2026-01-12")
        .event(deal(1), advanced("lead-in", "offer"))
        .on("2026-01-20")
        .event(deal(1), lost("offer", "price"))
        .on("2026-02-01")
        .event(deal(1), reopened("offer", "demo"))
        .then();
    let row: OpportunityRow = shown.get(&deal(1).to_string()).unwrap().unwrap();
    let stays: Vec<_> = row
        .stages
        .iter()
        .map(|visit| {
            (
                visit.stage.code.as_str(),
                visit.left_by,
                visit.dwell_seconds,
            )
        })
        .collect();
    let days = |days: u64| Some(BigInt(days * 86_400));
    assert_eq!(
        stays,
        [
            ("lead-in", Some(StageExit::Advanced), days(2)),
            ("offer", Some(StageExit::Lost), days(8)),
            ("demo", None, None),
        ]
    );
    assert_eq!(row.phase, OpportunityPhase::Open);
    assert_eq!(row.lost_reason, None);
    assert_eq!(row.outcomes.len(), 1);
    assert_eq!(row.outcomes[0].reason, Some(value("price")));
    assert_eq!(
        row.outcomes[0].reopened_at,
        Some(value("2026-02-01T09:00:00Z"))
    );
    assert_eq!(row.stamp.version, BigInt(4));
}

#[test]
fn the_weighted_value_follows_stage_value_and_outcome() {
    let changed = OpportunityEvent::OpportunityValueChanged {
        from: money("1000 CNY"),
        to: money("333.33 CNY"),
    };
    let history = customer()
        .event(deal(1), opened("1000 CNY"))
        .event(deal(1), changed);
    let row = |history: History| -> OpportunityRow {
        history.then().get(&deal(1).to_string()).unwrap().unwrap()
    };
    let open = row(history);
    assert_eq!(open.weighted_value.amount, value("33.333"));
    let decided = customer()
        .event(deal(1), opened("1000 CNY"))
        .event(deal(1), won("lead-in"));
    let decided = row(decided);
    assert_eq!(decided.weighted_value.amount, value("1000"));
    assert_eq!(decided.probability, BasisPoints::WHOLE);
}

#[test]
fn the_board_holds_what_is_open_and_nothing_else() {
    let shown = customer()
        .on("2026-01-10")
        .event(deal(1), opened("1000 CNY"))
        .on("2026-01-11")
        .event(deal(2), opened("500 CNY"))
        .event(deal(3), opened("20.50 EUR"))
        .event(deal(4), opened("9 CNY"))
        .event(deal(4), lost("lead-in", "price"))
        .on("2026-01-12")
        .event(deal(1), advanced("lead-in", "offer"))
        .then();
    let stages = board(&shown, &default_pipeline(), Some(&definition())).unwrap();
    let seen: Vec<_> = stages
        .iter()
        .map(|stage| (stage.code.as_str(), stage.current, stage.opportunities))
        .collect();
    assert_eq!(
        seen,
        [("lead-in", true, 2), ("demo", true, 0), ("offer", false, 1)]
    );
    let sums: Vec<_> = stages[0]
        .totals
        .iter()
        .map(|total| {
            let currency = total.currency.to_string();
            (
                currency,
                total.value.to_string(),
                total.weighted_value.to_string(),
            )
        })
        .collect();
    let sum = |currency: &str, value: &str, weighted: &str| {
        (currency.to_owned(), value.to_owned(), weighted.to_owned())
    };
    assert_eq!(sums, [sum("CNY", "500", "50"), sum("EUR", "20.5", "2.05")]);
    assert_eq!(stages[0].oldest, Some(deal(2).to_string()));
    assert_eq!(stages[2].oldest_since, Some(value("2026-01-12T09:00:00Z")));
    let all = board_totals(&stages);
    assert_eq!(all[0].value, value("1500"));
    assert_eq!(all[0].opportunities, 2);
}

#[test]
fn the_funnel_keeps_lost_deals_and_counts_each_deal_once_per_stage() {
    let shown = customer()
        .on("2026-01-10")
        .event(deal(1), opened("100 CNY"))
        .event(deal(2), opened("100 CNY"))
        .event(deal(3), opened("100 CNY"))
        .on("2026-01-12")
        .event(deal(1), advanced("lead-in", "demo"))
        .event(deal(2), advanced("lead-in", "demo"))
        .on("2026-01-20")
        .event(deal(3), lost("lead-in", "price"))
        .event(deal(1), advanced("demo", "offer"))
        .on("2026-02-01")
        .event(deal(1), won("offer"))
        .event(deal(2), lost("demo", "timing"))
        .on("2026-02-05")
        .event(deal(2), reopened("demo", "demo"))
        .event(deal(4), opened("100 CNY"))
        .then();
    let stages = funnel(&shown, &default_pipeline(), year()).unwrap();
    let counts: Vec<_> = stages
        .iter()
        .map(|s| (s.stage.as_str(), s.entered, s.won, s.lost, s.open))
        .collect();
    assert_eq!(
        counts,
        [
            ("lead-in", 4, 1, 1, 2),
            ("demo", 2, 1, 0, 1),
            ("offer", 1, 1, 0, 0)
        ]
    );
    let onward: Vec<_> = stages[0]
        .conversions
        .iter()
        .map(|c| (c.stage.as_str(), c.reached, c.share))
        .collect();
    assert_eq!(
        onward,
        [
            ("demo", 2, Some(points(5_000))),
            ("offer", 1, Some(points(2_500)))
        ]
    );
    let months: Vec<_> = stages[0]
        .cohorts
        .iter()
        .map(|cohort| (cohort.month.as_str(), cohort.entered, cohort.lost))
        .collect();
    assert_eq!(months, [("2026-01", 3, 1), ("2026-02", 1, 0)]);
    // Stays that are over: 2, 2 and 10 days in the first stage, 8 and 20 in the second.
    assert_eq!(stages[0].median_dwell_days, Some(value("2")));
    assert_eq!(stages[0].mean_dwell_days, Some(value("4.67")));
    assert_eq!(stages[1].median_dwell_days, Some(value("14")));
}

#[test]
fn a_skipped_stage_was_not_entered() {
    let shown = customer()
        .event(deal(1), opened("100 CNY"))
        .event(deal(1), advanced("lead-in", "offer"))
        .then();
    let stages = funnel(&shown, &default_pipeline(), year()).unwrap();
    let entered: Vec<_> = stages.iter().map(|stage| stage.stage.as_str()).collect();
    assert_eq!(entered, ["lead-in", "offer"]);
}

#[test]
fn reasons_for_losses_add_up_to_the_whole() {
    let mut history = customer();
    let reasons = ["price", "price", "price", "timing"];
    for (number, reason) in (1..).zip(reasons) {
        history = history
            .event(deal(number), opened("100 CNY"))
            .event(deal(number), lost("lead-in", reason));
    }
    let shown = history
        .event(deal(9), opened("250.50 CNY"))
        .event(deal(9), won("lead-in"))
        .then();
    let found = outcomes(&shown, year(), Some(&default_pipeline()), None).unwrap();
    assert_eq!((found.won, found.lost), (1, 4));
    assert_eq!(found.win_rate, Some(points(2_000)));
    assert_eq!(found.totals[0].won_value, value("250.5"));
    assert_eq!(found.totals[0].lost_value, value("400"));
    let reasons: Vec<_> = found
        .lost_reasons
        .iter()
        .map(|r| (r.reason.as_str(), r.lost, r.cumulative_share))
        .collect();
    assert_eq!(
        reasons,
        [
            ("price", 3, Some(points(7_500))),
            ("timing", 1, Some(points(10_000)))
        ]
    );
    let nobody = outcomes(&shown, year(), None, Some("nobody")).unwrap();
    assert_eq!(nobody.win_rate, None);
}

fn captured() -> LeadEvent {
    LeadEvent::LeadCaptured {
        source: value("trade-fair"),
        source_key: None,
        campaign: None,
        title: value("酸奶生产线"),
        company: Some(value("蒙古牧场")),
        contact: None,
        interest: None,
        estimated_value: Some(money("5000 CNY")),
        owner: None,
    }
}

fn followed_up(next_on: Option<&str>) -> LeadEvent {
    LeadEvent::LeadFollowedUp {
        channel: Channel::Phone,
        summary: value("asked for a catalogue"),
        next_on: next_on.map(value),
        phase: LeadPhase::Working,
    }
}

#[test]
fn a_lead_shows_how_long_it_waited_and_when_it_is_due() {
    let lead: LeadId = id(7);
    let shown = given()
        .at("2026-01-10T09:00:00Z")
        .event(lead, captured())
        .at("2026-01-10T10:30:00Z")
        .event(lead, followed_up(Some("2026-01-20")))
        .at("2026-01-11T10:30:00Z")
        .event(lead, followed_up(Some("2026-01-25")))
        .then();
    let row: LeadRow = shown.get(&lead.to_string()).unwrap().unwrap();
    assert_eq!(row.first_response_seconds, Some(BigInt(5_400)));
    assert_eq!(row.last_follow_up_at, Some(value("2026-01-11T10:30:00Z")));
    assert_eq!(row.next_follow_up_on, Some(value("2026-01-25")));
    assert_eq!(row.follow_up_count, 2);
    let hits = shown.search("牧场", &["lead"], 10).unwrap();
    assert_eq!(hits.len(), 1);
}

#[test]
fn a_lead_that_is_left_is_not_due_and_shows_what_it_became() {
    let lead: LeadId = id(7);
    let converted = LeadEvent::LeadConverted {
        customer: id(CUSTOMER),
        new_customer: true,
        opportunity: deal(1),
        contact: None,
    };
    let shown = customer()
        .event(lead, captured())
        .event(lead, followed_up(Some("2026-01-20")))
        .commit(vec![
            (deal(1).to_string(), opened("5000 CNY").into()),
            (lead.to_string(), converted.into()),
        ])
        .then();
    let row: LeadRow = shown.get(&lead.to_string()).unwrap().unwrap();
    assert_eq!(row.phase, LeadPhase::Converted);
    assert_eq!(row.next_follow_up_on, None);
    assert_eq!(row.opportunity, Some(deal(1)));
    assert_eq!(shown.count::<LeadRow>(&Condition::EVERYTHING).unwrap(), 1);
}

#[test]
fn only_the_last_follow_ups_stay_in_the_row() {
    let lead: LeadId = id(7);
    let mut history = given().event(lead, captured());
    for _ in 0..25 {
        history = history.event(lead, followed_up(None));
    }
    let row: LeadRow = history.then().get(&lead.to_string()).unwrap().unwrap();
    assert_eq!((row.follow_up_count, row.follow_ups.len()), (25, 20));
}

#[test]
fn an_event_of_an_unknown_opportunity_is_parked_and_changes_nothing() {
    let shown = customer().event(deal(1), won("offer")).show();
    let parked = shown.parked().unwrap();
    let models: Vec<_> = parked.iter().map(|hole| hole.read_model.as_str()).collect();
    assert_eq!(models, ["pipeline", "customerOverview"]);
    assert!(board(&shown, &default_pipeline(), None).unwrap().is_empty());
}
