//! The first day: rules, warehouses, catalogue, prices, stock; and what is known to come.

use daybook_schema::{
    governance::{
        ComplaintRules, ExitCriterion, OrderRules, PipelineDefinition, PipelineStage, PolicyRules,
        PublishPolicy,
    },
    kernel::{BasisPoints, Code, Currency, Money},
};

use super::{
    Simulation,
    cases::{Occasion, Task},
};
use crate::{
    default_policies,
    demo::{
        calendar::{self, HOUR, Region},
        world::{own, text},
    },
};

/// Customers that an ordinary company has from the beginning, in thousandths.
const FIRST_CUSTOMERS: u64 = 150_000;

impl Simulation {
    /// Issues what makes a company able to trade, and fills the agenda.
    pub(super) fn open(&mut self) {
        self.take_on_staff();
        self.open_warehouses();
        self.publish_policies();
        self.list_products();
        self.set_prices();
        self.fill_shelves();
        for _ in 0..self.scaled(FIRST_CUSTOMERS).div_ceil(1_000) {
            let region = self.region();
            self.register(region);
        }
        let tomorrow = calendar::start_of(calendar::later(self.today(), 1).0);
        self.agenda.enter(tomorrow, Task::Day);
        self.agenda.enter(tomorrow + 2 * HOUR, Task::StockReview);
        self.agenda.enter(tomorrow + 9 * HOUR, Task::StockCount);
        self.enter_occasions();
    }

    /// A region, by how much business it brings.
    pub(super) fn region(&mut self) -> Region {
        Region::ALL[self.chance.weighted(&[60, 25, 15])]
    }

    fn enter_occasions(&mut self) {
        let occasions = [
            (45, Occasion::NewHalls),
            (365, Occasion::NewRules),
            (105, Occasion::Fair),
            (290, Occasion::Fair),
            (470, Occasion::Fair),
            (655, Occasion::Fair),
            (170, Occasion::Catalogue),
            (330, Occasion::Catalogue),
            (510, Occasion::Catalogue),
            (640, Occasion::Catalogue),
        ];
        for (days, occasion) in occasions {
            self.enter_occasion(days, occasion);
        }
        let first = self.today();
        for days in 0..731 {
            let day = calendar::later(first, days).0;
            for occasion in by_date(day) {
                self.enter_occasion(days, occasion);
            }
        }
    }

    fn enter_occasion(&mut self, days: i64, occasion: Occasion) {
        let day = calendar::later(self.today(), days).0;
        let at = calendar::start_of(day) + 3 * HOUR;
        self.agenda.enter(at, Task::Event(occasion));
    }

    /// Does what happens once.
    pub(super) fn occasion(&mut self, occasion: Occasion) {
        match occasion {
            Occasion::PriceRise => self.raise_prices(self.in_days(14)),
            Occasion::Promotion => self.promote(),
            Occasion::Depot => self.use_depot(),
            Occasion::NewHalls => self.rename_warehouse(),
            Occasion::NewRules => self.ease_rules(),
            Occasion::Catalogue => self.tidy_catalogue(),
            Occasion::Fair => self.go_to_fair(),
        }
    }

    /// Publishes the policies of the first day again, so that they hold from then on whatever the
    /// organisation was founded with, and the pipeline of key accounts beside them.
    fn publish_policies(&mut self) {
        for rules in own(default_policies()) {
            self.publish(None, rules);
        }
        let key_accounts = PolicyRules::Pipeline(key_account_pipeline());
        self.publish(Some(text(KEY_ACCOUNT)), key_accounts);
    }

    fn ease_rules(&mut self) {
        let approval_above = self.approval_above(true);
        self.publish(
            None,
            PolicyRules::Complaints(ComplaintRules { approval_above }),
        );
        let over_delivery = own(BasisPoints::try_from(200_i64));
        self.publish(None, PolicyRules::Orders(OrderRules { over_delivery }));
        self.rules_eased = true;
    }

    /// The compensation above which a remedy needs approval, before and after the rules are eased.
    pub(super) fn approval_above(&self, eased: bool) -> Money {
        let fen = if eased { 200_000 } else { 100_000 };
        Money::from_minor(fen, Currency::CNY)
    }

    fn publish(&mut self, name: Option<Code>, rules: PolicyRules) {
        let effective_from = self.in_days(0);
        let who = self.manager(Region::China);
        let command = PublishPolicy {
            name,
            rules,
            effective_from,
        };
        self.issue(&who, command);
    }
}

/// What the calendar brings every year.
fn by_date(day: chrono::NaiveDate) -> Vec<Occasion> {
    use chrono::Datelike;
    match (day.month(), day.day()) {
        (12, 18) => vec![Occasion::PriceRise],
        (11, 1 | 14) => vec![Occasion::Promotion],
        (10, 20) | (1, 10) => vec![Occasion::Depot],
        _ => Vec::new(),
    }
}

/// The name of the pipeline for large customers.
pub(super) const KEY_ACCOUNT: &str = "key-account";

/// The stages through which large customers go; they are won only with an order.
pub(super) fn key_account_pipeline() -> PipelineDefinition {
    let stage = |code, name, zh, probability: i64, criterion: Option<(&str, &str)>| PipelineStage {
        code: text(code),
        name: text(name),
        name_zh: Some(text(zh)),
        probability: own(BasisPoints::try_from(probability)),
        exit_criteria: criterion
            .map(|(code, name)| ExitCriterion {
                code: text(code),
                name: text(name),
            })
            .into_iter()
            .collect(),
        may_regress: code != "identify",
    };
    PipelineDefinition {
        stages: vec![
            stage(
                "identify",
                "Identified",
                "识别",
                500,
                Some(("sponsor", "Somebody inside supports us")),
            ),
            stage(
                "needs",
                "Needs analysis",
                "需求分析",
                2_000,
                Some(("needs-agreed", "The customer confirmed the needs")),
            ),
            stage(
                "samples",
                "Samples",
                "样品确认",
                4_000,
                Some(("samples-approved", "The samples were approved")),
            ),
            stage(
                "offer",
                "Offer",
                "报价",
                6_000,
                Some(("offer-sent", "The customer has an offer")),
            ),
            stage("contract", "Contract", "合同签署", 8_500, None),
        ],
        win_requires_order: true,
    }
}
