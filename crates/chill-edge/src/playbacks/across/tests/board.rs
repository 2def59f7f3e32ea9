//! Places and wishes as the port says, in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::super::*;
use super::LASTS;
use crate::tests::fakes::lock;

const WISH_LASTS: Duration = Duration::from_secs(2);

type Held = HashMap<String, HashMap<PlaybackId, Instant>>;
type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Board {
    places: Mutex<Held>,
    /// Until when, and which; claimed: none.
    wishes: Mutex<HashMap<PlaybackId, (Instant, Option<Wish>)>>,
    /// How often wishes were read.
    pub(super) reads: AtomicUsize,
    /// Happens just after the next claim.
    pub(super) after_claim: Mutex<Option<Hook>>,
    /// Happens just before the next place is given back.
    pub(super) before_give_back: Mutex<Option<Hook>>,
}

impl Board {
    fn enter(&self, stream: &Placed, instead: &[PlaybackId], wish: Option<&Wish>, lasts: Duration) -> bool {
        let mut all = lock(&self.places);
        let (mut lacks, mut one_less_is_enough) = (Vec::new(), true);
        for group in &stream.groups {
            let held = all.entry(group.name().to_owned()).or_default();
            held.retain(|_, until| *until > Instant::now());
            let others = held.keys().filter(|held| **held != stream.stream && !instead.contains(held)).count();
            if others >= group.most() {
                lacks.push(group.name().to_owned());
                one_less_is_enough &= others == group.most();
            }
        }
        if !lacks.is_empty() {
            let wish = wish.filter(|_| one_less_is_enough).map(|wish| Wish { lacks, ..wish.clone() });
            wish.into_iter().for_each(|wish| self.leave(wish));
            return false;
        }
        lock(&self.wishes).remove(&stream.stream);
        for group in stream.groups.iter().filter(|_| !lasts.is_zero()) {
            let held = all.entry(group.name().to_owned()).or_default();
            held.retain(|held, _| !instead.contains(held));
            held.insert(stream.stream, Instant::now() + lasts);
            assert!(held.len() <= group.most(), "more streams than may run");
        }
        true
    }

    fn leave(&self, wish: Wish) {
        let mut wishes = lock(&self.wishes);
        let claimed = wishes.get(&wish.stream).is_some_and(|(until, open)| open.is_none() && *until > Instant::now());
        if !claimed {
            wishes.insert(wish.stream, (Instant::now() + WISH_LASTS, Some(wish)));
        }
    }

    /// As [`Places::wishes`], without being counted.
    pub(super) fn open_wishes(&self) -> Vec<Wish> {
        let wishes = lock(&self.wishes);
        wishes.values().filter(|(until, _)| *until > Instant::now()).filter_map(|(_, open)| open.clone()).collect()
    }

    pub(super) fn settle_now(&self, stream: PlaybackId, answer: Answer) -> bool {
        let mut wishes = lock(&self.wishes);
        let Some((until, open)) = wishes.get_mut(&stream).filter(|(until, _)| *until > Instant::now()) else {
            return false;
        };
        if open.is_none() != (answer == Answer::Reopen) {
            return false;
        }
        if answer == Answer::Claim {
            (*until, *open) = (Instant::now() + WISH_LASTS, None);
        } else {
            wishes.remove(&stream);
        }
        true
    }
}

fn happens(hook: &Mutex<Option<Hook>>) {
    let hook = lock(hook).take();
    hook.into_iter().for_each(|hook| hook());
}

#[async_trait]
impl Places for Board {
    async fn take(&self, stream: &Placed, instead: &[PlaybackId], wish: Option<&Wish>) -> bool {
        self.enter(stream, instead, wish, LASTS)
    }

    async fn have_room(&self, stream: &Placed, instead: &[PlaybackId]) -> bool {
        self.enter(stream, instead, None, Duration::ZERO)
    }

    async fn wishes(&self) -> Vec<Wish> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.open_wishes()
    }

    async fn settle(&self, stream: PlaybackId, answer: Answer) -> bool {
        let settled = self.settle_now(stream, answer);
        if settled && answer == Answer::Claim {
            happens(&self.after_claim);
        }
        settled
    }

    async fn keep(&self, streams: &[Placed]) {
        let mut all = lock(&self.places);
        for (placed, group) in streams.iter().flat_map(|placed| placed.groups.iter().map(move |g| (placed, g))) {
            all.entry(group.name().to_owned()).or_default().insert(placed.stream, Instant::now() + LASTS);
        }
    }

    async fn give_back(&self, streams: &[Placed]) {
        happens(&self.before_give_back);
        let mut all = lock(&self.places);
        for (placed, group) in streams.iter().flat_map(|placed| placed.groups.iter().map(move |g| (placed, g))) {
            all.entry(group.name().to_owned()).or_default().remove(&placed.stream);
        }
    }

    fn renewal(&self) -> Duration {
        LASTS / 3
    }
}
