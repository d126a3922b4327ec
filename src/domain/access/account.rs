//! An account. Invited → active ⇄ suspended; a program is active at once.
//! Invariants: a user name is given once, for ever; nobody grants a role to themselves; nobody acts
//! on behalf of themselves; only digests of secrets are on record.

use std::collections::BTreeMap;

use daybook_schema::{
    access::{
        AccountCommand, AccountEvent, AccountId, AccountKind, DelegateAuthority, Delegation,
        ExternalIdentity, Grant, GrantRole, InviteUser, RevokeRole, Scope, ScopeKind, SetPassword,
        TeamId,
    },
    governance::SubjectId,
    kernel::{Date, Note},
};

use super::{api_key::required, team};
use crate::{
    Aggregate, Declined, Desk,
    governance::{erasure, natural_key},
    refusal::{CommonRejection, rejection},
};

/// The account's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Account {
    /// Nobody has the name.
    #[default]
    Unknown,
    /// A person was invited and has not come yet.
    Invited(Record),
    /// May act.
    Active(Record),
    /// May not act.
    Suspended(Record),
}

/// What decisions need of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    kind: AccountKind,
    /// Whether the person has come; a program always has.
    came: bool,
    identities: Vec<ExternalIdentity>,
    pub(super) team: Option<TeamId>,
    grants: BTreeMap<u32, Grant>,
    grants_made: u32,
    delegations: BTreeMap<u32, Delegation>,
    delegations_made: u32,
}

/// The rules about accounts.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountRejection {
    /// The account may act already.
    #[error("`{account}` is active")]
    AccountIsActive {
        /// The account.
        account: AccountId,
    },
    /// The account may not act.
    #[error("`{account}` is suspended")]
    AccountIsSuspended {
        /// The account.
        account: AccountId,
    },
    /// The invited person has not come yet.
    #[error("`{account}` has not accepted the invitation")]
    AccountIsInvited {
        /// The account.
        account: AccountId,
    },
    /// Programs have neither passwords nor identities.
    #[error("`{account}` is a program, which acts by API keys")]
    AccountOfProgram {
        /// The account.
        account: AccountId,
    },
    /// Nobody gives themselves a role.
    #[error("`{account}` cannot be granted a role by itself")]
    GranteeIsGrantor {
        /// The account.
        account: AccountId,
    },
    /// A scope that says too little or too much.
    #[error("a scope of the kind {kind} {problem}")]
    BrokenScope {
        /// The kind.
        kind: ScopeKind,
        /// What is wrong.
        problem: &'static str,
    },
    /// The last day is before the first.
    #[error("{until} is before {from}")]
    PeriodEndsBeforeItBegins {
        /// The first day.
        from: Date,
        /// The last day.
        until: Date,
    },
    /// There is no such grant.
    #[error("`{account}` has no grant {grant}")]
    GrantUnknown {
        /// The account.
        account: AccountId,
        /// The number that was given.
        grant: u32,
    },
    /// There is no such delegation.
    #[error("`{account}` has no delegation {delegation}")]
    DelegationUnknown {
        /// The account.
        account: AccountId,
        /// The number that was given.
        delegation: u32,
    },
    /// Nobody acts on behalf of themselves.
    #[error("`{account}` cannot act on behalf of itself")]
    DelegateIsDelegator {
        /// The account.
        account: AccountId,
    },
    /// The person is somebody else at the provider, or nobody.
    #[error("`{account}` is not linked to that identity")]
    IdentityUnknown {
        /// The account.
        account: AccountId,
    },
}
rejection!(
    AccountRejection,
    Self::BrokenScope { .. } => ["scope"],
    Self::PeriodEndsBeforeItBegins { .. } => ["until"],
    Self::GrantUnknown { .. } => ["grant"],
    Self::DelegationUnknown { .. } => ["delegation"],
    Self::DelegateIsDelegator { .. } => ["to"],
    Self::IdentityUnknown { .. } => ["identity"],
    Self::AccountIsActive { .. }
    | Self::AccountIsSuspended { .. }
    | Self::AccountIsInvited { .. }
    | Self::AccountOfProgram { .. }
    | Self::GranteeIsGrantor { .. } => ["account"],
);

/// The rule about secrets.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SecretRejection {
    /// The command came through a door that makes no secrets, such as an import.
    #[error("the command needs a secret, which only the API makes")]
    SecretMissing,
}
rejection!(SecretRejection);

