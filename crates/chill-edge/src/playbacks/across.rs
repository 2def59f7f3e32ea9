//! Streams counted together with other edges, beside this edge's own counting.
//!
//! Only the start of a stream waits for the answer, and for no longer than the port lets it. A stream that finds no room
//! leaves a wish, and the edge whose stream may give way for it ends that one; which, is decided in `streams`.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chill_core::places::{Answer, Group, Placed, Viewer, Wish};
use chill_core::{Places, PlaybackId, Secret};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::streams::{Counted, Entry, Lack, Limits, Streams, Who};
use super::{Playback, Playbacks, lock};

/// How soon others may have the place of a stream that ended, and how often their wishes are read.
const LOOK: Duration = Duration::from_millis(200);

/// Where streams are counted with those of other edges.
pub(crate) struct Across {
    places: Arc<dyn Places>,
    /// Under which users' names are digested.
    secret: Option<Secret>,
    /// Whose viewers wait no longer.
    withdrawn: Mutex<Vec<PlaybackId>>,
}

/// A stream that looks for room, maybe several times; when it stops looking, so does its wish.
pub(super) struct Seeker<'a> {
    across: &'a Across,
    stream: PlaybackId,
    wished: bool,
}

impl Drop for Seeker<'_> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// A place that goes back unless its stream entered.
struct Taking<'a> {
    streams: &'a Streams,
    placed: Option<Placed>,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if let Some(placed) = self.placed.take() {
            self.streams.forgo(placed);
        }
    }
}

impl Seeker<'_> {
    /// As [`Streams::enter`].
    pub(super) async fn enter(
        &mut self,
        streams: &Streams,
        playback: &Arc<Playback>,
        who: Who<'_>,
        patient: bool,
    ) -> Entry {
        let counted = self.across.counted(streams.limits(), &who);
        if counted.groups.is_empty() || streams.carries(playback.id) {
            return streams.enter(playback, who, counted, patient);
        }
        let Some(over) = streams.room(self.stream, who, patient) else { return self.is_full_here() };
        // A device that zaps fast may come back to a key that it left a moment ago.
        self.across.tell(streams.left(), Vec::new()).await;
        let placed = Placed { stream: playback.id, groups: counted.groups.clone() };
        let mut taking = Taking { streams, placed: Some(placed.clone()) };
        let wish = self.wish(&counted, patient);
        if !self.across.places.take(&placed, &ids(&over), wish.as_ref()).await {
            taking.placed = None;
            return Entry::FullAcross;
        }
        self.wished = false;
        let entry = streams.enter(playback, who, counted, patient);
        if matches!(entry, Entry::Room(_)) {
            taking.placed = None;
        }
        entry
    }

    /// As [`Streams::room_by_this_key`], among all edges.
    pub(super) async fn has_room(&self, streams: &Streams, who: Who<'_>) -> Result<(), Lack> {
        let over = ids(&streams.room_by_this_key(self.stream, who)?);
        let places = async |who: Who<'_>| {
            let placed = Placed { stream: self.stream, groups: self.across.counted(streams.limits(), &who).groups };
            placed.groups.is_empty() || self.across.places.have_room(&placed, &over).await
        };
        match places(who).await {
            true => Ok(()),
            false if places(Who { held: None, ..who }).await => Err(Lack::Key),
            false => Err(Lack::Else),
        }
    }

    /// Whether [`Seeker::enter`] would find room now, or soon where nobody but this edge's own streams must go for it.
    pub(super) async fn look(&self, streams: &Streams, who: Who<'_>, is_new: bool) -> Entry {
        let Some(over) = streams.room_now_or_soon(self.stream, who, is_new) else { return Entry::Full };
        let placed = Placed { stream: self.stream, groups: self.across.counted(streams.limits(), &who).groups };
        match placed.groups.is_empty() || self.across.places.have_room(&placed, &ids(&over)).await {
            true => Entry::Room(over),
            false => Entry::FullAcross,
        }
    }

    /// No other edge can help.
    fn is_full_here(&mut self) -> Entry {
        self.withdraw();
        Entry::Full
    }

    fn withdraw(&mut self) {
        if std::mem::take(&mut self.wished) {
            lock(&self.across.withdrawn).push(self.stream);
        }
    }

    fn wish(&mut self, counted: &Counted, patient: bool) -> Option<Wish> {
        let viewer = counted.viewer.clone()?;
        self.wished = true;
        Some(Wish { stream: self.stream, viewer, patient, lacks: Vec::new() })
    }
}

