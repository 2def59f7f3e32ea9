//! How many films one user and one key play over all edges: the port behind which edges count them together.
//!
//! A place is kept by renewing it. An edge that is gone renews nothing, so what it carried gives its places back by itself.
//! A stream that finds no room leaves a [`Wish`]: the edge that carries what may give way for it ends that, and nobody else.

use std::time::Duration;

use async_trait::async_trait;

use crate::rate::{Bucket, digest};
use crate::{DeviceId, KeyId, LinkId, PlaybackId, Secret};

/// Streams that are counted together, by a digest of their name, and how many of them may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    name: String,
    most: usize,
}

impl Group {
    /// The streams of an install link. With a secret the digest is keyed; nodes that count together must share it.
    #[must_use]
    pub fn user(link: LinkId, most: usize, secret: Option<&Secret>) -> Self {
        Self { name: format!("user:{}", user(link, secret)), most }
    }

    /// The streams carried by one key of the pool.
    #[must_use]
    pub fn key(key: &KeyId, most: usize) -> Self {
        Self { name: format!("key:{key}"), most }
    }

    /// Its name, without a link id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many may run.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }
}

/// A stream and the groups it counts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The stream, by its playback.
    pub stream: PlaybackId,
    /// Where it counts; none where nothing is limited.
    pub groups: Vec<Group>,
}

fn user(link: LinkId, secret: Option<&Secret>) -> String {
    Bucket::link(link, secret).digest()
}

/// Who watches, by digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Of his install link, as in [`Group::user`].
    pub user: String,
    /// Of his device, among those of the link.
    pub device: String,
}

impl Viewer {
    /// A viewer; the secret is that of [`Group::user`].
    #[must_use]
    pub fn new(link: LinkId, device: &DeviceId, secret: Option<&Secret>) -> Self {
        let of_device = digest(&format!("device|{link}|{device}"), secret);
        Self { user: user(link, secret), device: data_encoding::HEXLOWER.encode(&of_device) }
    }
}

/// What a stream that found no room asks of all edges: that one stream of its user gives its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The stream that waits, by its playback.
    pub stream: PlaybackId,
    /// Who waits.
    pub viewer: Viewer,
    /// Whether he has waited long enough to take over what he leaves idle elsewhere.
    pub patient: bool,
    /// The names of the full groups, in all of which one stream less is enough. Found where streams are counted; empty before.
    pub lacks: Vec<String>,
}

/// What becomes of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An edge ends a stream for it, so no other one shall; the same stream's wish is not heard again for a while.
    Claim,
    /// That edge had nothing to end after all, so the wish may be left again.
    Reopen,
    /// Nobody waits any more; what is claimed stays so.
    Withdraw,
}

/// Where the streams of all edges are counted. Never fails: what cannot be reached refuses nobody.
#[async_trait]
pub trait Places: Send + Sync + 'static {
    /// Takes a place in all groups, or in none when one of them is full. The streams of `instead` give theirs for it.
    /// Refused, it leaves the wish for a few seconds, where one stream less in each full group is enough; placed, it has none.
    async fn take(&self, stream: &Placed, instead: &[PlaybackId], wish: Option<&Wish>) -> bool;

    /// Whether [`Places::take`] would find room.
    async fn have_room(&self, stream: &Placed, instead: &[PlaybackId]) -> bool;

    /// The wishes that wait for an edge.
    async fn wishes(&self) -> Vec<Wish>;

    /// Settles a stream's wish; false when that could not be, so of all claims one alone is true.
    async fn settle(&self, stream: PlaybackId, answer: Answer) -> bool;

    /// Keeps places for another while; they are taken anew where they were lost, room or not.
    async fn keep(&self, streams: &[Placed]);

    /// Gives places back.
    async fn give_back(&self, streams: &[Placed]);

    /// How often [`Places::keep`] must be called.
    fn renewal(&self) -> Duration;
}
