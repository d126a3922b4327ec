//! Orders and their shipments.

pub(crate) mod fulfilment;
pub(crate) mod lines;
pub(crate) mod order;
pub(crate) mod pricing;
pub(crate) mod shipment;
#[cfg(test)]
mod spec;
