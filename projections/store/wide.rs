//! How sums are kept in documents.
//!
//! A number from outside has a published range, and text beyond it is refused. A sum of such
//! numbers may leave that range and must be readable all the same, so totals are read without it.

use rust_decimal::Decimal as Exact;
use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

pub(crate) fn serialize<T: std::fmt::Display, S: Serializer>(
    sum: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(sum)
}

pub(crate) fn deserialize<'de, T: From<Exact>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    Exact::from_str_exact(&text)
        .map(T::from)
        .map_err(D::Error::custom)
}

/// The same for a quotient of sums, which may be missing.
pub(crate) mod option {
    use daybook_schema::kernel::Decimal;
    use rust_decimal::Decimal as Exact;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(
        quotient: &Option<Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        quotient.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let exact = text.map(|text| Exact::from_str_exact(&text)).transpose();
        Ok(exact.map_err(D::Error::custom)?.map(Decimal))
    }
}
