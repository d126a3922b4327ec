//! What a document may ask for, checked on its syntax tree before anything runs.
//!
//! Each fragment is measured once, whatever the number of its spreads, so the check is linear in
//! the document even where the executor would be exponential. Introspection is measured apart:
//! the standard introspection query is deeper than any business query needs to be.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned, Variables};
use async_graphql_value::{ConstValue, Value};

use super::errors::{Code, Fault};

/// The largest values that pass. Counts, unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of the whole document.
    pub tokens_max: u32,
    /// Brackets of any kind open at one place.
    pub nesting_max: u32,
    /// Fields within fields, from the root field as 1.
    pub depth_max: u32,
    /// Cost of one operation, see [`Measure::cost`].
    pub cost_max: u64,
    /// Fields with an alias in one operation, counted once per spread.
    pub aliases_max: u32,
    /// Fields directly under the root of one operation.
    pub root_fields_max: u32,
    /// Directives in one operation, counted once per spread.
    pub directives_max: u32,
    /// Fragments spread within fragments. The executor visits them by recursion.
    pub fragment_depth_max: u32,
    /// Fields within fields under `__schema` and `__type`.
    pub introspection_depth_max: u32,
    /// Fields under `__schema` and `__type`, counted once per spread.
    pub introspection_fields_max: u32,
    /// Lists of the meta schema within one another (`fields { type { fields … } }`): each level
    /// multiplies the answer by the size of the schema.
    pub introspection_lists_max: u32,
    /// Objects assumed on a page whose size is a variable without a value.
    pub page_size_assumed: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens_max: 5_000,
            nesting_max: 60,
            depth_max: 15,
            cost_max: 50_000,
            aliases_max: 100,
            root_fields_max: 50,
            directives_max: 50,
            fragment_depth_max: 16,
            introspection_depth_max: 20,
            introspection_fields_max: 1_000,
            introspection_lists_max: 2,
            page_size_assumed: 20,
        }
    }
}

/// What one selection asks for, itself included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Fields within fields.
    pub depth: u32,
    /// One per field; what stands under a field with `first` or `last` counts that many times.
    pub cost: u64,
    /// Fields with an alias.
    pub aliases: u32,
    /// Fields at the first level.
    pub root_fields: u32,
    /// Directives on fields and fragments.
    pub directives: u32,
    /// Fragments within fragments.
    pub fragment_depth: u32,
    /// Depth of what stands under `__schema` or `__type`.
    pub introspection_depth: u32,
    /// Fields under `__schema` or `__type`.
    pub introspection_fields: u32,
    /// Lists of the meta schema within one another.
    pub introspection_lists: u32,
    lists: u32,
    fields: u32,
    /// Whether the cost depends on a variable and must be taken again for each request.
    pub varies: bool,
}

impl Measure {
    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.cost = self.cost.saturating_add(other.cost);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.root_fields = self.root_fields.saturating_add(other.root_fields);
        self.directives = self.directives.saturating_add(other.directives);
        self.fragment_depth = self.fragment_depth.max(other.fragment_depth);
        self.introspection_depth = self.introspection_depth.max(other.introspection_depth);
        self.introspection_fields = self
            .introspection_fields
            .saturating_add(other.introspection_fields);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.lists = self.lists.max(other.lists);
        self.fields = self.fields.saturating_add(other.fields);
        self.varies |= other.varies;
    }

    /// # Errors
    /// The first limit that this measure exceeds.
    pub fn check(&self, limits: &Limits) -> Result<(), Fault> {
        let within = |limit, allowed: u64, actual: u64| {
            if actual > allowed {
                Err(Fault::exceeds(limit, allowed, actual))
            } else {
                Ok(())
            }
        };
        let count = |limit, allowed: u32, actual: u32| within(limit, allowed.into(), actual.into());
        count("depth", limits.depth_max, self.depth)?;
        within("cost", limits.cost_max, self.cost)?;
        count("aliases", limits.aliases_max, self.aliases)?;
        count("root fields", limits.root_fields_max, self.root_fields)?;
        count("directives", limits.directives_max, self.directives)?;
        count(
            "fragment depth",
            limits.fragment_depth_max,
            self.fragment_depth,
        )?;
        let lists_max = limits.introspection_lists_max;
        count(
            "introspection depth",
            limits.introspection_depth_max,
            self.introspection_depth,
        )?;
        count(
            "introspection fields",
            limits.introspection_fields_max,
            self.introspection_fields,
        )?;
        count("introspection lists", lists_max, self.introspection_lists)
    }
}

/// Measures every operation of a document, each checked, in the document's own order of names.
///
/// # Errors
/// The limit that is exceeded, or a cycle of fragments.
pub(super) fn measure_all(
    document: &ExecutableDocument,
    limits: &Limits,
) -> Result<HashMap<Option<Name>, Measure>, Fault> {
    let variables = Variables::default();
    let mut walk = Walk::new(document, limits, &variables);
    // A fragment that nothing spreads is never run, yet the executor's validation visits it.
    for name in document.fragments.keys() {
        walk.fragment(name, Pos::default())?.check(limits)?;
    }
    let mut measures = HashMap::with_capacity(document.operations.iter().len());
    for (name, operation) in document.operations.iter() {
        let mut measure = walk.set(&operation.node.selection_set.node)?;
        measure.directives = measure
            .directives
            .saturating_add(count(&operation.node.directives));
        measure.check(limits)?;
        measures.insert(name.cloned(), measure);
    }
    Ok(measures)
}

