//! The streams: playbacks that carry bytes now, and how many of them one key, one user and this node may carry.
//!
//! A player opens the new stream before it closes the old one, pauses for an hour, or vanishes without a word. So a place
//! is handed over: a film that its device has left gives way to that device at once, a film whose player is gone to anybody,
//! and one whose player takes nothing to its own user, when the new one has waited; also when that is another edge's. A film
//! that is being watched never gives way: two televisions behind one address are one device. Start reading at [`Streams::enter`].

#[cfg(test)]
pub(super) mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chill_core::clock::millis;
use chill_core::places::{Group, Placed, Viewer, Wish};
use chill_core::{Clock, KeyId, Millis, PlaybackId};

use super::Playback;
use crate::lease::{Asker, Held};

/// A player between two requests keeps its place this long: a seek closes one before it opens the next.
const LINGER: Duration = Duration::from_secs(2);
/// To its own device's next film it gives way sooner.
const CLOSED: Duration = Duration::from_millis(500);
/// A stream whose player takes no byte this long may be taken over by another one of the same user: at once on the same
/// device, elsewhere by one that has waited as long, so not a byte was taken since it came.
const IDLE: Duration = super::PATIENCE;
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

/// Whose stream it is: a user's of the pool. What never came by a key of the pool is not relayed, so not counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) asker: &'a Asker,
    /// By whose key it comes; none: by his own token, which took over from a key.
    pub(crate) held: Option<&'a Held>,
}

impl Who<'_> {
    /// The key that carries it.
    pub(crate) fn key(&self) -> Option<&KeyId> {
        self.held.map(|held| &held.lease.key_id)
    }

    /// How many streams his key may carry; none: as many as come.
    pub(crate) fn most_of_key(&self) -> Option<usize> {
        self.held?.lease.max_streams.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
    }
}

/// A place one counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Key,
    User,
    Node,
}

/// Whether a stream may enter.
pub(crate) enum Entry {
    /// There is room once these have ended; mostly none.
    Room(Vec<Arc<Playback>>),
    /// There is none now.
    Full,
    /// There is none among all edges.
    FullAcross,
}

/// Why a right does not carry one more stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Its key is full, so another key would do.
    Key,
    /// Its user or this node is.
    Else,
}

/// Where a stream counts together with other edges' streams, and for whom; by default nowhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) groups: Vec<Group>,
    pub(crate) viewer: Option<Viewer>,
}

/// Whose a stream is, to a viewer that wants its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kin {
    /// His, on the same device.
    Device,
    /// His, on another one.
    User,
    Stranger,
}

/// One playback that was let in.
struct Stream {
    playback: Arc<Playback>,
    /// When a request of it was let in last.
    let_in: Millis,
    /// None: its user's own token carries it meanwhile.
    key: Option<KeyId>,
    asker: Asker,
    counted: Counted,
    /// Whether its places were renewed since it came.
    kept: bool,
}

impl Stream {
    fn placed(&self) -> Placed {
        Placed { stream: self.playback.id, groups: self.counted.groups.clone() }
    }

    /// For how long no byte was taken.
    fn idle(&self, now: Millis) -> Millis {
        now - self.let_in.max(self.playback.meter.last_moved())
    }

    fn runs(&self, now: Millis) -> bool {
        let lingers = !self.playback.cut.is_cancelled() && self.idle(now) < millis(LINGER);
        self.playback.meter.open() > 0 || lingers
    }

    /// Whether its device may be done with it: it closed it, and did not come back as a seek does, or reads no more.
    fn is_left(&self, now: Millis) -> bool {
        let least = if self.is_closed() { CLOSED } else { IDLE };
        self.idle(now) >= millis(least)
    }

    fn is_closed(&self) -> bool {
        self.playback.meter.open() == 0
    }

