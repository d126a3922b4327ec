//! Values of a mapping that are made of texts: cells, sums and ids.

use super::{Compiler, scalar};
use crate::import::{
    convert::{Numbers, Zone},
    error::{MappingError, MappingProblem},
    expression::{CellPlan, Conversion, IdPlan, ValuePlan},
    format::{self, Kind, ValueTable},
    place::Place,
    template::Template,
};

impl Compiler<'_> {
    pub(super) fn numbers(&self, decimal: Option<char>, thousands: Option<char>) -> Numbers {
        Numbers {
            decimal: decimal.unwrap_or(self.defaults.decimal),
            thousands: thousands.or(self.defaults.thousands),
        }
    }

    pub(super) fn cell(
        &self,
        path: &str,
        text: Template,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<ValuePlan, MappingError> {
        let values = raw.values.as_ref().map(|values| {
            let pairs = values.iter();
            pairs
                .map(|(from, to)| {
                    let path = format!("{path}.values.{from}");
                    Ok((from.clone(), scalar(&path, to)?))
                })
                .collect::<Result<_, MappingError>>()
        });
        let otherwise = raw.otherwise.as_ref();
        let otherwise = otherwise.map(|text| {
            let path = format!("{path}.otherwise");
            place.template(&path, &scalar(&path, text)?)
        });
        let default = raw.default.as_deref().unwrap_or_default();
        Ok(ValuePlan::Cell(Box::new(CellPlan {
            text,
            default: place.template(&format!("{path}.default"), default)?,
            values: values.transpose()?,
            otherwise: otherwise.transpose()?,
            numbers: self.numbers(raw.decimal, raw.thousands),
            conversion: self.conversion(path, raw, place)?,
        })))
    }

    pub(super) fn sum(
        &self,
        path: &str,
        of: &str,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<ValuePlan, MappingError> {
        let path = format!("{path}.sum");
        if !place.grouped {
            let problem = "sums are made of the rows of a group; the step needs `group_by`";
            return Err(MappingError::invalid(path, problem));
        }
        if !matches!(raw.kind, None | Some(Kind::Decimal | Kind::Money)) {
            return Err(MappingError::invalid(path, "a sum is a decimal or money"));
        }
        Ok(ValuePlan::Sum {
            of: place.template(&path, of)?,
            numbers: self.numbers(raw.decimal, raw.thousands),
            conversion: self.conversion(&path, raw, place)?,
        })
    }

    fn conversion(
        &self,
        path: &str,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<Conversion, MappingError> {
        Ok(match raw.kind.unwrap_or_default() {
            Kind::Text => Conversion::Text,
            Kind::Lower => Conversion::Lower,
            Kind::Upper => Conversion::Upper,
            Kind::User => Conversion::User,
            Kind::Integer => Conversion::Integer,
            Kind::Decimal => Conversion::Decimal,
            Kind::Percent => Conversion::BasisPoints { per_unit: 100 },
            Kind::Ratio => Conversion::BasisPoints { per_unit: 10_000 },
            Kind::Boolean => Conversion::Boolean,
            Kind::Money => {
                let currency = raw.currency.as_ref().or(self.defaults.currency.as_ref());
                let currency = currency.ok_or_else(|| {
                    MappingError::invalid(path, "money needs a `currency`, here or in `defaults`")
                })?;
                let currency = place.template(&format!("{path}.currency"), currency)?;
                Conversion::Money { currency }
            }
            Kind::Date => {
                let format = raw.format.as_ref().unwrap_or(&self.defaults.date);
                let format = date_format(&format!("{path}.format"), format)?;
                Conversion::Date { format }
            }
            Kind::DateTime => {
                let format = raw.format.as_ref().or(self.defaults.date_time.as_ref());
                let format = format.map(|text| date_format(&format!("{path}.format"), text));
                let zone = raw.zone.as_ref().unwrap_or(&self.defaults.zone);
                Conversion::DateTime {
                    format: format.transpose()?,
                    zone: zone_of(&format!("{path}.zone"), zone)?,
                }
            }
        })
    }

    pub(super) fn id(
        &self,
        path: &str,
        kind: &str,
        raw: &ValueTable,
        place: &Place<'_>,
    ) -> Result<IdPlan, MappingError> {
        let kind = kind.to_owned();
        let key = |text: &str| place.template(&format!("{path}.key"), text);
        match (&raw.key, &raw.of, &raw.number, raw.parts.as_deref()) {
            (Some(text), None, None, None) => Ok(IdPlan::Object {
                kind: self.kind(path, kind)?,
                key: key(text)?,
            }),
            (Some(text), Some(of), Some(number), None) => Ok(IdPlan::Numbered {
                kind,
                of: self.kind(&format!("{path}.of"), of.clone())?,
                key: key(text)?,
                number: place.template(&format!("{path}.number"), number)?,
            }),
            (None, None, None, Some([first, second])) => {
                let part = |part: &format::Part| {
                    let path = format!("{path}.parts");
                    let kind = self.kind(&path, part.id.clone())?;
                    Ok((kind, place.template(&path, &part.key)?))
                };
                let parts = [part(first)?, part(second)?];
                Ok(IdPlan::Pair { kind, parts })
            }
            _ => Err(MappingError::invalid(
                path,
                "an id has a `key`; or `of`, `key` and `number` where one command makes several; \
                 or two `parts`",
            )),
        }
    }

    fn kind(&self, path: &str, name: String) -> Result<String, MappingError> {
        let allowed = self.catalogue.kinds();
        if allowed.contains(&name) {
            return Ok(name);
        }
        let what = "kind of object";
        let problem = MappingProblem::UnknownReference {
            what,
            name,
            allowed,
        };
        Err(MappingError::new(path, problem))
    }
}

pub(in crate::import) fn zone_of(path: &str, text: &str) -> Result<Zone, MappingError> {
    text.parse()
        .map_err(|problem: String| MappingError::invalid(path, problem))
}

fn date_format(path: &str, format: &str) -> Result<String, MappingError> {
    let mut items = chrono::format::StrftimeItems::new(format);
    if items.any(|item| item == chrono::format::Item::Error) {
        let problem = format!("`{format}` is not a date format such as %d.%m.%Y");
        return Err(MappingError::invalid(path, problem));
    }
    Ok(format.to_owned())
}
