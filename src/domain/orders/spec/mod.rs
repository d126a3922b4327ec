//! Specs of the orders context.

mod conservation;
mod order;
mod pricing;
mod shipment;
mod status;
