//! Every place of a command where an id can stand.

use std::collections::BTreeMap;

use daybook_schema::Command;
use serde_json::{Value, json};

/// A command with an id in one place: the way to it, and the command as it is sent.
pub(super) struct Case {
    /// The way through the input, as in `.lines.warehouse`.
    pub(super) way: String,
    /// The kind of the id: its prefix; none for a person of any kind.
    pub(super) kind: String,
    json: Value,
}

/// The name of a second warehouse among the samples: goods are not moved to where they are.
pub(super) const TARGET: &str = "warehouse to";
/// Stands where the id is put.
const HOLE: &str = "@@";

/// All places of a command. Other ids are those of `samples`, by their prefixes.
pub(super) fn cases<C: Command>(samples: &BTreeMap<String, String>) -> Vec<Case> {
    let schema = serde_json::to_value(schemars::schema_for!(C)).unwrap();
    let shapes = Shapes {
        definitions: schema["$defs"].clone(),
        samples,
    };
    shapes.cases(&schema)
}

/// The least that a command takes, as it is sent.
pub(super) fn least<C: Command>(samples: &BTreeMap<String, String>) -> Value {
    let schema = serde_json::to_value(schemars::schema_for!(C)).unwrap();
    let shapes = Shapes {
        definitions: schema["$defs"].clone(),
        samples,
    };
    sent::<C>(shapes.sample(&schema))
}

impl Case {
    /// The input of the mutation with an id in the place.
    pub(super) fn with<C: Command>(&self, id: &str) -> Value {
        let text = self.json.to_string().replace(HOLE, id);
        sent::<C>(serde_json::from_str(&text).unwrap())
    }
}

/// A command as GraphQL takes it.
fn sent<C: Command>(json: Value) -> Value {
    let command: C = serde_json::from_value(json.clone())
        .unwrap_or_else(|error| panic!("{}: {error}: {json}", C::NAME));
    let mut input = command.to_value().into_json().unwrap();
    // A password is written out as a mask.
    if let Some(password) = input.get_mut("password") {
        *password = json!("correct horse battery");
    }
    without_nulls(input)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

struct Shapes<'a> {
    definitions: Value,
    samples: &'a BTreeMap<String, String>,
}

/// The prefix of the ids of a type, by its name.
fn kind_of(name: &str) -> Option<String> {
    let word = name.strip_suffix("Id")?;
    let mut letters = word.chars();
    let first = letters.next()?.to_ascii_lowercase();
    Some(format!("{first}{}", letters.as_str()))
}

impl Shapes<'_> {
    /// A type of ids stands in a schema by its name.
    fn id(&self, schema: &Value) -> Option<String> {
        let reference = schema["$ref"].as_str()?;
        kind_of(reference.rsplit('/').next()?)
    }

    fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
        let choices = ["oneOf", "anyOf"].into_iter();
        choices
            .filter_map(|choice| schema[choice].as_array())
            .flatten()
    }

    fn cases(&self, schema: &Value) -> Vec<Case> {
        if let Some(kind) = self.id(schema) {
            let (way, json) = (String::new(), json!(HOLE));
            return vec![Case { way, kind, json }];
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return self.cases(&self.definitions[name]);
        }
        let mut cases: Vec<Case> = Self::choices(schema)
            .flat_map(|choice| self.cases(choice))
            .collect();
        if schema["items"].is_object() {
            let items = self.cases(&schema["items"]).into_iter();
            cases.extend(items.map(|case| Case {
                json: json!([case.json]),
                ..case
            }));
        }
        let Some(fields) = schema["properties"].as_object() else {
            return cases;
        };
        for (name, shape) in fields {
            for case in self.cases(shape) {
                let mut json = self.sample(schema);
                json[name] = case.json;
                cases.push(Case {
                    way: format!(".{name}{}", case.way),
                    kind: case.kind,
                    json,
                });
            }
        }
        cases
    }

    /// Something that fits a schema, as little as it allows.
    fn sample(&self, schema: &Value) -> Value {
        if let Some(kind) = self.id(schema) {
            let kind = if kind == "subject" { "customer" } else { &kind };
            let id = self.samples.get(kind);
            return json!(id.unwrap_or_else(|| panic!("ours has no {kind}")));
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return by_name(name).unwrap_or_else(|| self.sample(&self.definitions[name]));
        }
        if let Some(first) = Self::choices(schema).next() {
            return self.sample(first);
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        match schema["type"].as_str() {
            Some("object") => {
                let required = schema["required"].as_array().cloned().unwrap_or_default();
                let field = |name: &Value| {
                    let name = name.as_str().unwrap();
                    let shape = &schema["properties"][name];
                    let is_target =
                        name == "to" && self.id(shape).is_some_and(|kind| kind == "warehouse");
                    let target = is_target.then(|| json!(self.samples[TARGET]));
                    let value = target.unwrap_or_else(|| self.sample(shape));
                    (name.to_owned(), value)
                };
                Value::Object(required.iter().map(field).collect())
            }
            Some("array") => json!([self.sample(&schema["items"])]),
            Some("boolean") => json!(false),
            Some("integer") => json!(1),
            _ => json!("x"),
        }
    }
}

/// Values of scalars, whose schemas say too little.
fn by_name(name: &str) -> Option<Value> {
    Some(match name {
        "Currency" => json!("CNY"),
        "Money" | "Amount" => json!({ "amount": "1", "currency": "CNY" }),
        "Decimal" | "Quantity" | "BigInt" => json!("1"),
        "Date" => json!("2026-03-02"),
        "DateTime" => json!("2027-03-02T09:00:00Z"),
        "Password" => json!("correct horse battery"),
        _ => return None,
    })
}
