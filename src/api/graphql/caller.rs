//! Who calls: from the headers of a request to an account of an organisation.

use std::{sync::Arc, time::Duration};

use daybook_app::{
    Directory, HouseError, Lease, Organisation,
    access::{Attempt, Gate, Principal, Proven, Providers, Token, Unauthenticated},
};
use daybook_schema::{
    access::AccountId,
    kernel::{Actor, DateTime},
};

use crate::transport::{
    Identity, RequestContext,
    errors::{Code, Fault},
};

/// The header that names the account on whose behalf a request is made.
pub const ON_BEHALF_OF: http::HeaderName = http::HeaderName::from_static("daybook-on-behalf-of");

/// Who calls, and which organisation.
#[derive(Clone)]
pub(super) struct Caller {
    /// It stays open for as long as the caller has to do with it.
    pub(super) organisation: Lease,
    directory: Directory,
    pub(super) principal: Arc<Principal>,
    pass: Pass,
    on_behalf_of: Option<Actor>,
}

/// What the caller was let in by.
#[derive(Clone)]
enum Pass {
    Token(Arc<str>),
    Proven(Proven),
    Unproven(AccountId),
}

impl Pass {
    fn enter(
        &self,
        gate: &Gate,
        on_behalf_of: Option<&Actor>,
    ) -> Result<Arc<Principal>, Unauthenticated> {
        match self {
            Self::Token(token) => gate.enter(token, on_behalf_of, now()),
            Self::Proven(Proven { identity, ends, .. }) => {
                gate.enter_as(identity, on_behalf_of, *ends, now())
            }
            Self::Unproven(account) => gate.enter_unproven(account, now()),
        }
    }
}

impl Caller {
    /// The caller that needs no proof in a spec: the first account of the organisation, which is
    /// made where there is none.
    #[cfg(test)]
    pub(super) fn first_of(organisation: &Arc<daybook_app::Organisation>, login: &str) -> Self {
        let account = AccountId(
            login
                .parse()
                .unwrap_or_else(|_| unreachable!("a user name")),
        );
        let made = daybook_app::access::bootstrap(organisation, &account.0);
        let head = organisation.log().head().position;
        while organisation.applied().borrow().position < head {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let principal = organisation.gate().enter_unproven(&account, now());
        let principal = principal.unwrap_or_else(|error| unreachable!("{error}: {made:?}"));
        Self {
            organisation: organisation.clone().into(),
            directory: organisation.clone().into(),
            principal,
            pass: Pass::Unproven(account),
            on_behalf_of: None,
        }
    }

    /// Who calls, looked at again: a subscription lasts, and what its caller may see may change.
    pub(super) fn renewed(&self) -> Result<Arc<Principal>, Unauthenticated> {
        let admitted = self.directory.admits(self.organisation.id());
        admitted.map_err(|_| Unauthenticated::Suspended)?;
        self.pass
            .enter(self.organisation.gate(), self.on_behalf_of.as_ref())
    }

    /// The caller as the transport sees it: its limits are kept by organisation and account.
    fn identity(self) -> Identity {
        let key = format!("{}/{}", self.organisation.id(), self.principal.actor);
        Identity::new(key).with(self)
    }
}

/// The time of the request.
pub(super) fn now() -> DateTime {
    DateTime::from_micros(chrono::Utc::now().timestamp_micros())
}

/// Where callers come in.
#[derive(Clone)]
pub(super) struct Door {
    directory: Directory,
    /// Who calls where a request brings no token: the demonstration's administrator, elsewhere
    /// nobody.
    unproven: Option<AccountId>,
    /// Whose tokens are believed besides our own.
    providers: Arc<Providers>,
}

impl Door {
    pub(super) fn new(
        directory: Directory,
        unproven: Option<AccountId>,
        providers: Arc<Providers>,
    ) -> Self {
        Self {
            directory,
            unproven,
            providers,
        }
    }

    /// Finds out who calls.
    pub(super) async fn admit(&self, context: &RequestContext) -> Result<Identity, Fault> {
        let on_behalf_of = on_behalf_of(context)?;
        let pass = match bearer(context)? {
            Some(token) if Providers::is_token(token) => {
                Pass::Proven(self.prove(context, token).await?)
            }
            Some(token) => Pass::Token(token.into()),
            None => match &self.unproven {
                Some(account) => Pass::Unproven(account.clone()),
                None => return Err(unauthenticated("a token is needed")),
            },
        };
        let organisation = self.organisation(context, &pass).await?;
        let entered = pass.enter(organisation.gate(), on_behalf_of.as_ref());
        let principal = entered.map_err(|error| refused(context, Some(&organisation), &error))?;
        Ok(Caller {
            organisation,
            directory: self.directory.clone(),
            principal,
            pass,
            on_behalf_of,
        }
        .identity())
    }
}

impl Door {
    /// The organisation that a token names. Whoever brings none, or one that names none, can only
    /// mean the only one.
    async fn organisation(&self, context: &RequestContext, pass: &Pass) -> Result<Lease, Fault> {
        let named = match pass {
            Pass::Token(token) => Token::read(token).map(|token| token.organisation),
            Pass::Proven(Proven {
                organisation: Some(named),
                ..
            }) => Some(*named),
            Pass::Proven(_) | Pass::Unproven(_) => self.directory.only().map(|only| only.id()),
        };
        let Some(named) = named else {
            return Err(refused(context, None, &Unauthenticated::Malformed));
        };
        let entered = self.directory.enter(named).await;
        entered.map_err(|error| not_entered(context.request_id.as_str(), &error))
    }

