//! A row as it is kept: JSON text, which the API cuts down to what was asked for without making
//! the row of it.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::{Row, StoreError};

/// A row as it is kept.
pub struct Document<R> {
    id: Box<str>,
    json: Box<[u8]>,
    row: PhantomData<fn() -> R>,
}

impl<R> Document<R> {
    pub(crate) fn new(id: &str, json: &[u8]) -> Self {
        Self {
            id: id.into(),
            json: json.into(),
            row: PhantomData,
        }
    }

    /// The object's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The row, as the text of a JSON object; a member that is missing is null.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The text of a member of the row itself; none where it is null or no text.
    pub fn text(&self, member: &str) -> Option<String> {
        let mut document = serde_json::Deserializer::from_slice(&self.json);
        document.deserialize_map(TextOf(member)).ok().flatten()
    }
}

impl<R: Row> Document<R> {
    /// The row itself.
    pub fn row(&self) -> Result<R, StoreError> {
        Ok(serde_json::from_slice(&self.json)?)
    }
}

impl<R> Clone for Document<R> {
    fn clone(&self) -> Self {
        Self::new(&self.id, &self.json)
    }
}

impl<R> fmt::Debug for Document<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Document")
            .field(&String::from_utf8_lossy(&self.json))
            .finish()
    }
}

/// Looks for the text of one member.
struct TextOf<'a>(&'a str);

impl<'de> Visitor<'de> for TextOf<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(wanted) = members.next_key_seed(IsKey(self.0))? {
            if wanted {
                found = members.next_value()?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key without keeping it.
struct IsKey<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}