    fn counts(&self, scope: Scope, who: &Who<'_>) -> bool {
        match scope {
            Scope::Key => self.key.is_some() && self.key.as_ref() == who.key(),
            Scope::User => self.is_of(who),
            Scope::Node => true,
        }
    }

    fn is_of(&self, who: &Who<'_>) -> bool {
        self.asker.link == who.asker.link
    }

    fn kin(&self, who: &Who<'_>) -> Kin {
        match self.is_of(who) {
            true if self.asker.device == who.asker.device => Kin::Device,
            true => Kin::User,
            false => Kin::Stranger,
        }
    }

    fn kin_across(&self, viewer: &Viewer) -> Kin {
        match &self.counted.viewer {
            Some(own) if own == viewer => Kin::Device,
            Some(own) if own.user == viewer.user => Kin::User,
            _ => Kin::Stranger,
        }
    }

    /// Whether one stream less of these groups is this one.
    fn is_in_all(&self, groups: &[String]) -> bool {
        groups.iter().all(|name| self.counted.groups.iter().any(|group| group.name() == name))
    }
}

/// The streams of this process.
pub(crate) struct Streams {
    limits: Limits,
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The oldest first.
    running: Vec<Stream>,
    /// Places among other edges' streams that are to be given back.
    left: Vec<Placed>,
}

impl Inner {
    /// All but this one: a stream that goes on with another key does not stand in its own way.
    fn others(&self, stream: PlaybackId) -> impl Iterator<Item = &Stream> {
        self.running.iter().filter(move |other| other.playback.id != stream)
    }

    /// Forgets all others.
    fn retain(&mut self, stays: impl Fn(&Stream) -> bool) {
        for stream in self.running.extract_if(.., |stream| !stays(stream)) {
            if !stream.counted.groups.is_empty() {
                self.left.push(stream.placed());
            }
        }
    }
}

