#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! Tokens of an identity provider at the door of a house: the token names the organisation, and
//! opens nothing where its bearer is not known.

use std::{fs, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use daybook_app::{
    Envelope, Founding, House, HouseOptions,
    access::{Armoury, KeySource, ProviderSettings, Providers, SignatureAlgorithm},
};
use daybook_schema::{
    Command, DomainCommand,
    access::{ExternalIdentity, GrantRole, InviteUser, Role, Scope, ScopeKind},
};
use http::{Request, header};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::Api;
use crate::{
    health::Report,
    metrics::Metrics,
    transport::{Lifecycle, TransportConfig, router},
};

const ISSUER: &str = "https://login.example.com";
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A house with two organisations; the provider knows `lin`, who has an account in the first.
struct Door {
    router: Router,
    runtime: Runtime,
    organisations: [Uuid; 2],
    _folder: TempDir,
}

fn key() -> EncodingKey {
    let der: Vec<u8> = PKCS8.into_iter().chain([7; 32]).collect();
    EncodingKey::from_ed_der(&der)
}

fn providers(folder: &TempDir) -> Providers {
    let mut jwk = Jwk::from_encoding_key(&key(), Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some("first".to_owned());
    let file = folder.path().join("keys.json");
    fs::write(
        &file,
        serde_json::to_vec(&JwkSet { keys: vec![jwk] }).unwrap(),
    )
    .unwrap();
    Providers::new(vec![ProviderSettings {
        issuer: ISSUER.to_owned(),
        audiences: vec!["daybook".to_owned()],
        keys: KeySource::File(file),
        algorithms: vec![SignatureAlgorithm::EdDsa],
        leeway_seconds: 30,
        organisation_claim: "org".to_owned(),
    }])
}

impl Door {
    fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = HouseOptions::default();
        options.organisation.min_free_bytes = Some(0);
        let house = House::open(&folder.path().join("house"), options).unwrap();
        let runtime = Runtime::new().unwrap();
        let founding = Founding {
            name: "Room".parse().unwrap(),
            currency: "CNY".parse().unwrap(),
            founder: "first".parse().unwrap(),
            policies_from: "2020-01-01".parse().unwrap(),
            keeps_house: false,
            founded_at: None,
        };
        let create = || runtime.block_on(house.create(&founding)).unwrap();
        let organisations = [create(), create()].map(|created| created.organisation);
        let mut invited = InviteUser {
            login: "lin".parse().unwrap(),
            name: "Lin".parse().unwrap(),
            email: None,
            identity: Some(ExternalIdentity {
                issuer: ISSUER.parse().unwrap(),
                subject: "42".parse().unwrap(),
            }),
            verifier: None,
        };
        Command::arm(&mut invited, &mut Armoury::default());
        let granted = GrantRole {
            account: invited.account(),
            role: Role::Salesperson,
            scope: Scope::of(ScopeKind::Own),
            from: None,
            until: None,
        };
        runtime.block_on(async {
            let lease = house.enter(organisations[0]).await.unwrap();
            for command in [DomainCommand::from(invited), granted.into()] {
                let founder = founding.founder.clone();
                let envelope = Envelope::of_process(Uuid::now_v7(), founder, command);
                let receipt = lease.desk().submit(envelope).await.unwrap();
                assert_eq!(receipt.refusal, None);
                let mut applied = lease.applied();
                let posted = applied.wait_for(|applied| applied.position >= receipt.position);
                posted.await.unwrap();
            }
        });
        let api = Api::new(house, None, Arc::new(providers(&folder)));
        let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
        let config = TransportConfig::default();
        let nothing = Router::new();
        Self {
            router: router(api, Report::ready, config, &metrics, &lifecycle, nothing),
            runtime,
            organisations,
            _folder: folder,
        }
    }

    /// The status, and who the bearer of a token with this claim is.
    fn ask(&self, claim: Option<Value>) -> (u16, Value) {
        let mut claims = json!({
            "iss": ISSUER, "aud": "daybook", "sub": "42",
            "exp": chrono::Utc::now().timestamp() + 300,
        });
        if let Some(claim) = claim {
            claims["org"] = claim;
        }
        let head = Header {
            kid: Some("first".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        let token = encode(&head, &claims, &key()).unwrap();
        let request = Request::post("/graphql")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(r#"{"query":"{ me { login } }"}"#))
            .unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, serde_json::from_slice(&bytes).unwrap())
        })
    }
}

#[test]
fn a_token_of_a_provider_opens_the_organisation_that_it_names_and_no_other() {
    let door = Door::open();
    let [ours, theirs] = door.organisations;
    let (status, answer) = door.ask(Some(json!(ours)));
    assert_eq!(
        (status, &answer["data"]["me"]["login"]),
        (200, &json!("lin"))
    );
    let refused = [
        Some(json!(theirs)),
        Some(json!(Uuid::from_u128(7))),
        Some(json!("first")),
        Some(json!([ours])),
        None,
    ];
    for claim in refused {
        let (status, answer) = door.ask(claim.clone());
        assert_eq!(status, 401, "{claim:?}: {answer}");
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UNAUTHENTICATED", "{claim:?}");
    }
}
