//! Who is asking: tokens, passwords, identity providers, and what follows for one request.
//!
//! ```text
//!  Authorization: Bearer …
//!    dbk_<organisation>_<key>_<secret>       API key ──┐
//!    dbs_<organisation>_<session>_<secret>   session ──┼─► account ─► Principal: grants that hold
//!    <header>.<claims>.<signature>           JWT ──────┘
//! ```
//! * [`token`](Token): the texts of keys, sessions and invitations, which name their organisation.
//! * [`Armoury`]: makes secrets and hashes passwords; the log sees digests only.
//! * [`Gate`]: finds the account of a token in the read models, and remembers it until an access
//!   fact is posted.

mod armoury;
mod bootstrap;
mod gate;
mod principal;
mod provider;
#[cfg(test)]
mod provider_spec;
mod security_log;
mod sign_in;
mod throttle;
mod token;

pub use armoury::{Armoury, verify_password};
pub(crate) use bootstrap::first_account;
pub use bootstrap::{Bootstrap, bootstrap, first_key};
pub use gate::{Gate, Unauthenticated};
pub use principal::Principal;
pub use provider::{
    KeySource, Proven, ProviderSettings, Providers, SignatureAlgorithm, TokenRejected,
};
pub use security_log::{Attempt, SecurityLog};
pub use sign_in::{SignIn, SignInError, SignedIn};
pub use throttle::Throttle;
pub use token::{Token, TokenKind, demo_secret};
