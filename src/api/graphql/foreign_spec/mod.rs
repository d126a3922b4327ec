#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! Two organisations in one house. Whatever of theirs is put into a request to ours is answered
//! like something that exists nowhere: the same status, the same code, the same shape; nothing of
//! theirs is in it, and nothing is written to their log. Every place of the schema where an id
//! or a cursor can stand is tried, and a place that is not tried is a failure.

mod commands;
mod pair;
mod positions;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::body::Body;
use daybook_app::{
    access::{Token, TokenKind},
    demo::ADMINISTRATOR,
};
use daybook_domain::is_held;
use daybook_schema::{Command, CommandVisitor, DomainCommand};
use http::{Request, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::command::field_name;
use pair::{Company, MARK, PASSWORD, Pair};
use positions::HOLE;

/// Ids that say the same of every organisation: a policy is named by its subject.
const SHARED: [&str; 1] = ["policy"];
/// The kind of which an organisation that keeps no house has none.
const TENANT: &str = "tenant";
/// Characters of an id of the wrong form that a message repeats.
const ID_SHOWN_MAX: usize = 80;
const NOWHERE: &str = "0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e";

/// A well-formed id of a kind that no organisation has.
fn nowhere(kind: &str) -> String {
    match kind {
        "account" => "account-zhqxnobody.here".to_owned(),
        "team" => "team-zhqxnowhere".to_owned(),
        "price" | "stockItem" => format!("{kind}-{NOWHERE}.{NOWHERE}"),
        _ => format!("{kind}-{NOWHERE}"),
    }
}

/// An answer without the id that was asked with, and without what tells one request from another.
fn plain((status, body): (u16, String), id: &str) -> (u16, String) {
    let cut = id.get(..ID_SHOWN_MAX).unwrap_or(id);
    let mut body: Value = serde_json::from_str(&body).unwrap();
    if let Some(whole) = body.as_object_mut() {
        whole.remove("extensions");
    }
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        if let Some(extensions) = error["extensions"].as_object_mut() {
            extensions.retain(|key, _| key == "code");
        }
    }
    let mut body = body.to_string().replace(id, "<id>").replace(cut, "<id>");
    // Ids of two parts are made of others.
    let rest = id.split_once('-').map_or("", |(_, rest)| rest);
    if Uuid::try_parse(rest).is_ok() {
        body = body.replace(rest, "<uuid>");
    }
    (status, body)
}

/// What was asked, and every different answer to it.
struct Trial {
    pair: Pair,
    /// Ids of ours by prefix.
    samples: BTreeMap<String, String>,
    /// Ids of theirs by prefix.
    foreign: BTreeMap<String, String>,
    answers: BTreeSet<String>,
    /// A cursor that they were given.
    last_cursor: Option<String>,
    asked: usize,
}

impl Trial {
    fn open() -> Self {
        let pair = Pair::open();
        let first = |(kind, ids): (&String, &BTreeSet<String>)| {
            Some((kind.clone(), ids.iter().next()?.clone()))
        };
        let mut samples: BTreeMap<_, _> = pair.ours.ids.iter().filter_map(first).collect();
        let other = pair.ours.ids["warehouse"].last().unwrap().clone();
        assert_ne!(samples["warehouse"], other);
        samples.insert(commands::TARGET.to_owned(), other);
        let kinds = pair.theirs.ids.keys();
        let strange = |kind: &String| Some((kind.clone(), pair.foreign(kind)?.clone()));
        let mut foreign: BTreeMap<_, _> = kinds.filter_map(strange).collect();
        // To the house, each of them is a tenant; neither has any.
        let tenant = |company: &Company| format!("tenant-{}", company.lease.id());
        samples.insert(TENANT.to_owned(), tenant(&pair.ours));
        foreign.insert(TENANT.to_owned(), tenant(&pair.theirs));
        for kind in super::kinds().all() {
            let known = foreign.contains_key(kind.prefix) || SHARED.contains(&kind.prefix);
            assert!(known, "they have no {} of their own", kind.prefix);
        }
        assert!(pair.marks().len() > 100);
        Self {
            pair,
            samples,
            foreign,
            answers: BTreeSet::new(),
            last_cursor: None,
            asked: 0,
        }
    }

