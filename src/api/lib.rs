//! api
pub mod health;
pub mod metrics;
pub mod page;
pub mod transport;
