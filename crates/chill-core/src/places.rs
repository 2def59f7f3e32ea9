//! How many films one user and one key play over all edges: the port behind which edges count them together.
//!
//! A place is kept by renewing it. An edge that is gone renews nothing, so what it carried gives its places back by itself.

use std::time::Duration;

use async_trait::async_trait;

use crate::rate::Bucket;
use crate::{KeyId, LinkId, PlaybackId, Secret};

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
        Self { name: format!("user:{}", Bucket::link(link, secret).digest()), most }
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

/// Where the streams of all edges are counted. Never fails: what cannot be reached refuses nobody.
#[async_trait]
pub trait Places: Send + Sync + 'static {
    /// Takes a place in all groups, or in none when one of them is full. The streams of `instead` give theirs for it.
    async fn take(&self, stream: &Placed, instead: &[PlaybackId]) -> bool;

    /// Whether all groups have room for one more, when the streams of `instead` give their places for it.
    async fn have_room(&self, groups: &[Group], instead: &[PlaybackId]) -> bool;

    /// Keeps places for another while; they are taken anew where they were lost, room or not.
    async fn keep(&self, streams: &[Placed]);

    /// Gives places back.
    async fn give_back(&self, streams: &[Placed]);

    /// How often [`Places::keep`] must be called.
    fn renewal(&self) -> Duration;
}
