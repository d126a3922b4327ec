//! Verifies everything that can be verified, and reports all findings, not only the first.
//!
//! One walk over sled's blocks computes every hash, follows the links and the gapless positions,
//! holds each block against its copy in the archive, and sums up what the index must contain.
//! The index is compared by sums over ranges of [`SPAN`] positions, so memory does not depend on
//! what is in it.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::Position;
use crate::block::{self, RawBlock};
use crate::error::LogError;
use crate::format;
use crate::hash::Head;
use crate::head::{self, Found};
use crate::index_file::Unfit;
use crate::index_sums::{IndexSums, SPAN};
use crate::inspect;
use crate::progress::Listener;
use crate::reader::Log;
use crate::store::{self, Store};
use crate::survey::PositionRange;
use crate::verify_open::Readable;
use crate::verify_pass::Pass;

/// The part of a log that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// The blocks in sled.
    Store,
    /// The head record.
    HeadRecord,
    /// The derived index.
    Index,
    /// The archive.
    Archive,
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub area: Area,
    /// What.
    pub what: String,
    /// Which positions, when it is about positions.
    pub range: Option<PositionRange>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { area, what, range } = self;
        match range {
            Some(r) => write!(f, "{area:?}: positions {} to {}: {what}", r.first, r.last),
            None => write!(f, "{area:?}: {what}"),
        }
    }
}

/// The outcome of a verification.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Whose log it is.
    pub organisation: Uuid,
    /// The head that was verified up to.
    pub head: Head,
    /// Blocks read.
    pub blocks: u64,
    /// Whole commits found.
    pub commits: u64,
    /// Their events.
    pub events: u64,
    /// Blocks whose copy in the archive is the same.
    pub archived_blocks: u64,
    /// Up to where the index was compared.
    pub indexed_to: Position,
    /// Everything that is wrong, in the order of positions within each area.
    pub findings: Vec<Finding>,
    /// What is not as after an orderly end, and no damage: the next start sees to it.
    pub notes: Vec<Finding>,
}

impl VerifyReport {
    pub(crate) fn empty(organisation: Uuid, head: Head) -> Self {
        Self {
            organisation,
            head,
            blocks: 0,
            commits: 0,
            events: 0,
            archived_blocks: 0,
            indexed_to: 0,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            organisation,
            head,
            blocks,
            commits,
            events,
            ..
        } = self;
        writeln!(f, "log of organisation {organisation}")?;
        writeln!(f, "head     {} {}", head.position, head.hash)?;
        writeln!(
            f,
            "read     {blocks} blocks, {commits} commits, {events} events"
        )?;
        writeln!(f, "archive  {} blocks equal", self.archived_blocks)?;
        writeln!(f, "index    compared up to position {}", self.indexed_to)?;
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        for note in &self.notes {
            writeln!(f, "note     {note}")?;
        }
        let verdict = if self.is_whole() {
            "whole"
        } else {
            "NOT whole"
        };
        write!(f, "the log is {verdict}")
    }
}

/// Verifies an open log up to its durable head, while it goes on.
///
/// # Errors
/// Only what keeps the verification from being done; what is wrong with the log is a finding.
pub fn verify(log: &Log, progress: Listener<'_>) -> Result<VerifyReport, LogError> {
    let shared = &log.shared;
    let sums = IndexSums::of_file(&shared.dir, shared.options.organisation);
    let archived = shared.archive.written_to.load(Ordering::Acquire);
    let record = head::read(&shared.dir, shared.options.organisation)?;
    if let Found::Record(record) = &record {
        // The writer writes the record just before it shows the head to anybody.
        let before = record.head.position.saturating_sub(1);
        shared.feed.wait_moved(before, Duration::from_secs(1));
    }
    // The head is taken last: nothing that was read before can be beyond it.
    let head = shared.head();
    let subject = Subject {
        dir: &shared.dir,
        organisation: shared.options.organisation,
        store: &shared.store,
        head,
        archived: if shared.options.read_only {
            None
        } else {
            Some(archived)
        },
        record,
        sums,
    };
    subject.verify(progress)
}

/// Verifies a log that nobody has open. Takes its lock; changes nothing of ours, though sled may
/// tidy up its own files while it opens.
///
/// # Errors
/// As [`verify`], and [`LogError::Locked`].
pub fn verify_dir(dir: &Path, progress: Listener<'_>) -> Result<VerifyReport, LogError> {
    let what = "holds no log";
    let missing = LogError::NotUsable {
        path: dir.to_path_buf(),
        what,
    };
    let organisation = format::owner(dir)?.ok_or(missing)?;
    let _lock = format::lock(dir)?;
    let readable = match Readable::open(dir) {
        Ok(readable) => readable,
        Err(what) => {
            let sled_dir = dir.join(store::FOLDER);
            let mut report = VerifyReport::empty(organisation, Head::genesis(organisation));
            let what = format!(
                "sled cannot read its files in {}: {what}",
                sled_dir.display()
            );
            report.findings.push(about_store(what));
            return Ok(report);
        }
    };
    let subject = Subject {
        dir,
        organisation,
        head: last_head(&readable.store, organisation)?,
        store: &readable.store,
        archived: None,
        record: head::read(dir, organisation)?,
        sums: IndexSums::of_file(dir, organisation),
    };
    let mut report = subject.verify(progress)?;
    if let Some(fault) = &readable.snapshot_fault {
        let what = format!(
            "sled's snapshot does not fit ({fault}); opening sets it aside and reads the log file \
             alone, as was done here"
        );
        report.findings.insert(0, about_store(what));
    }
    readable.close();
    Ok(report)
}

