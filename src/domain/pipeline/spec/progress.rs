use daybook_schema::{
    DomainEvent,
    kernel::Money,
    pipeline::{
        AdvanceOpportunityStage, ChangeOpportunityValue, LoseOpportunity, MetCriterion,
        OpenOpportunity, OpportunityEvent, OpportunityId, OpportunityStage, RecordExitCriterion,
        RegressOpportunityStage, ReopenOpportunity,
    },
};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{acme, at, business, pipeline, publish, stage, yuan};
use crate::spec::{Given, t, uuid};

fn deal() -> OpportunityId {
    OpportunityId(uuid(20))
}

fn opened() -> Given {
    business().done(
        20,
        OpenOpportunity {
            customer: acme(),
            name: t("Ten forklifts"),
            value: yuan(1_000),
            expected_close_on: t("2026-05-31"),
            pipeline: None,
            owner: None,
            lead: None,
        },
    )
}

fn advance(to: Option<&str>, criteria: &[&str]) -> AdvanceOpportunityStage {
    let met = |criterion: &&str| MetCriterion {
        criterion: t(criterion),
        note: Some(t("by telephone")),
    };
    AdvanceOpportunityStage {
        opportunity: deal(),
        to: to.map(t),
        criteria: criteria.iter().map(met).collect(),
    }
}

fn regress(to: &str) -> RegressOpportunityStage {
    RegressOpportunityStage {
        opportunity: deal(),
        to: t(to),
        because: t("the need changed"),
    }
}

fn record(criterion: &str) -> RecordExitCriterion {
    RecordExitCriterion {
        opportunity: deal(),
        criterion: t(criterion),
        note: None,
    }
}

fn advanced(from: &str, to: &str) -> DomainEvent {
    OpportunityEvent::OpportunityStageAdvanced {
        from_stage: at(from),
        to_stage: at(to),
        value: yuan(1_000),
    }
    .into()
}

fn in_analysis() -> Given {
    opened().done(21, advance(None, &["need-known"]))
}

fn in_proposal() -> Given {
    in_analysis().done(22, advance(None, &["budget-known", "decider-known"]))
}

fn in_contract() -> Given {
    in_proposal().done(23, advance(None, &["proposal-accepted"]))
}

#[test]
fn a_stage_is_left_when_its_criteria_are_on_record() {
    opened()
        .done(21, record("need-known"))
        .when(advance(None, &[]))
        .then(&[(&deal(), advanced("contact", "analysis"))]);
}

#[test]
fn criteria_given_with_the_advance_go_on_record_before_it() {
    let met = OpportunityEvent::OpportunityCriterionMet {
        criterion: t("need-known"),
        stage: t("contact"),
        note: Some(t("by telephone")),
    };
    opened().when(advance(None, &["need-known"])).then(&[
        (&deal(), met.into()),
        (&deal(), advanced("contact", "analysis")),
    ]);
}

#[test]
fn a_criterion_on_record_may_be_given_again_without_effect() {
    opened()
        .done(21, record("need-known"))
        .when(advance(None, &["need-known", "need-known"]))
        .then(&[(&deal(), advanced("contact", "analysis"))]);
}

#[test]
fn a_stage_is_not_left_without_its_criteria() {
    let refusal = in_analysis()
        .when(advance(None, &["decider-known"]))
        .then_refused("EXIT_CRITERIA_UNMET");
    assert_eq!(refusal.message, "not on record: `budget-known`");
    assert_eq!(refusal.field, ["criteria"]);
}

#[test]
fn skipped_stages_ask_for_their_criteria_too() {
    let refusal = opened()
        .when(advance(Some("contract"), &["need-known", "budget-known"]))
        .then_refused("EXIT_CRITERIA_UNMET");
    assert_eq!(
        refusal.message,
        "not on record: `decider-known`, `proposal-accepted`"
    );
    let all = [
        "need-known",
        "budget-known",
        "decider-known",
        "proposal-accepted",
    ];
    let events = opened()
        .attempt(21, advance(Some("contract"), &all))
        .unwrap_or_default();
    assert_eq!(
        events.last().map(|recorded| recorded.event.clone()),
        Some(advanced("contact", "contract"))
    );
}

