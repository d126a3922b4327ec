//! Deals: opportunities on their way through the stages, won, lost and taken up again.

use std::sync::Arc;

use daybook_schema::{
    governance::{PipelineDefinition, PolicyRules},
    kernel::{Code, Date, Money, Name},
    orders::OrderId,
    pipeline::{
        AddOpportunityCompetitor, AdvanceOpportunityStage, AssignOpportunityOwner,
        ChangeOpportunityValue, LoseOpportunity, MetCriterion, MoveOpportunityCloseDate,
        NoteOpportunityInsight, OpenOpportunity, OpportunityId, OpportunityInsight,
        RecordExitCriterion, RegressOpportunityStage, ReopenOpportunity, WinOpportunity,
    },
};

use super::{
    Simulation,
    cases::Task,
    customers::Customer,
    opening::{KEY_ACCOUNT, key_account_pipeline},
    staff::Who,
};
use crate::{
    default_policies,
    demo::{
        calendar::{self, Region},
        world::{own, text},
    },
};

/// Value in whole units above which a deal goes through the pipeline of key accounts.
const KEY_VALUE: i64 = 100_000;
/// In the order of what people say of them.
const REASONS: [&str; 3] = ["price", "no-decision", "delivery-time"];

/// A deal under way.
pub(super) struct DealCase {
    opportunity: OpportunityId,
    customer: usize,
    region: Region,
    rep: Who,
    value: Money,
    /// When it should be decided.
    close_on: Date,
    pipeline: Arc<PipelineDefinition>,
    stage: usize,
    /// Criteria on record.
    met: Vec<Code>,
    competitors: Vec<Name>,
    /// Whether it was won or lost and waits to be taken up again.
    is_closed: bool,
    was_reopened: bool,
}

/// What is hoped for when a deal is opened.
pub(super) struct Hope {
    pub(super) value: Money,
    pub(super) close_on: Date,
    /// The pipeline that it goes through; none for the ordinary one.
    pub(super) pipeline: Option<Code>,
}

impl DealCase {
    fn is_last_stage(&self) -> bool {
        self.stage + 1 == self.pipeline.stages.len()
    }

    /// What the present stage asks for and is not on record.
    fn missing(&self) -> Vec<Code> {
        self.missing_from(self.stage..self.stage + 1)
    }

    fn missing_from(&self, stages: std::ops::Range<usize>) -> Vec<Code> {
        let stages = self.pipeline.stages[stages].iter();
        stages
            .flat_map(|stage| &stage.exit_criteria)
            .map(|criterion| criterion.code.clone())
            .filter(|code| !self.met.contains(code))
            .collect()
    }
}

impl Simulation {
    /// Opens a deal with a customer.
    pub(super) fn open_deal(&mut self, customer: usize) {
        let month = self.month();
        let Customer {
            customer: id,
            region,
            ref owner,
            currency,
            taste,
            ..
        } = self.customers.known[customer];
        let rep = owner.clone();
        let name = self.customers.known[customer].details.name.clone();
        let good = self.goods.choose(&mut self.chance, taste, month);
        let value = self.sum(4_000, 220_000, currency);
        let hope = self.hope(value);
        let command = OpenOpportunity {
            customer: id,
            name: self.deal_name(&name, good, region),
            value,
            expected_close_on: hope.close_on,
            pipeline: hope.pipeline.clone(),
            owner: Some(rep.actor.clone()),
            lead: None,
        };
        let id = self.issue(&rep, command);
        self.pursue(customer, id.into(), rep, hope);
    }

    /// What is hoped for of a deal of some value.
    pub(super) fn hope(&mut self, value: Money) -> Hope {
        let days = self.chance.between(20, 100);
        Hope {
            value,
            close_on: self.in_days(days),
            pipeline: (value.minor() >= KEY_VALUE * 100).then(|| text(KEY_ACCOUNT)),
        }
    }

    /// What a deal is called.
    pub(super) fn deal_name(&self, company: &Name, good: usize, region: Region) -> Name {
        let good = self.goods.name(good, region);
        text(&if region.is_chinese() {
            format!("{company} {good}采购项目")
        } else {
            format!("{company}: {good}")
        })
    }

