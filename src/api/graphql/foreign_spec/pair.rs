//! Two organisations in one house, each with a company of its own, asked through the router.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use daybook_app::{
    Envelope, Founding, House, HouseOptions, Lease, Organisation,
    access::{Armoury, Providers, Token, TokenKind},
    demo::{self, ADMINISTRATOR, DemoOptions},
};
use daybook_schema::{
    Command, DomainCommand,
    access::{
        AccountId, FormTeam, IssueApiKey, OpenSession, Password, RegisterServiceAccount,
        SetPassword, SignInMethod,
    },
    prefix,
};
use http::{Request, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::{
    graphql::{Api, ON_BEHALF_OF},
    health::Report,
    metrics::Metrics,
    session,
    transport::{Lifecycle, Rates, TransportConfig, router},
};

/// Stands in the name of what only their organisation has.
pub(super) const MARK: &str = "Zhqxtheirs";
pub(super) const PASSWORD: &str = "correct horse battery";
/// Sells, and sees what is hers.
pub(super) const SALESPERSON: &str = "li.wei";

/// Ours is asked; theirs is what must not be found.
pub(super) struct Pair {
    pub(super) ours: Company,
    pub(super) theirs: Company,
    router: Router,
    runtime: tokio::runtime::Runtime,
    _house: House,
    _folder: TempDir,
}

/// An organisation and what stands in its log.
pub(super) struct Company {
    pub(super) lease: Lease,
    /// Keys of its administrator and of a salesperson, who does not see everything.
    pub(super) keys: [String; 2],
    /// Ids by their prefixes.
    pub(super) ids: BTreeMap<String, BTreeSet<String>>,
    pub(super) texts: BTreeSet<String>,
    pub(super) command_ids: Vec<Uuid>,
}

impl Pair {
    pub(super) fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = HouseOptions::default();
        options.organisation.min_free_bytes = Some(0);
        let house = House::open(folder.path(), options).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let company = |seed, name| {
            let options = DemoOptions {
                seed,
                scale: 0.02,
                ..DemoOptions::default()
            };
            let founding = Founding {
                founder: "first".parse().unwrap(),
                ..demo::founding(options)
            };
            let created = runtime.block_on(house.create(&founding)).unwrap();
            let lease = runtime.block_on(house.enter(created.organisation)).unwrap();
            demo::fill(&lease, options, &mut |_, _| {}).unwrap();
            Company::new(lease, name)
        };
        let (ours, theirs) = (company(1, "Zhqxours"), company(2, MARK));
        Self {
            router: routes(&house),
            ours,
            theirs,
            runtime,
            _house: house,
            _folder: folder,
        }
    }

    /// The status and the body of the answer to a request.
    pub(super) fn send(&self, request: Request<Body>) -> (u16, String) {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
            (status, String::from_utf8(bytes.to_vec()).unwrap())
        })
    }

    /// What arrives of a subscription within a short time.
    pub(super) fn listen(&self, token: &str, document: &str, wait: Duration) -> String {
        use futures_util::StreamExt as _;
        let body = json!({ "query": document }).to_string();
        let mut request = post("/graphql", Some(token), body);
        let stream = "text/event-stream".parse().unwrap();
        request.headers_mut().insert(header::ACCEPT, stream);
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let mut chunks = response.into_body().into_data_stream();
            let deadline = tokio::time::Instant::now() + wait;
            let mut heard = String::new();
            while let Ok(Some(chunk)) = tokio::time::timeout_at(deadline, chunks.next()).await {
                heard.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
            }
            heard
        })
    }

    pub(super) fn ask(&self, token: &str, document: &str, variables: &Value) -> (u16, String) {
        let body = json!({ "query": document, "variables": variables }).to_string();
        self.send(post("/graphql", Some(token), body))
    }

    pub(super) fn ask_for(&self, token: &str, other: &str, document: &str) -> (u16, String) {
        let body = json!({ "query": document }).to_string();
        let mut request = post("/graphql", Some(token), body);
        let other = other.parse().unwrap();
        request.headers_mut().insert(ON_BEHALF_OF, other);
        self.send(request)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> (u16, String) {
        self.send(post(path, None, body.to_string()))
    }

    /// An id of a kind that only they have.
    pub(super) fn foreign(&self, kind: &str) -> Option<&String> {
        let ours = self.ours.ids.get(kind);
        let theirs = self.theirs.ids.get(kind)?.iter().rev();
        let mut strange = theirs.filter(|id| ours.is_none_or(|ours| !ours.contains(*id)));
        strange.find(|id| !id.ends_with(".demo"))
    }

    /// Names, addresses and telephone numbers of their log that stand nowhere in ours; dates and
    /// the words that both have from the program itself tell nothing.
    pub(super) fn marks(&self) -> Vec<&String> {
        let marks = self.theirs.texts.difference(&self.ours.texts);
        let is_of_somebody = |text: &&String| {
            text.contains('@') || text.starts_with('+') || text.len() >= 18 && !text.is_ascii()
        };
        marks.filter(is_of_somebody).collect()
    }
}

