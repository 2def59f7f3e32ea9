//! One TorBox account: plan, slots, items, queue and rate windows, all on the simulated clock.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rate::Window;

/// A subscription. The number is what `user/me` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// 0: one slot, 10 GiB an item, ten downloads a month, a day between two.
    Free,
    /// 1: three slots, 200 GiB an item.
    Essential,
    /// 3: five slots, 200 GiB an item.
    Standard,
    /// 2: ten slots, 500 GiB an item.
    #[default]
    Pro,
}

impl Plan {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Essential => 1,
            Self::Standard => 3,
            Self::Pro => 2,
        }
    }

    pub(crate) fn slots(self) -> usize {
        match self {
            Self::Free => 1,
            Self::Essential => 3,
            Self::Standard => 5,
            Self::Pro => 10,
        }
    }

    pub(crate) fn max_item_bytes(self) -> u64 {
        match self {
            Self::Free => 10 << 30,
            Self::Essential | Self::Standard => 200 << 30,
            Self::Pro => 500 << 30,
        }
    }

    /// How long a finished download goes on seeding when it was not told otherwise.
    pub(crate) fn seeding_ms(self) -> i64 {
        let days = match self {
            Self::Free => 0,
            Self::Essential => 1,
            Self::Standard => 14,
            Self::Pro => 30,
        };
        days * 86_400_000
    }
}

/// An answer of the vendor's ten-minute list cache.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(Option<(i64, Vec<Value>)>);

impl Snapshot {
    /// The remembered list when it is younger than 600 s, else `fresh`, remembered.
    pub(crate) fn at(&mut self, now: i64, fresh: impl FnOnce() -> Vec<Value>) -> Vec<Value> {
        match &self.0 {
            Some((taken, list)) if now - taken < 600_000 && now >= *taken => list.clone(),
            _ => self.0.insert((now, fresh())).1.clone(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) id: u64,
    pub(crate) hash: String,
    pub(crate) magnet: String,
    pub(crate) name: String,
    pub(crate) seed: u8,
    pub(crate) created_at: i64,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) key: String,
    pub(crate) id: u64,
    pub(crate) auth_id: String,
    pub(crate) plan: Plan,
    pub(crate) extra_slots: usize,
    pub(crate) created_at: i64,
    pub(crate) premium_until: Option<i64>,
    pub(crate) cooldown_until: Option<i64>,
    pub(crate) downloads_this_month: u32,
    pub(crate) added_in_total: u64,
    /// Newest last.
    pub(crate) items: Vec<super::item::Item>,
    /// Oldest first.
    pub(crate) queue: Vec<Queued>,
    pub(crate) list_cache: Snapshot,
    pub(crate) queue_cache: Snapshot,
    pub(crate) minute: Window,
    pub(crate) hour: Window,
}

impl Account {
    pub(crate) fn slots(&self) -> usize {
        self.plan.slots() + self.extra_slots
    }

    pub(crate) fn active(&self, now: i64) -> usize {
        self.items.iter().filter(|item| item.holds_slot(now, self.plan)).count()
    }

    pub(crate) fn in_cooldown(&self, now: i64) -> Option<i64> {
        self.cooldown_until.filter(|until| *until > now)
    }

    pub(crate) fn item_of(&self, hash: &str) -> Option<&super::item::Item> {
        self.items.iter().find(|item| item.torrent.hash == hash)
    }

    /// Queued downloads take free slots, oldest first, and become items with new ids.
    pub(crate) fn start_queued(
        &mut self,
        now: i64,
        mut next_id: impl FnMut() -> u64,
        find: impl Fn(&str, &str) -> super::Torrent,
    ) {
        while !self.queue.is_empty() && self.active(now) < self.slots() {
            let queued = self.queue.remove(0);
            self.begin(queued, now, next_id(), &find);
        }
    }

    pub(crate) fn begin(&mut self, queued: Queued, now: i64, id: u64, find: impl Fn(&str, &str) -> super::Torrent) {
        let torrent = find(&queued.hash, &queued.name);
        self.items.push(super::item::Item {
            id,
            torrent,
            magnet: queued.magnet,
            seed: queued.seed,
            created_at: now,
            from_cache: false,
        });
    }
}
