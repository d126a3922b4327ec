//! The folder of a log: who may use it, and whose it is.
//!
//! ```text
//! FORMAT         two lines of text: format and version, organisation. Written last of all
//! LOCK           locked while the log is open
//! head           the head record
//! sled/          the blocks
//! index.sqlite   derived, may be deleted
//! archive/       the blocks once more
//! quarantine/    what opening moved out of the way; never read again
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

use crate::disk::sync_folder;
use crate::error::LogError;

const FORMAT_FILE: &str = "FORMAT";
const FORMAT_LINE: &str = "daybook-log 1";
const LOCK_FILE: &str = "LOCK";

/// Takes the folder for this process, creating it if need be.
pub(crate) fn lock(dir: &Path) -> Result<File, LogError> {
    fs::create_dir_all(dir).map_err(LogError::io("create", dir))?;
    let path = dir.join(LOCK_FILE);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = file.map_err(LogError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked {
            dir: dir.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(LogError::io("lock", &path)(error)),
    }
}

/// Whose log a folder holds; `None` when it has none (yet). Takes no lock and opens nothing.
///
/// # Errors
/// [`LogError::UnsupportedVersion`], [`LogError::NotUsable`] when the format file names nobody,
/// [`LogError::Io`].
pub fn owner(dir: &Path) -> Result<Option<Uuid>, LogError> {
    let path = dir.join(FORMAT_FILE);
    let text = match fs::read(&path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LogError::io("read", &path)(error)),
    };
    let mut lines = text.lines();
    let found = lines.next().unwrap_or_default();
    if found != FORMAT_LINE {
        let (found, supported) = (found.to_owned(), FORMAT_LINE.to_owned());
        return Err(LogError::UnsupportedVersion { found, supported });
    }
    let owner = lines.next().and_then(|line| Uuid::parse_str(line).ok());
    owner.map(Some).ok_or(LogError::NotUsable {
        path,
        what: "names no organisation",
    })
}

/// Whether the folder holds a log of this organisation; an error when it is not one to use.
pub(crate) fn check(dir: &Path, organisation: Uuid) -> Result<bool, LogError> {
    match owner(dir)? {
        Some(found) if found != organisation => Err(LogError::WrongOrganisation {
            expected: organisation,
            found,
        }),
        found => Ok(found.is_some()),
    }
}

/// Makes the folder a log. Everything else is in place and durable before.
pub(crate) fn write(dir: &Path, organisation: Uuid) -> Result<(), LogError> {
    let path = dir.join(FORMAT_FILE);
    let draft = dir.join("FORMAT.draft");
    let written = File::create(&draft)
        .and_then(|mut file| {
            write!(file, "{FORMAT_LINE}\n{organisation}\n")?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| sync_folder(dir));
    written.map_err(LogError::io("write", &path))
}
