//! The first account of an organisation that has none: whoever starts it gets a key to it, once.

use daybook_projections::{access::AccountRow, store::Condition};
use daybook_schema::{
    Command, DomainCommand,
    access::{AccountId, GrantRole, IssueApiKey, RegisterServiceAccount, Role, Scope, ScopeKind},
    kernel::{Actor, Name},
};
use uuid::Uuid;

use super::{Armoury, Token, TokenKind};
use crate::{AppError, Envelope, Organisation, founding::issue};

/// The first account, and the key to it.
#[derive(Debug)]
pub struct Bootstrap {
    /// The account.
    pub account: AccountId,
    /// The key; it is shown now and never again.
    pub key: Token,
}

/// The roles of the first account: it sets the organisation up, and can run it until others do.
const ROLES: [Role; 2] = [Role::Administrator, Role::Manager];

/// Makes the first account of an organisation that has none; nothing where there is one.
///
/// # Errors
/// [`AppError`] where the commands could not be decided.
pub fn bootstrap(
    organisation: &Organisation,
    login: &Actor,
) -> Result<Option<Bootstrap>, AppError> {
    let snapshot = organisation.readers().snapshot(None)?;
    if snapshot.count::<AccountRow>(&Condition::EVERYTHING)? > 0 {
        return Ok(None);
    }
    drop(snapshot);
    let account = AccountId(login.clone());
    let name = Name::of_id(&account);
    let login_name = login.clone();
    order(
        organisation,
        login,
        RegisterServiceAccount {
            login: login_name,
            name,
        },
    )?;
    for role in ROLES {
        let granted = GrantRole {
            account: account.clone(),
            role,
            scope: Scope::of(ScopeKind::Organisation),
            from: None,
            until: None,
        };
        order(organisation, login, granted)?;
    }
    let (key, secret) = issue_key(organisation, login, &account)?;
    let key = Token::new(
        TokenKind::ApiKey,
        organisation.id(),
        &key.to_string(),
        &secret,
    );
    Ok(Some(Bootstrap { account, key }))
}

fn issue_key(
    organisation: &Organisation,
    login: &Actor,
    account: &AccountId,
) -> Result<(Uuid, String), AppError> {
    let mut armoury = Armoury::default();
    let mut command = IssueApiKey {
        account: account.clone(),
        name: Name::of_id(account),
        expires_at: None,
        verifier: None,
    };
    Command::arm(&mut command, &mut armoury);
    let secret = armoury.secret().map_err(AppError::Randomness)?;
    let id = order(organisation, login, command)?;
    Ok((id, secret.unwrap_or_default()))
}

fn order(
    organisation: &Organisation,
    login: &Actor,
    command: impl Into<DomainCommand>,
) -> Result<Uuid, AppError> {
    let command_id = Uuid::now_v7();
    let envelope = Envelope::of_process(command_id, login.clone(), command);
    issue(organisation.desk(), envelope)?;
    Ok(command_id)
}
