//! An API key. Issued → rotated as often as needed → revoked.
//! Invariants: only the digest of a secret is on record; a person's key is issued by nobody but
//! that person; a revoked key never comes back.

use daybook_schema::{
    access::{AccountId, AccountKind, ApiKeyCommand, ApiKeyEvent, ApiKeyId, IssueApiKey, Verifier},
    kernel::DateTime,
};

use super::{
    account::{self, SecretRejection},
    authority::Authority,
};
use crate::{
    Aggregate, Declined, Desk,
    refusal::{CommonRejection, rejection},
};

/// The key's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum ApiKey {
    /// There is none.
    #[default]
    Unissued,
    /// It opens.
    Valid {
        /// The account that acts by it.
        account: AccountId,
    },
    /// It does not open any more.
    Revoked {
        /// The account that acted by it.
        account: AccountId,
    },
}

/// The rules about API keys.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ApiKeyRejection {
    /// The key is void.
    #[error("`{key}` was revoked")]
    ApiKeyIsRevoked {
        /// The key.
        key: ApiKeyId,
    },
    /// Whoever holds a person's key acts in that person's name.
    #[error("`{account}` is a person, who alone may issue a key to it")]
    KeyOfAnotherPerson {
        /// The account.
        account: AccountId,
    },
    /// The key would have ended before it was issued.
    #[error("{expires_at} is not after {now}")]
    ExpiryPast {
        /// When it was to end.
        expires_at: DateTime,
        /// The time of the command.
        now: DateTime,
    },
}
rejection!(
    ApiKeyRejection,
    Self::ApiKeyIsRevoked { .. } => ["apiKey"],
    Self::KeyOfAnotherPerson { .. } => ["account"],
    Self::ExpiryPast { .. } => ["expiresAt"],
);

impl Aggregate for ApiKey {
    type Id = ApiKeyId;
    type Event = ApiKeyEvent;

    fn evolve(self, event: &ApiKeyEvent) -> Self {
        match event {
            ApiKeyEvent::ApiKeyIssued { account, .. } => Self::Valid {
                account: account.clone(),
            },
            ApiKeyEvent::ApiKeyRotated { .. } => self,
            ApiKeyEvent::ApiKeyRevoked { .. } => match self {
                Self::Valid { account } => Self::Revoked { account },
                Self::Unissued | Self::Revoked { .. } => self,
            },
        }
    }
}

impl ApiKey {
    /// The account that acts by it.
    pub(super) fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Unissued => None,
            Self::Valid { account } | Self::Revoked { account } => Some(account),
        }
    }
}

pub(crate) fn decide(command: ApiKeyCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use ApiKeyCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<ApiKey>(&id)?, command) {
        (ApiKey::Unissued, C::IssueApiKey(command)) => issue(id, command, desk),
        (ApiKey::Unissued, _) => Err(CommonRejection::not_found(&id)),
        (ApiKey::Valid { account }, C::RotateApiKey(command)) => {
            require_holder(desk, account)?;
            let verifier = required(command.verifier)?;
            Ok(desk.record(&id, ApiKeyEvent::ApiKeyRotated { verifier })?)
        }
        (ApiKey::Valid { .. }, C::RevokeApiKey(command)) => {
            let because = command.because;
            Ok(desk.record(&id, ApiKeyEvent::ApiKeyRevoked { because })?)
        }
        (ApiKey::Revoked { .. }, _) => Err(ApiKeyRejection::ApiKeyIsRevoked { key: id }.into()),
        (ApiKey::Valid { .. }, C::IssueApiKey(_)) => Err(CommonRejection::already_exists(&id)),
    }
}

/// What is kept of a secret; a command without it did not come through a door that makes secrets.
pub(crate) fn required(verifier: Option<Verifier>) -> Result<Verifier, Declined> {
    verifier.ok_or_else(|| SecretRejection::SecretMissing.into())
}

fn issue(id: ApiKeyId, command: IssueApiKey, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let IssueApiKey {
        account,
        name,
        expires_at,
        verifier,
    } = command;
    require_holder(desk, &account)?;
    let now = desk.context().recorded_at;
    if let Some(expires_at) = expires_at.filter(|expires_at| *expires_at <= now) {
        return Err(ApiKeyRejection::ExpiryPast { expires_at, now }.into());
    }
    let verifier = required(verifier)?;
    Ok(desk.record(
        &id,
        ApiKeyEvent::ApiKeyIssued {
            account,
            name,
            expires_at,
            verifier,
        },
    )?)
}

/// A person's secret is made for that person only; a program's for whoever may administer it.
fn require_holder(desk: &Desk<'_>, account: &AccountId) -> Result<(), Declined> {
    let context = desk.context();
    let is_person = account::require_active(desk, account)? == AccountKind::User;
    let own = context.actor == account.0 && context.on_behalf_of.is_none();
    if is_person && !own && context.authority != Authority::Process {
        let account = account.clone();
        return Err(ApiKeyRejection::KeyOfAnotherPerson { account }.into());
    }
    Ok(())
}