pub(super) fn post(path: &str, token: Option<&str>, body: String) -> Request<Body> {
    let mut request = Request::post(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::from(body)).unwrap()
}

fn routes(house: &House) -> Router {
    let api = Api::new(house.clone(), None, Providers::new(Vec::new()).into());
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
    let rates = Rates {
        address: None,
        identity: None,
        cost: None,
        local: false,
    };
    let config = TransportConfig {
        rates,
        ..TransportConfig::default()
    };
    let sessions = session::routes(house.clone());
    router(api, Report::ready, config, &metrics, &lifecycle, sessions)
}

impl Company {
    fn new(lease: Lease, name: &str) -> Self {
        let login = name.to_lowercase().parse().unwrap();
        let account = AccountId(login);
        let service = RegisterServiceAccount {
            login: account.0.clone(),
            name: name.parse().unwrap(),
        };
        order(&lease, service);
        let team = FormTeam {
            code: name.to_lowercase().parse().unwrap(),
            name: name.parse().unwrap(),
            parent: None,
        };
        order(&lease, team);
        let mut password = SetPassword {
            account: AccountId(ADMINISTRATOR.parse().unwrap()),
            password: PASSWORD.parse::<Password>().unwrap(),
            verifier: None,
        };
        Command::arm(&mut password, &mut Armoury::default());
        order(&lease, password);
        let mut session = OpenSession {
            account: AccountId(ADMINISTRATOR.parse().unwrap()),
            method: SignInMethod::Password,
            expires_at: "2099-01-01T00:00:00Z".parse().unwrap(),
            verifier: None,
        };
        Command::arm(&mut session, &mut Armoury::default());
        order(&lease, session);
        let keys = [ADMINISTRATOR, SALESPERSON].map(|login| key(&lease, login));
        let mut company = Self {
            lease,
            keys,
            ids: BTreeMap::new(),
            texts: BTreeSet::new(),
            command_ids: Vec::new(),
        };
        company.read_log();
        company.settle();
        company
    }

    /// Waits until what is on record can be read.
    pub(super) fn settle(&self) {
        let head = self.head();
        let started = Instant::now();
        while self.lease.applied().borrow().position < head {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.lease.log().head().position
    }

    fn read_log(&mut self) {
        let organisation = self.lease.clone();
        for position in 1..=self.head() {
            let commit = organisation.log().commit(position).unwrap().unwrap();
            self.command_ids.push(commit.command_id());
            for event in commit.events() {
                self.note_id(event.stream);
                let data = organisation.seals().event(&event).into_owned();
                self.note(&serde_json::from_slice(&data).unwrap());
            }
        }
    }

    fn note(&mut self, data: &Value) {
        match data {
            Value::String(text) => {
                self.note_id(text);
                self.texts.insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.note(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.note(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn note_id(&mut self, text: &str) {
        let kind = prefix(text);
        let rest = text
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix('-'));
        let Some(rest) = rest else { return };
        let is_unique = rest.split('.').all(|part| Uuid::try_parse(part).is_ok());
        if is_unique || matches!(kind, "account" | "team") {
            let of_kind = self.ids.entry(kind.to_owned()).or_default();
            of_kind.insert(text.to_owned());
        }
    }
}

fn key(organisation: &Organisation, login: &str) -> String {
    let mut key = IssueApiKey {
        account: AccountId(login.parse().unwrap()),
        name: "foreign".parse().unwrap(),
        expires_at: None,
        verifier: None,
    };
    let mut armoury = Armoury::default();
    Command::arm(&mut key, &mut armoury);
    let secret = armoury.secret().unwrap().unwrap();
    let id = order(organisation, key).to_string();
    Token::new(TokenKind::ApiKey, organisation.id(), &id, &secret).reveal()
}

fn order(organisation: &Organisation, command: impl Into<DomainCommand>) -> Uuid {
    let id = Uuid::now_v7();
    let envelope = Envelope::of_process(id, ADMINISTRATOR.parse().unwrap(), command);
    let answer = organisation.desk().submit_blocking(envelope).unwrap();
    assert_eq!(answer.blocking_recv().unwrap().unwrap().refusal, None);
    id
}