/// The cost of one operation with the values its page sizes really have.
///
/// # Errors
/// The limit that is exceeded.
pub(super) fn cost_with(
    document: &ExecutableDocument,
    operation: &SelectionSet,
    limits: &Limits,
    variables: &Variables,
) -> Result<u64, Fault> {
    let measure = Walk::new(document, limits, variables).set(operation)?;
    measure.check(limits)?;
    Ok(measure.cost)
}

enum Visit {
    Open,
    Done(Measure),
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    variables: &'a Variables,
    fragments: HashMap<&'a Name, Visit>,
    open: u32,
}

impl<'a> Walk<'a> {
    fn new(document: &'a ExecutableDocument, limits: &'a Limits, variables: &'a Variables) -> Self {
        Self {
            document,
            limits,
            variables,
            fragments: HashMap::new(),
            open: 0,
        }
    }

    fn set(&mut self, set: &'a SelectionSet) -> Result<Measure, Fault> {
        let mut sum = Measure::default();
        for selection in &set.items {
            sum.directives = sum
                .directives
                .saturating_add(count(selection.node.directives()));
            sum.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node)?,
                Selection::InlineFragment(inner) => self.set(&inner.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, spread.pos)?
                }
            });
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &Name, pos: Pos) -> Result<Measure, Fault> {
        // An unknown fragment is for validation to report.
        let Some((name, found)) = self.document.fragments.get_key_value(name) else {
            return Ok(Measure::default());
        };
        match self.fragments.get(name) {
            Some(Visit::Done(measure)) => return Ok(*measure),
            Some(Visit::Open) => {
                let message = format!("fragment {name:?} spreads itself", name = name.as_str());
                return Err(Fault::new(Code::ValidationFailed, message).at(pos));
            }
            None => self.fragments.insert(name, Visit::Open),
        };
        self.open += 1;
        if self.open > self.limits.fragment_depth_max {
            let allowed = self.limits.fragment_depth_max.into();
            return Err(Fault::exceeds("fragment depth", allowed, self.open.into()));
        }
        let mut measure = self.set(&found.node.selection_set.node)?;
        self.open -= 1;
        measure.fragment_depth = measure.fragment_depth.saturating_add(1);
        measure.directives = measure
            .directives
            .saturating_add(count(&found.node.directives));
        self.fragments.insert(name, Visit::Done(measure));
        Ok(measure)
    }

    fn field(&mut self, field: &'a Field) -> Result<Measure, Fault> {
        let mut measure = self.set(&field.selection_set.node)?;
        let name = field.name.node.as_str();
        measure.depth = measure.depth.saturating_add(1);
        measure.fields = measure.fields.saturating_add(1);
        measure.aliases = measure
            .aliases
            .saturating_add(u32::from(field.alias.is_some()));
        measure.root_fields = 1;
        if matches!(
            name,
            "fields" | "interfaces" | "possibleTypes" | "inputFields"
        ) {
            measure.lists = measure.lists.saturating_add(1);
        }
        if matches!(name, "__schema" | "__type") {
            measure.introspection_depth = measure.depth;
            measure.introspection_fields = measure.fields;
            measure.introspection_lists = measure.lists;
            (measure.depth, measure.fields, measure.lists, measure.cost) = (0, 0, 0, 0);
        }
        let (page, varies) = self.page_size(field);
        measure.varies |= varies;
        measure.cost = measure.cost.saturating_mul(page).saturating_add(1);
        Ok(measure)
    }

    /// How often what stands under a field is asked for, and whether a variable decides it.
    fn page_size(&self, field: &Field) -> (u64, bool) {
        let mut asked = (1, false);
        for name in ["first", "last"] {
            let (page, varies) = match field.get_argument(name).map(|value| &value.node) {
                Some(Value::Number(number)) => (number.as_u64().unwrap_or(1), false),
                Some(Value::Variable(variable)) => (self.variable(variable), true),
                _ => continue,
            };
            asked = (page.max(asked.0), varies || asked.1);
        }
        asked
    }

    fn variable(&self, name: &Name) -> u64 {
        let given = match self.variables.get(name) {
            Some(value) => Some(value),
            None => self.default_of(name),
        };
        match given {
            Some(ConstValue::Number(number)) => number.as_u64().unwrap_or(1),
            _ => self.limits.page_size_assumed.into(),
        }
    }

    /// Two operations of one document may declare the same variable with different defaults; the
    /// first of them decides, which can only misjudge a cost that no request has set.
    fn default_of(&self, name: &Name) -> Option<&ConstValue> {
        self.document
            .operations
            .iter()
            .flat_map(|(_, operation)| &operation.node.variable_definitions)
            .find(|definition| definition.node.name.node == *name)?
            .node
            .default_value
            .as_ref()
            .map(|value| &value.node)
    }
}

fn count<T>(items: &[Positioned<T>]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
