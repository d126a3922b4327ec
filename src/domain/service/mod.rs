//! Complaints and their remedies.

pub(crate) mod complaint;
#[cfg(test)]
mod spec;
