//! Requests counted in this process's memory, for one node or for the time without Redis.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::rate::{Bucket, Limit, Limits, Rates, Scope, Verdict};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// Requests between two clean-ups of full buckets, which say nothing.
const CLEAN_EVERY: u32 = 1_024;
/// Buckets in use at once, per scope. Beyond that the scope is not counted until some are full again.
const MOST: usize = 200_000;

/// Tokio's clock, so that tests may hold it still.
#[derive(Clone, Copy, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Keyed = RateLimiter<Bucket, DashMapStateStore<Bucket>, TokioClock, NoOpMiddleware<Duration>>;

/// The buckets of one scope.
struct Buckets {
    keyed: Keyed,
    taken: AtomicU32,
    crowded: AtomicBool,
    most: usize,
}

impl Buckets {
    fn new(limit: Limit, most: usize) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let keyed = RateLimiter::dashmap_with_clock(quota, TokioClock(Instant::now()));
        Self { keyed, taken: AtomicU32::new(0), crowded: AtomicBool::new(false), most }
    }

    fn take(&self, bucket: &Bucket) -> Result<(), Duration> {
        if self.taken.fetch_add(1, Ordering::Relaxed) % CLEAN_EVERY == CLEAN_EVERY - 1 {
            self.clean();
        }
        if self.crowded.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.keyed.check_key(bucket).map_err(|not_yet| not_yet.wait_time_from(self.keyed.clock().now()))
    }

    fn clean(&self) {
        self.keyed.retain_recent();
        self.keyed.shrink_to_fit();
        self.crowded.store(self.keyed.len() >= self.most, Ordering::Relaxed);
    }
}

/// Limits kept by one node alone.
pub struct LocalRates {
    user: Option<Buckets>,
    address: Option<Buckets>,
    edge: Option<Buckets>,
}

impl LocalRates {
    /// Full buckets with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::bounded(limits, MOST)
    }

    fn bounded(limits: Limits, most: usize) -> Self {
        let buckets = |limit: Option<Limit>| limit.map(|limit| Buckets::new(limit, most));
        Self { user: buckets(limits.user), address: buckets(limits.address), edge: buckets(limits.edge) }
    }

    fn of(&self, scope: Scope) -> Option<&Buckets> {
        match scope {
            Scope::User => self.user.as_ref(),
            Scope::Address => self.address.as_ref(),
            Scope::Edge => self.edge.as_ref(),
        }
    }

    /// What [`Rates::take`] does, at once.
    pub(crate) fn take_now(&self, wanted: &[Bucket]) -> Verdict {
        for bucket in wanted {
            let taken = self.of(bucket.scope()).map_or(Ok(()), |buckets| buckets.take(bucket));
            if let Err(retry_after) = taken {
                return Verdict::Refused { scope: bucket.scope(), retry_after };
            }
        }
        Verdict::Allowed
    }
}

impl fmt::Debug for LocalRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = |buckets: &Option<Buckets>| buckets.as_ref().map(|buckets| buckets.keyed.len());
        f.debug_struct("LocalRates")
            .field("users", &held(&self.user))
            .field("addresses", &held(&self.address))
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Rates for LocalRates {
    async fn take(&self, buckets: &[Bucket]) -> Verdict {
        self.take_now(buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_core::Secret;

    fn user(n: usize) -> Bucket {
        Bucket::token(&Secret::new(n.to_string()), None)
    }

    fn limits(user: u32, address: u32) -> Limits {
        Limits { user: Limit::of(user), address: Limit::of(address), edge: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_one_token_at_a_time() {
        let rates = LocalRates::new(limits(10, 0));
        for _ in 0..20 {
            assert_eq!(rates.take(&[user(1)]).await, Verdict::Allowed);
        }
        let Verdict::Refused { scope, retry_after } = rates.take(&[user(1)]).await else {
            panic!("the bucket is empty")
        };
        assert_eq!((scope, retry_after), (Scope::User, Duration::from_millis(100)));
        assert_eq!(rates.take(&[user(2)]).await, Verdict::Allowed, "another user is not concerned");
        tokio::time::advance(retry_after).await;
        assert_eq!(rates.take(&[user(1)]).await, Verdict::Allowed);
        assert_ne!(rates.take(&[user(1)]).await, Verdict::Allowed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_user_takes_nothing_from_his_neighbours() {
        let rates = LocalRates::new(limits(1, 2));
        let address = Bucket::address("192.0.2.1".parse().unwrap(), None);
        for _ in 0..50 {
            let _ = rates.take(&[user(1), address]).await;
        }
        assert_eq!(rates.take(&[user(2), address]).await, Verdict::Allowed);
        assert_eq!(rates.take(&[user(3), address]).await, Verdict::Allowed);
        let Verdict::Refused { scope, .. } = rates.take(&[user(4), address]).await else { panic!("4 of 4 are taken") };
        assert_eq!(scope, Scope::Address);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_limit_is_not_counted() {
        let rates = LocalRates::new(limits(0, 0));
        for _ in 0..1_000 {
            assert_eq!(rates.take(&[user(1)]).await, Verdict::Allowed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn buckets_are_bounded_and_full_ones_forgotten() {
        let rates = LocalRates::bounded(limits(1, 0), 5_000);
        for n in 0..50_000 {
            assert_eq!(rates.take(&[user(n)]).await, Verdict::Allowed);
        }
        let held = rates.user.as_ref().unwrap().keyed.len();
        assert!(held < 5_000 + CLEAN_EVERY as usize * 2, "{held}");
        tokio::time::advance(Duration::from_secs(5)).await;
        for _ in 0..2 * CLEAN_EVERY {
            let _ = rates.take(&[user(0)]).await;
        }
        assert!(rates.user.as_ref().unwrap().keyed.len() < 3, "{rates:?}");
    }
}
