//! Identifiers. An object's id is the name of its stream: `order-0190f3c2-…`.
//!
//! The same text stands in commands, events, GraphQL (`ID`), logs and URLs, and says by itself
//! what it names. Ids of new objects are derived from the command that creates them, so that a
//! decision needs no source of randomness and a repeated import finds the same objects.

use uuid::Uuid;

/// An identifier that is also the name of a stream in the log.
pub trait StreamKey: Sized + Clone + std::fmt::Display + std::str::FromStr {
    /// The word before the first dash, for example `order`.
    const PREFIX: &'static str;
}

/// Text that should have been an id but is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}-…`")]
pub struct ParseIdError {
    /// The prefix that was expected.
    pub prefix: &'static str,
    /// What was given, cut to a printable length.
    pub text: String,
}

impl ParseIdError {
    pub(crate) fn new(prefix: &'static str, text: &str) -> Self {
        Self {
            prefix,
            text: text.chars().take(80).collect(),
        }
    }
}

/// Strips `prefix-` from an id's text.
pub(crate) fn strip<'a>(prefix: &'static str, text: &'a str) -> Result<&'a str, ParseIdError> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('-'))
        .ok_or_else(|| ParseIdError::new(prefix, text))
}

/// Reads the canonical form of a UUID only: one object has one spelling of its id.
pub(crate) fn canonical(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    (id.as_hyphenated().encode_lower(&mut buffer) == text).then_some(id)
}

/// A UUID that names no stream: a command, a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId(pub Uuid);

impl std::fmt::Display for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl std::str::FromStr for UniqueId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| ParseIdError::new("uuid", text))
    }
}

super::text_scalar!(
    UniqueId,
    "UUID",
    "UUID of RFC 9562, for example 0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e.",
    url = "https://datatracker.ietf.org/doc/html/rfc9562",
    format = "uuid"
);

/// Declares ids made of one UUID.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub uuid::Uuid);

        impl $crate::kernel::StreamKey for $name {
            const PREFIX: &'static str = $prefix;
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0.as_hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::ParseIdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let id = $crate::kernel::id::strip($prefix, text)?;
                $crate::kernel::id::canonical(id)
                    .map(Self)
                    .ok_or_else(|| $crate::kernel::ParseIdError::new($prefix, text))
            }
        }

        $crate::kernel::text_scalar!($name, "ID", concat!("id of the form `", $prefix, "-<uuid>`"));
    )+};
}
pub(crate) use ids;

/// Declares an id made of two others: `stockItem-<product>.<warehouse>`.
macro_rules! compound_id {
    ($(#[$doc:meta])* $name:ident = $prefix:literal {
        $first:ident: $First:ty, $second:ident: $Second:ty
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            #[doc = concat!("The ", stringify!($first), ".")]
            pub $first: $First,
            #[doc = concat!("The ", stringify!($second), ".")]
            pub $second: $Second,
        }

        impl $crate::kernel::StreamKey for $name {
            const PREFIX: &'static str = $prefix;
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let (first, second) = (self.$first.0, self.$second.0);
                write!(f, concat!($prefix, "-{}.{}"), first.as_hyphenated(), second.as_hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::ParseIdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let pair = $crate::kernel::id::strip($prefix, text)?;
                pair.split_once('.')
                    .and_then(|(first, second)| {
                        Some(Self {
                            $first: <$First>::from($crate::kernel::id::canonical(first)?),
                            $second: <$Second>::from($crate::kernel::id::canonical(second)?),
                        })
                    })
                    .ok_or_else(|| $crate::kernel::ParseIdError::new($prefix, text))
            }
        }

        $crate::kernel::text_scalar!(
            $name,
            "ID",
            concat!("id of the form `", $prefix, "-<uuid>.<uuid>`")
        );
    };
}
pub(crate) use compound_id;
