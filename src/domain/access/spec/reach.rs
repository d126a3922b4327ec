//! What a grant reaches, by its scope, its dates and its role.

use daybook_schema::{
    access::{
        AssignTeam, DissolveTeam, GrantRole, IssueApiKey, MoveTeam, RevokeRole, Role, Scope,
        ScopeKind,
    },
    commit::Refusal,
    customers::LogInteraction,
    governance::PolicyRules,
    orders::{CancelShipment, HoldOrder},
    pipeline::{AddOpportunityCompetitor, RecycleLead},
    service::CloseComplaint,
};
use serde_json::json;

use super::{
    account, command, everything, grant, of_team, of_territory, own, team,
    world::{complaint, customer, lead, opportunity, order, shipment},
};
use crate::{
    Cited,
    spec::{Given, given, shop, t},
};

fn talk_with(number: u128) -> LogInteraction {
    let details = json!({ "channel": "phone", "direction": "outbound", "summary": "hello" });
    command(json!({ "customer": customer(number).to_string(), "details": details }))
}

fn recycle(number: u128) -> RecycleLead {
    RecycleLead {
        lead: lead(number),
        because: t("later"),
    }
}

/// Asks for the first account of the spec.
#[track_caller]
fn talks(given: Given, number: u128) -> bool {
    given
        .signed_in("li.wei")
        .authorised(talk_with(number))
        .is_ok()
}

fn by(role: Role, grant: u32) -> Result<Option<Cited>, Refusal> {
    let grant = Some(grant);
    Ok(Some(Cited { role, grant }))
}

/// Two salespeople with a customer each, who has everything that a customer can have.
fn shared() -> Given {
    let people = given().hired("li.wei").hired("zhao.min");
    people
        .customer(1, "li.wei")
        .opportunity(1, 1, "li.wei")
        .order(1, 1, Some("li.wei"))
        .shipment(1, 1)
        .complaint(1, 1)
        .interaction(1, 1)
        .lead(1, Some("li.wei"))
        .customer(2, "zhao.min")
        .opportunity(2, 2, "zhao.min")
        .order(2, 2, Some("zhao.min"))
        .shipment(2, 2)
        .complaint(2, 2)
        .interaction(2, 2)
        .lead(2, Some("zhao.min"))
}

/// One command about each kind of objects, all of which a manager may issue.
#[track_caller]
fn reached(given: &Given, number: u128) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut note = |kind, outcome: Result<_, _>| {
        if outcome.is_ok() {
            found.push(kind);
        }
    };
    note("customer", given.authorised(talk_with(number)));
    note("lead", given.authorised(recycle(number)));
    let competitor = AddOpportunityCompetitor {
        opportunity: opportunity(number),
        competitor: t("Zhongda"),
    };
    note("opportunity", given.authorised(competitor));
    let (order, because) = (order(number), t("wait"));
    note("order", given.authorised(HoldOrder { order, because }));
    let (shipment, because) = (shipment(number), t("wait"));
    note(
        "shipment",
        given.authorised(CancelShipment { shipment, because }),
    );
    let complaint = complaint(number);
    note("complaint", given.authorised(CloseComplaint { complaint }));
    found
}

const ALL: [&str; 6] = [
    "customer",
    "lead",
    "opportunity",
    "order",
    "shipment",
    "complaint",
];

#[test]
fn every_kind_of_objects_is_reached_by_its_hands_or_those_it_hangs_from() {
    let own = shared().granted("li.wei", Role::Manager, own());
    let own = own.signed_in("li.wei");
    assert_eq!(reached(&own, 1), ALL);
    assert_eq!(reached(&own, 2), [""; 0]);
    let all = shared().granted("li.wei", Role::Manager, everything());
    let all = all.signed_in("li.wei");
    assert_eq!(reached(&all, 1), ALL);
    assert_eq!(reached(&all, 2), ALL);
}

#[test]
fn whoever_looks_after_a_part_does_not_reach_the_whole() {
    let order_only = given()
        .hired("li.wei")
        .customer(2, "zhao.min")
        .order(2, 2, Some("li.wei"))
        .shipment(2, 2)
        .opportunity(2, 2, "li.wei")
        .complaint(2, 2)
        .granted("li.wei", Role::Manager, own());
    let reached = reached(&order_only.signed_in("li.wei"), 2);
    assert_eq!(reached, ["opportunity", "order", "shipment"]);
}

#[test]
fn what_hangs_from_an_own_customer_is_reached_whoever_looks_after_it() {
    let customer_only = given()
        .hired("li.wei")
        .customer(2, "li.wei")
        .order(2, 2, Some("zhao.min"))
        .shipment(2, 2)
        .opportunity(2, 2, "zhao.min")
        .complaint(2, 2)
        .granted("li.wei", Role::Manager, own());
    let reached = reached(&customer_only.signed_in("li.wei"), 2);
    let whole = ["customer", "opportunity", "order", "shipment", "complaint"];
    assert_eq!(reached, whole);
}

