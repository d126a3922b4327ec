//! Whether a command may be issued: by a grant that holds, has the permission and reaches every
//! object that the command names.
//!
//! Whoever may not see an object learns nothing of it: a command about it is refused with the same
//! words as one about an object that does not exist.

use daybook_schema::{
    DomainCommand,
    access::{
        AccountCommand, AccountId, ApiKeyCommand, Grant, Role, Scope, ScopeKind, SessionCommand,
        TeamId,
    },
    kernel::Actor,
    prefix, references,
};

use super::{
    account::{Account, Record},
    api_key::ApiKey,
    permissions::{CommandRule, command_rule, is_held, kind_rule},
    session::Session,
    team::Team,
};
use crate::{
    Custody, Declined, Desk, Fault,
    refusal::{CommonRejection, rejection},
};

/// The longest chain of objects that are in one another's hands.
const CHAIN_MAX: usize = 8;
/// The most teams above one another.
pub(super) const TEAM_DEPTH_MAX: usize = 32;

/// On whose authority a command is issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authority {
    /// The account of the actor, or of the account that it acts on behalf of.
    #[default]
    Account,
    /// The process itself: founding, an operator's import, a sign-in, policies, the clock.
    Process,
}

/// The grant by which a command was permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cited {
    /// The role in which the actor acts.
    pub role: Role,
    /// The number of the grant in the account that acts; none where the command is about the
    /// actor's own account.
    pub grant: Option<u32>,
}

/// The rules about access.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum AccessRejection {
    /// The account may not act.
    #[error("account `{account}` is not active")]
    AccountNotActive {
        /// The account.
        account: AccountId,
    },
    /// The actor may not act on behalf of the other account.
    #[error("`{account}` has not delegated its authority to `{actor}`")]
    NotDelegated {
        /// The account to be acted for.
        account: AccountId,
        /// Who wants to act for it.
        actor: Actor,
    },
    /// No role of the account may issue the command.
    #[error("no role of `{account}` may {command}")]
    PermissionDenied {
        /// The account.
        account: AccountId,
        /// The command.
        command: &'static str,
    },
    /// The account sees the object, but may not issue the command about it.
    #[error("no grant by which `{account}` may {command} reaches `{id}`")]
    OutOfScope {
        /// The account.
        account: AccountId,
        /// The command.
        command: &'static str,
        /// The object.
        id: String,
    },
}
rejection!(AccessRejection);

/// Refuses unless the actor may issue the command; otherwise says by which grant.
pub fn authorise(command: &DomainCommand, desk: &Desk<'_>) -> Result<Option<Cited>, Declined> {
    if desk.context().authority == Authority::Process {
        return Ok(None);
    }
    let (id, record) = acting(desk)?;
    let denied = || AccessRejection::PermissionDenied {
        account: id.clone(),
        command: command.name(),
    };
    let rule = command_rule(command.name()).ok_or_else(denied)?;
    let today = desk.context().recorded_at.date();
    let grants: Vec<&Grant> = record.grants_on(today).collect();
    let permitting: Vec<&Grant> = grants
        .iter()
        .copied()
        .filter(|grant| rule.roles.contains(&grant.role))
        .collect();
    let named = held_objects(command);
    let mut first_beyond = None;
    for grant in &permitting {
        let reach = Reach {
            scope: &grant.scope,
            login: &id.0,
            team: record.team.as_ref(),
        };
        match reach.first_beyond(desk, &named)? {
            None => {
                let (role, grant) = (grant.role, Some(grant.number));
                return Ok(Some(Cited { role, grant }));
            }
            Some(beyond) => first_beyond = first_beyond.or(Some(beyond)),
        }
    }
    if let Some(cited) = themselves(rule, command, &id, &grants, desk)? {
        return Ok(Some(cited));
    }
    let Some(beyond) = first_beyond else {
        return Err(denied().into());
    };
    if sees(desk, &id, record.team.as_ref(), &grants, beyond)? {
        return Err(AccessRejection::OutOfScope {
            account: id.clone(),
            command: command.name(),
            id: beyond.clone(),
        }
        .into());
    }
    Err(CommonRejection::not_found(beyond))
}

/// The account whose authority counts: the actor's own, or the one that it acts on behalf of.
fn acting(desk: &Desk<'_>) -> Result<(AccountId, Record), Declined> {
    let context = desk.context();
    let actor = AccountId(context.actor.clone());
    let own = active(desk, &actor)?;
    let Some(principal) = &context.on_behalf_of else {
        return Ok((actor, own));
    };
    let principal = AccountId(principal.clone());
    let refused = || AccessRejection::NotDelegated {
        account: principal.clone(),
        actor: actor.0.clone(),
    };
    // An account that is not there has delegated nothing either; the words are the same.
    let record = active(desk, &principal).map_err(|_| refused())?;
    if record.delegates_to(&actor, context.recorded_at.date()) {
        Ok((principal, record))
    } else {
        Err(refused().into())
    }
}

