//! Bounded text, so that no field is empty by accident or longer than a reader can bear.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{StreamKey, text_scalar};

/// Text that does not fit its field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// Longer than the field allows.
    #[error("the text has {length} characters, at most {limit} are allowed")]
    TooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// Shorter than the field allows.
    #[error("the text is shorter than {limit} characters")]
    TooShort {
        /// Characters required.
        limit: usize,
    },
    /// A control character other than a line break or a tab.
    #[error("the text holds a control character")]
    Control,
    /// The beginning of what only the record writes, for text that it sealed.
    #[error("the text begins with `sealed:`, which is kept for sealed text")]
    Sealed,
    /// A character that codes do not have.
    #[error("`{0}` may hold only letters, digits and . _ - / @ + :")]
    NotCode(String),
}

fn bounded(text: &str, limit: usize, lines: bool) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.starts_with("sealed:") {
        return Err(TextError::Sealed);
    }
    let length = text.chars().count();
    if length > limit {
        return Err(TextError::TooLong { length, limit });
    }
    let allowed = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !allowed(c)) {
        return Err(TextError::Control);
    }
    Ok(text.to_owned())
}

fn code(text: &str, limit: usize) -> Result<String, TextError> {
    let text = bounded(text, limit, false)?;
    let allowed = |c: char| c.is_alphanumeric() || "._-/@+:".contains(c);
    if text.chars().all(allowed) {
        Ok(text)
    } else {
        Err(TextError::NotCode(text))
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $check:expr, $description:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// A text written in the source, which is trusted to be well formed.
            pub fn constant(text: &'static str) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                let check: fn(&str) -> Result<String, TextError> = $check;
                check(text).map(|text| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_scalar!($name, "String", $description);
    )+};
}

texts! {
    /// A name or title of one line: 1 to 200 characters.
    Name: |text| bounded(text, 200, false), "one line of 1 to 200 characters";
    /// A remark of several lines: 1 to 4 000 characters.
    Note: |text| bounded(text, 4_000, true), "text of 1 to 4000 characters";
    /// A business code such as a SKU: 1 to 64 letters, digits and `. _ - / @ + :`.
    Code: |text| code(text, 64), "code of 1 to 64 letters, digits and . _ - / @ + :";
    /// The user name of a person or program that acts, for example `li.wei`.
    Actor: |text| code(text, 64), "user name of 1 to 64 letters, digits and . _ - / @ + :";
}

impl Name {
    /// The name of a role; every one of them is short and well formed.
    pub fn of_role(role: crate::access::Role) -> Self {
        Self(role.to_string().into())
    }

    /// An id where people may also write words; every id is short and well formed.
    pub fn of_id(id: &impl StreamKey) -> Self {
        Self(id.to_string().into())
    }
}

/// A postal address as written on the parcel.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    async_graphql::SimpleObject,
    async_graphql::InputObject,
)]
#[graphql(input_name = "AddressInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub street: Option<Name>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub city: Option<Name>,
    /// Province, state or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub region: Option<Name>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub postal_code: Option<Name>,
    /// Country, by name or code, as the organisation writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Name>,
}

/// Something that may belong to one object only, in the form in which it is compared.
///
/// Tax numbers lose everything but letters and digits; phones everything but digits; e-mail
/// addresses and names are lower-cased and their white space is folded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NaturalKey {
    /// What kind of key, for example `taxNumber`.
    pub kind: &'static str,
    /// The normalised value.
    pub value: String,
}

impl NaturalKey {
    /// A key compared by its letters and digits only, such as a tax number (税号).
    pub fn alphanumeric(kind: &'static str, text: &str) -> Self {
        let kept = text.chars().filter(|c| c.is_alphanumeric());
        Self {
            kind,
            value: kept.flat_map(char::to_uppercase).collect(),
        }
    }

    /// A key compared by its digits only, such as a phone number.
    pub fn digits(kind: &'static str, text: &str) -> Self {
        Self {
            kind,
            value: text.chars().filter(char::is_ascii_digit).collect(),
        }
    }

    /// A key compared without case and repeated white space, such as a name or an e-mail address.
    pub fn folded(kind: &'static str, text: &str) -> Self {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        Self {
            kind,
            value: words.join(" "),
        }
    }
}
