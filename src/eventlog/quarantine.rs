//! Moves what cannot be used out of the way, never deleting it: it may be evidence.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::sync_folder;
use crate::error::LogError;

/// The folder inside the log's folder.
pub(crate) const FOLDER: &str = "quarantine";

/// Renames a file into the quarantine, under a name that is free there.
pub(crate) fn move_aside(path: &Path, quarantine: &Path) -> Result<PathBuf, LogError> {
    fs::create_dir_all(quarantine).map_err(LogError::io("create", quarantine))?;
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into());
    let mut target = quarantine.join(&name);
    let mut attempt = 1;
    while target.exists() {
        attempt += 1;
        target = quarantine.join(format!("{name}.{attempt}"));
    }
    let moved = fs::rename(path, &target).and_then(|()| {
        path.parent().map_or(Ok(()), sync_folder)?;
        sync_folder(quarantine)
    });
    moved.map_err(LogError::io("move aside", path))?;
    Ok(target)
}
