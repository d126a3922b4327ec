//! Specs of the pipeline context.
