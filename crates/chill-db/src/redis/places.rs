//! The places of streams that all edges with the same Redis count together; the counting itself is `enter.lua`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::{Script, ScriptInvocation};
use async_trait::async_trait;
use chill_core::PlaybackId;
use chill_core::places::{Group, Placed, Places};

use super::{PATIENCE, Shared, SharedRates, said};

/// A place lasts so long after it was renewed, and is renewed when a third of that is over.
const LASTS: Duration = Duration::from_secs(30);
/// Places renewed by one command, at most, so that Redis is not held for long.
const TOGETHER: usize = 500;

/// Limits of streams that all edges with the same Redis keep together.
pub struct SharedPlaces {
    shared: Arc<Shared>,
    enter: Script,
    keep: Script,
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
        let (enter, keep) = (Script::new(include_str!("enter.lua")), Script::new(include_str!("keep.lua")));
        Self { shared: rates.shared.clone(), enter, keep, lasts }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.lasts.as_millis()).unwrap_or(u64::MAX)
    }

    /// The answer of a script; none while Redis is away.
    async fn ask(&self, call: &ScriptInvocation<'_>) -> Option<u64> {
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

    /// Whether there is room; so there is while Redis is away. Taken for `lasts` milliseconds.
    async fn enter(&self, stream: &str, groups: &[Group], instead: &[PlaybackId], lasts: u64) -> bool {
        if groups.is_empty() {
            return true;
        }
        let mut call = self.enter.prepare_invoke();
        call.arg(stream).arg(lasts);
        for group in groups {
            call.key(name(group)).arg(group.most());
        }
        for over in instead {
            call.arg(over.to_string());
        }
        self.ask(&call).await != Some(0)
    }

    async fn renew(&self, streams: &[Placed], lasts: u64) {
        let places = streams.iter().flat_map(|placed| placed.groups.iter().map(|group| (placed.stream, group)));
        let places: Vec<_> = places.collect();
        for some in places.chunks(TOGETHER) {
            let mut call = self.keep.prepare_invoke();
            call.arg(lasts);
            for (stream, group) in some {
                call.key(name(group)).arg(stream.to_string());
            }
            if self.ask(&call).await.is_none() {
                return;
            }
        }
    }
}

fn name(group: &Group) -> String {
    format!("chill:streams:{}", group.name())
}

impl fmt::Debug for SharedPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPlaces").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

#[async_trait]
impl Places for SharedPlaces {
    async fn take(&self, stream: &Placed, instead: &[PlaybackId]) -> bool {
        self.enter(&stream.stream.to_string(), &stream.groups, instead, self.milliseconds()).await
    }

    async fn have_room(&self, groups: &[Group], instead: &[PlaybackId]) -> bool {
        self.enter("", groups, instead, 0).await
    }

    async fn keep(&self, streams: &[Placed]) {
        self.renew(streams, self.milliseconds()).await;
    }

    async fn give_back(&self, streams: &[Placed]) {
        self.renew(streams, 0).await;
    }

    fn renewal(&self) -> Duration {
        self.lasts / 3
    }
}
