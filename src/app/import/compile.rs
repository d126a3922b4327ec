//! From the mapping as it is written to plans in which every name is known to mean something.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{
    catalogue::{Catalogue, Shape},
    condition::{Condition, Test},
    convert::{Numbers, Zone},
    error::{MappingError, MappingProblem},
    expression::{
        Conversion, EachPlan, EachRows, Expression, IdPlan, JoinPlan, ObjectPlan, ValuePlan,
    },
    format::{self, Defaults, Kind, VALUE_KEYS, ValueTable},
    place::Place,
    template::Template,
};
use crate::import::expression::CellPlan;

/// What the parts of a mapping are checked against.
pub(super) struct Compiler<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) defaults: &'a Defaults,
    /// The tables by name, with the place of each and its source.
    pub(super) tables: BTreeMap<String, (usize, String)>,
}

/// Reads a part of the mapping; an error names the place inside it.
pub(super) fn read<'de, T, D>(path: &str, part: D) -> Result<T, MappingError>
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
pub(super) fn scalar(path: &str, value: &toml::Value) -> Result<String, MappingError> {
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
    pub(super) fn table(&self, path: &str, name: &str) -> Result<(usize, &str), MappingError> {
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
    pub(super) fn joins(
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

    pub(super) fn conditions(
        &self,
        path: &str,
        conditions: &[format::Condition],
        place: &Place<'_>,
    ) -> Result<Vec<Condition>, MappingError> {
        let numbered = conditions.iter().enumerate();
        numbered
            .map(|(at, one)| self.condition(&format!("{path}[{at}]"), one, place))
            .collect()
    }

    fn condition(
        &self,
        path: &str,
        raw: &format::Condition,
        place: &Place<'_>,
    ) -> Result<Condition, MappingError> {
        let mut tests = self.tests(path, raw)?;
        match (&raw.column, &raw.value, &raw.any, tests.pop()) {
            (None, None, Some(any), None) => self
                .conditions(&format!("{path}.any"), any, place)
                .map(Condition::Any),
            (Some(column), None, None, Some(test)) if tests.is_empty() => {
                let text = place.column(&format!("{path}.column"), column)?;
                Ok(Condition::Test { text, test })
            }
            (None, Some(value), None, Some(test)) if tests.is_empty() => {
                let text = place.template(&format!("{path}.value"), value)?;
                Ok(Condition::Test { text, test })
            }
            _ => Err(MappingError::invalid(
                path,
                "a condition is either `any` with a list of conditions, or `column` or `value` \
                 with one of empty, equals, not_equals, one_of, none_of, above, at_least, below, \
                 at_most",
            )),
        }
    }

    fn tests(&self, path: &str, raw: &format::Condition) -> Result<Vec<Test>, MappingError> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let mut tests: Vec<Test> = raw.empty.map(Test::Empty).into_iter().collect();
        let one = |value: &Option<toml::Value>| value.clone().map(|value| vec![value]);
        let sets = [
            (one(&raw.equals), true),
            (one(&raw.not_equals), false),
            (raw.one_of.clone(), true),
            (raw.none_of.clone(), false),
        ];
        for (values, wanted) in sets {
            let Some(values) = values else { continue };
            let texts = values.iter().map(|value| scalar(path, value));
            let texts = texts.collect::<Result<_, _>>()?;
            tests.push(Test::OneOf { texts, wanted });
        }
        let comparisons: [(_, &'static [_]); 4] = [
            (&raw.above, &[Greater]),
            (&raw.at_least, &[Greater, Equal]),
            (&raw.below, &[Less]),
            (&raw.at_most, &[Less, Equal]),
        ];
        for (value, accepted) in comparisons {
            let Some(value) = value else { continue };
            tests.push(Test::Compare {
                with: scalar(path, value)?,
                accepted,
                numbers: self.numbers(None, None),
            });
        }
        Ok(tests)
    }

    fn numbers(&self, decimal: Option<char>, thousands: Option<char>) -> Numbers {
        Numbers {
            decimal: decimal.unwrap_or(self.defaults.decimal),
            thousands: thousands.or(self.defaults.thousands),
        }
    }

    /// The fields of an object; every path is checked against the command's shape.
    pub(super) fn object(
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
    pub(super) fn expression(
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
            ValueTable { sum: Some(of), .. } => self.sum(path, of, raw, place)?,
            _ => {
                let problem = format!("a value has one of {}", VALUE_KEYS.join(", "));
                return Err(MappingError::invalid(path, problem));
            }
        };
        Ok(Expression { when, value })
    }

    fn cell(
        &self,
        path: &str,
        text: Template,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<ValuePlan, MappingError> {
        let values = raw.values.as_ref().map(|values| {
            let pairs = values.iter();
            pairs
                .map(|(from, to)| {
                    let path = format!("{path}.values.{from}");
                    Ok((from.clone(), scalar(&path, to)?))
                })
                .collect::<Result<_, MappingError>>()
        });
        let otherwise = raw.otherwise.as_ref();
        let otherwise = otherwise.map(|text| {
            let path = format!("{path}.otherwise");
            place.template(&path, &scalar(&path, text)?)
        });
        let default = raw.default.as_deref().unwrap_or_default();
        Ok(ValuePlan::Cell(Box::new(CellPlan {
            text,
            default: place.template(&format!("{path}.default"), default)?,
            values: values.transpose()?,
            otherwise: otherwise.transpose()?,
            numbers: self.numbers(raw.decimal, raw.thousands),
            conversion: self.conversion(path, raw, place)?,
        })))
    }

    fn sum(
        &self,
        path: &str,
        of: &str,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<ValuePlan, MappingError> {
        let path = format!("{path}.sum");
        if !place.grouped {
            let problem = "sums are made of the rows of a group; the step needs `group_by`";
            return Err(MappingError::invalid(path, problem));
        }
        if !matches!(raw.kind, None | Some(Kind::Decimal | Kind::Money)) {
            return Err(MappingError::invalid(path, "a sum is a decimal or money"));
        }
        Ok(ValuePlan::Sum {
            of: place.template(&path, of)?,
            numbers: self.numbers(raw.decimal, raw.thousands),
            conversion: self.conversion(&path, raw, place)?,
        })
    }

    fn conversion(
        &self,
        path: &str,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<Conversion, MappingError> {
        Ok(match raw.kind.unwrap_or_default() {
            Kind::Text => Conversion::Text,
            Kind::Lower => Conversion::Lower,
            Kind::Upper => Conversion::Upper,
            Kind::User => Conversion::User,
            Kind::Integer => Conversion::Integer,
            Kind::Decimal => Conversion::Decimal,
            Kind::Percent => Conversion::BasisPoints { per_unit: 100 },
            Kind::Ratio => Conversion::BasisPoints { per_unit: 10_000 },
            Kind::Boolean => Conversion::Boolean,
            Kind::Money => {
                let currency = raw.currency.as_ref().or(self.defaults.currency.as_ref());
                let currency = currency.ok_or_else(|| {
                    MappingError::invalid(path, "money needs a `currency`, here or in `defaults`")
                })?;
                let currency = place.template(&format!("{path}.currency"), currency)?;
                Conversion::Money { currency }
            }
            Kind::Date => {
                let format = raw.format.as_ref().unwrap_or(&self.defaults.date);
                let format = date_format(&format!("{path}.format"), format)?;
                Conversion::Date { format }
            }
            Kind::DateTime => {
                let format = raw.format.as_ref().or(self.defaults.date_time.as_ref());
                let format = format.map(|text| date_format(&format!("{path}.format"), text));
                let zone = raw.zone.as_ref().unwrap_or(&self.defaults.zone);
                Conversion::DateTime {
                    format: format.transpose()?,
                    zone: zone_of(&format!("{path}.zone"), zone)?,
                }
            }
        })
    }

    fn id(
        &self,
        path: &str,
        kind: &str,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<IdPlan, MappingError> {
        let kind = kind.to_owned();
        let key = |text: &str| place.template(&format!("{path}.key"), text);
        match (&raw.key, &raw.of, &raw.number, raw.parts.as_deref()) {
            (Some(text), None, None, None) => Ok(IdPlan::Object {
                kind: self.kind(path, kind)?,
                key: key(text)?,
            }),
            (Some(text), Some(of), Some(number), None) => Ok(IdPlan::Numbered {
                kind,
                of: self.kind(&format!("{path}.of"), of.clone())?,
                key: key(text)?,
                number: place.template(&format!("{path}.number"), number)?,
            }),
            (None, None, None, Some([first, second])) => {
                let part = |part: &format::Part| {
                    let path = format!("{path}.parts");
                    let kind = self.kind(&path, part.id.clone())?;
                    Ok((kind, place.template(&path, &part.key)?))
                };
                let parts = [part(first)?, part(second)?];
                Ok(IdPlan::Pair { kind, parts })
            }
            _ => Err(MappingError::invalid(
                path,
                "an id has a `key`; or `of`, `key` and `number` where one command makes several; \
                 or two `parts`",
            )),
        }
    }

    fn kind(&self, path: &str, name: String) -> Result<String, MappingError> {
        let allowed = self.catalogue.kinds();
        if allowed.contains(&name) {
            return Ok(name);
        }
        let what = "kind of object";
        let problem = MappingProblem::UnknownReference {
            what,
            name,
            allowed,
        };
        Err(MappingError::new(path, problem))
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

pub(super) fn zone_of(path: &str, text: &str) -> Result<Zone, MappingError> {
    text.parse()
        .map_err(|problem: String| MappingError::invalid(path, problem))
}

fn date_format(path: &str, format: &str) -> Result<String, MappingError> {
    let mut items = chrono::format::StrftimeItems::new(format);
    if items.any(|item| item == chrono::format::Item::Error) {
        let problem = format!("`{format}` is not a date format such as %d.%m.%Y");
        return Err(MappingError::invalid(path, problem));
    }
    Ok(format.to_owned())
}
