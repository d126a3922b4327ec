//! `where` and `orderBy` of every list, derived from the columns of its rows.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    Enum, InputObject, InputType, InputValueError, InputValueResult, Name, Value,
    registry::Registry,
};
use daybook_projections::store::{
    Cell, Column, ColumnKind, Condition, Direction, Operator, Order, Row, SqlValue as Sql,
};
use daybook_schema::kernel::{Date, DateTime, Decimal};
use indexmap::IndexMap;

use super::{
    object::ReadObject,
    register::{camel, enter, enumeration, input, input_object},
};

/// How deep `and`, `or` and `not` may nest.
const NESTING: usize = 6;
/// How many comparisons one filter may hold.
const COMPARISONS: usize = 100;

/// The filter of a list.
pub(super) struct Where<O> {
    pub(super) condition: Condition,
    object: PhantomData<fn() -> O>,
}

impl<O: ReadObject> InputType for Where<O> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}Where", O::type_name()).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = <Self as InputType>::type_name();
        enter(registry, &name, |registry| {
            let list = format!("[{name}!]");
            let mut fields = vec![
                input("and", "All of these hold.", list.clone()),
                input("or", "At least one of these holds.", list),
                input("not", "This does not hold.", name.to_string()),
            ];
            for column in O::Row::COLUMNS {
                let ty = comparison_type(registry, column);
                fields.push(input(&camel(column.name), column.description, ty));
            }
            let description = "Restricts a list; all fields that are given must hold.";
            input_object(&name, description, fields)
        });
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let mut left = COMPARISONS;
        let condition = condition(
            O::Row::COLUMNS,
            value.unwrap_or_default(),
            NESTING,
            &mut left,
        )
        .map_err(InputValueError::custom)?;
        Ok(Self {
            condition,
            object: PhantomData,
        })
    }

    fn to_value(&self) -> Value {
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

fn condition(
    columns: &[Column],
    value: Value,
    nesting: usize,
    left: &mut usize,
) -> Result<Condition, String> {
    if nesting == 0 {
        return Err(format!("a filter may nest {NESTING} levels deep"));
    }
    let fields = match value {
        Value::Object(fields) => fields,
        Value::Null => return Ok(Condition::EVERYTHING),
        other => return Err(format!("a filter is an object, not {other}")),
    };
    let mut all = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        if value == Value::Null {
            continue;
        }
        all.push(match name.as_str() {
            "and" => Condition::All(conditions(columns, value, nesting, left)?),
            "or" => Condition::Any(conditions(columns, value, nesting, left)?),
            "not" => Condition::Not(Box::new(condition(columns, value, nesting - 1, left)?)),
            name => comparisons(columns, name, value, left)?,
        });
    }
    Ok(Condition::All(all))
}

fn conditions(
    columns: &[Column],
    value: Value,
    nesting: usize,
    left: &mut usize,
) -> Result<Vec<Condition>, String> {
    let list = match value {
        Value::List(list) => list,
        single => vec![single],
    };
    list.into_iter()
        .map(|value| condition(columns, value, nesting - 1, left))
        .collect()
}

fn comparisons(
    columns: &[Column],
    name: &str,
    value: Value,
    left: &mut usize,
) -> Result<Condition, String> {
    let found = columns
        .iter()
        .enumerate()
        .find(|(_, column)| camel(column.name) == name);
    let (index, column) = found.ok_or_else(|| format!("there is no column `{name}`"))?;
    let Value::Object(operators) = value else {
        return Err(format!("`{name}` takes an object such as {{ eq: … }}"));
    };
    let mut all = Vec::new();
    for (operator, value) in operators {
        *left = left
            .checked_sub(1)
            .ok_or(format!("a filter may hold {COMPARISONS} comparisons"))?;
        let operator = operator_of(operator.as_str())?;
        let values = match (operator, value) {
            (Operator::IsNull, Value::Boolean(is_null)) => vec![is_null.cell()],
            (Operator::In | Operator::NotIn, Value::List(list)) => list
                .into_iter()
                .map(|value| cell(column.kind, value))
                .collect::<Result<_, _>>()?,
            (_, single) => vec![cell(column.kind, single)?],
        };
        all.push(Condition::Is {
            column: index,
            operator,
            values,
        });
    }
    Ok(Condition::All(all))
}