/// `china` above `east` and `west`; one person in each, and one in no team.
fn teams() -> Given {
    let staff = ["li.wei", "east.one", "west.one", "free.one"];
    let people = staff.into_iter().fold(given(), Given::hired);
    people
        .formed("china", None)
        .formed("east", Some("china"))
        .formed("west", Some("china"))
        .member("li.wei", "china")
        .member("east.one", "east")
        .member("west.one", "west")
        .customer(0, "li.wei")
        .customer(1, "east.one")
        .customer(2, "west.one")
        .customer(3, "free.one")
}

/// Which of the four customers a grant of a manager reaches.
#[track_caller]
fn customers(given: Given, scope: Scope) -> Vec<u128> {
    let given = given
        .granted("li.wei", Role::Manager, scope)
        .signed_in("li.wei");
    (0..4)
        .filter(|number| given.authorised(talk_with(*number)).is_ok())
        .collect()
}

fn dissolve(code: &str) -> DissolveTeam {
    DissolveTeam {
        team: team(code),
        because: None,
    }
}

#[test]
fn a_team_scope_reaches_the_team_and_all_teams_below_it() {
    assert_eq!(customers(teams(), of_team(None)), [0, 1, 2]);
    assert_eq!(customers(teams(), of_team(Some("china"))), [0, 1, 2]);
    assert_eq!(customers(teams(), of_team(Some("east"))), [1]);
}

#[test]
fn a_team_scope_follows_who_is_in_the_team_now() {
    let left = AssignTeam {
        account: account("east.one"),
        team: None,
    };
    let without_east = teams().done(2, left);
    assert_eq!(customers(without_east, of_team(None)), [0, 2]);
    let moved = MoveTeam {
        team: team("west"),
        parent: None,
    };
    let without_west = || teams().done(2, moved.clone());
    assert_eq!(customers(without_west(), of_team(None)), [0, 1]);
    assert_eq!(customers(without_west(), of_team(Some("west"))), [2]);
    // The account's own team is the one that it is in at the time.
    let joined = teams().member("li.wei", "east");
    assert_eq!(customers(joined, of_team(None)), [0, 1]);
    let outside = AssignTeam {
        account: account("li.wei"),
        team: None,
    };
    assert_eq!(customers(teams().done(2, outside), of_team(None)), [0; 0]);
}

#[test]
fn a_dissolved_team_reaches_nothing_and_holds_nothing_together() {
    let of_east = || teams().granted("li.wei", Role::Manager, of_team(Some("east")));
    assert!(talks(of_east(), 1));
    assert!(!talks(of_east().done(2, dissolve("east")), 1));
    let of_china = || teams().granted("li.wei", Role::Manager, of_team(Some("china")));
    assert!(talks(of_china(), 1));
    assert!(!talks(of_china().done(2, dissolve("east")), 1));
    assert!(!talks(of_china().done(2, dissolve("china")), 1));
}

#[test]
fn a_territory_scope_reaches_what_lies_in_the_territory() {
    let land = || {
        shared()
            .customer_in(2, Some("cn-east"))
            .lead_in(2, Some("cn-east"))
            .granted("li.wei", Role::Manager, of_territory("cn-east"))
    };
    assert_eq!(reached(&land().signed_in("li.wei"), 2), ALL);
    assert_eq!(reached(&land().signed_in("li.wei"), 1), [""; 0]);
    let moved = land().customer_in(2, Some("cn-west")).lead_in(2, None);
    assert_eq!(reached(&moved.signed_in("li.wei"), 2), [""; 0]);
}

#[test]
fn a_pool_scope_reaches_what_waits_for_somebody() {
    let pool = || {
        given()
            .hired("li.wei")
            .lead(1, None)
            .lead(2, Some("zhao.min"))
            .lead(3, Some("zhao.min"))
            .recycled(3)
            .customer(1, "zhao.min")
            .granted("li.wei", Role::Salesperson, Scope::of(ScopeKind::Pool))
            .signed_in("li.wei")
    };
    assert!(pool().authorised(recycle(1)).is_ok());
    assert!(pool().authorised(recycle(2)).is_err());
    assert!(pool().authorised(recycle(3)).is_ok());
    assert!(pool().authorised(talk_with(1)).is_err());
}

#[test]
fn what_belongs_to_nobody_is_reached_by_any_scope() {
    let keeper = given()
        .hired("li.wei")
        .granted("li.wei", Role::StockKeeper, own())
        .signed_in("li.wei");
    let opened = keeper.authorised(shop::open_warehouse("NORTH"));
    assert_eq!(opened, by(Role::StockKeeper, 1));
    let leader = given()
        .hired("li.wei")
        .granted("li.wei", Role::Leader, of_team(None))
        .signed_in("li.wei");
    let policy = daybook_schema::governance::PublishPolicy {
        name: None,
        rules: PolicyRules::Stock(daybook_schema::governance::StockRules {
            allow_back_orders: true,
        }),
        effective_from: t("2026-03-02"),
    };
    assert_eq!(leader.authorised(policy), by(Role::Leader, 1));
}

