use daybook_schema::access::{
    AccountEvent, AssignTeam, ChangeAccountDetails, DissolveTeam, ExternalIdentity, InviteUser,
    LinkIdentity, RegisterServiceAccount, ReinstateAccount, SetPassword, SuspendAccount,
    UnlinkIdentity,
};

use super::{account, invite, team, verifier};
use crate::spec::{Given, given, t};

fn identity(subject: &str) -> ExternalIdentity {
    ExternalIdentity {
        issuer: t("https://id.example"),
        subject: t(subject),
    }
}

fn link(login: &str, subject: &str) -> LinkIdentity {
    LinkIdentity {
        account: account(login),
        identity: identity(subject),
    }
}

fn unlink(login: &str, subject: &str) -> UnlinkIdentity {
    UnlinkIdentity {
        account: account(login),
        identity: identity(subject),
    }
}

fn set_password(login: &str) -> SetPassword {
    SetPassword {
        account: account(login),
        password: t("correct horse battery"),
        verifier: Some(verifier("$argon2id$")),
    }
}

fn suspend(login: &str) -> SuspendAccount {
    SuspendAccount {
        account: account(login),
        because: t("on leave"),
    }
}

fn reinstate(login: &str) -> ReinstateAccount {
    let account = account(login);
    ReinstateAccount { account }
}

fn invited() -> Given {
    given().done(1, invite("li.wei"))
}

#[test]
fn an_invited_person_comes_by_setting_a_password() {
    let come = invited().when(set_password("li.wei"));
    come.then(&[
        (
            &account("li.wei"),
            AccountEvent::PasswordSet {
                verifier: verifier("$argon2id$"),
            }
            .into(),
        ),
        (&account("li.wei"), AccountEvent::UserActivated {}.into()),
    ]);
    let again = invited().done(2, set_password("li.wei"));
    let changed = again.when(set_password("li.wei"));
    changed.then_types(&["PasswordSet"]);
}

#[test]
fn a_provider_vouches_for_an_invited_person() {
    let with_identity = InviteUser {
        identity: Some(identity("li.wei")),
        ..invite("li.wei")
    };
    let come = [
        "UserInvited",
        "NaturalKeyReserved",
        "IdentityLinked",
        "UserActivated",
    ];
    given().when(with_identity).then_types(&come);
    let linked = invited().when(link("li.wei", "li.wei"));
    linked.then_types(&come[1..]);
}

#[test]
fn a_user_name_is_given_once_for_ever() {
    invited()
        .when(invite("li.wei"))
        .then_refused("ALREADY_EXISTS");
    let program = RegisterServiceAccount {
        login: t("li.wei"),
        name: t("Connector"),
    };
    let gone = given().hired("li.wei").suspended("li.wei");
    gone.when(program).then_refused("ALREADY_EXISTS");
}

#[test]
fn an_invitation_needs_a_token_which_only_the_api_makes() {
    let unarmed = InviteUser {
        verifier: None,
        ..invite("li.wei")
    };
    given().when(unarmed).then_refused("SECRET_MISSING");
    let unarmed = SetPassword {
        verifier: None,
        ..set_password("li.wei")
    };
    invited().when(unarmed).then_refused("SECRET_MISSING");
}

#[test]
fn an_account_is_suspended_and_reinstated() {
    let active = || given().hired("li.wei");
    active()
        .when(suspend("li.wei"))
        .then_types(&["AccountSuspended"]);
    active()
        .when(reinstate("li.wei"))
        .then_refused("ACCOUNT_IS_ACTIVE");
    let suspended = || active().suspended("li.wei");
    suspended()
        .when(suspend("li.wei"))
        .then_refused("ACCOUNT_IS_SUSPENDED");
    suspended()
        .when(set_password("li.wei"))
        .then_refused("ACCOUNT_IS_SUSPENDED");
    suspended()
        .when(reinstate("li.wei"))
        .then_types(&["AccountReinstated"]);
    let again = suspended().done(2, reinstate("li.wei"));
    again
        .when(suspend("li.wei"))
        .then_types(&["AccountSuspended"]);
}

#[test]
fn an_identity_belongs_to_one_account_at_a_time() {
    let two = || given().hired("li.wei").hired("zhao.min");
    two()
        .when(link("zhao.min", "li.wei"))
        .then_refused("NATURAL_KEY_TAKEN");
    two()
        .when(link("li.wei", "li.wei"))
        .then_refused("NOTHING_TO_CHANGE");
    two()
        .when(unlink("li.wei", "zhao.min"))
        .then_refused("IDENTITY_UNKNOWN");
    two()
        .when(unlink("li.wei", "li.wei"))
        .then_types(&["NaturalKeyReleased", "IdentityUnlinked"]);
    let freed = two().done(2, unlink("li.wei", "li.wei"));
    freed
        .when(link("zhao.min", "li.wei"))
        .then_types(&["NaturalKeyReserved", "IdentityLinked"]);
}

#[test]
fn a_program_has_neither_password_nor_identity() {
    let program = || given().connected("erp");
    program()
        .when(set_password("erp"))
        .then_refused("ACCOUNT_OF_PROGRAM");
    program()
        .when(link("erp", "erp"))
        .then_refused("ACCOUNT_OF_PROGRAM");
}

#[test]
fn nothing_can_be_done_about_an_account_that_is_not_there() {
    given().when(suspend("nobody")).then_refused("NOT_FOUND");
    let details = ChangeAccountDetails {
        account: account("nobody"),
        name: t("Nobody"),
        email: None,
    };
    let refusal = given().when(details.clone()).then_refused("NOT_FOUND");
    assert_eq!(refusal.message, "there is no `account-nobody`");
    let known = given().hired("nobody").when(details);
    known.then_types(&["AccountDetailsChanged"]);
}

#[test]
fn a_member_is_in_one_team_that_there_is() {
    let assign = |code: Option<&str>| AssignTeam {
        account: account("li.wei"),
        team: code.map(team),
    };
    let staff = || given().hired("li.wei").formed("east", None);
    staff()
        .when(assign(Some("east")))
        .then_types(&["TeamAssigned"]);
    staff().when(assign(Some("west"))).then_refused("NOT_FOUND");
    staff().when(assign(None)).then_refused("NOTHING_TO_CHANGE");
    let member = staff().member("li.wei", "east");
    member
        .when(assign(Some("east")))
        .then_refused("NOTHING_TO_CHANGE");
    let dissolved = staff().done(
        2,
        DissolveTeam {
            team: team("east"),
            because: None,
        },
    );
    dissolved
        .when(assign(Some("east")))
        .then_refused("TEAM_IS_DISSOLVED");
}
