//! Recognises repeated command ids without a look into the index for each.
//!
//! Command ids are usually ordered by time (UUIDv7). So the ids of the last commits are kept,
//! and the greatest time-ordered id of all older ones: a time-ordered id above that one and not
//! among the kept is new for certain. Any other id is looked up: ids of other versions, such as
//! those of imports, only cost the look-up and do not spoil the order of the rest.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// How many ids are kept: about 1 MB, little enough to stay in the processor's cache.
const KEPT: usize = 16_384;

/// What is known about an id without asking the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Never committed.
    New,
    /// Perhaps committed.
    Unclear,
}

/// The ids of the last commits, and the greatest of all older ones.
#[derive(Clone, Debug)]
pub struct RecentCommands {
    kept: HashSet<Uuid>,
    order: VecDeque<Uuid>,
    greatest_older: Uuid,
}

impl RecentCommands {
    /// All time-ordered commands so far are at most `greatest`.
    #[must_use]
    pub fn new(greatest: Uuid) -> Self {
        Self {
            kept: HashSet::new(),
            order: VecDeque::new(),
            greatest_older: greatest,
        }
    }

    /// Whether an id is new for certain.
    #[must_use]
    pub fn look(&self, id: Uuid) -> Known {
        let ordered = is_time_ordered(&id);
        let new = ordered && id > self.greatest_older && !self.kept.contains(&id);
        if new { Known::New } else { Known::Unclear }
    }

    /// Takes note of a committed id.
    pub fn add(&mut self, id: Uuid) {
        self.kept.insert(id);
        self.order.push_back(id);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
            if is_time_ordered(&oldest) {
                self.greatest_older = self.greatest_older.max(oldest);
            }
        }
    }
}

/// Whether ids of this version rise with time.
pub(crate) fn is_time_ordered(id: &Uuid) -> bool {
    id.get_version_num() == 7
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Known, RecentCommands, Uuid};

    #[test]
    fn an_id_is_new_only_when_it_cannot_have_been_seen() {
        let seven = 7_u128 << 76;
        let id = |n: usize| Uuid::from_u128((u128::try_from(n).unwrap_or_default() << 80) | seven);
        let random = Uuid::from_u128(u128::MAX ^ (0xb_u128 << 76));
        let mut recent = RecentCommands::new(id(10));
        assert_eq!(recent.look(id(10)), Known::Unclear);
        assert_eq!(recent.look(id(11)), Known::New);
        recent.add(random);
        assert_eq!(recent.look(random), Known::Unclear);
        (11..KEPT + 100).for_each(|n| recent.add(id(n)));
        assert_eq!(recent.kept.len(), KEPT);
        for seen in [5, 11, 99, 150, KEPT + 99] {
            assert_eq!(recent.look(id(seen)), Known::Unclear, "{seen}");
        }
        assert_eq!(recent.look(id(KEPT + 100)), Known::New);
    }
}
