//! Signing in and out, and accepting an invitation, over plain HTTP: whoever does it has no token
//! yet, and GraphQL is for those who have one.
//!
//! ```text
//! POST   /session     { "login", "password" }   201 { "token", "account", "expiresAt" }
//! DELETE /session     Authorization: Bearer …   204
//! POST   /invitation  { "token", "password" }   201 { "token", "account", "expiresAt" }
//! ```
//! Where the server has many organisations, a sign-in names one: `{ "organisation": "<uuid>", … }`.
//! Tokens name theirs.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use daybook_app::{
    CommandError, Directory, Envelope, HouseError, Lease,
    access::{SignIn, SignInError, SignedIn, Token, TokenKind},
};
use daybook_schema::{
    access::{EndSession, Password, SessionId},
    kernel::DateTime,
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use uuid::Uuid;

use crate::graphql::not_entered;
use crate::transport::{
    Peer,
    errors::{Code, Fault},
    read_body, require_json,
};

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// Time for a body to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// The longest password that is looked at; hashing takes its time by length.
const PASSWORD_BYTES_MAX: usize = 1_024;

#[derive(Clone)]
struct Desk {
    directory: Directory,
    sign_in: Arc<SignIn>,
}

impl Desk {
    /// The organisation that somebody names, or the only one; an unknown one is refused in the
    /// words of the request at hand.
    async fn enter(&self, named: Option<Uuid>) -> Result<Option<Lease>, Fault> {
        let named = named.or_else(|| self.directory.only().map(|only| only.id()));
        let Some(named) = named else {
            return Ok(None);
        };
        match self.directory.enter(named).await {
            Ok(lease) => Ok(Some(lease)),
            Err(HouseError::Unknown { .. }) => Ok(None),
            Err(error) => Err(not_entered("", &error)),
        }
    }
}

/// The routes of an organisation, or of those of a house.
pub fn routes(directory: impl Into<Directory>) -> Router {
    let desk = Desk {
        directory: directory.into(),
        sign_in: Arc::new(SignIn::default()),
    };
    Router::new()
        .route("/session", post(sign_in).delete(sign_out))
        .route("/invitation", post(accept))
        .with_state(desk)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    organisation: Option<Uuid>,
    login: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    token: String,
    password: String,
}

async fn sign_in(State(desk): State<Desk>, request: Request) -> Response {
    let address = address(&request);
    let credentials: Credentials = match read(request).await {
        Ok(credentials) => credentials,
        Err(fault) => return refuse(&fault),
    };
    if credentials.password.len() > PASSWORD_BYTES_MAX {
        return refuse(&Fault::new(Code::BadUserInput, "the password is too long"));
    }
    match desk.enter(credentials.organisation).await {
        Ok(organisation) => desk.check(organisation, &credentials, &address).await,
        Err(fault) => refuse(&fault),
    }
}

impl Desk {
    async fn check(
        &self,
        organisation: Option<Lease>,
        Credentials {
            login, password, ..
        }: &Credentials,
        address: &str,
    ) -> Response {
        let Some(organisation) = organisation else {
            return welcome(Err(self.sign_in.nowhere(password, address).await));
        };
        let signed_in = self
            .sign_in
            .with_password(&organisation, login, password, address);
        welcome(signed_in.await)
    }
}

async fn accept(State(desk): State<Desk>, request: Request) -> Response {
    let address = address(&request);
    let Acceptance { token, password } = match read(request).await {
        Ok(acceptance) => acceptance,
        Err(fault) => return refuse(&fault),
    };
    let password: Password = match password.parse() {
        Ok(password) => password,
        Err(_) => {
            let message = "the password must have 12 to 256 characters";
            return refuse(&Fault::new(Code::BadUserInput, message));
        }
    };
    let Some(token) = Token::read(&token) else {
        return welcome(Err(SignInError::Refused));
    };
    let organisation = match desk.enter(Some(token.organisation)).await {
        Ok(Some(organisation)) => organisation,
        Ok(None) => return welcome(Err(SignInError::Refused)),
        Err(fault) => return refuse(&fault),
    };
    let accepted = desk
        .sign_in
        .with_invitation(&organisation, &token, password, &address);
    welcome(accepted.await)
}

async fn sign_out(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    match end(&desk, &headers).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(fault) => refuse(&fault),
    }
}