fn operator_of(name: &str) -> Result<Operator, String> {
    Ok(match name {
        "eq" => Operator::Eq,
        "ne" => Operator::Ne,
        "in" => Operator::In,
        "notIn" => Operator::NotIn,
        "gt" => Operator::Gt,
        "gte" => Operator::Gte,
        "lt" => Operator::Lt,
        "lte" => Operator::Lte,
        "contains" => Operator::Contains,
        "startsWith" => Operator::StartsWith,
        "isNull" => Operator::IsNull,
        other => return Err(format!("there is no comparison `{other}`")),
    })
}

fn cell(kind: ColumnKind, value: Value) -> Result<Sql, String> {
    let parsed = |text: &str| match kind {
        ColumnKind::Text | ColumnKind::Id | ColumnKind::Enum(_) => Ok(text.cell()),
        ColumnKind::Decimal => text.parse::<Decimal>().map(|it| it.cell()).map_err(shown),
        ColumnKind::DateTime => text.parse::<DateTime>().map(|it| it.cell()).map_err(shown),
        ColumnKind::Date => text.parse::<Date>().map(|it| it.cell()).map_err(shown),
        ColumnKind::Integer => text.parse::<i64>().map(Sql::Integer).map_err(shown),
        ColumnKind::Boolean => Err(format!("`{text}` is not true or false")),
    };
    match (kind, &value) {
        (_, Value::String(text)) => parsed(text),
        (ColumnKind::Enum(_), Value::Enum(name)) => parsed(name.as_str()),
        (ColumnKind::Boolean, Value::Boolean(yes)) => Ok(yes.cell()),
        (ColumnKind::Integer, Value::Number(number)) => number
            .as_i64()
            .map(Sql::Integer)
            .ok_or_else(|| format!("{number} is out of range")),
        _ => Err(format!("{value} does not fit the column")),
    }
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}

