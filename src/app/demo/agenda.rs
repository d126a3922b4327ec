//! What is to happen when: a queue in the order of business time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use super::calendar::Moment;

/// Things to do, earliest first; of two at the same moment the one that was entered first.
pub(super) struct Agenda<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    entered: u64,
}

struct Entry<T> {
    at: Moment,
    number: u64,
    thing: T,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self {
            entries: BinaryHeap::new(),
            entered: 0,
        }
    }

    /// Enters a thing to do.
    pub(super) fn enter(&mut self, at: Moment, thing: T) {
        self.entered += 1;
        let number = self.entered;
        self.entries.push(Reverse(Entry { at, number, thing }));
    }

    /// Takes the next thing to do.
    pub(super) fn next(&mut self) -> Option<(Moment, T)> {
        let Reverse(entry) = self.entries.pop()?;
        Some((entry.at, entry.thing))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}
