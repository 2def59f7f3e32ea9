//! Streams counted together with other edges, beside this edge's own counting.
//!
//! Only the start of a stream waits for the answer, and for no longer than the port lets it. What another edge leaves idle is
//! not taken over: nobody here could end it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use chill_core::places::{Group, Placed};
use chill_core::{Places, PlaybackId, Secret};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Playback;
use super::streams::{Entry, Limits, Streams, Who};

/// How soon others may have the place of a stream that ended.
const LOOK: Duration = Duration::from_millis(200);

/// Where streams are counted with those of other edges.
pub(crate) struct Across {
    places: Arc<dyn Places>,
    /// Under which users' names are digested.
    secret: Option<Secret>,
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

impl Across {
    pub(crate) fn new(places: Arc<dyn Places>, secret: Option<Secret>) -> Self {
        Self { places, secret }
    }

    fn groups(&self, limits: Limits, who: &Who<'_>) -> Vec<Group> {
        let user = limits.per_user.map(|most| Group::user(who.asker.link, most, self.secret.as_ref()));
        let key = who.most_of_key().map(|most| Group::key(&who.held.lease.key_id, most));
        user.into_iter().chain(key).collect()
    }

    /// As [`Streams::enter`].
    pub(super) async fn enter(
        &self,
        streams: &Streams,
        playback: &Arc<Playback>,
        who: Who<'_>,
        patient: bool,
    ) -> Entry {
        let groups = self.groups(streams.limits(), &who);
        if groups.is_empty() || streams.carries(playback) {
            return streams.enter(playback, who, groups, patient);
        }
        let Some(over) = streams.room(who, patient) else { return Entry::Full };
        // A device that zaps fast may come back to a key that it left a moment ago.
        self.tell(streams.left(), Vec::new()).await;
        let placed = Placed { stream: playback.id, groups: groups.clone() };
        let mut taking = Taking { streams, placed: Some(placed.clone()) };
        if !self.places.take(&placed, &ids(&over)).await {
            taking.placed = None;
            return Entry::Full;
        }
        let entry = streams.enter(playback, who, groups, patient);
        if matches!(entry, Entry::Room(_)) {
            taking.placed = None;
        }
        entry
    }

    /// As [`Streams::room`].
    pub(super) async fn has_room(&self, streams: &Streams, who: Who<'_>) -> bool {
        let Some(over) = streams.room(who, true) else { return false };
        let groups = self.groups(streams.limits(), &who);
        groups.is_empty() || self.places.have_room(&groups, &ids(&over)).await
    }

    /// As [`Streams::move_to`].
    pub(super) async fn move_to(&self, streams: &Streams, playback: &Arc<Playback>, who: Who<'_>) -> bool {
        let groups = self.groups(streams.limits(), &who);
        let placed = Placed { stream: playback.id, groups: groups.clone() };
        let has_place = groups.is_empty() || self.places.take(&placed, &[]).await;
        let moved = has_place && streams.move_to(playback, who, groups);
        // Places that it does not run on after all.
        streams.forgo(placed);
        moved
    }

    /// Keeps the places of what runs and gives back those of what ended, until `token` is cancelled; then all of them.
    pub(super) async fn tend(&self, streams: &Streams, token: &CancellationToken) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        while token.run_until_cancelled(look.tick()).await.is_some() {
            let all = renewed.elapsed() >= self.places.renewal();
            if all {
                renewed = Instant::now();
            }
            self.tell(streams.left(), streams.kept(all)).await;
        }
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
}

fn ids(playbacks: &[Arc<Playback>]) -> Vec<PlaybackId> {
    playbacks.iter().map(|playback| playback.id).collect()
}
