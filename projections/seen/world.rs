//! A small company made by chance, and who holds what in it, told apart from any table.

use std::collections::{BTreeSet, HashMap};

use daybook_schema::{
    DomainEvent,
    access::{AccountEvent, AccountId, TeamEvent, TeamId, Verifier},
    customers::{
        Channel, Contact, ContactId, CustomerDetails, CustomerEvent, CustomerId, Direction,
        InteractionDetails, InteractionEvent, InteractionId,
    },
    goods::{PriceExplanation, PriceSource, StockItemEvent, StockItemId},
    kernel::{Address, Amount, BasisPoints, Currency, Money},
    orders::{
        OrderEvent, OrderId, OrderLine, OrderLineId, PreparedLine, ShipmentEvent, ShipmentId,
    },
    pipeline::{LeadEvent, LeadId, LeadPhase, OpportunityEvent, OpportunityId, OpportunityStage},
    service::{ComplaintEvent, ComplaintId, Severity},
};

use crate::{
    goods::spec::{cny, cup, north, shop, tea},
    spec::{History, customer_details, id, money, value},
    store::{KindView, Reach, View},
};

pub(super) const KINDS: [&str; 7] = [
    "customer",
    "interaction",
    "lead",
    "opportunity",
    "complaint",
    "order",
    "shipment",
];
const LOGINS: [&str; 4] = ["li.wei", "wang.fang", "zhao.min", "chen.yu"];
const TEAMS: [&str; 3] = ["team-north", "team-east", "team-south"];
const TERRITORIES: [&str; 2] = ["north", "south"];

/// Numbers drawn by chance, of which there are always more.
pub(super) struct Dice {
    drawn: Vec<u8>,
    next: usize,
}

impl Dice {
    pub(super) fn new(drawn: Vec<u8>) -> Self {
        Self { drawn, next: 0 }
    }

    /// One of so many.
    pub(super) fn of(&mut self, many: usize) -> usize {
        self.next += 1;
        let round = self.next / self.drawn.len();
        (usize::from(self.drawn[self.next % self.drawn.len()]) + round) % many
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.of(of.len())].clone()
    }

    pub(super) fn yes(&mut self) -> bool {
        self.of(2) == 1
    }
}

/// In whose hands an object is.
#[derive(Clone, Default)]
struct Hands {
    owner: Option<&'static str>,
    territory: Option<&'static str>,
    pooled: bool,
    /// What it belongs to.
    parent: Option<String>,
}

/// What happened, and to what.
pub(super) struct World {
    facts: Vec<(String, DomainEvent)>,
    hands: HashMap<String, Hands>,
    /// The team of each account.
    members: HashMap<&'static str, &'static str>,
    /// The team above each team that is not dissolved.
    teams: HashMap<&'static str, Option<&'static str>>,
}

