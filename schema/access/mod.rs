//! Access: who may act here and as what, how they prove who they are, and how they are grouped.

mod account;
mod api_key;
mod role;
mod secret;
mod session;
mod team;

pub use account::*;
pub use api_key::*;
pub use role::*;
pub use secret::*;
pub use session::*;
pub use team::*;