impl Streams {
    pub(crate) fn new(limits: Limits, clock: Clock) -> Self {
        Self { limits, clock, inner: Mutex::default() }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Lets a playback's request in; a new stream has places where it is counted. `patient`: it has waited long enough to take
    /// over what its own user leaves idle. What the answer names gave its place away and must be ended by the caller.
    pub(crate) fn enter(&self, playback: &Arc<Playback>, who: Who<'_>, counted: Counted, patient: bool) -> Entry {
        let now = self.clock.steady();
        let mut inner = self.tidied(now);
        if let Some(own) = inner.running.iter_mut().find(|stream| Arc::ptr_eq(&stream.playback, playback)) {
            own.let_in = now;
            return Entry::Room(Vec::new());
        }
        let running: Vec<&Stream> = inner.running.iter().collect();
        let Some(over) = self.make_room(&running, &who, now, patient) else { return Entry::Full };
        inner.retain(|stream| !over.iter().any(|over| Arc::ptr_eq(over, &stream.playback)));
        let (key, asker) = (who.key().cloned(), who.asker.clone());
        inner.running.push(Stream { playback: playback.clone(), let_in: now, key, asker, counted, kept: false });
        Entry::Room(over)
    }

    /// Who would give their places for this stream; none when it could not enter soon. Decided for good by [`Streams::enter`].
    pub(crate) fn room(&self, stream: PlaybackId, who: Who<'_>, patient: bool) -> Option<Vec<Arc<Playback>>> {
        let now = self.clock.steady();
        let inner = self.tidied(now);
        self.make_room(&inner.others(stream).collect::<Vec<_>>(), &who, now, patient)
    }

    /// As [`Streams::room`], for one that will be patient; one that runs already is given nobody's place.
    pub(crate) fn room_now_or_soon(
        &self,
        stream: PlaybackId,
        who: Who<'_>,
        is_new: bool,
    ) -> Option<Vec<Arc<Playback>>> {
        self.room(stream, who, true).filter(|over| is_new || over.is_empty())
    }

    /// As [`Streams::room`], for one that may use another key instead: where only this key is full, nobody goes for it but what
    /// the same device closes already.
    pub(crate) fn room_by_this_key(&self, stream: PlaybackId, who: Who<'_>) -> Result<Vec<Arc<Playback>>, Lack> {
        let now = self.clock.steady();
        let inner = self.tidied(now);
        let closing = |stream: &&Stream| stream.kin(&who) == Kin::Device && stream.is_closed();
        let (closing, stay): (Vec<&Stream>, Vec<&Stream>) = inner.others(stream).partition(closing);
        let by_any_key = Who { held: None, ..who };
        let elsewhere = self.make_room(&stay, &by_any_key, now, true).ok_or(Lack::Else)?;
        let is_full = self.most(Scope::Key, &who).is_some_and(|most| carried(&stay, Scope::Key, &who).count() >= most);
        let over = match is_full {
            true if elsewhere.is_empty() => return Err(Lack::Key),
            true => self.make_room(&stay, &who, now, true).ok_or(Lack::Key)?,
            false => elsewhere,
        };
        Ok(over.into_iter().chain(closing.into_iter().map(|stream| stream.playback.clone())).collect())
    }

    /// Whether a playback was let in.
    pub(crate) fn carries(&self, playback: PlaybackId) -> bool {
        self.tidied(self.clock.steady()).running.iter().any(|stream| stream.playback.id == playback)
    }

    /// Whether any counts together with other edges' streams.
    pub(crate) fn count_across(&self) -> bool {
        self.tidied(self.clock.steady()).running.iter().any(|stream| !stream.counted.groups.is_empty())
    }

    /// Whether [`Streams::give_way`] would find one.
    pub(crate) fn can_give_way(&self, wish: &Wish) -> bool {
        let now = self.clock.steady();
        place_for(&self.tidied(now).running, wish, now).is_some()
    }

    /// Forgets the stream that gives its place to one that waits at some edge. The caller ends it, and forgoes its place then.
    pub(crate) fn give_way(&self, wish: &Wish) -> Option<(Arc<Playback>, Placed)> {
        let now = self.clock.steady();
        let mut inner = self.tidied(now);
        let place = place_for(&inner.running, wish, now)?;
        let stream = inner.running.remove(place);
        Some((stream.playback.clone(), stream.placed()))
    }

    /// A stream goes on with another right; false, and nothing changes, when its key or its user carries as many as it may.
    pub(crate) fn move_to(&self, playback: &Arc<Playback>, who: Who<'_>, counted: Counted) -> bool {
        let now = self.clock.steady();
        let mut inner = self.tidied(now);
        let Inner { running, left } = &mut *inner;
        let Some(place) = running.iter().position(|stream| Arc::ptr_eq(&stream.playback, playback)) else {
            return true;
        };
        let carried = |scope| {
            let counts = running.iter().enumerate().filter(|(at, stream)| *at != place && stream.counts(scope, &who));
            counts.count()
        };
        let fits = |scope| self.most(scope, &who).is_none_or(|most| carried(scope) < most);
        let fits = fits(Scope::Key) && fits(Scope::User);
        if let Some(stream) = running.get_mut(place).filter(|_| fits) {
            let mut former = stream.placed();
            former.groups.retain(|group| !counted.groups.contains(group));
            left.extend(Some(former).filter(|former| !former.groups.is_empty()));
            (stream.key, stream.asker, stream.counted) = (who.key().cloned(), who.asker.clone(), counted);
        }
        fits
    }

    /// Forgets streams that ended.
    pub(crate) fn tidy(&self) {
        drop(self.tidied(self.clock.steady()));
    }

    /// A place that nobody is at.
    pub(crate) fn forgo(&self, placed: Placed) {
        self.lock().left.push(placed);
    }

    /// Places to give back now, once.
    pub(crate) fn left(&self) -> Vec<Placed> {
        let mut inner = self.tidied(self.clock.steady());
        let Inner { running, left } = &mut *inner;
        for placed in &mut *left {
            // It may have come back meanwhile.
            let runs = running.iter().find(|stream| stream.playback.id == placed.stream);
            placed.groups.retain(|group| !runs.is_some_and(|stream| stream.counted.groups.contains(group)));
        }
        left.drain(..).filter(|placed| !placed.groups.is_empty()).collect()
    }

    /// Places to keep: of all streams that have a player, or of those that were not kept yet.
    pub(crate) fn kept(&self, all: bool) -> Vec<Placed> {
        let now = self.clock.steady();
        let mut inner = self.tidied(now);
        let mut due = Vec::new();
        for stream in inner.running.iter_mut().filter(|stream| !stream.counted.groups.is_empty()) {
            let first = !std::mem::replace(&mut stream.kept, true);
            if (all || first) && stream.idle(now) < millis(GHOST) {
                due.push(stream.placed());
            }
        }
        due
    }

    fn tidied(&self, now: Millis) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        inner.retain(|stream| stream.runs(now));
        inner
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn most(&self, scope: Scope, who: &Who<'_>) -> Option<usize> {
        match scope {
            Scope::Key => who.most_of_key(),
            Scope::User => self.limits.per_user,
            Scope::Node => self.limits.per_node,
        }
    }

    /// Who must go so that one more fits everywhere; none when that cannot be.
    fn make_room(&self, running: &[&Stream], who: &Who<'_>, now: Millis, patient: bool) -> Option<Vec<Arc<Playback>>> {
        let mut over: Vec<Arc<Playback>> = Vec::new();
        for scope in [Scope::Key, Scope::User, Scope::Node] {
            let Some(most) = self.most(scope, who) else { continue };
            loop {
                let stays = |stream: &&Stream| !over.iter().any(|over| Arc::ptr_eq(over, &stream.playback));
                let there: Vec<&Stream> = carried(running, scope, who).filter(stays).collect();
                if there.len() < most {
                    break;
                }
                over.push(gives_way(&there, |stream| stream.kin(who), now, patient)?.playback.clone());
            }
        }
        Some(over)
    }
}

fn carried<'a>(running: &[&'a Stream], scope: Scope, who: &Who<'_>) -> impl Iterator<Item = &'a Stream> {
    running.iter().copied().filter(move |stream| stream.counts(scope, who))
}

