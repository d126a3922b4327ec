//! How far a long operation is.

use serde::Serialize;

use crate::Position;

/// One report of progress; they come every few hundred blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What is being done, as a noun.
    pub stage: &'static str,
    /// The position reached.
    pub done: Position,
    /// The position to be reached, as far as it is known.
    pub total: Position,
}

/// Whoever wants to hear about it.
pub(crate) type Listener<'a> = &'a mut dyn FnMut(Progress);

/// Thins out reports.
#[derive(Debug)]
pub(crate) struct Ticker {
    stage: &'static str,
    total: Position,
    steps: u32,
}

impl Ticker {
    const EVERY: u32 = 256;

    pub(crate) fn new(stage: &'static str, total: Position) -> Self {
        Self {
            stage,
            total,
            steps: 0,
        }
    }

    pub(crate) fn step(&mut self, done: Position, listener: &mut dyn FnMut(Progress)) {
        if self.steps.is_multiple_of(Self::EVERY) {
            self.report(done, listener);
        }
        self.steps = self.steps.wrapping_add(1);
    }

    pub(crate) fn report(&self, done: Position, listener: &mut dyn FnMut(Progress)) {
        listener(Progress {
            stage: self.stage,
            done,
            total: self.total.max(done),
        });
    }
}
