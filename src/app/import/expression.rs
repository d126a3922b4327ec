//! From a row to the value of a field.

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    condition::{self, Condition},
    convert::{self, Numbers, Zone},
    error::RowProblem,
    ids,
    row::Row,
    template::{Bound, Scope, Template},
};

/// How one value is made; nothing comes of it where the condition does not hold or the cells are
/// empty, and the field is then left out.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) when: Vec<Condition>,
    pub(super) value: ValuePlan,
}

#[derive(Debug)]
pub(super) enum ValuePlan {
    Constant(Value),
    Cell(Box<CellPlan>),
    Id(IdPlan),
    Object(ObjectPlan),
    List(Vec<Expression>),
    Each(Box<EachPlan>),
    Sum {
        of: Template,
        numbers: Numbers,
        conversion: Conversion,
    },
}

/// A text, and what is made of it.
#[derive(Debug)]
pub(super) struct CellPlan {
    pub(super) text: Template,
    pub(super) default: Template,
    pub(super) values: Option<BTreeMap<String, String>>,
    pub(super) otherwise: Option<Template>,
    pub(super) numbers: Numbers,
    pub(super) conversion: Conversion,
}

/// What a text is made into.
#[derive(Debug)]
pub(super) enum Conversion {
    Text,
    Lower,
    Upper,
    User,
    Integer,
    Decimal,
    Money { currency: Template },
    BasisPoints { per_unit: i64 },
    Boolean,
    Date { format: String },
    DateTime { format: Option<String>, zone: Zone },
}

/// Which object is meant.
#[derive(Debug)]
pub(super) enum IdPlan {
    Object {
        kind: String,
        key: Template,
    },
    Numbered {
        kind: String,
        of: String,
        key: Template,
        number: Template,
    },
    Pair {
        kind: String,
        parts: [(String, Template); 2],
    },
}

/// The fields of an object, by their paths.
#[derive(Debug, Default)]
pub(super) struct ObjectPlan(pub(super) Vec<(Vec<String>, Expression)>);

/// A list with one element per row.
#[derive(Debug)]
pub(super) struct EachPlan {
    pub(super) rows: EachRows,
    pub(super) joins: Vec<JoinPlan>,
    pub(super) when: Vec<Condition>,
    pub(super) element: Expression,
}

#[derive(Debug)]
pub(super) enum EachRows {
    /// The rows of the group.
    Group,
    /// The rows of a table under a key.
    Table { table: usize, key: Template },
}

/// A row of a table beside the row itself.
#[derive(Debug)]
pub(super) struct JoinPlan {
    pub(super) name: String,
    pub(super) table: usize,
    pub(super) key: Template,
    pub(super) required: bool,
}

impl Expression {
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, RowProblem> {
        if !condition::all(&self.when, scope) {
            return Ok(None);
        }
        match &self.value {
            ValuePlan::Constant(value) => Ok(Some(value.clone())),
            ValuePlan::Cell(cell) => cell.evaluate(scope),
            ValuePlan::Id(id) => id.evaluate(scope),
            ValuePlan::Object(object) => Ok(object.evaluate(scope)?.map(Value::Object)),
            ValuePlan::List(elements) => list(elements.iter().map(|one| one.evaluate(scope))),
            ValuePlan::Each(each) => each.evaluate(scope),
            ValuePlan::Sum {
                of,
                numbers,
                conversion,
            } => sum(of, *numbers, conversion, scope),
        }
    }

    /// The value as a text, for what is not a field of a command.
    pub(super) fn text(&self, scope: &Scope<'_>) -> Result<Option<String>, RowProblem> {
        let value = self.evaluate(scope)?;
        Ok(value.map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }
}

impl CellPlan {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, RowProblem> {
        let mut text = self.text.render(scope);
        if let Some(values) = &self.values {
            text = match (values.get(&text), &self.otherwise) {
                (Some(mapped), _) => mapped.clone(),
                (None, Some(otherwise)) => otherwise.render(scope),
                (None, None) if text.is_empty() => text,
                (None, None) => return Err(unmapped(&text, values)),
            };
        }
        if text.is_empty() {
            text = self.default.render(scope);
        }
        if text.is_empty() {
            return Ok(None);
        }
        self.conversion.apply(&text, self.numbers, scope).map(Some)
    }
}

fn unmapped(text: &str, values: &BTreeMap<String, String>) -> RowProblem {
    let known: Vec<&str> = values.keys().map(String::as_str).collect();
    let message = format!("`{text}` is not mapped; mapped are {}", known.join(", "));
    RowProblem::new("IMPORT_VALUE_UNMAPPED", message)
}

impl Conversion {
    fn apply(&self, text: &str, numbers: Numbers, scope: &Scope<'_>) -> Result<Value, RowProblem> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Lower => Ok(text.to_lowercase().into()),
            Self::Upper => Ok(text.to_uppercase().into()),
            Self::User => Ok(convert::user(text).into()),
            Self::Integer => convert::integer(numbers.read(text)?, text),
            Self::Decimal | Self::Money { .. } => self.number(numbers.read(text)?, scope),
            Self::BasisPoints { per_unit } => {
                let share = text.strip_suffix('%').unwrap_or(text).trim_end();
                convert::basis_points(numbers.read(share)?, *per_unit, text)
            }
            Self::Boolean => convert::boolean(text),
            Self::Date { format } => convert::date(text, format),
            Self::DateTime { format, zone } => convert::date_time(text, format.as_deref(), *zone),
        }
    }

