//! Governance: founding, policies, document numbers, natural keys.

pub(crate) mod natural_key;
pub(crate) mod number_series;
pub(crate) mod organisation;
pub(crate) mod policy;
