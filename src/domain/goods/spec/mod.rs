//! Specs of the goods context.
