//! Specs of the orders context.
