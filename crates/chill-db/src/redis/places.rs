//! The places of streams that all edges with the same Redis count together, and the wishes of those that find none; the
//! counting itself is `enter.lua`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::{FromRedisValue, Script, ScriptInvocation};
use async_trait::async_trait;
use chill_core::PlaybackId;
use chill_core::places::{Answer, Group, Placed, Places, Viewer, Wish};

use super::{PATIENCE, Shared, SharedRates, said};

/// A place lasts so long after it was renewed, and is renewed when a third of that is over.
const LASTS: Duration = Duration::from_secs(30);
/// Places renewed by one command, at most, so that Redis is not held for long.
const TOGETHER: usize = 500;
/// Begins the names of groups.
const GROUPS: &str = "chill:streams:";
/// What streams that wait ask for.
const WISHES: &str = "chill:wishes";
/// A wish lasts so long after it was left or claimed; who waits leaves it again much sooner.
const WISH_LASTS: Duration = Duration::from_secs(2);
/// Wishes at once, since each edge reads them all.
const MOST_WISHES: usize = 500;
/// Wishes of one user at once, so that nobody fills the others' room.
const MOST_WISHES_OF_USER: usize = 8;

/// Limits of streams that all edges with the same Redis keep together.
pub struct SharedPlaces {
    shared: Arc<Shared>,
    enter: Script,
    keep: Script,
    wishes: Script,
    settle: Script,
    lasts: Duration,
}

impl SharedPlaces {
    /// Over the connection of `rates`; they are away and back together. A place that nobody renews ends after 30 s.
    #[must_use]
    pub fn beside(rates: &SharedRates) -> Self {
        Self::lasting(rates, LASTS)
    }

    /// The same with places that end after another time.
    #[must_use]
    pub fn lasting(rates: &SharedRates, lasts: Duration) -> Self {
        Self {
            shared: rates.shared.clone(),
            enter: Script::new(include_str!("enter.lua")),
            keep: Script::new(include_str!("keep.lua")),
            wishes: Script::new(include_str!("wishes.lua")),
            settle: Script::new(include_str!("settle.lua")),
            lasts,
        }
    }

    /// The answer of a script; none while Redis is away.
    async fn ask<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Option<T> {
        if self.shared.away.load(Ordering::Relaxed) {
            return None;
        }
        let mut manager = self.shared.manager.clone();
        let why = match tokio::time::timeout(PATIENCE, call.invoke_async(&mut manager)).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => said(&error),
            Err(_) => "no answer in time",
        };
        self.shared.lost(why);
        None
    }

    /// Whether there is room; so there is while Redis is away. Taken for so long.
    async fn enter(&self, stream: &Placed, instead: &[PlaybackId], wish: Option<&Wish>, lasts: Duration) -> bool {
        if stream.groups.is_empty() {
            return true;
        }
        let mut call = self.enter.prepare_invoke();
        call.key(WISHES).arg(stream.stream.to_string()).arg(milliseconds(lasts));
        call.arg(wish.map(words).unwrap_or_default()).arg(milliseconds(WISH_LASTS));
        call.arg(MOST_WISHES).arg(MOST_WISHES_OF_USER);
        for group in &stream.groups {
            call.key(name(group)).arg(group.most());
        }
        for over in instead {
            call.arg(over.to_string());
        }
        self.ask(&call).await != Some(0)
    }

    async fn renew(&self, streams: &[Placed], lasts: Duration) {
        let places = streams.iter().flat_map(|placed| placed.groups.iter().map(|group| (placed.stream, group)));
        let places: Vec<_> = places.collect();
        for some in places.chunks(TOGETHER) {
            let mut call = self.keep.prepare_invoke();
            call.arg(milliseconds(lasts));
            for (stream, group) in some {
                call.key(name(group)).arg(stream.to_string());
            }
            if self.ask::<u64>(&call).await.is_none() {
                return;
            }
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn name(group: &Group) -> String {
    format!("{GROUPS}{}", group.name())
}

/// What a wish says, but for the groups.
fn words(wish: &Wish) -> String {
    format!("{} {} {}", wish.viewer.user, wish.viewer.device, u8::from(wish.patient))
}

/// A wish from its stream, its words and the groups, with blanks between: no name of a group holds one.
fn wish(text: &str) -> Option<Wish> {
    let mut parts = text.split(' ');
    let stream = parts.next()?.parse().ok()?;
    let viewer = Viewer { user: parts.next()?.to_owned(), device: parts.next()?.to_owned() };
    let patient = parts.next()? == "1";
    let lacks = parts.map(|group| group.strip_prefix(GROUPS).map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    Some(Wish { stream, viewer, patient, lacks }).filter(|wish| !wish.lacks.is_empty())
}

impl fmt::Debug for SharedPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPlaces").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

#[async_trait]
impl Places for SharedPlaces {
    async fn take(&self, stream: &Placed, instead: &[PlaybackId], wish: Option<&Wish>) -> bool {
        self.enter(stream, instead, wish, self.lasts).await
    }

    async fn have_room(&self, stream: &Placed, instead: &[PlaybackId]) -> bool {
        self.enter(stream, instead, None, Duration::ZERO).await
    }

    async fn wishes(&self) -> Vec<Wish> {
        let mut call = self.wishes.prepare_invoke();
        let said: Vec<String> = self.ask(call.key(WISHES)).await.unwrap_or_default();
        said.iter().filter_map(|text| wish(text)).collect()
    }

    async fn settle(&self, stream: PlaybackId, answer: Answer) -> bool {
        let word = match answer {
            Answer::Claim => "claim",
            Answer::Reopen => "reopen",
            Answer::Withdraw => "withdraw",
        };
        let mut call = self.settle.prepare_invoke();
        call.key(WISHES).arg(stream.to_string()).arg(word).arg(milliseconds(WISH_LASTS));
        self.ask(&call).await == Some(1)
    }

    async fn keep(&self, streams: &[Placed]) {
        self.renew(streams, self.lasts).await;
    }

    async fn give_back(&self, streams: &[Placed]) {
        self.renew(streams, Duration::ZERO).await;
    }

    fn renewal(&self) -> Duration {
        self.lasts / 3
    }
}
