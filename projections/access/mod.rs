//! Accounts, teams, API keys and sessions: who may act here, and how they prove who they are.

#[cfg(test)]
mod spec;

use async_graphql::SimpleObject;
use daybook_schema::{
    DomainEvent,
    access::{
        AccountEvent, AccountId, AccountKind, AccountStatus, ApiKeyEvent, ApiKeyId, Delegation,
        ExternalIdentity, Grant, SessionEvent, SessionId, SignInMethod, TeamEvent, TeamId,
        Verifier,
    },
    kernel::{Actor, DateTime, Name, Note},
};
use serde::{Deserialize, Serialize};

use crate::store::{
    ColumnKind, Fact, FoldError, ReadModel, Snapshot, Stamp, StoreError, Tables, enum_column, table,
};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "access",
    version: 1,
    tables: |definitions| {
        definitions.rows::<AccountRow>();
        definitions.rows::<TeamRow>();
        definitions.rows::<ApiKeyRow>();
        definitions.rows::<SessionRow>();
        definitions.rows::<IdentityRow>();
    },
    fold,
};

/// An account: a person or a program that may act here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "AccountFields")]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    /// The account's id.
    pub id: AccountId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The user name, which stands in every commit as its actor.
    pub login: Actor,
    /// Whether a person or a program acts through it.
    pub kind: AccountKind,
    /// Whether it may act.
    pub status: AccountStatus,
    /// The name of the person or program.
    pub name: Name,
    /// The person's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Name>,
    /// The team that it belongs to.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// The roles that it was granted and that were not taken back, with their scopes and times.
    pub grants: Vec<Grant>,
    /// Who may act on its behalf.
    pub delegations: Vec<Delegation>,
    /// Who the person is at identity providers.
    #[serde(default)]
    pub identities: Vec<ExternalIdentity>,
    /// Whether it can sign in with a password.
    pub has_password: bool,
    /// Why it was suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_because: Option<Note>,
    /// The hash of its password.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Verifier>,
    /// When the password was set; sessions opened earlier are void.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_set_at: Option<DateTime>,
    /// Whether the invited person has come.
    #[graphql(skip)]
    pub came: bool,
    /// The digest of the invitation's token, until it is spent.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Verifier>,
}

table!(AccountRow as row, "account" {
    login: ColumnKind::Text, indexed; "By user name." => row.login;
    name: ColumnKind::Text; "By name." => row.name;
    kind: enum_column::<AccountKind>(); "By kind." => row.kind.to_string();
    status: enum_column::<AccountStatus>(), indexed; "By whether it may act."
        => row.status.to_string();
    team: ColumnKind::Id, nullable, indexed; "By team."
        => row.team.as_ref().map(ToString::to_string);
    created_at: ColumnKind::DateTime; "By when it was made." => row.stamp.created_at;
} personal ["email", "identities", "suspendedBecause"];);

/// A team of accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "TeamFields")]
#[serde(rename_all = "camelCase")]
pub struct TeamRow {
    /// The team's id.
    pub id: TeamId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its name for people.
    pub name: Name,
    /// The team above it.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<TeamId>,
    /// Whether it was dissolved.
    pub dissolved: bool,
}

table!(TeamRow as row, "team" {
    name: ColumnKind::Text; "By name." => row.name;
    parent: ColumnKind::Id, nullable, indexed; "By the team above it."
        => row.parent.as_ref().map(ToString::to_string);
    dissolved: ColumnKind::Boolean; "By whether it was dissolved." => row.dissolved;
});

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ApiKeyFields")]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyRow {
    /// The key's id.
    pub id: ApiKeyId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The account that acts by it.
    #[graphql(skip)]
    pub account: AccountId,
    /// What it is for.
    pub name: Name,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime>,
    /// When it was issued or last got a new secret.
    pub rotated_at: DateTime,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime>,
    /// The digest of its secret.
    #[graphql(skip)]
    pub verifier: Verifier,
}

table!(ApiKeyRow as row, "apiKey" {
    account: ColumnKind::Id, indexed; "By account." => row.account.to_string();
    name: ColumnKind::Text; "By what it is for." => row.name;
    expires_at: ColumnKind::DateTime, nullable; "By when it ends." => row.expires_at;
    revoked_at: ColumnKind::DateTime, nullable; "By when it was revoked." => row.revoked_at;
    created_at: ColumnKind::DateTime; "By when it was issued." => row.stamp.created_at;
});