impl World {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let mut world = Self {
            facts: Vec::new(),
            hands: HashMap::new(),
            members: HashMap::new(),
            teams: HashMap::new(),
        };
        world.people(dice);
        let customers = 1 + dice.of(4);
        for number in 0..customers {
            world.customer(dice, number);
        }
        for number in 0..dice.of(6) {
            world.lead(dice, number);
        }
        for number in 0..dice.of(8) {
            let customer = dice.of(customers);
            match dice.of(4) {
                0 => world.opportunity(dice, number, customer),
                1 => world.complaint(dice, number, customer),
                2 => world.order(dice, number, customer),
                _ => world.interaction(number, customer),
            }
        }
        world
    }

    /// The history of all of it, or of those objects in somebody's hands that are kept.
    pub(super) fn history(&self, kept: impl Fn(&str) -> bool) -> History {
        let stock = StockItemEvent::StockReceived {
            quantity: value("10"),
            unit_cost: cny("2"),
            value: cny("20"),
            reference: None,
        };
        let item = StockItemId {
            product: tea(),
            warehouse: north(),
        };
        let mut history = shop().event(item, stock);
        for (index, (stream, event)) in self.facts.iter().enumerate() {
            let (month, minute) = (1 + index / 28, index % 28);
            history = history.at(&format!("2026-{month:02}-05T10:{minute:02}:00Z"));
            if !self.hands.contains_key(stream) || kept(stream) {
                history = history.commit(vec![(stream.clone(), event.clone())]);
            }
        }
        history.by("chen.yu").commit(Vec::new())
    }

    /// The objects in somebody's hands.
    pub(super) fn objects(&self) -> Vec<String> {
        let mut objects: Vec<_> = self.hands.keys().cloned().collect();
        objects.sort();
        objects
    }

    /// What an object belongs to.
    pub(super) fn parent(&self, object: &str) -> Option<&str> {
        self.hands.get(object)?.parent.as_deref()
    }

    /// The customers.
    pub(super) fn customers(&self) -> Vec<String> {
        let mut objects = self.objects();
        objects.retain(|id| id.starts_with("customer-"));
        objects
    }

    /// Whether something of an account reaches an object.
    pub(super) fn reaches(&self, reach: &[Reach], login: &str, object: &str) -> bool {
        let mut next = Some(object.to_owned());
        if reach.contains(&Reach::Organisation) {
            return true;
        }
        while let Some(id) = next {
            let Some(hands) = self.hands.get(&id) else {
                return false;
            };
            if reach.iter().any(|reach| self.holds(reach, login, hands)) {
                return true;
            }
            next = hands.parent.clone();
        }
        false
    }

    fn holds(&self, reach: &Reach, login: &str, hands: &Hands) -> bool {
        match reach {
            Reach::Organisation => true,
            Reach::Own => hands.owner == Some(login),
            Reach::Pool => hands.pooled,
            Reach::Territory(code) => hands.territory == Some(code.as_str()),
            Reach::Team(team) => {
                let named = team.as_ref().map(ToString::to_string);
                let own = self.members.get(login).map(|team| (*team).to_owned());
                let owner = hands.owner.and_then(|owner| self.members.get(owner));
                match (named.or(own), owner) {
                    (Some(team), Some(of_owner)) => self.is_below(of_owner, &team),
                    _ => false,
                }
            }
        }
    }

    fn is_below(&self, team: &'static str, above: &str) -> bool {
        let mut next = Some(team);
        while let Some(team) = next {
            let Some(parent) = self.teams.get(team) else {
                return false;
            };
            if team == above {
                return true;
            }
            next = *parent;
        }
        false
    }

    fn fact(&mut self, stream: &impl ToString, event: impl Into<DomainEvent>) {
        self.facts.push((stream.to_string(), event.into()));
    }

    fn people(&mut self, dice: &mut Dice) {
        for (index, name) in TEAMS.into_iter().enumerate() {
            let parent = (index > 0 && dice.yes()).then(|| dice.one(&TEAMS[..index]));
            let team: TeamId = value(name);
            let formed = TeamEvent::TeamFormed {
                name: value(name),
                parent: parent.map(value),
            };
            self.fact(&team, formed);
            self.teams.insert(name, parent);
        }
        if dice.of(4) == 0 {
            let team: TeamId = value(TEAMS[1]);
            self.fact(&team, TeamEvent::TeamDissolved { because: None });
            self.teams.remove(TEAMS[1]);
        }
        for login in LOGINS {
            let account: AccountId = value(&format!("account-{login}"));
            let invited = AccountEvent::UserInvited {
                name: value(login),
                email: Some(value("somebody@example.com")),
                verifier: Verifier::new("digest"),
            };
            self.fact(&account, invited);
            if dice.of(4) > 0 {
                let team = dice.one(&TEAMS);
                let team_of = Some(value(team));
                self.fact(&account, AccountEvent::TeamAssigned { team: team_of });
                self.members.insert(login, team);
            }
        }
    }

    fn customer(&mut self, dice: &mut Dice, number: usize) {
        let customer = customer(number);
        let owner = dice.one(&LOGINS);
        let registered = CustomerEvent::CustomerRegistered {
            number: 1,
            details: CustomerDetails {
                phone: Some(value(&format!("555{number}"))),
                tax_number: Some(value(&format!("TAX{number}"))),
                address: Some(address()),
                ..customer_details("北京乳业")
            },
            owner: value(owner),
        };
        self.fact(&customer, registered);
        let contact = Contact {
            name: value("张三"),
            title: None,
            phone: None,
            email: None,
        };
        let added = CustomerEvent::ContactAdded {
            contact_id: id::<ContactId>(7),
            contact,
        };
        self.fact(&customer, added);
        let territory = dice.yes().then(|| dice.one(&TERRITORIES));
        if let Some(code) = territory {
            let territory = Some(value(code));
            self.fact(
                &customer,
                CustomerEvent::CustomerTerritoryAssigned { territory },
            );
        }
        self.hold(&customer, Some(owner), territory, None);
    }

    fn hold(
        &mut self,
        object: &impl ToString,
        owner: Option<&'static str>,
        territory: Option<&'static str>,
        parent: Option<String>,
    ) {
        let hands = Hands {
            owner,
            territory,
            pooled: false,
            parent,
        };
        self.hands.insert(object.to_string(), hands);
    }

    fn lead(&mut self, dice: &mut Dice, number: usize) {
        let lead: LeadId = numbered(2, number);
        let owner = dice.yes().then(|| dice.one(&LOGINS));
        let captured = LeadEvent::LeadCaptured {
            source: value("fair"),
            source_key: None,
            campaign: None,
            title: value("冷链"),
            company: None,
            contact: None,
            interest: Some(value("urgent")),
            estimated_value: None,
            owner: owner.map(value),
        };
        self.fact(&lead, captured);
        let territory = dice.yes().then(|| dice.one(&TERRITORIES));
        if let Some(code) = territory {
            let territory = Some(value(code));
            self.fact(&lead, LeadEvent::LeadTerritoryAssigned { territory });
        }
        let recycled = dice.of(3) == 0;
        if recycled {
            let recycled = LeadEvent::LeadRecycled {
                from: LeadPhase::New,
                because: value("no answer"),
            };
            self.fact(&lead, recycled);
        }
        self.hold(&lead, owner, territory, None);
        if let Some(hands) = self.hands.get_mut(&lead.to_string()) {
            hands.pooled = recycled || owner.is_none();
        }
    }

    fn opportunity(&mut self, dice: &mut Dice, number: usize, of: usize) {
        let opportunity: OpportunityId = numbered(3, number);
        let owner = dice.one(&LOGINS);
        let opened = OpportunityEvent::OpportunityOpened {
            customer: customer(of),
            name: value("设备"),
            value: money("1000 CNY"),
            expected_close_on: value("2026-06-30"),
            owner: value(owner),
            lead: None,
            pipeline: value("default"),
            pipeline_version: 1,
            stage: stage(1),
        };
        self.fact(&opportunity, opened);
        if dice.yes() {
            let advanced = OpportunityEvent::OpportunityStageAdvanced {
                from_stage: stage(1),
                to_stage: stage(2),
                value: money("1000 CNY"),
            };
            self.fact(&opportunity, advanced);
        }
        if dice.of(3) == 0 {
            let lost = OpportunityEvent::OpportunityLost {
                stage: stage(2),
                value: money("1000 CNY"),
                expected_close_on: value("2026-06-30"),
                lost_reason: value("price"),
                competitor: None,
                note: Some(value("too dear")),
            };
            self.fact(&opportunity, lost);
        }
        self.hold(
            &opportunity,
            Some(owner),
            None,
            Some(customer(of).to_string()),
        );
    }

    fn complaint(&mut self, dice: &mut Dice, number: usize, of: usize) {
        let complaint: ComplaintId = numbered(4, number);
        let logged = ComplaintEvent::ComplaintLogged {
            number: 1,
            cycle: 1,
            customer: customer(of),
            channel: Channel::Phone,
            description: value("晚了"),
            severity: None,
            order: None,
            product: Some(tea()),
            contact: None,
        };
        self.fact(&complaint, logged);
        if dice.yes() {
            let classified = ComplaintEvent::ComplaintClassified {
                cycle: 1,
                category: value("late"),
                cause: None,
                severity: Severity::Low,
            };
            self.fact(&complaint, classified);
        }
        self.hold(&complaint, None, None, Some(customer(of).to_string()));
    }

    fn interaction(&mut self, number: usize, of: usize) {
        let interaction: InteractionId = numbered(5, number);
        let logged = InteractionEvent::InteractionLogged {
            customer: customer(of),
            details: InteractionDetails {
                channel: Channel::Phone,
                direction: Direction::Inbound,
                summary: value("asked"),
                participants: vec![value("张三")],
            },
        };
        self.fact(&interaction, logged);
        self.hold(&interaction, None, None, Some(customer(of).to_string()));
    }

    fn order(&mut self, dice: &mut Dice, number: usize, of: usize) {
        let order: OrderId = numbered(6, number);
        let salesperson = dice.yes().then(|| dice.one(&LOGINS));
        self.fact(&order, placed(number, of, salesperson, dice.yes()));
        self.hold(&order, salesperson, None, Some(customer(of).to_string()));
        match dice.of(3) {
            0 => {
                let because = value("changed their mind");
                self.fact(&order, OrderEvent::OrderCancelled { because });
            }
            1 => self.shipment(number, of, order),
            _ => {}
        }
    }

    fn shipment(&mut self, number: usize, of: usize, order: OrderId) {
        let (shipment, line) = (numbered::<ShipmentId>(7, number), id::<OrderLineId>(1));
        let prepared = OrderEvent::OrderLinePrepared {
            line,
            shipment,
            quantity: value("1"),
            reserved: value("0"),
        };
        self.fact(&order, prepared);
        let laid_ready = ShipmentEvent::ShipmentPrepared {
            number: 1,
            order,
            customer: customer(of),
            lines: vec![PreparedLine {
                line,
                product: tea(),
                warehouse: north(),
                quantity: value("1"),
            }],
            ship_to: Some(address()),
            carrier: Some(value("SF")),
            promised_on: None,
        };
        self.fact(&shipment, laid_ready);
        let shipped = OrderEvent::OrderLineShipped {
            line,
            shipment,
            quantity: value("1"),
            cost: cny("2"),
        };
        self.fact(&order, shipped);
        self.hold(&shipment, None, None, Some(order.to_string()));
    }
}

