//! The log engine of Daybook: an append-only, hash-chained log of commits on sled.

mod archive;
mod archive_walk;
mod backup;
mod block;
mod chain;
mod commit;
mod disk;
mod error;
mod feed;
mod format;
mod hash;
mod head;
mod index;
mod index_file;
mod index_sums;
mod inspect;
mod open;
mod options;
mod pack;
mod piece;
mod progress;
mod quarantine;
mod quiet;
mod reader;
mod recent;
mod restore;
mod scan;
mod shared;
mod space;
mod stats;
mod store;
mod stream;
mod survey;
mod tail;
mod verify;
mod verify_pass;
mod wire;
mod workers;
mod writer;

#[cfg(test)]
mod spec;

pub use backup::{BackupReport, backup, backup_dir};
pub use block::{Block, BlockFault, MAX_BLOCK_BYTES};
pub use commit::{Commit, CommitRef, CommitRefs, EventRef, Events, NewCommit, NewEvent};
pub use error::LogError;
pub use hash::{Hash, Head};
pub use open::{IndexReport, OpenReport, Opened};
pub use options::LogOptions;
pub use progress::Progress;
pub use reader::{Log, LogState};
pub use restore::{RestoreOptions, RestoreReport, restore};
pub use scan::{Blocks, Scan, ScanBack};
pub use stats::{LogStats, SYNC_BUCKETS_US};
pub use stream::{StreamEvent, StreamScan};
pub use survey::{ArchiveReport, PositionRange};
pub use tail::Tail;
pub use verify::{Area, Finding, VerifyReport, verify, verify_dir};
pub use writer::{Appended, Writer};

/// The number of a commit in its log. The first is 1; 0 stands for "before everything".
pub type Position = u64;

/// The greatest stored size of one commit, in bytes: see [`NewCommit::encoded_bytes`].
pub const MAX_COMMIT_BYTES: usize = 1 << 20;
