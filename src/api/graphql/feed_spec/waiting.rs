//! Whoever may no longer listen is cut off: soon, also where nothing happens, and before anything
//! that happens after.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use daybook_schema::{
    access::{
        AccountId, ApiKeyId, DelegateAuthority, EndDelegation, EndSession, InviteUser, OpenSession,
        RevokeApiKey, RevokeRole, Role, Scope, ScopeKind, SessionId, SetPassword, SignInMethod,
        SuspendAccount,
    },
    customers::{CustomerDetails, RegisterCustomer},
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::{Armoury, Command, DomainCommand, Envelope, Key, Room, Token, TokenKind, Uuid};

/// The time between two looks at who listens.
const RENEWAL: Duration = Duration::from_millis(200);
/// No look at all, for the time of a spec.
const NEVER: Duration = Duration::from_secs(3_600);
const PATIENCE: Duration = Duration::from_secs(10);

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// A socket that was let in.
    async fn open(address: SocketAddr, token: &str) -> Self {
        let url = format!("ws://{address}/graphql");
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let mut client = Self(connect_async(request).await.unwrap().0);
        let hello = json!({ "authorization": format!("Bearer {token}") });
        client
            .say(json!({ "type": "connection_init", "payload": hello }))
            .await;
        assert_eq!(client.hear().await.unwrap()["type"], "connection_ack");
        client
    }

    async fn say(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn subscribe(&mut self, feed: &str) {
        let payload = json!({ "query": feed });
        self.say(json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await;
        // The subscription runs when what is asked after it is answered.
        self.say(json!({ "type": "subscribe", "id": "2",
            "payload": { "query": "{ __typename }" } }))
            .await;
        while self.hear().await.unwrap()["type"] != "complete" {}
    }

    /// The next message, or the code with which the server closes.
    async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
            match message.unwrap().unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return Err(frame.unwrap().code.into()),
                _ => {}
            }
        }
    }

    /// Everything up to the close, and its code.
    async fn end(&mut self) -> (Vec<Value>, u16) {
        let mut heard = Vec::new();
        loop {
            match self.hear().await {
                Ok(message) => heard.push(message),
                Err(code) => return (heard, code),
            }
        }
    }
}

impl Room {
    /// A subscription to what happens from now on, whenever it is begun.
    fn feed(&self) -> String {
        let head = self.organisation.log().head().position;
        let fields = "{ position command actor events { stream data } }";
        format!("subscription {{ commits(after: \"{head}\") {fields} }}")
    }

    fn registration(name: &str, owner: &str) -> RegisterCustomer {
        let details: CustomerDetails = serde_json::from_value(json!({ "name": name })).unwrap();
        RegisterCustomer {
            details,
            contacts: Vec::new(),
            owner: Some(owner.parse().unwrap()),
        }
    }

    fn customer(&self, name: &str, owner: &str) {
        self.order(Self::registration(name, owner));
    }

    /// Issues a command and waits for nothing.
    fn submit(&self, command: impl Into<DomainCommand>) {
        let envelope = Envelope::of_process(Uuid::now_v7(), self.founder.clone(), command);
        drop(self.organisation.desk().submit_blocking(envelope).unwrap());
    }

    fn session(&self, account: &AccountId) -> Key {
        let mut session = OpenSession {
            account: account.clone(),
            method: SignInMethod::Password,
            expires_at: "2099-01-01T00:00:00Z".parse().unwrap(),
            verifier: None,
        };
        let mut armoury = Armoury::default();
        Command::arm(&mut session, &mut armoury);
        let secret = armoury.secret().unwrap().unwrap();
        let id = self.order(session);
        let (kind, name) = (TokenKind::Session, id.to_string());
        let token = Token::new(kind, self.organisation.id(), &name, &secret).reveal();
        Key { id, token }
    }

    /// Makes the account of a person who sees everything.
    fn everything(&self, login: &str) -> AccountId {
        let account = AccountId(login.parse().unwrap());
        let mut invite: InviteUser = serde_json::from_value(json!({
            "login": login, "name": login, "email": "zhqx@example.com"
        }))
        .unwrap();
        Command::arm(&mut invite, &mut Armoury::default());
        self.order(invite);
        let mut password = SetPassword {
            account: account.clone(),
            password: "correct horse battery".parse().unwrap(),
            verifier: None,
        };
        Command::arm(&mut password, &mut Armoury::default());
        self.order(password);
        self.grant(&account, Role::Leader, Scope::of(ScopeKind::Organisation));
        account
    }
}

