//! What a user's links are used for now: all requests of one address for one link are one viewing, and a limit counts those.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chill_core::Clock;
use chill_core::clock::millis;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::ConnectionLimits;
use super::throttle::TokenDigest;
use crate::playbacks::PATIENCE;
use crate::playbacks::requests::Requests;
use crate::relay::Meter;

/// One that takes no byte for so long gives its place to another one of its user that has waited.
const IDLE: Duration = PATIENCE;

/// The digest of a link's token, and who asks.
pub(super) type Name = (TokenDigest, IpAddr);

/// Whatever one address gets by one link.
pub(super) struct Viewing {
    pub(super) meter: Arc<Meter>,
    /// Cancelled when another one has its place.
    pub(super) cut: CancellationToken,
    /// Bounds how many of its requests run, where its user has a limit.
    pub(super) requests: Option<Requests>,
    ended: Arc<Notify>,
}

impl fmt::Debug for Viewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewing").field("meter", &self.meter).finish_non_exhaustive()
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.ended.notify_waiters();
    }
}

/// The viewings of all users. One lives as long as somebody holds it.
#[derive(Debug)]
pub(super) struct Viewings {
    limits: ConnectionLimits,
    wait: Duration,
    clock: Clock,
    users: Mutex<HashMap<String, HashMap<Name, Weak<Viewing>>>>,
    ended: Arc<Notify>,
}

/// The user has all the viewings he may have, and none of them ends or is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Viewings {
    /// `wait`: how long a new one over the limit waits for another one to end.
    pub(super) fn new(limits: ConnectionLimits, wait: Duration, clock: Clock) -> Self {
        Self { limits, wait, clock, users: Mutex::default(), ended: Arc::default() }
    }

    /// The viewing that a request belongs to: the one that runs, or a new one, now or as soon as another one of the user ends
    /// within the wait; after it in place of one that is idle.
    pub(super) async fn enter(&self, user: &str, name: Name) -> Result<Arc<Viewing>, Full> {
        let until = Instant::now() + self.wait;
        loop {
            // Before the look, so that no end in between is missed.
            let ended = self.ended.notified();
            if let Some(viewing) = self.look(user, name, false) {
                return Ok(viewing);
            }
            if timeout_at(until, ended).await.is_err() {
                return self.look(user, name, true).ok_or(Full);
            }
        }
    }

    /// Ends all at once.
    pub(super) fn cut(&self) {
        let users = self.lock();
        users.values().flat_map(HashMap::values).filter_map(Weak::upgrade).for_each(|viewing| viewing.cut.cancel());
    }

    fn look(&self, user: &str, name: Name, patient: bool) -> Option<Arc<Viewing>> {
        let mut users = self.lock();
        let viewings = users.entry(user.to_owned()).or_default();
        viewings.retain(|_, viewing| viewing.upgrade().is_some_and(|viewing| !viewing.cut.is_cancelled()));
        if let Some(running) = viewings.get(&name).and_then(Weak::upgrade) {
            return Some(running);
        }
        let most = self.limits.of(user);
        if most > 0 && viewings.len() >= most {
            let idle = viewings.values().filter_map(Weak::upgrade).min_by_key(|viewing| viewing.meter.last_moved())?;
            if !patient || self.clock.steady() - idle.meter.last_moved() < millis(IDLE) {
                return None;
            }
            viewings.retain(|_, viewing| !std::ptr::eq(viewing.as_ptr(), &*idle));
            idle.cut.cancel();
        }
        let viewing = Arc::new(Viewing {
            meter: Arc::new(Meter::new(self.clock.clone())),
            cut: CancellationToken::new(),
            requests: (most > 0).then(Requests::new),
            ended: self.ended.clone(),
        });
        viewings.insert(name, Arc::downgrade(&viewing));
        Some(viewing)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashMap<Name, Weak<Viewing>>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewings(limits: &str) -> (Viewings, Clock) {
        let clock = Clock::fixed(1_000);
        (Viewings::new(ConnectionLimits::parse(limits).unwrap(), Duration::from_secs(3), clock.clone()), clock)
    }

    fn name(link: u8, address: u8) -> Name {
        ([link; 32], IpAddr::from([192, 0, 2, address]))
    }

    #[tokio::test(start_paused = true)]
    async fn all_requests_of_an_address_for_a_link_are_one_viewing() {
        let (viewings, _) = viewings("alice:1");
        let first = viewings.enter("alice", name(1, 1)).await.unwrap();
        let again = viewings.enter("alice", name(1, 1)).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        for other in [name(2, 1), name(1, 2)] {
            assert_eq!(viewings.enter("alice", other).await.unwrap_err(), Full);
        }
        let free: Vec<_> = [viewings.enter("bob", name(1, 1)).await, viewings.enter("bob", name(2, 1)).await].into();
        assert!(free.iter().all(Result::is_ok), "who has no limit");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ends_in_time_makes_room() {
        let (viewings, _) = viewings("alice:1");
        let first = viewings.enter("alice", name(1, 1)).await.unwrap();
        let ends = async {
            tokio::time::sleep(Duration::from_millis(2_900)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(viewings.enter("alice", name(2, 1)), ends);
        assert!(second.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_idle_gives_its_place_to_one_that_has_waited() {
        let (viewings, clock) = viewings("alice:2");
        let (idle, watched) =
            (viewings.enter("alice", name(1, 1)).await.unwrap(), viewings.enter("alice", name(2, 1)).await.unwrap());
        clock.advance(IDLE);
        let _waits_for_more = watched.meter.open_request();
        let begun = Instant::now();
        let third = viewings.enter("alice", name(3, 1)).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
        assert!(idle.cut.is_cancelled() && !watched.cut.is_cancelled());
        assert_eq!(viewings.enter("alice", name(1, 1)).await.unwrap_err(), Full, "all are watched now");
        drop(third);
        assert!(!Arc::ptr_eq(&viewings.enter("alice", name(1, 1)).await.unwrap(), &idle));
    }
}
