//! What a subscriber receives is the administrator's feed without what the subscriber does not
//! see, whatever the subscriber's grants are; and it goes on from any position.

use std::collections::{BTreeMap, BTreeSet};

use daybook_app::demo::ADMINISTRATOR;
use daybook_schema::{
    access::{AccountId, MASK, Role, Scope, ScopeKind},
    personal::WITHHELD,
    prefix,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::Room;
use crate::graphql::kinds;

/// How many accounts with grants by chance are tried in one company.
const SUBSCRIBERS: usize = 14;
const FIELDS: &str = "position commandId command actor reason refused
    events { index stream version type data }";

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        // The generator of Marsaglia.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.0 % bound).unwrap()
    }

    fn scope(&mut self, teams: &[AccountTeam]) -> Scope {
        let kind = [
            ScopeKind::Own,
            ScopeKind::Team,
            ScopeKind::Territory,
            ScopeKind::Pool,
            ScopeKind::Organisation,
        ][self.below(5)];
        let mut scope = Scope::of(kind);
        match kind {
            ScopeKind::Team => {
                scope.team = Some(teams[self.below(teams.len())].parse().unwrap());
            }
            ScopeKind::Territory => scope.territory = Some("east".parse().unwrap()),
            ScopeKind::Own | ScopeKind::Pool | ScopeKind::Organisation => {}
        }
        scope
    }
}

type AccountTeam = String;

/// Everything that a subscriber receives after a position, up to the head of the log.
fn received(room: &Room, token: &str, after: u64) -> BTreeMap<u64, Value> {
    // A commit that everybody sees ends what is waited for: a refusal of one's own is one's own.
    let document = format!("subscription {{ commits(after: \"{after}\") {{ {FIELDS} }} }}");
    let mut stream = room.stream(token, &document, &[]);
    let mut heard = String::new();
    let mut commits = BTreeMap::new();
    let expected = expected_end(room, token);
    while commits
        .last_key_value()
        .is_none_or(|(last, _)| *last < expected)
        && after < expected
    {
        let chunk = room.runtime.block_on(stream.next()).unwrap().unwrap();
        heard.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = heard.split_once("\n\n") {
            if let Some(data) = event.strip_prefix("event: next\ndata: ") {
                let message: Value = serde_json::from_str(data).unwrap();
                take(&message, &mut commits);
            }
            heard = rest.to_owned();
        }
    }
    commits
}

fn take(message: &Value, commits: &mut BTreeMap<u64, Value>) {
    let batch = message["data"]["commits"].as_array();
    for commit in batch.unwrap_or_else(|| panic!("{message}")) {
        let position: u64 = commit["position"].as_str().unwrap().parse().unwrap();
        let is_next = commits
            .last_key_value()
            .is_none_or(|(last, _)| *last < position);
        assert!(is_next, "{position} comes out of order or twice");
        commits.insert(position, commit.clone());
    }
}

/// The last position of which a subscriber hears, as the record tells it.
fn expected_end(room: &Room, token: &str) -> u64 {
    let document = "{ commits(first: 1, newestFirst: true) { nodes { position } } }";
    let answer = room.ask(token, document);
    let last = &answer["data"]["commits"]["nodes"][0]["position"];
    last.as_str().map_or(0, |last| last.parse().unwrap())
}

/// Which of some objects somebody finds by their ids; none where they may not look for any.
fn found(room: &Room, token: &str, ids: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let ids: Vec<&String> = ids.iter().collect();
    let mut found = BTreeSet::new();
    for some in ids.chunks(100) {
        let list = serde_json::to_string(some).unwrap();
        let answer = room.ask(token, &format!("{{ nodes(ids: {list}) {{ id }} }}"));
        if answer["errors"][0]["extensions"]["code"] == "FORBIDDEN" {
            return None;
        }
        let nodes = answer["data"]["nodes"].as_array().unwrap().iter();
        found.extend(nodes.filter_map(|node| node["id"].as_str().map(ToOwned::to_owned)));
    }
    Some(found)
}

/// Whether what is shown is what the administrator is shown, or hidden there.
fn is_same_or_hidden(shown: &Value, whole: &Value) -> bool {
    match (shown, whole) {
        _ if shown == whole => true,
        (Value::Null, _) => true,
        (Value::String(text), Value::String(_)) => text == WITHHELD || text == MASK,
        (Value::Object(shown), Value::Object(whole)) => {
            shown.len() == whole.len()
                && shown.iter().all(|(name, value)| {
                    whole
                        .get(name)
                        .is_some_and(|whole| is_same_or_hidden(value, whole))
                })
        }
        (Value::Array(shown), Value::Array(whole)) => {
            let mut pairs = shown.iter().zip(whole);
            shown.len() == whole.len()
                && pairs.all(|(shown, whole)| is_same_or_hidden(shown, whole))
        }
        _ => false,
    }
}

