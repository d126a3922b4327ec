use daybook_schema::access::{
    ApiKeyEvent, ApiKeyId, IssueApiKey, RevokeApiKey, Role, RotateApiKey,
};

use super::{account, everything, verifier};
use crate::spec::{Given, NOW, given, t, uuid};

fn issue(login: &str) -> IssueApiKey {
    IssueApiKey {
        account: account(login),
        name: t("nightly figures"),
        expires_at: None,
        verifier: Some(verifier("b3:one")),
    }
}

const KEY: ApiKeyId = ApiKeyId(uuid(50));

fn rotate() -> RotateApiKey {
    RotateApiKey {
        api_key: KEY,
        verifier: Some(verifier("b3:two")),
    }
}

fn revoke() -> RevokeApiKey {
    RevokeApiKey {
        api_key: KEY,
        because: None,
    }
}

/// A person, a program and an administrator, who acts.
fn staff() -> Given {
    given()
        .hired("li.wei")
        .connected("erp")
        .hired("admin")
        .granted("admin", Role::Administrator, everything())
        .signed_in("admin")
}

#[test]
fn the_record_keeps_the_digest_of_a_key() {
    let issued = ApiKeyEvent::ApiKeyIssued {
        account: account("erp"),
        name: t("nightly figures"),
        expires_at: None,
        verifier: verifier("b3:one"),
    };
    let key = ApiKeyId(uuid(99));
    staff().when(issue("erp")).then(&[(&key, issued.into())]);
    let unarmed = IssueApiKey {
        verifier: None,
        ..issue("erp")
    };
    staff().when(unarmed).then_refused("SECRET_MISSING");
}

#[test]
fn a_persons_key_is_issued_by_that_person_only() {
    staff()
        .when(issue("li.wei"))
        .then_refused("KEY_OF_ANOTHER_PERSON");
    staff()
        .signed_in("li.wei")
        .when(issue("li.wei"))
        .then_types(&["ApiKeyIssued"]);
    // A delegate acts for the person, and does not become that person.
    staff()
        .on_behalf_of("li.wei")
        .when(issue("li.wei"))
        .then_refused("KEY_OF_ANOTHER_PERSON");
    let held = staff().signed_in("li.wei").done(50, issue("li.wei"));
    held.signed_in("admin")
        .when(rotate())
        .then_refused("KEY_OF_ANOTHER_PERSON");
}

#[test]
fn only_who_may_act_gets_a_key() {
    given().when(issue("nobody")).then_refused("NOT_FOUND");
    given()
        .done(1, super::invite("li.wei"))
        .when(issue("li.wei"))
        .then_refused("ACCOUNT_IS_INVITED");
    given()
        .connected("erp")
        .suspended("erp")
        .when(issue("erp"))
        .then_refused("ACCOUNT_IS_SUSPENDED");
}

#[test]
fn no_key_has_expired_when_it_is_issued() {
    let until = |instant: &str| IssueApiKey {
        expires_at: Some(t(instant)),
        ..issue("erp")
    };
    staff().when(until(NOW)).then_refused("EXPIRY_PAST");
    staff()
        .when(until("2026-03-02T09:00:01Z"))
        .then_types(&["ApiKeyIssued"]);
}

#[test]
fn a_key_is_rotated_until_it_is_revoked_for_ever() {
    let issued = || staff().done(50, issue("erp"));
    let rotated = ApiKeyEvent::ApiKeyRotated {
        verifier: verifier("b3:two"),
    };
    issued().when(rotate()).then(&[(&KEY, rotated.into())]);
    issued()
        .done(51, rotate())
        .when(rotate())
        .then_types(&["ApiKeyRotated"]);
    issued().when(revoke()).then_types(&["ApiKeyRevoked"]);
    let revoked = || issued().done(51, revoke());
    revoked().when(revoke()).then_refused("API_KEY_IS_REVOKED");
    revoked().when(rotate()).then_refused("API_KEY_IS_REVOKED");
    staff().when(rotate()).then_refused("NOT_FOUND");
}
