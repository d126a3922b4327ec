//! The key ring of an organisation that nobody has open: rotation, and where it goes with backups.

use std::{fs, path::Path};

use daybook_eventlog::{BackupReport, Progress};
use daybook_keyring::{KeyRing, MasterKey, Status};

use crate::{
    AppError, MasterKeySource, Seals, offline, organisation,
    seals::{FOLDER, MASTER_KEY_FILE},
};

/// Figures of the key ring in a folder, whose log is opened to make sure that nobody uses it.
///
/// # Errors
/// [`AppError::Missing`], [`AppError::Keys`], and as [`crate::open_log`].
pub fn key_status(folder: &Path, master_key: &MasterKeySource) -> Result<Status, AppError> {
    let opened = offline::open_log(folder)?;
    let seals = Seals::existing(folder, opened.log.organisation(), master_key);
    let status = seals.and_then(|seals| seals.status());
    opened.writer.close()?;
    Ok(status?)
}

/// Wraps all keys with the master key in another file, which must be named from then on; says how
/// many those were. An old one that was kept in the folder itself opens nothing any more and goes.
///
/// # Errors
/// [`AppError::Missing`], [`AppError::Keys`], and as [`crate::open_log`].
pub fn rotate_master_key(
    folder: &Path,
    old: &MasterKeySource,
    new: &Path,
) -> Result<u64, AppError> {
    let opened = offline::open_log(folder)?;
    let id = organisation::existing(folder)?;
    let old_key = old.master_key(folder)?;
    let new_key = MasterKey::read(new)?;
    let ring = KeyRing::open(&folder.join(FOLDER), id, &old_key)?;
    let keys = ring.status()?.keys;
    ring.rewrap(&new_key)?;
    if matches!(old, MasterKeySource::DataFolder) {
        remove_master_key(folder)?;
    }
    opened.writer.close()?;
    Ok(keys)
}

fn remove_master_key(folder: &Path) -> Result<(), AppError> {
    let path = folder.join(MASTER_KEY_FILE);
    fs::remove_file(&path).map_err(|source| AppError::File {
        path: path.display().to_string(),
        source,
    })
}

/// Copies the log and the wrapped keys of an organisation that is not open to a folder. The keys
/// take the place of those of an earlier backup, so that whoever was erased since is erased there.
///
/// # Errors
/// As [`daybook_eventlog::backup_dir`] and [`crate::own_log_folder`].
pub fn backup(
    folder: &Path,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport, AppError> {
    let log = offline::own_log_folder(folder)?;
    let report = daybook_eventlog::backup_dir(&log, target, progress)?;
    copy(folder, target)?;
    Ok(report)
}

/// Copies the wrapped keys from one folder to another, where there are any.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), AppError> {
    let keys = from.join(FOLDER);
    if KeyRing::exists(&keys) {
        KeyRing::copy(&keys, &to.join(FOLDER))?;
    }
    Ok(())
}

/// Copies the master key of a data folder that keeps its own.
pub(crate) fn copy_master_key(from: &Path, to: &Path) -> Result<(), AppError> {
    let path = from.join(MASTER_KEY_FILE);
    // What came with a backup may be anything, and only a file ends.
    if path.is_file() {
        MasterKey::read(&path)?.write_new(&to.join(MASTER_KEY_FILE))?;
    }
    Ok(())
}
