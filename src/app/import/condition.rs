//! Which rows, commands and values are meant.

use std::cmp::Ordering;

use super::{
    convert::Numbers,
    template::{Scope, Template},
};

/// Something that holds of a row or does not.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A test of one text.
    Test { text: Template, test: Test },
    /// At least one of these holds.
    Any(Vec<Condition>),
}

/// A test of a text.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// Whether it is empty.
    Empty(bool),
    /// Whether it is, or is not, one of these, letter by letter.
    OneOf { texts: Vec<String>, wanted: bool },
    /// How it compares: as numbers where both are, otherwise letter by letter. Nothing compares
    /// with an empty text.
    Compare {
        with: String,
        accepted: &'static [Ordering],
        numbers: Numbers,
    },
}

/// Whether all of them hold.
pub(super) fn all(conditions: &[Condition], scope: &Scope<'_>) -> bool {
    conditions.iter().all(|condition| condition.holds(scope))
}

impl Condition {
    fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::Any(conditions) => conditions.iter().any(|one| one.holds(scope)),
            Self::Test { text, test } => test.holds(&text.render(scope)),
        }
    }
}

impl Test {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Empty(wanted) => text.is_empty() == *wanted,
            Self::OneOf { texts, wanted } => texts.iter().any(|one| one == text) == *wanted,
            Self::Compare {
                with,
                accepted,
                numbers,
            } => {
                let order = match (numbers.read(text), numbers.read(with)) {
                    (Ok(left), Ok(right)) => left.cmp(&right),
                    _ => text.cmp(with),
                };
                !text.is_empty() && accepted.contains(&order)
            }
        }
    }
}
