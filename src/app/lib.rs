//! One organisation at work: its desk decides commands, its log keeps them, its read models show
//! them.
//!
//! ```text
//!  Envelope ─► Desk ─queue─► desk thread ─batch─► writer thread ─► log ─► projection thread
//!               ▲            decides, stages      one sync a batch        folds, publishes
//!                 └──────────── Receipt ◄──────────────────┘
//! ```
//! * [`desk`]: one writer per organisation. Commands are decided one after the other against
//!   states that already include everything decided before, so a rule over several objects is a
//!   plain predicate. While one batch is being synced the next is decided.
//! * [`projection`]: follows the log, and tells who waits how far it has come.
//! * [`organisation`]: opens all of it in one folder, founds it, and closes it in order.
//! * [`House`]: many organisations in one process, opened as they are entered.
//! * [`Seals`]: personal text is sealed before it reaches the log, and opened where it is read.
//! * [`import`]: rows of files become commands by a mapping file.

pub mod access;
pub mod demo;
mod desk;
mod envelope;
mod erasure;
mod error;
mod founding;
mod house;
pub mod import;
mod keys;
mod offline;
mod organisation;
mod projection;
mod seals;
#[cfg(test)]
mod spec;
mod subject;

pub use desk::{Desk, DeskOptions, DeskStats};
pub use envelope::{CommandError, Envelope, Receipt, ReceiptEvent};
pub use erasure::abandon_lost_keys;
pub use error::AppError;
pub use founding::{Founding, default_policies};
pub use house::{Created, Directory, House, HouseError, HouseOptions, Lease};
pub use keys::{backup, key_status, rotate_master_key};
pub use offline::{damaged_log_folder, open_log, own_log_folder, restore};
pub use organisation::{Comparison, Opening, Organisation, OrganisationOptions, rebuild_offline};
pub use projection::{Applied, Projection, Rebuilt};
pub use seals::{MasterKeySource, Seals};
pub use subject::{SubjectCommit, SubjectExport, export, export_offline};