    fn heads(&self) -> (u64, u64) {
        (self.pair.theirs.head(), self.pair.ours.head())
    }

    /// Asks with something of theirs and with something of nobody, and compares.
    fn compare(&mut self, name: &str, (theirs, nobodys): (&str, &str), ask: &Ask<'_>) -> String {
        let told = plain(ask(&self.pair, theirs), theirs);
        let expected = plain(ask(&self.pair, nobodys), nobodys);
        assert_eq!(told, expected, "{name} with {theirs}");
        self.asked += 1;
        let (_, body) = told;
        self.answers.insert(body.clone());
        body
    }

    /// Asks at every place of the questions, and gives how many there are.
    fn questions(&mut self) -> usize {
        let registry = positions::registry();
        let positions = positions::positions(&registry, &self.samples);
        let mut tried = BTreeSet::new();
        let customers = self.theirs_answer("{ customers(first: 1) { pageInfo { endCursor } } }");
        self.last_cursor = first_cursor(&customers);
        for position in &positions {
            for key in self.pair.ours.keys.clone() {
                if position.cursors.is_some() {
                    self.cursor(position, &key);
                } else {
                    self.question(position, &key);
                }
            }
            tried.insert(position.name.clone());
        }
        assert_eq!(tried, positions::names(&registry));
        self.tells_ours(&positions);
        tried.len()
    }

    fn question(&mut self, position: &positions::Position, key: &str) {
        // A salesperson sees those kinds in part that are held by somebody.
        let sees_all = *key == *self.pair.ours.keys[0];
        let only = position.column_kind();
        let only = only.filter(|kind| self.foreign.contains_key(*kind));
        let kinds = self.foreign.clone().into_iter();
        let kinds = kinds.filter(|(kind, _)| sees_all || is_held(kind));
        for (kind, theirs) in kinds.filter(|(kind, _)| only.is_none_or(|only| only == kind)) {
            let nobodys = nowhere(&kind);
            let ask = |pair: &Pair, id: &str| {
                let document = position.document.replace(HOLE, id);
                pair.ask(key, &document, &Value::Null)
            };
            let body = self.compare(&position.name, (&theirs, &nobodys), &ask);
            // A document that is refused as a whole tries nothing.
            let answer: Value = serde_json::from_str(&body).unwrap();
            for error in answer["errors"].as_array().into_iter().flatten() {
                let code = error["extensions"]["code"].as_str().unwrap();
                let of_id = matches!(code, "BAD_USER_INPUT" | "FORBIDDEN");
                assert!(of_id, "{}: {error} {}", position.name, position.document);
            }
        }
    }

    /// A cursor is a place in an order, which is no secret: what comes after it is all ours.
    fn cursor(&mut self, position: &positions::Position, key: &str) {
        let giving = position.cursors.as_ref().unwrap();
        let theirs = self.theirs_answer(giving);
        // Where theirs has too little for a second page, a cursor of another list has to do.
        let cursor = first_cursor(&theirs).or_else(|| self.last_cursor.clone());
        let cursor = cursor.unwrap_or_else(|| panic!("{}: {theirs}", position.name));
        let document = position.document.replace(HOLE, &cursor);
        let (status, body) = self.pair.ask(key, &document, &Value::Null);
        let forbidden = status == 403 && body.contains("FORBIDDEN");
        assert!(status == 200 || forbidden, "{}: {body}", position.name);
        self.answers.insert(body);
        self.last_cursor = Some(cursor);
        self.asked += 1;
    }

