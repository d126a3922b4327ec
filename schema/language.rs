//! How events and commands are declared, named, written and read, once for all aggregates.

use async_graphql::InputType;
use schemars::JsonSchema;
use serde::{
    Serialize,
    de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess},
};

use crate::{DomainCommand, DomainEvent, access::Armoury, kernel::StreamKey};

/// The events of one aggregate: an enum of struct variants, one per fact.
pub trait Event: Serialize + DeserializeOwned + JsonSchema + Clone + Into<DomainEvent> {
    /// The names of all facts, in the order of their declaration.
    const TYPES: &'static [&'static str];

    /// The fact's name, for example `OrderPlaced`.
    fn type_name(&self) -> &'static str;

    /// The fact, if it is one of this aggregate.
    fn of(event: &DomainEvent) -> Option<&Self>;

    /// The version of a fact's shape; raised together with an upcaster and a new sample.
    fn type_version(_type_name: &str) -> u16 {
        1
    }

    /// The fact's data as JSON text, without its name, which stands in the log's own header.
    fn encode(&self) -> Result<Vec<u8>, EventError> {
        let mut json = serde_json::to_vec(self)?;
        let name_and_colon = self.type_name().len() + 4;
        if json.len() <= name_and_colon {
            return Err(EventError::NoData(self.type_name()));
        }
        json.drain(..name_and_colon);
        json.pop();
        Ok(json)
    }

    /// Reads a fact back from its name and its data.
    fn decode(type_name: &str, data: &[u8]) -> Result<Self, EventError> {
        Ok(Self::deserialize(Tagged { type_name, data })?)
    }
}

/// Event data that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The JSON does not fit the fact's shape.
    #[error("event data does not fit its type: {0}")]
    Json(#[from] serde_json::Error),
    /// A fact declared without braces has no data object.
    #[error("event `{0}` has no data")]
    NoData(&'static str),
    /// A stream whose prefix no aggregate has.
    #[error("no aggregate has streams named `{0}`")]
    UnknownStream(String),
    /// A version of a shape that this build does not know.
    #[error("version {version} of `{type_name}` is unknown here")]
    UnknownVersion {
        /// The fact's name.
        type_name: String,
        /// The version found.
        version: u16,
    },
}

/// A fact's name and data, offered to serde as one externally tagged enum.
struct Tagged<'a> {
    type_name: &'a str,
    data: &'a [u8],
}

