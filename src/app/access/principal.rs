//! Who a request is from, and what follows from the roles of the account.

use daybook_domain::{FieldClass, KINDS};
use daybook_schema::{
    access::{AccountId, Grant, Role, Scope, ScopeKind, TeamId},
    kernel::Actor,
};

/// Who a request is from: the account that acts, and the authority that it acts by.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// The account that proved itself.
    pub actor: AccountId,
    /// The account on whose behalf it acts.
    pub on_behalf_of: Option<AccountId>,
    /// The grants that hold today: those of the account on whose behalf it acts, or its own.
    pub grants: Vec<Grant>,
    /// The team of the account whose grants these are.
    pub team: Option<TeamId>,
}

impl Principal {
    /// The account whose authority counts.
    pub fn authority(&self) -> &AccountId {
        self.on_behalf_of.as_ref().unwrap_or(&self.actor)
    }

    /// The user name that stands in commits as the actor.
    pub fn login(&self) -> &Actor {
        &self.actor.0
    }

    /// The roles, each once, in the order of their declaration.
    pub fn roles(&self) -> Vec<Role> {
        let mut roles: Vec<Role> = self.grants.iter().map(|grant| grant.role).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// How far the account sees objects of a kind, or the fields of a class of them.
    pub fn reach(&self, kind: &str, class: Option<FieldClass>) -> Vec<Scope> {
        let rule = daybook_domain::kind_rule(kind);
        let shown = |grant: &&Grant| rule.is_some_and(|rule| rule.shows(grant.role, class));
        let mut scopes: Vec<Scope> = Vec::new();
        for grant in self.grants.iter().filter(shown) {
            if !scopes.contains(&grant.scope) {
                scopes.push(grant.scope.clone());
            }
        }
        scopes
    }

    /// Whether everything of every kind is seen.
    pub fn sees_everything(&self) -> bool {
        let everything = |scopes: Vec<Scope>| {
            scopes
                .iter()
                .any(|scope| scope.kind == ScopeKind::Organisation)
        };
        KINDS.iter().all(|rule| {
            everything(self.reach(rule.kind, None))
                && FieldClass::ALL
                    .into_iter()
                    .all(|class| everything(self.reach(rule.kind, Some(class))))
        })
    }
}
