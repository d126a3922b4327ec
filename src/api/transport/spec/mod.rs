//! The transport from outside.
