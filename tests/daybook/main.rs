//! All integration tests in one binary: one link instead of many.

#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

mod access;
mod bad_input;
mod books;
mod cli;
mod codes;
mod configuration;
mod crash;
mod damage;
mod follower;
mod golden;
mod hardening;
mod house;
mod house_rules;
mod imports;
mod opening;
mod paths;
mod personal;
mod published;
mod refusals;
mod refused_folders;
mod secrets;
mod server;
mod story;
