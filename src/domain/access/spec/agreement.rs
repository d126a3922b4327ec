//! For any teams, hands, territories and grants, `authorise` decides as the few sentences below
//! say, which know nothing of events, streams and states.

use daybook_schema::{
    DomainCommand,
    access::{AssignTeam, DissolveTeam, GrantRole, RevokeRole, Role, Scope, ScopeKind},
};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use serde_json::json;

use super::{
    account, command, grant, of_team, team,
    world::{complaint, customer, lead, opportunity, order, shipment},
};
use crate::spec::{Given, given, t, uuid};

/// The people; the first asks.
const PEOPLE: [&str; 4] = ["li.wei", "zhao.min", "sun.li", "ma.jun"];
const TERRITORIES: [&str; 2] = ["cn-east", "cn-west"];
/// Roles with different parts in the business.
const ROLES: [Role; 5] = [
    Role::Manager,
    Role::Salesperson,
    Role::ServiceAgent,
    Role::StockKeeper,
    Role::Auditor,
];
const TEAMS: usize = 5;
const CUSTOMERS: usize = 3;
/// The days around that of the spec on which grants begin and end.
const DAYS: [&str; 4] = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"];

#[derive(Clone, Debug)]
struct Team {
    /// Every team stands below an earlier one, if below any.
    above: Option<usize>,
    dissolved: bool,
}

#[derive(Clone, Debug)]
struct Held {
    owner: Option<usize>,
    /// The customer that it belongs to.
    customer: usize,
}

#[derive(Clone, Debug)]
struct Area {
    owner: usize,
    territory: Option<usize>,
}

#[derive(Clone, Debug)]
struct Lead {
    owner: Option<usize>,
    territory: Option<usize>,
    recycled: bool,
}

#[derive(Clone, Debug)]
struct Granted {
    role: usize,
    kind: ScopeKind,
    team: Option<usize>,
    territory: usize,
    from: usize,
    until: Option<usize>,
    revoked: bool,
}

#[derive(Clone, Debug)]
struct World {
    teams: Vec<Team>,
    members: Vec<Option<usize>>,
    customers: Vec<Area>,
    leads: Vec<Lead>,
    opportunity: Held,
    order: Held,
    complaint: usize,
    grants: Vec<Granted>,
    suspended: bool,
}

fn maybe(limit: usize) -> impl Strategy<Value = Option<usize>> {
    prop_oneof![1 => Just(None), 3 => (0..limit).prop_map(Some)]
}

fn rarely() -> impl Strategy<Value = bool> {
    prop_oneof![7 => Just(false), 1 => Just(true)]
}

fn held() -> impl Strategy<Value = Held> {
    let parts = (maybe(PEOPLE.len()), 0..CUSTOMERS);
    parts.prop_map(|(owner, customer)| Held { owner, customer })
}

fn teams() -> impl Strategy<Value = Vec<Team>> {
    let parts = (any::<prop::sample::Index>(), any::<bool>(), rarely());
    prop::collection::vec(parts, TEAMS).prop_map(|parts| {
        let mut teams = Vec::new();
        for (above, is_top, dissolved) in parts {
            let number = teams.len();
            teams.push(Team {
                above: (number > 0 && !is_top).then(|| above.index(number)),
                dissolved,
            });
        }
        teams
    })
}

fn granted() -> impl Strategy<Value = Granted> {
    let kind = prop_oneof![
        3 => Just(ScopeKind::Own),
        4 => Just(ScopeKind::Team),
        2 => Just(ScopeKind::Territory),
        2 => Just(ScopeKind::Pool),
        1 => Just(ScopeKind::Organisation),
    ];
    let days = (0..DAYS.len(), maybe(DAYS.len()));
    let parts = (
        0..ROLES.len(),
        kind,
        maybe(TEAMS),
        0..2_usize,
        days,
        rarely(),
    );
    parts.prop_map(
        |(role, kind, team, territory, (from, until), revoked)| Granted {
            role,
            kind,
            team,
            territory,
            from,
            until: until.filter(|until| *until >= from),
            revoked,
        },
    )
}

