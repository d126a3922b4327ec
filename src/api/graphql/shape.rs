//! What is wanted of a document, and one pass over its text that cuts it out.
//!
//! Documents have the shape of answers already: their members are the fields of the API. So an
//! object is answered without making a row of its document and without a future per field:
//! members that were asked for become values, all others are skipped.

use std::{fmt, ops::ControlFlow};

use async_graphql::{
    ContextSelectionSet, Name, Positioned, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::{MetaType, MetaTypeName},
};
use indexmap::IndexMap;
use serde::{
    Deserialize as _,
    de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::register::is_camel;

/// What is wanted of an object that stands in a document.
pub(super) struct Shape {
    /// The answer's fields, in their order.
    fields: Vec<(Name, Source)>,
    /// The members that a document may have, in their order, each with the fields that show it.
    members: Vec<(Box<str>, Vec<usize>)>,
}

enum Source {
    TypeName(Value),
    Member {
        form: Form,
        /// A list that a document leaves out is empty; anything else is null.
        is_list: bool,
    },
    /// A link to other objects, which is no member of the document.
    Link,
}

/// How a member becomes a value.
enum Form {
    Plain,
    /// The names of the API; documents have them in camel case.
    Enum(Vec<Name>),
    Object(Shape),
}

/// Calls `visit` with every field that a selection wants of an object of this type.
pub(super) fn fields_of<'a>(
    ctx: &ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    type_name: &str,
    visit: &mut dyn FnMut(&'a Positioned<Field>),
) {
    for selection in &set.items {
        let (condition, inner) = match &selection.node {
            Selection::Field(field) => {
                visit(field);
                continue;
            }
            Selection::InlineFragment(inline) => {
                let condition = inline.node.type_condition.as_ref();
                (condition, &inline.node.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let fragments = &ctx.query_env.fragments;
                let Some(fragment) = fragments.get(&spread.node.fragment_name.node) else {
                    continue;
                };
                let condition = Some(&fragment.node.type_condition);
                (condition, &fragment.node.selection_set)
            }
        };
        let applies = condition.is_none_or(|condition| {
            let wanted = condition.node.on.node.as_str();
            let implements = ctx.schema_env.registry.implements.get(type_name);
            wanted == type_name || implements.is_some_and(|all| all.contains(wanted))
        });
        if applies {
            fields_of(ctx, &inner.node, type_name, visit);
        }
    }
}

impl Shape {
    /// What a selection wants of an object of this type; `links`, in snake case, are no members of
    /// its document.
    pub(super) fn new(
        ctx: &ContextSelectionSet<'_>,
        set: &SelectionSet,
        type_name: &str,
        links: &[&str],
    ) -> Self {
        let own = ctx.schema_env.registry.types.get(type_name);
        let names = own.and_then(MetaType::fields).into_iter().flatten();
        let is_link = |name: &str| links.iter().any(|link| is_camel(name, link));
        let members = names.filter(|(name, _)| !is_link(name));
        let mut shape = Self {
            fields: Vec::with_capacity(set.items.len()),
            members: members
                .map(|(name, _)| (name.as_str().into(), Vec::new()))
                .collect(),
        };
        shape.add(ctx, set, type_name);
        shape
    }

    fn add(&mut self, ctx: &ContextSelectionSet<'_>, set: &SelectionSet, type_name: &str) {
        fields_of(ctx, set, type_name, &mut |field| {
            self.add_field(ctx, &field.node, type_name);
        });
    }

    fn add_field(&mut self, ctx: &ContextSelectionSet<'_>, field: &Field, type_name: &str) {
        let key = field.response_key().node.as_str();
        let types = &ctx.schema_env.registry.types;
        let meta = types
            .get(type_name)
            .and_then(|own| own.field_by_name(&field.name.node));
        let type_of = meta.map_or("", |meta| MetaTypeName::concrete_typename(&meta.ty));
        let set = &field.selection_set.node;
        if let Some((_, known)) = self.fields.iter_mut().find(|(name, _)| name == key) {
            if let Source::Member { form, .. } = known
                && let Form::Object(shape) = form
            {
                shape.add(ctx, set, type_of);
            }
            return;
        }
        let mut members = self.members.iter_mut();
        let source = if field.name.node == "__typename" {
            Source::TypeName(Value::String(type_name.to_owned()))
        } else if let Some((_, shown_by)) = members.find(|(name, _)| **name == *field.name.node) {
            shown_by.push(self.fields.len());
            Source::Member {
                form: Form::new(ctx, set, type_of),
                is_list: meta.is_some_and(|meta| meta.ty.ends_with("]!")),
            }
        } else {
            Source::Link
        };
        // A name of its own, because counting references to the cached document's would keep
        // the cores busy with each other.
        self.fields.push((Name::new(key), source));
    }

    /// Cuts what is wanted out of a document. `kept` receives the texts under members that are
    /// no fields of the API: the ids by which links find other objects. Where no links are wanted,
    /// nothing behind the last wanted member is looked at.
    pub(super) fn cut(
        &self,
        document: &[u8],
        kept: &mut Vec<(String, String)>,
    ) -> Result<Vec<Value>, serde_json::Error> {
        let mut values = self.blank();
        let mut left = if self.has_links() {
            usize::MAX
        } else {
            self.members_wanted()
        };
        let members = Members {
            shape: self,
            values: &mut values,
            kept,
            left: &mut left,
        };
        let mut document = serde_json::Deserializer::from_slice(document);
        match document.deserialize_map(members) {
            Err(error) if left > 0 => Err(error),
            // The error is the stop at the last wanted member.
            Ok(()) | Err(_) => Ok(values),
        }
    }

    fn members_wanted(&self) -> usize {
        let wanted = self.members.iter().filter(|(_, fields)| !fields.is_empty());
        wanted.count()
    }

    /// The place of a link in the answer; none where the field is none.
    pub(super) fn link(&self, key: &str) -> Option<usize> {
        let is = |(name, source): &(Name, Source)| name == key && matches!(source, Source::Link);
        self.fields.iter().position(is)
    }

    /// Whether something is wanted that is not in the document.
    pub(super) fn has_links(&self) -> bool {
        let mut sources = self.fields.iter();
        sources.any(|(_, source)| matches!(source, Source::Link))
    }

    /// The object that has these values.
    pub(super) fn object(&self, values: Vec<Value>) -> Value {
        let mut object = IndexMap::with_capacity(values.len());
        for ((key, _), value) in self.fields.iter().zip(values) {
            object.insert(key.clone(), value);
        }
        Value::Object(object)
    }

    /// The values of a document without members.
    fn blank(&self) -> Vec<Value> {
        let blank = |(_, source): &(Name, Source)| match source {
            Source::TypeName(name) => name.clone(),
            Source::Member { is_list: true, .. } => Value::List(Vec::new()),
            Source::Member { .. } | Source::Link => Value::Null,
        };
        self.fields.iter().map(blank).collect()
    }

    fn form(&self, field: usize) -> &Form {
        match self.fields.get(field) {
            Some((_, Source::Member { form, .. })) => form,
            _ => &Form::Plain,
        }
    }

    /// The place of a member, which is most often the one after the last.
    fn member(&self, name: &str, expected: usize) -> Option<usize> {
        let is = |member: &(Box<str>, Vec<usize>)| *member.0 == *name;
        if self.members.get(expected).is_some_and(is) {
            return Some(expected);
        }
        self.members.iter().position(is)
    }
}

impl Form {
    fn new(ctx: &ContextSelectionSet<'_>, set: &SelectionSet, type_name: &str) -> Self {
        match ctx.schema_env.registry.types.get(type_name) {
            Some(MetaType::Enum { enum_values, .. }) => {
                Self::Enum(enum_values.keys().map(Name::new).collect())
            }
            Some(MetaType::Object { .. }) => Self::Object(Shape::new(ctx, set, type_name, &[])),
            _ => Self::Plain,
        }
    }

    fn text<E: de::Error>(&self, text: &str) -> Result<Value, E> {
        let Self::Enum(names) = self else {
            return Ok(Value::String(text.to_owned()));
        };
        // A name of capitals, such as a grade, is the same in documents and in the API.
        let mut names = names.iter();
        let found = names.find(|name| *name == text || is_camel(text, name));
        let value = found.map(|name| Value::Enum(name.clone()));
        value.ok_or_else(|| E::custom(format_args!("`{text}` is not a value of its enum")))
    }
}

/// Reads the members of an object into the values of an answer.
struct Members<'a> {
    shape: &'a Shape,
    values: &'a mut [Value],
    kept: &'a mut Vec<(String, String)>,
    /// How many wanted members have not been met.
    left: &'a mut usize,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self {
            shape,
            values,
            kept,
            left,
        } = self;
        let mut expected = 0;
        while let Some(key) = members.next_key_seed(Key { shape, expected })? {
            let place = match key {
                ControlFlow::Continue(place) => place,
                ControlFlow::Break(name) => {
                    let around = Members {
                        shape,
                        values,
                        kept,
                        left,
                    };
                    members.next_value_seed(Hidden { name, around })?;
                    continue;
                }
            };
            expected = place + 1;
            match shape.members[place].1.as_slice() {
                [] => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
                [only] => values[*only] = members.next_value_seed(shape.form(*only))?,
                several => {
                    let text: &RawValue = members.next_value()?;
                    for field in several {
                        let mut text = serde_json::Deserializer::from_str(text.get());
                        let value = shape.form(*field).deserialize(&mut text);
                        values[*field] = value.map_err(de::Error::custom)?;
                    }
                }
            }
            *left -= 1;
            if *left == 0 {
                return Err(de::Error::custom("nothing more is wanted"));
            }
        }
        Ok(())
    }
}

/// Finds the place of a member, or keeps the name of one that is no field of the API.
struct Key<'a> {
    shape: &'a Shape,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ControlFlow<String, usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ControlFlow<String, usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let place = self.shape.member(key, self.expected);
        Ok(place.map_or_else(|| ControlFlow::Break(key.to_owned()), ControlFlow::Continue))
    }
}

/// A member that is no field of the API: an object whose members are fields of the object around
/// it, or something that is for links only.
struct Hidden<'a> {
    name: String,
    around: Members<'a>,
}

impl<'de> DeserializeSeed<'de> for Hidden<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Hidden<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.around.visit_map(members)
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.around.kept.push((self.name, text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &Form {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Form {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        let Form::Object(shape) = self else {
            return Value::deserialize(de::value::MapAccessDeserializer::new(members));
        };
        let mut values = shape.blank();
        Members {
            shape,
            values: &mut values,
            kept: &mut Vec::new(),
            left: &mut { usize::MAX },
        }
        .visit_map(members)?;
        Ok(shape.object(values))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.text(text)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(async_graphql::Number::from_f64(number).map_or(Value::Null, Value::Number))
    }
}
