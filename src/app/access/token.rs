//! The texts by which keys, sessions and invitations are shown.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE};
use daybook_schema::access::Verifier;
use uuid::Uuid;

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An API key.
    ApiKey,
    /// A session.
    Session,
    /// An invitation, which opens nothing but the setting of a first password.
    Invitation,
}

impl TokenKind {
    const ALL: [Self; 3] = [Self::ApiKey, Self::Session, Self::Invitation];

    /// The word that a token begins with, by which it is recognised where it was left about.
    const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "dbk",
            Self::Session => "dbs",
            Self::Invitation => "dbi",
        }
    }
}

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// The longest text that can be a token.
const TOKEN_BYTES_MAX: usize = 512;
/// What digests of secrets begin with.
const DIGEST: &str = "b3:";
/// What digests of the secrets of a demonstration begin with: everybody can know those secrets, so
/// they open nothing anywhere else.
const DEMO_DIGEST: &str = "demo:";

/// A token: whose it is, and the secret that proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What it opens.
    pub kind: TokenKind,
    /// The organisation that it belongs to.
    pub organisation: Uuid,
    /// The id of the key or session, or the user name of the invited person.
    pub name: String,
    secret: String,
}

impl Token {
    /// The token of a secret.
    pub fn new(kind: TokenKind, organisation: Uuid, name: &str, secret: &str) -> Self {
        Self {
            kind,
            organisation,
            name: name.to_owned(),
            secret: secret.to_owned(),
        }
    }

    /// Reads a token; none where the text is none.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let mut parts = text.splitn(4, '_');
        let prefix = parts.next()?;
        let kind = TokenKind::ALL
            .into_iter()
            .find(|kind| kind.prefix() == prefix)?;
        let organisation = Uuid::try_parse(parts.next()?).ok()?;
        let name = URL_SAFE.decode(parts.next()?.replace('.', "_")).ok()?;
        let secret = parts.next()?.to_owned();
        Some(Self {
            kind,
            organisation,
            name: String::from_utf8(name).ok()?,
            secret,
        })
    }

    /// Whether the secret is the one that a digest was made of.
    pub fn opens(&self, verifier: &Verifier, demo: bool) -> bool {
        is_digest_of(verifier, &self.secret, demo)
    }

    /// The text that its owner keeps.
    pub fn reveal(&self) -> String {
        // A dot for the underscore of the alphabet, so that the parts can be told apart.
        let name = URL_SAFE.encode(&self.name).replace('_', ".");
        let organisation = self.organisation.simple();
        format!(
            "{}_{organisation}_{name}_{}",
            self.kind.prefix(),
            self.secret
        )
    }
}

/// Never shows the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("kind", &self.kind)
            .field("organisation", &self.organisation)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A secret of 256 random bits as text.
pub(super) fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE.encode(bytes))
}

/// What is kept of a secret. A fast hash is enough: nobody can try 2^256 of them.
pub(super) fn digest(secret: &str) -> Verifier {
    Verifier::new(&format!(
        "{DIGEST}{}",
        blake3::hash(secret.as_bytes()).to_hex()
    ))
}

/// Hashes are compared in constant time.
fn is_digest_of(verifier: &Verifier, secret: &str, demo: bool) -> bool {
    let text = verifier.as_str();
    let kept = text
        .strip_prefix(DIGEST)
        .or_else(|| text.strip_prefix(DEMO_DIGEST).filter(|_| demo));
    let kept = kept.and_then(|hex| blake3::Hash::from_hex(hex).ok());
    kept.is_some_and(|kept| kept == blake3::hash(secret.as_bytes()))
}

/// The secret of an account of the demonstration, and what is kept of it. It is the same on every
/// machine, so that it can be printed at every start.
pub fn demo_secret(login: &str) -> (String, Verifier) {
    let secret = blake3::derive_key("Daybook demonstration 2026 API key", login.as_bytes());
    let secret = URL_SAFE.encode(secret);
    let digest = blake3::hash(secret.as_bytes()).to_hex();
    (secret, Verifier::new(&format!("{DEMO_DIGEST}{digest}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::{Token, TokenKind, Uuid, Verifier, demo_secret, digest, new_secret};

    fn token(secret: &str) -> Token {
        Token::new(
            TokenKind::Invitation,
            Uuid::from_u128(7),
            "li_wei/??>",
            secret,
        )
    }

    #[test]
    fn a_token_reads_back_and_opens_its_digest_only() {
        let secret = new_secret().unwrap();
        let read = Token::read(&token(&secret).reveal()).unwrap();
        assert!(read == token(&secret));
        assert!(read.opens(&digest(&secret), false));
        assert!(!read.opens(&digest("another"), false));
        assert!(!read.opens(&Verifier::new(&secret), false));
        assert!(!format!("{read:?}").contains(&secret));
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        for text in [
            "",
            "dbk",
            "dbk_1_2_3",
            "abc_0_0_0",
            &"x".repeat(10_000),
            "a.b.c",
            "dbk___",
        ] {
            assert!(Token::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn demonstration_keys_open_nothing_but_the_demonstration() {
        let (secret, verifier) = demo_secret("li.wei");
        assert!(token(&secret).opens(&verifier, true));
        assert!(!token(&secret).opens(&verifier, false));
        assert_ne!(demo_secret("zhao.min").0, secret);
    }
}