fn worlds() -> impl Strategy<Value = World> {
    let area = (0..PEOPLE.len(), maybe(2)).prop_map(|(owner, territory)| Area { owner, territory });
    let lead = (maybe(PEOPLE.len()), maybe(2), any::<bool>());
    let lead = lead.prop_map(|(owner, territory, recycled)| Lead {
        owner,
        territory,
        recycled,
    });
    let parts = (
        teams(),
        prop::collection::vec(maybe(TEAMS), PEOPLE.len()),
        prop::collection::vec(area, CUSTOMERS),
        prop::collection::vec(lead, 2),
        (held(), held(), 0..CUSTOMERS),
        prop::collection::vec(granted(), 0..5),
        rarely(),
    );
    parts.prop_map(|parts| {
        let (teams, members, customers, leads, (opportunity, order, complaint), grants, suspended) =
            parts;
        World {
            teams,
            members,
            customers,
            leads,
            opportunity: Held {
                // Nobody opens an opportunity for nobody.
                owner: Some(opportunity.owner.unwrap_or(0)),
                ..opportunity
            },
            order,
            complaint,
            grants,
            suspended,
        }
    })
}

/// The number in an id.
fn n(index: usize) -> u128 {
    u128::try_from(index).unwrap_or_default()
}

fn team_code(number: usize) -> String {
    format!("t{number}")
}

impl Granted {
    fn scope(&self) -> Scope {
        match self.kind {
            ScopeKind::Team => of_team(self.team.map(team_code).as_deref()),
            ScopeKind::Territory => super::of_territory(TERRITORIES[self.territory]),
            kind => Scope::of(kind),
        }
    }

    fn command(&self) -> GrantRole {
        GrantRole {
            from: Some(t(DAYS[self.from])),
            until: self.until.map(|until| t(DAYS[until])),
            ..grant(PEOPLE[0], ROLES[self.role], self.scope())
        }
    }
}

/// The world as events tell it.
impl World {
    fn told(&self) -> Given {
        let given = PEOPLE.into_iter().fold(given(), Given::hired);
        let given = self
            .teams
            .iter()
            .enumerate()
            .fold(given, |given, (number, team)| {
                let above = team.above.map(team_code);
                given.formed(&team_code(number), above.as_deref())
            });
        let given = self.tell_staff(given);
        let given = self.tell_objects(given);
        if self.suspended {
            given.suspended(PEOPLE[0])
        } else {
            given
        }
    }

    fn tell_staff(&self, mut given: Given) -> Given {
        for (person, member) in PEOPLE.into_iter().zip(&self.members) {
            if let Some(code) = member.map(team_code) {
                let (account, team) = (account(person), Some(team(&code)));
                given = given.done(1, AssignTeam { account, team });
            }
        }
        for (number, granted) in (1..).zip(&self.grants) {
            given = given.done(1, granted.command());
            if granted.revoked {
                let revoked = RevokeRole {
                    account: account(PEOPLE[0]),
                    grant: number,
                    because: None,
                };
                given = given.done(1, revoked);
            }
        }
        for (number, _) in self
            .teams
            .iter()
            .enumerate()
            .filter(|(_, team)| team.dissolved)
        {
            let (team, because) = (team(&team_code(number)), None);
            given = given.done(1, DissolveTeam { team, because });
        }
        given
    }

    fn tell_objects(&self, mut given: Given) -> Given {
        for (number, area) in self.customers.iter().enumerate() {
            let territory = area.territory.map(|territory| TERRITORIES[territory]);
            given = given
                .customer(n(number), PEOPLE[area.owner])
                .customer_in(n(number), territory);
        }
        for (number, lead) in self.leads.iter().enumerate() {
            let territory = lead.territory.map(|territory| TERRITORIES[territory]);
            given = given
                .lead(n(number), lead.owner.map(|owner| PEOPLE[owner]))
                .lead_in(n(number), territory);
            if lead.recycled {
                given = given.recycled(n(number));
            }
        }
        let Held { owner, customer } = &self.opportunity;
        given
            .opportunity(0, n(*customer), PEOPLE[owner.unwrap_or(0)])
            .order(
                0,
                n(self.order.customer),
                self.order.owner.map(|owner| PEOPLE[owner]),
            )
            .shipment(0, 0)
            .complaint(0, n(self.complaint))
    }
}

