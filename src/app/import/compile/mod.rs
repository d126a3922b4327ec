//! From the mapping as it is written to plans in which every name is known to mean something.

mod conditions;
mod values;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{
    catalogue::{Catalogue, Shape},
    error::{MappingError, MappingProblem},
    expression::{EachPlan, EachRows, Expression, JoinPlan, ObjectPlan, ValuePlan},
    format::{self, Defaults, VALUE_KEYS, ValueTable},
    place::Place,
};
pub(in crate::import) use values::zone_of;

/// What the parts of a mapping are checked against.
pub(in crate::import) struct Compiler<'a> {
    pub(in crate::import) catalogue: &'a Catalogue,
    pub(in crate::import) defaults: &'a Defaults,
    /// The tables by name, with the place of each and its source.
    pub(in crate::import) tables: BTreeMap<String, (usize, String)>,
}

/// Reads a part of the mapping; an error names the place inside it.
pub(in crate::import) fn read<'de, T, D>(path: &str, part: D) -> Result<T, MappingError>
where
    T: DeserializeOwned,
    D: serde::Deserializer<'de, Error = toml::de::Error>,
{
    serde_path_to_error::deserialize(part).map_err(|error| {
        let inner = error.path().to_string();
        let path = match (path, inner.as_str()) {
            ("", inner) => inner.to_owned(),
            (path, ".") => path.to_owned(),
            (path, inner) => format!("{path}.{inner}"),
        };
        let message = error.inner().to_string();
        MappingError::new(path, MappingProblem::Syntax(message.trim_end().to_owned()))
    })
}

/// The text of a string, number, boolean or date of TOML.
pub(in crate::import) fn scalar(path: &str, value: &toml::Value) -> Result<String, MappingError> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => Ok(value.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) => Err(MappingError::invalid(
            path,
            "a text or a number is expected",
        )),
    }
}