impl Record {
    fn new(kind: AccountKind) -> Self {
        Self {
            kind,
            came: kind == AccountKind::Service,
            identities: Vec::new(),
            team: None,
            grants: BTreeMap::new(),
            grants_made: 0,
            delegations: BTreeMap::new(),
            delegations_made: 0,
        }
    }

    /// The grants that hold on a day, in the order of their numbers.
    pub(super) fn grants_on(&self, day: Date) -> impl Iterator<Item = &Grant> {
        self.grants
            .values()
            .filter(move |grant| grant.holds_on(day))
    }

    /// Whether another account may act on behalf of this one on a day.
    pub(super) fn delegates_to(&self, to: &AccountId, day: Date) -> bool {
        let mut delegations = self.delegations.values();
        delegations.any(|delegation| delegation.to == *to && delegation.holds_on(day))
    }

    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::IdentityLinked { identity } => self.identities.push(identity.clone()),
            AccountEvent::IdentityUnlinked { identity } => {
                self.identities.retain(|own| own != identity);
            }
            AccountEvent::UserActivated {} => self.came = true,
            AccountEvent::TeamAssigned { team } => self.team = team.clone(),
            AccountEvent::RoleGranted {
                grant,
                role,
                scope,
                from,
                until,
            } => {
                self.grants_made = *grant;
                let made = Grant {
                    number: *grant,
                    role: *role,
                    scope: scope.clone(),
                    from: *from,
                    until: *until,
                };
                self.grants.insert(*grant, made);
            }
            AccountEvent::RoleRevoked { grant, .. } => drop(self.grants.remove(grant)),
            AccountEvent::AuthorityDelegated {
                delegation,
                to,
                from,
                until,
                ..
            } => {
                self.delegations_made = *delegation;
                let made = Delegation {
                    number: *delegation,
                    to: to.clone(),
                    from: *from,
                    until: *until,
                };
                self.delegations.insert(*delegation, made);
            }
            AccountEvent::DelegationEnded { delegation } => {
                drop(self.delegations.remove(delegation));
            }
            AccountEvent::UserInvited { .. }
            | AccountEvent::ServiceAccountRegistered { .. }
            | AccountEvent::AccountDetailsChanged { .. }
            | AccountEvent::PasswordSet { .. }
            | AccountEvent::AccountSuspended { .. }
            | AccountEvent::AccountReinstated {} => {}
        }
    }
}

impl Aggregate for Account {
    type Id = AccountId;
    type Event = AccountEvent;

    fn evolve(mut self, event: &AccountEvent) -> Self {
        if let Self::Invited(record) | Self::Active(record) | Self::Suspended(record) = &mut self {
            record.apply(event);
        }
        match (self, event) {
            (_, AccountEvent::UserInvited { .. }) => Self::Invited(Record::new(AccountKind::User)),
            (_, AccountEvent::ServiceAccountRegistered { .. }) => {
                Self::Active(Record::new(AccountKind::Service))
            }
            (Self::Suspended(record), AccountEvent::AccountReinstated {}) if !record.came => {
                Self::Invited(record)
            }
            (
                Self::Invited(record) | Self::Suspended(record),
                AccountEvent::UserActivated {} | AccountEvent::AccountReinstated {},
            ) => Self::Active(record),
            (
                Self::Invited(record) | Self::Active(record),
                AccountEvent::AccountSuspended { .. },
            ) => Self::Suspended(record),
            (account, _) => account,
        }
    }
}

impl Account {
    /// The team that the account belongs to.
    pub(super) fn team(&self) -> Option<&TeamId> {
        match self {
            Self::Unknown => None,
            Self::Invited(record) | Self::Active(record) | Self::Suspended(record) => {
                record.team.as_ref()
            }
        }
    }
}

/// Refuses unless the account may act; says whether a person or a program acts through it.
pub(super) fn require_active(
    desk: &Desk<'_>,
    account: &AccountId,
) -> Result<AccountKind, Declined> {
    match &*desk.load::<Account>(account)? {
        Account::Unknown => Err(CommonRejection::not_found(account)),
        Account::Active(record) => Ok(record.kind),
        Account::Invited(_) => Err(AccountRejection::AccountIsInvited {
            account: account.clone(),
        }
        .into()),
        Account::Suspended(_) => Err(AccountRejection::AccountIsSuspended {
            account: account.clone(),
        }
        .into()),
    }
}