fn active(desk: &Desk<'_>, id: &AccountId) -> Result<Record, Declined> {
    match &*desk.load::<Account>(id)? {
        Account::Active(record) => Ok(record.clone()),
        Account::Unknown | Account::Invited(_) | Account::Suspended(_) => {
            let account = id.clone();
            Err(AccessRejection::AccountNotActive { account }.into())
        }
    }
}

/// The objects that a command names and that are in somebody's hands.
fn held_objects(command: &DomainCommand) -> Vec<String> {
    let mut ids = references(command);
    ids.retain(|id| is_held(prefix(id)));
    ids
}

/// Whether the command is one that anybody may issue about their own account. A delegate may not:
/// whoever could set the other's password, or make the delegation longer, would have the account
/// for good.
fn themselves(
    rule: &CommandRule,
    command: &DomainCommand,
    id: &AccountId,
    grants: &[&Grant],
    desk: &Desk<'_>,
) -> Result<Option<Cited>, Declined> {
    let delegate = desk.context().on_behalf_of.is_some();
    if !rule.themselves || delegate || concerned(command, desk)?.as_ref() != Some(id) {
        return Ok(None);
    }
    // Whoever has no role at all has no business here.
    let role = grants.first().map(|grant| grant.role);
    Ok(role.map(|role| Cited { role, grant: None }))
}

/// The account that a command about an account, a key or a session concerns.
fn concerned(command: &DomainCommand, desk: &Desk<'_>) -> Result<Option<AccountId>, Fault> {
    match command {
        DomainCommand::Account(command) => Ok(AccountCommand::target(command)),
        DomainCommand::ApiKey(ApiKeyCommand::IssueApiKey(command)) => {
            Ok(Some(command.account.clone()))
        }
        DomainCommand::ApiKey(command) => match command.target() {
            Some(key) => Ok(desk.load::<ApiKey>(&key)?.account().cloned()),
            None => Ok(None),
        },
        DomainCommand::Session(command) => match SessionCommand::target(command) {
            Some(session) => Ok(desk.load::<Session>(&session)?.account().cloned()),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether any grant shows the object.
fn sees(
    desk: &Desk<'_>,
    id: &AccountId,
    team: Option<&TeamId>,
    grants: &[&Grant],
    object: &str,
) -> Result<bool, Fault> {
    let Some(rule) = kind_rule(prefix(object)) else {
        return Ok(false);
    };
    for grant in grants.iter().filter(|grant| rule.shows(grant.role, None)) {
        let reach = Reach {
            scope: &grant.scope,
            login: &id.0,
            team,
        };
        if reach.covers(desk, object)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What one grant of an account reaches.
struct Reach<'a> {
    scope: &'a Scope,
    login: &'a Actor,
    /// The account's own team.
    team: Option<&'a TeamId>,
}

impl Reach<'_> {
    /// The first of some objects that it does not reach.
    fn first_beyond<'b>(
        &self,
        desk: &Desk<'_>,
        objects: &'b [String],
    ) -> Result<Option<&'b String>, Fault> {
        for object in objects {
            if !self.covers(desk, object)? {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// Whether it reaches an object: by the object's own custody, or by that of one that it
    /// belongs to.
    fn covers(&self, desk: &Desk<'_>, object: &str) -> Result<bool, Fault> {
        if self.scope.kind == ScopeKind::Organisation {
            return Ok(true);
        }
        let mut next = Some(object.to_owned());
        for _ in 0..CHAIN_MAX {
            let Some(stream) = next else { break };
            let custody = desk.custody(&stream)?;
            if self.holds(desk, &custody)? {
                return Ok(true);
            }
            next = custody.parent;
        }
        Ok(false)
    }

    fn holds(&self, desk: &Desk<'_>, custody: &Custody) -> Result<bool, Fault> {
        match self.scope.kind {
            ScopeKind::Organisation => Ok(true),
            ScopeKind::Own => Ok(custody.owner.as_ref() == Some(self.login)),
            ScopeKind::Pool => Ok(custody.pooled),
            ScopeKind::Territory => {
                let territory = self.scope.territory.as_ref();
                Ok(territory.is_some() && custody.territory.as_ref() == territory)
            }
            ScopeKind::Team => match (&custody.owner, self.scope.team.as_ref().or(self.team)) {
                (Some(owner), Some(team)) => is_below(desk, owner, team),
                _ => Ok(false),
            },
        }
    }
}

/// Whether an account belongs to a team or to one below it.
fn is_below(desk: &Desk<'_>, login: &Actor, team: &TeamId) -> Result<bool, Fault> {
    let account = desk.load::<Account>(&AccountId(login.clone()))?;
    let mut next = account.team().cloned();
    for _ in 0..TEAM_DEPTH_MAX {
        let Some(id) = next else { break };
        let Team::Formed { parent } = &*desk.load::<Team>(&id)? else {
            return Ok(false);
        };
        if id == *team {
            return Ok(true);
        }
        next = parent.clone();
    }
    Ok(false)
}