impl Across {
    pub(crate) fn new(places: Arc<dyn Places>, secret: Option<Secret>) -> Self {
        Self { places, secret, withdrawn: Mutex::default() }
    }

    /// A stream that looks for room from now on.
    pub(super) fn seeker(&self, stream: PlaybackId) -> Seeker<'_> {
        Seeker { across: self, stream, wished: false }
    }

    fn counted(&self, limits: Limits, who: &Who<'_>) -> Counted {
        let user = limits.per_user.map(|most| Group::user(who.asker.link, most, self.secret.as_ref()));
        let key = who.key().zip(who.most_of_key()).map(|(key, most)| Group::key(key, most));
        let viewer = Viewer::new(who.asker.link, &who.asker.device, self.secret.as_ref());
        Counted { groups: user.into_iter().chain(key).collect(), viewer: Some(viewer) }
    }

    /// As [`Streams::move_to`].
    pub(super) async fn move_to(&self, streams: &Streams, playback: &Arc<Playback>, who: Who<'_>) -> bool {
        let counted = self.counted(streams.limits(), &who);
        let placed = Placed { stream: playback.id, groups: counted.groups.clone() };
        // With his own token it only leaves places; one that has none yet takes them when it enters.
        let leaves = who.key().is_none() || placed.groups.is_empty() || !streams.carries(playback.id);
        let has_place = leaves || self.places.take(&placed, &[], None).await;
        let moved = has_place && streams.move_to(playback, who, counted);
        // Places that it does not run on after all.
        streams.forgo(placed);
        moved
    }

    /// Keeps the places of what runs, gives back those of what ended, and ends what gives way to streams of other edges,
    /// until `token` is cancelled; then gives all back.
    pub(super) async fn tend(&self, playbacks: &Playbacks, token: &CancellationToken) {
        let streams = &playbacks.streams;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        while token.run_until_cancelled(look.tick()).await.is_some() {
            let all = renewed.elapsed() >= self.places.renewal();
            if all {
                renewed = Instant::now();
            }
            self.tell(streams.left(), streams.kept(all)).await;
            self.withdraw().await;
            self.give_way(playbacks).await;
        }
        self.withdraw().await;
        self.tell([streams.left(), streams.kept(true)].concat(), Vec::new()).await;
    }

    async fn tell(&self, left: Vec<Placed>, kept: Vec<Placed>) {
        if !left.is_empty() {
            self.places.give_back(&left).await;
        }
        if !kept.is_empty() {
            self.places.keep(&kept).await;
        }
    }

    async fn withdraw(&self) {
        let withdrawn = std::mem::take(&mut *lock(&self.withdrawn));
        for stream in withdrawn {
            self.places.settle(stream, Answer::Withdraw).await;
        }
    }

    /// Ends one stream for each wish that one may give way for.
    async fn give_way(&self, playbacks: &Playbacks) {
        let streams = &playbacks.streams;
        if !streams.count_across() {
            return;
        }
        for wish in self.places.wishes().await {
            if !streams.can_give_way(&wish) || !self.places.settle(wish.stream, Answer::Claim).await {
                continue;
            }
            // Its player may have woken up meanwhile.
            let Some((over, placed)) = streams.give_way(&wish) else {
                self.places.settle(wish.stream, Answer::Reopen).await;
                continue;
            };
            playbacks.hand_over(&over, wish.stream);
            self.places.give_back(&[placed]).await;
        }
    }
}

fn ids(playbacks: &[Arc<Playback>]) -> Vec<PlaybackId> {
    playbacks.iter().map(|playback| playback.id).collect()
}