/// A session of a person who signed in here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "SessionFields")]
#[serde(rename_all = "camelCase")]
pub struct SessionRow {
    /// The session's id.
    pub id: SessionId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The account.
    #[graphql(skip)]
    pub account: AccountId,
    /// How the person proved who they are.
    pub method: SignInMethod,
    /// When it ends by itself.
    pub expires_at: DateTime,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime>,
    /// The digest of its secret.
    #[graphql(skip)]
    pub verifier: Verifier,
}

table!(SessionRow as row, "session" {
    account: ColumnKind::Id, indexed; "By account." => row.account.to_string();
    expires_at: ColumnKind::DateTime, indexed; "By when it ends." => row.expires_at;
    ended_at: ColumnKind::DateTime, nullable; "By when it was ended." => row.ended_at;
    created_at: ColumnKind::DateTime; "By when it was opened." => row.stamp.created_at;
});

/// Whose account an identity at a provider opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdentityRow {
    id: String,
    stamp: Stamp,
    account: AccountId,
}

table!(IdentityRow as row, "external_identity" {
    account: ColumnKind::Id, indexed; "By account." => row.account.to_string();
});

/// Issuer and subject; no issuer holds a line break.
fn identity_id(identity: &ExternalIdentity) -> String {
    format!("{}\n{}", identity.issuer, identity.subject)
}

/// The account that an identity at a provider opens.
pub fn account_of_identity(
    snapshot: &Snapshot,
    identity: &ExternalIdentity,
) -> Result<Option<AccountId>, StoreError> {
    let row = snapshot.get::<IdentityRow>(&identity_id(identity))?;
    Ok(row.map(|row| row.account))
}

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Account(event) = &fact.event {
        return account(fact, event, tables);
    }
    if let DomainEvent::Team(event) = &fact.event {
        return team(fact, event, tables);
    }
    if let DomainEvent::ApiKey(event) = &fact.event {
        return api_key(fact, event, tables);
    }
    if let DomainEvent::Session(event) = &fact.event {
        return session(fact, event, tables);
    }
    Ok(())
}

fn account(fact: &Fact<'_>, event: &AccountEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let id: AccountId = fact.id()?;
    match event {
        AccountEvent::UserInvited {
            name,
            email,
            verifier,
        } => tables.insert(AccountRow {
            email: email.clone(),
            status: AccountStatus::Invited,
            invitation: Some(verifier.clone()),
            ..AccountRow::new(fact, id, AccountKind::User, name)
        }),
        AccountEvent::ServiceAccountRegistered { name } => {
            tables.insert(AccountRow::new(fact, id, AccountKind::Service, name));
        }
        AccountEvent::IdentityLinked { identity } => {
            tables.update(fact, &id, |row: &mut AccountRow| {
                row.identities.push(identity.clone());
            })?;
            tables.insert(IdentityRow {
                id: identity_id(identity),
                stamp: Stamp::new(fact),
                account: id,
            });
        }
        AccountEvent::IdentityUnlinked { identity } => {
            tables.update(fact, &id, |row: &mut AccountRow| {
                row.identities.retain(|own| own != identity);
            })?;
            tables.remove::<IdentityRow>(&identity_id(identity));
        }
        _ => tables.update(fact, &id, |row: &mut AccountRow| row.change(fact, event))?,
    }
    Ok(())
}

impl AccountRow {
    fn new(fact: &Fact<'_>, id: AccountId, kind: AccountKind, name: &Name) -> Self {
        Self {
            login: id.0.clone(),
            id,
            stamp: Stamp::new(fact),
            kind,
            status: AccountStatus::Active,
            name: name.clone(),
            email: None,
            team: None,
            grants: Vec::new(),
            delegations: Vec::new(),
            identities: Vec::new(),
            has_password: false,
            suspended_because: None,
            password: None,
            password_set_at: None,
            came: false,
            invitation: None,
        }
    }

