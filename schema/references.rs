//! Which objects a command names: the ids in it, wherever they stand.
//!
//! Ids are told from other text by their type and not by their looks: every scalar hands its name
//! to the serializer, and this one keeps the values of those named `ID`.

use std::{convert::Infallible, fmt};

use serde::{Serialize, Serializer, ser};

/// The ids in a command, in the order of its fields; an id that stands twice is given twice.
pub fn references(command: &impl Serialize) -> Vec<String> {
    let mut ids = Vec::new();
    // A command that cannot be written out has been refused before it could get here.
    let _ = command.serialize(Collector {
        ids: &mut ids,
        is_id: false,
    });
    ids
}

struct Collector<'a> {
    ids: &'a mut Vec<String>,
    is_id: bool,
}

impl Collector<'_> {
    fn within(&mut self) -> Collector<'_> {
        Collector {
            ids: self.ids,
            is_id: false,
        }
    }
}

/// Nothing can go wrong while looking; serde asks for an error type all the same.
#[derive(Debug)]
struct Never(Infallible);

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(message: T) -> Self {
        unreachable!("a command failed to serialize: {message}")
    }
}

macro_rules! ignore {
    ($($method:ident($type:ty))+) => {$(
        fn $method(self, _: $type) -> Result<(), Never> {
            Ok(())
        }
    )+};
}

impl Serializer for Collector<'_> {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    ignore! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32)
        serialize_i64(i64) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32)
        serialize_u64(u64) serialize_f32(f32) serialize_f64(f64) serialize_char(char)
        serialize_bytes(&[u8]) serialize_unit_struct(&'static str)
    }

    fn serialize_str(self, text: &str) -> Result<(), Never> {
        if self.is_id {
            self.ids.push(text.to_owned());
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        let is_id = name == "ID";
        value.serialize(Collector { is_id, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Never> {
        Ok(self)
    }
}

macro_rules! look_within {
    ($($trait:ident::$method:ident($($key:ty)?);)+) => {$(
        impl ser::$trait for Collector<'_> {
            type Ok = ();
            type Error = Never;
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $(_: $key,)?
                value: &T,
            ) -> Result<(), Never> {
                value.serialize(self.within())
            }
            fn end(self) -> Result<(), Never> {
                Ok(())
            }
        }
    )+};
}

look_within! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(&'static str);
    SerializeStructVariant::serialize_field(&'static str);
}

impl ser::SerializeMap for Collector<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        value.serialize(self.within())
    }

    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::references;
    use crate::customers::AddContact;

    #[test]
    fn only_ids_are_found_and_not_what_looks_like_one() {
        let command: AddContact = serde_json::from_str(
            r#"{
                "customer": "customer-0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e",
                "contact": { "name": "customer-0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4f" }
            }"#,
        )
        .unwrap_or_else(|error| unreachable!("{error}"));
        let found = references(&command);
        assert_eq!(found, ["customer-0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e"]);
    }
}
