//! The demo's own truths: it is the same everywhere, speaks the whole language, and is decided
//! as it means to be.

mod story;
