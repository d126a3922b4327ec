//! The mapping file as it is written: names and texts, not yet checked against each other.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Format {
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) defaults: Defaults,
    #[serde(default)]
    pub(super) sources: BTreeMap<String, Source>,
    #[serde(default)]
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Defaults {
    pub(super) zone: String,
    pub(super) date: String,
    pub(super) date_time: Option<String>,
    pub(super) decimal: char,
    pub(super) thousands: Option<char>,
    pub(super) currency: Option<String>,
    pub(super) null: Vec<String>,
    pub(super) trim: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            date: "%Y-%m-%d".to_owned(),
            date_time: None,
            decimal: '.',
            thousands: None,
            currency: None,
            null: Vec::new(),
            trim: true,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "gb18030")]
    Gb18030,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RowFormat {
    Csv,
    Ndjson,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) file: Option<String>,
    pub(super) format: Option<RowFormat>,
    #[serde(default)]
    pub(super) encoding: Encoding,
    pub(super) delimiter: Option<char>,
    pub(super) null: Option<Vec<String>>,
    pub(super) trim: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) source: String,
    pub(super) key: String,
    #[serde(default)]
    pub(super) when: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) source: Option<String>,
    pub(super) key: Option<String>,
    pub(super) group_by: Option<String>,
    #[serde(default)]
    pub(super) join: Vec<Join>,
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) actor: Option<toml::Value>,
    pub(super) occurred_at: Option<toml::Value>,
    pub(super) reason: Option<toml::Value>,
    pub(super) commands: Vec<Command>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Join {
    pub(super) table: String,
    pub(super) key: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    pub(super) command: String,
    pub(super) key_suffix: Option<String>,
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) actor: Option<toml::Value>,
    pub(super) occurred_at: Option<toml::Value>,
    pub(super) reason: Option<toml::Value>,
    #[serde(default)]
    pub(super) fields: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
    pub(super) empty: Option<bool>,
    pub(super) equals: Option<toml::Value>,
    pub(super) not_equals: Option<toml::Value>,
    pub(super) one_of: Option<Vec<toml::Value>>,
    pub(super) none_of: Option<Vec<toml::Value>>,
    pub(super) above: Option<toml::Value>,
    pub(super) at_least: Option<toml::Value>,
    pub(super) below: Option<toml::Value>,
    pub(super) at_most: Option<toml::Value>,
    pub(super) any: Option<Vec<Condition>>,
}

/// What a cell is made into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Text,
    Lower,
    Upper,
    User,
    Integer,
    Decimal,
    Money,
    Percent,
    Ratio,
    Boolean,
    Date,
    DateTime,
}

/// The keys that make a table a value; any other table is an object of the command.
pub(super) const VALUE_KEYS: [&str; 7] = [
    "column", "template", "id", "constant", "fields", "each", "sum",
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ValueTable {
    pub(super) column: Option<String>,
    pub(super) template: Option<String>,
    pub(super) id: Option<String>,
    pub(super) constant: Option<toml::Value>,
    pub(super) fields: Option<toml::Table>,
    pub(super) each: Option<Each>,
    pub(super) sum: Option<String>,

    pub(super) when: Vec<Condition>,

    #[serde(rename = "as")]
    pub(super) kind: Option<Kind>,
    pub(super) values: Option<BTreeMap<String, toml::Value>>,
    pub(super) otherwise: Option<toml::Value>,
    pub(super) default: Option<String>,
    pub(super) format: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) decimal: Option<char>,
    pub(super) thousands: Option<char>,
    pub(super) currency: Option<String>,

    pub(super) key: Option<String>,
    pub(super) of: Option<String>,
    pub(super) number: Option<String>,
    pub(super) parts: Option<Vec<Part>>,
}

impl ValueTable {
    /// Whether the keys that are given belong together; what is wrong where they do not.
    pub(super) fn check(&self) -> Result<(), String> {
        let texts = self.column.is_some() || self.template.is_some();
        let sources = [
            texts && !(self.column.is_some() && self.template.is_some()),
            self.id.is_some(),
            self.constant.is_some(),
            self.fields.is_some(),
            self.each.is_some(),
            self.sum.is_some(),
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            return Err(format!("a value has one of {}", VALUE_KEYS.join(", ")));
        }
        let numeric = texts || self.sum.is_some();
        let groups = [
            ("as", self.kind.is_some(), numeric),
            ("decimal", self.decimal.is_some(), numeric),
            ("thousands", self.thousands.is_some(), numeric),
            ("currency", self.currency.is_some(), numeric),
            ("values", self.values.is_some(), texts),
            ("otherwise", self.otherwise.is_some(), self.values.is_some()),
            ("default", self.default.is_some(), texts),
            ("format", self.format.is_some(), texts),
            ("zone", self.zone.is_some(), texts),
            ("key", self.key.is_some(), self.id.is_some()),
            ("of", self.of.is_some(), self.id.is_some()),
            ("number", self.number.is_some(), self.id.is_some()),
            ("parts", self.parts.is_some(), self.id.is_some()),
        ];
        let useless = groups.iter().find(|(_, given, useful)| *given && !*useful);
        useless.map_or(Ok(()), |(key, ..)| {
            Err(format!("`{key}` means nothing beside the other keys here"))
        })
    }
}

/// One half of an id that is made of two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) key: String,
}

/// A list with one element per row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Each {
    pub(super) table: Option<String>,
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) join: Vec<Join>,
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) fields: Option<toml::Table>,
    pub(super) value: Option<toml::Value>,
}
