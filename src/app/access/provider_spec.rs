#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! Tokens of an identity provider, and everything that passes for one.

use std::{fs, path::PathBuf, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{KeySource, ProviderSettings, Providers, SignatureAlgorithm, TokenRejected};

const ISSUER: &str = "https://login.example.com";
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A provider with one key, published in a file.
struct Login {
    folder: TempDir,
    providers: Providers,
}

fn key(seed: u8) -> EncodingKey {
    let der: Vec<u8> = PKCS8.into_iter().chain([seed; 32]).collect();
    EncodingKey::from_ed_der(&der)
}

fn published(kid: &str, seed: u8) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(&key(seed), Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    jwk
}

impl Login {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut providers = Providers::new(vec![ProviderSettings {
            issuer: ISSUER.to_owned(),
            audiences: vec!["daybook".to_owned()],
            keys: KeySource::File(folder.path().join("keys.json")),
            algorithms: vec![SignatureAlgorithm::EdDsa],
            organisation_claim: "org".to_owned(),
            leeway_seconds: 30,
        }]);
        providers.look_every(Duration::ZERO);
        let login = Self { folder, providers };
        login.publish(vec![published("first", 1)]);
        login
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn publish(&self, keys: Vec<Jwk>) {
        fs::write(self.file(), serde_json::to_vec(&JwkSet { keys }).unwrap()).unwrap();
    }

    fn verify(&self, token: &str) -> Result<(), TokenRejected> {
        self.providers.verify(token).map(|_| ())
    }
}

fn seconds(from_now: i64) -> i64 {
    chrono::Utc::now().timestamp() + from_now
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "daybook", "sub": "42", "exp": seconds(300) })
}

fn signed(claims: &Value, kid: &str, seed: u8) -> String {
    let header = Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    encode(&header, claims, &key(seed)).unwrap()
}

/// A token with these claims changed.
fn with(changes: Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    signed(&claims, "first", 1)
}

#[test]
fn a_token_proves_who_its_bearer_is_until_it_ends() {
    let login = Login::new();
    let token = signed(&claims(), "first", 1);
    let proven = login.providers.verify(&token).unwrap();
    assert_eq!(proven.identity.issuer.as_str(), ISSUER);
    assert_eq!(proven.identity.subject.as_str(), "42");
    let now = daybook_schema::kernel::DateTime::from_micros(chrono::Utc::now().timestamp_micros());
    assert_eq!(login.providers.recall(&token, now), Some(proven.clone()));
    assert_eq!(login.providers.recall(&token, proven.ends), None);
}

#[test]
fn tokens_that_do_not_hold_are_rejected() {
    let login = Login::new();
    let rejected = [
        with(json!({ "exp": seconds(-60) })),
        with(json!({ "nbf": seconds(120) })),
        with(json!({ "aud": "another" })),
        with(json!({ "aud": null })),
        with(json!({ "sub": null })),
        with(json!({ "exp": null })),
    ];
    for token in rejected {
        assert!(login.verify(&token).is_err(), "{token}");
    }
    let skewed = with(json!({ "exp": seconds(-5), "nbf": seconds(5) }));
    assert!(login.verify(&skewed).is_ok(), "within the leeway");
    let unknown = login.verify(&with(json!({ "iss": "https://evil.example.com" })));
    assert!(
        matches!(unknown, Err(TokenRejected::UnknownIssuer)),
        "{unknown:?}"
    );
}

#[test]
fn forged_tokens_are_rejected() {
    let login = Login::new();
    let forged = signed(&claims(), "first", 2);
    assert!(matches!(
        login.verify(&forged),
        Err(TokenRejected::Invalid(_))
    ));
    let honest = signed(&claims(), "first", 1);
    let parts: Vec<&str> = honest.split('.').collect();
    let richer = URL_SAFE.encode(with(json!({ "sub": "1" })).split('.').nth(1).unwrap());
    for token in [
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{richer}.{}", parts[0], parts[2]),
        format!("{}.{}.{}x", parts[0], parts[1], parts[2]),
        "..".to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(100_000),
    ] {
        assert!(login.verify(&token).is_err(), "{token}");
    }
}

#[test]
fn a_token_does_not_choose_its_algorithm() {
    let login = Login::new();
    let body = URL_SAFE.encode(claims().to_string());
    let none = URL_SAFE.encode(r#"{"alg":"none","kid":"first"}"#);
    assert!(login.verify(&format!("{none}.{body}.")).is_err());
    // The published key, passed off as a shared secret.
    let public = serde_json::to_value(published("first", 1)).unwrap();
    let secret = URL_SAFE.decode(public["x"].as_str().unwrap()).unwrap();
    let header = Header {
        kid: Some("first".to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    let confused = encode(&header, &claims(), &EncodingKey::from_secret(&secret)).unwrap();
    let rejected = login.verify(&confused);
    assert!(
        matches!(rejected, Err(TokenRejected::Algorithm)),
        "{rejected:?}"
    );
}

#[test]
fn keys_are_rotated_without_a_restart() {
    let login = Login::new();
    assert!(login.verify(&signed(&claims(), "first", 1)).is_ok());
    let next = signed(&claims(), "second", 2);
    let unknown = login.verify(&next);
    assert!(
        matches!(unknown, Err(TokenRejected::UnknownKey)),
        "{unknown:?}"
    );
    login.publish(vec![published("first", 1), published("second", 2)]);
    assert!(login.verify(&next).is_ok());
    login.publish(vec![published("second", 2)]);
    assert!(login.verify(&signed(&claims(), "third", 3)).is_err());
    assert!(
        login.verify(&with(json!({ "sub": "43" }))).is_err(),
        "the first key is gone"
    );
    fs::remove_file(login.file()).unwrap();
    let unreached = json!({ "iss": ISSUER, "aud": "daybook", "sub": "44", "exp": seconds(300) });
    assert!(
        login.verify(&signed(&unreached, "second", 2)).is_ok(),
        "believed for a while"
    );
}
