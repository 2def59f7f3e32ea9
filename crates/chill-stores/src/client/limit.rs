//! How often each key may be used, so that a vendor never has to refuse it.
//!
//! Keys are known here by their SHA-256 alone. Vendors count in windows; a token bucket that lets `burst` calls through at
//! once and refills with the rest never lets more than the vendor's number pass in *any* window of that length.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chill_core::Secret;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// A call waits this long for its turn; longer waits are told to the caller.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Keys whose pauses are remembered; the ones that end first are forgotten beyond that.
const PAUSED_KEYS: usize = 10_000;
/// No pause is longer, whatever a vendor's header says.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// Calls between two clean-ups of the buckets.
const CLEAN_EVERY: u32 = 1_024;

/// A key by its SHA-256, so that no map of ours holds keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyDigest([u8; 32]);

impl KeyDigest {
    pub(crate) fn of(key: &Secret) -> Self {
        Self(Sha256::digest(key.expose().as_bytes()).into())
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

/// A vendor's budgets per key: how many at once, and the time in which one more becomes possible.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitRates {
    /// All calls.
    pub(crate) all: Rate,
    /// Creates that start a download.
    pub(crate) creates: Rate,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    burst: NonZeroU32,
    refill: Duration,
}

impl Rate {
    /// At most `limit` in any stretch of `window`: a third of them at once, the others evenly.
    pub(crate) fn within(limit: u32, window: Duration) -> Self {
        let burst = NonZeroU32::new(limit / 3).unwrap_or(NonZeroU32::MIN);
        let evenly = limit.saturating_sub(burst.get()).max(1);
        Self { burst, refill: window / evenly }
    }

    fn bucket(self) -> Bucket {
        let quota = Quota::with_period(self.refill).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let bucket = RateLimiter::dashmap_with_clock(quota.allow_burst(self.burst), TokioClock(Instant::now()));
        Bucket(bucket)
    }
}

/// Tokio's clock, so that tests may hold it still.
#[derive(Clone, Copy, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Keyed = RateLimiter<KeyDigest, DashMapStateStore<KeyDigest>, TokioClock, NoOpMiddleware<Duration>>;

struct Bucket(Keyed);

impl Bucket {
    /// Takes one, or says how long until there is one.
    fn take(&self, key: &KeyDigest) -> Result<(), Duration> {
        self.0.check_key(key).map_err(|not_yet| not_yet.wait_time_from(self.0.clock().now()))
    }

    fn forget_full_ones(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

#[derive(Clone, Copy, Debug)]
struct Paused {
    all: Instant,
    creates: Instant,
}

/// The budgets of all keys at one vendor.
pub(crate) struct Limits {
    all: Bucket,
    creates: Bucket,
    paused: Mutex<HashMap<KeyDigest, Paused>>,
    calls: AtomicU32,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("keys", &self.all.0.len()).finish_non_exhaustive()
    }
}

impl Limits {
    pub(crate) fn new(rates: &LimitRates) -> Self {
        let (all, creates) = (rates.all.bucket(), rates.creates.bucket());
        Self { all, creates, paused: Mutex::default(), calls: AtomicU32::new(0) }
    }

