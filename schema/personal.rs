//! Where personal text stands in events and commands, read from the marks in their schemas.
//!
//! A field is personal where its schema says `"x-personal": true`. Such fields hold text that
//! `erased` fits, and stand only in what belongs to a person: the shape of an address is marked,
//! and the address of a warehouse is nobody's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use serde_json::Value;

use crate::{Command, CommandVisitor, DomainCommand, DomainEvent, kernel::StreamKey as _};

/// The mark in a JSON Schema.
pub const MARK: &str = "x-personal";
/// What stands in the place of a person's text after the person was erased.
pub const ERASED: &str = "erased";
/// What stands in the place of personal text in a command that was refused.
pub const WITHHELD: &str = "withheld";
/// What is kept for persons: the prefixes of whatever ends, by its custody, at one.
const OF_PERSONS: [&str; 8] = [
    "account",
    "customer",
    "interaction",
    "lead",
    "opportunity",
    "complaint",
    "order",
    "shipment",
];
/// The prefixes of persons themselves.
const PERSONS: [&str; 4] = ["customer", "contact", "lead", "account"];
/// Shapes do not contain themselves; a schema deeper than this is not one of ours.
const DEPTH_MAX: usize = 16;

/// Whether an id is that of a person, who has a key.
pub fn is_person(id: &str) -> bool {
    PERSONS.contains(&crate::prefix(id))
}

/// Whether objects of a prefix belong to persons.
pub fn is_of_persons(id: &str) -> bool {
    OF_PERSONS.contains(&crate::prefix(id))
}

/// The personal places of one shape, as a tree over its levels.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Personal {
    text: bool,
    fields: BTreeMap<String, Personal>,
    items: Option<Box<Personal>>,
}

impl Personal {
    /// Hands out every personal text of a document, to be replaced.
    ///
    /// # Errors
    /// The first of the visitor's.
    pub fn visit<E>(
        &self,
        value: &mut Value,
        each: &mut impl FnMut(&mut String) -> Result<(), E>,
    ) -> Result<(), E> {
        match value {
            Value::String(text) if self.text => each(text),
            Value::Object(object) => self.fields.iter().try_for_each(|(name, below)| {
                object
                    .get_mut(name)
                    .map_or(Ok(()), |value| below.visit(value, each))
            }),
            Value::Array(items) => self.items.iter().try_for_each(|below| {
                items
                    .iter_mut()
                    .try_for_each(|item| below.visit(item, each))
            }),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// The places as paths, for example `contacts[].name`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        if self.text {
            paths.push(path.to_owned());
        }
        for (name, below) in &self.fields {
            let dot = if path.is_empty() { "" } else { "." };
            below.collect(&format!("{path}{dot}{name}"), paths);
        }
        if let Some(below) = &self.items {
            below.collect(&format!("{path}[]"), paths);
        }
    }

    fn is_empty(&self) -> bool {
        !self.text && self.fields.is_empty() && self.items.is_none()
    }

    /// The places in a shape that may refer to definitions; `marked` says that all text in it is
    /// personal.
    fn of(shape: &Value, root: &Value, marked: bool, depth: usize) -> Self {
        let mut found = Self::default();
        let Some(shape) = shape.as_object().filter(|_| depth < DEPTH_MAX) else {
            return found;
        };
        let marked = marked || shape.get(MARK).is_some_and(|mark| mark == true);
        let below = |shape: &Value| Self::of(shape, root, marked, depth + 1);
        found.text = marked && shape.get("type").is_some_and(is_text);
        for (name, field) in shape
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            found.add_field(name, below(field));
        }
        if let Some(items) = shape
            .get("items")
            .map(below)
            .filter(|items| !items.is_empty())
        {
            found.items = Some(Box::new(items));
        }
        let target = shape.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|name| root.pointer(name.trim_start_matches('#')));
        let choices = ["anyOf", "oneOf", "allOf"]
            .iter()
            .filter_map(|name| shape.get(*name));
        let choices = choices.filter_map(Value::as_array).flatten();
        for other in target.into_iter().chain(choices) {
            found.merge(below(other));
        }
        found
    }

    fn add_field(&mut self, name: &str, below: Self) {
        if !below.is_empty() {
            self.fields.entry(name.to_owned()).or_default().merge(below);
        }
    }

    fn merge(&mut self, other: Self) {
        self.text |= other.text;
        for (name, below) in other.fields {
            self.add_field(&name, below);
        }
        if let Some(below) = other.items {
            self.items.get_or_insert_default().merge(*below);
        }
    }
}

