//! An account: a person or a program that may act in the organisation (账号).

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Armoury, Password, Role, Scope, TeamId, Verifier};
use crate::{
    kernel::{Actor, Date, Name, NaturalKey, Note, ParseIdError, StreamKey, text_scalar},
    language::commands,
};

/// An account, by its user name: `account-li.wei`. The name stands in every commit as its actor,
/// so it never changes and is never given to anybody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub Actor);

impl StreamKey for AccountId {
    const PREFIX: &'static str = "account";
}

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "account-{}", self.0)
    }
}

impl std::str::FromStr for AccountId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let login = text
            .strip_prefix("account-")
            .and_then(|name| name.parse().ok());
        login
            .map(Self)
            .ok_or_else(|| ParseIdError::new(Self::PREFIX, text))
    }
}

text_scalar!(AccountId, "ID", "id of the form `account-<user name>`");

/// Whether a person or a program acts through an account.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountKind {
    /// A person, who signs in.
    User,
    /// A program, which has API keys only.
    Service,
}

/// Whether an account may act.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountStatus {
    /// Invited, and has not come yet.
    Invited,
    /// May act.
    Active,
    /// May not act for the time being, or any more.
    Suspended,
}

/// Who a person is at an identity provider (OpenID Connect): the claims `iss` and `sub`.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ExternalIdentityInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalIdentity {
    /// The provider's issuer identifier.
    pub issuer: Name,
    /// The subject identifier that the provider gives to the person.
    pub subject: Name,
}

impl ExternalIdentity {
    /// The key that no other account may have.
    pub fn natural_key(&self) -> NaturalKey {
        NaturalKey {
            kind: "externalIdentity",
            value: format!("{} {}", self.issuer, self.subject),
        }
    }
}

/// Invites a person to act in the organisation. The invitation is accepted by setting a password
/// with its token; where an identity is given, its provider vouches for the person, who may act at
/// once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteUser {
    /// The user name, for ever.
    pub login: Actor,
    /// The person's name.
    #[schemars(extend("x-personal" = true))]
    pub name: Name,
    /// The person's e-mail address.
    #[schemars(extend("x-personal" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Name>,
    /// Who the person is at an identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ExternalIdentity>,
    /// What is kept of the invitation's token.
    #[graphql(skip_input)]
    #[serde(skip)]
    #[schemars(skip)]
    pub verifier: Option<Verifier>,
}

/// Registers a program that acts by API keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterServiceAccount {
    /// The user name, for ever.
    pub login: Actor,
    /// What the program is.
    pub name: Name,
}

/// Changes what is known of a person or a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeAccountDetails {
    /// The account.
    pub account: AccountId,
    /// The name from now on.
    #[schemars(extend("x-personal" = true))]
    pub name: Name,
    /// The e-mail address from now on.
    #[schemars(extend("x-personal" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Name>,
}

/// Sets the password of a person who signs in here and not at an identity provider; one's own, or
/// that of an invited person. Ends all sessions but those opened afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPassword {
    /// The account.
    pub account: AccountId,
    /// The new password.
    pub password: Password,
    /// What is kept of it.
    #[graphql(skip_input)]
    #[serde(skip)]
    #[schemars(skip)]
    pub verifier: Option<Verifier>,
}

/// Says who a person is at an identity provider, so that they can sign in there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkIdentity {
    /// The account.
    pub account: AccountId,
    /// Who the person is there.
    pub identity: ExternalIdentity,
}

/// Takes back who a person is at an identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnlinkIdentity {
    /// The account.
    pub account: AccountId,
    /// Who the person was there.
    pub identity: ExternalIdentity,
}

/// Stops an account from acting; its keys and sessions are void from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspendAccount {
    /// The account.
    pub account: AccountId,
    /// Why.
    pub because: Note,
}

/// Lets a suspended account act again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReinstateAccount {
    /// The account.
    pub account: AccountId,
}

/// Puts an account into a team, which it leaves another for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignTeam {
    /// The account.
    pub account: AccountId,
    /// The team; none takes the account out of the one it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}

/// Grants a role to an account, within a scope and a time. Nobody grants a role to themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantRole {
    /// The account.
    pub account: AccountId,
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// The first day on which it holds; the day of the command where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day on which it holds; until it is revoked where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// Takes a granted role back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeRole {
    /// The account.
    pub account: AccountId,
    /// The number of the grant.
    pub grant: u32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Note>,
}