macro_rules! comparison {
    ($(#[$doc:meta])* $name:ident { $($operator:ident: $operator_type:ty, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(InputObject)]
        struct $name {
            $(#[doc = $text] $operator: Option<$operator_type>,)+
        }
    };
}

comparison! {
    /// Compares text.
    TextFilter {
        eq: String, "Equal.";
        ne: String, "Not equal.";
        r#in: Vec<String>, "One of these.";
        not_in: Vec<String>, "None of these.";
        contains: String, "Contains this, whatever its case.";
        starts_with: String, "Begins with this, whatever its case.";
        is_null: bool, "Is empty, or is not.";
    }
}

comparison! {
    /// Compares ids.
    IdFilter {
        eq: async_graphql::ID, "Equal.";
        ne: async_graphql::ID, "Not equal.";
        r#in: Vec<async_graphql::ID>, "One of these.";
        not_in: Vec<async_graphql::ID>, "None of these.";
        is_null: bool, "Is empty, or is not.";
    }
}

comparison! {
    /// Compares yes and no.
    BooleanFilter {
        eq: bool, "Equal.";
        ne: bool, "Not equal.";
        is_null: bool, "Is empty, or is not.";
    }
}

macro_rules! ordered_comparison {
    ($(#[$doc:meta])* $name:ident($ty:ty)) => {
        comparison! {
            $(#[$doc])*
            $name {
                eq: $ty, "Equal.";
                ne: $ty, "Not equal.";
                r#in: Vec<$ty>, "One of these.";
                not_in: Vec<$ty>, "None of these.";
                gt: $ty, "Greater or later.";
                gte: $ty, "Greater or later, or equal.";
                lt: $ty, "Less or earlier.";
                lte: $ty, "Less or earlier, or equal.";
                is_null: bool, "Is empty, or is not.";
            }
        }
    };
}

ordered_comparison! {
    /// Compares whole numbers.
    IntFilter(i32)
}
ordered_comparison! {
    /// Compares exact decimals.
    DecimalFilter(Decimal)
}
ordered_comparison! {
    /// Compares instants.
    DateTimeFilter(DateTime)
}
ordered_comparison! {
    /// Compares days.
    DateFilter(Date)
}

fn comparison_type(registry: &mut Registry, column: &Column) -> String {
    let qualified = match column.kind {
        ColumnKind::Text => TextFilter::create_type_info(registry),
        ColumnKind::Id => IdFilter::create_type_info(registry),
        ColumnKind::Integer => IntFilter::create_type_info(registry),
        ColumnKind::Decimal => DecimalFilter::create_type_info(registry),
        ColumnKind::DateTime => DateTimeFilter::create_type_info(registry),
        ColumnKind::Date => DateFilter::create_type_info(registry),
        ColumnKind::Boolean => BooleanFilter::create_type_info(registry),
        ColumnKind::Enum(register) => enum_filter(registry, register),
    };
    qualified.trim_end_matches('!').to_owned()
}

fn enum_filter(registry: &mut Registry, register: fn(&mut Registry) -> String) -> String {
    let value = register(registry).trim_end_matches('!').to_owned();
    let name = format!("{value}Filter");
    enter(registry, &name, |_| {
        let list = format!("[{value}!]");
        let fields = vec![
            input("eq", "Equal.", value.clone()),
            input("ne", "Not equal.", value.clone()),
            input("in", "One of these.", list.clone()),
            input("notIn", "None of these.", list),
            input("isNull", "Is empty, or is not.", "Boolean".to_owned()),
        ];
        input_object(&name, &format!("Compares values of {value}."), fields)
    });
    name
}

/// Which way a list runs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
pub(super) enum OrderDirection {
    /// Smallest or earliest first.
    #[default]
    Asc,
    /// Greatest or latest first.
    Desc,
}

/// Where objects without a value stand.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
pub(super) enum NullsOrder {
    /// Before all others.
    First,
    /// After all others.
    #[default]
    Last,
}

/// One sort key of a list.
pub(super) struct OrderBy<O> {
    pub(super) order: Order,
    object: PhantomData<fn() -> O>,
}

impl<O: ReadObject> OrderBy<O> {
    /// The smallest value of a column first.
    pub(super) fn ascending(column: &str) -> Self {
        Self::by(column, Direction::Ascending)
    }

    /// The greatest value of a column first.
    pub(super) fn descending(column: &str) -> Self {
        Self::by(column, Direction::Descending)
    }

    fn by(column: &str, direction: Direction) -> Self {
        let found = O::Row::COLUMNS.iter().position(|own| own.name == column);
        Self {
            order: Order {
                // A place beyond the columns sorts by id.
                column: found.unwrap_or(usize::MAX),
                direction,
                nulls_first: false,
            },
            object: PhantomData,
        }
    }
}

impl<O: ReadObject> InputType for OrderBy<O> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}OrderBy", O::type_name()).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = <Self as InputType>::type_name();
        enter(registry, &name, |registry| {
            let field = format!("{}OrderField", O::type_name());
            let values: Vec<_> = O::Row::COLUMNS
                .iter()
                .map(|column| (column.name.to_ascii_uppercase(), column.description))
                .collect();
            let description = "What a list can be sorted by.";
            enter(registry, &field, |_| {
                enumeration(&field, description, &values)
            });
            let direction = OrderDirection::create_type_info(registry);
            let nulls = NullsOrder::create_type_info(registry);
            let optional = |ty: String| ty.trim_end_matches('!').to_owned();
            let fields = vec![
                input("field", "By what.", format!("{field}!")),
                input(
                    "direction",
                    "Which way; ASC where it is not said.",
                    optional(direction),
                ),
                input(
                    "nulls",
                    "Where objects without a value stand; LAST where it is not said.",
                    optional(nulls),
                ),
            ];
            input_object(&name, "One sort key of a list.", fields)
        });
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let Some(Value::Object(fields)) = value else {
            return Err(InputValueError::custom(
                "a sort key is an object such as { field: … }",
            ));
        };
        let field = word(&fields, "field").unwrap_or_default();
        let column = O::Row::COLUMNS
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(field))
            .ok_or_else(|| InputValueError::custom(format!("there is no sort key `{field}`")))?;
        let descending = word(&fields, "direction") == Some("DESC");
        let direction = if descending {
            Direction::Descending
        } else {
            Direction::Ascending
        };
        let nulls_first = word(&fields, "nulls") == Some("FIRST");
        Ok(Self {
            order: Order {
                column,
                direction,
                nulls_first,
            },
            object: PhantomData,
        })
    }

    fn to_value(&self) -> Value {
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

fn word<'a>(fields: &'a IndexMap<Name, Value>, name: &str) -> Option<&'a str> {
    match fields.get(name)? {
        Value::Enum(word) => Some(word.as_str()),
        Value::String(word) => Some(word),
        _ => None,
    }
}
