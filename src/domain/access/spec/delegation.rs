use daybook_schema::{
    access::{
        DelegateAuthority, EndDelegation, GrantRole, IssueApiKey, ReinstateAccount, Role,
        SetPassword,
    },
    commit::Refusal,
};
use serde_json::json;

use super::{account, command, everything, grant, own, verifier, world::customer};
use crate::{
    Cited,
    spec::{Given, given, t},
};

fn delegate(from: &str, until: &str) -> DelegateAuthority {
    DelegateAuthority {
        account: account("li.wei"),
        to: account("zhao.min"),
        from: t(from),
        until: t(until),
        because: None,
    }
}

fn end(number: u32) -> EndDelegation {
    EndDelegation {
        account: account("li.wei"),
        delegation: number,
    }
}

/// A salesperson with a customer, and a colleague with a smaller part of the business.
fn staff() -> Given {
    let long_since = GrantRole {
        from: Some(t("2026-01-01")),
        ..grant("li.wei", Role::Salesperson, own())
    };
    given()
        .hired("li.wei")
        .done(1, long_since)
        .hired("zhao.min")
        .granted("zhao.min", Role::Auditor, everything())
        .customer(1, "li.wei")
}

/// The colleague acts for the salesperson in the first week of March.
fn delegated() -> Given {
    staff().done(2, delegate("2026-03-01", "2026-03-07"))
}

/// What only a salesperson may do.
fn classified(given: &Given) -> Result<Option<Cited>, Refusal> {
    let classify = json!({ "customer": customer(1).to_string(), "classification": "retail" });
    given.authorised(command::<daybook_schema::customers::ClassifyCustomer>(
        classify,
    ))
}

#[track_caller]
fn refused(outcome: Result<Option<Cited>, Refusal>, code: &str) -> Refusal {
    match outcome {
        Err(refusal) => {
            assert_eq!(refusal.code, code, "{}", refusal.message);
            refusal
        }
        Ok(cited) => unreachable!("expected {code}, got {cited:?}"),
    }
}

#[test]
fn a_delegate_acts_by_the_grants_of_the_other_account() {
    let deputy = delegated().signed_in("zhao.min");
    refused(classified(&deputy), "PERMISSION_DENIED");
    let cited = classified(&deputy.on_behalf_of("li.wei"));
    let sales = Cited {
        role: Role::Salesperson,
        grant: Some(1),
    };
    assert_eq!(cited, Ok(Some(sales)));
}

#[test]
fn authority_is_delegated_from_the_first_day_to_the_last() {
    for (day, holds) in [
        ("2026-02-28", false),
        ("2026-03-01", true),
        ("2026-03-07", true),
        ("2026-03-08", false),
    ] {
        let deputy = delegated()
            .signed_in("zhao.min")
            .on_behalf_of("li.wei")
            .on(day);
        assert_eq!(classified(&deputy).is_ok(), holds, "{day}");
    }
    let ended = delegated().done(3, end(1));
    let deputy = ended.signed_in("zhao.min").on_behalf_of("li.wei");
    refused(classified(&deputy), "NOT_DELEGATED");
}

#[test]
fn authority_goes_to_the_named_account_only() {
    let others = delegated()
        .hired("sun.li")
        .granted("sun.li", Role::Manager, everything());
    let stranger = others.signed_in("sun.li").on_behalf_of("li.wei");
    let there = refused(classified(&stranger), "NOT_DELEGATED");
    // Whether an account is there cannot be found out in this way.
    let nobody = staff().signed_in("zhao.min").on_behalf_of("nobody");
    let absent = refused(classified(&nobody), "NOT_DELEGATED");
    assert_eq!(
        there.message,
        absent
            .message
            .replace("nobody", "li.wei")
            .replace("zhao.min", "sun.li")
    );
    // Nor is it given back: the delegator does not act for the delegate.
    let back = delegated().signed_in("li.wei").on_behalf_of("zhao.min");
    refused(classified(&back), "NOT_DELEGATED");
}

#[test]
fn nobody_acts_by_or_for_an_account_that_is_suspended() {
    let deputy = |given: Given| given.signed_in("zhao.min").on_behalf_of("li.wei");
    let without_delegate = deputy(delegated().suspended("zhao.min"));
    refused(classified(&without_delegate), "ACCOUNT_NOT_ACTIVE");
    let without_delegator = deputy(delegated().suspended("li.wei"));
    refused(classified(&without_delegator), "NOT_DELEGATED");
    let back = ReinstateAccount {
        account: account("li.wei"),
    };
    let reinstated = deputy(delegated().suspended("li.wei").done(3, back));
    assert!(classified(&reinstated).is_ok());
}

#[test]
fn what_is_personal_is_not_done_by_a_delegate() {
    let deputy = || delegated().signed_in("zhao.min").on_behalf_of("li.wei");
    let password = SetPassword {
        account: account("li.wei"),
        password: t("correct horse battery"),
        verifier: Some(verifier("$argon2id$")),
    };
    refused(deputy().authorised(password.clone()), "PERMISSION_DENIED");
    let longer = delegate("2026-03-01", "2099-12-31");
    refused(deputy().authorised(longer.clone()), "PERMISSION_DENIED");
    refused(deputy().authorised(end(1)), "PERMISSION_DENIED");
    let key = IssueApiKey {
        account: account("li.wei"),
        name: t("theirs"),
        expires_at: None,
        verifier: Some(verifier("b3:one")),
    };
    refused(deputy().authorised(key), "PERMISSION_DENIED");
    let person = delegated().signed_in("li.wei");
    assert!(person.authorised(password).is_ok());
    assert!(person.authorised(longer).is_ok());
    assert!(person.authorised(end(1)).is_ok());
}

#[test]
fn authority_is_delegated_to_another_account_that_may_act() {
    let to = |login: &str| DelegateAuthority {
        to: account(login),
        ..delegate("2026-03-01", "2026-03-07")
    };
    staff()
        .when(to("zhao.min"))
        .then_types(&["AuthorityDelegated"]);
    staff()
        .when(to("li.wei"))
        .then_refused("DELEGATE_IS_DELEGATOR");
    staff().when(to("nobody")).then_refused("NOT_FOUND");
    staff()
        .suspended("zhao.min")
        .when(to("zhao.min"))
        .then_refused("ACCOUNT_IS_SUSPENDED");
    staff()
        .when(delegate("2026-03-02", "2026-03-01"))
        .then_refused("PERIOD_ENDS_BEFORE_IT_BEGINS");
    delegated().when(end(1)).then_types(&["DelegationEnded"]);
    delegated().when(end(2)).then_refused("DELEGATION_UNKNOWN");
}
