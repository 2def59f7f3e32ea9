//! The playbacks: one viewing of one file is one entry, however many range requests it makes.
//!
//! A running playback holds its right, its item and its file, so a seek asks neither the control plane nor the store for
//! anything. A revocation finds it here and cuts it. How many may carry bytes at once is decided in `streams`.

mod across;
mod books;
mod playback;
pub(crate) mod requests;
mod streams;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chill_core::{Change, Clock, PlaybackId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::Grant;

pub(crate) use across::Across;
use across::Seeker;
pub(crate) use books::Carried;
pub(crate) use playback::{Opening, Playback, PlaybackKey, Rule, Seat};
use streams::{Counted, Entry, Streams, Who};
pub(crate) use streams::{Lack, Limits};

/// A playback nobody asks for this long is over.
const IDLE: Duration = Duration::from_secs(600);
/// How long a new stream over a limit waits for one that closes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How much longer it waits for another edge to end one that gives way.
const ANSWER: Duration = Duration::from_secs(1);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);
/// Most playbacks at once; the next one pushes out the one that has been idle longest.
const CAPACITY: usize = 20_000;

/// All playbacks of this process.
pub(crate) struct Playbacks {
    inner: Mutex<Inner>,
    streams: Streams,
    /// None: this edge counts its streams alone.
    across: Option<Across>,
}

#[derive(Default)]
struct Inner {
    running: HashMap<PlaybackKey, Arc<Playback>>,
    /// Over, but their last bytes are not written down yet.
    leaving: Vec<Arc<Playback>>,
}

/// A right of the pool, as far as streams are counted by it.
fn who(grant: &Grant) -> Option<Who<'_>> {
    match grant {
        Grant::Pool { asker, held } => Some(Who { asker, held: Some(held) }),
        Grant::Own(_) => None,
    }
}

impl Playbacks {
    pub(crate) fn new(limits: Limits, clock: Clock, across: Option<Across>) -> Self {
        Self { inner: Mutex::default(), streams: Streams::new(limits, clock), across }
    }

    /// The playback of a request, when it runs already.
    pub(crate) fn get(&self, key: &PlaybackKey) -> Option<Arc<Playback>> {
        let playback = self.lock().running.get(key).cloned().filter(|playback| !playback.cut.is_cancelled())?;
        playback.touch();
        Some(playback)
    }

    /// Adds a playback; a former one under the same key leaves.
    pub(crate) fn add(&self, playback: &Arc<Playback>) {
        let mut inner = self.lock();
        if inner.running.len() >= CAPACITY {
            let longest = inner.running.values().min_by_key(|p| (p.meter.open() > 0, p.idle_since())).cloned();
            if let Some(longest) = longest {
                inner.running.remove(&longest.key);
                longest.cut.cancel();
                inner.leaving.push(longest);
            }
        }
        if let Some(former) = inner.running.insert(playback.key.clone(), playback.clone()) {
            inner.leaving.push(former);
        }
    }

