//! Work on the folder of an organisation that nobody has open.

use std::{
    fs,
    path::{Path, PathBuf},
};

use daybook_eventlog::{
    Log, LogError, LogOptions, Opened, Progress, RestoreOptions, RestoreReport,
};

use crate::{AppError, keys, organisation};

/// The folder of the log in the folder of an organisation that may be damaged: it is found even
/// where the identity is lost or cannot be read.
///
/// # Errors
/// [`AppError::Missing`], [`AppError::Format`] where there is no log; nothing is created.
pub fn damaged_log_folder(folder: &Path) -> Result<PathBuf, AppError> {
    let log = folder.join("log");
    if !log.is_dir() {
        organisation::existing(folder)?;
    }
    Ok(log)
}

/// The folder of the log, where it is that of this organisation and of no other.
///
/// # Errors
/// [`AppError::Missing`] where there is no organisation, [`LogError::WrongOrganisation`],
/// [`LogError::UnsupportedVersion`].
pub fn own_log_folder(folder: &Path) -> Result<PathBuf, AppError> {
    let expected = organisation::existing(folder)?;
    let log = folder.join("log");
    match daybook_eventlog::owner(&log)? {
        Some(found) if found != expected => {
            Err(LogError::WrongOrganisation { expected, found }.into())
        }
        _ => Ok(log),
    }
}

/// Opens the log of an organisation for reading.
///
/// # Errors
/// [`AppError::Missing`] where there is no organisation, and as [`Log::open`].
pub fn open_log(folder: &Path) -> Result<Opened, AppError> {
    let id = organisation::existing(folder)?;
    let options = LogOptions::new(id).read_only();
    Ok(Log::open(&folder.join("log"), options)?)
}

/// Builds the folder of an organisation from a backup, or from the archive of another folder of
/// the same organisation, even of one whose identity cannot be read: the archive knows whose it
/// is. The read models are rebuilt when the new folder is opened, and whoever the restored log says
/// was erased is erased then, whatever keys came with it.
///
/// # Errors
/// [`LogError::NotUsable`] when `folder` is not empty, and as [`daybook_eventlog::restore`].
pub fn restore(
    source: &Path,
    folder: &Path,
    options: &RestoreOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<RestoreReport, AppError> {
    let used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if used {
        let path = folder.to_path_buf();
        let what = "is not empty";
        return Err(LogError::NotUsable { path, what }.into());
    }
    let inner = damaged_log_folder(source);
    let log = inner.as_deref().unwrap_or(source);
    let restored = daybook_eventlog::restore(log, &folder.join("log"), options, progress);
    if restored.is_err() {
        // The log has removed itself; an empty folder is no use to anybody, and one that was
        // there before may go as well, since it was empty.
        let _ = fs::remove_dir(folder);
    }
    let report = restored?;
    keys::copy(source, folder)?;
    keys::copy_master_key(source, folder)?;
    organisation::write_identity(folder, report.organisation)?;
    Ok(report)
}
