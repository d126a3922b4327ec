//! Slows down whoever tries passwords: after a few failures in a row every further one is waited
//! for, twice as long each time.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;

/// Failures in a row that cost nothing.
const FREE: u32 = 5;
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(900);
/// How many names are remembered; the one that tried longest ago is forgotten first.
const REMEMBERED: usize = 100_000;

/// Failures by name: of an account, or of an address.
pub struct Throttle(Mutex<LruCache<String, Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    in_a_row: u32,
    until: Instant,
}

impl Default for Throttle {
    fn default() -> Self {
        let capacity = NonZeroUsize::new(REMEMBERED).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(capacity)))
    }
}

impl Throttle {
    /// How long somebody of this name has to wait before they may try.
    pub fn wait(&self, name: &str, now: Instant) -> Option<Duration> {
        let failures = *self.lock().get(name)?;
        let wait = failures.until.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// Somebody of this name failed.
    pub fn failed(&self, name: &str, now: Instant) {
        let mut known = self.lock();
        let in_a_row = known.get(name).map_or(0, |failures| failures.in_a_row) + 1;
        let doublings = in_a_row.saturating_sub(FREE);
        let wait = match doublings {
            0 => Duration::ZERO,
            _ => Duration::from_secs(1 << (doublings - 1).min(10)).min(WAIT_MAX),
        };
        let until = now + wait;
        known.put(name.to_owned(), Failures { in_a_row, until });
    }

    /// Somebody of this name proved who they are.
    pub fn succeeded(&self, name: &str) {
        self.lock().pop(name);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<String, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Throttle, WAIT_MAX};

    #[test]
    fn waits_grow_and_end() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..5 {
            throttle.failed("li.wei", now);
            assert_eq!(throttle.wait("li.wei", now), None);
        }
        throttle.failed("li.wei", now);
        assert_eq!(throttle.wait("li.wei", now), Some(Duration::from_secs(1)));
        throttle.failed("li.wei", now);
        assert_eq!(throttle.wait("li.wei", now), Some(Duration::from_secs(2)));
        let later = now + Duration::from_secs(2);
        assert_eq!(throttle.wait("li.wei", later), None);
        assert_eq!(throttle.wait("zhao.min", now), None);
        for _ in 0..50 {
            throttle.failed("li.wei", now);
        }
        assert_eq!(throttle.wait("li.wei", now), Some(WAIT_MAX));
        throttle.succeeded("li.wei");
        assert_eq!(throttle.wait("li.wei", now), None);
    }
}
