//! Redis, or Valkey: what several nodes count together and may lose at any moment.
//!
//! Refuses: anything that must survive, and any name in clear: an address or a link id is a digest here. A Redis that is
//! away stops nobody; each node counts alone until it is back.
//!
//! Start reading at [`SharedRates`], whose counting is `take.lua`, and at [`SharedPlaces`], whose is `enter.lua`; that file
//! says too what a wish is.

mod places;
#[cfg(test)]
mod tests;
mod url;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, RedisError, RedisResult, Script};
use async_trait::async_trait;
use chill_core::rate::{Bucket, Limit, Limits, Rates, Verdict};

use crate::rate::LocalRates;
pub use places::SharedPlaces;
pub use url::{InvalidRedisUrl, RedisUrl};

/// A viewer waits no longer for Redis; then this node counts alone.
const PATIENCE: Duration = Duration::from_millis(300);
/// How soon after it was lost Redis is looked for, and how seldom at last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What is taken to see whether Redis counts again.
const PROBE: &str = "chill:rate:probe";

/// Limits that all nodes with the same Redis keep together.
pub struct SharedRates {
    shared: Arc<Shared>,
    limits: Limits,
    local: LocalRates,
}

struct Shared {
    manager: ConnectionManager,
    script: Script,
    /// Set while this node counts alone.
    away: AtomicBool,
}

impl SharedRates {
    /// Connects when it is first used. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`InvalidRedisUrl`]. A Redis that does not answer is no error.
    pub fn open(url: &RedisUrl, limits: Limits) -> Result<Self, InvalidRedisUrl> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50))
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(url.expose()).map_err(|_| InvalidRedisUrl)?;
        let manager = ConnectionManager::new_lazy_with_config(client, config).map_err(|_| InvalidRedisUrl)?;
        let script = Script::new(include_str!("take.lua"));
        let shared = Arc::new(Shared { manager, script, away: AtomicBool::new(false) });
        Ok(Self { shared, limits, local: LocalRates::new(limits) })
    }

    /// Whether Redis answers and counts now. Asks it, unless it is known to be away.
    pub async fn is_there(&self) -> bool {
        if self.shared.away.load(Ordering::Relaxed) {
            return false;
        }
        match self.shared.probe().await {
            Ok(()) => self.shared.found(),
            Err(why) => self.shared.lost(why),
        }
    }
}

impl fmt::Debug for SharedRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let away = self.shared.away.load(Ordering::Relaxed);
        f.debug_struct("SharedRates").field("away", &away).finish_non_exhaustive()
    }
}

#[async_trait]
impl Rates for SharedRates {
    async fn take(&self, buckets: &[Bucket]) -> Verdict {
        let limit = |bucket: &Bucket| self.limits.of(bucket.scope()).map(|limit| (*bucket, limit));
        let counted: Vec<(Bucket, Limit)> = buckets.iter().filter_map(limit).collect();
        if counted.is_empty() {
            return Verdict::Allowed;
        }
        if self.shared.away.load(Ordering::Relaxed) {
            return self.local.take_now(buckets);
        }
        match self.shared.take(&counted).await {
            Ok(verdict) => verdict,
            Err(why) => {
                self.shared.lost(why);
                self.local.take_now(buckets)
            }
        }
    }
}

impl Shared {
    async fn take(&self, counted: &[(Bucket, Limit)]) -> Result<Verdict, &'static str> {
        let named = counted.iter().map(|(bucket, limit)| (name(bucket), *limit));
        let (place, wait) = self.run(named).await?;
        Ok(match place.checked_sub(1).and_then(|place| counted.get(place)) {
            None => Verdict::Allowed,
            Some((bucket, _)) => Verdict::Refused { scope: bucket.scope(), retry_after: Duration::from_micros(wait) },
        })
    }

    /// One round trip; a second one only when Redis has forgotten the script.
    async fn run(&self, buckets: impl Iterator<Item = (String, Limit)>) -> Result<(usize, u64), &'static str> {
        let mut call = self.script.prepare_invoke();
        for (name, limit) in buckets {
            let interval = (1_000_000 / u64::from(limit.per_second.get())).max(1);
            call.key(name).arg(interval).arg(interval * u64::from(limit.burst.get() - 1));
        }
        let mut manager = self.manager.clone();
        let answer: RedisResult<(usize, u64)> =
            tokio::time::timeout(PATIENCE, call.invoke_async(&mut manager)).await.map_err(|_| "no answer in time")?;
        // The library's own text may quote what was sent.
        answer.map_err(|error| said(&error))
    }

    async fn probe(&self) -> Result<(), &'static str> {
        let limit = Limit::of(1_000_000).ok_or("no limit")?;
        self.run(std::iter::once((PROBE.to_owned(), limit))).await.map(|_| ())
    }

    fn found(&self) -> bool {
        metrics::gauge!("chillproxy_redis_up").set(1.0);
        self.away.store(false, Ordering::Relaxed);
        true
    }

    /// From now on this node counts alone, until Redis counts again. Says so once.
    fn lost(self: &Arc<Self>, why: &'static str) -> bool {
        metrics::gauge!("chillproxy_redis_up").set(0.0);
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(why, "Redis is away: this node counts requests and streams alone until it is back");
            drop(tokio::spawn(look_for(Arc::downgrade(self))));
        }
        false
    }
}

async fn look_for(shared: Weak<Shared>) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(shared) = shared.upgrade() else { return };
        if shared.probe().await.is_ok() {
            shared.found();
            tracing::info!("Redis is back: limits are shared again");
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn said(error: &RedisError) -> &'static str {
    if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() {
        "it cannot be reached"
    } else {
        "it refused the command; see its password, its memory, and whether it is a replica"
    }
}

fn name(bucket: &Bucket) -> String {
    format!("chill:rate:{}:{}", bucket.scope().as_str(), bucket.digest())
}