    /// Who an identity provider's token proves that somebody is. Verifying may have to fetch the
    /// provider's keys, which is done where nobody else waits.
    async fn prove(&self, context: &RequestContext, token: &str) -> Result<Proven, Fault> {
        if let Some(proven) = self.providers.recall(token, now()) {
            return Ok(proven);
        }
        let (providers, token) = (self.providers.clone(), token.to_owned());
        let verified = tokio::task::spawn_blocking(move || providers.verify(&token)).await;
        let request_id = context.request_id.as_str();
        let verified = verified.map_err(|error| {
            tracing::error!(request_id, %error, "a token could not be verified");
            Fault::new(Code::InternalServerError, "internal error")
        })?;
        let only = self.directory.only();
        verified.map_err(|error| turned_away(context, only.as_deref(), &error))
    }
}

/// What is said to whoever could not enter an organisation. That there is none is told in the words
/// of a token that opens nothing, so that nobody learns which there are.
pub(crate) fn not_entered(request_id: &str, error: &HouseError) -> Fault {
    match error {
        HouseError::Unknown { .. } => {
            tracing::info!(target: "daybook::security", request_id, reason = %error, "turned away");
            unauthenticated(NOT_VALID)
        }
        HouseError::Suspended { .. } => {
            let message = "the organisation is suspended; ask whoever operates this house";
            Fault::new(Code::OrganisationSuspended, message)
        }
        HouseError::Full { .. } => Fault::new(
            Code::TooManyOpen,
            "too many organisations are in use; try again",
        )
        .after(RETRY),
        HouseError::Opening { .. } | HouseError::Interrupted { .. } | HouseError::Closed => {
            let message = "the organisation is not open at the moment; try again";
            Fault::new(Code::ServiceUnavailable, message).after(RETRY)
        }
        HouseError::Unopened { .. }
        | HouseError::Held { .. }
        | HouseError::Locked { .. }
        | HouseError::Refused { .. }
        | HouseError::Failed { .. }
        | HouseError::Command(_)
        | HouseError::App(_) => {
            tracing::error!(request_id, %error, "an organisation could not be entered");
            Fault::new(Code::InternalServerError, "internal error")
        }
    }
}

/// When it is worth while to come again.
const RETRY: Duration = Duration::from_secs(1);

fn refused(
    context: &RequestContext,
    organisation: Option<&Organisation>,
    error: &Unauthenticated,
) -> Fault {
    match error {
        Unauthenticated::Store(error) => {
            let request_id = context.request_id.as_str();
            tracing::error!(request_id, %error, "a caller could not be looked up");
            Fault::new(Code::InternalServerError, "internal error")
        }
        _ => turned_away(context, organisation, error),
    }
}

/// Why somebody was turned away is for those who keep the organisation, or the house where none is
/// meant; the caller learns only that it was so. The token itself stands in neither.
fn turned_away(
    context: &RequestContext,
    organisation: Option<&Organisation>,
    why: &dyn std::error::Error,
) -> Fault {
    match organisation {
        Some(organisation) => {
            let address = context.peer.map(|peer| peer.network().to_string());
            let (address, why) = (address.unwrap_or_default(), why.to_string());
            organisation
                .security()
                .note(Attempt::Token, None, &address, &why);
        }
        None => {
            let request_id = context.request_id.as_str();
            tracing::info!(target: "daybook::security", request_id, reason = %why, "turned away");
        }
    }
    unauthenticated(NOT_VALID)
}

/// The one thing that is said of a token that opens nothing, whatever the reason.
const NOT_VALID: &str = "the token is not valid here";

/// The token that the request brings.
fn bearer(context: &RequestContext) -> Result<Option<&str>, Fault> {
    let Some(said) = context.said("authorization") else {
        return Ok(None);
    };
    let token = said
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) => Ok(Some(token.trim())),
        None => Err(unauthenticated("authorization takes a bearer token")),
    }
}

/// A name that cannot be read is no reason to act in one's own.
fn on_behalf_of(context: &RequestContext) -> Result<Option<Actor>, Fault> {
    let said = context.said(ON_BEHALF_OF.as_str());
    let is_there = said.is_some() || context.headers.contains_key(ON_BEHALF_OF);
    match said.and_then(|said| said.trim().parse().ok()) {
        None if is_there => {
            let message = format!("header {ON_BEHALF_OF} takes a user name");
            Err(Fault::new(Code::BadRequest, message))
        }
        name => Ok(name),
    }
}

fn unauthenticated(message: &'static str) -> Fault {
    Fault::new(Code::Unauthenticated, message)
}