    /// Goes after a deal that was just opened.
    pub(super) fn pursue(
        &mut self,
        customer: usize,
        opportunity: OpportunityId,
        rep: Who,
        hope: Hope,
    ) {
        let region = self.customers.known[customer].region;
        let case = DealCase {
            opportunity,
            customer,
            region,
            rep,
            value: hope.value,
            close_on: hope.close_on,
            pipeline: match hope.pipeline {
                Some(_) => self.pipelines.key_account.clone(),
                None => self.pipelines.ordinary.clone(),
            },
            stage: 0,
            met: Vec::new(),
            competitors: Vec::new(),
            is_closed: false,
            was_reopened: false,
        };
        self.next_deal_step(case, 1, 8);
    }

    fn next_deal_step(&mut self, case: DealCase, low: i64, high: i64) {
        let region = case.region;
        self.plan(region, low, high, Task::Deal(Box::new(case)));
    }

    /// The next step with a deal.
    pub(super) fn deal(&mut self, mut case: DealCase) {
        if case.is_closed {
            return self.reopen(case);
        }
        match self.chance.weighted(&[430, 130, 60, 100, 80, 25, 35, 200]) {
            0 if case.is_last_stage() => return self.win(case),
            0 => self.advance(&mut case),
            1 => self.note_insight(&case),
            2 => self.add_competitor(&mut case),
            3 => self.change_value(&mut case),
            4 => self.move_close_date(&mut case),
            5 => self.change_owner(&mut case),
            6 => self.regress(&mut case),
            _ if self.chance.permille(600) => return self.lose_deal(case),
            _ => self.note_insight(&case),
        }
        self.next_deal_step(case, 2, 11);
    }

    fn advance(&mut self, case: &mut DealCase) {
        let opportunity = case.opportunity;
        let root = opportunity.0;
        let missing = case.missing();
        if !missing.is_empty() && self.chance.permille(40) {
            // Too fast: the stage has not brought forth what it must.
            let command = AdvanceOpportunityStage {
                opportunity,
                to: None,
                criteria: Vec::new(),
            };
            self.follow(root, &case.rep, command);
        }
        let mut criteria = Vec::new();
        for criterion in missing {
            case.met.push(criterion.clone());
            let note = Some(self.say(|world| &world.phrases.insight, case.region));
            if self.chance.permille(500) {
                criteria.push(MetCriterion { criterion, note });
                continue;
            }
            let command = RecordExitCriterion {
                opportunity,
                criterion,
                note,
            };
            self.follow(root, &case.rep, command);
        }
        let command = AdvanceOpportunityStage {
            opportunity,
            to: None,
            criteria,
        };
        self.follow(root, &case.rep, command);
        case.stage += 1;
    }

    fn note_insight(&mut self, case: &DealCase) {
        let insight = *self.chance.pick(&[
            OpportunityInsight::Interest,
            OpportunityInsight::DecisionFactor,
            OpportunityInsight::Stakeholder,
            OpportunityInsight::Objection,
        ]);
        let command = NoteOpportunityInsight {
            opportunity: case.opportunity,
            insight,
            note: self.say(|world| &world.phrases.insight, case.region),
        };
        self.follow(case.opportunity.0, &case.rep, command);
    }

    fn add_competitor(&mut self, case: &mut DealCase) {
        let competitor = self.chance.pick(&self.world.companies.competitors).clone();
        if case.competitors.contains(&competitor) {
            return;
        }
        case.competitors.push(competitor.clone());
        let opportunity = case.opportunity;
        let command = AddOpportunityCompetitor {
            opportunity,
            competitor,
        };
        self.follow(opportunity.0, &case.rep, command);
    }

    fn change_value(&mut self, case: &mut DealCase) {
        let share = self.chance.between(70, 140);
        let minor = case.value.minor() / 10_000 * share / 100 * 10_000;
        let value = Money::from_minor(minor, case.value.currency());
        if value == case.value {
            return;
        }
        case.value = value;
        let opportunity = case.opportunity;
        let command = ChangeOpportunityValue { opportunity, value };
        self.follow(opportunity.0, &case.rep, command);
        let reason = self.say(|world| &world.phrases.new_plan, case.region);
        self.because(reason);
    }

    fn move_close_date(&mut self, case: &mut DealCase) {
        let days = self.chance.between(5, 45);
        let today = self.in_days(0);
        let is_pulled_in = self.chance.permille(200);
        let from = if is_pulled_in {
            today
        } else {
            case.close_on.max(today)
        };
        let close_on = calendar::later(from.0, days);
        if close_on == case.close_on {
            return;
        }
        case.close_on = close_on;
        let command = MoveOpportunityCloseDate {
            opportunity: case.opportunity,
            expected_close_on: close_on,
        };
        self.follow(case.opportunity.0, &case.rep, command);
        let reason = self.say(|world| &world.phrases.new_plan, case.region);
        self.because(reason);
    }

