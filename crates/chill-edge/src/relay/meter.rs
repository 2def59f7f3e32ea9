//! What one playback has taken, and whether its player or its origin is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use chill_core::{Clock, Millis};
use tokio::sync::watch;

/// Counts the bytes and the running requests of one playback.
#[derive(Debug)]
pub struct Meter {
    clock: Clock,
    bytes: AtomicU64,
    moved_at: AtomicI64,
    /// Requests whose player waits for the origin.
    hungry: AtomicUsize,
    open: watch::Sender<usize>,
}

impl Meter {
    /// A meter at 0; the playback counts as moving at this moment.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let moved_at = AtomicI64::new(clock.steady());
        let hungry = AtomicUsize::new(0);
        Self { clock, bytes: AtomicU64::new(0), moved_at, hungry, open: watch::Sender::new(0) }
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

    /// Until when its player took what there was, by the [steady](Clock::steady) clock: when a byte last moved, or a request
    /// opened or closed; now, while a player waits for the origin.
    #[must_use]
    pub fn last_moved(&self) -> Millis {
        match self.hungry.load(Ordering::Acquire) {
            0 => self.moved_at.load(Ordering::Acquire),
            _ => self.clock.steady(),
        }
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

    /// Counts a request as running until the guard is dropped, and as waiting for the origin until it is told otherwise.
    #[must_use]
    pub fn open_request(self: &Arc<Self>) -> OpenRequest {
        self.open.send_modify(|open| *open += 1);
        self.moved();
        metrics::gauge!("chillproxy_relay_open").increment(1.0);
        self.hungry.fetch_add(1, Ordering::AcqRel);
        OpenRequest { meter: self.clone(), is_hungry: true, relayed: metrics::counter!("chillproxy_relay_bytes_total") }
    }

    fn moved(&self) {
        self.moved_at.store(self.clock.steady(), Ordering::Release);
    }
}

/// One running request; dropping it closes the request.
pub struct OpenRequest {
    meter: Arc<Meter>,
    is_hungry: bool,
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

    /// Whether its player waits for the origin now.
    pub(crate) fn set_hungry(&mut self, hungry: bool) {
        if std::mem::replace(&mut self.is_hungry, hungry) == hungry {
            return;
        }
        if hungry {
            self.meter.hungry.fetch_add(1, Ordering::AcqRel);
        } else {
            // Before it is told from now on.
            self.meter.moved();
            self.meter.hungry.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.set_hungry(false);
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
        let (mut first, mut second) = (meter.open_request(), meter.open_request());
        clock.advance(Duration::from_secs(1));
        first.count(10);
        second.count(5);
        assert_eq!((meter.bytes(), meter.open(), meter.last_moved()), (15, 2, 2_000));
        clock.advance(Duration::from_secs(5));
        assert_eq!(meter.last_moved(), 7_000, "both players wait for their origin");
        first.set_hungry(false);
        second.set_hungry(false);
        clock.advance(Duration::from_secs(1));
        assert_eq!(meter.last_moved(), 7_000, "neither takes what there is");
        second.set_hungry(true);
        assert_eq!(meter.last_moved(), 8_000);
        let mut running = meter.subscribe();
        drop(first);
        assert_eq!(*running.borrow_and_update(), 1);
        drop(second);
        running.changed().await.unwrap();
        meter.closed().await;
        assert_eq!((meter.bytes(), meter.open()), (15, 0));
    }
}
