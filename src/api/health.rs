//! What the probes ask: is the process alive, and may it be sent work.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Answers the probes. Asked often and by anyone, so it must be cheap and must not wait.
pub trait Health: Clone + Send + Sync + 'static {
    /// The state of every part that requests need.
    fn report(&self) -> Report;
}

impl<F: Fn() -> Report + Clone + Send + Sync + 'static> Health for F {
    fn report(&self) -> Report {
        self()
    }
}

/// The state of the parts, in the order in which a person should read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One line per part.
    pub checks: Vec<Check>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is, such as `log`.
    pub name: &'static str,
    /// Whether it works.
    pub ok: bool,
    /// What a person wants to know about it, such as `position 1204`; may be empty.
    pub detail: Cow<'static, str>,
}

impl Report {
    /// A report of no parts: ready.
    #[must_use]
    pub fn ready() -> Self {
        Self::default()
    }

    /// The report with one more part.
    #[must_use]
    pub fn with(
        mut self,
        name: &'static str,
        ok: bool,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.checks.push(Check {
            name,
            ok,
            detail: detail.into(),
        });
        self
    }

    /// Whether every part works.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    /// One line per part and a last line with the sum.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let sign = if check.ok { '+' } else { '-' };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "[{sign}] {} {}", check.name, check.detail);
        }
        text.push_str(if self.is_ready() {
            "ready\n"
        } else {
            "not ready\n"
        });
        text
    }
}
