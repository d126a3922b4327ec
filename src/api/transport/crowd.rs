//! The connections that each address has open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use super::peer::Network;

/// Counts the connections of each address, and takes no more of one than it may have.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    max: usize,
    held: Arc<Mutex<HashMap<Network, usize>>>,
}

/// What a connection holds for as long as it is open: requests carry it, so that a socket, which
/// outlives the request that it began with, can hold it too.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    _held: Arc<(Option<OwnedSemaphorePermit>, Place)>,
}

impl Ticket {
    pub(super) fn new(slot: Option<OwnedSemaphorePermit>, place: Place) -> Self {
        Self {
            _held: Arc::new((slot, place)),
        }
    }
}

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    network: Option<Network>,
}

impl Crowd {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            held: Arc::default(),
        }
    }

    /// A place for one more connection of an address, if it may have one; a connection of none
    /// always may.
    pub(super) fn enter(&self, network: Option<Network>) -> Option<Place> {
        if let Some(network) = network {
            let mut held = self.lock();
            let count = held.entry(network).or_default();
            if *count >= self.max {
                return None;
            }
            *count += 1;
        }
        let crowd = self.clone();
        Some(Place { crowd, network })
    }

    /// Each change is one step, so the counts are true after a panic too.
    fn lock(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        if let Entry::Occupied(mut count) = self.crowd.lock().entry(network) {
            if *count.get() > 1 {
                *count.get_mut() -= 1;
            } else {
                count.remove();
            }
        }
    }
}
