//! Failed sign-ins and tokens that were turned away: not facts of the business, so they do not
//! stand in the log, where a stranger could fill it. They go to a file of bounded size, oldest
//! forgotten first.
//!
//! ```text
//! <folder>/security.ndjson      the newest lines
//! <folder>/security.1.ndjson    those before
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use daybook_schema::kernel::DateTime;
use serde::Serialize;

/// Bytes after which a new file is begun; two files are kept.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const NEWEST: &str = "security.ndjson";
const BEFORE: &str = "security.1.ndjson";

/// Something that somebody tried in vain.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Attempt {
    /// To sign in with a password.
    SignIn,
    /// To accept an invitation.
    Invitation,
    /// To ask something with a token.
    Token,
}

/// One line. What was typed as a user name is not told: it may be a password in the wrong field.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    at: DateTime,
    attempt: Attempt,
    /// The account that it was tried on, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    /// Where from.
    address: &'a str,
    why: &'a str,
}

/// The file of an organisation.
pub struct SecurityLog {
    folder: PathBuf,
    file: Mutex<Option<File>>,
}

impl SecurityLog {
    /// The file in a folder; it is made when there is something to write.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            file: Mutex::new(None),
        }
    }

    /// Writes down what was tried in vain. What cannot be written is told to the server's log.
    pub fn note(&self, attempt: Attempt, account: Option<&str>, address: &str, why: &str) {
        let line = Line {
            at: DateTime::from_micros(chrono::Utc::now().timestamp_micros()),
            attempt,
            account,
            address,
            why,
        };
        if let Err(error) = self.write(&line) {
            tracing::warn!(%error, "the security log cannot be written");
        }
    }

    fn write(&self, line: &Line<'_>) -> io::Result<()> {
        let mut json = serde_json::to_vec(line)?;
        json.push(b'\n');
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match slot.take() {
            Some(file) => file,
            None => self.open()?,
        };
        if file.metadata()?.len() >= FILE_BYTES_MAX {
            fs::rename(self.folder.join(NEWEST), self.folder.join(BEFORE))?;
            file = self.open()?;
        }
        file.write_all(&json)?;
        *slot = Some(file);
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        let path = self.folder.join(NEWEST);
        OpenOptions::new().create(true).append(true).open(path)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use std::fs;

    use super::{Attempt, BEFORE, FILE_BYTES_MAX, NEWEST, SecurityLog};

    #[test]
    fn lines_are_kept_within_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let log = SecurityLog::new(folder.path());
        let why = "x".repeat(60_000);
        for _ in 0..60 {
            log.note(Attempt::SignIn, Some("account-li.wei"), "192.0.2.1", &why);
        }
        let length = |name| fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(length(NEWEST) < FILE_BYTES_MAX + 70_000);
        assert!(length(BEFORE) >= FILE_BYTES_MAX && length(BEFORE) < FILE_BYTES_MAX + 70_000);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let text = fs::read_to_string(folder.path().join(NEWEST)).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(line["attempt"], "signIn");
        assert_eq!(line["account"], "account-li.wei");
    }
}
