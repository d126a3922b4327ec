//! The shared kernel: the small words that every context uses.
//!
//! Each type validates itself when it is made, so that a command that reached a decider is
//! well formed. All of them read and write as plain JSON text or numbers, and none knows a clock.

pub(crate) mod id;
mod money;
mod number;
pub(crate) mod scalar;
mod text;
mod time;

pub use id::{ParseIdError, StreamKey, UniqueId};
pub(crate) use id::{compound_id, ids};
pub use money::{Amount, Currency, Money, MoneyError};
pub use number::{BasisPoints, BigInt, Decimal, NumberError, Quantity};
pub(crate) use scalar::text_scalar;
pub use text::{Actor, Address, Code, Name, NaturalKey, Note, TextError};
pub use time::{Date, DateTime, TimeError};
