//! How a text-shaped value becomes JSON, JSON Schema and a GraphQL scalar, written once.

/// Gives a type with `Display` and `FromStr` its serde form, JSON Schema and GraphQL scalar.
///
/// `$graphql` is the scalar's name in the API; several Rust types may share one (ids are all
/// `ID`), so the description is given here and not taken from the type's own documentation.
macro_rules! text_scalar {
    ($type:ty, $graphql:literal, $description:expr
        $(, url = $url:literal)? $(, format = $format:literal)?) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // The scalar's name goes along for those who look for ids in a command.
                serializer.serialize_newtype_struct($graphql, &format_args!("{self}"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($description)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": $description
                    $(, "format": $format)?
                })
            }
        }

        impl async_graphql::InputType for $type {
            type RawValueType = Self;
            fn type_name() -> std::borrow::Cow<'static, str> {
                $graphql.into()
            }
            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                let url = None $(.or(Some($url)))?;
                $crate::kernel::scalar::register(registry, $graphql, $description, url)
            }
            fn parse(
                value: Option<async_graphql::Value>,
            ) -> async_graphql::InputValueResult<Self> {
                match value.unwrap_or_default() {
                    async_graphql::Value::String(text) => {
                        text.parse::<$type>().map_err(async_graphql::InputValueError::custom)
                    }
                    other => Err(async_graphql::InputValueError::expected_type(other)),
                }
            }
            fn to_value(&self) -> async_graphql::Value {
                async_graphql::Value::String(self.to_string())
            }
            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl async_graphql::OutputType for $type {
            fn type_name() -> std::borrow::Cow<'static, str> {
                $graphql.into()
            }
            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <Self as async_graphql::InputType>::create_type_info(registry)
            }
            async fn resolve(
                &self,
                _: &async_graphql::ContextSelectionSet<'_>,
                _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                Ok(async_graphql::Value::String(self.to_string()))
            }
        }
    };
}
pub(crate) use text_scalar;

use async_graphql::registry::{MetaType, Registry};

/// Registers a scalar under its GraphQL name and gives its type where a value must be there; the
/// built-in `ID` and `String` are left as they are.
pub(crate) fn register(
    registry: &mut Registry,
    name: &'static str,
    description: &'static str,
    url: Option<&'static str>,
) -> String {
    if name == "String" {
        return <String as async_graphql::OutputType>::create_type_info(registry);
    }
    if name == "ID" {
        return <async_graphql::ID as async_graphql::OutputType>::create_type_info(registry);
    }
    registry
        .types
        .entry(name.to_owned())
        .or_insert_with(|| MetaType::Scalar {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            is_valid: Some(std::sync::Arc::new(|value| {
                matches!(value, async_graphql::Value::String(_))
            })),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: url.map(str::to_owned),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        });
    format!("{name}!")
}
