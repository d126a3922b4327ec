//! The continuous archive: every acknowledged block once more, in plain append-only files.
//!
//! It is the backup that can be copied while the log runs, the way back to any position, and
//! what is left when sled cannot open. It is written off the writer's path: a thread takes
//! groups from the ring (or blocks from sled when it is far behind), so the archive lags by
//! some milliseconds and, on a power cut, may lack what was acknowledged in the last second. It
//! never holds what was not acknowledged.
//!
//! A failure of the archive does not stop the log: the archive stops, says why in
//! [`LogStats::archive_failure`](crate::LogStats), and catches up at the next opening.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::Position;
use crate::block::RawBlock;
use crate::error::LogError;
use crate::hash::Head;
use crate::options::LogOptions;
use crate::piece::{self, PieceWriter};
use crate::scan::BlockCursor;
use crate::shared::Shared;

/// The folder inside the log's folder.
pub(crate) const FOLDER: &str = "archive";

/// How often the archive and the head record are synced.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// The pause between two looks while appends keep coming: the writer is not slowed by waking us.
const PAUSE: Duration = Duration::from_millis(20);

/// How far the archive is, for everybody to see.
#[derive(Debug, Default)]
pub(crate) struct ArchiveStatus {
    pub(crate) written_to: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) failure: Mutex<Option<String>>,
    pub(crate) stopping: AtomicBool,
}

impl ArchiveStatus {
    /// The status of an archive that nothing has been added to yet.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            bytes: AtomicU64::new(disk_bytes(dir)),
            ..Self::default()
        }
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn fail(&self, error: &LogError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| error.to_string());
    }
}

/// Writes blocks to pieces and seals them as they fill.
#[derive(Debug)]
pub(crate) struct Pieces {
    dir: PathBuf,
    organisation: Uuid,
    piece_bytes: u64,
    current: Option<PieceWriter>,
    /// The last position written as part of a whole commit.
    position: Position,
}

impl Pieces {
    /// Goes on behind `position`, with a new piece.
    pub(crate) fn new(
        dir: &Path,
        options: &LogOptions,
        position: Position,
    ) -> Result<Self, LogError> {
        fs::create_dir_all(dir).map_err(LogError::io("create", dir))?;
        let (organisation, piece_bytes) = (options.organisation, options.piece_bytes);
        Ok(Self {
            dir: dir.to_path_buf(),
            organisation,
            piece_bytes,
            current: None,
            position,
        })
    }

    /// Goes on in a piece that is not sealed yet.
    pub(crate) fn resume(&mut self, piece: PieceWriter) {
        self.current = Some(piece);
    }

    pub(crate) fn push(&mut self, raw: &RawBlock) -> Result<(), LogError> {
        let outline = raw.outline();
        let full = self
            .current
            .as_ref()
            .is_some_and(|piece| piece.bytes() >= self.piece_bytes);
        if full && outline.fragment.0 == 0 {
            self.seal()?;
        }
        let piece = match &mut self.current {
            Some(piece) => piece,
            None => {
                let before = Head {
                    position: outline.first - 1,
                    hash: outline.previous,
                };
                let piece = PieceWriter::create(&self.dir, self.organisation, before)?;
                self.current.insert(piece)
            }
        };
        piece.append(raw)?;
        self.position = raw.last().unwrap_or(self.position);
        Ok(())
    }

    pub(crate) fn seal(&mut self) -> Result<(), LogError> {
        self.current.take().map_or(Ok(()), PieceWriter::seal)
    }

    pub(crate) fn flush(&mut self) -> Result<(), LogError> {
        self.current.as_mut().map_or(Ok(()), PieceWriter::flush)
    }

    pub(crate) fn sync(&self) -> Result<(), LogError> {
        self.current.as_ref().map_or(Ok(()), PieceWriter::sync)
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }
}

/// The thread that archives, and syncs the head record on the way.
#[derive(Debug)]
pub(crate) struct Archiver {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pieces: Pieces,
    pub(crate) head_record: File,
}

impl Archiver {
    /// Runs until told to stop, and then until everything is archived and synced.
    pub(crate) fn run(mut self) {
        let mut synced_to = None;
        let mut last_sync = Instant::now();
        loop {
            let stopping = self.shared.archive.stopping.load(Ordering::Acquire);
            let head = self.shared.head().position;
            self.catch_up();
            if synced_to != Some(head) && (stopping || last_sync.elapsed() >= SYNC_EVERY) {
                self.sync();
                synced_to = Some(head);
                last_sync = Instant::now();
            }
            if stopping {
                return;
            }
            self.pause(synced_to == Some(head), head);
        }
    }

    /// Sleeps while nothing happens, and looks again after a moment while something does.
    fn pause(&self, idle: bool, head: Position) {
        if idle {
            self.shared.feed.wait_moved(head, SYNC_EVERY);
        }
        if !self.shared.archive.stopping.load(Ordering::Acquire) {
            thread::sleep(PAUSE);
        }
    }

    fn catch_up(&mut self) {
        if self.shared.archive.failure().is_some() {
            return;
        }
        let outcome = self.copy_new().and_then(|()| self.pieces.flush());
        let status = &self.shared.archive;
        match outcome {
            Ok(()) => status
                .written_to
                .store(self.pieces.position(), Ordering::Release),
            Err(error) => status.fail(&error),
        }
    }

    fn copy_new(&mut self) -> Result<(), LogError> {
        while self.pieces.position() < self.shared.head().position {
            match self.shared.feed.group_after(self.pieces.position()) {
                Some(group) => {
                    for raw in &group.raws {
                        self.copy(raw)?;
                    }
                }
                None => self.copy_from_sled()?,
            }
        }
        Ok(())
    }

    /// Takes blocks from sled until the ring has what follows.
    fn copy_from_sled(&mut self) -> Result<(), LogError> {
        let mut cursor = BlockCursor::new(Arc::clone(&self.shared), self.pieces.position());
        while let Some(raw) = cursor.next_raw()? {
            self.copy(&raw)?;
            if raw
                .last()
                .is_some_and(|last| self.shared.feed.group_after(last).is_some())
            {
                break;
            }
        }
        Ok(())
    }

    fn copy(&mut self, raw: &RawBlock) -> Result<(), LogError> {
        if raw.outline().first <= self.pieces.position() {
            return Ok(());
        }
        self.pieces.push(raw)?;
        let bytes = crate::wire::u64_of(raw.bytes().len());
        self.shared
            .archive
            .bytes
            .fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn sync(&mut self) {
        if let Err(error) = self.pieces.sync() {
            self.shared.archive.fail(&error);
        }
        // The record is a second witness; the writer learns of a failing disk by itself.
        let record = self
            .head_record
            .sync_data()
            .map_err(LogError::io("sync", &self.shared.dir));
        if let Err(error) = record {
            tracing::warn!(%error, "head record could not be synced");
        }
    }
}

/// Bytes of all pieces.
fn disk_bytes(dir: &Path) -> u64 {
    let pieces = piece::list(dir).unwrap_or_default();
    pieces
        .iter()
        .filter_map(|(_, path)| fs::metadata(path).ok())
        .map(|m| m.len())
        .sum()
}
