//! A consistent copy of the archive up to the durable head, taken while the log runs.
//!
//! Sealed pieces never change, so those that the target has already are not copied again; the
//! piece that is still growing is copied anew and cut behind its last whole commit. Then the
//! whole target is read back and its chain verified from the first block: a backup that has
//! never been read is none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use uuid::Uuid;

use crate::Position;
use crate::archive;
use crate::archive_walk::ArchiveWalk;
use crate::chain::{Chain, Depth};
use crate::disk::sync_folder;
use crate::error::LogError;
use crate::format;
use crate::hash::Head;
use crate::options::LogOptions;
use crate::piece::{self, PieceReader};
use crate::progress::{Listener, Ticker};
use crate::reader::Log;
use crate::survey::scan_piece;

/// How long a backup waits for the archive to reach the head.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a backup did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupReport {
    /// The head of the copy, verified.
    pub head: Head,
    /// Pieces that were copied.
    pub copied_pieces: u64,
    /// Pieces that the target had already.
    pub kept_pieces: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Blocks verified in the target: all.
    pub verified_blocks: u64,
}

/// Copies the archive of an open log to `target`, which is a folder of its own for this log.
///
/// # Errors
/// [`LogError::WrongOrganisation`] when the target holds another log's backup;
/// [`LogError::Damaged`] when the copy does not verify; [`LogError::Io`].
pub fn backup(log: &Log, target: &Path, progress: Listener<'_>) -> Result<BackupReport, LogError> {
    let organisation = log.organisation();
    let head = log.head();
    wait_for_archive(log, head.position)?;
    fs::create_dir_all(target).map_err(LogError::io("create", target))?;
    let marked = format::check(target, organisation)?;
    let mut report = copy_pieces(&log.dir().join(archive::FOLDER), target, head, progress)?;
    let (reached, verified_blocks) = verify_chain(target, organisation, head, progress)?;
    if reached.position < head.position {
        let what = "the copy ends before the head";
        return Err(LogError::damaged(what, reached.position + 1, head.position));
    }
    if !marked {
        format::write(target, organisation)?;
    }
    (report.head, report.verified_blocks) = (reached, verified_blocks);
    Ok(report)
}

/// The same for a log that is not open: opens it, which brings its archive up to date.
///
/// # Errors
/// As [`Log::open`] and [`backup`].
pub fn backup_dir(
    dir: &Path,
    target: &Path,
    progress: Listener<'_>,
) -> Result<BackupReport, LogError> {
    let missing = || LogError::NotUsable {
        path: dir.to_path_buf(),
        what: "holds no log",
    };
    let organisation = format::owner(dir)?.ok_or_else(missing)?;
    let opened = Log::open(dir, LogOptions::new(organisation))?;
    let report = backup(&opened.log, target, progress);
    opened.writer.close()?;
    report
}

fn wait_for_archive(log: &Log, position: Position) -> Result<(), LogError> {
    let status = &log.shared.archive;
    let deadline = Instant::now() + PATIENCE;
    while status.written_to.load(Ordering::Acquire) < position {
        let path = log.dir().join(archive::FOLDER);
        if let Some(reason) = status.failure() {
            return Err(LogError::io("archive to", &path)(std::io::Error::other(
                reason,
            )));
        }
        if Instant::now() > deadline || log.shared.feed.is_closed() {
            let what = "has an archive that does not reach the head";
            return Err(LogError::NotUsable { path, what });
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn copy_pieces(
    source: &Path,
    target: &Path,
    head: Head,
    progress: Listener<'_>,
) -> Result<BackupReport, LogError> {
    let mut report = BackupReport {
        head,
        copied_pieces: 0,
        kept_pieces: 0,
        copied_bytes: 0,
        verified_blocks: 0,
    };
    let mut ticker = Ticker::new("copy", head.position);
    let pieces = piece::list(source)?;
    remove_strangers(target, &pieces)?;
    for (first, path) in &pieces {
        let copy = target.join(path.file_name().unwrap_or_default());
        let seal = piece::peek_seal(path)?;
        if seal.is_some() && copy.exists() && piece::peek_seal(&copy)? == seal {
            report.kept_pieces += 1;
        } else {
            report.copied_bytes += copy_piece(path, &copy)?;
            report.copied_pieces += 1;
        }
        ticker.step(*first, progress);
    }
    sync_folder(target).map_err(LogError::io("sync", target))?;
    Ok(report)
}

/// Pieces of the target that the source does not have (any more) would break the order.
fn remove_strangers(target: &Path, pieces: &[(Position, PathBuf)]) -> Result<(), LogError> {
    for (first, path) in piece::list(target)? {
        if !pieces.iter().any(|(known, _)| *known == first) {
            fs::remove_file(&path).map_err(LogError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Copies under another name and renames, so that a broken-off backup leaves the old piece.
fn copy_piece(from: &Path, to: &Path) -> Result<u64, LogError> {
    let draft = to.with_extension("draft");
    let bytes = fs::copy(from, &draft).map_err(LogError::io("copy", from))?;
    let header = PieceReader::open(&draft)?.map(|reader| *reader.header());
    if let Some(header) = header {
        let scan = scan_piece(&draft, header.before)?;
        let cut = File::options().write(true).open(&draft).and_then(|file| {
            if !scan.damaged {
                file.set_len(scan.offset)?;
            }
            file.sync_all()
        });
        cut.map_err(LogError::io("write", &draft))?;
    }
    fs::rename(&draft, to).map_err(LogError::io("rename", &draft))?;
    Ok(bytes)
}

/// Verifies every block of an archive from the beginning; gives the head it reaches.
pub(crate) fn verify_chain(
    dir: &Path,
    organisation: Uuid,
    expected: Head,
    progress: Listener<'_>,
) -> Result<(Head, u64), LogError> {
    let mut chain = Chain::after(Head::genesis(organisation), Depth::Hashes);
    let mut ticker = Ticker::new("verify", expected.position);
    let mut walk = ArchiveWalk::new(dir, organisation)?;
    let mut blocks = 0;
    while let Some(found) = walk.next()? {
        let next = chain.position() + 1;
        let raw = found.map_err(|fault| LogError::damaged(fault.what, next, next))?;
        let accepted = chain.accept(&raw);
        accepted.map_err(|fault| crate::scan::fault_error(fault, &raw))?;
        if chain.position() == expected.position && chain.whole_head() != Some(expected) {
            let what = "the copy has another hash than the log";
            return Err(LogError::damaged(
                what,
                expected.position,
                expected.position,
            ));
        }
        blocks += 1;
        ticker.step(chain.position(), progress);
    }
    ticker.report(chain.position(), progress);
    Ok((
        chain.whole_head().unwrap_or(Head::genesis(organisation)),
        blocks,
    ))
}
