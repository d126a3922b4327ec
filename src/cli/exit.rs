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
    /// Some rows of an import were rejected, or refused by a rule.
    Refused,
}

/// What stands under `daybook --help`.
pub(crate) const HELP: &str = "\
Examples:
  daybook serve                    an organisation in ./daybook-data, at 127.0.0.1:8080
  daybook log tail                 the last commits, once the server has ended
  daybook backup --to DIR          a verified copy of the log
  daybook help restore             what a sub-command does, with examples

Exit codes:
  0  done
  1  failed
  2  the arguments are not usable
  3  stored data is damaged, or the check found a difference
  4  the data folder or the address is in use
  5  some rows of an import were rejected or refused; the others are done
";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Damaged => 3,
            Exit::InUse => 4,
            Exit::Refused => 5,
        })
    }
}
