//! Leads, and the opportunities that the good ones become.

pub(crate) mod lead;
pub(crate) mod opportunity;
mod progress;
#[cfg(test)]
mod spec;
mod stages;
