//! Signing in with a password, accepting an invitation, and signing out.

use std::time::{Duration, Instant};

use daybook_projections::{access::AccountRow, store::StoreError};
use daybook_schema::{
    Command, DomainCommand,
    access::{
        AccountId, AccountStatus, OpenSession, Password, SetPassword, SignInMethod, Verifier,
    },
    kernel::{Actor, DateTime},
};
use tokio::{sync::Semaphore, task::JoinError};
use uuid::Uuid;

use super::{Armoury, Attempt, Throttle, Token, TokenKind, verify_password};
use crate::{CommandError, Envelope, Organisation};

/// How long a session lasts.
const SESSION_MICROS: i64 = 12 * 3_600 * 1_000_000;
/// Passwords that are hashed at a time: each takes a core and 19 MiB for a while.
const HASHED_AT_A_TIME: usize = 2;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Account and password, or the invitation's token, do not belong together. Which of them is
    /// wrong is not told.
    #[error("the account and the password do not belong together")]
    Refused,
    /// Too many failures in a row.
    #[error("too many failures in a row; try again later")]
    Throttled {
        /// How long to wait.
        wait: Duration,
    },
    /// A rule said no.
    #[error("{message}")]
    Rule {
        /// The rule's code.
        code: String,
        /// What it says.
        message: String,
    },
    /// The desk.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The read models.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread or the system's randomness.
    #[error("{0}")]
    System(String),
}

impl From<JoinError> for SignInError {
    fn from(error: JoinError) -> Self {
        Self::System(error.to_string())
    }
}

/// Somebody who has just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub account: AccountId,
    /// What opens the session; shown once.
    pub token: Token,
    /// When the session ends by itself.
    pub expires_at: DateTime,
}

/// Signs people in, slowing down whoever guesses.
pub struct SignIn {
    by_account: Throttle,
    by_address: Throttle,
    hashing: Semaphore,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            by_account: Throttle::default(),
            by_address: Throttle::default(),
            hashing: Semaphore::new(HASHED_AT_A_TIME),
        }
    }
}

impl SignIn {
    /// Opens a session for a person with a password.
    ///
    /// # Errors
    /// [`SignInError`]; an unknown account takes as long and sounds the same as a wrong password.
    pub async fn with_password(
        &self,
        organisation: &Organisation,
        login: &str,
        password: &str,
        address: &str,
    ) -> Result<SignedIn, SignInError> {
        let by_account = format!("{}/{login}", organisation.id());
        let now = Instant::now();
        self.admit(&by_account, address, now)?;
        let account = known(organisation, login)?;
        let verifier = account
            .as_ref()
            .and_then(|account| account.password.clone());
        let is_right = self.check(password.to_owned(), verifier).await?;
        let tried = account.as_ref().map(|account| account.id.to_string());
        let proven = account.filter(|account| is_right && account.status == AccountStatus::Active);
        let Some(account) = proven else {
            self.by_account.failed(&by_account, now);
            self.by_address.failed(address, now);
            let why = if is_right {
                "not active"
            } else {
                "wrong password"
            };
            let security = organisation.security();
            security.note(Attempt::SignIn, tried.as_deref(), address, why);
            return Err(SignInError::Refused);
        };
        self.by_account.succeeded(&by_account);
        self.by_address.succeeded(address);
        open(organisation, account.id, SignInMethod::Password).await
    }

    /// Refuses somebody who names an organisation that is not there. It takes as long and sounds
    /// the same as a wrong password, and counts against the address.
    pub async fn nowhere(&self, password: &str, address: &str) -> SignInError {
        let now = Instant::now();
        if let Err(throttled) = self.admit(address, address, now) {
            return throttled;
        }
        if let Err(error) = self.check(password.to_owned(), None).await {
            return error;
        }
        self.by_address.failed(address, now);
        tracing::info!(target: "daybook::security", address, "a sign-in was refused");
        SignInError::Refused
    }

