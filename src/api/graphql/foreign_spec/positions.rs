//! Every place of the schema where an id or a cursor can stand in a question.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_graphql::{
    OutputType, SubscriptionType,
    registry::{MetaField, MetaInputValue, MetaType, Registry},
};

use crate::graphql::{Mutation, Query, Subscription, kinds, sdl};

/// Stands in a document where the id is put.
pub(super) const HOLE: &str = "@@";

/// A place, and a document that asks with something in it.
pub(super) struct Position {
    /// Type, field and the way through the arguments, as in `Query.orders(where.customer.eq)`.
    pub(super) name: String,
    pub(super) document: String,
    /// For a cursor: a document that gives such cursors.
    pub(super) cursors: Option<String>,
}

impl Position {
    /// The kind of ids that a column holds by its name, for every comparison but equality, which
    /// is tried with all kinds: they read an id in the same way.
    pub(super) fn column_kind(&self) -> Option<&str> {
        let (_, way) = self.name.split_once("(where.")?;
        let (column, comparison) = way.trim_end_matches(')').split_once('.')?;
        let kind = column.strip_suffix("Id").unwrap_or(column);
        (comparison != "eq").then_some(kind)
    }
}

pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    <Query as OutputType>::create_type_info(&mut registry);
    <Mutation as OutputType>::create_type_info(&mut registry);
    <Subscription as SubscriptionType>::create_type_info(&mut registry);
    registry
}

pub(super) fn named(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!'])
}

/// The ways to an id within an argument or a member of a type, each with a value in which the
/// hole stands there. A type within itself (`and`, `or`, `not`) is gone into once.
pub(super) fn ways(registry: &Registry, ty: &str, within: &[&str]) -> Vec<(String, String)> {
    let name = named(ty);
    let in_list = ty.trim_end_matches('!').starts_with('[');
    let wrap = |(way, value): (String, String)| {
        let value = if in_list { format!("[{value}]") } else { value };
        (way, value)
    };
    if name == "ID" {
        return vec![wrap((String::new(), format!("\"{HOLE}\"")))];
    }
    let Some(MetaType::InputObject { input_fields, .. }) = registry.types.get(name) else {
        return Vec::new();
    };
    if within.contains(&name) {
        return Vec::new();
    }
    let within = [within, &[name]].concat();
    let fields = input_fields.values();
    let ways = fields.flat_map(|field| {
        let ways = ways(registry, &field.ty, &within).into_iter();
        let name = field.name.clone();
        ways.map(move |(way, value)| (format!(".{name}{way}"), format!("{{ {name}: {value} }}")))
    });
    ways.map(wrap).collect()
}

/// How each type of object is come to from the root: what stands before and after its selection.
struct Roads<'a> {
    registry: &'a Registry,
    roads: BTreeMap<String, (String, String)>,
    samples: &'a BTreeMap<String, String>,
}

/// All places in questions, in the order of their names. `samples` are ids of ours by prefix.
pub(super) fn positions(registry: &Registry, samples: &BTreeMap<String, String>) -> Vec<Position> {
    let mut roads = Roads {
        registry,
        roads: BTreeMap::new(),
        samples,
    };
    roads.pave();
    let mut positions = Vec::new();
    for (type_name, (before, after)) in &roads.roads {
        let fields = registry.types[type_name].fields().unwrap();
        for field in fields
            .values()
            .filter(|field| !field.name.starts_with("__"))
        {
            roads.positions_of(type_name, field, (before, after), &mut positions);
        }
    }
    positions
}

/// The names of all places, read from the types that are published and not from any road to them.
pub(super) fn names(registry: &Registry) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let published = sdl();
    for (type_name, ty) in &registry.types {
        let is_root = matches!(type_name.as_str(), "Mutation" | "Subscription");
        let is_published = published.contains(&format!("\ntype {type_name} "));
        let MetaType::Object { fields, .. } = ty else {
            continue;
        };
        for field in fields.values().filter(|_| is_published && !is_root) {
            for argument in field.args.values() {
                let ways = ways(registry, &argument.ty, &[]);
                let ways = ways.into_iter().map(|(way, _)| way);
                let cursor = is_cursor(argument).then(String::new);
                let place = |way| format!("{type_name}.{}({}{way})", field.name, argument.name);
                names.extend(ways.chain(cursor).map(place));
            }
        }
    }
    names
}

fn is_cursor(argument: &MetaInputValue) -> bool {
    matches!(argument.name.as_str(), "after" | "before") && argument.ty == "String"
}

