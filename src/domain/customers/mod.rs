//! Customers and every talk with them.

pub(crate) mod customer;
pub(crate) mod interaction;
#[cfg(test)]
mod spec;