type Cut = (
    &'static str,
    fn(&Room, &AccountId) -> Key,
    fn(&Room, &AccountId, &Key),
);

fn by_key(room: &Room, account: &AccountId) -> Key {
    room.key(account, None)
}

/// The ways in which somebody is shut out.
const CUTS: [Cut; 3] = [
    ("a-key-is-revoked", by_key, |room, _, key| {
        let api_key = ApiKeyId(key.id);
        room.order(RevokeApiKey {
            api_key,
            because: None,
        });
    }),
    ("an-account-is-suspended", by_key, |room, account, _| {
        room.order(SuspendAccount {
            account: account.clone(),
            because: "gone".parse().unwrap(),
        });
    }),
    (
        "a-session-ends",
        |room, account| room.session(account),
        |room, _, key| {
            let session = SessionId(key.id);
            room.order(EndSession { session });
        },
    ),
];

#[test]
fn a_socket_that_only_waits_is_closed_soon_after_its_right_is_gone() {
    let room = Room::empty(RENEWAL);
    let address = room.serve();
    for (name, enter, cut) in CUTS {
        let account = room.everything(name);
        let key = enter(&room, &account);
        let feed = room.feed();
        let mut idle = room.runtime.block_on(Client::open(address, &key.token));
        let mut listening = room.runtime.block_on(async {
            let mut client = Client::open(address, &key.token).await;
            client.subscribe(&feed).await;
            client
        });
        // It stays open over several looks while nothing changes.
        let early = room.runtime.block_on(async {
            let next = tokio::time::timeout(RENEWAL * 4, idle.0.next()).await;
            next.is_ok()
        });
        assert!(!early, "{name}");
        let since = Instant::now();
        cut(&room, &account, &key);
        room.customer("After the cut", "founder");
        let (heard, code) = room.runtime.block_on(idle.end());
        assert_eq!((heard, code), (Vec::new(), 4401), "{name}");
        let (heard, code) = room.runtime.block_on(listening.end());
        assert_eq!(code, 4401, "{name}");
        assert!(since.elapsed() < Duration::from_secs(5), "{name}");
        let told = heard
            .iter()
            .filter(|message| !message["payload"]["data"].is_null());
        assert_eq!(told.count(), 0, "{name}: {heard:?}");
    }
    room.lifecycle.shut_down();
}

#[test]
fn a_stream_that_only_waits_is_ended_soon_after_its_right_is_gone() {
    let room = Room::empty(RENEWAL);
    for (name, enter, cut) in CUTS {
        let account = room.everything(name);
        let key = enter(&room, &account);
        let stream = room.stream(&key.token, &room.feed(), &[]);
        cut(&room, &account, &key);
        let heard = room.until_end(stream);
        assert!(heard.contains("UNAUTHENTICATED"), "{name}: {heard}");
        assert!(
            heard.ends_with("event: complete\ndata:\n\n"),
            "{name}: {heard}"
        );
        assert!(!heard.contains("position"), "{name}: {heard}");
    }
}

#[test]
fn what_ends_by_itself_is_noticed_where_nothing_happens() {
    let room = Room::empty(RENEWAL);
    let address = room.serve();
    let account = room.everything("short.lived");
    let soon = chrono::Utc::now() + chrono::TimeDelta::milliseconds(1_500);
    let ends = daybook_schema::kernel::DateTime::from_micros(soon.timestamp_micros());
    let key = room.key(&account, Some(ends));
    let head = room.organisation.log().head().position;
    let stream = room.stream(&key.token, &room.feed(), &[]);
    let mut socket = room.runtime.block_on(Client::open(address, &key.token));
    assert_eq!(room.runtime.block_on(socket.end()), (Vec::new(), 4401));
    assert!(room.until_end(stream).contains("UNAUTHENTICATED"));
    assert_eq!(room.organisation.log().head().position, head);
    room.lifecycle.shut_down();
}