fn numbered<Id: From<uuid::Uuid>>(kind: u128, number: usize) -> Id {
    id(kind * 1_000 + u128::try_from(number).unwrap_or_default())
}

fn customer(number: usize) -> CustomerId {
    numbered(1, number)
}

fn address() -> Address {
    Address {
        street: Some(value("长安街 1")),
        city: Some(value("Peking")),
        region: None,
        postal_code: None,
        country: Some(value("China")),
    }
}

fn stage(position: u32) -> OpportunityStage {
    OpportunityStage {
        code: value(if position == 1 { "demo" } else { "offer" }),
        position,
        probability: BasisPoints::WHOLE,
    }
}

/// An order of three units of one product.
pub(super) fn placed(
    number: usize,
    of: usize,
    salesperson: Option<&str>,
    of_tea: bool,
) -> OrderEvent {
    let line = OrderLine {
        line: id(1),
        product: if of_tea { tea() } else { cup() },
        sku: value("SKU-1"),
        name: value("Green tea"),
        quantity: value("3"),
        warehouse: None,
        price: PriceExplanation {
            source: PriceSource::Override,
            price_list: None,
            price_version: None,
            tier_min_quantity: None,
            list_unit_price: None,
            unit_price: value("1"),
            discount: BasisPoints::ZERO,
        },
        net: cny("33.333333"),
    };
    OrderEvent::OrderPlaced {
        number: u64::try_from(number).unwrap_or_default(),
        customer: customer(of),
        currency: Currency::CNY,
        lines_net: Amount::new(line.net.amount.0, Currency::CNY),
        lines: vec![line],
        charges: Money::from_minor(500, Currency::CNY),
        total: Money::from_minor(3_833, Currency::CNY),
        ship_to: None,
        requested_on: None,
        placed_through: None,
        salesperson: salesperson.map(value),
        opportunity: None,
        customer_reference: None,
        external_number: None,
    }
}

