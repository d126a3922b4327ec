#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! Whatever somebody asks, the answer is the administrator's without what they do not see: lists,
//! counts, search, histories and the record agree with one another.

use std::collections::{BTreeMap, BTreeSet};

use daybook_app::demo::{ADMINISTRATOR, SHOWN_ACCOUNTS};
use daybook_domain::is_held;
use daybook_schema::prefix;
use serde_json::Value;

use super::{kinds, shown_spec::COMPANY};

/// The ids in a list, all pages of it.
fn listed(login: &str, plural: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut after = String::new();
    loop {
        let document = format!(
            "{{ {plural}(first: 100{after}) {{
                totalCount nodes {{ id }} pageInfo {{ hasNextPage endCursor }}
            }} }}"
        );
        let answer = COMPANY.ask_as(login, &document);
        let list = &answer[plural];
        let nodes = list["nodes"].as_array().unwrap().iter();
        ids.extend(nodes.map(|node| node["id"].as_str().unwrap().to_owned()));
        if list["pageInfo"]["hasNextPage"] == false {
            assert_eq!(
                list["totalCount"],
                ids.len().to_string(),
                "{login} {plural}"
            );
            return ids;
        }
        after = format!(", after: {}", list["pageInfo"]["endCursor"]);
    }
}

/// Which of some objects somebody finds by their ids.
fn found(login: &str, ids: &BTreeSet<String>) -> BTreeSet<String> {
    let ids: Vec<&String> = ids.iter().collect();
    let mut found = BTreeSet::new();
    for some in ids.chunks(100) {
        let list = serde_json::to_string(some).unwrap();
        let answer = COMPANY.ask_as(login, &format!("{{ nodes(ids: {list}) {{ id }} }}"));
        let nodes = answer["nodes"].as_array().unwrap().iter();
        found.extend(nodes.filter_map(|node| node["id"].as_str().map(ToOwned::to_owned)));
    }
    found
}

/// What somebody sees of every commit: its events as stream and type, by position.
fn record(login: &str) -> BTreeMap<u64, Vec<(String, String)>> {
    let mut record = BTreeMap::new();
    let (mut after, mut total) = (0, Value::Null);
    loop {
        let document = format!(
            "{{ commits(first: 200, after: \"{after}\") {{
                totalCount hasMore nodes {{ position refused events {{ stream type }} }}
            }} }}"
        );
        let page = COMPANY.ask_as(login, &document)["commits"].take();
        if after == 0 {
            total = page["totalCount"].clone();
        }
        for commit in page["nodes"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let events = commit["events"].as_array().unwrap().iter();
            let events = events.map(|event| (text(&event["stream"]), text(&event["type"])));
            after = text(&commit["position"]).parse().unwrap();
            record.insert(after, events.collect());
        }
        if page["hasMore"] == false {
            assert_eq!(total, record.len().to_string(), "{login}");
            return record;
        }
    }
}

fn everybody() -> impl Iterator<Item = &'static str> {
    SHOWN_ACCOUNTS.iter().map(|(_, login)| *login)
}

#[test]
fn lists_and_counts_hold_what_is_found_by_id() {
    let mut seen_in_part = BTreeSet::new();
    for kind in kinds().all().iter().filter(|kind| is_held(kind.prefix)) {
        let all = listed(ADMINISTRATOR, kind.plural);
        assert!(!all.is_empty(), "{}", kind.plural);
        for login in everybody() {
            let seen = found(login, &all);
            assert_eq!(listed(login, kind.plural), seen, "{login} {}", kind.plural);
            if !seen.is_empty() && seen.len() < all.len() {
                seen_in_part.insert(kind.plural);
            }
        }
    }
    for plural in ["customers", "leads", "opportunities", "orders", "shipments"] {
        assert!(
            seen_in_part.contains(plural),
            "nobody sees a part of {plural}"
        );
    }
}

#[test]
fn the_record_tells_of_what_is_found_by_id_and_of_nothing_else() {
    let all = record(ADMINISTRATOR);
    let streams = all.values().flatten().map(|(stream, _)| stream.clone());
    let streams: BTreeSet<String> = streams.collect();
    let shown: BTreeSet<&str> = kinds().all().iter().map(|kind| kind.prefix).collect();
    for login in everybody() {
        let seen = found(login, &streams);
        let mut told = record(login);
        for (position, events) in &all {
            let visible: Vec<_> = events.iter().filter(|(id, _)| seen.contains(id)).collect();
            let told = told.remove(position).unwrap_or_default();
            // What serves other objects, such as a number series, is found by nobody's id.
            let told: Vec<_> = told
                .iter()
                .filter(|(id, _)| shown.contains(prefix(id)))
                .collect();
            assert_eq!(told, visible, "{login} at {position}");
        }
        assert!(
            told.is_empty(),
            "{login} is told of more than there is: {told:?}"
        );
    }
}

#[test]
fn a_search_finds_what_is_found_by_id() {
    let kinds = r#"["customer", "lead", "opportunity", "order", "complaint", "product"]"#;
    for words in ["贸易", "li", "a", "Trading", "北京"] {
        let document =
            format!("{{ search(text: \"{words}\", kinds: {kinds}, first: 50) {{ id }} }}");
        let ids = |answer: Value| -> BTreeSet<String> {
            let hits = answer["search"].as_array().unwrap().iter();
            hits.map(|hit| hit["id"].as_str().unwrap().to_owned())
                .collect()
        };
        for login in everybody() {
            let hits = ids(COMPANY.ask_as(login, &document));
            assert_eq!(found(login, &hits), hits, "{login} {words}");
        }
    }
}

#[test]
fn a_history_of_what_is_not_seen_is_empty() {
    let customers = listed(ADMINISTRATOR, "customers");
    let seen = found("li.wei", &customers);
    let hidden = customers.iter().find(|id| !seen.contains(*id)).unwrap();
    let history = format!("{{ history(of: \"{hidden}\") {{ nodes {{ position }} }} }}");
    assert_eq!(
        COMPANY.ask_as("li.wei", &history)["history"]["nodes"],
        Value::Array(Vec::new())
    );
    let own = seen.first().unwrap();
    let history = format!("{{ history(of: \"{own}\") {{ nodes {{ position }} }} }}");
    let told = COMPANY.ask_as("li.wei", &history);
    assert!(!told["history"]["nodes"].as_array().unwrap().is_empty());
}
