//! Builds a log from an archive: the way back after a loss, and to any earlier position.
//!
//! Blocks are taken over byte for byte and verified one by one against the chain, so the log
//! that results has the same hashes as the one that was archived. Only `until` in the middle of
//! a block changes bytes: the commits up to it are sealed in a block of their own, and the
//! report says so.
//!
//! The archive is read past its faults. What it lacks is taken from a sled that still opens, if
//! the caller names one ([`RestoreOptions::salvage`]). A hole that remains is an error that names
//! the range, and leaves nothing behind; only [`RestoreOptions::accept_loss`] builds what is
//! before the hole.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::Position;
use crate::archive;
use crate::archive_walk::{self, ArchiveWalk};
use crate::block::{self, Block, KEY_BYTES, RawBlock};
use crate::chain::{Chain, Depth};
use crate::disk::RealDisk;
use crate::error::LogError;
use crate::format;
use crate::hash::Head;
use crate::head::HeadFile;
use crate::options::LogOptions;
use crate::pack;
use crate::progress::{Listener, Ticker};
use crate::reader::Log;
use crate::store::{self, Store};
use crate::survey::PositionRange;

const CACHE_BYTES: u64 = 32 << 20;
/// Blocks handed to sled at a time, and batches between two syncs.
const BATCH: usize = 64;
const SYNC_EVERY: usize = 64;

/// How to restore.
#[derive(Clone, Debug, Default)]
pub struct RestoreOptions {
    /// The last position to restore; everything when absent.
    pub until: Option<Position>,
    /// The folder of a damaged log whose sled still opens, to fill holes of the archive from.
    pub salvage: Option<PathBuf>,
    /// Restore what is before a hole instead of failing.
    pub accept_loss: bool,
}

/// What was restored.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreReport {
    /// Whose log it is.
    pub organisation: Uuid,
    /// The head of the restored log, verified by opening it.
    pub head: Head,
    /// Blocks taken over, byte for byte.
    pub blocks: u64,
    /// Of these, blocks that came from the salvaged sled.
    pub salvaged_blocks: u64,
    /// The block that `until` cut: its commits up to `until` were sealed anew, so the hash of
    /// the head differs from that of the original.
    pub resealed: Option<PositionRange>,
    /// What is missing behind the head, when a loss was accepted.
    pub lost: Option<PositionRange>,
    /// Faults found in the archive, for people.
    pub faults: Vec<String>,
}

/// Builds a fresh log in `target` from the archive in `source`: a backup, an `archive` folder, or
/// the folder of a log.
///
/// # Errors
/// [`LogError::Damaged`] with the missing range; [`LogError::NotUsable`] when the source holds no
/// archive or the target is not empty; [`LogError::Io`]. The target is removed again.
pub fn restore(
    source: &Path,
    target: &Path,
    options: &RestoreOptions,
    progress: Listener<'_>,
) -> Result<RestoreReport, LogError> {
    let inner = source.join(archive::FOLDER);
    let source = if inner.is_dir() {
        inner
    } else {
        source.to_path_buf()
    };
    let organisation = find_owner(&source, options)?;
    check_target(target)?;
    let built = Restoration::begin(target, organisation, options)
        .and_then(|restoration| restoration.run(&source, progress))
        .and_then(|report| finish(target, report));
    if built.is_err() {
        // Half a log must not be mistaken for one; the error that matters is the first.
        let _ = fs::remove_dir_all(target);
    }
    built
}

fn find_owner(source: &Path, options: &RestoreOptions) -> Result<Uuid, LogError> {
    let archived = archive_walk::owner(source)?;
    let salvaged = match &options.salvage {
        Some(dir) if archived.is_none() => format::owner(dir)?,
        _ => None,
    };
    let what = "holds no archive of a log";
    archived.or(salvaged).ok_or(LogError::NotUsable {
        path: source.to_path_buf(),
        what,
    })
}

fn check_target(target: &Path) -> Result<(), LogError> {
    let used = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some());
    let path = target.to_path_buf();
    if used {
        Err(LogError::NotUsable {
            path,
            what: "is not empty",
        })
    } else {
        Ok(())
    }
}

