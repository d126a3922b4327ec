//! How the program ends.

use std::process::ExitCode;

/// The exit codes; part of the published interface, listed in `daybook --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Not done, or not wholly.
    Failed,
    /// The arguments make no sense together. The same code comes from a malformed argument.
    Usage,
    /// Stored data is damaged, or two things that must be equal are not.
    Damaged,
    /// Another process uses the data folder or the address.
    InUse,
}

/// The table of codes, as `--help` shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  the arguments are not usable
  3  stored data is damaged, or the check found a difference
  4  the data folder or the address is in use
";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Damaged => 3,
            Exit::InUse => 4,
        })
    }
}