#[test]
fn whoever_is_shut_out_hears_nothing_more_whenever_they_are_looked_at() {
    let room = Room::empty(NEVER);
    for (name, enter, cut) in CUTS {
        let account = room.everything(name);
        let key = enter(&room, &account);
        let stream = room.stream(&key.token, &room.feed(), &[]);
        cut(&room, &account, &key);
        let heard = room.until_end(stream);
        assert!(heard.contains("UNAUTHENTICATED"), "{name}: {heard}");
        assert!(!heard.contains("position"), "{name}: {heard}");
    }
}

/// How often somebody is shut out while the company works on.
const ROUNDS: usize = 30;

#[test]
fn nothing_that_follows_the_cut_is_heard_however_soon_it_follows() {
    let room = Room::empty(NEVER);
    for round in 0..ROUNDS {
        let login = format!("quick.{round}");
        let account = room.account(
            &login,
            &[(Role::Leader, Scope::of(ScopeKind::Organisation))],
        );
        let key = room.key(&account, None);
        let before = room.organisation.log().head().position;
        let stream = room.stream(&key.token, &room.feed(), &[]);
        let heard = room.runtime.spawn(heard(stream));
        let api_key = ApiKeyId(key.id);
        let revoke = RevokeApiKey {
            api_key,
            because: None,
        };
        room.submit(revoke);
        for number in 0..20 {
            room.submit(Room::registration(&format!("Quick {number}"), "founder"));
        }
        let heard = room.runtime.block_on(heard).unwrap();
        let told = heard.matches("\"position\"").count();
        assert_eq!(told, 0, "after {before} in round {round}: {heard}");
    }
}

#[test]
fn whoever_acts_for_another_is_cut_off_with_the_delegation() {
    let room = Room::empty(RENEWAL);
    let (given, to) = (room.everything("given.from"), room.account("given.to", &[]));
    let today = chrono::Utc::now().date_naive();
    let day = |days| daybook_schema::kernel::Date(today + chrono::Days::new(days));
    room.order(DelegateAuthority {
        account: given.clone(),
        to: to.clone(),
        from: daybook_schema::kernel::Date(today),
        until: day(30),
        because: None,
    });
    let key = room.key(&to, None);
    let behalf = [("daybook-on-behalf-of", "given.from")];
    let stream = room.stream(&key.token, &room.feed(), &behalf);
    room.order(EndDelegation {
        account: given,
        delegation: 1,
    });
    let heard = room.until_end(stream);
    assert!(heard.contains("UNAUTHENTICATED"), "{heard}");
    assert!(!heard.contains("position"), "{heard}");
}

#[test]
fn a_feed_narrows_with_the_grants() {
    let room = Room::empty(NEVER);
    let account = room.everything("narrowed.one");
    room.grant(&account, Role::Salesperson, Scope::of(ScopeKind::Own));
    let key = room.key(&account, None);
    let mut stream = room.stream(&key.token, &room.feed(), &[]);
    room.customer("Zhqxbefore", "founder");
    let first = room.runtime.block_on(stream.next()).unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("Zhqxbefore"));
    let revoke = |grant| {
        room.order(RevokeRole {
            account: account.clone(),
            grant,
            because: None,
        })
    };
    revoke(1);
    room.customer("Zhqxhidden", "founder");
    room.customer("Zhqxown", "narrowed.one");
    let mut heard = String::new();
    while !heard.contains("Zhqxown") {
        let next = room
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, stream.next()).await.unwrap() });
        heard.push_str(std::str::from_utf8(&next.unwrap().unwrap()).unwrap());
    }
    assert!(!heard.contains("Zhqxhidden"), "{heard}");
    // Without any role there is nothing to follow.
    revoke(2);
    let heard = room.until_end(stream);
    assert!(heard.contains("FORBIDDEN"), "{heard}");
    assert!(!heard.contains("position"), "{heard}");
}

impl Room {
    fn until_end(&self, stream: super::BodyDataStream) -> String {
        self.runtime.block_on(heard(stream))
    }
}

/// Everything of a stream, which must end.
async fn heard(mut stream: super::BodyDataStream) -> String {
    let mut heard = String::new();
    loop {
        let next = tokio::time::timeout(PATIENCE, stream.next()).await;
        match next.unwrap_or_else(|_| panic!("it goes on after {heard}")) {
            Some(chunk) => heard.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap()),
            None => return heard,
        }
    }
}