    fn change_owner(&mut self, case: &mut DealCase) {
        let rep = self.rep(case.region);
        if rep.actor == case.rep.actor {
            return;
        }
        let manager = self.manager(case.region);
        let opportunity = case.opportunity;
        let owner = rep.actor.clone();
        let command = AssignOpportunityOwner { opportunity, owner };
        self.follow(opportunity.0, &manager, command);
        let reason = self.say(|world| &world.phrases.hand_over, case.region);
        self.because(reason);
        case.rep = rep;
    }

    fn regress(&mut self, case: &mut DealCase) {
        if case.stage == 0 || !case.pipeline.stages[case.stage].may_regress {
            return;
        }
        case.stage -= 1;
        let command = RegressOpportunityStage {
            opportunity: case.opportunity,
            to: case.pipeline.stages[case.stage].code.clone(),
            because: self.say(|world| &world.phrases.back, case.region),
        };
        self.follow(case.opportunity.0, &case.rep, command);
    }

    fn win(&mut self, mut case: DealCase) {
        let customer = &self.customers.known[case.customer];
        if !customer.is_active {
            return self.lose_deal(case);
        }
        let needs_order = case.pipeline.win_requires_order;
        if needs_order && self.chance.permille(60) {
            // Too fast: the customer has not ordered.
            self.send_win(&case, None);
        }
        let orders = needs_order || self.chance.permille(800);
        let order = orders.then(|| self.place_order(case.customer, Some(case.opportunity)));
        self.send_win(&case, order);
        let all = 0..case.pipeline.stages.len();
        case.met.extend(case.missing_from(all));
        self.maybe_reopen(case, 15);
    }

    fn send_win(&mut self, case: &DealCase, order: Option<OrderId>) {
        let missing = case.missing();
        let criteria = missing.into_iter().map(|criterion| MetCriterion {
            criterion,
            note: None,
        });
        let command = WinOpportunity {
            opportunity: case.opportunity,
            order,
            criteria: criteria.collect(),
            note: Some(self.say(|world| &world.phrases.won, case.region)),
        };
        self.follow(case.opportunity.0, &case.rep, command);
    }

    fn lose_deal(&mut self, case: DealCase) {
        let reason = self.chance.index(REASONS.len());
        let command = LoseOpportunity {
            opportunity: case.opportunity,
            lost_reason: text(REASONS[reason]),
            competitor: case.competitors.first().cloned(),
            note: Some(self.say_nth(|world| &world.phrases.lost, case.region, reason)),
        };
        self.follow(case.opportunity.0, &case.rep, command);
        self.maybe_reopen(case, 90);
    }

    fn maybe_reopen(&mut self, mut case: DealCase, permille: u64) {
        if !case.was_reopened && self.chance.permille(permille) {
            case.is_closed = true;
            self.next_deal_step(case, 5, 60);
        }
    }

    fn reopen(&mut self, mut case: DealCase) {
        if !self.customers.known[case.customer].is_active {
            return;
        }
        let command = ReopenOpportunity {
            opportunity: case.opportunity,
            because: self.say(|world| &world.phrases.reopen, case.region),
            stage: None,
        };
        self.follow(case.opportunity.0, &case.rep, command);
        (case.is_closed, case.was_reopened) = (false, true);
        self.next_deal_step(case, 1, 10);
    }
}

/// The pipelines that deals go through.
pub(super) struct Pipelines {
    ordinary: Arc<PipelineDefinition>,
    key_account: Arc<PipelineDefinition>,
}

impl Pipelines {
    pub(super) fn new() -> Self {
        let mut policies = own(default_policies()).into_iter();
        let ordinary = policies.find_map(|rules| match rules {
            PolicyRules::Pipeline(definition) => Some(definition),
            PolicyRules::Complaints(_) | PolicyRules::Stock(_) | PolicyRules::Orders(_) => None,
        });
        let key_account = key_account_pipeline();
        Self {
            ordinary: ordinary.unwrap_or_else(|| key_account.clone()).into(),
            key_account: key_account.into(),
        }
    }
}
