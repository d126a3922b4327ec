//! How much a client may ask for in a while: requests by its address, before anything of them is
//! read; requests and cost by its identity, once both are known.
//!
//! Buckets that are full again say nothing and are dropped, so memory is bounded by the number of
//! clients that have asked within the time in which a bucket fills, and [`SWEEP_EVERY`] more.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::errors::{Code, Fault};
use super::peer::{Network, Peer};
use super::request::RequestContext;
use crate::metrics::{LimitLabels, Metrics};

/// Spendings between two looks for buckets that are full again.
const SWEEP_EVERY: u32 = 10_000;

/// So many in a second, in the long run, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What comes back in a second.
    pub per_second: NonZeroU32,
    /// What may be spent at once after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    /// None where nothing comes back, which means no limit.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        Some(Self { per_second, burst })
    }
}

/// The rates of one client; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Requests from one address.
    pub address: Option<Rate>,
    /// Requests of one identity. Callers without one are told apart by their addresses.
    pub identity: Option<Rate>,
    /// Cost of what one identity asks for.
    pub cost: Option<Rate>,
    /// Whether clients on this machine are limited too.
    pub local: bool,
}

/// What has been spent, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The cost of this request.
    pub requested: u64,
    /// What the identity can still spend now; none where there is no limit.
    pub available: Option<u64>,
}

/// A client has asked for more than its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much in a short time ({what}): try again in {} ms", .retry_after.as_millis())]
pub struct RateLimited {
    /// What there was too much of: `address` and `requests` are requests from one address and of
    /// one identity, `cost` is what they cost.
    pub what: &'static str,
    /// When the same request will pass, if nothing else is asked for.
    pub retry_after: Duration,
}

impl From<RateLimited> for Fault {
    fn from(limited: RateLimited) -> Self {
        Self::new(Code::RateLimited, limited.to_string()).after(limited.retry_after)
    }
}

/// What identities may spend.
#[derive(Debug)]
pub struct Budget {
    requests: Option<Buckets<Box<str>>>,
    cost: Option<Buckets<Box<str>>>,
    local: bool,
    metrics: Metrics,
}

impl Budget {
    /// Every identity begins with a full budget.
    #[must_use]
    pub fn new(rates: &Rates, metrics: Metrics) -> Self {
        Self {
            requests: rates.identity.map(Buckets::new),
            cost: rates.cost.map(Buckets::new),
            local: rates.local,
            metrics,
        }
    }

    /// Counts a request of an identity.
    ///
    /// # Errors
    /// There were too many.
    pub fn count(&self, identity: &str) -> Result<(), RateLimited> {
        let Some(requests) = &self.requests else {
            return Ok(());
        };
        let counted = requests.spend(&identity.into(), 1);
        self.told("requests", counted.map(|_left| ()))
    }

    /// Takes the cost of a request off an identity's budget. A cost beyond the whole of it takes
    /// the whole.
    ///
    /// # Errors
    /// Too little is left.
    pub fn spend(&self, identity: &str, cost: u64) -> Result<Spent, RateLimited> {
        let mut spent = Spent {
            requested: cost,
            available: None,
        };
        if let Some(budget) = &self.cost {
            let left = budget.spend(&identity.into(), u32::try_from(cost).unwrap_or(u32::MAX));
            spent.available = Some(self.told("cost", left)?.into());
        }
        Ok(spent)
    }

    /// [`count`](Self::count) for whoever asks.
    pub(super) fn count_for(&self, context: &RequestContext) -> Result<(), RateLimited> {
        match self.payer(context) {
            Some(payer) => self.count(&payer),
            None => Ok(()),
        }
    }

    /// [`spend`](Self::spend) for whoever asks.
    pub(super) fn spend_for(
        &self,
        context: &RequestContext,
        cost: u64,
    ) -> Result<Spent, RateLimited> {
        match self.payer(context) {
            Some(payer) => self.spend(&payer, cost),
            None => Ok(Spent {
                requested: cost,
                available: None,
            }),
        }
    }

    /// Who pays; none for somebody who need not. Callers without an identity must not be able to
    /// empty each other's budget, so their addresses pay.
    fn payer(&self, context: &RequestContext) -> Option<Box<str>> {
        let key = context.identity.key();
        match context.peer {
            Some(peer) if peer.is_local() && !self.local => None,
            Some(peer) if context.identity.is_anonymous() => {
                Some(format!("{key}@{}", peer.network()).into())
            }
            _ => Some(key.into()),
        }
    }

    fn told<T>(&self, what: &'static str, spent: Result<T, Duration>) -> Result<T, RateLimited> {
        spent.map_err(|retry_after| limited(&self.metrics, what, retry_after))
    }
}

