//! Specs of the service context.
