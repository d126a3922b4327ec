use daybook_schema::access::{EndSession, OpenSession, SessionId, SignInMethod};

use super::{account, verifier};
use crate::spec::{Given, given, t, uuid};

const SESSION: SessionId = SessionId(uuid(50));

fn open(login: &str) -> OpenSession {
    OpenSession {
        account: account(login),
        method: SignInMethod::Password,
        expires_at: t("2026-03-02T17:00:00Z"),
        verifier: Some(verifier("b3:session")),
    }
}

fn end() -> EndSession {
    EndSession { session: SESSION }
}

fn opened() -> Given {
    given().hired("li.wei").done(50, open("li.wei"))
}

#[test]
fn a_person_who_may_act_signs_in_and_out() {
    given()
        .hired("li.wei")
        .when(open("li.wei"))
        .then_types(&["SessionOpened"]);
    opened().when(end()).then_types(&["SessionEnded"]);
    opened()
        .done(51, end())
        .when(end())
        .then_refused("SESSION_HAS_ENDED");
    given().when(end()).then_refused("NOT_FOUND");
}

#[test]
fn nobody_else_gets_a_session() {
    given()
        .connected("erp")
        .when(open("erp"))
        .then_refused("SESSION_OF_PROGRAM");
    given()
        .hired("li.wei")
        .suspended("li.wei")
        .when(open("li.wei"))
        .then_refused("ACCOUNT_IS_SUSPENDED");
    given().when(open("nobody")).then_refused("NOT_FOUND");
    let unarmed = OpenSession {
        verifier: None,
        ..open("li.wei")
    };
    given()
        .hired("li.wei")
        .when(unarmed)
        .then_refused("SECRET_MISSING");
}

#[test]
fn nobody_may_ask_for_a_session_and_everybody_may_end_their_own() {
    let staff = || {
        opened().granted(
            "li.wei",
            daybook_schema::access::Role::Auditor,
            super::own(),
        )
    };
    let refusal = staff().signed_in("li.wei").authorised(open("li.wei"));
    assert_eq!(
        refusal.map_err(|it| it.code),
        Err("PERMISSION_DENIED".to_owned())
    );
    let ended = staff().signed_in("li.wei").authorised(end());
    assert!(ended.is_ok_and(|cited| cited.is_some_and(|cited| cited.grant.is_none())));
}
