//! The keys that are shown at the start: once, to whoever founds an organisation; every time, those
//! of a demonstration, which are no secret.

use std::{thread, time::Duration};

use daybook_app::{
    Organisation,
    access::{Token, TokenKind, bootstrap, demo_secret},
    demo::{ADMINISTRATOR, SHOWN_ACCOUNTS},
};
use daybook_projections::{
    access::ApiKeyRow,
    store::{Cell as _, Condition, Operator, PageRequest, Row as _},
};
use daybook_schema::{
    access::{AccountId, Role},
    kernel::Actor,
};

use crate::{error::CliError, output};

/// Makes the first account of an organisation that has none, and shows the key to it.
pub(super) fn show_first(organisation: &Organisation, login: &Actor) -> Result<(), CliError> {
    let Some(first) = bootstrap(organisation, login)? else {
        return Ok(());
    };
    wait_until_posted(organisation);
    output::say(&format!(
        "The key of `{}`, which is the first account here. It is shown this once:\n  {}",
        first.account.0,
        first.key.reveal()
    ))
}

/// The first request may come right after the key was shown.
fn wait_until_posted(organisation: &Organisation) {
    let head = organisation.log().head().position;
    let applied = organisation.applied();
    while applied.borrow().position < head && applied.borrow().stopped.is_none() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// The account that a demonstration takes whoever brings no token for.
pub(super) fn demo_administrator() -> Option<AccountId> {
    ADMINISTRATOR.parse().ok().map(AccountId)
}

/// Shows a key for an account of every role that a company has.
pub(super) fn show_demo(organisation: &Organisation) -> Result<(), CliError> {
    output::say("A request without a token is the administrator's. Tokens of the other roles:")?;
    for (role, login) in SHOWN_ACCOUNTS {
        if let Some(token) = demo_token(organisation, login)? {
            output::say(&line(role, login, &token))?;
        }
    }
    Ok(())
}

fn line(role: Role, login: &str, token: &Token) -> String {
    format!("  {:<17} {login:<15} {}", role.to_string(), token.reveal())
}

fn demo_token(organisation: &Organisation, login: &str) -> Result<Option<Token>, CliError> {
    let snapshot = organisation
        .readers()
        .snapshot(None)
        .map_err(daybook_app::AppError::from)?;
    let column = ApiKeyRow::COLUMNS
        .iter()
        .position(|column| column.name == "account");
    let request = PageRequest {
        condition: Condition::Is {
            column: column.unwrap_or(usize::MAX),
            operator: Operator::Eq,
            values: vec![format!("account-{login}").cell()],
        },
        order: Vec::new(),
        after: None,
        before: None,
        limit: 10,
        backwards: false,
    };
    let page = snapshot
        .page::<ApiKeyRow>(&request)
        .map_err(daybook_app::AppError::from)?;
    let (secret, verifier) = demo_secret(login);
    for (document, _) in page.rows {
        let key = document.row().map_err(daybook_app::AppError::from)?;
        if key.verifier == verifier {
            let (id, organisation) = (key.id.0.to_string(), organisation.id());
            return Ok(Some(Token::new(
                TokenKind::ApiKey,
                organisation,
                &id,
                &secret,
            )));
        }
    }
    Ok(None)
}
