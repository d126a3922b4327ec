//! Whether the organisation may be sent work. Asked often, so it only looks at what is in memory.

use std::sync::Arc;

use daybook_api::health::{Health, Report};
use daybook_app::{Applied, Organisation};
use daybook_eventlog::LogState;

/// Commits that the read models may be behind and still count as caught up: a burst is no fault.
const LAG_MAX: u64 = 5_000;

/// Looks at the parts of an organisation: its log, its desk, its read models.
#[derive(Clone)]
pub(super) struct Watch(Arc<Organisation>);

impl Watch {
    pub(super) fn new(organisation: Arc<Organisation>) -> Self {
        Self(organisation)
    }
}

impl Health for Watch {
    fn report(&self) -> Report {
        let head = self.0.log().head().position;
        let (log_ok, log) = log(&self.0.log().state(), head);
        let (desk_ok, desk) = desk(self.0.desk().is_running(), self.0.desk().queued());
        let (read_ok, read) = read_models(&self.0.applied().borrow(), head);
        Report::ready()
            .with("log", log_ok, log)
            .with("desk", desk_ok, desk)
            .with("read-models", read_ok, read)
    }
}

fn log(state: &LogState, head: u64) -> (bool, String) {
    match state {
        LogState::Writable => (true, format!("position {head}")),
        LogState::LowSpace { free, required } => (
            false,
            format!("{free} bytes are free and {required} are required; reading goes on"),
        ),
        LogState::Stopped { reason } => (false, format!("stopped: {reason}")),
    }
}

fn desk(running: bool, queued: usize) -> (bool, String) {
    if running {
        (true, format!("{queued} commands waiting"))
    } else {
        (false, "has ended".to_owned())
    }
}

fn read_models(applied: &Applied, head: u64) -> (bool, String) {
    let position = applied.position;
    match &applied.stopped {
        Some(reason) => (false, format!("stopped at position {position}: {reason}")),
        None => {
            let lag = head.saturating_sub(position);
            (lag <= LAG_MAX, format!("position {position}, {lag} behind"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Applied, LAG_MAX, LogState, desk, log, read_models};

    #[test]
    fn a_log_without_room_takes_no_work() {
        assert!(log(&LogState::Writable, 7).0);
        let low = LogState::LowSpace {
            free: 1,
            required: 2,
        };
        let (ok, detail) = log(&low, 7);
        assert!(!ok && detail.contains("1 bytes are free and 2 are required"));
        let reason = "sync failed".to_owned();
        assert!(!log(&LogState::Stopped { reason }, 7).0);
    }

    #[test]
    fn read_models_must_be_near_the_head_and_running() {
        let at = |position, stopped| Applied {
            position,
            stopped,
            access: 0,
        };
        assert!(read_models(&at(10, None), 10 + LAG_MAX).0);
        assert!(!read_models(&at(10, None), 11 + LAG_MAX).0);
        assert!(!read_models(&at(10, Some("disk full".to_owned())), 10).0);
    }

    #[test]
    fn a_desk_that_has_ended_takes_no_work() {
        assert!(desk(true, 3).0);
        assert!(!desk(false, 0).0);
    }
}
