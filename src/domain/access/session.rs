//! A session. Open → ended.
//! Invariant: only a person who may act gets one.

use daybook_schema::access::{
    AccountId, AccountKind, OpenSession, SessionCommand, SessionEvent, SessionId,
};

use super::{account, api_key};
use crate::{
    Aggregate, Declined, Desk,
    refusal::{CommonRejection, rejection},
};

/// The session's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Session {
    /// There is none.
    #[default]
    Unopened,
    /// The person is signed in.
    Open {
        /// The account.
        account: AccountId,
    },
    /// The person signed out.
    Ended {
        /// The account.
        account: AccountId,
    },
}

/// The rules about sessions.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionRejection {
    /// The session is over.
    #[error("`{session}` has ended")]
    SessionHasEnded {
        /// The session.
        session: SessionId,
    },
    /// Programs have keys.
    #[error("`{account}` is no person; programs act by API keys")]
    SessionOfProgram {
        /// The account.
        account: AccountId,
    },
}
rejection!(
    SessionRejection,
    Self::SessionHasEnded { .. } => ["session"],
    Self::SessionOfProgram { .. } => ["account"],
);

impl Aggregate for Session {
    type Id = SessionId;
    type Event = SessionEvent;

    fn evolve(self, event: &SessionEvent) -> Self {
        match event {
            SessionEvent::SessionOpened { account, .. } => Self::Open {
                account: account.clone(),
            },
            SessionEvent::SessionEnded {} => match self {
                Self::Open { account } => Self::Ended { account },
                Self::Unopened | Self::Ended { .. } => self,
            },
        }
    }
}

impl Session {
    /// The account that is or was signed in.
    pub(super) fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Unopened => None,
            Self::Open { account } | Self::Ended { account } => Some(account),
        }
    }
}

pub(crate) fn decide(command: SessionCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use SessionCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Session>(&id)?, command) {
        (Session::Unopened, C::OpenSession(command)) => open(id, command, desk),
        (Session::Unopened, C::EndSession(_)) => Err(CommonRejection::not_found(&id)),
        (Session::Open { .. }, C::EndSession(_)) => {
            Ok(desk.record(&id, SessionEvent::SessionEnded {})?)
        }
        (Session::Ended { .. }, _) => Err(SessionRejection::SessionHasEnded { session: id }.into()),
        (Session::Open { .. }, C::OpenSession(_)) => Err(CommonRejection::already_exists(&id)),
    }
}

fn open(id: SessionId, command: OpenSession, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let OpenSession {
        account,
        method,
        expires_at,
        verifier,
    } = command;
    if account::require_active(desk, &account)? == AccountKind::Service {
        return Err(SessionRejection::SessionOfProgram { account }.into());
    }
    let verifier = api_key::required(verifier)?;
    Ok(desk.record(
        &id,
        SessionEvent::SessionOpened {
            account,
            method,
            expires_at,
            verifier,
        },
    )?)
}
