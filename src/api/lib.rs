//! The API of an organisation: GraphQL over HTTP, sockets and event streams, and what operators
//! ask of the process.
//!
//! [`graphql`] is the schema and knows no transport; [`transport`] carries requests by the
//! specifications and knows no schema; [`page`] is the query page; [`health`] and [`metrics`] are
//! for operators.

pub mod graphql;
pub mod health;
pub mod metrics;
pub mod page;
pub mod session;
pub mod transport;