/// Compares a subscriber's feed with the administrator's, commit by commit.
fn compare(
    name: &str,
    (feed, whole): (&BTreeMap<u64, Value>, &BTreeMap<u64, Value>),
    seen: &BTreeSet<String>,
) {
    let shown: BTreeSet<&str> = kinds().all().iter().map(|kind| kind.prefix).collect();
    assert!(
        feed.keys().all(|position| whole.contains_key(position)),
        "{name}"
    );
    for (position, commit) in whole {
        let events = commit["events"].as_array().unwrap();
        let is_seen = |event: &&Value| seen.contains(event["stream"].as_str().unwrap());
        let expected: Vec<&Value> = events.iter().filter(is_seen).collect();
        let told = feed
            .get(position)
            .map(|commit| commit["events"].as_array().unwrap());
        let is_object = |event: &&Value| shown.contains(prefix(event["stream"].as_str().unwrap()));
        let told: Vec<&Value> = told.into_iter().flatten().filter(is_object).collect();
        assert_eq!(told.len(), expected.len(), "{name} at {position}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(
                is_same_or_hidden(told, expected),
                "{name} at {position}: {told} {expected}"
            );
        }
    }
}

/// What the record tells, page by page; it must be what the feed tells.
fn recorded(room: &Room, token: &str) -> BTreeMap<u64, Value> {
    let mut commits = BTreeMap::new();
    let mut after = 0;
    loop {
        let document = format!(
            "{{ commits(first: 200, after: \"{after}\") {{ hasMore nodes {{ {FIELDS} }} }} }}"
        );
        let page = room.ask(token, &document)["data"]["commits"].take();
        let nodes = &page["nodes"];
        take(&json!({ "data": { "commits": nodes } }), &mut commits);
        after = commits.last_key_value().map_or(0, |(last, _)| *last);
        if page["hasMore"] == false {
            return commits;
        }
    }
}

#[test]
fn a_feed_is_the_administrators_without_what_is_not_seen() {
    let room = Room::lived_in(3);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let administrator = room.key(&AccountId(ADMINISTRATOR.parse().unwrap()), None);
    let answer = room.ask(
        &administrator.token,
        "{ teams(first: 100) { nodes { id } } }",
    );
    let teams = answer["data"]["teams"]["nodes"].as_array().unwrap().iter();
    let teams: Vec<String> = teams
        .map(|team| team["id"].as_str().unwrap().to_owned())
        .collect();
    let tokens: Vec<_> = (0..SUBSCRIBERS)
        .map(|number| {
            let mut grant = || {
                let role = Role::ALL[chance.below(Role::ALL.len())];
                (role, chance.scope(&teams))
            };
            let grants = [grant(), grant()];
            let grants = &grants[..1 + number % 2];
            let account = room.account(&format!("by.chance.{number}"), grants);
            (format!("{grants:?}"), room.key(&account, None).token)
        })
        .collect();
    let whole = received(&room, &administrator.token, 0);
    let head = room.organisation.log().head().position;
    assert_eq!(
        whole.keys().copied().collect::<Vec<_>>(),
        (1..=head).collect::<Vec<_>>()
    );
    let events = whole
        .values()
        .filter_map(|commit| commit["events"].as_array());
    let streams = events
        .flatten()
        .map(|event| event["stream"].as_str().unwrap().to_owned());
    let streams: BTreeSet<String> = streams.collect();
    let mut partly = 0;
    for (name, token) in &tokens {
        let may_follow = room.ask(token, "{ commits(first: 1) { hasMore } }");
        if may_follow["errors"][0]["extensions"]["code"] == "FORBIDDEN" {
            continue;
        }
        let feed = received(&room, token, 0);
        if let Some(seen) = found(&room, token, &streams) {
            compare(name, (&feed, &whole), &seen);
        }
        assert_eq!(feed, recorded(&room, token), "{name}");
        partly += usize::from(!feed.is_empty() && feed.len() < whole.len());
        for _ in 0..2 {
            let after = u64::try_from(chance.below(usize::try_from(head).unwrap())).unwrap();
            let mut tail = feed.clone();
            let tail = tail.split_off(&(after + 1));
            assert_eq!(received(&room, token, after), tail, "{name} after {after}");
        }
    }
    assert!(partly >= 4, "{partly} subscribers saw a part");
}
