//! The pipeline: leads, and the opportunities that the good ones become.

mod lead;
mod opportunity;

pub use lead::*;
pub use opportunity::*;
