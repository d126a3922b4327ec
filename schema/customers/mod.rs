//! Customers: who we sell to, their contacts, their grade, and every talk with them.

mod customer;
mod interaction;

pub use customer::*;
pub use interaction::*;
