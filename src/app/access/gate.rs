//! Finds out who brings a token.
//!
//! Everything is read from the read models at one position. What was found is remembered until a
//! fact about accounts, keys or sessions is posted, until it ends by itself, or until the day is
//! over on which its grants were looked at.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use daybook_projections::{
    access::{AccountRow, ApiKeyRow, SessionRow, account_of_identity},
    store::{Readers, Snapshot, StoreError},
};
use daybook_schema::{
    access::{AccountId, AccountStatus, ApiKeyId, ExternalIdentity, SessionId},
    kernel::{Actor, DateTime},
};
use lru::LruCache;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Principal, Token, TokenKind};
use crate::Applied;

/// How many tokens are remembered.
const REMEMBERED: usize = 10_000;

/// Why nobody was found behind a token. Which of the reasons it was is for the log of the server,
/// not for whoever brought the token.
#[derive(Debug, thiserror::Error)]
pub enum Unauthenticated {
    /// The text is no token of this organisation.
    #[error("the token is malformed or of another organisation")]
    Malformed,
    /// There is no such key or session, or the secret is not its own.
    #[error("the token opens nothing")]
    Unknown,
    /// It has ended or was revoked.
    #[error("the token has expired or was revoked")]
    Expired,
    /// The account may not act.
    #[error("the account is not active")]
    NotActive,
    /// Nobody may work in the organisation for the time being.
    #[error("the organisation is suspended")]
    Suspended,
    /// The account may not act on behalf of the other one.
    #[error("the authority was not delegated")]
    NotDelegated,
    /// The read models could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds out who brings a token to one organisation.
pub struct Gate {
    organisation: Uuid,
    readers: Readers,
    applied: watch::Receiver<Applied>,
    /// Whether the organisation is the demonstration, whose keys everybody may know.
    demo: bool,
    remembered: Mutex<LruCache<blake3::Hash, Remembered>>,
}

struct Remembered {
    principal: Arc<Principal>,
    /// The last access fact that was known.
    access: u64,
    ends: DateTime,
}

impl Gate {
    /// The gate of an organisation.
    pub(crate) fn new(
        organisation: Uuid,
        readers: Readers,
        applied: watch::Receiver<Applied>,
        demo: bool,
    ) -> Self {
        let capacity = NonZeroUsize::new(REMEMBERED).unwrap_or(NonZeroUsize::MIN);
        Self {
            organisation,
            readers,
            applied,
            demo,
            remembered: Mutex::new(LruCache::sparse(capacity)),
        }
    }

    /// Who brings the text of a key or of a session.
    ///
    /// # Errors
    /// [`Unauthenticated`].
    pub fn enter(
        &self,
        text: &str,
        on_behalf_of: Option<&Actor>,
        now: DateTime,
    ) -> Result<Arc<Principal>, Unauthenticated> {
        let known = key_of(&[text, on_behalf_of.map_or("", Actor::as_str)]);
        self.remember(known, now, |snapshot| {
            let (account, ends) = self.holder(snapshot, text, now)?;
            Ok((account, on_behalf_of.cloned(), ends))
        })
    }

    /// Who an identity provider says that somebody is.
    ///
    /// # Errors
    /// [`Unauthenticated`].
    pub fn enter_as(
        &self,
        identity: &ExternalIdentity,
        on_behalf_of: Option<&Actor>,
        ends: DateTime,
        now: DateTime,
    ) -> Result<Arc<Principal>, Unauthenticated> {
        if ends <= now {
            return Err(Unauthenticated::Expired);
        }
        let behalf = on_behalf_of.map_or("", Actor::as_str);
        let (issuer, subject) = (identity.issuer.as_str(), identity.subject.as_str());
        let known = key_of(&["identity", issuer, subject, behalf]);
        self.remember(known, now, |snapshot| {
            let account = account_of_identity(snapshot, identity)?;
            let account = account.ok_or(Unauthenticated::Unknown)?;
            Ok((account, on_behalf_of.cloned(), Some(ends)))
        })
    }

    /// An account that needs no proof: the demonstration's administrator.
    ///
    /// # Errors
    /// [`Unauthenticated`].
    pub fn enter_unproven(
        &self,
        account: &AccountId,
        now: DateTime,
    ) -> Result<Arc<Principal>, Unauthenticated> {
        let known = key_of(&["unproven", &account.to_string()]);
        self.remember(known, now, |_| Ok((account.clone(), None, None)))
    }

