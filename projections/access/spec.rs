#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! Given facts about accounts, then these rows.

use daybook_schema::{
    access::{
        AccountEvent, AccountId, AccountStatus, ApiKeyEvent, ApiKeyId, ExternalIdentity, Role,
        Scope, ScopeKind, SessionEvent, SessionId, SignInMethod, TeamEvent, TeamId, Verifier,
    },
    kernel::StreamKey,
};

use super::{AccountRow, ApiKeyRow, SessionRow, TeamRow, account_of_identity};
use crate::spec::{History, given, id, value};

fn li() -> AccountId {
    value("account-li.wei")
}

fn identity() -> ExternalIdentity {
    ExternalIdentity {
        issuer: value("https://login.example.com"),
        subject: value("42"),
    }
}

fn invited() -> History {
    given().on("2026-03-02").event(
        li(),
        AccountEvent::UserInvited {
            name: value("李伟"),
            email: Some(value("li.wei@example.com")),
            verifier: Verifier::new("digest"),
        },
    )
}

fn granted(grant: u32, role: Role) -> AccountEvent {
    AccountEvent::RoleGranted {
        grant,
        role,
        scope: Scope::of(ScopeKind::Own),
        from: value("2026-03-02"),
        until: None,
    }
}

#[test]
fn an_invitation_is_spent_when_the_person_comes() {
    let verifier = Verifier::new("$argon2id$hash");
    let shown = invited()
        .event(li(), AccountEvent::PasswordSet { verifier })
        .event(li(), AccountEvent::UserActivated {})
        .then();
    let row: AccountRow = shown.get(&li().to_string()).unwrap().unwrap();
    assert_eq!(row.status, AccountStatus::Active);
    assert_eq!(row.invitation, None);
    assert!(row.has_password && row.password_set_at.is_some());
    assert_eq!(row.login.as_str(), "li.wei");
}

#[test]
fn revoked_grants_and_ended_delegations_are_gone() {
    let delegated = AccountEvent::AuthorityDelegated {
        delegation: 1,
        to: value("account-zhao.min"),
        from: value("2026-07-01"),
        until: value("2026-07-14"),
        because: None,
    };
    let revoked = AccountEvent::RoleRevoked {
        grant: 1,
        because: None,
    };
    let shown = invited()
        .event(li(), granted(1, Role::Salesperson))
        .event(li(), granted(2, Role::Analyst))
        .event(li(), revoked)
        .event(li(), delegated)
        .event(li(), AccountEvent::DelegationEnded { delegation: 1 })
        .then();
    let row: AccountRow = shown.get(&li().to_string()).unwrap().unwrap();
    let numbers: Vec<_> = row.grants.iter().map(|grant| grant.number).collect();
    assert_eq!(numbers, [2]);
    assert_eq!(row.delegations, []);
}

#[test]
fn an_identity_opens_the_account_that_it_is_linked_to() {
    let linked = AccountEvent::IdentityLinked {
        identity: identity(),
    };
    let shown = invited().event(li(), linked.clone()).then();
    assert_eq!(
        account_of_identity(&shown, &identity()).unwrap(),
        Some(li())
    );
    let unlinked = AccountEvent::IdentityUnlinked {
        identity: identity(),
    };
    let shown = invited().event(li(), linked).event(li(), unlinked).then();
    assert_eq!(account_of_identity(&shown, &identity()).unwrap(), None);
}

#[test]
fn keys_and_sessions_show_when_they_end() {
    let key: ApiKeyId = id(1);
    let session: SessionId = id(2);
    let shown = invited()
        .event(
            key,
            ApiKeyEvent::ApiKeyIssued {
                account: li(),
                name: value("script"),
                expires_at: None,
                verifier: Verifier::new("first"),
            },
        )
        .event(
            key,
            ApiKeyEvent::ApiKeyRotated {
                verifier: Verifier::new("second"),
            },
        )
        .event(key, ApiKeyEvent::ApiKeyRevoked { because: None })
        .event(
            session,
            SessionEvent::SessionOpened {
                account: li(),
                method: SignInMethod::Password,
                expires_at: value("2026-03-02T21:00:00Z"),
                verifier: Verifier::new("secret"),
            },
        )
        .event(session, SessionEvent::SessionEnded {})
        .then();
    let key: ApiKeyRow = shown.get(&key.to_string()).unwrap().unwrap();
    assert_eq!(key.verifier, Verifier::new("second"));
    assert!(key.revoked_at.is_some());
    let session: SessionRow = shown.get(&session.to_string()).unwrap().unwrap();
    assert!(session.ended_at.is_some());
}

#[test]
fn teams_stand_below_teams() {
    let (east, china): (TeamId, TeamId) = (value("team-east"), value("team-china"));
    let formed = |parent: Option<&TeamId>| TeamEvent::TeamFormed {
        name: value("a team"),
        parent: parent.cloned(),
    };
    let moved = TeamEvent::TeamMoved { parent: None };
    let shown = given()
        .event(china.clone(), formed(None))
        .event(east.clone(), formed(Some(&china)))
        .then();
    let row: TeamRow = shown.get(&east.to_string()).unwrap().unwrap();
    assert_eq!(row.parent, Some(china.clone()));
    let shown = given()
        .event(china.clone(), formed(None))
        .event(east.clone(), formed(Some(&china)))
        .event(east.clone(), moved)
        .event(china, TeamEvent::TeamDissolved { because: None })
        .then();
    let row: TeamRow = shown.get(&east.to_string()).unwrap().unwrap();
    assert!(row.parent.is_none() && !row.dissolved);
    assert_eq!(TeamId::PREFIX, "team");
}