#[test]
fn a_grant_holds_from_its_first_day_to_its_last() {
    let dated = GrantRole {
        from: Some(t("2026-03-01")),
        until: Some(t("2026-03-31")),
        ..grant("li.wei", Role::Salesperson, own())
    };
    let days = [
        ("2026-02-28", false),
        ("2026-03-01", true),
        ("2026-03-31", true),
        ("2026-04-01", false),
    ];
    for (day, holds) in days {
        let given = shared().done(2, dated.clone()).on(day);
        assert_eq!(talks(given, 1), holds, "{day}");
    }
    let endless = shared().granted("li.wei", Role::Salesperson, own());
    assert!(talks(endless.on("2126-01-01"), 1));
}

#[test]
fn what_happened_earlier_is_permitted_by_the_grants_of_today() {
    let later = GrantRole {
        from: Some(t("2026-03-01")),
        ..grant("li.wei", Role::Salesperson, own())
    };
    let given = shared().done(2, later).occurred_at("2026-01-05T09:00:00Z");
    assert!(talks(given, 1));
}

#[test]
fn a_revoked_grant_and_a_suspended_account_permit_nothing() {
    let granted = || shared().granted("li.wei", Role::Salesperson, own());
    assert!(talks(granted(), 1));
    let revoked = RevokeRole {
        account: account("li.wei"),
        grant: 1,
        because: None,
    };
    assert!(!talks(granted().done(2, revoked), 1));
    let suspended = granted().suspended("li.wei").signed_in("li.wei");
    let refusal = suspended.authorised(talk_with(1)).map_err(|it| it.code);
    assert_eq!(refusal, Err("ACCOUNT_NOT_ACTIVE".to_owned()));
    let stranger = shared().signed_in("nobody").authorised(talk_with(1));
    assert_eq!(stranger.map_err(|it| it.code), refusal);
}

#[test]
fn the_first_grant_that_reaches_everything_is_cited() {
    let several = shared()
        .granted("li.wei", Role::Auditor, everything())
        .granted("li.wei", Role::Salesperson, own())
        .granted("li.wei", Role::Manager, everything())
        .granted("li.wei", Role::SalesManager, everything())
        .signed_in("li.wei");
    assert_eq!(several.authorised(talk_with(1)), by(Role::Salesperson, 2));
    assert_eq!(several.authorised(talk_with(2)), by(Role::Manager, 3));
}

#[test]
fn two_grants_do_not_add_up() {
    // The order hangs from a customer of one territory, and is to be blamed by one of another.
    let both = shared()
        .customer_in(1, Some("cn-east"))
        .customer_in(2, Some("cn-west"))
        .granted("zhao.min", Role::Manager, of_territory("cn-east"))
        .granted("zhao.min", Role::Manager, of_territory("cn-west"))
        .signed_in("zhao.min");
    let blamed = |of: u128, about: u128| {
        let input = json!({
            "customer": customer(of).to_string(), "order": order(about).to_string(),
            "channel": "phone", "description": "late"
        });
        both.authorised(command::<daybook_schema::service::LogComplaint>(input))
    };
    assert_eq!(blamed(1, 1), by(Role::Manager, 1));
    assert_eq!(blamed(2, 2), by(Role::Manager, 2));
    assert!(blamed(1, 2).is_err());
}

#[test]
fn everybody_with_a_role_may_care_for_their_own_account() {
    let key = |login: &str| IssueApiKey {
        account: account(login),
        name: t("script"),
        expires_at: None,
        verifier: None,
    };
    let person = shared().granted("li.wei", Role::Auditor, own());
    let person = person.signed_in("li.wei");
    let themselves = Ok(Some(Cited {
        role: Role::Auditor,
        grant: None,
    }));
    assert_eq!(person.authorised(key("li.wei")), themselves);
    let code = |outcome: Result<_, Refusal>| outcome.map_err(|refusal| refusal.code);
    let denied = Err("PERMISSION_DENIED".to_owned());
    assert_eq!(code(person.authorised(key("zhao.min"))), denied);
    let roleless = shared().signed_in("li.wei");
    assert_eq!(code(roleless.authorised(key("li.wei"))), denied);
    let administrator = shared()
        .granted("zhao.min", Role::Administrator, everything())
        .signed_in("zhao.min");
    assert_eq!(
        administrator.authorised(key("li.wei")),
        by(Role::Administrator, 1)
    );
}

#[test]
fn the_process_needs_no_grant() {
    let process = given().authorised(talk_with(1));
    assert_eq!(process, Ok(None));
}
