use daybook_schema::access::{DissolveTeam, FormTeam, MoveTeam, RenameTeam};

use super::team;
use crate::spec::{Given, given, t};

fn form(code: &str, parent: Option<&str>) -> FormTeam {
    FormTeam {
        code: t(code),
        name: t(code),
        parent: parent.map(team),
    }
}

fn put_under(code: &str, parent: Option<&str>) -> MoveTeam {
    MoveTeam {
        team: team(code),
        parent: parent.map(team),
    }
}

fn dissolve(code: &str) -> DissolveTeam {
    DissolveTeam {
        team: team(code),
        because: None,
    }
}

/// `a` above `b` above `c`.
fn three() -> Given {
    given()
        .formed("a", None)
        .formed("b", Some("a"))
        .formed("c", Some("b"))
}

/// So many teams, each below the one before.
fn tower(height: usize) -> Given {
    (1..height).fold(given().formed("t0", None), |teams, number| {
        let above = format!("t{}", number - 1);
        teams.formed(&format!("t{number}"), Some(&above))
    })
}

#[test]
fn a_team_is_formed_renamed_moved_and_dissolved() {
    given().when(form("a", None)).then_types(&["TeamFormed"]);
    let rename = RenameTeam {
        team: team("a"),
        name: t("East"),
    };
    three().when(rename).then_types(&["TeamRenamed"]);
    three()
        .when(put_under("c", Some("a")))
        .then_types(&["TeamMoved"]);
    three()
        .when(put_under("c", None))
        .then_types(&["TeamMoved"]);
    three().when(dissolve("b")).then_types(&["TeamDissolved"]);
}

#[test]
fn a_code_is_used_once() {
    three().when(form("a", None)).then_refused("ALREADY_EXISTS");
    let dissolved = three().done(2, dissolve("c"));
    dissolved
        .when(form("c", None))
        .then_refused("TEAM_IS_DISSOLVED");
}

#[test]
fn no_team_stands_above_itself() {
    for below in ["a", "b", "c"] {
        three()
            .when(put_under("a", Some(below)))
            .then_refused("TEAM_BELOW_ITSELF");
    }
    // What was moved away first may be put above.
    let moved = three().done(2, put_under("c", None));
    moved
        .when(put_under("a", Some("c")))
        .then_types(&["TeamMoved"]);
    given().when(form("a", Some("a"))).then_refused("NOT_FOUND");
}

#[test]
fn teams_stand_above_one_another_to_a_limit() {
    let refusal = tower(32)
        .when(form("top", Some("t31")))
        .then_refused("TEAMS_TOO_DEEP");
    assert_eq!(
        refusal.message,
        "more than 32 teams would stand above one another"
    );
    tower(31)
        .when(form("top", Some("t30")))
        .then_types(&["TeamFormed"]);
}

#[test]
fn nothing_is_put_below_a_team_that_is_not_there() {
    three().when(form("d", Some("x"))).then_refused("NOT_FOUND");
    let dissolved = || three().done(2, dissolve("a"));
    dissolved()
        .when(form("d", Some("a")))
        .then_refused("TEAM_IS_DISSOLVED");
    dissolved()
        .when(put_under("a", None))
        .then_refused("TEAM_IS_DISSOLVED");
    three()
        .when(put_under("b", Some("a")))
        .then_refused("NOTHING_TO_CHANGE");
    three().when(put_under("x", None)).then_refused("NOT_FOUND");
}