/// A view made by chance.
pub(super) fn view(dice: &mut Dice) -> View {
    let mut kinds = std::collections::BTreeMap::new();
    for kind in KINDS {
        let reach = reaches(dice);
        let personal = part(dice, &reach);
        let cost = part(dice, &reach);
        kinds.insert(
            kind,
            KindView {
                reach,
                personal,
                cost,
            },
        );
    }
    for kind in super::WHOLE {
        if dice.of(5) > 0 {
            let all = vec![dice.one(&[Reach::Own, Reach::Organisation])];
            let cost = part(dice, &all);
            kinds.insert(
                *kind,
                KindView {
                    personal: all.clone(),
                    reach: all,
                    cost,
                },
            );
        }
    }
    View {
        login: dice.one(&LOGINS).to_owned(),
        kinds,
        refusals_of_all: dice.yes(),
    }
}

fn reaches(dice: &mut Dice) -> Vec<Reach> {
    let mut reach = BTreeSet::new();
    for _ in 0..dice.of(3) {
        reach.insert(match dice.of(6) {
            0 => Reach::Organisation,
            1 => Reach::Own,
            2 => Reach::Team(None),
            3 => Reach::Team(Some(value(dice.one(&TEAMS)))),
            4 => Reach::Territory(value(dice.one(&TERRITORIES))),
            _ => Reach::Pool,
        });
    }
    reach.into_iter().collect()
}

fn part(dice: &mut Dice, of: &[Reach]) -> Vec<Reach> {
    of.iter().filter(|_| dice.yes()).cloned().collect()
}

/// The kind that the id of an object names.
pub(super) fn kind(id: &str) -> &str {
    daybook_schema::prefix(id)
}