fn is_text(kind: &Value) -> bool {
    kind == "string"
        || kind
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|one| one == "string"))
}

type ByName = HashMap<&'static str, Personal>;

static EVENTS: LazyLock<ByName> = LazyLock::new(|| {
    let families = DomainEvent::catalogue().into_iter();
    let families = families.filter(|family| OF_PERSONS.contains(&family.prefix));
    let mut found = ByName::new();
    for family in families {
        let root = family.schema.as_value();
        let mut all = Personal::of(root, root, false, 0);
        for (name, _) in family.types {
            found.extend(all.fields.remove(name).map(|personal| (name, personal)));
        }
    }
    found
});

static COMMANDS: LazyLock<ByName> = LazyLock::new(|| {
    struct Found(ByName);
    impl CommandVisitor for Found {
        fn command<C: Command>(&mut self) {
            let schema = schemars::schema_for!(C).to_value();
            let personal = Personal::of(&schema, &schema, false, 0);
            if OF_PERSONS.contains(&C::Id::PREFIX) && !personal.is_empty() {
                self.0.insert(C::NAME, personal);
            }
        }
    }
    let mut found = Found(ByName::new());
    DomainCommand::visit(&mut found);
    found.0
});

/// The personal places of an event; none where it has none.
pub fn of_event(type_name: &str) -> Option<&'static Personal> {
    EVENTS.get(type_name)
}

/// The personal places of a command; none where it has none.
pub fn of_command(name: &str) -> Option<&'static Personal> {
    COMMANDS.get(name)
}

/// All personal places, by the name of the event or command, for the published documents.
pub fn catalogue() -> BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>> {
    let paths = |all: &ByName| all.iter().map(|(name, one)| (*name, one.paths())).collect();
    BTreeMap::from([("events", paths(&EVENTS)), ("commands", paths(&COMMANDS))])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use std::convert::Infallible;

    use serde_json::json;

    use super::{ERASED, Value, WITHHELD, catalogue, of_command, of_event};
    use crate::kernel::{Code, Name, Note};

    #[test]
    fn what_takes_the_place_of_text_fits_every_kind_of_text() {
        for text in [ERASED, WITHHELD] {
            text.parse::<Name>().unwrap();
            text.parse::<Note>().unwrap();
            text.parse::<Code>().unwrap();
        }
    }

    #[test]
    fn marks_are_found_through_references_options_and_lists() {
        let paths = of_command("RegisterCustomer").unwrap().paths();
        assert!(paths.contains(&"contacts[].phone".to_owned()), "{paths:?}");
        assert!(
            paths.contains(&"details.address.street".to_owned()),
            "{paths:?}"
        );
        assert!(
            !paths.iter().any(|path| path.ends_with("country")),
            "{paths:?}"
        );
        let paths = of_event("InteractionLogged").unwrap().paths();
        assert_eq!(paths, ["details.participants[]", "details.summary"]);
        assert!(of_event("WarehouseOpened").is_none());
        assert!(of_command("OpenWarehouse").is_none());
        assert!(of_event("StockReceived").is_none());
    }

    #[test]
    fn only_text_is_marked_and_every_mark_counts() {
        let all = catalogue();
        assert!(
            all["events"].len() > 30 && all["commands"].len() > 30,
            "{all:?}"
        );
        for paths in all.values().flatten() {
            assert!(!paths.1.is_empty(), "{}", paths.0);
        }
    }

    #[test]
    fn a_visit_sees_the_personal_text_and_nothing_else() {
        let mut event = json!({
            "number": 1, "owner": "li",
            "details": { "name": "Wang", "address": { "city": "Hangzhou", "country": "CN" } }
        });
        let mut seen = Vec::new();
        let personal = of_event("CustomerRegistered").unwrap();
        let done: Result<(), Infallible> = personal.visit(&mut event, &mut |text| {
            seen.push(std::mem::replace(text, ERASED.to_owned()));
            Ok(())
        });
        done.unwrap();
        assert_eq!(seen, ["Hangzhou", "Wang"]);
        assert_eq!(event["details"]["address"]["city"], ERASED);
        assert_eq!(event["details"]["address"]["country"], "CN");
        assert_eq!(event["owner"], Value::from("li"));
    }
}
