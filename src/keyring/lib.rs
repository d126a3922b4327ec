//! Keys of persons: personal text is sealed under the key of whom it is about, and whoever is
//! erased loses the key, for ever.
//!
//! ```text
//!  master key ──wraps──► key of a subject ──seals──► "sealed:1:customer-0190…:nonce+text+tag"
//!  (outside)             keys/keys.db                in the log, hashed and archived as it is
//! ```
//! * A **subject** is the id of whom the text is about. Each has one random key of 256 bits.
//! * The cipher is XChaCha20-Poly1305 with a random nonce. What is sealed is bound to its
//!   organisation, its subject and a context, so a copy in another place does not open.
//! * A new key is durable before anything that it sealed: [`KeyRing::flush`] comes before the
//!   append, and costs nothing where no key is new.
//! * A key that was destroyed leaves a row without key material, so that "erased" and "lost" are
//!   told apart: what a lost key sealed is an error, never silently something else.
//! * The ring knows neither events nor the log; it keeps one position for whoever does.

mod cipher;
mod error;
mod master;
mod ring;
#[cfg(test)]
mod spec;
mod store;
mod token;

pub use error::KeyError;
pub use master::MasterKey;
pub use ring::{KeyRing, Opened, Status};
pub use token::{MARK, Token};
