//! Torrents that are ready in an account. Another viewer's click on the same film needs neither to add it again nor to ask
//! what is in it.

use std::sync::Arc;
use std::time::Duration;

use chill_core::store::{Item, ItemStatus};
use chill_core::{InfoHash, Secret, StoreCode};
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

/// How long an account is believed to have a torrent. Where it has not, the link tells, and the torrent is added again.
const LIFE: Duration = Duration::from_secs(600);
/// Remembered files in all.
const CAPACITY: u64 = 200_000;

/// SHA-256 of what opens the account: the key itself is kept nowhere.
type Account = [u8; 32];

/// The torrents of all accounts that were asked for lately.
pub(crate) struct Items(Cache<(StoreCode, Account, InfoHash), Arc<Item>>);

impl Items {
    pub(crate) fn new() -> Self {
        let weigh = |_: &(StoreCode, Account, InfoHash), item: &Arc<Item>| {
            1 + u32::try_from(item.files.len()).unwrap_or(u32::MAX - 1)
        };
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_live(LIFE).build())
    }

    /// A torrent that is ready in the account of this key, with its files.
    pub(crate) fn get(&self, store: StoreCode, key: &Secret, hash: &InfoHash) -> Option<Arc<Item>> {
        self.0.get(&(store, account(key), *hash))
    }

    /// Takes note of a torrent, if it is ready and its files are known.
    pub(crate) fn keep(&self, store: StoreCode, key: &Secret, hash: InfoHash, item: &Arc<Item>) {
        if item.status == ItemStatus::Downloaded && !item.files.is_empty() {
            self.0.insert((store, account(key), hash), item.clone());
        }
    }

    /// It is not there any more.
    pub(crate) fn forget(&self, store: StoreCode, key: &Secret, hash: &InfoHash) {
        self.0.invalidate(&(store, account(key), *hash));
    }
}

fn account(key: &Secret) -> Account {
    Sha256::digest(key.expose()).into()
}
