//! The company's teams, accounts, roles, and a key for one account of every role.

use daybook_schema::{
    access::{
        AccountId, AssignTeam, ExternalIdentity, FormTeam, GrantRole, InviteUser, IssueApiKey,
        RegisterServiceAccount, Role, Scope, ScopeKind, TeamId,
    },
    kernel::{Actor, Name},
};

use super::{Simulation, staff::Who};
use crate::{
    access::demo_secret,
    demo::{
        SHOWN_ACCOUNTS,
        calendar::Region,
        world::{own, text},
    },
};

/// Where the people of the company prove who they are.
const ISSUER: &str = "https://login.daybook.example";
/// The teams, each with the one above it.
const TEAMS: [(&str, &str, Option<&str>); 7] = [
    ("company", "晨光贸易", None),
    ("sales", "Sales", Some("company")),
    ("sales-china", "Sales China", Some("sales")),
    ("sales-europe", "Sales Europe", Some("sales")),
    ("sales-america", "Sales America", Some("sales")),
    ("goods", "Goods and delivery", Some("company")),
    ("service", "Customer service", Some("company")),
];
/// Those who do not act in the story, but are there to look around as.
const OTHERS: [(&str, Role, &str); 6] = [
    ("shen.yun", Role::Leader, "company"),
    ("feng.chi", Role::Delivery, "goods"),
    ("qin.lan", Role::Analyst, "company"),
    ("bai.lu", Role::HumanResources, "company"),
    ("jiang.he", Role::QualityMeasurer, "service"),
    ("ye.audit", Role::Auditor, "company"),
];

impl Simulation {
    /// Opens the accounts of everybody who works in the company.
    pub(super) fn take_on_staff(&mut self) {
        let who = self.manager(Region::China);
        for (code, name, parent) in TEAMS {
            let parent = parent.map(|code| TeamId(text(code)));
            let (code, name) = (text(code), text(name));
            self.issue(&who, FormTeam { code, name, parent });
        }
        let world = self.world.clone();
        let people = &world.people;
        for (login, region) in &people.sales {
            let own = Scope::of(ScopeKind::Own);
            self.take_on(&who, login, team_of(*region), &[(Role::Salesperson, own)]);
        }
        for login in people
            .stock
            .iter()
            .chain(&people.purchasing)
            .chain(&people.product)
        {
            self.take_on(&who, login, "goods", &[(Role::StockKeeper, everything())]);
        }
        for login in &people.service {
            self.take_on(
                &who,
                login,
                "service",
                &[(Role::ServiceAgent, everything())],
            );
        }
        let [first, second] = [&people.managers[0], &people.managers[1]];
        let first_roles = [Role::Administrator, Role::Manager].map(|role| (role, everything()));
        self.take_on(&who, first, "company", &first_roles);
        let sales = Scope {
            team: Some(TeamId(text("sales"))),
            ..Scope::of(ScopeKind::Team)
        };
        self.take_on(&who, second, "sales", &[(Role::SalesManager, sales)]);
        for (login, role, team) in OTHERS {
            self.take_on(&who, &text(login), team, &[(role, everything())]);
        }
        self.connect(&who, "erp.connector");
        for (_, login) in SHOWN_ACCOUNTS {
            self.hand_out_key(&who, &text(login));
        }
    }

    fn take_on(&mut self, who: &Who, login: &Actor, team: &str, roles: &[(Role, Scope)]) {
        let invitation = InviteUser {
            login: login.clone(),
            name: called(login),
            email: Some(text(&format!("{login}@daybook.example"))),
            identity: Some(ExternalIdentity {
                issuer: text(ISSUER),
                subject: text(login.as_str()),
            }),
            verifier: Some(demo_secret(login.as_str()).1),
        };
        self.issue(who, invitation);
        let account = AccountId(login.clone());
        let team = Some(TeamId(text(team)));
        let member = account.clone();
        self.issue(
            who,
            AssignTeam {
                account: member,
                team,
            },
        );
        for (role, scope) in roles {
            self.grant(who, &account, *role, scope.clone());
        }
    }

    fn connect(&mut self, who: &Who, login: &str) {
        let (login, name): (Actor, Name) = (text(login), text("ERP connector"));
        let account = AccountId(login.clone());
        self.issue(who, RegisterServiceAccount { login, name });
        self.grant(who, &account, Role::Integrator, everything());
    }

    fn grant(&mut self, who: &Who, account: &AccountId, role: Role, scope: Scope) {
        let granted = GrantRole {
            account: account.clone(),
            role,
            scope,
            from: None,
            until: None,
        };
        self.issue(who, granted);
    }

    fn hand_out_key(&mut self, who: &Who, login: &Actor) {
        let key = IssueApiKey {
            account: AccountId(login.clone()),
            name: text("demonstration"),
            expires_at: None,
            verifier: Some(demo_secret(login.as_str()).1),
        };
        self.issue(who, key);
    }
}

fn everything() -> Scope {
    Scope::of(ScopeKind::Organisation)
}

fn team_of(region: Region) -> &'static str {
    match region {
        Region::China => "sales-china",
        Region::Europe => "sales-europe",
        Region::America => "sales-america",
    }
}

/// The name of a person by their user name: `li.wei` is called Li Wei.
fn called(login: &Actor) -> Name {
    let words = login.as_str().split('.').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        format!("{}{}", first.unwrap_or_default(), letters.as_str())
    });
    own(words.collect::<Vec<_>>().join(" ").parse())
}
