//! The streams: playbacks that carry bytes now, and how many of them one key, one user and this node may carry.
//!
//! A player opens the new stream before it closes the old one, pauses for an hour, or vanishes without a word. So a place
//! is handed over: the same device's former film gives way at once, a film whose player is gone to anybody, and one whose
//! player takes nothing to its own user. Start reading at [`Streams::enter`].

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chill_core::clock::millis;
use chill_core::{Clock, KeyId, Millis};

use super::Playback;
use crate::lease::{Asker, Held};

/// A player between two requests keeps its place this long: a seek closes one before it opens the next.
const LINGER: Duration = Duration::from_secs(2);
/// A stream whose player takes no byte this long may be taken over by another one of the same user.
const IDLE: Duration = Duration::from_secs(10);
/// One whose player takes no byte this long has no player any more.
const GHOST: Duration = Duration::from_secs(60);

/// How many streams may run at once; none: as many as come. A key's own limit is in its lease.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// Of one install link.
    pub(crate) per_user: Option<usize>,
    /// Of this process.
    pub(crate) per_node: Option<usize>,
}

/// Whose stream it is: a right at the pool. A viewer's own token is never relayed, so never counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) asker: &'a Asker,
    pub(crate) held: &'a Held,
}

/// A place one counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Key,
    User,
    Node,
}

/// What became of a wish to enter.
pub(crate) enum Entry {
    /// There is room once these have ended; mostly none.
    Room(Vec<Arc<Playback>>),
    /// There is none now.
    Full,
}

/// One playback that was let in.
struct Stream {
    playback: Arc<Playback>,
    /// When a request of it was let in last.
    let_in: Millis,
    key: KeyId,
    asker: Asker,
}

impl Stream {
    /// For how long no byte was taken.
    fn idle(&self, now: Millis) -> Millis {
        now - self.let_in.max(self.playback.meter.last_moved())
    }

    fn runs(&self, now: Millis) -> bool {
        let lingers = !self.playback.cut.is_cancelled() && self.idle(now) < millis(LINGER);
        self.playback.meter.open() > 0 || lingers
    }

    fn counts(&self, scope: Scope, who: &Who<'_>) -> bool {
        match scope {
            Scope::Key => self.key == who.held.lease.key_id,
            Scope::User => self.is_of(who),
            Scope::Node => true,
        }
    }

    fn is_of(&self, who: &Who<'_>) -> bool {
        self.asker.link == who.asker.link
    }
}

/// The streams of this process, the oldest first.
pub(crate) struct Streams {
    limits: Limits,
    clock: Clock,
    running: Mutex<Vec<Stream>>,
}

impl Streams {
    pub(crate) fn new(limits: Limits, clock: Clock) -> Self {
        Self { limits, clock, running: Mutex::default() }
    }

    /// Lets a playback's request in. `patient`: it has waited long enough to take over what its own user leaves idle.
    /// What the answer names gave its place away and must be ended by the caller.
    pub(crate) fn enter(&self, playback: &Arc<Playback>, who: Who<'_>, patient: bool) -> Entry {
        let now = self.clock.now();
        let mut running = self.tidied(now);
        if let Some(own) = running.iter_mut().find(|stream| Arc::ptr_eq(&stream.playback, playback)) {
            own.let_in = now;
            return Entry::Room(Vec::new());
        }
        let Some(over) = self.make_room(&running, &who, now, patient) else { return Entry::Full };
        running.retain(|stream| !over.iter().any(|over| Arc::ptr_eq(over, &stream.playback)));
        let (key, asker) = (who.held.lease.key_id.clone(), who.asker.clone());
        running.push(Stream { playback: playback.clone(), let_in: now, key, asker });
        Entry::Room(over)
    }

    /// Whether a stream could enter soon; decided for good by [`Streams::enter`].
    pub(crate) fn may_enter(&self, who: Who<'_>) -> bool {
        let now = self.clock.now();
        let running = self.tidied(now);
        self.make_room(&running, &who, now, true).is_some()
    }

    /// A stream goes on with another key; false, and nothing changes, when that carries as many as it may.
    pub(crate) fn move_to(&self, playback: &Arc<Playback>, who: Who<'_>) -> bool {
        let now = self.clock.now();
        let mut running = self.tidied(now);
        let others = running.iter().filter(|stream| !Arc::ptr_eq(&stream.playback, playback));
        let carried = others.filter(|stream| stream.counts(Scope::Key, &who)).count();
        let Some(at) = running.iter().position(|stream| Arc::ptr_eq(&stream.playback, playback)) else { return true };
        let fits = self.most(Scope::Key, &who).is_none_or(|most| carried < most);
        if let Some(stream) = running.get_mut(at).filter(|_| fits) {
            stream.key = who.held.lease.key_id.clone();
        }
        fits
    }

    /// Forgets streams that ended.
    pub(crate) fn tidy(&self) {
        drop(self.tidied(self.clock.now()));
    }

    fn tidied(&self, now: Millis) -> MutexGuard<'_, Vec<Stream>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|stream| stream.runs(now));
        running
    }

    fn most(&self, scope: Scope, who: &Who<'_>) -> Option<usize> {
        match scope {
            Scope::Key => who.held.lease.max_streams.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            Scope::User => self.limits.per_user,
            Scope::Node => self.limits.per_node,
        }
    }

    /// Who must go so that one more fits everywhere; none when that cannot be.
    fn make_room(&self, running: &[Stream], who: &Who<'_>, now: Millis, patient: bool) -> Option<Vec<Arc<Playback>>> {
        let mut over: Vec<Arc<Playback>> = Vec::new();
        for scope in [Scope::Key, Scope::User, Scope::Node] {
            let Some(most) = self.most(scope, who) else { continue };
            loop {
                let stays = |stream: &&Stream| !over.iter().any(|over| Arc::ptr_eq(over, &stream.playback));
                let there: Vec<&Stream> =
                    running.iter().filter(|stream| stream.counts(scope, who)).filter(stays).collect();
                if there.len() < most {
                    break;
                }
                over.push(gives_way(&there, who, now, patient)?.playback.clone());
            }
        }
        Some(over)
    }
}

/// The stream that gives its place to this viewer.
fn gives_way<'a>(there: &[&'a Stream], who: &Who<'_>, now: Millis, patient: bool) -> Option<&'a Stream> {
    let same_device = |stream: &&&Stream| stream.is_of(who) && stream.asker.device == who.asker.device;
    let longest_idle = || there.iter().max_by_key(|stream| stream.idle(now));
    let ghost = longest_idle().filter(|stream| stream.idle(now) >= millis(GHOST));
    let own_idle = || {
        let own = there.iter().filter(|stream| patient && stream.is_of(who));
        own.max_by_key(|stream| stream.idle(now)).filter(|stream| stream.idle(now) >= millis(IDLE))
    };
    ghost.or_else(|| there.iter().find(same_device)).or_else(own_idle).copied()
}