/// Opens the restored log, which builds its index and archive and checks every hash once more.
fn finish(target: &Path, report: RestoreReport) -> Result<RestoreReport, LogError> {
    format::write(target, report.organisation)?;
    let opened = Log::open(target, LogOptions::new(report.organisation))?;
    let head = opened.writer.close()?;
    if head == report.head {
        return Ok(report);
    }
    let what = "the restored log opens with another head";
    Err(LogError::damaged(
        what,
        report.head.position,
        report.head.position,
    ))
}

struct Restoration<'a> {
    organisation: Uuid,
    options: &'a RestoreOptions,
    store: Store,
    head_dir: &'a Path,
    salvage: Option<Store>,
    chain: Chain,
    /// Blocks of a commit that is not whole yet.
    pending: Vec<RawBlock>,
    batch: Vec<RawBlock>,
    batches: usize,
    /// The first hole of the archive that could not be filled.
    hole: Option<PositionRange>,
    /// The greatest position that the archive has, reachable or not.
    seen: Position,
    report: RestoreReport,
    done: bool,
}

impl<'a> Restoration<'a> {
    fn begin(
        target: &'a Path,
        organisation: Uuid,
        options: &'a RestoreOptions,
    ) -> Result<Self, LogError> {
        let head = Head::genesis(organisation);
        let report = RestoreReport {
            organisation,
            head,
            blocks: 0,
            salvaged_blocks: 0,
            resealed: None,
            lost: None,
            faults: Vec::new(),
        };
        let salvage = options
            .salvage
            .as_deref()
            .map(|dir| open_store(dir, false))
            .transpose()?;
        Ok(Self {
            organisation,
            options,
            store: open_store(target, true)?,
            head_dir: target,
            salvage,
            chain: Chain::after(head, Depth::Hashes),
            pending: Vec::new(),
            batch: Vec::new(),
            batches: 0,
            hole: None,
            seen: 0,
            report,
            done: options.until == Some(0),
        })
    }

    fn run(mut self, source: &Path, progress: Listener<'_>) -> Result<RestoreReport, LogError> {
        let mut ticker = Ticker::new("restore", self.options.until.unwrap_or(0));
        let mut walk = ArchiveWalk::new(source, self.organisation)?;
        let mut unread = None;
        while !self.done {
            match walk.next()? {
                Some(Ok(raw)) => self.offer(&raw)?,
                Some(Err(fault)) => {
                    unread = Some(self.chain.position() + 1);
                    self.report
                        .faults
                        .push(format!("{}: {}", fault.piece.display(), fault.what));
                }
                None => break,
            }
            ticker.step(self.chain.position(), progress);
        }
        if !self.done {
            self.fill(None)?;
        }
        self.check_end(unread)?;
        self.flush(true)?;
        self.store.close();
        HeadFile::start(self.head_dir, self.organisation, self.report.head, 0)?;
        ticker.report(self.report.head.position, progress);
        Ok(self.report)
    }

    /// Takes the next archived block, filling what may be missing before it.
    fn offer(&mut self, raw: &RawBlock) -> Result<(), LogError> {
        self.seen = self.seen.max(raw.last().unwrap_or(raw.outline().first));
        if raw.key() < self.wanted_key() {
            return Ok(());
        }
        self.fill(Some(raw.key()))?;
        if self.done {
            return Ok(());
        }
        if raw.key() == self.wanted_key() && self.take(raw)? {
            return Ok(());
        }
        let first = self.chain.position() + 1;
        let last = raw.outline().first.saturating_sub(1).max(first);
        self.hole.get_or_insert(PositionRange { first, last });
        Ok(())
    }

    fn wanted_key(&self) -> [u8; KEY_BYTES] {
        let fragment = u16::try_from(self.pending.len()).unwrap_or(u16::MAX);
        block::key(self.chain.position() + 1, fragment)
    }

    /// Takes blocks from the salvaged sled, up to a key or as far as they go.
    fn fill(&mut self, end: Option<[u8; KEY_BYTES]>) -> Result<(), LogError> {
        while !self.done && end.is_none_or(|end| self.wanted_key() < end) {
            let Some(raw) = self.salvaged(self.wanted_key())? else {
                return Ok(());
            };
            if !self.take(&raw)? {
                return Ok(());
            }
            self.report.salvaged_blocks += 1;
        }
        Ok(())
    }