/// Something in somebody's hands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Object {
    Customer(usize),
    Lead(usize),
    Opportunity,
    Order,
    Shipment,
    Complaint,
    /// A customer whom nobody has heard of.
    Stranger,
}

impl Object {
    fn id(self) -> String {
        match self {
            Self::Customer(number) => customer(n(number)).to_string(),
            Self::Lead(number) => lead(n(number)).to_string(),
            Self::Opportunity => opportunity(0).to_string(),
            Self::Order => order(0).to_string(),
            Self::Shipment => shipment(0).to_string(),
            Self::Complaint => complaint(0).to_string(),
            Self::Stranger => daybook_schema::customers::CustomerId(uuid(9)).to_string(),
        }
    }

    /// Who of [`ROLES`] sees it.
    fn shown_to(self) -> &'static [Role] {
        use Role::{Auditor, Manager, Salesperson, ServiceAgent, StockKeeper};
        match self {
            Self::Customer(_) | Self::Complaint | Self::Stranger => {
                &[Manager, Salesperson, ServiceAgent, Auditor]
            }
            Self::Lead(_) | Self::Opportunity => &[Manager, Salesperson, Auditor],
            Self::Order | Self::Shipment => {
                &[Manager, Salesperson, ServiceAgent, StockKeeper, Auditor]
            }
        }
    }
}

/// The independent account of who reaches what.
impl World {
    /// Whether somebody works in a team that is there, below teams that are there.
    fn is_in(&self, person: usize, team: usize) -> bool {
        let mut at = self.members[person];
        while let Some(number) = at.filter(|number| !self.teams[*number].dissolved) {
            if number == team {
                return true;
            }
            at = self.teams[number].above;
        }
        false
    }

    /// Everybody in whose hands something is, nearest first.
    fn hands(&self, object: Object) -> Vec<usize> {
        let of = |held: &Held| {
            let customer = self.customers[held.customer].owner;
            held.owner.into_iter().chain([customer]).collect()
        };
        match object {
            Object::Customer(number) => vec![self.customers[number].owner],
            Object::Lead(number) => self.leads[number].owner.into_iter().collect(),
            Object::Opportunity => of(&self.opportunity),
            Object::Order | Object::Shipment => of(&self.order),
            Object::Complaint => vec![self.customers[self.complaint].owner],
            Object::Stranger => Vec::new(),
        }
    }

    fn territory(&self, object: Object) -> Option<usize> {
        match object {
            Object::Customer(number) => self.customers[number].territory,
            Object::Lead(number) => self.leads[number].territory,
            Object::Opportunity => self.customers[self.opportunity.customer].territory,
            Object::Order | Object::Shipment => self.customers[self.order.customer].territory,
            Object::Complaint => self.customers[self.complaint].territory,
            Object::Stranger => None,
        }
    }

    fn reaches(&self, granted: &Granted, object: Object) -> bool {
        match granted.kind {
            ScopeKind::Organisation => true,
            ScopeKind::Own => self.hands(object).contains(&0),
            ScopeKind::Territory => self.territory(object) == Some(granted.territory),
            ScopeKind::Pool => match object {
                Object::Lead(number) => {
                    self.leads[number].recycled || self.leads[number].owner.is_none()
                }
                _ => false,
            },
            ScopeKind::Team => match granted.team.or(self.members[0]) {
                Some(team) => self.hands(object).iter().any(|one| self.is_in(*one, team)),
                None => false,
            },
        }
    }

    /// What is to come of a command: the number of the grant, or the code of the refusal and the
    /// object in it.
    fn expected(
        &self,
        by: &[Role],
        objects: &[Object],
    ) -> Result<u32, (&'static str, Option<Object>)> {
        if self.suspended {
            return Err(("ACCOUNT_NOT_ACTIVE", None));
        }
        let today = 1;
        let holds = |granted: &&(u32, Granted)| {
            let (_, granted) = granted;
            let over = granted.until.is_some_and(|until| until < today);
            !granted.revoked && granted.from <= today && !over
        };
        let grants: Vec<(u32, Granted)> = (1..).zip(self.grants.iter().cloned()).collect();
        let grants: Vec<_> = grants.iter().filter(holds).collect();
        let permits = |granted: &Granted| by.contains(&ROLES[granted.role]);
        let mut beyond = None;
        for (number, granted) in grants.iter().copied().filter(|(_, one)| permits(one)) {
            match objects
                .iter()
                .find(|object| !self.reaches(granted, **object))
            {
                None => return Ok(*number),
                Some(object) => beyond = beyond.or(Some(*object)),
            }
        }
        let Some(beyond) = beyond else {
            return Err(("PERMISSION_DENIED", None));
        };
        let seen = grants.iter().any(|(_, granted)| {
            beyond.shown_to().contains(&ROLES[granted.role]) && self.reaches(granted, beyond)
        });
        Err((
            if seen { "OUT_OF_SCOPE" } else { "NOT_FOUND" },
            Some(beyond),
        ))
    }
}

