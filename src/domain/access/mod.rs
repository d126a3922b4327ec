//! Access: accounts, teams, keys and sessions; what each role may do; and who may do what now.

pub(crate) mod account;
pub(crate) mod api_key;
mod authority;
mod permissions;
pub(crate) mod session;
#[cfg(test)]
mod spec;
pub(crate) mod team;

pub use authority::{AccessRejection, Authority, Cited, authorise};
pub use permissions::{COMMANDS, KINDS, QUERIES, QueryRule, may_list, query_rule};
pub use permissions::{CommandRule, FieldClass, KindRule, command_rule, is_held, kind_rule};