    fn change(&mut self, fact: &Fact<'_>, event: &AccountEvent) {
        match event {
            AccountEvent::UserInvited { .. }
            | AccountEvent::ServiceAccountRegistered { .. }
            | AccountEvent::IdentityLinked { .. }
            | AccountEvent::IdentityUnlinked { .. } => {}
            AccountEvent::AccountDetailsChanged { name, email } => {
                self.name = name.clone();
                self.email = email.clone();
            }
            AccountEvent::UserActivated {} => {
                self.status = AccountStatus::Active;
                self.came = true;
                self.invitation = None;
            }
            AccountEvent::PasswordSet { verifier } => {
                self.password = Some(verifier.clone());
                self.password_set_at = Some(fact.meta.recorded_at);
                self.has_password = true;
            }
            AccountEvent::AccountSuspended { because } => {
                self.status = AccountStatus::Suspended;
                self.suspended_because = Some(because.clone());
            }
            AccountEvent::AccountReinstated {} => {
                let came = self.came || self.kind == AccountKind::Service;
                self.status = if came {
                    AccountStatus::Active
                } else {
                    AccountStatus::Invited
                };
                self.suspended_because = None;
            }
            AccountEvent::TeamAssigned { team } => self.team = team.clone(),
            AccountEvent::RoleGranted {
                grant,
                role,
                scope,
                from,
                until,
            } => self.grants.push(Grant {
                number: *grant,
                role: *role,
                scope: scope.clone(),
                from: *from,
                until: *until,
            }),
            AccountEvent::RoleRevoked { grant, .. } => {
                self.grants.retain(|held| held.number != *grant);
            }
            AccountEvent::AuthorityDelegated {
                delegation,
                to,
                from,
                until,
                ..
            } => self.delegations.push(Delegation {
                number: *delegation,
                to: to.clone(),
                from: *from,
                until: *until,
            }),
            AccountEvent::DelegationEnded { delegation } => {
                self.delegations.retain(|given| given.number != *delegation);
            }
        }
    }
}

fn team(fact: &Fact<'_>, event: &TeamEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let id: TeamId = fact.id()?;
    if let TeamEvent::TeamFormed { name, parent } = event {
        tables.insert(TeamRow {
            id,
            stamp: Stamp::new(fact),
            name: name.clone(),
            parent: parent.clone(),
            dissolved: false,
        });
        return Ok(());
    }
    tables.update(fact, &id, |row: &mut TeamRow| match event {
        TeamEvent::TeamFormed { .. } => {}
        TeamEvent::TeamRenamed { name } => row.name = name.clone(),
        TeamEvent::TeamMoved { parent } => row.parent = parent.clone(),
        TeamEvent::TeamDissolved { .. } => row.dissolved = true,
    })
}

fn api_key(fact: &Fact<'_>, event: &ApiKeyEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let id: ApiKeyId = fact.id()?;
    let at = fact.meta.recorded_at;
    if let ApiKeyEvent::ApiKeyIssued {
        account,
        name,
        expires_at,
        verifier,
    } = event
    {
        tables.insert(ApiKeyRow {
            id,
            stamp: Stamp::new(fact),
            account: account.clone(),
            name: name.clone(),
            expires_at: *expires_at,
            rotated_at: at,
            revoked_at: None,
            verifier: verifier.clone(),
        });
        return Ok(());
    }
    tables.update(fact, &id, |row: &mut ApiKeyRow| match event {
        ApiKeyEvent::ApiKeyIssued { .. } => {}
        ApiKeyEvent::ApiKeyRotated { verifier } => {
            row.verifier = verifier.clone();
            row.rotated_at = at;
        }
        ApiKeyEvent::ApiKeyRevoked { .. } => row.revoked_at = Some(at),
    })
}

fn session(fact: &Fact<'_>, event: &SessionEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let id: SessionId = fact.id()?;
    match event {
        SessionEvent::SessionOpened {
            account,
            method,
            expires_at,
            verifier,
        } => {
            tables.insert(SessionRow {
                id,
                stamp: Stamp::new(fact),
                account: account.clone(),
                method: *method,
                expires_at: *expires_at,
                ended_at: None,
                verifier: verifier.clone(),
            });
            Ok(())
        }
        SessionEvent::SessionEnded {} => tables.update(fact, &id, |row: &mut SessionRow| {
            row.ended_at = Some(fact.meta.recorded_at);
        }),
    }
}