    /// What they are answered themselves, with ids of theirs in the place of ours.
    fn theirs_answer(&self, document: &str) -> Value {
        let mut document = document.to_owned();
        for (kind, id) in &self.samples {
            if let Some(other) = self.foreign.get(kind) {
                document = document.replace(id, other);
            }
        }
        let key = &self.pair.theirs.keys[0];
        let (_, body) = self.pair.ask(key, &document, &Value::Null);
        serde_json::from_str(&body).unwrap()
    }

    /// What is compared would differ: an id of ours is not answered like one of nobody.
    fn tells_ours(&self, positions: &[positions::Position]) {
        let key = &self.pair.ours.keys[0];
        // Of tenants there are none to tell apart.
        let held = super::kinds()
            .all()
            .iter()
            .filter(|kind| kind.prefix != TENANT);
        for kind in held {
            let Some(ours) = self.samples.get(kind.prefix) else {
                continue;
            };
            let place = format!("Query.{}(id)", kind.singular);
            for name in [place.as_str(), "Query.node(id)", "Query.history(of)"] {
                let position = positions.iter().find(|position| position.name == name);
                let document = &position.unwrap().document;
                let ask = |id: &str| {
                    let document = document.replace(HOLE, id);
                    plain(self.pair.ask(key, &document, &Value::Null), id)
                };
                assert_ne!(ask(ours), ask(&nowhere(kind.prefix)), "{name}");
            }
        }
    }

    /// Nothing of theirs stands in any answer.
    fn told_nothing(&self) {
        let all = Vec::from_iter(self.answers.iter().map(String::as_str)).join("\n");
        assert!(!all.contains(MARK) && !all.contains(&MARK.to_lowercase()));
        for mark in self.pair.marks() {
            assert!(!all.contains(mark.as_str()), "theirs is told: {mark}");
        }
        for (kind, ids) in &self.pair.theirs.ids {
            let ours = self.pair.ours.ids.get(kind);
            let strange = ids
                .iter()
                .filter(|id| ours.is_none_or(|ours| !ours.contains(*id)));
            for id in strange {
                assert!(!all.contains(id.as_str()), "theirs is told: {id}");
            }
        }
    }
}

type Ask<'a> = dyn Fn(&Pair, &str) -> (u16, String) + 'a;

fn first_cursor(answer: &Value) -> Option<String> {
    match answer {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| match value {
            Value::String(text) if name == "endCursor" || name == "cursor" => Some(text.clone()),
            _ => first_cursor(value),
        }),
        Value::Array(items) => items.iter().find_map(first_cursor),
        _ => None,
    }
}

/// Gives every command at every place of an id.
struct Commands<'a> {
    trial: &'a mut Trial,
    tried: BTreeSet<String>,
    /// Places whose id was taken unseen.
    taken: BTreeSet<String>,
    /// Commands that were given an id of a command of theirs.
    repeated: usize,
}

impl CommandVisitor for Commands<'_> {
    fn command<C: Command>(&mut self) {
        let field = field_name(C::NAME);
        let name = C::NAME;
        let document = format!(
            "mutation($input: {name}Input!) {{ {field}(input: $input) {{
                userErrors {{ code message field }} receipt {{ events {{ type }} }}
            }} }}"
        );
        for case in commands::cases::<C>(&self.trial.samples) {
            let place = format!("{name}Input{}", case.way);
            for kind in kinds_of(&case.kind) {
                let theirs = self.trial.foreign[kind].clone();
                for key in self.trial.pair.ours.keys.clone() {
                    let ask = |pair: &Pair, id: &str| {
                        let input = json!({ "input": case.with::<C>(id) });
                        pair.ask(&key, &document, &input)
                    };
                    let ids = (theirs.as_str(), nowhere(kind));
                    let body = self.trial.compare(&place, (ids.0, &ids.1), &ask);
                    let answer: Value = serde_json::from_str(&body).unwrap();
                    let errors = &answer["data"][&field]["userErrors"];
                    assert!(errors.is_array(), "{place}: {body}");
                    if errors == &json!([]) {
                        self.taken.insert(place.clone());
                    }
                }
            }
            self.tried.insert(place);
        }
        self.repeat::<C>(&document);
    }
}

