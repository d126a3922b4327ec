//! Identity providers: tokens of OpenID Connect (JWT), verified with the provider's published keys.
//!
//! The algorithms are pinned per provider, and only those with a public key can be named, so a
//! token can neither choose `none` nor pass a public key off as a shared secret. Keys are fetched
//! again when a token names one that is not known, at most every few seconds, and when they grow
//! old; a provider that cannot be reached is believed by its last keys for a while.

use std::{
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use daybook_schema::{access::ExternalIdentity, kernel::DateTime};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{JwkSet, PublicKeyUse},
};
use lru::LruCache;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The time between two looks at a provider's keys for the sake of an unknown one.
const LOOK_PAUSE: Duration = Duration::from_secs(10);
/// How old keys may grow before they are fetched again.
const KEYS_AGE_MAX: Duration = Duration::from_secs(600);
/// How long a provider that cannot be reached is believed.
const KEYS_AGE_UNREACHED_MAX: Duration = Duration::from_secs(86_400);
/// Time for keys to be fetched.
const FETCH_TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes of a published key set.
const KEY_SET_BYTES_MAX: u64 = 256 * 1024;
/// The longest token.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How many verified tokens are remembered.
const REMEMBERED: usize = 10_000;

/// An algorithm whose signatures are made with a private key and verified with a public one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, strum::EnumString)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum SignatureAlgorithm {
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS #1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS #1 v1.5 with SHA-512.
    Rs512,
    /// RSA PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    #[strum(serialize = "EdDSA")]
    EdDsa,
}

impl From<SignatureAlgorithm> for Algorithm {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        match algorithm {
            SignatureAlgorithm::Rs256 => Self::RS256,
            SignatureAlgorithm::Rs384 => Self::RS384,
            SignatureAlgorithm::Rs512 => Self::RS512,
            SignatureAlgorithm::Ps256 => Self::PS256,
            SignatureAlgorithm::Es256 => Self::ES256,
            SignatureAlgorithm::Es384 => Self::ES384,
            SignatureAlgorithm::EdDsa => Self::EdDSA,
        }
    }
}

/// Where a provider publishes its keys (JWKS, RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// An address, of the scheme `https`.
    Address(String),
    /// A file that somebody else keeps up to date.
    File(PathBuf),
}

/// What is known of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its issuer identifier: the claim `iss` of its tokens, letter by letter.
    pub issuer: String,
    /// Whom its tokens must be meant for: one of these must stand in the claim `aud`.
    pub audiences: Vec<String>,
    /// Where its keys are.
    pub keys: KeySource,
    /// How it signs.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// How far its clock may be from ours, in seconds.
    pub leeway_seconds: u64,
    /// The claim that names the organisation, for a server that has many.
    pub organisation_claim: String,
}

/// Why a token is not believed. For the server's log; whoever brought it learns only that.
#[derive(Debug, thiserror::Error)]
pub enum TokenRejected {
    /// It is no JWT, or too long for one.
    #[error("the token is malformed")]
    Malformed,
    /// No provider of that issuer is configured.
    #[error("the issuer is unknown")]
    UnknownIssuer,
    /// It is signed in a way that the provider is not known to sign.
    #[error("the algorithm is not one of the provider's")]
    Algorithm,
    /// The provider has no such key.
    #[error("the key is unknown")]
    UnknownKey,
    /// Signature, time, audience or issuer do not hold.
    #[error("the token does not hold: {0}")]
    Invalid(#[from] jsonwebtoken::errors::Error),
    /// The provider's keys could not be had.
    #[error("the provider's keys cannot be had: {0}")]
    Unreachable(String),
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// Who it is.
    pub identity: ExternalIdentity,
    /// Until when.
    pub ends: DateTime,
    /// The organisation that it is meant for, where the token names one.
    pub organisation: Option<Uuid>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    exp: Option<u64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The providers that are believed.
pub struct Providers {
    providers: Vec<Provider>,
    remembered: Mutex<LruCache<blake3::Hash, Proven>>,
}

impl Providers {
    /// Believes these providers.
    pub fn new(settings: Vec<ProviderSettings>) -> Self {
        let capacity = NonZeroUsize::new(REMEMBERED).unwrap_or(NonZeroUsize::MIN);
        Self {
            providers: settings.into_iter().map(Provider::new).collect(),
            remembered: Mutex::new(LruCache::new(capacity)),
        }
    }

    /// Looks at the providers' keys as often as a spec cannot wait for.
    #[cfg(test)]
    pub(super) fn look_every(&mut self, pause: Duration) {
        for provider in &mut self.providers {
            provider.look_pause = pause;
        }
    }

    /// Whether a text has the form of these tokens.
    pub fn is_token(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Who a token proves that its bearer is, where that is remembered.
    pub fn recall(&self, token: &str, now: DateTime) -> Option<Proven> {
        let mut remembered = lock(&self.remembered);
        let proven = remembered.get(&blake3::hash(token.as_bytes()))?;
        (now < proven.ends).then(|| proven.clone())
    }

    /// Who a token proves that its bearer is. May fetch keys, so not for a thread that others wait
    /// for.
    ///
    /// # Errors
    /// [`TokenRejected`].
    pub fn verify(&self, token: &str) -> Result<Proven, TokenRejected> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenRejected::Malformed);
        }
        let claimed: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token)
            .map_err(|_| TokenRejected::Malformed)?;
        let mut providers = self.providers.iter();
        let provider = providers.find(|provider| provider.settings.issuer == claimed.iss);
        let proven = provider
            .ok_or(TokenRejected::UnknownIssuer)?
            .verify(token)?;
        let known = blake3::hash(token.as_bytes());
        lock(&self.remembered).put(known, proven.clone());
        Ok(proven)
    }
}