    /// Takes one call from the key's budget, waiting a little for it when there is time before `end`.
    ///
    /// # Errors
    /// How long until a call is possible, when that is too long to wait.
    pub(crate) async fn admit(&self, key: &KeyDigest, end: Instant) -> Result<(), Duration> {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(CLEAN_EVERY) {
            self.all.forget_full_ones();
            self.creates.forget_full_ones();
        }
        let patient_until = end.min(Instant::now() + LONGEST_WAIT);
        loop {
            let wait = self.pause_of(key).all.saturating_duration_since(Instant::now());
            let wait = if wait.is_zero() { self.all.take(key).err() } else { Some(wait) };
            match wait {
                None => return Ok(()),
                Some(wait) if Instant::now() + wait > patient_until => return Err(wait),
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Takes one create from the key's budget, never waiting.
    ///
    /// # Errors
    /// How long creates are closed.
    pub(crate) fn take_create(&self, key: &KeyDigest) -> Result<(), Duration> {
        let closed = self.pause_of(key).creates.saturating_duration_since(Instant::now());
        if closed.is_zero() { self.creates.take(key) } else { Err(closed) }
    }

    /// The vendor said no: no call with this key for that long.
    pub(crate) fn pause_all(&self, key: &KeyDigest, lasts: Duration) {
        self.pause(key, |paused, until| paused.all = paused.all.max(until), lasts);
    }

    /// The vendor said no to creates that start a download.
    pub(crate) fn pause_creates(&self, key: &KeyDigest, lasts: Duration) {
        self.pause(key, |paused, until| paused.creates = paused.creates.max(until), lasts);
    }

    fn pause(&self, key: &KeyDigest, set: impl FnOnce(&mut Paused, Instant), lasts: Duration) {
        let now = Instant::now();
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.len() >= PAUSED_KEYS && !paused.contains_key(key) {
            paused.retain(|_, paused| paused.all > now || paused.creates > now);
            let ends_first =
                paused.iter().min_by_key(|(_, paused)| paused.all.max(paused.creates)).map(|(key, _)| *key);
            if let Some(key) = ends_first.filter(|_| paused.len() >= PAUSED_KEYS) {
                paused.remove(&key);
            }
        }
        set(paused.entry(*key).or_insert(Paused { all: now, creates: now }), now + lasts.min(LONGEST_PAUSE));
    }

    fn pause_of(&self, key: &KeyDigest) -> Paused {
        let now = Instant::now();
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.get(key).copied().unwrap_or(Paused { all: now, creates: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn limits() -> Limits {
        let creates = Rate::within(60, 60 * MINUTE);
        Limits::new(&LimitRates { all: Rate::within(300, MINUTE), creates })
    }

    fn key(name: &str) -> KeyDigest {
        KeyDigest::of(&Secret::new(name))
    }

    async fn admit(limits: &Limits, key: &KeyDigest) -> Result<(), Duration> {
        limits.admit(key, Instant::now() + MINUTE).await
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_holds_more_than_three_hundred_calls() {
        let (limits, key, started) = (limits(), key("a"), Instant::now());
        let mut calls = 0;
        while started.elapsed() < MINUTE {
            admit(&limits, &key).await.unwrap();
            calls += 1;
        }
        assert!((290..=301).contains(&calls), "{calls}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_wait_is_waited_and_a_long_one_is_told() {
        let (limits, key) = (limits(), key("a"));
        for _ in 0..100 {
            admit(&limits, &key).await.unwrap();
        }
        let before = Instant::now();
        admit(&limits, &key).await.unwrap();
        assert!(before.elapsed() > Duration::ZERO && before.elapsed() <= Duration::from_millis(301));
        limits.pause_all(&key, Duration::from_secs(30));
        let before = Instant::now();
        assert_eq!(admit(&limits, &key).await, Err(Duration::from_secs(30)));
        assert_eq!(before.elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(29)).await;
        admit(&limits, &key).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn creates_close_for_an_hour_while_other_calls_go_on() {
        let (limits, key) = (limits(), key("a"));
        let taken = (0..100).take_while(|_| limits.take_create(&key).is_ok()).count();
        assert_eq!(taken, 20);
        limits.pause_creates(&key, 60 * MINUTE);
        assert_eq!(limits.take_create(&key), Err(60 * MINUTE));
        admit(&limits, &key).await.unwrap();
        tokio::time::advance(60 * MINUTE).await;
        limits.take_create(&key).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn keys_do_not_share_and_are_not_remembered_for_ever() {
        let limits = limits();
        limits.pause_all(&key("a"), MINUTE);
        admit(&limits, &key("b")).await.unwrap();
        for n in 0..5_000 {
            admit(&limits, &key(&n.to_string())).await.unwrap();
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!(limits.all.0.len() < 1_200, "{}", limits.all.0.len());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_bounded_in_number_and_length() {
        let limits = limits();
        for n in 0..PAUSED_KEYS as u64 + 10 {
            limits.pause_all(&key(&n.to_string()), Duration::from_secs(n + 5));
        }
        assert_eq!(limits.paused.lock().unwrap().len(), PAUSED_KEYS);
        admit(&limits, &key("0")).await.unwrap();
        assert!(admit(&limits, &key("10005")).await.is_err());
        limits.pause_all(&key("b"), Duration::MAX);
        assert_eq!(admit(&limits, &key("b")).await, Err(LONGEST_PAUSE));
    }
}
