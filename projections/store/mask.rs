//! Hiding members of documents from those who may see the object but not all of it.

use std::fmt;

use rusqlite::{Connection, functions::FunctionFlags};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Class, Column, Entry, Row, StoreError};

/// What stands in the place of a hidden text that a document cannot be without.
pub const WITHHELD: &str = "withheld";

/// What of a table is not for everybody.
pub(crate) struct Marks {
    pub(crate) table: &'static str,
    columns: &'static [Column],
    members_of: fn(Class) -> &'static [&'static str],
}

impl Marks {
    pub(crate) fn of_rows<R: Row>() -> Self {
        Self {
            table: R::TABLE,
            columns: R::COLUMNS,
            members_of: R::members_of,
        }
    }

    pub(crate) fn of_entries<E: Entry>() -> Self {
        Self {
            table: E::TABLE,
            columns: E::COLUMNS,
            members_of: |_| &[],
        }
    }

    /// The class of a column; that of a document depends on its members.
    pub(crate) fn class_of(&self, column: &str) -> Option<Class> {
        let mut columns = self.columns.iter();
        columns.find(|own| own.name == column)?.class
    }

    /// The paths of the members that belong to a class.
    pub(crate) fn members(&self, class: Class) -> &'static [&'static str] {
        (self.members_of)(class)
    }
}

/// Gives a connection the function `hidden(document, paths)`, in which a line stands for a path.
pub(crate) fn install(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("hidden", 2, flags, |context| {
        let paths = context.get_or_create_aux(1, |paths| -> Result<_, StoreError> {
            Ok(Hidden::of(paths.as_str().unwrap_or_default().lines()))
        })?;
        let document = context.get_raw(0).as_str()?;
        let shown = paths.out_of(document);
        shown.map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })?;
    Ok(())
}

/// The members to be hidden, as a tree.
#[derive(Debug, Default, PartialEq)]
struct Hidden(Vec<(String, Fate)>);

/// What becomes of a member.
#[derive(Debug, PartialEq)]
enum Fate {
    LeftOut,
    Withheld,
    /// It stays, without some of its own members, or of those of its items.
    Without(Hidden),
}

impl Hidden {
    fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut hidden = Self::default();
        for path in paths {
            hidden.add(path);
        }
        hidden
    }

    fn add(&mut self, path: &str) {
        let Some((first, rest)) = path.split_once('.') else {
            let (name, fate) = match path.strip_suffix('!') {
                Some(name) => (name, Fate::Withheld),
                None => (path, Fate::LeftOut),
            };
            self.0.push((name.to_owned(), fate));
            return;
        };
        let name = first.trim_end_matches("[]");
        let known = self.0.iter_mut().find(|(own, _)| own == name);
        if let Some((_, Fate::Without(inner))) = known {
            inner.add(rest);
        } else {
            let inner = Self::of(std::iter::once(rest));
            self.0.push((name.to_owned(), Fate::Without(inner)));
        }
    }

    fn out_of(&self, document: &str) -> Result<String, serde_json::Error> {
        let mut text = String::with_capacity(document.len());
        self.write(document, &mut text)?;
        Ok(text)
    }

    fn write(&self, json: &str, text: &mut String) -> Result<(), serde_json::Error> {
        match json.as_bytes().first() {
            Some(b'{') => self.write_object(json, text),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(json)?;
                text.push('[');
                for (index, item) in items.into_iter().enumerate() {
                    separate(index, text);
                    self.write(item.get(), text)?;
                }
                text.push(']');
                Ok(())
            }
            _ => {
                text.push_str(json);
                Ok(())
            }
        }
    }

    fn write_object(&self, json: &str, text: &mut String) -> Result<(), serde_json::Error> {
        let members: Members<'_> = serde_json::from_str(json)?;
        let kept = members.0.into_iter().filter_map(|(name, value)| {
            let marked = self.0.iter().find(|(own, _)| *own == name);
            match marked.map(|(_, fate)| fate) {
                Some(Fate::LeftOut) => None,
                fate => Some((name, value, fate)),
            }
        });
        text.push('{');
        for (index, (name, value, fate)) in kept.enumerate() {
            separate(index, text);
            text.push_str(&serde_json::to_string(&name)?);
            text.push(':');
            match fate {
                Some(Fate::Without(inner)) => inner.write(value.get(), text)?,
                Some(Fate::Withheld) => text.push_str(&serde_json::to_string(WITHHELD)?),
                Some(Fate::LeftOut) | None => text.push_str(value.get()),
            }
        }
        text.push('}');
        Ok(())
    }
}

fn separate(index: usize, text: &mut String) {
    if index > 0 {
        text.push(',');
    }
}

/// The members of an object in their order, their values as written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[track_caller]
    fn shown(paths: &[&str], document: &str) -> String {
        let hidden = Hidden::of(paths.iter().copied());
        hidden.out_of(document).unwrap_or_default()
    }

    #[test]
    fn members_are_left_out_wherever_they_stand() {
        let document = r#"{"a":1,"b":{"c":"x","d":[1]},"e":[{"c":1,"f":2},{"f":3}],"g":null}"#;
        assert_eq!(
            shown(&["a", "b.c", "e[].c", "g.h"], document),
            r#"{"b":{"d":[1]},"e":[{"f":2},{"f":3}],"g":null}"#
        );
    }

    #[test]
    fn a_text_that_may_not_be_missing_is_withheld() {
        let document = r#"{"notes":[{"by":"li","note":"\"secret\""}]}"#;
        assert_eq!(
            shown(&["notes[].note!"], document),
            r#"{"notes":[{"by":"li","note":"withheld"}]}"#
        );
    }

    #[test]
    fn what_is_kept_stays_as_it_was_written() {
        let document = r#"{"z":"\u9f99","a":1.500,"in":{"z":1,"a":2}}"#;
        assert_eq!(shown(&["missing", "in.missing"], document), document);
    }
}
