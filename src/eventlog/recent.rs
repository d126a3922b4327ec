//! Recognises repeated command ids without a look into the index for each.
//!
//! Command ids are usually ordered by time (UUIDv7). So the ids of the last commits are kept,
//! and the greatest id of all older ones: an id above that one and not among the kept is new for
//! certain. Any other id is looked up. Memory is fixed, random ids only cost the look-up.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// How many ids are kept: about 1 MB, little enough to stay in the processor's cache.
const KEPT: usize = 16_384;

/// What is known about an id without asking the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Never committed.
    New,
    /// Perhaps committed.
    Unclear,
}

#[derive(Debug)]
pub(crate) struct RecentCommands {
    kept: HashSet<Uuid>,
    order: VecDeque<Uuid>,
    greatest_older: Uuid,
}

impl RecentCommands {
    /// All commands so far are at most `greatest`.
    pub(crate) fn new(greatest: Uuid) -> Self {
        Self {
            kept: HashSet::new(),
            order: VecDeque::new(),
            greatest_older: greatest,
        }
    }

    pub(crate) fn look(&self, id: Uuid) -> Known {
        let new = id > self.greatest_older && !self.kept.contains(&id);
        if new { Known::New } else { Known::Unclear }
    }

    pub(crate) fn add(&mut self, id: Uuid) {
        self.kept.insert(id);
        self.order.push_back(id);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
            self.greatest_older = self.greatest_older.max(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Known, RecentCommands, Uuid};

    #[test]
    fn an_id_is_new_only_when_it_cannot_have_been_seen() {
        let id = |n: usize| Uuid::from_u128(n.try_into().unwrap_or_default());
        let mut recent = RecentCommands::new(id(10));
        assert_eq!(recent.look(id(10)), Known::Unclear);
        assert_eq!(recent.look(id(11)), Known::New);
        (11..KEPT + 100).for_each(|n| recent.add(id(n)));
        assert_eq!(recent.kept.len(), KEPT);
        for seen in [5, 11, 99, 150, KEPT + 99] {
            assert_eq!(recent.look(id(seen)), Known::Unclear, "{seen}");
        }
        assert_eq!(recent.look(id(KEPT + 100)), Known::New);
    }
}
