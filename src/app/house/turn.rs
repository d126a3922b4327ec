//! One opening, on a thread that may block, for all who wait for it.

use std::{
    mem,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use daybook_eventlog::LogError;
use uuid::Uuid;

use super::{
    HouseError, Shared,
    rooms::{Left, Outcome, Place},
};
use crate::{AppError, Organisation, organisation};

/// The time between two looks at how far the read models have come.
const PAUSE: Duration = Duration::from_millis(1);

/// Whoever drops it without having run it, a panic too, tells those who wait that it was cut off.
pub(super) struct Turn {
    house: Arc<Shared>,
    id: Uuid,
    left: Option<Box<Left>>,
    outcome: Outcome,
    settled: bool,
    /// Whether it counts among the open ones and is in no room yet.
    counted: bool,
}

impl Turn {
    pub(super) fn new(house: Arc<Shared>, id: Uuid, place: Place, outcome: Outcome) -> Self {
        let Place(left) = place;
        Self {
            house,
            id,
            left,
            outcome,
            settled: false,
            counted: false,
        }
    }

    pub(super) fn run(mut self) {
        self.make_room();
        match self.work() {
            Ok(organisation) => self.settle(organisation),
            Err(source) => {
                let (organisation, source) = (self.id, Arc::new(source));
                tracing::error!(%organisation, code = source.code(), error = %source, "not opened");
                self.fail(HouseError::Unopened {
                    organisation,
                    source,
                });
            }
        }
    }

    /// Closes the one whose place it takes.
    fn make_room(&mut self) {
        if let Some(left) = self.left.take() {
            let id = left.id;
            self.house.shut(*left);
            self.house.rooms().hand_over(id);
            self.house.changed.send_replace(());
        }
    }

    fn work(&mut self) -> Result<Organisation, AppError> {
        self.house.open.fetch_add(1, Ordering::AcqRel);
        self.counted = true;
        let opened = self.open()?;
        self.counted = false;
        Ok(opened)
    }

    fn open(&self) -> Result<Organisation, AppError> {
        let (folder, options) = (&self.house.folder, &self.house.options.organisation);
        let folder = folder.of(self.id);
        // A folder under another name, copied or linked, is nobody's second way in: its log would
        // go on apart from the one that has the name.
        let found = organisation::existing(&folder)?;
        if found != self.id {
            let expected = self.id;
            return Err(LogError::WrongOrganisation { expected, found }.into());
        }
        let opened = Organisation::open_existing(&folder, options.clone(), &mut |_, _| {});
        let (organisation, opening) = opened?;
        catch_up(&organisation);
        tracing::info!(
            organisation = %self.id,
            position = organisation.log().head().position,
            closed_in_order = opening.log.was_closed,
            "organisation open"
        );
        Ok(organisation)
    }

    fn settle(mut self, organisation: Organisation) {
        let turned_away = self.house.rooms().settle(self.id, organisation);
        match turned_away {
            None => {
                self.settled = true;
                self.house.changed.send_replace(());
            }
            Some(organisation) => {
                let id = self.id;
                self.house.shut(Left { id, organisation });
                self.fail(HouseError::Closed);
            }
        }
    }

    fn fail(&mut self, error: HouseError) {
        if mem::take(&mut self.counted) {
            self.house.open.fetch_sub(1, Ordering::AcqRel);
        }
        self.settled = true;
        // Nobody else sets it.
        let _ = self.outcome.set(error);
        self.house.rooms().vacate(self.id);
        self.house.changed.send_replace(());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.make_room();
        if !self.settled {
            let organisation = self.id;
            self.fail(HouseError::Interrupted { organisation });
        }
    }
}

/// Whoever enters after a crash shall find their keys: read models that lag would not know them.
fn catch_up(organisation: &Organisation) {
    let head = organisation.log().head().position;
    let applied = organisation.applied();
    while applied.borrow().position < head && applied.borrow().stopped.is_none() {
        thread::sleep(PAUSE);
    }
}
