//! Governance: the organisation itself, its policies, its document numbers and natural keys, and
//! the tenants of a house.

mod erasure;
mod natural_key;
mod number_series;
mod organisation;
mod policy;
mod tenant;

pub use erasure::*;
pub use natural_key::*;
pub use number_series::*;
pub use organisation::*;
pub use policy::*;
pub use tenant::*;
