//! How far long work has come: a bar on a terminal, plain lines elsewhere.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use daybook_eventlog::Progress as LogProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two plain lines, so that a log file stays short.
const PAUSE: Duration = Duration::from_secs(1);

/// One piece of long work, shown on stderr from its first report on.
pub(crate) struct Progress {
    what: Cow<'static, str>,
    bar: Option<ProgressBar>,
    plain: Throttle,
}

impl Progress {
    /// Work named by a phrase such as `rebuilding the read models`.
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = io::stderr().is_terminal().then(ProgressBar::hidden);
        Self {
            what: what.into(),
            bar,
            plain: Throttle::default(),
        }
    }

    /// Shows the stages of work on a log.
    pub(crate) fn of_log<T>(work: impl FnOnce(&mut dyn FnMut(LogProgress)) -> T) -> T {
        let mut progress = Self::new("");
        let done = work(&mut |report| {
            progress.name(report.stage);
            progress.at(report.done, report.total);
        });
        progress.finish();
        done
    }

    /// Names what is being done from now on.
    pub(crate) fn name(&mut self, what: impl Into<Cow<'static, str>>) {
        self.what = what.into();
    }

    /// So much of so much is done; a total of 0 is not known.
    pub(crate) fn at(&mut self, done: u64, total: u64) {
        match &self.bar {
            Some(bar) => {
                if bar.is_hidden() {
                    bar.set_style(style());
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                }
                bar.set_message(self.what.clone());
                bar.set_length(total.max(done));
                bar.set_position(done);
            }
            None => {
                if self.plain.is_due(Instant::now()) {
                    // Progress that nobody can read is not worth failing for.
                    let _ = writeln!(io::stderr().lock(), "{}", line(&self.what, done, total));
                }
            }
        }
    }

    /// Takes the bar off the terminal.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Lets one report through per [`PAUSE`]; the first waits for a pause too, because work that ends
/// within it needs no report.
struct Throttle {
    last: Instant,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            last: Instant::now(),
        }
    }
}

impl Throttle {
    fn is_due(&mut self, now: Instant) -> bool {
        let due = now.duration_since(self.last) >= PAUSE;
        if due {
            self.last = now;
        }
        due
    }
}

fn style() -> ProgressStyle {
    let template = "{msg} {wide_bar} {human_pos} of {human_len}, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn line(what: &str, done: u64, total: u64) -> String {
    match done.saturating_mul(100).checked_div(total) {
        Some(percent) => format!("{what}: {done} of {total} ({percent} %)"),
        None => format!("{what}: {done}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Throttle, line};

    #[test]
    fn plain_lines_come_at_most_once_a_second() {
        let mut throttle = Throttle::default();
        let start = throttle.last;
        let due = |throttle: &mut Throttle, ms| throttle.is_due(start + Duration::from_millis(ms));
        assert!(!due(&mut throttle, 999));
        assert!(due(&mut throttle, 1_000));
        assert!(!due(&mut throttle, 1_999));
        assert!(due(&mut throttle, 2_000));
    }

    #[test]
    fn a_line_tells_the_share_where_the_total_is_known() {
        assert_eq!(line("copying", 1, 4), "copying: 1 of 4 (25 %)");
        assert_eq!(line("copying", 7, 0), "copying: 7");
    }
}