impl<'de> de::Deserializer<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Self::Error> {
        let name = de::value::StrDeserializer::<Self::Error>::new(self.type_name);
        Ok((seed.deserialize(name.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        Err(de::Error::custom("a fact has data"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        seed.deserialize(&mut serde_json::Deserializer::from_slice(self.data))
    }

    fn tuple_variant<V: de::Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_slice(self.data);
        de::Deserializer::deserialize_seq(&mut json, visitor)
    }

    fn struct_variant<V: de::Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_slice(self.data);
        de::Deserializer::deserialize_struct(&mut json, "", fields, visitor)
    }
}

/// One command: the same struct is the GraphQL input, the import row and the test's `when`.
pub trait Command:
    InputType + Serialize + DeserializeOwned + JsonSchema + Clone + Into<DomainCommand> + 'static
{
    /// The command's name, for example `PlaceOrder`.
    const NAME: &'static str;
    /// The aggregate that answers it, by the type of its id.
    type Id: StreamKey + Send + Sync + 'static;

    /// Whether it has to be armed before it goes to the desk.
    const HAS_SECRET: bool = false;
    /// Whether the answer shows a secret that was made for it, once.
    const ISSUES_SECRET: bool = false;

    /// The existing object that it is about; none where it creates one.
    fn target(&self) -> Option<Self::Id>;

    /// Puts the digests of secrets into the command that its sender cannot give.
    fn arm(&mut self, _armoury: &mut dyn Armoury) {}
}

/// Walks over all commands of the language, in the order of the contexts.
pub trait CommandVisitor {
    /// Called once per command.
    fn command<C: Command>(&mut self);
}

/// Declares the commands of one aggregate, and with it everything that is derived from the list.
///
/// `on field` names the field that holds the id of an existing object, `by method` a method that
/// makes it; without either the command creates an object. `[issues secret]` and
/// `[hashes secret]` mark commands with a method `arm` that puts the digest of a secret into them;
/// the first also shows the secret to the sender.
macro_rules! commands {
    ($(#[$doc:meta])* $set:ident for $id:ty {
        $($command:ident $(on $field:ident)? $(by $method:ident)? $([$armed:ident secret])?),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum $set {
            $(#[doc = concat!("See [`", stringify!($command), "`].")] $command($command),)+
        }

        impl $set {
            /// The command's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$command(_) => stringify!($command),)+
                }
            }

            /// The existing object that it is about; none where it creates one.
            pub fn target(&self) -> Option<$id> {
                match self {
                    $(Self::$command(command) => $crate::Command::target(command),)+
                }
            }

            /// Reads a command from JSON by its name; none if it is another aggregate's.
            pub fn read(
                name: &str,
                json: &serde_json::Value,
            ) -> Option<Result<Self, serde_json::Error>> {
                use serde::Deserialize;
                match name {
                    $(stringify!($command) => {
                        Some($command::deserialize(json).map(Self::$command))
                    })+
                    _ => None,
                }
            }

            /// Calls the visitor once per command of this aggregate.
            pub fn visit(visitor: &mut impl $crate::CommandVisitor) {
                $(visitor.command::<$command>();)+
            }
        }

        $(
            impl $crate::Command for $command {
                const NAME: &'static str = stringify!($command);
                type Id = $id;
                fn target(&self) -> Option<$id> {
                    let target: Option<$id> = None;
                    $(let target = target.or(Some(self.$field.clone()));)?
                    $(let target = target.or(Some(self.$method()));)?
                    target
                }
                $(
                    const HAS_SECRET: bool = true;
                    const ISSUES_SECRET: bool =
                        matches!(stringify!($armed).as_bytes(), b"issues");
                    fn arm(&mut self, armoury: &mut dyn $crate::access::Armoury) {
                        $command::arm(self, armoury);
                    }
                )?
            }

            impl From<$command> for $set {
                fn from(command: $command) -> Self {
                    Self::$command(command)
                }
            }

            impl From<$command> for $crate::DomainCommand {
                fn from(command: $command) -> Self {
                    $set::from(command).into()
                }
            }
        )+
    };
}
pub(crate) use commands;

/// Declares the whole language: every aggregate with its id, its events and its commands; `inner`
/// aggregates change only through the commands of others.
macro_rules! language {
    (
        commanded { $($name:ident: $id:ty, $event:ty, $command:ty;)+ }
        inner { $($inner:ident: $inner_id:ty, $inner_event:ty;)+ }
    ) => {
        /// A fact of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum DomainEvent {
            $(#[doc = concat!("A fact of ", stringify!($name), ".")] $name($event),)+
            $(#[doc = concat!("A fact of ", stringify!($inner), ".")] $inner($inner_event),)+
        }

        /// A command of any aggregate.
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum DomainCommand {
            $(#[doc = concat!("A command to ", stringify!($name), ".")] $name($command),)+
        }

        $(impl From<$event> for DomainEvent {
            fn from(event: $event) -> Self {
                Self::$name(event)
            }
        }

        impl From<$command> for DomainCommand {
            fn from(command: $command) -> Self {
                Self::$name(command)
            }
        }

        impl $crate::language::Event for $event {
            const TYPES: &'static [&'static str] = <$event as strum::VariantNames>::VARIANTS;
            fn type_name(&self) -> &'static str {
                self.into()
            }
            fn of(event: &DomainEvent) -> Option<&Self> {
                if let DomainEvent::$name(event) = event { Some(event) } else { None }
            }
        })+

        $(impl From<$inner_event> for DomainEvent {
            fn from(event: $inner_event) -> Self {
                Self::$inner(event)
            }
        }

        impl $crate::language::Event for $inner_event {
            const TYPES: &'static [&'static str] = <$inner_event as strum::VariantNames>::VARIANTS;
            fn type_name(&self) -> &'static str {
                self.into()
            }
            fn of(event: &DomainEvent) -> Option<&Self> {
                if let DomainEvent::$inner(event) = event { Some(event) } else { None }
            }
        })+

        impl DomainEvent {
            /// Reads a fact from the log: the stream's prefix names the aggregate.
            pub fn decode(
                stream: &str,
                type_name: &str,
                type_version: u16,
                data: &[u8],
            ) -> Result<Self, $crate::EventError> {
                use $crate::{kernel::StreamKey, language::Event};
                let data = $crate::upcast::current(type_name, type_version, data)?;
                match $crate::prefix(stream) {
                    $(<$id>::PREFIX => <$event>::decode(type_name, &data).map(Self::$name),)+
                    $(<$inner_id>::PREFIX => {
                        <$inner_event>::decode(type_name, &data).map(Self::$inner)
                    })+
                    _ => Err($crate::EventError::UnknownStream(stream.to_owned())),
                }
            }

            /// The fact's name, for example `OrderPlaced`.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(Self::$name(event) => event.into(),)+
                    $(Self::$inner(event) => event.into(),)+
                }
            }

            /// The version of the fact's shape.
            pub fn type_version(&self) -> u16 {
                use $crate::language::Event;
                match self {
                    $(Self::$name(event) => <$event>::type_version(event.into()),)+
                    $(Self::$inner(event) => <$inner_event>::type_version(event.into()),)+
                }
            }

            /// The fact's data as JSON text.
            pub fn encode(&self) -> Result<Vec<u8>, $crate::EventError> {
                use $crate::language::Event;
                match self {
                    $(Self::$name(event) => event.encode(),)+
                    $(Self::$inner(event) => event.encode(),)+
                }
            }

            /// Every aggregate: the prefix of its streams, its facts, the schema of its facts.
            pub fn catalogue() -> Vec<$crate::EventFamily> {
                vec![
                    $($crate::EventFamily::of::<$id, $event>(stringify!($name)),)+
                    $($crate::EventFamily::of::<$inner_id, $inner_event>(stringify!($inner)),)+
                ]
            }
        }

        impl DomainCommand {
            /// The command's name, for example `PlaceOrder`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(command) => command.name(),)+
                }
            }

            /// The stream of the existing object that it is about.
            pub fn target(&self) -> Option<String> {
                match self {
                    $(Self::$name(command) => command.target().map(|id| id.to_string()),)+
                }
            }

            /// Reads a command from JSON by its name; none if there is no such command.
            pub fn read(
                name: &str,
                json: &serde_json::Value,
            ) -> Option<Result<Self, serde_json::Error>> {
                None$(.or_else(|| <$command>::read(name, json).map(|read| read.map(Self::$name))))+
            }

            /// Calls the visitor once per command of the language.
            pub fn visit(visitor: &mut impl $crate::CommandVisitor) {
                $(<$command>::visit(visitor);)+
            }
        }
    };
}
pub(crate) use language;

/// The facts of one aggregate, for documents and checks.
#[derive(Debug)]
pub struct EventFamily {
    /// The aggregate's name, for example `Order`.
    pub aggregate: &'static str,
    /// The prefix of its streams, for example `order`.
    pub prefix: &'static str,
    /// The names of its facts with the version of each one's shape.
    pub types: Vec<(&'static str, u16)>,
    /// JSON Schema of all its facts.
    pub schema: schemars::Schema,
}

impl EventFamily {
    pub(crate) fn of<Id: StreamKey, E: Event>(aggregate: &'static str) -> Self {
        let types = E::TYPES
            .iter()
            .map(|name| (*name, E::type_version(name)))
            .collect();
        let schema = schemars::schema_for!(E);
        Self {
            aggregate,
            prefix: Id::PREFIX,
            types,
            schema,
        }
    }
}

/// The prefix of a stream's name: what stands before the first dash.
pub fn prefix(stream: &str) -> &str {
    stream.split_once('-').map_or(stream, |(prefix, _)| prefix)
}
