//! TorBox (`https://api.torbox.app`): the store this project was made for.
//!
//! For: its API behind `chill_core::Store`, with at most three calls for a play from the cache (create, list, link).
//! Refuses: to hand out its permalinks, which carry the key; to touch more than one item of an account at a time.
//!
//! Start at [`TorBox`]; `api` holds the endpoints, `envelope` the answers, `wire` their shapes, `add` the many ends of a
//! create. Vendor documents: `https://api-docs.torbox.app`, its OpenAPI file and support articles.

mod add;
mod api;
mod envelope;
mod link;
mod plan;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chill_core::store::{Account, AddMode, CachedTorrent, Item, ItemId};
use chill_core::{InfoHash, Secret, Store, StoreCode, StoreError, StoreErrorKind};
use futures_util::{StreamExt, TryStreamExt, stream};
use moka::future::Cache;
use url::Url;

use crate::client::{Client, KeyDigest, LimitRates, LinkCache, LinkOf, Rate, Transport};
use crate::registry::StoresConfig;
use api::{Api, CREATES_PER_HOUR, Failure};

/// Hashes per cache check: an answer with the files of so many packs stays within the body cap.
const CHECKED_AT_ONCE: usize = 200;
/// Cache checks running at once for one list.
const CHECKS_AT_ONCE: usize = 4;
/// A CDN link must be used within an hour of its making.
const LINK_LIFETIME: Duration = Duration::from_secs(50 * 60);
/// Torrents known to wait in a queue, and for how long that is remembered.
const WAITING: u64 = 10_000;
const WAITING_FOR: Duration = Duration::from_secs(3600);

/// The store. One instance serves every key.
pub(crate) struct TorBox {
    api: Api,
    links: LinkCache,
    /// Torrents last seen in a queue, which have no id yet.
    waiting: Cache<(KeyDigest, InfoHash), ()>,
    /// Adds in flight: several viewers who want the same at once make one create.
    adding: Cache<(KeyDigest, InfoHash, bool), Item>,
}

impl TorBox {
    pub(crate) fn new(transport: Transport, config: &StoresConfig) -> Self {
        #[expect(clippy::expect_used, reason = "a constant, read by every test")]
        let url = config
            .torbox_url
            .clone()
            .unwrap_or_else(|| Url::parse("https://api.torbox.app").expect("the vendor's address is a URL"));
        // The vendor counts 300 calls a minute and 60 creates an hour, per key.
        let rates = LimitRates {
            all: Rate::within(300, Duration::from_secs(60)),
            creates: Rate::within(CREATES_PER_HOUR, Duration::from_secs(3600)),
        };
        let client = Client::new(transport, &rates, config.deadline, config.clock.clone(), config.chance.clone());
        Self {
            api: Api::new(client, url),
            links: LinkCache::new(LINK_LIFETIME, config.clock.clone()),
            waiting: Cache::builder().max_capacity(WAITING).time_to_live(WAITING_FOR).build(),
            adding: Cache::builder().max_capacity(WAITING).time_to_live(config.deadline * 3).build(),
        }
    }
}

#[async_trait]
impl Store for TorBox {
    fn code(&self) -> StoreCode {
        StoreCode::TorBox
    }

    async fn account(&self, key: &Secret) -> Result<Account, StoreError> {
        Ok(self.api.account(key).await?)
    }

    async fn cached(&self, key: &Secret, hashes: &[InfoHash]) -> Result<Vec<CachedTorrent>, StoreError> {
        let hashes: Vec<InfoHash> = hashes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let chunks: Vec<Vec<InfoHash>> = hashes.chunks(CHECKED_AT_ONCE).map(<[_]>::to_vec).collect();
        let checks = stream::iter(chunks).map(|chunk| async move { self.api.cached(key, &chunk).await });
        let found: Vec<Vec<CachedTorrent>> = checks.buffered(CHECKS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn add(&self, key: &Secret, hash: &InfoHash, mode: AddMode) -> Result<Item, StoreError> {
        let of = (KeyDigest::of(key), *hash, mode == AddMode::CachedOnly);
        let item = self.adding.try_get_with(of, self.add_now(key, hash, mode)).await;
        // Shared by those who waited for it, and not kept: its state changes.
        self.adding.invalidate(&of).await;
        item.map_err(Arc::unwrap_or_clone)
    }

    async fn item(&self, key: &Secret, id: &ItemId) -> Result<Item, StoreError> {
        let torrent = self.api.item(key, number(id)?).await?.ok_or_else(gone)?;
        let hash = torrent.hash().ok_or_else(|| {
            Failure::sure(StoreErrorKind::Unavailable, "the item it gave has no hash that can be read")
        })?;
        Ok(Item { id: Some(id.clone()), ..torrent.into_item(hash) })
    }

    async fn link(
        &self,
        key: &Secret,
        item: &ItemId,
        file: u64,
        viewer: Option<IpAddr>,
        fresh: bool,
    ) -> Result<Secret, StoreError> {
        let torrent = number(item)?;
        let of = LinkOf { key: KeyDigest::of(key), item: torrent, file };
        let ask = async { Ok(self.api.link(key, torrent, file, viewer).await?) };
        self.links.get(of, fresh, ask).await
    }

    async fn remove(&self, key: &Secret, id: &ItemId) -> Result<(), StoreError> {
        // What is not there any more is removed as well as can be.
        self.api.delete(key, number(id)?).await?;
        Ok(())
    }
}

/// TorBox's ids are numbers; another text is an id of another store.
fn number(id: &ItemId) -> Result<u64, StoreError> {
    id.0.parse().map_err(|_| gone().error)
}

fn gone() -> Failure {
    Failure::sure(StoreErrorKind::NotFound, "the account does not have this torrent")
}
