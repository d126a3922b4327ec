//! Reads the whole archive in order, past whatever is wrong with it.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::Position;
use crate::block::RawBlock;
use crate::error::LogError;
use crate::piece::{self, PieceReader, Record, RecordFault};

/// Something wrong in the archive, and where.
#[derive(Clone, Debug)]
pub(crate) struct ArchiveFault {
    pub(crate) piece: PathBuf,
    pub(crate) what: String,
    /// The piece ends within a record.
    pub(crate) torn: bool,
}

/// The blocks of an archive in the order of its pieces.
#[derive(Debug)]
pub(crate) struct ArchiveWalk {
    has_pieces: bool,
    pieces: std::vec::IntoIter<(Position, PathBuf)>,
    organisation: Uuid,
    current: Option<(PieceReader, PathBuf)>,
}

impl ArchiveWalk {
    pub(crate) fn new(dir: &Path, organisation: Uuid) -> Result<Self, LogError> {
        let pieces = piece::list(dir)?;
        Ok(Self {
            has_pieces: !pieces.is_empty(),
            pieces: pieces.into_iter(),
            organisation,
            current: None,
        })
    }

    /// Whether there is an archive at all.
    pub(crate) fn has_pieces(&self) -> bool {
        self.has_pieces
    }

    /// The next block, or what stands in its place.
    pub(crate) fn next(&mut self) -> Result<Option<Result<RawBlock, ArchiveFault>>, LogError> {
        loop {
            let Some((reader, path)) = &mut self.current else {
                match self.next_piece()? {
                    Some(Ok(())) => continue,
                    Some(Err(fault)) => return Ok(Some(Err(fault))),
                    None => return Ok(None),
                }
            };
            match reader.next_record()? {
                Some(Ok(Record::Block(raw))) => return Ok(Some(Ok(raw))),
                Some(Ok(Record::Seal(_))) => {}
                Some(Err(fault)) => {
                    let (piece, what) = (path.clone(), fault.to_string());
                    let torn = fault == RecordFault::Torn;
                    return Ok(Some(Err(ArchiveFault { piece, what, torn })));
                }
                None => self.current = None,
            }
        }
    }

    fn next_piece(&mut self) -> Result<Option<Result<(), ArchiveFault>>, LogError> {
        let Some((_, piece)) = self.pieces.next() else {
            return Ok(None);
        };
        let ours = |reader: &PieceReader| reader.header().organisation == self.organisation;
        Ok(Some(match PieceReader::open(&piece)?.filter(ours) {
            Some(reader) => {
                self.current = Some((reader, piece));
                Ok(())
            }
            None => {
                let what = "archive piece has no header of this log".to_owned();
                let torn = false;
                Err(ArchiveFault { piece, what, torn })
            }
        }))
    }
}

/// Whose archive it is, by the first piece that says so.
pub(crate) fn owner(dir: &Path) -> Result<Option<Uuid>, LogError> {
    for (_, path) in piece::list(dir)? {
        if let Some(reader) = PieceReader::open(&path)? {
            return Ok(Some(reader.header().organisation));
        }
    }
    Ok(None)
}
