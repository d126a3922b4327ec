//! `daybook schema`: writes the published language, for people and programs that have no Rust.
//!
//! ```text
//! <out>/schema.graphql               the API
//! <out>/permissions.md               what each role may do
//! <out>/events/OrderPlaced.1.json    JSON Schema of an event's data, by type and version
//! <out>/commands/PlaceOrder.json     JSON Schema of a command
//! <out>/personal.json                where personal text stands in events and commands
//! ```
//! Files of older versions of an event stay: old facts keep their old shape for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use daybook_schema::{Command, CommandVisitor, DomainCommand, DomainEvent, EventFamily};
use serde_json::{Map, Value, json};

use crate::{error::CliError, exit::Exit, output};

const EXAMPLES: &str = "\
Examples:
  daybook schema                             writes schema/generated
  daybook schema --out /tmp/schema
  daybook schema --check                     ends with code 1 when the files differ
";

/// Folders of the output, besides the SDL.
const FOLDERS: [&str; 2] = ["events", "commands"];

/// Writes the GraphQL schema and the JSON Schemas of all events and commands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Schema {
    /// The folder to write to.
    #[arg(long, value_name = "DIR", default_value = "schema/generated")]
    out: PathBuf,
    /// Writes nothing, and fails when the files are not those of this build.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Schema) -> Result<Exit, CliError> {
    let documents = documents()?;
    let differing = differing(&arguments.out, &documents)?;
    if arguments.check && !differing.is_empty() {
        return Err(CliError::SchemaDiffers {
            path: arguments.out.display().to_string(),
            files: differing.into_iter().collect::<Vec<_>>().join(", "),
        });
    }
    for name in &differing {
        write(&arguments.out, name, documents.get(name))?;
    }
    output::say(&format!(
        "{} documents, {} of them changed",
        documents.len(),
        differing.len()
    ))?;
    Ok(Exit::Done)
}

/// All files by their path below the folder.
fn documents() -> Result<BTreeMap<String, String>, CliError> {
    let mut documents = BTreeMap::new();
    documents.insert("schema.graphql".to_owned(), daybook_api::graphql::sdl());
    let matrix = daybook_api::graphql::permission_matrix();
    documents.insert("permissions.md".to_owned(), matrix);
    for family in DomainEvent::catalogue() {
        for (name, version) in &family.types {
            let schema = event_schema(&family, name).ok_or_else(|| {
                CliError::SchemaUnwritable(format!("event `{name}` has no shape of its own"))
            })?;
            documents.insert(format!("events/{name}.{version}.json"), pretty(&schema)?);
        }
    }
    let mut commands = Commands::default();
    DomainCommand::visit(&mut commands);
    for (name, schema) in commands.0 {
        documents.insert(format!("commands/{name}.json"), pretty(&schema)?);
    }
    let personal = json!(daybook_schema::personal::catalogue());
    documents.insert("personal.json".to_owned(), pretty(&personal)?);
    Ok(documents)
}

#[derive(Default)]
struct Commands(Vec<(&'static str, Value)>);

impl CommandVisitor for Commands {
    fn command<C: Command>(&mut self) {
        self.0.push((C::NAME, schemars::schema_for!(C).to_value()));
    }
}

/// The data of one fact: its shape stands as one alternative in that of its aggregate.
fn event_schema(family: &EventFamily, name: &str) -> Option<Value> {
    let root = family.schema.as_value();
    let alternatives = root.get("oneOf")?.as_array()?;
    let (alternative, shape) = alternatives.iter().find_map(|alternative| {
        let shape = alternative.get("properties")?.get(name)?;
        Some((alternative, shape))
    })?;
    let mut schema = Map::new();
    if let Some(dialect) = root.get("$schema") {
        schema.insert("$schema".to_owned(), dialect.clone());
    }
    schema.insert("title".to_owned(), json!(name));
    if let Some(description) = alternative.get("description") {
        schema.insert("description".to_owned(), description.clone());
    }
    schema.extend(shape.as_object()?.clone());
    let definitions = root.get("$defs").and_then(Value::as_object);
    let used = reachable(shape, definitions);
    if !used.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(used));
    }
    Some(Value::Object(schema))
}

/// The definitions that a shape refers to, directly or through others.
fn reachable(shape: &Value, definitions: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut used = Map::new();
    let mut open = references(shape);
    while let Some(name) = open.pop_first() {
        let definition = definitions.and_then(|all| all.get(&name));
        if let Some(definition) = definition.filter(|_| !used.contains_key(&name)) {
            open.extend(references(definition));
            used.insert(name, definition.clone());
        }
    }
    used
}

fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str);
            found.extend(
                target
                    .and_then(|text| text.strip_prefix("#/$defs/"))
                    .map(str::to_owned),
            );
            found.extend(fields.values().flat_map(references));
        }
        Value::Array(items) => found.extend(items.iter().flat_map(references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

/// In the order of the names, whichever order the JSON library was built to keep.
fn pretty(schema: &Value) -> Result<String, CliError> {
    let mut sorted = schema.clone();
    sorted.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&sorted)
        .map_err(|error| CliError::SchemaUnwritable(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// The names of all files that are missing, changed, or not known to this build.
fn differing(
    out: &Path,
    documents: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>, CliError> {
    let mut names = BTreeSet::new();
    for (name, text) in documents {
        let path = out.join(name);
        let found = absent_or(fs::read_to_string(&path)).map_err(file_error("read", &path))?;
        if found.as_deref() != Some(text) {
            names.insert(name.clone());
        }
    }
    for folder in FOLDERS {
        let path = out.join(folder);
        let entries = absent_or(fs::read_dir(&path)).map_err(file_error("read", &path))?;
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(file_error("read", &path))?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if !documents.contains_key(&name) && !is_older(&name, documents) {
                names.insert(name);
            }
        }
    }
    Ok(names)
}

/// Whether a file holds an older version of a shape that this build knows.
fn is_older(name: &str, documents: &BTreeMap<String, String>) -> bool {
    let mut parts = name.rsplitn(3, '.').skip(1);
    let version = parts.next().and_then(|version| version.parse::<u16>().ok());
    let (Some(version), Some(stem)) = (version, parts.next()) else {
        return false;
    };
    (version.saturating_add(1)..=version.saturating_add(100))
        .any(|newer| documents.contains_key(&format!("{stem}.{newer}.json")))
}

fn write(out: &Path, name: &str, text: Option<&String>) -> Result<(), CliError> {
    let path = out.join(name);
    let Some(text) = text else {
        return fs::remove_file(&path).map_err(file_error("remove", &path));
    };
    let folder = path.parent().unwrap_or(out);
    fs::create_dir_all(folder).map_err(file_error("create", folder))?;
    fs::write(&path, text).map_err(file_error("write", &path))
}

fn absent_or<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CliError {
    move |source| CliError::File {
        what,
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::{BTreeMap, DomainEvent, Value, differing, documents, is_older, references, write};

    #[test]
    fn every_event_and_command_has_a_document_that_stands_alone() {
        let documents = documents().unwrap();
        let types: usize = DomainEvent::catalogue().iter().map(|f| f.types.len()).sum();
        let events = documents.keys().filter(|name| name.starts_with("events/"));
        assert_eq!(events.count(), types);
        assert!(documents.contains_key("commands/PlaceOrder.json"));
        let schemas = |(name, _): &(&String, &String)| name.contains('/');
        for (name, text) in documents.iter().filter(schemas) {
            let schema: Value = serde_json::from_str(text).unwrap();
            assert!(
                schema["description"].is_string(),
                "{name} says nothing of itself"
            );
            for target in references(&schema) {
                assert!(
                    schema["$defs"][&target].is_object(),
                    "{name} lacks {target}"
                );
            }
        }
    }

    #[test]
    fn what_was_written_does_not_differ_and_what_was_changed_does() {
        let folder = tempfile::tempdir().unwrap();
        let documents: BTreeMap<_, _> = [("events/A.2.json", "{}"), ("commands/B.json", "{}")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into();
        for (name, text) in &documents {
            write(folder.path(), name, Some(text)).unwrap();
        }
        assert!(differing(folder.path(), &documents).unwrap().is_empty());
        for name in ["events/A.1.json", "events/C.1.json", "commands/B.json"] {
            write(folder.path(), name, Some(&"changed".to_owned())).unwrap();
        }
        let found = differing(folder.path(), &documents).unwrap();
        assert_eq!(
            Vec::from_iter(found),
            ["commands/B.json", "events/C.1.json"]
        );
    }

    #[test]
    fn only_a_lower_version_is_older() {
        let documents = BTreeMap::from([("events/A.2.json".to_owned(), String::new())]);
        assert!(is_older("events/A.1.json", &documents));
        assert!(!is_older("events/A.3.json", &documents));
        assert!(!is_older("events/readme.md", &documents));
    }
}
