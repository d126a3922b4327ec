//! Governance: founding, policies, document numbers, natural keys, erasures.

pub(crate) mod erasure;
pub(crate) mod natural_key;
pub(crate) mod number_series;
pub(crate) mod organisation;
pub(crate) mod policy;
#[cfg(test)]
mod spec;
pub(crate) mod tenant;
#[cfg(test)]
mod tenant_spec;
