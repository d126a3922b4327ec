//! The first account of an organisation that has none: whoever starts it gets a key to it, once.

use daybook_projections::{access::AccountRow, governance::OrganisationRow, store::Condition};
use daybook_schema::{
    DomainCommand,
    access::{
        AccountId, Armoury as _, GrantRole, IssueApiKey, RegisterServiceAccount, Role, Scope,
        ScopeKind, Verifier,
    },
    governance::OrganisationId,
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
/// The roles of the first account of a house.
const HOUSE_ROLES: [Role; 2] = [Role::Administrator, Role::Operator];

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
    let id = OrganisationId(organisation.id());
    let row: Option<OrganisationRow> = snapshot.get(&id.to_string())?;
    drop(snapshot);
    let keeps_house = row.is_some_and(|row| row.keeps_house);
    let roles = if keeps_house { HOUSE_ROLES } else { ROLES };
    let mut armoury = Armoury::default();
    let verifier = armoury.forge();
    let secret = armoury.secret().map_err(AppError::Randomness)?;
    let account = make(organisation, login, roles, verifier)?;
    let (id, key) = (organisation.id(), first_key(organisation.id()).to_string());
    let key = Token::new(TokenKind::ApiKey, id, &key, &secret.unwrap_or_default());
    Ok(Some(Bootstrap { account, key }))
}

/// Makes the first account of an organisation that is being founded, with the key whose secret
/// somebody else has.
pub(crate) fn first_account(
    organisation: &Organisation,
    login: &Actor,
    verifier: Verifier,
) -> Result<(), AppError> {
    make(organisation, login, ROLES, verifier).map(drop)
}

/// The id of the first key of an organisation.
pub fn first_key(organisation: Uuid) -> Uuid {
    Uuid::new_v5(&organisation, b"first key")
}

fn make(
    organisation: &Organisation,
    login: &Actor,
    roles: [Role; 2],
    verifier: Verifier,
) -> Result<AccountId, AppError> {
    let account = AccountId(login.clone());
    let name = Name::of_id(&account);
    let register = RegisterServiceAccount {
        login: login.clone(),
        name: name.clone(),
    };
    order(organisation, login, Uuid::now_v7(), register)?;
    for role in roles {
        let granted = GrantRole {
            account: account.clone(),
            role,
            scope: Scope::of(ScopeKind::Organisation),
            from: None,
            until: None,
        };
        order(organisation, login, Uuid::now_v7(), granted)?;
    }
    let issue = IssueApiKey {
        account: account.clone(),
        name,
        expires_at: None,
        verifier: Some(verifier),
    };
    order(organisation, login, first_key(organisation.id()), issue)?;
    Ok(account)
}

fn order(
    organisation: &Organisation,
    login: &Actor,
    command_id: Uuid,
    command: impl Into<DomainCommand>,
) -> Result<(), AppError> {
    let envelope = Envelope::of_process(command_id, login.clone(), command);
    issue(organisation.desk(), envelope)
}