fn about_store(what: String) -> Finding {
    Finding {
        area: Area::Store,
        what,
        range: None,
    }
}

/// The end of what sled has, believed without a check: the walk checks it.
fn last_head(store: &Store, organisation: Uuid) -> Result<Head, LogError> {
    let last = store.range_back(&block::key(Position::MAX, u16::MAX), 1)?;
    let Some((key, value)) = last.into_iter().next() else {
        return Ok(Head::genesis(organisation));
    };
    let first = block::read_key(&key).map_or(0, |key| key.0);
    let raw = RawBlock::parse(value, organisation).ok();
    let hash = raw
        .as_ref()
        .map_or(Head::genesis(organisation).hash, RawBlock::hash);
    Ok(Head {
        position: raw.and_then(|raw| raw.last()).unwrap_or(first),
        hash,
    })
}

/// What is verified.
pub(crate) struct Subject<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) organisation: Uuid,
    pub(crate) store: &'a Store,
    pub(crate) head: Head,
    /// Up to where the archive is expected to reach; unknown when the log is not open.
    pub(crate) archived: Option<Position>,
    pub(crate) record: Found,
    pub(crate) sums: Result<IndexSums, Unfit>,
}

impl Subject<'_> {
    /// Whether somebody is writing to it.
    pub(crate) fn is_live(&self) -> bool {
        self.archived.is_some()
    }

    /// The position that the head record names.
    pub(crate) fn recorded(&self) -> Option<Position> {
        match &self.record {
            Found::Record(record) => Some(record.head.position),
            Found::Missing | Found::Damaged => None,
        }
    }

    fn verify(self, progress: Listener<'_>) -> Result<VerifyReport, LogError> {
        let mut pass = Pass::new(&self)?;
        pass.walk(progress)?;
        pass.finish_archive()?;
        let (mut findings, derived, mut report) = pass.into_parts();
        self.check_record(report.head, &mut findings)?;
        self.check_index(&derived, &mut findings, &mut report);
        findings.sort_by_key(|finding| (finding.area, finding.range.map_or(0, |r| r.first)));
        report.findings = findings;
        Ok(report)
    }

    fn check_record(&self, head: Head, findings: &mut Vec<Finding>) -> Result<(), LogError> {
        let mut find = |what: &str, range: Option<PositionRange>| {
            findings.push(Finding {
                area: Area::HeadRecord,
                what: what.to_owned(),
                range,
            });
        };
        let record = match &self.record {
            Found::Record(record) => record.head,
            Found::Missing => {
                find("the head record is missing", None);
                return Ok(());
            }
            Found::Damaged => {
                find("the head record is unreadable", None);
                return Ok(());
            }
        };
        let (first, last) = (head.position + 1, record.position);
        if record.position > head.position {
            let range = Some(PositionRange { first, last });
            find("the acknowledged tail that it names is lost", range);
            return Ok(());
        }
        let here = inspect::hash_at(self.store, self.organisation, record.position)?;
        if here != Some(record.hash) {
            let range = PositionRange { first: last, last };
            find("it names another hash than the log has", Some(range));
        }
        Ok(())
    }

    fn check_index(
        &self,
        derived: &IndexSums,
        findings: &mut Vec<Finding>,
        report: &mut VerifyReport,
    ) {
        let area = Area::Index;
        let stored = match &self.sums {
            Ok(stored) => stored,
            Err(Unfit::Older) => {
                let what = format!("{}; the next start builds it anew", Unfit::Older);
                return report.notes.push(Finding {
                    area,
                    what,
                    range: None,
                });
            }
            Err(unfit) => {
                return findings.push(Finding {
                    area,
                    what: unfit.to_string(),
                    range: None,
                });
            }
        };
        report.indexed_to = stored.head.position;
        let differences = stored.differences(derived);
        if differences.is_empty() && !stored.is_as_written() {
            let what = "the sum at the checkpoint is not that of the rows".to_owned();
            findings.push(Finding {
                area,
                what,
                range: None,
            });
        }
        for range in differences {
            let what = format!("rows differ from the blocks (within {SPAN} positions)");
            findings.push(Finding {
                area,
                what,
                range: Some(range),
            });
        }
    }
}