    fn salvaged(&self, key: [u8; KEY_BYTES]) -> Result<Option<RawBlock>, LogError> {
        let Some(store) = &self.salvage else {
            return Ok(None);
        };
        let found = store.range(key, 1)?.into_iter().next();
        let value = found
            .filter(|(found, _)| **found == key)
            .map(|(_, value)| value);
        Ok(value.and_then(|value| RawBlock::parse(value, self.organisation).ok()))
    }

    /// Takes a block if it is what must follow; false, with a note, if it is not.
    fn take(&mut self, raw: &RawBlock) -> Result<bool, LogError> {
        let before = self.chain.whole_head();
        let block = match self.chain.accept(raw) {
            Ok(block) => block,
            Err(fault) => {
                self.report
                    .faults
                    .push(crate::scan::fault_error(fault, raw).to_string());
                return Ok(false);
            }
        };
        self.pending.push(raw.clone());
        if let Some(block) = block {
            self.take_whole(&block, before)?;
        }
        Ok(true)
    }

    fn take_whole(&mut self, block: &Block, before: Option<Head>) -> Result<(), LogError> {
        let until = self.options.until.unwrap_or(Position::MAX);
        self.done = block.last() >= until;
        if block.last() > until {
            let head = before.unwrap_or(Head::genesis(self.organisation));
            return self.cut(head, block, until);
        }
        self.report.blocks += crate::wire::u64_of(self.pending.len());
        self.report.head = Head {
            position: block.last(),
            hash: block.hash(),
        };
        self.batch.append(&mut self.pending);
        self.flush(false)
    }

    /// Seals the commits up to `until` anew.
    fn cut(&mut self, head: Head, block: &Block, until: Position) -> Result<(), LogError> {
        let kept = block
            .commits()
            .take_while(|commit| commit.position() <= until);
        let encoded: Vec<_> = kept
            .map(|commit| (commit.encoded(), commit.event_count()))
            .collect();
        let sealed = pack::reseal(self.organisation, head, &encoded);
        self.report.resealed = Some(PositionRange {
            first: block.first(),
            last: until,
        });
        self.report.head = sealed.head;
        self.batch.extend(sealed.raws);
        self.pending.clear();
        self.flush(false)
    }

    fn flush(&mut self, finally: bool) -> Result<(), LogError> {
        if self.batch.len() >= BATCH || finally {
            self.store.insert(&self.batch)?;
            self.batch.clear();
            self.batches += 1;
        }
        if finally || self.batches >= SYNC_EVERY {
            self.batches = 0;
            self.store.sync()?;
        }
        Ok(())
    }

    /// Whether anything is missing behind what was restored.
    fn check_end(&mut self, unread: Option<Position>) -> Result<(), LogError> {
        let reached = self.report.head.position;
        let at_least = |last: Position| (last > reached && !self.done).then_some(last);
        let known = [
            self.options.until.unwrap_or(0),
            self.seen,
            unread.unwrap_or(0),
        ];
        let partial = (!self.pending.is_empty()).then_some(reached + 1);
        let behind = known.into_iter().filter_map(at_least).max().or(partial);
        let Some(last) = behind else { return Ok(()) };
        self.report.lost = Some(PositionRange {
            first: reached + 1,
            last,
        });
        if self.options.accept_loss {
            return Ok(());
        }
        let lost = self.hole.unwrap_or(PositionRange {
            first: reached + 1,
            last,
        });
        let what = format!(
            "the archive lacks blocks: {}",
            self.report.faults.join("; ")
        );
        Err(LogError::damaged(what, lost.first, lost.last))
    }
}

fn open_store(dir: &Path, create: bool) -> Result<Store, LogError> {
    let dir = dir.join(store::FOLDER);
    if create {
        fs::create_dir_all(&dir).map_err(LogError::io("create", &dir))?;
    } else if !dir.join(store::DATA_FILE).exists() {
        return Err(LogError::NotUsable {
            path: dir,
            what: "holds no data file",
        });
    }
    Store::open(&dir, CACHE_BYTES, Arc::new(RealDisk))
        .map_err(|fault| LogError::damaged(fault, 1, Position::MAX))
}
