//! TorBox's client against the simulated TorBox, over HTTP.

mod adding;
mod bad_days;
mod budgets;
mod links;
mod reading;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use chill_core::store::{AddMode, Item, ItemStatus};
use chill_core::{Chance, Clock, InfoHash, Secret, Store, StoreError, StoreErrorKind};
use chill_sim::{Plan, Torrent, World};

use crate::{StoresConfig, stores};

/// Looks like the vendor's keys.
const KEY: &str = "7d3f0a52-9c1b-4e6d-8f20-5b9e1c7a4d36";

/// A simulated TorBox with one account, and our client for it.
struct Setting {
    world: World,
    store: Arc<dyn Store>,
    clock: Clock,
    key: Secret,
}

impl Setting {
    async fn new() -> Self {
        Self::with_deadline(Duration::from_secs(10)).await
    }

    async fn with_deadline(deadline: Duration) -> Self {
        let world = World::start().await.unwrap();
        world.torbox().add_account(KEY, Plan::Pro, 0);
        let clock = Clock::fixed(world.clock().now_ms());
        let config = StoresConfig {
            torbox_url: Some(world.torbox_url().parse().unwrap()),
            deadline,
            clock: clock.clone(),
            chance: Chance::seeded(1),
            ..StoresConfig::default()
        };
        let store = stores(&config).remove(0);
        Self { world, store, clock, key: Secret::new(KEY) }
    }

    /// Makes a torrent known to the simulator.
    fn knows(&self, torrent: Torrent) -> InfoHash {
        self.world.torbox().add_torrent(torrent).parse().unwrap()
    }

    async fn add(&self, hash: &InfoHash, mode: AddMode) -> Result<Item, StoreError> {
        self.store.add(&self.key, hash, mode).await
    }

    fn calls(&self, endpoint: &str) -> usize {
        self.world.torbox().calls_to(endpoint)
    }
}

fn film() -> Torrent {
    Torrent::new("A.Film.1968.1080p", [("A.Film.1968.1080p.mkv", 5_000), ("Sample/sample.mkv", 10)])
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind
}

/// What is expected of an item that waits in the queue.
fn is_waiting(item: &Item) -> bool {
    item.id.is_none() && item.status == ItemStatus::Queued && item.files.is_empty()
}
