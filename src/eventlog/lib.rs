//! # The log engine of Daybook
//!
//! An append-only log of commits, one per organisation: atomic, durable, hash-chained, with
//! gapless positions. It knows bytes, streams and positions; it knows no domain, no clock, no
//! JSON, and nobody's data but its own folder's.
//!
//! ```no_run
//! use daybook_eventlog::{Log, LogOptions, NewCommit};
//!
//! # fn main() -> Result<(), daybook_eventlog::LogError> {
//! # let dir = std::path::Path::new("log");
//! # let (organisation, command_id) = (uuid::Uuid::nil(), uuid::Uuid::nil());
//! let mut opened = Log::open(dir, LogOptions::new(organisation))?;
//! let commit = NewCommit { command_id, meta: b"{}".to_vec(), events: vec![] };
//! let appended = opened.writer.append(&[commit])?;      // returns when it survives a power cut
//! for commit in opened.log.read(0) {
//!     println!("{}", commit?.position());
//! }
//! # assert_eq!(appended.head, opened.log.head());
//! opened.writer.close()?;
//! # Ok(()) }
//! ```
//!
//! ## One writer, many readers
//!
//! ```text
//!             append(group)
//!                  │
//!             ┌────▼────┐ insert, flush, sync  ┌──────────────┐
//!             │ Writer  │─────────────────────▶│ sled: blocks │◀── reads far behind the head
//!             └────┬────┘                      └──────────────┘
//!        durable   │ then the head record, and only then
//!             ┌────▼────┐
//!             │  Feed   │ durable head, ring of recent groups
//!             └┬───┬───┬┘
//!      ┌───────┘   │   └────────┐
//!      ▼           ▼            ▼
//!  Log, Scan,   index thread  archive thread
//!  Tail …       index.sqlite  archive/*.dba, syncs the head record
//! ```
//!
//! [`Writer`] exists once and blocks. [`Log`] is cloned freely; it sees what is durable and
//! nothing else, because readers learn of a commit only from the feed, and the writer feeds it
//! last. Background threads derive; none of them is waited for (the index has a bound of memory
//! after which the writer does wait, see [`LogError::IndexBehind`]).
//!
//! ## What is stored
//!
//! ```text
//! commit   what one command brought about: id, metadata, events. All of it or nothing
//! group    what one append was given. Shares one sync; has no meaning afterwards
//! block    the unit of storage, at most 8 KiB: a header and the commits of (a part of) a group
//!
//!  key  first position u64 │ fragment u16                      big endian, so in chain order
//!      ┌─────────┬──────────────┬────────┬────────┬──────────────┬───────┬─────────────────┐
//!      │ counts, │ organisation │ first  │ crc32  │ hash of the  │ hash  │ commit │ commit …
//!      │ lengths │              │ position        │ block before │       │                 │
//!      └─────────┴──────────────┴────────┴────────┴──────────────┴───────┴─────────────────┘
//!                                                        ▲            │
//!                              block before ─────────────┘            └────▶ block after
//! ```
//!
//! A commit over one block spans consecutive *fragments* and is visible only when whole; one over
//! [`MAX_COMMIT_BYTES`] is refused. The [`Head`], a position and a hash, stands for every byte
//! before it.
//!
//! ## Why it is safe
//!
//! - **Acknowledged means durable.** An append returns after `flush` and a sync of the data file
//!   by our own hand: sled's flush alone loses everything in a power cut.
//! - **A crash leaves a prefix.** Blocks are inserted in order, and sled's log keeps that order.
//!   So a crash can only leave fragments without their end, at the very end; they were never
//!   acknowledged, and opening drops and reports them. Whole commits that a crash caught between
//!   the disk and the acknowledgement are kept: the command id tells the client who asks again.
//! - **A failed write or sync is final.** It is not acknowledged and not retried, because a second
//!   sync that succeeds proves nothing about the first. The writer stops, readers go on, opening
//!   again reads from the disk (past the operating system's cache) and decides.
//! - **Loss is noticed.** Three witnesses outside sled say how far the log reached: the head
//!   record, the archive, the checkpoint of the index. A log that is shorter than any of the first
//!   two, or differs from them, does not open: [`LogError::Damaged`] names the positions, and
//!   nothing is cut away.
//! - **There is a second copy.** The archive holds every block in plain files; [`restore`] makes
//!   a log of it and proves it equal by the chain.
//!
//! What a power cut may take from the witnesses is their last second, since they are synced once
//! a second; what it may take from the log is nothing.
//!
//! ## Life of a log
//!
//! [`Log::open`] creates or opens it and says what it found ([`OpenReport`]). [`Writer::close`]
//! drains the threads, syncs, and marks the head record as closed. After a crash the next opening
//! is as ordinary as any other, only a little slower. A folder has one user at a time. Nothing
//! is ever rewritten or removed, so there is no compaction, and nothing to tune.
//!
//! ## Errors
//!
//! One type, [`LogError`], with a stable [`code`](LogError::code). Refusals (too large, a command
//! that is there already, too little space) write nothing and leave the writer as it was.
//! [`LogError::Stopped`] ends writing until the log is opened again. [`LogError::Damaged`] always
//! carries the range of positions.
//!
//! ## Reading this crate
//!
//! Formats: `wire`, `commit`, `block`, `pack`, `chain`, `head`, `piece`, `format`. Writing:
//! `writer`, `store`, `disk`, `space`, `recent`. Reading: `reader`, `scan`, `stream`, `feed`,
//! `tail`. Derived: `index`, `index_file`, `index_totals`, `archive`. Opening: `open`, `inspect`,
//! `survey`. Caretaking: `verify`, `backup`, `restore`.

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
mod index_totals;
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
mod verify_open;
mod verify_pass;
mod verify_tail;
mod wire;
mod workers;
mod writer;

#[cfg(test)]
mod spec;

pub use backup::{BackupReport, backup, backup_dir};
pub use block::{Block, BlockFault, MAX_BLOCK_BYTES};
pub use commit::{Commit, CommitRef, CommitRefs, EventRef, Events, NewCommit, NewEvent};
pub use error::LogError;
pub use format::owner;
pub use hash::{Hash, Head};
pub use open::{IndexReport, OpenReport, Opened};
pub use options::LogOptions;
pub use progress::Progress;
pub use reader::{Log, LogState};
pub use recent::{Known, RecentCommands};
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

/// What [`verify`] reports on its way.
pub type VerifyProgress = Progress;

/// The greatest stored size of one commit, in bytes: see [`NewCommit::encoded_bytes`].
pub const MAX_COMMIT_BYTES: usize = 1 << 20;
