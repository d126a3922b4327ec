//! The configuration as text.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value as JsonValue, json};

use super::read::Shown;

/// The whole configuration as a file, each value with its origin beside it.
pub(crate) fn toml(shown: &[Shown]) -> String {
    let mut text = String::new();
    let mut section = "";
    for Shown {
        entry,
        value,
        origin,
    } in shown
    {
        if entry.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = entry.section;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{gap}[{section}]");
        }
        let _ = match value {
            Some(value) => writeln!(text, "{} = {value} # {origin}", entry.name()),
            None => writeln!(text, "# {} is not set # {origin}", entry.name()),
        };
    }
    text.truncate(text.trim_end().len());
    text
}

/// The value and the origin of each key.
pub(crate) fn json(shown: &[Shown]) -> JsonValue {
    let entries: BTreeMap<String, JsonValue> = shown
        .iter()
        .map(
            |Shown {
                 entry,
                 value,
                 origin,
             }| {
                let entry = entry.key();
                (entry, json!({ "value": value, "from": origin.to_string() }))
            },
        )
        .collect();
    json!(entries)
}
