//! Specs of the customers context.

mod customer;
