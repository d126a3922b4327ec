//! Which organisations of a house are open, and who has to go when another one comes.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Instant,
};

use uuid::Uuid;

use super::HouseError;
use crate::Organisation;

/// Why an opening failed, once it has; all who wait for it share it.
pub(super) type Outcome = Arc<OnceLock<HouseError>>;

/// What has a place. Closing keeps its place, unless an opening waits for exactly that one.
enum Room {
    Opening(Outcome),
    Open {
        organisation: Arc<Organisation>,
        used: Instant,
    },
    Closing,
}

impl Room {
    /// Since when nobody holds it.
    fn left(&self) -> Option<Instant> {
        match self {
            // Only the rooms hand out further holders, and whoever looks has them locked.
            Self::Open { organisation, used } if Arc::strong_count(organisation) == 1 => {
                Some(*used)
            }
            Self::Open { .. } | Self::Opening(_) | Self::Closing => None,
        }
    }
}

/// An organisation out of its room, to be closed.
pub(super) struct Left {
    pub(super) id: Uuid,
    pub(super) organisation: Organisation,
}

/// A place for one more organisation; another may have to be closed before it is free.
pub(super) struct Place(pub(super) Option<Box<Left>>);

/// What was found behind a door that was to be barred.
pub(super) enum Barred {
    /// Nothing: the organisation is not open.
    Empty,
    /// The organisation, which is to be closed.
    Left(Box<Left>),
    /// Somebody uses it still; nothing is barred.
    InUse,
}

/// What somebody finds who wants to enter.
pub(super) enum Found {
    /// It is open.
    Here(Arc<Organisation>),
    /// Somebody else opens it.
    Soon(Outcome),
    /// It is on whoever asks to open it.
    Place(Place, Outcome),
    /// There is no place now, or it is just being closed.
    Later,
}

/// The rooms of a house.
pub(super) struct Rooms {
    /// Places that nobody has.
    free: usize,
    rooms: HashMap<Uuid, Room>,
    closed: bool,
}

impl Rooms {
    pub(super) fn new(open_max: usize) -> Self {
        Self {
            free: open_max,
            rooms: HashMap::new(),
            closed: false,
        }
    }

    pub(super) fn knows(&self, id: Uuid) -> bool {
        self.rooms.contains_key(&id)
    }

    /// How many organisations are not closed yet.
    pub(super) fn count(&self) -> usize {
        self.rooms.len()
    }

    /// Whether nobody enters any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Bars the room of an organisation, until it is [unbarred](Self::unbar).
    pub(super) fn bar(&mut self, id: Uuid) -> Barred {
        match self.rooms.get(&id) {
            None => {
                self.rooms.insert(id, Room::Closing);
                Barred::Empty
            }
            Some(room) if room.left().is_some() => match self.take(id) {
                Some(left) => Barred::Left(Box::new(left)),
                None => Barred::InUse,
            },
            Some(_) => Barred::InUse,
        }
    }

    /// Notes that an organisation which was taken out of a barred room is closed.
    pub(super) fn free_place(&mut self) {
        self.free += 1;
    }

    /// Ends a bar.
    pub(super) fn unbar(&mut self, id: Uuid) {
        self.rooms.remove(&id);
    }

    /// Lets nobody enter any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn find(&mut self, id: Uuid) -> Result<Found, HouseError> {
        if self.closed {
            return Err(HouseError::Closed);
        }
        Ok(match self.rooms.get_mut(&id) {
            Some(Room::Open { organisation, used }) => {
                *used = Instant::now();
                Found::Here(organisation.clone())
            }
            Some(Room::Opening(outcome)) => Found::Soon(outcome.clone()),
            Some(Room::Closing) => Found::Later,
            None => self.place_for(id),
        })
    }

    fn place_for(&mut self, id: Uuid) -> Found {
        let place = match self.free.checked_sub(1) {
            Some(free) => {
                self.free = free;
                Place(None)
            }
            None => match self.leave(Instant::now()) {
                Some(left) => Place(Some(Box::new(left))),
                None => return Found::Later,
            },
        };
        let outcome = Outcome::default();
        self.rooms.insert(id, Room::Opening(outcome.clone()));
        Found::Place(place, outcome)
    }

    /// Takes out the organisation that was left first, where nobody has used it since.
    pub(super) fn leave(&mut self, since: Instant) -> Option<Left> {
        let left = self.rooms.iter();
        let left = left.filter_map(|(id, room)| room.left().map(|left| (left, *id)));
        let (_, id) = left.filter(|(left, _)| *left <= since).min()?;
        self.take(id)
    }

    /// Takes an organisation out of its room, unless somebody else holds it.
    fn take(&mut self, id: Uuid) -> Option<Left> {
        match self.rooms.insert(id, Room::Closing) {
            Some(Room::Open { organisation, used }) => match Arc::try_unwrap(organisation) {
                Ok(organisation) => Some(Left { id, organisation }),
                Err(organisation) => {
                    self.rooms.insert(id, Room::Open { organisation, used });
                    None
                }
            },
            Some(other) => {
                self.rooms.insert(id, other);
                None
            }
            None => {
                self.rooms.remove(&id);
                None
            }
        }
    }

    /// Puts an opened organisation into its room; gives it back where the house was closed.
    pub(super) fn settle(&mut self, id: Uuid, organisation: Organisation) -> Option<Organisation> {
        if self.closed {
            return Some(organisation);
        }
        let (organisation, used) = (Arc::new(organisation), Instant::now());
        self.rooms.insert(id, Room::Open { organisation, used });
        None
    }

    /// Ends a room whose place another one takes.
    pub(super) fn hand_over(&mut self, id: Uuid) {
        self.rooms.remove(&id);
    }

    /// Ends a room, whose place is free from now on.
    pub(super) fn vacate(&mut self, id: Uuid) {
        self.rooms.remove(&id);
        self.free += 1;
    }

    /// Notes that somebody used it until now.
    pub(super) fn used(&mut self, id: Uuid) {
        if let Some(Room::Open { used, .. }) = self.rooms.get_mut(&id) {
            *used = Instant::now();
        }
    }
}
