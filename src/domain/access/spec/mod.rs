#![expect(clippy::expect_used, reason = "specs may stop at the first surprise")]
//! Specs of the access context, and what they have in common.

mod account;
mod agreement;
mod api_key;
mod delegation;
mod grant;
mod reach;
mod references;
mod session;
mod team;
mod world;

use daybook_schema::{
    access::{
        AccountId, AssignTeam, FormTeam, GrantRole, InviteUser, RegisterServiceAccount, Role,
        Scope, ScopeKind, SuspendAccount, TeamId, Verifier,
    },
    kernel::Name,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::spec::{Given, t};

fn account(login: &str) -> AccountId {
    AccountId(t(login))
}

fn team(code: &str) -> TeamId {
    TeamId(t(code))
}

fn verifier(text: &str) -> Verifier {
    Verifier::new(text)
}

/// A command as a client writes it.
#[track_caller]
fn command<C: DeserializeOwned>(content: Value) -> C {
    serde_json::from_value(content).expect("a command")
}

fn own() -> Scope {
    Scope::of(ScopeKind::Own)
}

fn everything() -> Scope {
    Scope::of(ScopeKind::Organisation)
}

fn of_team(code: Option<&str>) -> Scope {
    Scope {
        team: code.map(team),
        ..Scope::of(ScopeKind::Team)
    }
}

fn of_territory(code: &str) -> Scope {
    Scope {
        territory: Some(t(code)),
        ..Scope::of(ScopeKind::Territory)
    }
}

fn invite(login: &str) -> InviteUser {
    InviteUser {
        login: t(login),
        name: t("Li Wei"),
        email: Some(t("li.wei@example.com")),
        identity: None,
        verifier: Some(verifier("b3:invitation")),
    }
}

fn grant(login: &str, role: Role, scope: Scope) -> GrantRole {
    GrantRole {
        account: account(login),
        role,
        scope,
        from: None,
        until: None,
    }
}

/// What is on record of the staff, put there by the process.
impl Given {
    /// A person whom a provider vouches for, so that they may act at once.
    #[track_caller]
    fn hired(self, login: &str) -> Self {
        let identity = serde_json::json!({ "issuer": "https://id.example", "subject": login });
        let invited = InviteUser {
            identity: Some(command(identity)),
            ..invite(login)
        };
        self.done(1, invited)
    }

    /// A program.
    #[track_caller]
    fn connected(self, login: &str) -> Self {
        let name: Name = t("Connector");
        let login = t(login);
        self.done(1, RegisterServiceAccount { login, name })
    }

    /// A role from the day of the spec on, for an unlimited time.
    #[track_caller]
    fn granted(self, login: &str, role: Role, scope: Scope) -> Self {
        self.done(1, grant(login, role, scope))
    }

    #[track_caller]
    fn formed(self, code: &str, parent: Option<&str>) -> Self {
        let formed = FormTeam {
            code: t(code),
            name: t(code),
            parent: parent.map(team),
        };
        self.done(1, formed)
    }

    #[track_caller]
    fn member(self, login: &str, code: &str) -> Self {
        let assigned = AssignTeam {
            account: account(login),
            team: Some(team(code)),
        };
        self.done(1, assigned)
    }

    #[track_caller]
    fn suspended(self, login: &str) -> Self {
        let suspended = SuspendAccount {
            account: account(login),
            because: t("left"),
        };
        self.done(1, suspended)
    }
}
