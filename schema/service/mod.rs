//! Service: the complaints of customers, and what we do about them.

mod complaint;

pub use complaint::*;