/// Lets another account act on behalf of this one, with its roles and in its name, for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelegateAuthority {
    /// The account whose authority it is: one's own.
    pub account: AccountId,
    /// Who may act on its behalf.
    pub to: AccountId,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Note>,
}

/// Ends a delegation before its last day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndDelegation {
    /// The account whose authority it is.
    pub account: AccountId,
    /// The number of the delegation.
    pub delegation: u32,
}

impl InviteUser {
    /// The account that the person will act through.
    pub fn account(&self) -> AccountId {
        AccountId(self.login.clone())
    }

    fn arm(&mut self, armoury: &mut dyn Armoury) {
        self.verifier = Some(armoury.forge());
    }
}

impl RegisterServiceAccount {
    /// The account that the program will act through.
    pub fn account(&self) -> AccountId {
        AccountId(self.login.clone())
    }
}

impl SetPassword {
    fn arm(&mut self, armoury: &mut dyn Armoury) {
        self.verifier = Some(armoury.hash(&self.password));
    }
}

commands! {
    /// The commands to an account.
    AccountCommand for AccountId {
        InviteUser by account [issues secret],
        RegisterServiceAccount by account,
        ChangeAccountDetails on account,
        SetPassword on account [hashes secret],
        LinkIdentity on account,
        UnlinkIdentity on account,
        SuspendAccount on account,
        ReinstateAccount on account,
        AssignTeam on account,
        GrantRole on account,
        RevokeRole on account,
        DelegateAuthority on account,
        EndDelegation on account,
    }
}

/// What can happen to an account.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all_fields = "camelCase")]
pub enum AccountEvent {
    /// A person was invited.
    UserInvited {
        /// The person's name.
        #[schemars(extend("x-personal" = true))]
        name: Name,
        /// The person's e-mail address.
        #[schemars(extend("x-personal" = true))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Name>,
        /// What is kept of the invitation's token.
        verifier: Verifier,
    },
    /// A program was registered.
    ServiceAccountRegistered {
        /// What the program is.
        name: Name,
    },
    /// What is known of the person or program changed.
    AccountDetailsChanged {
        /// The name from now on.
        #[schemars(extend("x-personal" = true))]
        name: Name,
        /// The e-mail address from now on.
        #[schemars(extend("x-personal" = true))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Name>,
    },
    /// The invited person came; the invitation's token is spent.
    UserActivated {},
    /// The password was set.
    PasswordSet {
        /// Its hash.
        verifier: Verifier,
    },
    /// The person can sign in at an identity provider.
    IdentityLinked {
        /// Who the person is there.
        identity: ExternalIdentity,
    },
    /// The person cannot sign in there any more.
    IdentityUnlinked {
        /// Who the person was there.
        identity: ExternalIdentity,
    },
    /// The account may not act any more.
    AccountSuspended {
        /// Why.
        because: Note,
    },
    /// The account may act again.
    AccountReinstated {},
    /// The account belongs to another team, or to none, from now on.
    TeamAssigned {
        /// The team.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamId>,
    },
    /// A role was granted.
    RoleGranted {
        /// The number of the grant, counted from 1 in each account.
        grant: u32,
        /// The role.
        role: Role,
        /// How far it reaches.
        scope: Scope,
        /// The first day on which it holds.
        from: Date,
        /// The last day on which it holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Date>,
    },
    /// A granted role was taken back.
    RoleRevoked {
        /// The number of the grant.
        grant: u32,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Note>,
    },
    /// Another account may act on behalf of this one.
    AuthorityDelegated {
        /// The number of the delegation, counted from 1 in each account.
        delegation: u32,
        /// Who may act.
        to: AccountId,
        /// The first day.
        from: Date,
        /// The last day.
        until: Date,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Note>,
    },
    /// A delegation was ended before its last day.
    DelegationEnded {
        /// The number of the delegation.
        delegation: u32,
    },
}

/// A role that an account was granted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Its number, counted from 1 in each account.
    pub number: u32,
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// The first day on which it holds.
    pub from: Date,
    /// The last day on which it holds; until it is revoked where it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

impl Grant {
    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// A leave to act on behalf of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct Delegation {
    /// Its number, counted from 1 in each account.
    pub number: u32,
    /// Who may act.
    pub to: AccountId,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

impl Delegation {
    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}