/// A command, the roles of [`ROLES`] that may issue it, and the objects that it names in order.
struct Asked {
    command: DomainCommand,
    by: &'static [Role],
    objects: Vec<Object>,
}

fn asked() -> Vec<Asked> {
    use Role::{Manager, Salesperson, ServiceAgent, StockKeeper};
    use daybook_schema::{customers, orders, pipeline, service};
    let talk = json!({ "channel": "phone", "direction": "outbound", "summary": "hello" });
    let mut all = Vec::new();
    let mut ask = |command: DomainCommand, by: &'static [Role], objects: &[Object]| {
        let objects = objects.to_vec();
        all.push(Asked {
            command,
            by,
            objects,
        });
    };
    let everybody = (0..CUSTOMERS)
        .map(Object::Customer)
        .chain([Object::Stranger]);
    for it in everybody {
        let log = json!({ "customer": it.id(), "details": talk });
        let log = command::<customers::LogInteraction>(log).into();
        ask(log, &[Manager, Salesperson, ServiceAgent], &[it]);
        let blame = json!({
            "customer": it.id(), "order": Object::Order.id(), "channel": "phone",
            "description": "late"
        });
        let blame = command::<service::LogComplaint>(blame).into();
        let both = [it, Object::Order];
        ask(blame, &[Manager, Salesperson, ServiceAgent], &both);
    }
    for it in [0, 1].map(Object::Lead) {
        let recycle = json!({ "lead": it.id(), "because": "later" });
        let recycle = command::<pipeline::RecycleLead>(recycle).into();
        ask(recycle, &[Manager, Salesperson], &[it]);
    }
    let won = json!({ "opportunity": Object::Opportunity.id(), "order": Object::Order.id() });
    let won = command::<pipeline::WinOpportunity>(won).into();
    let both = [Object::Opportunity, Object::Order];
    ask(won, &[Manager, Salesperson], &both);
    let hold = json!({ "order": Object::Order.id(), "because": "wait" });
    let hold = command::<orders::HoldOrder>(hold).into();
    ask(hold, &[Manager, Salesperson], &[Object::Order]);
    let cancel = json!({ "shipment": Object::Shipment.id(), "because": "wait" });
    let cancel = command::<orders::CancelShipment>(cancel).into();
    ask(cancel, &[Manager, StockKeeper], &[Object::Shipment]);
    let close = json!({ "complaint": Object::Complaint.id() });
    let close = command::<service::CloseComplaint>(close).into();
    ask(close, &[Manager, ServiceAgent], &[Object::Complaint]);
    all
}

proptest! {
    #[test]
    fn authorise_decides_as_the_sentences_say(world in worlds()) {
        let given = world.told().signed_in(PEOPLE[0]);
        for Asked { command, by, objects } in asked() {
            let name = command.name();
            let expected = world.expected(by, &objects);
            match (given.authorised(command), expected) {
                (Ok(cited), Ok(number)) => {
                    let grant = cited.and_then(|cited| cited.grant);
                    assert_eq!(grant, Some(number), "{name} {objects:?}");
                }
                (Err(refusal), Err((code, object))) => {
                    assert_eq!(refusal.code, code, "{name} {objects:?}: {}", refusal.message);
                    if let Some(object) = object {
                        assert!(refusal.message.contains(&object.id()), "{}", refusal.message);
                    }
                }
                (got, expected) => unreachable!("{name} {objects:?}: {got:?}, not {expected:?}"),
            }
        }
    }
}
