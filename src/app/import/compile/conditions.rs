//! Conditions of a mapping: each is one test of one text, or a choice of conditions.

use super::{Compiler, scalar};
use crate::import::{
    condition::{Condition, Test},
    error::MappingError,
    format,
    place::Place,
};

impl Compiler<'_> {
    pub(in crate::import) fn conditions(
        &self,
        path: &str,
        conditions: &[format::Condition],
        place: &Place<'_>,
    ) -> Result<Vec<Condition>, MappingError> {
        let numbered = conditions.iter().enumerate();
        numbered
            .map(|(at, one)| self.condition(&format!("{path}[{at}]"), one, place))
            .collect()
    }

    fn condition(
        &self,
        path: &str,
        raw: &format::Condition,
        place: &Place<'_>,
    ) -> Result<Condition, MappingError> {
        let mut tests = self.tests(path, raw)?;
        match (&raw.column, &raw.value, &raw.any, tests.pop()) {
            (None, None, Some(any), None) => self
                .conditions(&format!("{path}.any"), any, place)
                .map(Condition::Any),
            (Some(column), None, None, Some(test)) if tests.is_empty() => {
                let text = place.column(&format!("{path}.column"), column)?;
                Ok(Condition::Test { text, test })
            }
            (None, Some(value), None, Some(test)) if tests.is_empty() => {
                let text = place.template(&format!("{path}.value"), value)?;
                Ok(Condition::Test { text, test })
            }
            _ => Err(MappingError::invalid(
                path,
                "a condition is either `any` with a list of conditions, or `column` or `value` \
                 with one of empty, equals, not_equals, one_of, none_of, above, at_least, below, \
                 at_most",
            )),
        }
    }

    fn tests(&self, path: &str, raw: &format::Condition) -> Result<Vec<Test>, MappingError> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let mut tests: Vec<Test> = raw.empty.map(Test::Empty).into_iter().collect();
        let one = |value: &Option<toml::Value>| value.clone().map(|value| vec![value]);
        let sets = [
            (one(&raw.equals), true),
            (one(&raw.not_equals), false),
            (raw.one_of.clone(), true),
            (raw.none_of.clone(), false),
        ];
        for (values, wanted) in sets {
            let Some(values) = values else { continue };
            let texts = values.iter().map(|value| scalar(path, value));
            let texts = texts.collect::<Result<_, _>>()?;
            tests.push(Test::OneOf { texts, wanted });
        }
        let comparisons: [(_, &'static [_]); 4] = [
            (&raw.above, &[Greater]),
            (&raw.at_least, &[Greater, Equal]),
            (&raw.below, &[Less]),
            (&raw.at_most, &[Less, Equal]),
        ];
        for (value, accepted) in comparisons {
            let Some(value) = value else { continue };
            tests.push(Test::Compare {
                with: scalar(path, value)?,
                accepted,
                numbers: self.numbers(None, None),
            });
        }
        Ok(tests)
    }
}
