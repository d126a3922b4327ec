//! Looks at the archive when a log is opened, without changing it: how far it reaches, what it
//! lacks, and where it can be continued. Then, once sled has been found whole, mends it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use crate::Position;
use crate::archive::Pieces;
use crate::block::{self, RawBlock};
use crate::error::LogError;
use crate::hash::Head;
use crate::options::LogOptions;
use crate::piece::{self, PieceReader, PieceWriter, RECORD_BYTES_MAX, Record, RecordFault};
use crate::quarantine;
use crate::store::Store;
use crate::wire::u64_of;

/// Positions `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PositionRange {
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
}

/// What opening did to the archive.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveReport {
    /// The position up to which the archive reached when the log was opened.
    pub reached: Position,
    /// Ranges that were missing or damaged and have been written again from sled.
    pub mended: Vec<PositionRange>,
    /// Bytes of a record that a crash had left unfinished at the end, cut away.
    pub cut_bytes: u64,
}

/// The archive as found.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The furthest head that the archive proves.
    pub(crate) tail: Head,
    gaps: Vec<PositionRange>,
    unusable: Vec<PathBuf>,
    resume: Option<Resume>,
    /// Where the last usable piece ends.
    end: Position,
}

/// The unsealed last piece.
#[derive(Debug)]
struct Resume {
    path: PathBuf,
    offset: u64,
    cut_bytes: u64,
    head: Head,
}

/// What reading one piece to its end gave.
pub(crate) struct PieceScan {
    pub(crate) head: Head,
    /// Where the last record of a whole commit ends.
    pub(crate) offset: u64,
    pub(crate) sealed: bool,
    /// The last thing wrong, and whether it is more than an unfinished last record.
    pub(crate) fault: Option<RecordFault>,
    pub(crate) damaged: bool,
    length: u64,
}

impl Survey {
    /// Reads the headers and seals of all pieces, and the last piece whole.
    pub(crate) fn take(dir: &Path, organisation: Uuid) -> Result<Self, LogError> {
        let genesis = Head::genesis(organisation);
        let mut survey = Self {
            tail: genesis,
            gaps: vec![],
            unusable: vec![],
            resume: None,
            end: 0,
        };
        let pieces = piece::list(dir)?;
        for (index, (first, path)) in pieces.iter().enumerate() {
            let next = pieces.get(index + 1).map(|(next, _)| *next);
            survey.look_at(organisation, *first, path, next)?;
        }
        Ok(survey)
    }

    fn look_at(
        &mut self,
        organisation: Uuid,
        first: Position,
        path: &Path,
        next: Option<Position>,
    ) -> Result<(), LogError> {
        let header = PieceReader::open(path)?.map(|reader| *reader.header());
        let usable = header.filter(|header| {
            header.organisation == organisation
                && header.before.position + 1 == first
                && header.before.position >= self.end
        });
        let Some(header) = usable else {
            self.unusable.push(path.to_path_buf());
            return Ok(());
        };
        let sealed = piece::peek_seal(path)?.filter(|_| next.is_some());
        let scan = match sealed {
            Some(head) => PieceScan::sealed(head),
            None => scan_piece(path, header.before)?,
        };
        if scan.head.position > self.tail.position {
            self.tail = scan.head;
        }
        let ends_early = next.is_some() && !scan.sealed && scan.fault.is_some();
        if scan.damaged || ends_early {
            self.unusable.push(path.to_path_buf());
        } else {
            self.accept(path, header.before, scan);
        }
        Ok(())
    }

    fn accept(&mut self, path: &Path, before: Head, scan: PieceScan) {
        if before.position > self.end {
            self.gaps.push(PositionRange {
                first: self.end + 1,
                last: before.position,
            });
        }
        self.end = scan.head.position;
        self.resume = (!scan.sealed).then(|| Resume {
            path: path.to_path_buf(),
            offset: scan.offset,
            cut_bytes: scan.length.saturating_sub(scan.offset),
            head: scan.head,
        });
    }

