#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! What somebody who only listens is told, and until when.

mod seen;
mod waiting;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, BodyDataStream, to_bytes},
};
use daybook_app::{
    Envelope, Founding, Organisation, OrganisationOptions,
    access::{Armoury, Providers, Token, TokenKind, bootstrap},
    demo,
};
use daybook_schema::{
    Command, DomainCommand,
    access::{AccountId, GrantRole, IssueApiKey, RegisterServiceAccount, Role, Scope},
    kernel::{Actor, DateTime},
};
use http::{Request, header};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::Api;
use crate::{
    health::Report,
    metrics::Metrics,
    transport::{Lifecycle, Rates, ServeConfig, TransportConfig, router, serve},
};

/// An organisation behind a server, with accounts as a spec needs them.
struct Room {
    organisation: Arc<Organisation>,
    router: Router,
    lifecycle: Lifecycle,
    metrics: Metrics,
    runtime: tokio::runtime::Runtime,
    founder: Actor,
    _folder: TempDir,
}

/// A key to an account.
struct Key {
    id: Uuid,
    token: String,
}

impl Room {
    /// An organisation in which nothing happened yet.
    fn empty(renewal: Duration) -> Self {
        let founding = Founding {
            name: "Room".parse().unwrap(),
            currency: "CNY".parse().unwrap(),
            founder: "founder".parse().unwrap(),
            policies_from: "2020-01-01".parse().unwrap(),
            keeps_house: false,
            founded_at: None,
        };
        let room = Self::found(&founding, renewal);
        bootstrap(&room.organisation, &"first".parse().unwrap()).unwrap();
        room
    }

    /// A small company that has lived for two years.
    fn lived_in(seed: u64) -> Self {
        let options = demo::DemoOptions {
            seed,
            scale: 0.01,
            ..demo::DemoOptions::default()
        };
        let room = Self::found(&demo::founding(options), Duration::from_secs(5));
        demo::fill(&room.organisation, options, &mut |_, _| {}).unwrap();
        room
    }

    fn found(founding: &Founding, renewal: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let options = OrganisationOptions {
            min_free_bytes: Some(0),
            ..Default::default()
        };
        let opened = Organisation::open(folder.path(), options, founding, &mut |_, _| {});
        let organisation = Arc::new(opened.unwrap().0);
        let providers = Arc::new(Providers::new(Vec::new()));
        let api = Api::new(organisation.clone(), None, providers);
        let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
        let config = TransportConfig {
            renewal,
            rates: Rates {
                address: None,
                identity: None,
                cost: None,
                local: false,
            },
            ..TransportConfig::default()
        };
        let nothing = Router::new();
        Self {
            router: router(api, Report::ready, config, &metrics, &lifecycle, nothing),
            organisation,
            lifecycle,
            metrics,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            founder: founding.founder.clone(),
            _folder: folder,
        }
    }

    /// Issues a command, which is done and can be read when this returns; gives its id.
    fn order(&self, command: impl Into<DomainCommand>) -> Uuid {
        let id = Uuid::now_v7();
        let envelope = Envelope::of_process(id, self.founder.clone(), command);
        let answer = self.organisation.desk().submit_blocking(envelope).unwrap();
        assert_eq!(answer.blocking_recv().unwrap().unwrap().refusal, None);
        self.settle();
        id
    }

    fn settle(&self) {
        let head = self.organisation.log().head().position;
        while self.organisation.applied().borrow().position < head {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Makes an account with some roles.
    fn account(&self, login: &str, grants: &[(Role, Scope)]) -> AccountId {
        let account = AccountId(login.parse().unwrap());
        let name = login.parse().unwrap();
        let login = account.0.clone();
        self.order(RegisterServiceAccount { login, name });
        for (role, scope) in grants {
            self.grant(&account, *role, scope.clone());
        }
        account
    }

    fn grant(&self, account: &AccountId, role: Role, scope: Scope) {
        self.order(GrantRole {
            account: account.clone(),
            role,
            scope,
            from: None,
            until: None,
        });
    }

    fn key(&self, account: &AccountId, expires_at: Option<DateTime>) -> Key {
        let mut key = IssueApiKey {
            account: account.clone(),
            name: "feed".parse().unwrap(),
            expires_at,
            verifier: None,
        };
        let mut armoury = Armoury::default();
        Command::arm(&mut key, &mut armoury);
        let secret = armoury.secret().unwrap().unwrap();
        let id = self.order(key);
        let (kind, name) = (TokenKind::ApiKey, id.to_string());
        let token = Token::new(kind, self.organisation.id(), &name, &secret).reveal();
        Key { id, token }
    }

    /// Serves on a port of its own, until the room is gone.
    fn serve(&self) -> SocketAddr {
        let (router, lifecycle) = (self.router.clone(), self.lifecycle.clone());
        let metrics = self.metrics.clone();
        self.runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let config = ServeConfig::default();
            tokio::spawn(async move {
                serve(listener, router, &lifecycle, config, &metrics).await;
            });
            address
        })
    }

    fn ask(&self, token: &str, document: &str) -> Value {
        let request = request(token, document, "application/json", &[]);
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let bytes = to_bytes(response.into_body(), 1 << 26).await.unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
    }

    /// The events of a subscription, as they come.
    fn stream(
        &self,
        token: &str,
        document: &str,
        headers: &[(&'static str, &str)],
    ) -> BodyDataStream {
        let request = request(token, document, "text/event-stream", headers);
        let response = self.runtime.block_on(self.router.clone().oneshot(request));
        response.unwrap().into_body().into_data_stream()
    }
}

fn request(
    token: &str,
    document: &str,
    accept: &str,
    headers: &[(&'static str, &str)],
) -> Request<Body> {
    let body = serde_json::json!({ "query": document }).to_string();
    let mut request = Request::post("/graphql")
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, accept)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).unwrap()
}
