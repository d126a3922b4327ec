//! The store of read models: SQLite, written by one projector in the order of the log.
//!
//! ```text
//!  commits ──► Tables (rows in memory, folded) ──flush──► SQLite ──► Snapshot ──► page, get, count
//!                     ▲ missing rows are read back          rows and checkpoint in one transaction
//! ```
//! * A batch of commits is folded in memory; each row it changed is written once, in the same
//!   transaction as the position reached. A reader's transaction therefore sees one position.
//! * What live writes leave in the WAL is moved into the database by a connection of its own, so
//!   that its syncs do not hold up the projector.
//! * The log is the truth: live writes use WAL without syncing, a rebuild writes without a journal.
//! * A row that an event cannot be applied to is parked: it is left as it was, listed in `parked`
//!   with the reason, and every answer that shows it says so.
//! * What an identity may not see is kept from it in one place: the snapshot that it reads.
//! * The store knows no domain; what is folded, and how, stands in the contexts beside it.

mod commit;
mod database;
mod digest;
mod document;
mod error;
mod lines;
mod mask;
mod projector;
mod query;
mod row;
mod rows;
mod scan;
mod search;
mod snapshot;
mod tables;
mod view;
pub(crate) mod wide;

pub use commit::{Commit, CommitEvent, Decoded};
pub use database::{Checkpointer, Database};
pub use document::Document;
pub use error::StoreError;
pub use mask::WITHHELD;
pub use projector::{Definitions, Fact, Projector, ReadModel};
pub use query::{Condition, Cursor, CursorError, Direction, Operator, Order, Page, PageRequest};
pub use row::{
    Cell, Class, Column, ColumnKind, Entry, Row, Stamp, Words, enum_column, from_millionths,
    millionths,
};
pub(crate) use row::{class_of, flagged, parsed, parsed_option, table};
pub use rusqlite::types::Value as SqlValue;
pub use search::{SearchHit, search_query};
pub use snapshot::{Parked, Readers, Snapshot};
pub use tables::{FoldError, Tables};
#[cfg(test)]
pub(crate) use view::Way;
pub(crate) use view::{
    Form, Hands, Reached, Rows as Visible, Rule, Sum, Terms, each_seen, put_sum, widen,
};
pub use view::{KindView, Reach, View};