    fn number(&self, number: Decimal, scope: &Scope<'_>) -> Result<Value, RowProblem> {
        let Self::Money { currency } = self else {
            return Ok(number.normalize().to_string().into());
        };
        let currency = currency.render(scope);
        if currency.is_empty() {
            return Err(convert::invalid("the amount has no currency".to_owned()));
        }
        Ok(convert::money(number, &currency))
    }
}

impl IdPlan {
    /// The id; nothing where the key is empty.
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, RowProblem> {
        let Some(uuids) = self.uuids(scope)? else {
            return Ok(None);
        };
        let kind = match self {
            Self::Object { kind, .. } | Self::Numbered { kind, .. } | Self::Pair { kind, .. } => {
                kind
            }
        };
        let uuids: Vec<String> = uuids.iter().map(Uuid::to_string).collect();
        Ok(Some(format!("{kind}-{}", uuids.join(".")).into()))
    }

    fn uuids(&self, scope: &Scope<'_>) -> Result<Option<Vec<Uuid>>, RowProblem> {
        match self {
            Self::Object { kind, key } => Ok(object(kind, key, scope)?.map(|uuid| vec![uuid])),
            Self::Numbered {
                of, key, number, ..
            } => {
                let Some(command) = object(of, key, scope)? else {
                    return Ok(None);
                };
                let number = number.render(scope);
                let number = number
                    .parse()
                    .map_err(|_| convert::invalid(format!("`{number}` is not a number from 0")))?;
                Ok(Some(vec![ids::numbered(command, number)]))
            }
            Self::Pair { parts, .. } => {
                let parts = parts.iter().map(|(kind, key)| object(kind, key, scope));
                parts.collect()
            }
        }
    }
}

fn object(kind: &str, key: &Template, scope: &Scope<'_>) -> Result<Option<Uuid>, RowProblem> {
    let key = key.render(scope);
    if key.is_empty() {
        return Ok(None);
    }
    scope.book.refer(kind, &key).map(Some)
}

impl ObjectPlan {
    /// The object; nothing where none of its fields has a value.
    pub(super) fn evaluate(
        &self,
        scope: &Scope<'_>,
    ) -> Result<Option<Map<String, Value>>, RowProblem> {
        let mut object = Map::new();
        for (path, expression) in &self.0 {
            let value = expression
                .evaluate(scope)
                .map_err(|problem| problem.within(&path.join(".")))?;
            if let Some(value) = value {
                insert(&mut object, path, value);
            }
        }
        Ok((!object.is_empty()).then_some(object))
    }
}

/// Puts a value at a path. No path of a plan begins with another, so objects meet only objects.
fn insert(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object
                .entry(first.clone())
                .or_insert_with(|| Map::new().into());
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn list(
    elements: impl Iterator<Item = Result<Option<Value>, RowProblem>>,
) -> Result<Option<Value>, RowProblem> {
    let mut list = Vec::new();
    for (index, element) in elements.enumerate() {
        list.extend(element.map_err(|problem| problem.within(&format!("[{index}]")))?);
    }
    Ok((!list.is_empty()).then_some(Value::Array(list)))
}

impl EachPlan {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, RowProblem> {
        let rows = match &self.rows {
            EachRows::Group => scope.group.to_vec(),
            EachRows::Table { table, key } => {
                let rows = scope.tables.rows(*table, &key.render(scope)).iter();
                rows.map(|row| bind(Some(row.clone()), &self.joins, scope))
                    .collect()
            }
        };
        let mut index = 0;
        let mut values = Vec::new();
        for bound in &rows {
            let inner = within(scope, bound, index);
            if !condition::all(&self.when, &inner) {
                continue;
            }
            let required = require(&self.joins, &inner);
            values.push(required.and_then(|()| self.element.evaluate(&inner)));
            index += 1;
        }
        list(values.into_iter())
    }
}

fn sum(
    of: &Template,
    numbers: Numbers,
    conversion: &Conversion,
    scope: &Scope<'_>,
) -> Result<Option<Value>, RowProblem> {
    let mut total = Decimal::ZERO;
    for (index, bound) in scope.group.iter().enumerate() {
        let text = of.render(&within(scope, bound, index));
        if text.is_empty() {
            continue;
        }
        let number = numbers.read(&text)?;
        total = total
            .checked_add(number)
            .ok_or_else(|| convert::invalid("the sum is out of range".to_owned()))?;
    }
    conversion.number(total, scope).map(Some)
}

/// The scope of a row in a list of a row.
fn within<'a>(scope: &'a Scope<'a>, bound: &'a Bound, index: usize) -> Scope<'a> {
    Scope {
        bound,
        index,
        parent: Some(scope),
        ..*scope
    }
}

/// A row with the rows that are joined to it. A later join may use the columns of earlier ones.
pub(super) fn bind(row: Option<Arc<Row>>, joins: &[JoinPlan], scope: &Scope<'_>) -> Bound {
    let mut bound = Bound {
        row,
        joined: Vec::new(),
    };
    for join in joins {
        let key = join.key.render(&within(scope, &bound, 0));
        let found = scope.tables.rows(join.table, &key).first().cloned();
        bound.joined.push(found);
    }
    bound
}

/// Refuses a row for which a required join found nothing.
pub(super) fn require(joins: &[JoinPlan], scope: &Scope<'_>) -> Result<(), RowProblem> {
    let pairs = joins.iter().zip(&scope.bound.joined);
    for (join, found) in pairs {
        if join.required && found.is_none() {
            let (name, key) = (&join.name, join.key.render(scope));
            let message = format!("`{name}` has no row `{key}`");
            return Err(RowProblem::new("IMPORT_LOOKUP_MISSING", message));
        }
    }
    Ok(())
}