/// Which stream gives its place to one of its user that waits at some edge.
fn place_for(running: &[Stream], wish: &Wish, now: Millis) -> Option<usize> {
    let kin = |stream: &Stream| stream.kin_across(&wish.viewer);
    let helps = |stream: &&Stream| stream.playback.id != wish.stream && stream.is_in_all(&wish.lacks);
    let own = running.iter().filter(|stream| kin(stream) != Kin::Stranger);
    let there: Vec<&Stream> = own.filter(helps).collect();
    let over = gives_way(&there, kin, now, wish.patient)?;
    running.iter().position(|stream| std::ptr::eq(stream, over))
}

/// The stream that gives its place to a viewer, by whose they are to him.
fn gives_way<'a>(there: &[&'a Stream], kin: impl Fn(&Stream) -> Kin, now: Millis, patient: bool) -> Option<&'a Stream> {
    let longest_idle = |may: &dyn Fn(&Stream) -> bool| {
        let idle = there.iter().copied().filter(|stream| may(stream));
        idle.max_by_key(|stream| stream.idle(now))
    };
    let is_idle = |stream: &Stream, least| stream.idle(now) >= millis(least);
    let ghost = longest_idle(&|stream| is_idle(stream, GHOST));
    let former = || longest_idle(&|stream| kin(stream) == Kin::Device && stream.is_left(now));
    let own = || longest_idle(&|stream| patient && kin(stream) != Kin::Stranger && is_idle(stream, IDLE));
    ghost.or_else(former).or_else(own)
}