impl Commands<'_> {
    /// The id of a command that they gave is an id like any other: nothing of theirs is repeated.
    fn repeat<C: Command>(&mut self, document: &str) {
        let input = commands::least::<C>(&self.trial.samples);
        self.repeated += 1;
        let pair = &self.trial.pair;
        let given = pair.theirs.command_ids.iter();
        let theirs: Vec<_> = given
            .filter(|id| !pair.ours.command_ids.contains(id))
            .collect();
        let id = theirs[self.repeated].to_string();
        let document = document.replace("receipt {", "receipt { replayed");
        let mut first = input;
        first["commandId"] = json!(id);
        first["expectedVersion"] = json!("4000000000");
        let (status, body) = pair.ask(&pair.ours.keys[1], &document, &json!({ "input": first }));
        assert!(status == 200 && !body.contains("KEY_REUSED"), "{body}");
        assert!(!body.contains("\"replayed\":true"), "{body}");
        self.trial.answers.insert(body);
    }
}

/// The kinds that fit a place: a person can be several.
fn kinds_of(kind: &str) -> Vec<&str> {
    match kind {
        "subject" => vec!["customer", "lead", "account"],
        kind => vec![kind],
    }
}

/// Every place of an id in the inputs of the mutations.
fn places_of_commands() -> BTreeSet<String> {
    let registry = positions::registry();
    let fields = registry.types["Mutation"].fields().unwrap().values();
    let inputs = fields.filter_map(|field| field.args.get("input"));
    let places = inputs.flat_map(|input| {
        let ways = positions::ways(&registry, &input.ty, &[]).into_iter();
        let name = positions::named(&input.ty).to_owned();
        ways.map(move |(way, _)| format!("{name}{way}"))
    });
    places.collect()
}

impl Trial {
    /// Gives every command, and gives how many places were tried.
    fn commands(&mut self) -> usize {
        let mut commands = Commands {
            trial: self,
            tried: BTreeSet::new(),
            taken: BTreeSet::new(),
            repeated: 0,
        };
        DomainCommand::visit(&mut commands);
        let (tried, taken) = (commands.tried, commands.taken);
        assert_eq!(tried, places_of_commands());
        assert_eq!(taken, BTreeSet::new(), "what does not exist is taken");
        tried.len()
    }

    /// Nobody acts for somebody of another organisation.
    fn on_behalf(&mut self) {
        for key in self.pair.ours.keys.clone() {
            let ask = |pair: &Pair, login: &str| pair.ask_for(&key, login, "{ me { __typename } }");
            let login = MARK.to_lowercase();
            let body = self.compare("on behalf of", (&login, "nobody.here"), &ask);
            assert!(body.contains("UNAUTHENTICATED"), "{body}");
        }
    }

    /// A feed that begins where their log ends, or follows what is theirs, tells nothing.
    fn feeds(&mut self) {
        let key = self.pair.ours.keys[0].clone();
        let wait = Duration::from_millis(300);
        let listen = |document: String| self.pair.listen(&key, &document, wait);
        let ids: Vec<&String> = self.foreign.values().collect();
        let ids = serde_json::to_string(&ids).unwrap();
        let filter = format!("where: {{ streams: {ids} }}");
        let feed = format!("subscription {{ commits(after: \"0\", {filter}) {{ position }} }}");
        let heard = listen(feed);
        assert!(!heard.contains("position"), "{heard}");
        let commits = "{ position commandId events { stream data } }";
        for after in [0, self.pair.theirs.head(), self.pair.ours.head()] {
            let feed = format!("subscription {{ commits(after: \"{after}\") {commits} }}");
            let heard = listen(feed);
            assert!(!heard.contains("\"errors\""), "{heard}");
            assert_eq!(
                heard.contains("position"),
                after < self.pair.ours.head(),
                "{after}"
            );
            self.answers.insert(heard);
        }
    }

