//! Work on the folder of an organisation that nobody has open.

use std::{
    fs,
    path::{Path, PathBuf},
};

use daybook_eventlog::{
    Log, LogError, LogOptions, Opened, Progress, RestoreOptions, RestoreReport,
};

use crate::{AppError, organisation};

/// The folder of the log in the folder of an organisation.
///
/// # Errors
/// [`AppError::Missing`] where there is no organisation; nothing is created.
pub fn log_folder(folder: &Path) -> Result<PathBuf, AppError> {
    organisation::existing(folder)?;
    Ok(folder.join("log"))
}

/// The same, where it is the log of this organisation and of no other.
///
/// # Errors
/// As [`log_folder`], and [`LogError::WrongOrganisation`], [`LogError::UnsupportedVersion`].
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
/// the same organisation. Its read models are rebuilt when it is opened.
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
    let inner = log_folder(source);
    let source = inner.as_deref().unwrap_or(source);
    let restored = daybook_eventlog::restore(source, &folder.join("log"), options, progress);
    if restored.is_err() {
        // The log has removed itself; an empty folder is no use to anybody, and one that was
        // there before may go as well, since it was empty.
        let _ = fs::remove_dir(folder);
    }
    let report = restored?;
    organisation::write_identity(folder, report.organisation)?;
    Ok(report)
}