fn is_required(argument: &MetaInputValue) -> bool {
    argument.ty.ends_with('!') && argument.default_value.is_none()
}

impl Roads<'_> {
    fn pave(&mut self) {
        let query = ("{ ".to_owned(), " }".to_owned());
        self.roads.insert("Query".to_owned(), query);
        let mut next = VecDeque::from(["Query".to_owned()]);
        while let Some(type_name) = next.pop_front() {
            let (before, after) = self.roads[&type_name].clone();
            for field in self.registry.types[&type_name].fields().unwrap().values() {
                let target = named(&field.ty);
                let is_object = matches!(
                    self.registry.types.get(target),
                    Some(MetaType::Object { .. })
                );
                if !is_object || target.starts_with("__") || self.roads.contains_key(target) {
                    continue;
                }
                let call = self.call(field, None);
                let before = format!("{before}{call} {{ ");
                let road = (before, format!(" }}{after}"));
                self.roads.insert(target.to_owned(), road);
                next.push_back(target.to_owned());
            }
        }
    }

    /// A field with what it needs, and with one argument besides.
    fn call(&self, field: &MetaField, given: Option<(&str, &str)>) -> String {
        let mut arguments: Vec<String> = field
            .args
            .values()
            .filter(|one| is_required(one) && given.is_none_or(|(name, _)| name != one.name))
            .map(|one| format!("{}: {}", one.name, self.sample(field, one)))
            .collect();
        if field.ty.contains("Connection") {
            arguments.push("first: 2".to_owned());
        }
        arguments.extend(given.map(|(name, value)| format!("{name}: {value}")));
        match arguments.is_empty() {
            true => field.name.clone(),
            false => format!("{}({})", field.name, arguments.join(", ")),
        }
    }

    fn sample(&self, field: &MetaField, argument: &MetaInputValue) -> String {
        let id = || {
            let kinds = kinds().all().iter();
            let of_kind =
                kinds.filter(|kind| kind.singular == field.name || kind.prefix == argument.name);
            let kind = of_kind.map(|kind| kind.prefix).next().unwrap_or("customer");
            let id = self.samples.get(kind).unwrap_or(&self.samples["customer"]);
            format!("\"{id}\"")
        };
        match argument.ty.as_str() {
            "ID!" => id(),
            "[ID!]!" => format!("[{}]", id()),
            "String!" => "\"贸易\"".to_owned(),
            "Date!" => "\"2026-03-02\"".to_owned(),
            "Decimal!" => "\"1\"".to_owned(),
            "SalesDimension!" => "ALL".to_owned(),
            ty => panic!(
                "no sample of {ty} for `{}` of {}",
                argument.name, field.name
            ),
        }
    }

    fn positions_of(
        &self,
        type_name: &str,
        field: &MetaField,
        (before, after): (&str, &str),
        positions: &mut Vec<Position>,
    ) {
        let selection = selection(self.registry, named(&field.ty), 2);
        for argument in field.args.values() {
            let ways = ways(self.registry, &argument.ty, &[]);
            let is_cursor = is_cursor(argument);
            let cursor = is_cursor.then(|| (String::new(), format!("\"{HOLE}\"")));
            for (way, value) in ways.into_iter().chain(cursor) {
                let call = self.call(field, Some((&argument.name, &value)));
                let giving = self.call(field, None);
                let cursors = is_cursor.then(|| format!("{before}{giving}{selection}{after}"));
                positions.push(Position {
                    name: format!("{type_name}.{}({}{way})", field.name, argument.name),
                    document: format!("{before}{call}{selection}{after}"),
                    cursors,
                });
            }
        }
    }
}

/// Everything of an object that needs no argument, and of the objects in it, so deep.
fn selection(registry: &Registry, type_name: &str, depth: u32) -> String {
    let fields = match registry.types.get(type_name) {
        Some(MetaType::Object { fields, .. } | MetaType::Interface { fields, .. }) => fields,
        _ => return String::new(),
    };
    let mut selected = vec!["__typename".to_owned()];
    for field in fields
        .values()
        .filter(|field| !field.args.values().any(is_required))
    {
        let target = named(&field.ty);
        let is_list = target.ends_with("Connection") || target.ends_with("Page");
        match registry.types.get(target) {
            Some(MetaType::Scalar { .. } | MetaType::Enum { .. }) => {
                selected.push(field.name.clone());
            }
            _ if depth > 0 && !is_list => {
                let inner = selection(registry, target, depth - 1);
                selected.push(format!("{}{inner}", field.name));
            }
            _ => {}
        }
    }
    format!(" {{ {} }}", selected.join(" "))
}