/// The requests from each address.
#[derive(Debug)]
pub(super) struct Visits {
    buckets: Buckets<Network>,
    local: bool,
    metrics: Metrics,
}

impl Visits {
    /// None where addresses are not limited.
    pub(super) fn new(rates: &Rates, metrics: Metrics) -> Option<Self> {
        Some(Self {
            buckets: Buckets::new(rates.address?),
            local: rates.local,
            metrics,
        })
    }

    /// Counts a request from an address.
    pub(super) fn count(&self, peer: Peer) -> Result<(), RateLimited> {
        if peer.is_local() && !self.local {
            return Ok(());
        }
        let counted = self.buckets.spend(&peer.network(), 1);
        counted
            .map(|_left| ())
            .map_err(|wait| limited(&self.metrics, "address", wait))
    }
}

fn limited(metrics: &Metrics, what: &'static str, retry_after: Duration) -> RateLimited {
    let labels = LimitLabels { what };
    metrics.rate_limited.get_or_create(&labels).inc();
    RateLimited { what, retry_after }
}

type Limiter<K> =
    RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// A bucket for each key; it is full at first and fills again by and by.
struct Buckets<K: Hash + Eq + Clone> {
    limiter: Limiter<K>,
    burst: NonZeroU32,
    until_sweep: AtomicU32,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self {
            limiter: RateLimiter::keyed(quota).with_middleware(),
            burst: rate.burst,
            until_sweep: AtomicU32::new(SWEEP_EVERY),
        }
    }

    /// What is left, or the time until there is enough.
    fn spend(&self, key: &K, amount: u32) -> Result<u32, Duration> {
        self.sweep();
        let amount = NonZeroU32::new(amount)
            .unwrap_or(NonZeroU32::MIN)
            .min(self.burst);
        match self.limiter.check_key_n(key, amount) {
            Ok(Ok(left)) => Ok(left.remaining_burst_capacity()),
            Ok(Err(early)) => Err(early.wait_time_from(self.limiter.clock().now())),
            // No amount is larger than the bucket.
            Err(_) => Ok(0),
        }
    }

    fn sweep(&self) {
        if self.until_sweep.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.until_sweep.store(SWEEP_EVERY, Ordering::Relaxed);
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("burst", &self.burst)
            .field("keys", &self.limiter.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::{Buckets, Budget, Duration, Metrics, Rate, Rates, SWEEP_EVERY, Spent};

    fn budget(requests: Option<Rate>, cost: Option<Rate>) -> Budget {
        let rates = Rates {
            identity: requests,
            cost,
            ..Rates::default()
        };
        Budget::new(&rates, Metrics::new())
    }

    #[test]
    fn a_budget_is_spent_and_says_what_is_left() {
        let budget = budget(None, Rate::new(1, 100));
        let spent = budget.spend("li", 30).unwrap();
        let expected = Spent {
            requested: 30,
            available: Some(70),
        };
        assert_eq!(spent, expected);
        let limited = budget.spend("li", 90).unwrap_err();
        assert_eq!(limited.what, "cost");
        let wait = limited.retry_after;
        assert!(
            wait > Duration::from_secs(18) && wait <= Duration::from_secs(20),
            "{wait:?}"
        );
        assert_eq!(budget.spend("wang", 100).unwrap().available, Some(0));
    }

    #[test]
    fn more_than_the_whole_budget_takes_the_whole() {
        let budget = budget(None, Rate::new(1, 100));
        assert_eq!(budget.spend("li", u64::MAX).unwrap().available, Some(0));
        assert!(budget.spend("li", 1).is_err());
    }

    #[test]
    fn no_rate_is_no_limit() {
        let budget = budget(Rate::new(0, 5), None);
        for _ in 0..1_000 {
            budget.count("li").unwrap();
        }
        assert_eq!(budget.spend("li", 7).unwrap().available, None);
    }

    #[test]
    fn a_bucket_fills_again() {
        let budget = budget(Rate::new(100, 1), None);
        budget.count("li").unwrap();
        let limited = budget.count("li").unwrap_err();
        assert!(limited.retry_after <= Duration::from_millis(10));
        std::thread::sleep(Duration::from_millis(30));
        budget.count("li").unwrap();
    }

    #[test]
    fn buckets_that_are_full_again_are_dropped() {
        let buckets = Buckets::new(Rate::new(100_000, 1).unwrap());
        for key in 0..SWEEP_EVERY * 5 {
            buckets.spend(&key, 1).unwrap();
        }
        let held = buckets.limiter.len();
        assert!(held < 25_000, "{held} are held");
    }
}