pub(crate) fn decide(command: AccountCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use AccountCommand as C;
    let Some(id) = command.target() else {
        return Ok(());
    };
    match (&*desk.load::<Account>(&id)?, command) {
        (Account::Unknown, C::InviteUser(command)) => invite(id, command, desk),
        (Account::Unknown, C::RegisterServiceAccount(command)) => {
            let name = command.name;
            Ok(desk.record(&id, AccountEvent::ServiceAccountRegistered { name })?)
        }
        (Account::Unknown, _) => Err(CommonRejection::not_found(&id)),
        (_, C::InviteUser(_) | C::RegisterServiceAccount(_)) => {
            Err(CommonRejection::already_exists(&id))
        }

        (Account::Suspended(_), C::ReinstateAccount(_)) => {
            erasure::require_kept(desk, SubjectId::Account(id.clone()))?;
            Ok(desk.record(&id, AccountEvent::AccountReinstated {})?)
        }
        (Account::Suspended(_), C::SuspendAccount(_)) => {
            Err(AccountRejection::AccountIsSuspended { account: id }.into())
        }
        (Account::Active(_) | Account::Invited(_), C::ReinstateAccount(_)) => {
            Err(AccountRejection::AccountIsActive { account: id }.into())
        }
        (Account::Active(_) | Account::Invited(_), C::SuspendAccount(command)) => {
            let because = command.because;
            Ok(desk.record(&id, AccountEvent::AccountSuspended { because })?)
        }
        (Account::Suspended(_), C::SetPassword(_)) => {
            Err(AccountRejection::AccountIsSuspended { account: id }.into())
        }
        (Account::Invited(record), C::SetPassword(command)) => {
            set_password(&id, record, command, desk)?;
            Ok(desk.record(&id, AccountEvent::UserActivated {})?)
        }
        (Account::Invited(record), C::LinkIdentity(command)) => {
            link(&id, record, command.identity, desk)?;
            Ok(desk.record(&id, AccountEvent::UserActivated {})?)
        }
        (Account::Active(record), C::SetPassword(command)) => {
            set_password(&id, record, command, desk)
        }
        (
            Account::Invited(record) | Account::Active(record) | Account::Suspended(record),
            command,
        ) => change(id, record, command, desk),
    }
}

/// What may be done about an account whether it may act or not.
fn change(
    id: AccountId,
    record: &Record,
    command: AccountCommand,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    use AccountCommand as C;
    match command {
        C::ChangeAccountDetails(command) => {
            let (name, email) = (command.name, command.email);
            Ok(desk.record(&id, AccountEvent::AccountDetailsChanged { name, email })?)
        }
        C::LinkIdentity(command) => link(&id, record, command.identity, desk),
        C::UnlinkIdentity(command) => unlink(&id, record, command.identity, desk),
        C::AssignTeam(command) => assign_team(&id, record, command.team, desk),
        C::GrantRole(command) => grant(id, record, command, desk),
        C::RevokeRole(command) => revoke(id, record, command, desk),
        C::DelegateAuthority(command) => delegate(id, record, command, desk),
        C::EndDelegation(command) => end_delegation(id, record, command.delegation, desk),
        // Handled by the table of the account's life.
        C::InviteUser(_)
        | C::RegisterServiceAccount(_)
        | C::SetPassword(_)
        | C::SuspendAccount(_)
        | C::ReinstateAccount(_) => Err(CommonRejection::nothing_to_change(&id)),
    }
}

fn invite(id: AccountId, command: InviteUser, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let InviteUser {
        name,
        email,
        identity,
        verifier,
        ..
    } = command;
    let verifier = required(verifier)?;
    let invited = AccountEvent::UserInvited {
        name,
        email,
        verifier,
    };
    desk.record(&id, invited)?;
    match identity {
        // The provider vouches for the person.
        Some(identity) => {
            link(&id, &Record::new(AccountKind::User), identity, desk)?;
            Ok(desk.record(&id, AccountEvent::UserActivated {})?)
        }
        None => Ok(()),
    }
}

/// Closes the account of a person who is erased, and forgets who they are elsewhere.
pub(crate) fn erase(id: &AccountId, because: &Note, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let account = desk.load::<Account>(id)?;
    let (record, acts) = match &*account {
        Account::Unknown => return Err(CommonRejection::not_found(id)),
        Account::Invited(record) | Account::Active(record) => (record, true),
        Account::Suspended(record) => (record, false),
    };
    require_person(id, record)?;
    for identity in &record.identities {
        unlink(id, record, identity.clone(), desk)?;
    }
    if acts {
        let because = because.clone();
        desk.record(id, AccountEvent::AccountSuspended { because })?;
    }
    Ok(())
}

fn require_person(id: &AccountId, record: &Record) -> Result<(), Declined> {
    match record.kind {
        AccountKind::User => Ok(()),
        AccountKind::Service => Err(AccountRejection::AccountOfProgram {
            account: id.clone(),
        }
        .into()),
    }
}

