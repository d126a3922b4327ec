use daybook_schema::access::{
    AccountEvent, DissolveTeam, GrantRole, RevokeRole, Role, Scope, ScopeKind,
};

use super::{account, everything, grant, of_team, of_territory, own, team};
use crate::spec::{Given, given, t};

fn revoke(number: u32) -> RevokeRole {
    RevokeRole {
        account: account("li.wei"),
        grant: number,
        because: None,
    }
}

fn sales(scope: Scope) -> GrantRole {
    grant("li.wei", Role::Salesperson, scope)
}

fn between(from: Option<&str>, until: &str) -> GrantRole {
    GrantRole {
        from: from.map(t),
        until: Some(t(until)),
        ..sales(own())
    }
}

fn staff() -> Given {
    given().hired("li.wei").hired("admin").formed("east", None)
}

#[test]
fn grants_are_counted_and_begin_today() {
    let granted = |grant| AccountEvent::RoleGranted {
        grant,
        role: Role::Salesperson,
        scope: own(),
        from: t("2026-03-02"),
        until: None,
    };
    let first = staff().when(sales(own()));
    first.then(&[(&account("li.wei"), granted(1).into())]);
    let revoked = staff().done(2, sales(own())).done(3, revoke(1));
    let next = revoked.when(sales(own()));
    next.then(&[(&account("li.wei"), granted(2).into())]);
}

#[test]
fn nobody_grants_a_role_to_themselves() {
    let by_themselves = staff().signed_in("li.wei");
    by_themselves
        .when(sales(own()))
        .then_refused("GRANTEE_IS_GRANTOR");
    let for_another = staff().signed_in("li.wei").on_behalf_of("admin");
    for_another
        .when(sales(own()))
        .then_refused("GRANTEE_IS_GRANTOR");
    let by_a_delegate = staff().signed_in("admin").on_behalf_of("li.wei");
    by_a_delegate
        .when(sales(own()))
        .then_refused("GRANTEE_IS_GRANTOR");
    let by_another = staff().signed_in("admin");
    by_another.when(sales(own())).then_types(&["RoleGranted"]);
    // The process, which founds an organisation, has no account to favour.
    staff().when(sales(own())).then_types(&["RoleGranted"]);
}

#[test]
fn a_scope_says_what_it_needs_and_no_more() {
    let whole = [
        own(),
        everything(),
        Scope::of(ScopeKind::Pool),
        of_team(None),
        of_team(Some("east")),
        of_territory("cn-east"),
    ];
    for scope in whole {
        staff().when(sales(scope)).then_types(&["RoleGranted"]);
    }
    let with_team = |kind| Scope {
        team: Some(team("east")),
        ..Scope::of(kind)
    };
    let with_territory = |kind| Scope {
        territory: Some(t("cn-east")),
        ..Scope::of(kind)
    };
    let broken = [
        Scope::of(ScopeKind::Territory),
        with_team(ScopeKind::Territory),
        with_territory(ScopeKind::Team),
        with_team(ScopeKind::Own),
        with_territory(ScopeKind::Own),
        with_team(ScopeKind::Pool),
        with_territory(ScopeKind::Organisation),
        Scope {
            team: Some(team("east")),
            ..of_territory("cn-east")
        },
    ];
    for scope in broken {
        let refusal = staff().when(sales(scope)).then_refused("BROKEN_SCOPE");
        assert_eq!(refusal.field, ["scope"]);
    }
}

#[test]
fn a_team_scope_names_a_team_that_there_is() {
    staff()
        .when(sales(of_team(Some("west"))))
        .then_refused("NOT_FOUND");
    let dissolved = DissolveTeam {
        team: team("east"),
        because: None,
    };
    staff()
        .done(2, dissolved)
        .when(sales(of_team(Some("east"))))
        .then_refused("TEAM_IS_DISSOLVED");
}

#[test]
fn a_period_ends_on_the_day_on_which_it_begins_or_later() {
    let granted = ["RoleGranted"];
    let begin = Some("2026-05-01");
    staff()
        .when(between(begin, "2026-05-01"))
        .then_types(&granted);
    staff()
        .when(between(begin, "2026-04-30"))
        .then_refused("PERIOD_ENDS_BEFORE_IT_BEGINS");
    staff()
        .when(between(None, "2026-03-01"))
        .then_refused("PERIOD_ENDS_BEFORE_IT_BEGINS");
    staff()
        .when(between(None, "2026-03-02"))
        .then_types(&granted);
}

#[test]
fn a_role_is_taken_back_once() {
    let granted = || staff().done(2, sales(own()));
    granted().when(revoke(1)).then_types(&["RoleRevoked"]);
    granted().when(revoke(2)).then_refused("GRANT_UNKNOWN");
    granted()
        .done(3, revoke(1))
        .when(revoke(1))
        .then_refused("GRANT_UNKNOWN");
}