    fn remember(
        &self,
        known: blake3::Hash,
        now: DateTime,
        look: impl FnOnce(
            &Snapshot,
        )
            -> Result<(AccountId, Option<Actor>, Option<DateTime>), Unauthenticated>,
    ) -> Result<Arc<Principal>, Unauthenticated> {
        let access = self.applied.borrow().access;
        if let Some(found) = self.recall(&known, access, now) {
            return Ok(found);
        }
        let snapshot = self.readers.snapshot(None)?;
        let (account, on_behalf_of, ends) = look(&snapshot)?;
        let principal = Arc::new(principal(&snapshot, account, on_behalf_of, now)?);
        let tomorrow = end_of_day(now);
        let remembered = Remembered {
            principal: principal.clone(),
            access,
            ends: ends.map_or(tomorrow, |ends| ends.min(tomorrow)),
        };
        self.lock().put(known, remembered);
        Ok(principal)
    }

    fn recall(&self, known: &blake3::Hash, access: u64, now: DateTime) -> Option<Arc<Principal>> {
        let mut remembered = self.lock();
        let found = remembered.get(known)?;
        (found.access == access && now < found.ends).then(|| found.principal.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<blake3::Hash, Remembered>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The account that a key or session belongs to, and when it ends.
    fn holder(
        &self,
        snapshot: &Snapshot,
        text: &str,
        now: DateTime,
    ) -> Result<(AccountId, Option<DateTime>), Unauthenticated> {
        let token = Token::read(text).ok_or(Unauthenticated::Malformed)?;
        if token.organisation != self.organisation {
            return Err(Unauthenticated::Malformed);
        }
        let id: Uuid = token
            .name
            .parse::<Uuid>()
            .map_err(|_| Unauthenticated::Malformed)?;
        let (account, verifier, over, ends) = match token.kind {
            TokenKind::ApiKey => {
                let key: Option<ApiKeyRow> = snapshot.get(&ApiKeyId(id).to_string())?;
                let key = key.ok_or(Unauthenticated::Unknown)?;
                (
                    key.account,
                    key.verifier,
                    key.revoked_at.is_some(),
                    key.expires_at,
                )
            }
            TokenKind::Session => {
                let row: Option<SessionRow> = snapshot.get(&SessionId(id).to_string())?;
                let row = row.ok_or(Unauthenticated::Unknown)?;
                let over = row.ended_at.is_some() || is_void(snapshot, &row)?;
                (row.account, row.verifier, over, Some(row.expires_at))
            }
            TokenKind::Invitation => return Err(Unauthenticated::Malformed),
        };
        if !token.opens(&verifier, self.demo) {
            return Err(Unauthenticated::Unknown);
        }
        if over || ends.is_some_and(|ends| ends <= now) {
            return Err(Unauthenticated::Expired);
        }
        Ok((account, ends))
    }
}

/// A session that was opened before the password was set is void.
fn is_void(snapshot: &Snapshot, session: &SessionRow) -> Result<bool, StoreError> {
    let account: Option<AccountRow> = snapshot.get(&session.account.to_string())?;
    let set_at = account.and_then(|account| account.password_set_at);
    Ok(set_at.is_some_and(|set_at| session.stamp.created_at < set_at))
}

fn key_of(parts: &[&str]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}

fn end_of_day(now: DateTime) -> DateTime {
    const DAY: i64 = 86_400_000_000;
    DateTime::from_micros((now.micros().div_euclid(DAY) + 1) * DAY)
}

fn principal(
    snapshot: &Snapshot,
    actor: AccountId,
    on_behalf_of: Option<Actor>,
    now: DateTime,
) -> Result<Principal, Unauthenticated> {
    let own = active(snapshot, &actor)?;
    let today = now.date();
    let on_behalf_of = on_behalf_of.map(AccountId).filter(|other| *other != actor);
    let account = match &on_behalf_of {
        None => own,
        Some(other) => {
            let other = active(snapshot, other).map_err(|_| Unauthenticated::NotDelegated)?;
            let mut given = other.delegations.iter();
            if !given.any(|given| given.to == actor && given.holds_on(today)) {
                return Err(Unauthenticated::NotDelegated);
            }
            other
        }
    };
    let mut grants = account.grants;
    grants.retain(|grant| grant.holds_on(today));
    Ok(Principal::new(actor, on_behalf_of, grants))
}

fn active(snapshot: &Snapshot, id: &AccountId) -> Result<AccountRow, Unauthenticated> {
    let row: Option<AccountRow> = snapshot.get(&id.to_string())?;
    row.filter(|row| row.status == AccountStatus::Active)
        .ok_or(Unauthenticated::NotActive)
}