async fn end(desk: &Desk, headers: &HeaderMap) -> Result<(), Fault> {
    let unknown = || Fault::new(Code::Unauthenticated, "the token is not valid here");
    let said = headers
        .get(header::AUTHORIZATION)
        .and_then(|said| said.to_str().ok());
    let text = said
        .and_then(|said| said.split_once(' '))
        .map(|(_, token)| token.trim());
    let text = text.ok_or_else(unknown)?;
    let token = Token::read(text).filter(|token| token.kind == TokenKind::Session);
    let token = token.ok_or_else(unknown)?;
    let organisation = desk.enter(Some(token.organisation)).await?;
    let organisation = organisation.ok_or_else(unknown)?;
    let now = DateTime::from_micros(chrono::Utc::now().timestamp_micros());
    let principal = organisation
        .gate()
        .enter(text, None, now)
        .map_err(|_| unknown())?;
    let id: Uuid = token.name.parse().map_err(|_| unknown())?;
    let session = SessionId(id);
    let command = EndSession { session };
    // The person's own session: nobody needs a grant to leave.
    let envelope = Envelope::of_process(Uuid::now_v7(), principal.login().clone(), command);
    let receipt = organisation.desk().submit(envelope).await;
    receipt.map_err(|error| unanswered(&error))?;
    Ok(())
}

async fn read<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Fault> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let bytes = read_body(body, BODY_BYTES_MAX, BODY_TIME_MAX).await?;
    // What was sent is not repeated: it holds a password.
    serde_json::from_slice(&bytes).map_err(|_| {
        Fault::new(
            Code::BadRequest,
            "the body does not have the expected fields",
        )
    })
}

fn address(request: &Request) -> String {
    let peer = request.extensions().get::<Peer>();
    peer.map_or_else(String::new, |peer| peer.network().to_string())
}

fn welcome(outcome: Result<SignedIn, SignInError>) -> Response {
    match outcome {
        Ok(signed_in) => {
            let body = Json(json!({
                "token": signed_in.token.reveal(),
                "account": signed_in.account.to_string(),
                "expiresAt": signed_in.expires_at.to_string(),
            }));
            let unkept = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::CREATED, unkept, body).into_response()
        }
        Err(error) => refuse(&fault(&error)),
    }
}

fn fault(error: &SignInError) -> Fault {
    match error {
        SignInError::Refused => Fault::new(Code::Unauthenticated, error.to_string()),
        SignInError::Throttled { wait } => {
            Fault::new(Code::RateLimited, error.to_string()).after(*wait)
        }
        SignInError::Rule { .. } => Fault::new(Code::Forbidden, error.to_string()),
        SignInError::Command(error) => unanswered(error),
        SignInError::Store(_) | SignInError::System(_) => {
            tracing::error!(%error, "nobody could be signed in");
            Fault::new(Code::InternalServerError, "internal error")
        }
    }
}

fn unanswered(error: &CommandError) -> Fault {
    tracing::error!(%error, "a session could not be put on record");
    Fault::new(
        Code::ServiceUnavailable,
        "the desk takes no commands for the moment",
    )
}

fn refuse(fault: &Fault) -> Response {
    let mut extensions = json!({ "code": fault.code.as_str() });
    let mut response_headers = HeaderMap::new();
    if let Some(wait) = fault.retry_after {
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        extensions["retryAfterMs"] = json!(milliseconds);
        let seconds = header::HeaderValue::from(milliseconds.div_ceil(1_000));
        response_headers.insert(header::RETRY_AFTER, seconds);
    }
    let body = json!({ "errors": [{ "message": fault.message, "extensions": extensions }] });
    (fault.code.status(), response_headers, Json(body)).into_response()
}