    /// Writes again from sled what is missing, moves unusable pieces aside, and gives the writer
    /// that continues. The caller has made sure that sled is whole and reaches the tail.
    pub(crate) fn mend(
        &self,
        dir: &Path,
        options: &LogOptions,
        store: &Store,
        quarantine_dir: &Path,
    ) -> Result<(Pieces, ArchiveReport), LogError> {
        for path in &self.unusable {
            quarantine::move_aside(path, quarantine_dir)?;
        }
        let mut report = ArchiveReport {
            reached: self.tail.position,
            ..Default::default()
        };
        for gap in self.gaps.iter().copied() {
            let mut pieces = Pieces::new(dir, options, gap.first - 1)?;
            copy_range(store, options.organisation, gap, &mut pieces)?;
            pieces.seal()?;
            report.mended.push(gap);
        }
        if self.end < self.tail.position {
            report.mended.push(PositionRange {
                first: self.end + 1,
                last: self.tail.position,
            });
        }
        let mut pieces = Pieces::new(dir, options, self.end)?;
        if let Some(resume) = &self.resume {
            report.cut_bytes = resume.cut_bytes;
            pieces.resume(PieceWriter::resume(
                &resume.path,
                resume.offset,
                resume.head,
            )?);
        }
        Ok((pieces, report))
    }
}

impl PieceScan {
    fn sealed(head: Head) -> Self {
        Self {
            head,
            offset: 0,
            sealed: true,
            fault: None,
            damaged: false,
            length: 0,
        }
    }
}

/// Reads a piece to its end. Only order within the piece is checked; links are for `verify`.
pub(crate) fn scan_piece(path: &Path, before: Head) -> Result<PieceScan, LogError> {
    let Some(mut reader) = PieceReader::open(path)? else {
        return Err(LogError::NotUsable {
            path: path.into(),
            what: "is not an archive piece",
        });
    };
    let mut scan = PieceScan::sealed(before);
    (scan.sealed, scan.offset, scan.length) = (false, reader.offset(), reader.length());
    while let Some(record) = reader.next_record()? {
        let after_fault = scan.fault.is_some();
        match record {
            Ok(Record::Block(raw)) => {
                scan.damaged |= after_fault;
                if let Some(position) = raw.last() {
                    scan.head = Head {
                        position,
                        hash: raw.hash(),
                    };
                    scan.offset = reader.offset();
                }
            }
            Ok(Record::Seal(head)) => {
                scan.damaged |= after_fault || head != scan.head;
                scan.sealed = true;
                scan.offset = reader.offset();
            }
            Err(fault) => {
                scan.damaged |= after_fault || scan.sealed;
                scan.fault = Some(fault);
            }
        }
    }
    let behind = scan.length - scan.offset;
    let last_record_only = behind <= u64_of(RECORD_BYTES_MAX);
    scan.damaged |= scan.fault.is_some_and(|fault| fault != RecordFault::Torn) && !last_record_only;
    Ok(scan)
}

/// Copies stored blocks of a range that begins and ends with whole blocks.
fn copy_range(
    store: &Store,
    organisation: Uuid,
    range: PositionRange,
    pieces: &mut Pieces,
) -> Result<(), LogError> {
    let mut key = block::key(range.first, 0);
    while pieces.position() < range.last {
        let entries = store.range(key, 32)?;
        let Some((last_key, _)) = entries.last() else {
            return Err(LogError::damaged(
                "blocks are missing",
                pieces.position() + 1,
                range.last,
            ));
        };
        let (first, fragment) = block::read_key(last_key).unwrap_or_default();
        key = block::key(first, fragment.saturating_add(1));
        for (_, value) in entries {
            let raw = RawBlock::parse(value, organisation);
            let raw = raw.map_err(|fault| LogError::damaged(fault, range.first, range.last))?;
            if raw.outline().first <= range.last {
                pieces.push(&raw)?;
            }
        }
    }
    Ok(())
}