    /// Accepts an invitation: sets the first password, and opens a session.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn with_invitation(
        &self,
        organisation: &Organisation,
        token: &Token,
        password: Password,
        address: &str,
    ) -> Result<SignedIn, SignInError> {
        let now = Instant::now();
        self.admit(address, address, now)?;
        let account = known(organisation, &token.name)?;
        let invited = account.filter(|account| {
            let invitation = account.invitation.as_ref();
            account.status == AccountStatus::Invited
                && invitation.is_some_and(|kept| token.opens(kept, organisation.is_demo()))
        });
        let Some(account) = invited.filter(|_| token.kind == TokenKind::Invitation) else {
            self.by_address.failed(address, now);
            let security = organisation.security();
            security.note(Attempt::Invitation, None, address, "no such invitation");
            return Err(SignInError::Refused);
        };
        let set = SetPassword {
            account: account.id.clone(),
            password,
            verifier: None,
        };
        let _turn = self.turn().await?;
        let (set, _) = armed(set).await?;
        order(organisation, &account.login, set).await?;
        open(organisation, account.id, SignInMethod::Invitation).await
    }

    fn admit(&self, account: &str, address: &str, now: Instant) -> Result<(), SignInError> {
        let waits = [
            self.by_account.wait(account, now),
            self.by_address.wait(address, now),
        ];
        match waits.into_iter().flatten().max() {
            Some(wait) => Err(SignInError::Throttled { wait }),
            None => Ok(()),
        }
    }

    async fn check(
        &self,
        password: String,
        verifier: Option<Verifier>,
    ) -> Result<bool, SignInError> {
        let _turn = self.turn().await?;
        let check = move || verify_password(&password, verifier.as_ref());
        Ok(tokio::task::spawn_blocking(check).await?)
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, SignInError> {
        let turn = self.hashing.acquire().await;
        turn.map_err(|error| SignInError::System(error.to_string()))
    }
}

fn known(organisation: &Organisation, login: &str) -> Result<Option<AccountRow>, StoreError> {
    let Ok(login) = login.parse::<Actor>() else {
        return Ok(None);
    };
    let snapshot = organisation.readers().snapshot(None)?;
    snapshot.get(&AccountId(login).to_string())
}

/// Opens a session for somebody who has just proved who they are.
async fn open(
    organisation: &Organisation,
    account: AccountId,
    method: SignInMethod,
) -> Result<SignedIn, SignInError> {
    let now = chrono::Utc::now().timestamp_micros();
    let expires_at = DateTime::from_micros(now + SESSION_MICROS);
    let command = OpenSession {
        account: account.clone(),
        method,
        expires_at,
        verifier: None,
    };
    let (command, secret) = armed(command).await?;
    let id = order(organisation, &account.0, command).await?;
    let secret = secret.unwrap_or_default();
    let token = Token::new(
        TokenKind::Session,
        organisation.id(),
        &id.to_string(),
        &secret,
    );
    Ok(SignedIn {
        account,
        token,
        expires_at,
    })
}

async fn armed<C: Command>(mut command: C) -> Result<(C, Option<String>), SignInError> {
    let armed = tokio::task::spawn_blocking(move || {
        let mut armoury = Armoury::default();
        command.arm(&mut armoury);
        (command, armoury.secret())
    });
    let (command, secret) = armed.await?;
    Ok((command, secret.map_err(SignInError::System)?))
}

/// Issues a command on the authority of the process, and waits until it can be read.
async fn order(
    organisation: &Organisation,
    login: &Actor,
    command: impl Into<DomainCommand>,
) -> Result<Uuid, SignInError> {
    let command_id = Uuid::now_v7();
    let envelope = Envelope::of_process(command_id, login.clone(), command);
    let receipt = organisation.desk().submit(envelope).await?;
    if let Some(refusal) = receipt.refusal {
        return Err(SignInError::Rule {
            code: refusal.code,
            message: refusal.message,
        });
    }
    let mut applied = organisation.applied();
    let posted = applied
        .wait_for(|applied| applied.position >= receipt.position || applied.stopped.is_some());
    // Whoever signs in while the read models stand still is told so by what they ask next.
    let _ = tokio::time::timeout(Duration::from_secs(5), posted).await;
    Ok(command_id)
}