    /// Lets a request for bytes of a playback in: at once where there is room or a place is handed over, else after a wait
    /// for a stream that closes. False when its key, its user or this node carries as many streams as it may.
    pub(crate) async fn admit(&self, playback: &Arc<Playback>) -> bool {
        let mut seeker = self.seeker(playback.id);
        let begun = Instant::now();
        loop {
            let waited = begun.elapsed();
            match self.enter(playback, seeker.as_mut(), waited >= PATIENCE).await {
                Entry::Room(over) => {
                    over.iter().for_each(|other| self.hand_over(other, playback.id));
                    return true;
                }
                entry if is_in_vain(&entry, waited) => return false,
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// As [`Playbacks::admit`], without waiting.
    pub(crate) async fn admit_now(&self, playback: &Arc<Playback>) -> bool {
        match self.enter(playback, self.seeker(playback.id).as_mut(), false).await {
            Entry::Room(over) => {
                over.iter().for_each(|other| self.hand_over(other, playback.id));
                true
            }
            Entry::Full | Entry::FullAcross => false,
        }
    }

    fn seeker(&self, stream: PlaybackId) -> Option<Seeker<'_>> {
        self.across.as_ref().map(|across| across.seeker(stream))
    }

    async fn enter(&self, playback: &Arc<Playback>, seeker: Option<&mut Seeker<'_>>, patient: bool) -> Entry {
        let rule = playback.rule().filter(|_| !playback.cut.is_cancelled());
        match (rule.as_ref().map(Rule::who), seeker) {
            (Some(who), Some(seeker)) => seeker.enter(&self.streams, playback, who, patient).await,
            (Some(who), None) => self.streams.enter(playback, who, Counted::default(), patient),
            (None, _) => Entry::Room(Vec::new()),
        }
    }

    /// Ends a playback whose place another stream has or will have.
    fn hand_over(&self, playback: &Arc<Playback>, to: PlaybackId) {
        tracing::info!(playback = %playback.id, %to, "a stream's place was handed over");
        self.end(playback);
    }

    /// Goes on with another right; false, and nothing changes, when its key, or its user where that is another one, carries as
    /// many streams as it may. A user's own token has no limit, but his film still counts as his.
    pub(crate) async fn move_to(&self, playback: &Arc<Playback>, seat: Seat) -> bool {
        let rule = playback.rule_with(&seat.grant);
        let fits = match (rule.as_ref().map(Rule::who), &self.across) {
            (Some(who), Some(across)) => across.move_to(&self.streams, playback, who).await,
            (Some(who), None) => self.streams.move_to(playback, who, Counted::default()),
            (None, _) => true,
        };
        if fits {
            playback.sit(seat);
        }
        fits
    }

    /// Whether a right may carry a stream now or soon, or what is lacking: what somebody has paused is not ended for a place at
    /// one key of several. Decided for good by [`Playbacks::admit`].
    pub(crate) async fn has_room(&self, grant: &Grant, stream: PlaybackId) -> Result<(), Lack> {
        match (who(grant), self.seeker(stream)) {
            (Some(who), Some(seeker)) => seeker.has_room(&self.streams, who).await,
            (Some(who), None) => self.streams.room_by_this_key(stream, who).map(drop),
            (None, _) => Ok(()),
        }
    }

    /// Waits, but not for long, until a right may carry a stream, maybe by a place that is handed over; to one that runs already
    /// none is. Whether another edge hands one over is seen when the stream enters, for one that will: it may not come to that.
    pub(crate) async fn waits_for_room(&self, grant: &Grant, stream: PlaybackId, will_enter: bool) -> bool {
        let Some(who) = who(grant) else { return true };
        let is_new = !self.streams.carries(stream);
        let begun = Instant::now();
        loop {
            let waited = begun.elapsed();
            match self.look(who, stream, is_new).await {
                Entry::FullAcross if is_new && will_enter => return true,
                Entry::Room(_) => return true,
                entry if is_in_vain(&entry, waited) => return false,
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    }

    async fn look(&self, who: Who<'_>, stream: PlaybackId, is_new: bool) -> Entry {
        match self.seeker(stream) {
            Some(seeker) => seeker.look(&self.streams, who, is_new).await,
            None => self.streams.room_now_or_soon(stream, who, is_new).map_or(Entry::Full, Entry::Room),
        }
    }

    /// Keeps what streams hold among other edges' and gives way to those, until `token` is cancelled; then gives it back.
    pub(crate) async fn keep_places(&self, token: &CancellationToken) {
        if let Some(across) = &self.across {
            across.tend(self, token).await;
        }
    }

    /// Ends one playback at once.
    pub(crate) fn end(&self, playback: &Arc<Playback>) {
        playback.cut.cancel();
        let mut inner = self.lock();
        if inner.running.get(&playback.key).is_some_and(|running| Arc::ptr_eq(running, playback)) {
            inner.running.remove(&playback.key);
            inner.leaving.push(playback.clone());
        }
    }

    /// Ends all at once.
    pub(crate) fn end_all(&self) {
        self.running().iter().for_each(|playback| self.end(playback));
    }

    /// Ends what a revocation concerns, at once. Returns how many.
    pub(crate) fn cut(&self, change: &Change) -> usize {
        let concerned: Vec<_> = self.running().into_iter().filter(|playback| playback.concerns(change)).collect();
        concerned.iter().for_each(|playback| self.end(playback));
        concerned.len()
    }

    /// Changes may have been missed: every right must be confirmed.
    pub(crate) fn doubt(&self) {
        self.running().iter().for_each(|playback| playback.doubt());
    }

    /// Lets those go that nobody asked for in a while.
    pub(crate) fn retire_idle(&self) {
        self.streams.tidy();
        for playback in self.running() {
            if playback.meter.open() > 0 {
                playback.touch();
            } else if playback.idle_since().elapsed() >= IDLE {
                self.end(&playback);
            }
        }
    }

    /// Those that run.
    pub(crate) fn running(&self) -> Vec<Arc<Playback>> {
        self.lock().running.values().cloned().collect()
    }

    /// Those that run and those whose last bytes are to be written down.
    pub(crate) fn all(&self) -> Vec<Arc<Playback>> {
        let inner = self.lock();
        inner.running.values().chain(&inner.leaving).cloned().collect()
    }

    /// Forgets those that left and have nothing to write down any more.
    pub(crate) fn forget_left(&self) {
        self.lock().leaving.retain(|playback| !playback.is_closed());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

/// Whether a stream that looked for room after such a wait looks no more.
fn is_in_vain(entry: &Entry, waited: Duration) -> bool {
    match entry {
        Entry::Room(_) => false,
        Entry::Full => waited >= PATIENCE,
        Entry::FullAcross => waited >= PATIENCE + ANSWER,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