fn set_password(
    id: &AccountId,
    record: &Record,
    command: SetPassword,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    require_person(id, record)?;
    let verifier = required(command.verifier)?;
    Ok(desk.record(id, AccountEvent::PasswordSet { verifier })?)
}

fn link(
    id: &AccountId,
    record: &Record,
    identity: ExternalIdentity,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    require_person(id, record)?;
    if record.identities.contains(&identity) {
        return Err(CommonRejection::nothing_to_change(id));
    }
    natural_key::exchange(desk, id, &[], &[identity.natural_key()])?;
    Ok(desk.record(id, AccountEvent::IdentityLinked { identity })?)
}

fn unlink(
    id: &AccountId,
    record: &Record,
    identity: ExternalIdentity,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if !record.identities.contains(&identity) {
        return Err(AccountRejection::IdentityUnknown {
            account: id.clone(),
        }
        .into());
    }
    natural_key::exchange(desk, id, &[identity.natural_key()], &[])?;
    Ok(desk.record(id, AccountEvent::IdentityUnlinked { identity })?)
}

fn assign_team(
    id: &AccountId,
    record: &Record,
    team: Option<TeamId>,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if record.team == team {
        return Err(CommonRejection::nothing_to_change(id));
    }
    if let Some(team) = &team {
        team::require_formed(desk, team)?;
    }
    Ok(desk.record(id, AccountEvent::TeamAssigned { team })?)
}

fn check_scope(scope: &Scope, desk: &Desk<'_>) -> Result<(), Declined> {
    let kind = scope.kind;
    let broken = |problem| Err(AccountRejection::BrokenScope { kind, problem }.into());
    match (kind, &scope.team, &scope.territory) {
        (ScopeKind::Team, team, None) => match team {
            Some(team) => team::require_formed(desk, team),
            None => Ok(()),
        },
        (ScopeKind::Territory, None, Some(_)) => Ok(()),
        (ScopeKind::Territory, _, None) => broken("names no territory"),
        (ScopeKind::Own | ScopeKind::Pool | ScopeKind::Organisation, None, None) => Ok(()),
        (ScopeKind::Own | ScopeKind::Pool | ScopeKind::Organisation, _, _)
        | (ScopeKind::Team, _, Some(_))
        | (ScopeKind::Territory, Some(_), Some(_)) => broken("names what it has no use for"),
    }
}

fn check_period(from: Date, until: Option<Date>) -> Result<(), Declined> {
    match until {
        Some(until) if until < from => {
            Err(AccountRejection::PeriodEndsBeforeItBegins { from, until }.into())
        }
        _ => Ok(()),
    }
}

fn grant(
    id: AccountId,
    record: &Record,
    command: GrantRole,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if desk.context().acts_as(&id.0) {
        return Err(AccountRejection::GranteeIsGrantor { account: id }.into());
    }
    check_scope(&command.scope, desk)?;
    let today = desk.context().effective_on();
    let from = command.from.unwrap_or(today);
    check_period(from, command.until)?;
    let granted = AccountEvent::RoleGranted {
        grant: record.grants_made + 1,
        role: command.role,
        scope: command.scope,
        from,
        until: command.until,
    };
    Ok(desk.record(&id, granted)?)
}

fn revoke(
    id: AccountId,
    record: &Record,
    command: RevokeRole,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let RevokeRole { grant, because, .. } = command;
    if !record.grants.contains_key(&grant) {
        return Err(AccountRejection::GrantUnknown { account: id, grant }.into());
    }
    Ok(desk.record(&id, AccountEvent::RoleRevoked { grant, because })?)
}

fn delegate(
    id: AccountId,
    record: &Record,
    command: DelegateAuthority,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let DelegateAuthority {
        to,
        from,
        until,
        because,
        ..
    } = command;
    if to == id {
        return Err(AccountRejection::DelegateIsDelegator { account: id }.into());
    }
    require_active(desk, &to)?;
    check_period(from, Some(until))?;
    let delegated = AccountEvent::AuthorityDelegated {
        delegation: record.delegations_made + 1,
        to,
        from,
        until,
        because,
    };
    Ok(desk.record(&id, delegated)?)
}

fn end_delegation(
    id: AccountId,
    record: &Record,
    delegation: u32,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if !record.delegations.contains_key(&delegation) {
        return Err(AccountRejection::DelegationUnknown {
            account: id,
            delegation,
        }
        .into());
    }
    Ok(desk.record(&id, AccountEvent::DelegationEnded { delegation })?)
}
