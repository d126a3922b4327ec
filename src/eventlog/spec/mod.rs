//! Tests that open real logs in real folders.
#![expect(clippy::unwrap_used, reason = "a failing step is a failing test")]

mod append_and_read;
mod archive;
mod damage;
mod disk;
mod formats;
mod helpers;
mod index;
mod kill;
mod opening;
mod properties;
mod tails;
mod verify;
