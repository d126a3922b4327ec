//! The commands that an import can issue: their names, fields and how they are read.

use std::collections::BTreeMap;

use daybook_schema::{Command, CommandVisitor, DomainCommand, kernel::StreamKey};
use serde_json::Value;

use super::error::RowProblem;

/// How a command is read from JSON; a problem names the field at fault.
pub(super) type ReadCommand = fn(&Value) -> Result<DomainCommand, RowProblem>;

/// One command of the language.
pub(super) struct CommandShape {
    pub(super) name: &'static str,
    /// The kind of object that it creates or is about.
    pub(super) kind: &'static str,
    pub(super) read: ReadCommand,
    schema: Value,
}

impl CommandShape {
    pub(super) fn shape(&self) -> Shape<'_> {
        Shape::new(&self.schema, [&self.schema])
    }
}

/// All commands, by name.
pub(super) struct Catalogue(BTreeMap<&'static str, CommandShape>);

impl Catalogue {
    pub(super) fn new() -> Self {
        let mut catalogue = Self(BTreeMap::new());
        DomainCommand::visit(&mut catalogue);
        catalogue
    }

    pub(super) fn command(&self, name: &str) -> Option<&CommandShape> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }

    /// The kinds of objects, by the prefix of their ids.
    pub(super) fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<_> = self.0.values().map(|shape| shape.kind.to_owned()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }
}

impl CommandVisitor for Catalogue {
    fn command<C: Command>(&mut self) {
        let shape = CommandShape {
            name: C::NAME,
            kind: <C::Id as StreamKey>::PREFIX,
            read: read::<C>,
            schema: schemars::schema_for!(C).to_value(),
        };
        self.0.insert(C::NAME, shape);
    }
}

fn read<C: Command>(json: &Value) -> Result<DomainCommand, RowProblem> {
    let command: Result<C, _> = serde_path_to_error::deserialize(json);
    command.map(Into::into).map_err(|error| {
        let field = error.path().to_string();
        let problem = RowProblem::new("IMPORT_COMMAND_INVALID", error.inner().to_string());
        if field == "." {
            return problem;
        }
        problem.within(&field)
    })
}

/// What may stand at one place of a command, by its JSON Schema.
#[derive(Clone)]
pub(super) struct Shape<'a> {
    root: &'a Value,
    /// The alternatives, none of them a reference or a choice any more.
    nodes: Vec<&'a Value>,
}

impl<'a> Shape<'a> {
    /// A place of which no schema says anything.
    pub(super) fn anything() -> Shape<'static> {
        Shape {
            root: &Value::Null,
            nodes: Vec::new(),
        }
    }

    fn new(root: &'a Value, nodes: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut leaves = Vec::new();
        for node in nodes {
            expand(root, node, &mut leaves);
        }
        Self {
            root,
            nodes: leaves,
        }
    }

    /// The field of an object; where there is none, the names of those that there are.
    pub(super) fn field(&self, name: &str) -> Result<Self, Vec<String>> {
        let properties = || self.nodes.iter().filter_map(|node| node.get("properties"));
        let found: Vec<&Value> = properties().filter_map(|all| all.get(name)).collect();
        if found.is_empty() && !self.is_open() {
            let names = properties().filter_map(Value::as_object);
            return Err(names.flat_map(|object| object.keys().cloned()).collect());
        }
        Ok(Self::new(self.root, found))
    }

    /// The elements of a list.
    pub(super) fn element(&self) -> Self {
        let items = self.nodes.iter().filter_map(|node| node.get("items"));
        Self::new(self.root, items)
    }

    /// The fields without which the object is not read; empty where there are several shapes.
    pub(super) fn required(&self) -> Vec<&'a str> {
        let objects = self
            .nodes
            .iter()
            .filter(|node| node.get("properties").is_some());
        match objects.collect::<Vec<_>>().as_slice() {
            [only] => {
                let names = only.get("required").and_then(Value::as_array);
                let names = names.into_iter().flatten();
                names.filter_map(Value::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the schema says nothing, so that anything may stand here.
    fn is_open(&self) -> bool {
        self.nodes.iter().all(|node| node.get("type").is_none())
    }
}

/// Follows references and choices to the schemas behind them. Schemas of commands are trees: no
/// command holds itself.
fn expand<'a>(root: &'a Value, node: &'a Value, leaves: &mut Vec<&'a Value>) {
    let reference = node.get("$ref").and_then(Value::as_str);
    if let Some(pointer) = reference.and_then(|text| text.strip_prefix('#')) {
        if let Some(target) = root.pointer(pointer) {
            expand(root, target, leaves);
        }
        return;
    }
    let choices = ["anyOf", "oneOf", "allOf"].iter();
    let choices: Vec<&Value> = choices
        .filter_map(|word| node.get(word).and_then(Value::as_array))
        .flatten()
        .collect();
    if choices.is_empty() {
        leaves.push(node);
    }
    for choice in choices {
        expand(root, choice, leaves);
    }
}