#[test]
fn the_way_forwards_leads_to_later_stages_only() {
    in_analysis()
        .when(advance(Some("analysis"), &[]))
        .then_refused("STAGE_NOT_AHEAD");
    in_analysis()
        .when(advance(Some("contact"), &[]))
        .then_refused("STAGE_NOT_AHEAD");
    in_analysis()
        .when(advance(Some("tender"), &[]))
        .then_refused("STAGE_UNKNOWN");
}

#[test]
fn nothing_comes_after_the_last_stage() {
    in_contract()
        .when(advance(None, &[]))
        .then_refused("STAGE_IS_LAST");
}

#[test]
fn a_criterion_is_one_of_the_pipeline() {
    opened()
        .when(record("lunch-had"))
        .then_refused("CRITERION_UNKNOWN");
    opened()
        .when(advance(None, &["lunch-had"]))
        .then_refused("CRITERION_UNKNOWN");
}

#[test]
fn a_criterion_is_recorded_once_and_may_be_of_a_later_stage() {
    opened()
        .when(record("proposal-accepted"))
        .then_types(&["OpportunityCriterionMet"]);
    opened()
        .done(21, record("proposal-accepted"))
        .when(record("proposal-accepted"))
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn an_opportunity_goes_back_where_its_stage_allows() {
    let regressed = OpportunityEvent::OpportunityStageRegressed {
        from_stage: at("proposal"),
        to_stage: at("contact"),
        value: yuan(1_000),
        because: t("the need changed"),
    };
    in_proposal()
        .when(regress("contact"))
        .then(&[(&deal(), regressed.into())]);
    in_contract()
        .when(regress("proposal"))
        .then_refused("REGRESSION_FORBIDDEN");
}

#[test]
fn the_way_back_leads_to_earlier_stages_only() {
    in_analysis()
        .when(regress("analysis"))
        .then_refused("STAGE_NOT_BEHIND");
    in_analysis()
        .when(regress("proposal"))
        .then_refused("STAGE_NOT_BEHIND");
    in_analysis()
        .when(regress("tender"))
        .then_refused("STAGE_UNKNOWN");
}

#[test]
fn criteria_on_record_stay_met_after_going_back() {
    in_proposal()
        .done(23, regress("contact"))
        .when(advance(Some("proposal"), &[]))
        .then(&[(&deal(), advanced("contact", "proposal"))]);
}

#[test]
fn a_new_version_of_the_pipeline_leaves_opportunities_under_way_alone() {
    let mut changed = pipeline();
    changed.stages = vec![stage("contact", 500, &["need-known", "visit-made"], false)];
    opened()
        .done(21, publish(changed))
        .when(advance(None, &["need-known"]))
        .then_types(&["OpportunityCriterionMet", "OpportunityStageAdvanced"]);
}

#[test]
fn an_advance_cites_the_version_it_goes_by() {
    let known = opened().done(21, publish(pipeline()));
    let cited = known.cites(advance(None, &["need-known"]));
    assert_eq!(cited, ["pipeline.default@1"]);
}

#[test]
fn a_reopened_opportunity_goes_on_in_its_last_stage_or_an_earlier_one() {
    let lose = LoseOpportunity {
        opportunity: deal(),
        lost_reason: t("price"),
        competitor: None,
        note: None,
    };
    let reopen = |stage: Option<&str>| ReopenOpportunity {
        opportunity: deal(),
        because: t("they called back"),
        stage: stage.map(t),
    };
    in_proposal()
        .done(23, lose.clone())
        .done(24, reopen(None))
        .when(advance(None, &["proposal-accepted"]))
        .then_types(&["OpportunityCriterionMet", "OpportunityStageAdvanced"]);
    in_proposal()
        .done(23, lose)
        .done(24, reopen(Some("analysis")))
        .when(advance(None, &[]))
        .then(&[(&deal(), advanced("analysis", "proposal"))]);
}

/// What somebody may try with an opportunity.
#[derive(Clone, Debug)]
enum Try {
    Advance(Option<usize>),
    Regress(usize),
    Record(usize),
    Value(i64),
    Lose,
    Reopen(Option<usize>),
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = prop_oneof![
        any::<Option<u8>>().prop_map(|to| Try::Advance(to.map(index))),
        any::<u8>().prop_map(|to| Try::Regress(index(to))),
        any::<u8>().prop_map(|criterion| Try::Record(index(criterion))),
        (0..5_i64).prop_map(Try::Value),
        Just(Try::Lose),
        any::<Option<u8>>().prop_map(|to| Try::Reopen(to.map(index))),
    ];
    proptest::collection::vec(one, 1..40)
}

fn index(byte: u8) -> usize {
    usize::from(byte % 4)
}

const STAGES: [&str; 4] = ["contact", "analysis", "proposal", "contract"];
const CRITERIA: [&str; 4] = [
    "need-known",
    "budget-known",
    "decider-known",
    "proposal-accepted",
];

fn attempt(known: &Given, id: u128, what: &Try) -> Vec<OpportunityEvent> {
    let events = match what {
        Try::Advance(to) => known.attempt(id, advance(to.map(|to| STAGES[to]), &[])),
        Try::Regress(to) => known.attempt(id, regress(STAGES[*to])),
        Try::Record(criterion) => known.attempt(id, record(CRITERIA[*criterion])),
        Try::Value(amount) => known.attempt(
            id,
            ChangeOpportunityValue {
                opportunity: deal(),
                value: yuan(*amount),
            },
        ),
        Try::Lose => known.attempt(
            id,
            LoseOpportunity {
                opportunity: deal(),
                lost_reason: t("price"),
                competitor: None,
                note: None,
            },
        ),
        Try::Reopen(stage) => known.attempt(
            id,
            ReopenOpportunity {
                opportunity: deal(),
                because: t("they called back"),
                stage: stage.map(|stage| t(STAGES[stage])),
            },
        ),
    }
    .unwrap_or_default();
    let of_deal = |recorded: crate::RecordedEvent| match recorded.event {
        DomainEvent::Opportunity(event) => Some(event),
        _ => None,
    };
    events.into_iter().filter_map(of_deal).collect()
}

/// The criteria that stages from the first of the two up to before the second ask for.
fn asked(from: u32, to: u32) -> Vec<String> {
    let between = (1..).zip(pipeline().stages);
    between
        .filter(|(position, _)| (from..to).contains(position))
        .flat_map(|(_, stage)| stage.exit_criteria)
        .map(|criterion| criterion.code.to_string())
        .collect()
}

/// What a reader of the facts knows of the opportunity.
struct Reader {
    stage: OpportunityStage,
    value: Money,
    met: Vec<String>,
}

impl Reader {
    fn see(&mut self, event: OpportunityEvent) {
        use OpportunityEvent as E;
        match event {
            E::OpportunityCriterionMet {
                criterion, stage, ..
            } => {
                assert_eq!(stage, self.stage.code);
                self.met.push(criterion.to_string());
            }
            E::OpportunityStageAdvanced {
                from_stage,
                to_stage,
                value,
            } => {
                assert_eq!((&from_stage, value), (&self.stage, self.value));
                assert!(to_stage.position > from_stage.position);
                let needed = asked(from_stage.position, to_stage.position);
                assert!(needed.iter().all(|code| self.met.contains(code)));
                self.stage = to_stage;
            }
            E::OpportunityStageRegressed {
                from_stage,
                to_stage,
                value,
                ..
            }
            | E::OpportunityReopened {
                from_stage,
                to_stage,
                value,
                ..
            } => {
                assert_eq!((&from_stage, value), (&self.stage, self.value));
                assert!(to_stage.position <= from_stage.position);
                self.stage = to_stage;
            }
            E::OpportunityValueChanged { from, to } => {
                assert_eq!(from, self.value);
                self.value = to;
            }
            E::OpportunityLost { stage, value, .. } => {
                assert_eq!((stage, value), (self.stage.clone(), self.value));
            }
            other => unreachable!("nobody tried {other:?}"),
        }
    }
}

proptest! {
    /// The history of stages and values has no gap, and no stage is left forwards without its
    /// criteria.
    #[test]
    fn the_history_is_unbroken_whatever_is_tried(tries in tries()) {
        let known = opened();
        let mut reader = Reader { stage: at("contact"), value: yuan(1_000), met: Vec::new() };
        for (id, what) in (100..).zip(&tries) {
            for event in attempt(&known, id, what) {
                reader.see(event);
            }
        }
    }
}