impl Compiler<'_> {
    pub(in crate::import) fn table(
        &self,
        path: &str,
        name: &str,
    ) -> Result<(usize, &str), MappingError> {
        let found = self.tables.get(name);
        found
            .map(|(at, source)| (*at, source.as_str()))
            .ok_or_else(|| {
                let problem = MappingProblem::UnknownReference {
                    what: "table",
                    name: name.to_owned(),
                    allowed: self.tables.keys().cloned().collect(),
                };
                MappingError::new(path, problem)
            })
    }

    /// The joins of a place; each one is known to those after it.
    pub(in crate::import) fn joins(
        &self,
        path: &str,
        joins: &[format::Join],
        place: &mut Place<'_>,
    ) -> Result<Vec<JoinPlan>, MappingError> {
        let mut plans = Vec::new();
        for (index, join) in joins.iter().enumerate() {
            let path = format!("{path}.join[{index}]");
            let (table, source) = self.table(&format!("{path}.table"), &join.table)?;
            let name = join.name.as_ref().unwrap_or(&join.table).clone();
            if name == "parent" || place.joins.iter().any(|(taken, _)| *taken == name) {
                let problem = format!("the name `{name}` is taken, give this join another `name`");
                return Err(MappingError::invalid(path, problem));
            }
            plans.push(JoinPlan {
                name: name.clone(),
                table,
                key: place.template(&format!("{path}.key"), &join.key)?,
                required: join.required,
            });
            place.joins.push((name, source.to_owned()));
        }
        Ok(plans)
    }

    /// The fields of an object; every path is checked against the command's shape.
    pub(in crate::import) fn object(
        &self,
        path: &str,
        fields: &toml::Table,
        shape: &Shape<'_>,
        place: &Place<'_>,
    ) -> Result<ObjectPlan, MappingError> {
        let mut plan = ObjectPlan::default();
        self.fields(path, &[], fields, shape, place, &mut plan)?;
        let first = |(path, _): &(Vec<String>, Expression)| path.first().cloned();
        let mapped: Vec<String> = plan.0.iter().filter_map(first).collect();
        for name in shape.required() {
            if !mapped.iter().any(|field| field == name) {
                let name = name.to_owned();
                return Err(MappingError::new(
                    path,
                    MappingProblem::MissingField { name },
                ));
            }
        }
        for (at, (outer, _)) in plan.0.iter().enumerate() {
            let rest = plan.0.iter().skip(at + 1);
            let clash = |inner: &[String]| inner.starts_with(outer) || outer.starts_with(inner);
            if rest.clone().any(|(inner, _)| clash(inner)) {
                let problem = format!("the field `{}` is mapped twice", outer.join("."));
                return Err(MappingError::invalid(path, problem));
            }
        }
        Ok(plan)
    }

    fn fields(
        &self,
        path: &str,
        outer: &[String],
        fields: &toml::Table,
        shape: &Shape<'_>,
        place: &Place<'_>,
        plan: &mut ObjectPlan,
    ) -> Result<(), MappingError> {
        for (name, value) in fields {
            let at = format!("{path}.{name}");
            let (mut shape, mut field) = (shape.clone(), outer.to_vec());
            for part in name.split('.') {
                shape = shape.field(part).map_err(|allowed| {
                    let name = part.to_owned();
                    MappingError::new(&at, MappingProblem::UnknownField { name, allowed })
                })?;
                field.push(part.to_owned());
            }
            match value {
                toml::Value::Table(table) if !is_value(table) => {
                    self.fields(&at, &field, table, &shape, place, plan)?;
                }
                value => {
                    let expression = self.expression(&at, value, &shape, place)?;
                    plan.0.push((field, expression));
                }
            }
        }
        Ok(())
    }

    /// How a value is made.
    pub(in crate::import) fn expression(
        &self,
        path: &str,
        value: &toml::Value,
        shape: &Shape<'_>,
        place: &Place<'_>,
    ) -> Result<Expression, MappingError> {
        let value = match value {
            toml::Value::String(text) => {
                let text = place.template(path, text)?;
                self.cell(path, text, &ValueTable::default(), place)?
            }
            toml::Value::Integer(_) | toml::Value::Boolean(_) => {
                ValuePlan::Constant(constant(path, value)?)
            }
            toml::Value::Float(_) | toml::Value::Datetime(_) => {
                ValuePlan::Constant(scalar(path, value)?.into())
            }
            toml::Value::Array(elements) => {
                let shape = shape.element();
                let elements = elements.iter().enumerate();
                let elements = elements.map(|(at, element)| {
                    self.element(&format!("{path}[{at}]"), element, &shape, place)
                });
                ValuePlan::List(elements.collect::<Result<_, _>>()?)
            }
            toml::Value::Table(table) => {
                let table: ValueTable = read(path, toml::Value::Table(table.clone()))?;
                return self.value(path, &table, shape, place);
            }
        };
        Ok(Expression {
            when: Vec::new(),
            value,
        })
    }

    /// An element of a list, where a table that is no value is an object.
    fn element(
        &self,
        path: &str,
        value: &toml::Value,
        shape: &Shape<'_>,
        place: &Place<'_>,
    ) -> Result<Expression, MappingError> {
        match value {
            toml::Value::Table(fields) if !is_value(fields) => Ok(Expression {
                when: Vec::new(),
                value: ValuePlan::Object(self.object(path, fields, shape, place)?),
            }),
            value => self.expression(path, value, shape, place),
        }
    }

    fn value(
        &self,
        path: &str,
        raw: &ValueTable,
        shape: &Shape<'_>,
        place: &Place<'_>,
    ) -> Result<Expression, MappingError> {
        raw.check()
            .map_err(|problem| MappingError::invalid(path, problem))?;
        let when = self.conditions(&format!("{path}.when"), &raw.when, place)?;
        let value = match raw {
            ValueTable {
                column: Some(column),
                ..
            } => {
                let text = place.column(&format!("{path}.column"), column)?;
                self.cell(path, text, raw, place)?
            }
            ValueTable {
                template: Some(text),
                ..
            } => {
                let text = place.template(&format!("{path}.template"), text)?;
                self.cell(path, text, raw, place)?
            }
            ValueTable { id: Some(kind), .. } => ValuePlan::Id(self.id(path, kind, raw, place)?),
            ValueTable {
                constant: Some(value),
                ..
            } => ValuePlan::Constant(constant(path, value)?),
            ValueTable {
                fields: Some(fields),
                ..
            } => {
                let path = format!("{path}.fields");
                ValuePlan::Object(self.object(&path, fields, shape, place)?)
            }
            ValueTable {
                each: Some(each), ..
            } => {
                let path = format!("{path}.each");
                ValuePlan::Each(Box::new(self.each(&path, each, shape, place)?))
            }
            ValueTable { sum: of, .. } => {
                let of = of.as_deref().unwrap_or_default();
                self.sum(path, of, raw, place)?
            }
        };
        Ok(Expression { when, value })
    }

    fn each(
        &self,
        path: &str,
        raw: &format::Each,
        shape: &Shape<'_>,
        place: &Place<'_>,
    ) -> Result<EachPlan, MappingError> {
        let (rows, source) = match (&raw.table, &raw.key) {
            (Some(table), Some(key)) => {
                let (table, source) = self.table(&format!("{path}.table"), table)?;
                let key = place.template(&format!("{path}.key"), key)?;
                (EachRows::Table { table, key }, Some(source))
            }
            (None, None) if place.grouped && raw.join.is_empty() => (EachRows::Group, None),
            _ => {
                return Err(MappingError::invalid(
                    path,
                    "a list is made of the rows of a `table` under a `key`, or of the rows of the \
                     group where the step has `group_by`, and then without `join`",
                ));
            }
        };
        let mut inner = Place {
            source: source.or(place.source),
            joins: if source.is_some() {
                Vec::new()
            } else {
                place.joins.clone()
            },
            grouped: false,
            parent: Some(place),
            uses: place.uses,
        };
        let joins = self.joins(path, &raw.join, &mut inner)?;
        let when = self.conditions(&format!("{path}.when"), &raw.when, &inner)?;
        let shape = shape.element();
        let element = match (&raw.fields, &raw.value) {
            (Some(fields), None) => Expression {
                when: Vec::new(),
                value: ValuePlan::Object(self.object(
                    &format!("{path}.fields"),
                    fields,
                    &shape,
                    &inner,
                )?),
            },
            (None, Some(value)) => self.element(&format!("{path}.value"), value, &shape, &inner)?,
            _ => {
                return Err(MappingError::invalid(
                    path,
                    "a list has `fields` or a `value`",
                ));
            }
        };
        Ok(EachPlan {
            rows,
            joins,
            when,
            element,
        })
    }
}

fn is_value(table: &toml::Table) -> bool {
    VALUE_KEYS.iter().any(|key| table.contains_key(*key))
}

fn constant(path: &str, value: &toml::Value) -> Result<serde_json::Value, MappingError> {
    serde_json::to_value(value).map_err(|error| MappingError::invalid(path, error.to_string()))
}