struct Provider {
    settings: ProviderSettings,
    look_pause: Duration,
    keys: Mutex<Keys>,
}

/// The keys of a provider, as they were fetched last.
struct Keys {
    set: JwkSet,
    fetched_at: Option<Instant>,
    looked_at: Option<Instant>,
}

impl Provider {
    fn new(settings: ProviderSettings) -> Self {
        let keys = Keys {
            set: JwkSet { keys: Vec::new() },
            fetched_at: None,
            looked_at: None,
        };
        Self {
            settings,
            look_pause: LOOK_PAUSE,
            keys: Mutex::new(keys),
        }
    }

    fn verify(&self, token: &str) -> Result<Proven, TokenRejected> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRejected::Malformed)?;
        let mut pinned = self.settings.algorithms.iter().copied();
        if !pinned.any(|algorithm| Algorithm::from(algorithm) == header.alg) {
            return Err(TokenRejected::Algorithm);
        }
        let key = self.key(header.kid.as_deref())?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = self.settings.leeway_seconds;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&self.settings.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)?.claims;
        self.proven(claims).ok_or(TokenRejected::Malformed)
    }

    fn proven(&self, claims: Claims) -> Option<Proven> {
        let leeway = self.settings.leeway_seconds;
        let ends = claims.exp?.checked_add(leeway)?.checked_mul(1_000_000)?;
        let named = claims.others.get(&self.settings.organisation_claim);
        Some(Proven {
            identity: ExternalIdentity {
                issuer: claims.iss.parse().ok()?,
                subject: claims.sub?.parse().ok()?,
            },
            ends: DateTime::from_micros(i64::try_from(ends).ok()?),
            organisation: match named {
                Some(named) => Some(Uuid::try_parse(named.as_str()?).ok()?),
                None => None,
            },
        })
    }

    /// The key of that name, fetched again where it is not known or the keys are old.
    fn key(&self, kid: Option<&str>) -> Result<DecodingKey, TokenRejected> {
        let mut keys = lock(&self.keys);
        let now = Instant::now();
        let age = keys.fetched_at.map(|at| now.duration_since(at));
        let is_old = age.is_none_or(|age| age > KEYS_AGE_MAX);
        let looked = keys.looked_at.map(|at| now.duration_since(at));
        let may_look = looked.is_none_or(|ago| ago > self.look_pause);
        if may_look && (is_old || keys.find(kid).is_none()) {
            keys.looked_at = Some(now);
            match self.settings.keys.fetch() {
                Ok(set) => {
                    keys.set = set;
                    keys.fetched_at = Some(now);
                }
                Err(problem) => {
                    let issuer = &self.settings.issuer;
                    tracing::warn!(issuer, problem, "the keys of a provider cannot be had");
                    if age.is_none_or(|age| age > KEYS_AGE_UNREACHED_MAX) {
                        return Err(TokenRejected::Unreachable(problem));
                    }
                }
            }
        }
        let key = keys.find(kid).ok_or(TokenRejected::UnknownKey)?;
        Ok(key)
    }
}

impl Keys {
    /// The key of that name; without a name the only one that there is.
    fn find(&self, kid: Option<&str>) -> Option<DecodingKey> {
        let found = match kid {
            Some(kid) => self.set.find(kid)?,
            None => match self.set.keys.as_slice() {
                [only] => only,
                _ => return None,
            },
        };
        let signs = found.common.public_key_use.as_ref();
        if signs.is_some_and(|used| *used != PublicKeyUse::Signature) {
            return None;
        }
        DecodingKey::from_jwk(found).ok()
    }
}

impl KeySource {
    fn fetch(&self) -> Result<JwkSet, String> {
        let bytes = match self {
            Self::Address(address) => fetched(address)?,
            Self::File(path) => fs::read(path).map_err(|error| error.to_string())?,
        };
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    }
}

fn fetched(address: &str) -> Result<Vec<u8>, String> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(FETCH_TIME_MAX))
        .max_redirects(0)
        .build()
        .new_agent();
    let mut response = agent
        .get(address)
        .call()
        .map_err(|error| error.to_string())?;
    let body = response.body_mut().with_config().limit(KEY_SET_BYTES_MAX);
    body.read_to_vec().map_err(|error| error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