    /// A token is of one organisation, whatever else is written into it.
    fn tokens(&mut self) {
        let (ours, theirs) = (&self.pair.ours, &self.pair.theirs);
        let simple = |company: &pair::Company| company.lease.id().simple().to_string();
        let sign_in = |company: &pair::Company| {
            let body = json!({ "organisation": company.lease.id(), "login": ADMINISTRATOR,
                "password": PASSWORD });
            let (status, body) = self.pair.post("/session", &body);
            assert_eq!(status, 201, "{body}");
            let body: Value = serde_json::from_str(&body).unwrap();
            body["token"].as_str().unwrap().to_owned()
        };
        let spliced = |token: &str, from: &pair::Company, to: &pair::Company| {
            assert!(
                token.contains(&simple(from)),
                "a token names its organisation"
            );
            token.replace(&simple(from), &simple(to))
        };
        let wrong = format!("{}x", ours.keys[0]);
        let document = "{ me { __typename } customers(first: 1) { nodes { name } } }";
        let ask = |token: &str| plain(self.pair.ask(token, document, &Value::Null), token);
        let refused = ask(&wrong);
        assert_eq!(refused.0, 401, "{}", refused.1);
        let mut tokens = vec![sign_in(ours), ours.keys[0].clone(), ours.keys[1].clone()];
        for token in tokens.drain(..) {
            assert_eq!(ask(&spliced(&token, ours, theirs)), refused);
        }
        for token in [sign_in(theirs), theirs.keys[0].clone()] {
            assert_eq!(ask(&spliced(&token, theirs, ours)), refused);
        }
        // Nor is a session of theirs ended by naming it here.
        let session = sign_in(theirs);
        let end = |token: &str| {
            let bearer = format!("Bearer {token}");
            let request = Request::delete("/session").header(header::HOST, "localhost");
            let request = request.header(header::AUTHORIZATION, bearer);
            self.pair.send(request.body(Body::empty()).unwrap()).0
        };
        assert_eq!(end(&spliced(&session, theirs, ours)), 401);
        assert_eq!(ask(&session).0, 200);
        assert_eq!(end(&session), 204);
    }

    /// An invitation is accepted where it was given, and its account is not made elsewhere.
    fn invitations(&mut self) {
        let (ours, theirs) = (&self.pair.ours, &self.pair.theirs);
        let document = "mutation { inviteUser(input: { login: \"new.comer\", name: \"New\",
            email: \"new@example.com\" }) { token userErrors { code } } }";
        let (_, body) = self.pair.ask(&theirs.keys[0], document, &Value::Null);
        let body: Value = serde_json::from_str(&body).unwrap();
        let token = body["data"]["inviteUser"]["token"].as_str().unwrap();
        theirs.settle();
        let (from, to) = (theirs.lease.id(), ours.lease.id());
        let spliced = token.replace(&from.simple().to_string(), &to.simple().to_string());
        assert_ne!(spliced, token);
        let accept = |token: &str| {
            let body = json!({ "token": token, "password": PASSWORD });
            self.pair.post("/invitation", &body)
        };
        let invented = Token::new(TokenKind::Invitation, to, "nobody.here", "x").reveal();
        let head = ours.head();
        let told = accept(&spliced);
        assert_eq!(told.0, 401, "{}", told.1);
        assert_eq!(told, accept(&invented));
        assert_eq!(ours.head(), head);
        assert_eq!(accept(token).0, 201);
    }
}

#[test]
fn what_is_of_another_organisation_is_answered_like_what_is_nowhere() {
    let mut trial = Trial::open();
    let before = trial.heads();
    let questions = trial.questions();
    assert_eq!(trial.heads(), before, "asking writes nothing");
    trial.feeds();
    trial.on_behalf();
    let commands = trial.commands();
    assert_eq!(trial.heads().0, before.0, "their log grew");
    trial.told_nothing();
    assert!(questions > 250 && commands > 100 && trial.asked > 2_500);
    trial.tokens();
    trial.invitations();
}
