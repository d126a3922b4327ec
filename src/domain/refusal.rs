//! How a rule says no.

use daybook_schema::commit::Refusal;

use crate::Fault;

/// A rule of an aggregate that a command broke: an enum with one variant per rule.
pub trait Rejection: std::error::Error {
    /// The stable codes of all rules of the aggregate.
    const CODES: &'static [&'static str];

    /// The stable code of this rule, for example `INSUFFICIENT_STOCK`.
    fn code(&self) -> &'static str;

    /// The path of the input field at fault; empty where the whole command is.
    fn field(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub enum Declined {
    /// A rule said no; the refusal is recorded.
    Refused(Refusal),
    /// Something technical went wrong; nothing is recorded.
    Fault(Fault),
}

impl<R: Rejection> From<R> for Declined {
    fn from(rejection: R) -> Self {
        Self::Refused(Refusal {
            code: rejection.code().to_owned(),
            message: rejection.to_string(),
            field: rejection
                .field()
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
        })
    }
}

impl From<Fault> for Declined {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Gives an enum of rules its stable codes, which are its variants' names in upper case, and the
/// input field that each rule is about.
macro_rules! rejection {
    ($type:ty $(, $pattern:pat => $field:expr)* $(,)?) => {
        impl $crate::Rejection for $type {
            const CODES: &'static [&'static str] = <$type as strum::VariantNames>::VARIANTS;

            fn code(&self) -> &'static str {
                self.into()
            }

            fn field(&self) -> &'static [&'static str] {
                match self {
                    $($pattern => &$field,)*
                    #[allow(unreachable_patterns, reason = "some enums name a field for each rule")]
                    _ => &[],
                }
            }
        }
    };
}
pub(crate) use rejection;

/// Rules that every aggregate shares.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum CommonRejection {
    /// The command is about an object that does not exist.
    #[error("there is no `{id}`")]
    NotFound {
        /// The id that was given.
        id: String,
    },
    /// The command would change nothing.
    #[error("`{id}` already is as the command wants it")]
    NothingToChange {
        /// The object.
        id: String,
    },
    /// The id of the command already made another object.
    #[error("`{id}` exists already")]
    AlreadyExists {
        /// The object.
        id: String,
    },
    /// An amount or a quantity left the range that can be kept exactly.
    #[error("the amount is out of range: {message}")]
    AmountOutOfRange {
        /// What could not be calculated.
        message: String,
    },
}
rejection!(CommonRejection);

impl CommonRejection {
    pub(crate) fn not_found(id: &impl ToString) -> Declined {
        Self::NotFound { id: id.to_string() }.into()
    }

    pub(crate) fn nothing_to_change(id: &impl ToString) -> Declined {
        Self::NothingToChange { id: id.to_string() }.into()
    }

    pub(crate) fn already_exists(id: &impl ToString) -> Declined {
        Self::AlreadyExists { id: id.to_string() }.into()
    }
}

impl From<daybook_schema::kernel::MoneyError> for Declined {
    fn from(error: daybook_schema::kernel::MoneyError) -> Self {
        CommonRejection::AmountOutOfRange {
            message: error.to_string(),
        }
        .into()
    }
}
