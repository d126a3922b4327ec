//! Who a request is from, and what follows from the roles of the account.

use std::sync::Arc;

use daybook_domain::{FieldClass, KINDS, KindRule};
use daybook_projections::store::{KindView, Reach, View};
use daybook_schema::{
    access::{AccountId, Grant, Role, Scope, ScopeKind},
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
    /// What is seen; none where everything is.
    pub view: Option<Arc<View>>,
}

impl Principal {
    /// An account with the grants that hold.
    pub(super) fn new(
        actor: AccountId,
        on_behalf_of: Option<AccountId>,
        grants: Vec<Grant>,
    ) -> Self {
        let mut principal = Self {
            actor,
            on_behalf_of,
            grants,
            view: None,
        };
        if !principal.sees_everything() {
            principal.view = Some(Arc::new(principal.made_view()));
        }
        principal
    }

    fn made_view(&self) -> View {
        let kind = |rule: &KindRule| {
            let of = |class| reaches(&self.reach(rule.kind, class));
            let view = KindView {
                reach: of(None),
                personal: of(Some(FieldClass::Personal)),
                cost: of(Some(FieldClass::Cost)),
            };
            (rule.kind, view)
        };
        View {
            login: self.authority().0.to_string(),
            kinds: KINDS.iter().map(kind).collect(),
            refusals_of_all: false,
        }
    }

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

/// Scopes as the read models know them.
fn reaches(scopes: &[Scope]) -> Vec<Reach> {
    let reach = |scope: &Scope| match scope.kind {
        ScopeKind::Organisation => Some(Reach::Organisation),
        ScopeKind::Own => Some(Reach::Own),
        ScopeKind::Pool => Some(Reach::Pool),
        ScopeKind::Team => Some(Reach::Team(scope.team.clone())),
        // A territory scope always names one.
        ScopeKind::Territory => scope.territory.clone().map(Reach::Territory),
    };
    scopes.iter().filter_map(reach).collect()
}
