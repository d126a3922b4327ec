//! Orders: what customers bought, and how it gets to them (订单, 发货).

mod order;
mod shipment;
mod status;

pub use order::*;
pub use shipment::*;
pub use status::*;
