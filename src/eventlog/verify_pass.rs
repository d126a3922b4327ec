//! The walk of `verify`: every block of sled, with the archive beside it.

use std::collections::BTreeMap;

use crate::Position;
use crate::archive;
use crate::archive_walk::{ArchiveFault, ArchiveWalk};
use crate::block::{self, Block, BlockFault, KEY_BYTES, RawBlock};
use crate::chain::{Chain, Depth};
use crate::error::LogError;
use crate::hash::Head;
use crate::index_sums::IndexSums;
use crate::progress::{Listener, Ticker};
use crate::store::Entry;
use crate::survey::PositionRange;
use crate::verify::{Area, Finding, Subject, VerifyReport};
use crate::verify_tail::{self, Tail};

const CHUNK: usize = 64;
const ONLY_ARCHIVED: &str = "only the archive has these blocks";
const NOT_ARCHIVED: &str = "the archive lacks these blocks";

/// The walk over sled, with the archive beside it.
pub(crate) struct Pass<'a> {
    subject: &'a Subject<'a>,
    chain: Chain,
    archive: ArchiveWalk,
    /// The archive's next block, looked at already.
    beside: Option<RawBlock>,
    archive_ended: bool,
    /// The last position of the archive that has been compared.
    archived_to: Position,
    /// A record that its piece ends in; whether it is the last thing of the archive shows later.
    torn_record: Option<ArchiveFault>,
    /// Blocks of the commit at the end that is not whole yet.
    fragments: u64,
    /// Blocks behind the position that the head record names.
    unrecorded: u64,
    /// The walk has ended before the end, with a finding that says why.
    broken_off: bool,
    lacking: BTreeMap<(Area, &'static str), Vec<PositionRange>>,
    findings: Vec<Finding>,
    derived: IndexSums,
    report: VerifyReport,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(subject: &'a Subject<'a>) -> Result<Self, LogError> {
        let organisation = subject.organisation;
        let dir = subject.dir.join(archive::FOLDER);
        let checkpoint = subject.sums.as_ref().map_or(0, |sums| sums.head.position);
        let report = VerifyReport::empty(organisation, subject.head);
        Ok(Self {
            subject,
            chain: Chain::after(Head::genesis(organisation), Depth::Hashes),
            archive: ArchiveWalk::new(&dir, organisation)?,
            beside: None,
            archive_ended: false,
            archived_to: 0,
            torn_record: None,
            fragments: 0,
            unrecorded: 0,
            broken_off: false,
            lacking: BTreeMap::new(),
            findings: Vec::new(),
            derived: IndexSums::up_to(checkpoint),
            report,
        })
    }

    pub(crate) fn walk(&mut self, progress: Listener<'_>) -> Result<(), LogError> {
        let head = self.subject.head.position;
        let mut ticker = Ticker::new("verify", head);
        let mut key = block::key(0, 0);
        loop {
            let Some(entries) = self.fetch(key)? else {
                self.broken_off = true;
                return Ok(());
            };
            let Some((last, _)) = entries.last() else {
                break;
            };
            key = after(last);
            for entry in entries {
                let (first, _) = block::read_key(&entry.0).unwrap_or_default();
                if first > head {
                    break;
                }
                self.visit(entry, first)?;
                ticker.step(first, progress);
            }
            if block::read_key(&key).is_some_and(|(next, _)| next > head) {
                break;
            }
        }
        ticker.report(head, progress);
        Ok(())
    }

    /// The next entries; `None`, with a finding, when sled cannot read on. What is behind cannot be
    /// judged then, except by the archive.
    fn fetch(&mut self, key: [u8; KEY_BYTES]) -> Result<Option<Vec<Entry>>, LogError> {
        match self.subject.store.range(key, CHUNK) {
            Ok(entries) => Ok(Some(entries)),
            Err(LogError::Damaged { what, .. }) => {
                let (first, last) = (self.chain.position() + 1, self.subject.head.position);
                let range = Some(PositionRange { first, last });
                self.findings.push(Finding {
                    area: Area::Store,
                    what,
                    range,
                });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn visit(&mut self, (key, value): Entry, first: Position) -> Result<(), LogError> {
        self.report.blocks += 1;
        let parsed = RawBlock::parse(value.clone(), self.subject.organisation);
        let parsed = parsed.and_then(|raw| match raw.key() == *key {
            true => Ok(raw),
            false => Err(BlockFault::Key),
        });
        let last = parsed
            .as_ref()
            .ok()
            .and_then(RawBlock::last)
            .unwrap_or(first);
        self.compare_with_archive(&key, &value, PositionRange { first, last })?;
        self.fragments += 1;
        if self.subject.recorded().is_some_and(|known| first > known) {
            self.unrecorded += 1;
        }
        match parsed.map(|raw| (self.chain.accept(&raw), raw)) {
            Ok((Ok(Some(block)), _)) => self.count(&block),
            Ok((Ok(None), _)) => {}
            Ok((Err(fault), raw)) => self.resume_behind(fault, &raw),
            Err(fault) => self.find(Area::Store, fault, first, first),
        }
        Ok(())
    }

    /// Notes a fault of the chain and begins a new one, so that later faults are found too.
    fn resume_behind(&mut self, fault: BlockFault, raw: &RawBlock) {
        let first = raw.outline().first;
        let last = raw.last().unwrap_or(first);
        match fault {
            BlockFault::Gap { expected, found } if found > expected => {
                self.find(Area::Store, fault, expected, found - 1);
            }
            _ => self.find(Area::Store, fault, first, last),
        }
        self.chain = Chain::from_the_middle(first.saturating_sub(1), Depth::Hashes);
        if raw.outline().fragment.0 != 0 {
            return;
        }
        if let Ok(Some(block)) = self.chain.accept(raw) {
            self.count(&block);
        } else if fault == BlockFault::Hash {
            self.chain = Chain::from_the_middle(last, Depth::Hashes);
        }
    }

    fn count(&mut self, block: &Block) {
        self.fragments = 0;
        self.report.commits += block.last() - block.first() + 1;
        self.report.events += u64::from(block.event_count());
        block
            .commits()
            .for_each(|commit| self.derived.add_commit(commit));
    }

    fn compare_with_archive(
        &mut self,
        key: &[u8],
        value: &[u8],
        range: PositionRange,
    ) -> Result<(), LogError> {
        if self
            .subject
            .archived
            .is_some_and(|archived| range.first > archived)
        {
            return Ok(());
        }
        while let Some(raw) = self
            .peek_archive()?
            .filter(|raw| raw.key().as_slice() <= key)
        {
            self.take_beside(&raw);
            if raw.key().as_slice() < key {
                self.lack(Area::Store, ONLY_ARCHIVED, range_of(&raw));
            } else if raw.bytes().as_ref() == value {
                self.report.archived_blocks += 1;
                return Ok(());
            } else {
                self.lack(Area::Archive, "archive and sled differ", range);
                return Ok(());
            }
        }
        self.lack(Area::Archive, NOT_ARCHIVED, range);
        Ok(())
    }

    /// What the archive has behind the end of sled. The archive of an open log is read no further
    /// than it is known to be written: what follows may be half of a record.
    pub(crate) fn finish_archive(&mut self) -> Result<(), LogError> {
        let limit = self.subject.archived.unwrap_or(Position::MAX);
        while self.archived_to < limit {
            let Some(raw) = self.peek_archive()? else {
                return Ok(());
            };
            self.take_beside(&raw);
            self.lack(Area::Store, ONLY_ARCHIVED, range_of(&raw));
        }
        Ok(())
    }

    fn take_beside(&mut self, raw: &RawBlock) {
        self.beside = None;
        self.archived_to = raw.last().unwrap_or(self.archived_to);
    }

    fn peek_archive(&mut self) -> Result<Option<RawBlock>, LogError> {
        while self.beside.is_none() && !self.archive_ended {
            match self.archive.next()? {
                Some(Ok(raw)) => {
                    self.beside = Some(raw);
                    self.find_archive_fault(None);
                }
                Some(Err(fault)) => self.find_archive_fault(Some(fault)),
                None => self.archive_ended = true,
            }
        }
        Ok(self.beside.clone())
    }

    /// Notes the fault before this one; this one too, unless it may be the end of the archive.
    fn find_archive_fault(&mut self, fault: Option<ArchiveFault>) {
        let (torn, other) = match fault {
            Some(fault) if fault.torn => (Some(fault), None),
            other => (None, other),
        };
        let before = std::mem::replace(&mut self.torn_record, torn);
        for fault in before.into_iter().chain(other) {
            self.findings.push(Finding {
                area: Area::Archive,
                what: describe(&fault),
                range: None,
            });
        }
    }

    /// Tells apart, once everything has been read, what a crash may leave at the end and what
    /// must not be. Of a log that is being written, the end is not looked at.
    fn judge_end(&mut self) -> Vec<Finding> {
        let mut notes = Vec::new();
        let cut_off = !self.subject.is_live() && !verify_tail::was_closed(&self.subject.record);
        let short = self.chain.position() < self.subject.head.position && !self.broken_off;
        if short && !self.is_torn() {
            let (first, last) = (self.chain.position() + 1, self.subject.head.position);
            self.find(Area::Store, BlockFault::Fragments, first, last);
            self.fragments = 0;
        }
        if !self.subject.is_live() && self.findings.iter().all(|found| found.area != Area::Store) {
            notes.extend(self.tail().notes());
        }
        match self.torn_record.take() {
            Some(fault) if cut_off => notes.push(verify_tail::archive_is_torn(&describe(&fault))),
            fault => self.find_archive_fault(fault.map(|fault| ArchiveFault {
                torn: false,
                ..fault
            })),
        }
        notes.extend(self.judge_archive_end(cut_off));
        notes
    }

    /// Whether the end is what opening drops: fragments in order behind whole blocks, which
    /// neither the head record nor the archive names.
    fn is_torn(&self) -> bool {
        let whole = self.chain.position();
        self.chain.is_partial()
            && !self.subject.is_live()
            && self.findings.iter().all(|found| found.area != Area::Store)
            && self.subject.recorded().is_none_or(|known| known <= whole)
            && self.archived_to <= whole
            && !self.lacking.contains_key(&(Area::Store, ONLY_ARCHIVED))
    }

    fn tail(&self) -> Tail {
        let recorded = self.subject.recorded();
        let fragments = if self.is_torn() { self.fragments } else { 0 };
        Tail {
            head: self.chain.position(),
            recorded,
            blocks: self.unrecorded - fragments.min(self.unrecorded),
            fragments,
        }
    }

    /// Fragments that opening drops need no copy, and the copies of the last blocks may be
    /// missing where the log was cut off.
    fn judge_archive_end(&mut self, cut_off: bool) -> Option<Finding> {
        let (torn, whole) = (self.is_torn(), self.chain.position());
        let faultless = |found: &Finding| found.area != Area::Archive;
        let sound = self.archive.has_pieces() && self.findings.iter().all(faultless);
        let (head, archived_to) = (self.subject.head.position, self.archived_to);
        let ranges = self.lacking.get_mut(&(Area::Archive, NOT_ARCHIVED))?;
        let mut range = ranges.pop_if(|range| range.last >= head && range.first > archived_to)?;
        if torn {
            range.last = whole;
        }
        if range.first > range.last {
            return None;
        }
        if sound && cut_off {
            return Some(verify_tail::archive_ends_early(range.first, range.last));
        }
        ranges.push(range);
        None
    }

    fn find(&mut self, area: Area, fault: BlockFault, first: Position, last: Position) {
        let range = Some(PositionRange { first, last });
        self.findings.push(Finding {
            area,
            what: fault.to_string(),
            range,
        });
    }

    /// Notes a range, joining it to the one before it.
    fn lack(&mut self, area: Area, what: &'static str, range: PositionRange) {
        let ranges = self.lacking.entry((area, what)).or_default();
        match ranges.last_mut() {
            Some(before) if before.last.saturating_add(1) >= range.first => {
                before.last = before.last.max(range.last);
            }
            _ => ranges.push(range),
        }
    }

    /// The findings, what the index must be, and the report with its notes.
    pub(crate) fn into_parts(mut self) -> (Vec<Finding>, IndexSums, VerifyReport) {
        self.report.notes = self.judge_end();
        if self.chain.is_partial()
            && let Some(whole) = self.chain.whole_head()
        {
            self.report.head = whole;
        }
        let mut findings = self.findings;
        for ((area, what), ranges) in self.lacking {
            findings.extend(ranges.into_iter().map(|range| {
                let (what, range) = (what.to_owned(), Some(range));
                Finding { area, what, range }
            }));
        }
        (findings, self.derived, self.report)
    }
}

fn describe(fault: &ArchiveFault) -> String {
    format!("{}: {}", fault.piece.display(), fault.what)
}

fn range_of(raw: &RawBlock) -> PositionRange {
    let first = raw.outline().first;
    PositionRange {
        first,
        last: raw.last().unwrap_or(first),
    }
}

fn after(key: &[u8]) -> [u8; KEY_BYTES] {
    let (first, fragment) = block::read_key(key).unwrap_or_default();
    block::key(first, fragment.saturating_add(1))
}
