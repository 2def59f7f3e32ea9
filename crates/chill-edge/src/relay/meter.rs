//! What one playback has taken, and whether it is taking.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chill_core::{Clock, Millis};
use tokio::sync::watch;

/// Counts the bytes and the running requests of one playback.
#[derive(Debug)]
pub struct Meter {
    clock: Clock,
    bytes: AtomicU64,
    moved_at: AtomicI64,
    open: watch::Sender<usize>,
}

impl Meter {
    /// A meter at 0; the playback counts as moving at this moment.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let moved_at = AtomicI64::new(clock.now());
        Self { clock, bytes: AtomicU64::new(0), moved_at, open: watch::Sender::new(0) }
    }

    /// Film bytes handed to players' connections so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Requests running now.
    #[must_use]
    pub fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// When a byte last moved, or a request opened or closed.
    #[must_use]
    pub fn last_moved(&self) -> Millis {
        self.moved_at.load(Ordering::Acquire)
    }

    /// Waits until no request runs; returns at once when none does.
    pub async fn closed(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Follows the number of running requests, for a task that acts when the last one closes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<usize> {
        self.open.subscribe()
    }

    /// Counts a request as running until the guard is dropped.
    #[must_use]
    pub fn open_request(self: &Arc<Self>) -> OpenRequest {
        self.open.send_modify(|open| *open += 1);
        self.moved();
        metrics::gauge!("chillproxy_relay_open").increment(1.0);
        OpenRequest { meter: self.clone(), relayed: metrics::counter!("chillproxy_relay_bytes_total") }
    }

    fn moved(&self) {
        self.moved_at.store(self.clock.now(), Ordering::Release);
    }
}

/// One running request; dropping it closes the request.
pub struct OpenRequest {
    meter: Arc<Meter>,
    relayed: metrics::Counter,
}

impl std::fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenRequest").field("meter", &self.meter).finish_non_exhaustive()
    }
}

impl OpenRequest {
    /// Counts film bytes handed to the player's connection.
    pub fn count(&self, bytes: u64) {
        self.meter.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.meter.moved();
        self.relayed.increment(bytes);
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.meter.moved();
        metrics::gauge!("chillproxy_relay_open").decrement(1.0);
        self.meter.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_playback_is_closed_when_its_last_request_is() {
        let clock = Clock::fixed(1_000);
        let meter = Arc::new(Meter::new(clock.clone()));
        let (first, second) = (meter.open_request(), meter.open_request());
        clock.advance(Duration::from_secs(1));
        first.count(10);
        second.count(5);
        assert_eq!((meter.bytes(), meter.open(), meter.last_moved()), (15, 2, 2_000));
        let mut running = meter.subscribe();
        drop(first);
        assert_eq!(*running.borrow_and_update(), 1);
        drop(second);
        running.changed().await.unwrap();
        meter.closed().await;
        assert_eq!((meter.bytes(), meter.open()), (15, 0));
    }
}
