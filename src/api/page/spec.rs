//! The page from outside.
