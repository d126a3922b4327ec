//! Secrets, and what is kept of them. No secret is ever written to the log or into a log line:
//! events hold digests, and commands show a mask wherever they are written out.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{TextError, text_scalar};

/// A password on its way in. It prints and serialises as a mask, so that neither the content of a
/// command nor a refusal can show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<str>);

/// The fewest characters of a password (NIST SP 800-63B asks for 8 at least, 15 without a second
/// factor).
const PASSWORD_CHARACTERS_MIN: usize = 12;
/// The most characters of a password.
const PASSWORD_CHARACTERS_MAX: usize = 256;
/// What is shown instead of a secret.
pub const MASK: &str = "***";

impl Password {
    /// The password itself, to be hashed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Password {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        match text.chars().count() {
            0..PASSWORD_CHARACTERS_MIN => Err(TextError::TooShort {
                limit: PASSWORD_CHARACTERS_MIN,
            }),
            length if length > PASSWORD_CHARACTERS_MAX => Err(TextError::TooLong {
                length,
                limit: PASSWORD_CHARACTERS_MAX,
            }),
            _ => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

text_scalar!(Password, "Password", "password of 12 to 256 characters");

/// What is kept of a secret, so that it can be recognised: a digest, or for a password its hash in
/// the PHC string format with algorithm, parameters and salt. Histories do not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-secret" = true))]
#[serde(transparent)]
pub struct Verifier(Box<str>);

impl Verifier {
    /// A digest, or a hash in the PHC string format.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The digest or hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Where the secrets of commands come from and where they stop: a command is armed before it goes
/// to the desk, which is deterministic and never sees a secret.
pub trait Armoury {
    /// Makes a secret of 256 random bits; the caller gets it once, the command keeps its digest.
    fn forge(&mut self) -> Verifier;

    /// Hashes a password.
    fn hash(&mut self, password: &Password) -> Verifier;
}
