//! What each store is known to have: asked for in one batch, remembered for some minutes.

use std::sync::Arc;
use std::time::Duration;

use chill_core::store::StoreFile;
use chill_core::{ContentId, InfoHash, Store, StoreCode, StoreError, StoreErrorKind};
use chill_release::is_video;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::access::Grant;

/// What a store has, it keeps for a while.
const HAS: Duration = Duration::from_secs(600);
/// What it has not, it may have soon.
const HAS_NOT: Duration = Duration::from_secs(120);
/// Remembered files in all.
const CAPACITY: u64 = 400_000;
/// Video files remembered of one torrent.
const MOST_FILES: usize = 2_000;
/// Questions to stores that wait for each other.
const GATES: u64 = 4_096;

/// One torrent at one store.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) cached: bool,
    /// Its video files, when the store lists them.
    pub(crate) files: Vec<StoreFile>,
    /// Until when this is believed.
    pub(crate) until: Instant,
}

/// What was found out about torrents at one store.
pub(crate) struct Checked {
    /// In the order of the question; none where nothing is known.
    pub(crate) known: Vec<Option<Arc<Known>>>,
    /// Why something is not known.
    pub(crate) error: Option<StoreError>,
}

/// What all stores are known to have. Shared by all viewers: whether a store has a torrent is no secret of an account.
pub(crate) struct StoreCaches {
    known: moka::future::Cache<(StoreCode, InfoHash), Arc<Known>>,
    gates: moka::future::Cache<(StoreCode, ContentId), Arc<Mutex<()>>>,
}

impl StoreCaches {
    pub(crate) fn new() -> Self {
        let weigh = |_: &(StoreCode, InfoHash), known: &Arc<Known>| 1 + u32::try_from(known.files.len()).unwrap_or(0);
        Self {
            known: moka::future::Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_live(HAS).build(),
            gates: moka::future::Cache::builder().max_capacity(GATES).time_to_idle(HAS).build(),
        }
    }

    /// Finds out which of `hashes` a store has; one call at most, and none when everything is known.
    pub(crate) async fn check(
        &self,
        store: &Arc<dyn Store>,
        grant: &Grant,
        content: &ContentId,
        hashes: &[InfoHash],
        budget: Duration,
    ) -> Checked {
        let known = self.look_up(store.code(), hashes).await;
        if known.iter().all(Option::is_some) {
            return Checked { known, error: None };
        }
        let gate = self.gates.get_with((store.code(), content.clone()), async { Arc::default() }).await;
        let asked = tokio::time::timeout(budget, async {
            let _one_at_a_time = gate.lock().await;
            self.ask(store, grant, hashes).await
        });
        let error = match asked.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(StoreError {
                store: store.code(),
                kind: StoreErrorKind::Timeout,
                message: "it did not say in time what it has".to_owned(),
            }),
        };
        Checked { known: self.look_up(store.code(), hashes).await, error }
    }

    /// Whether a store is known to have a torrent.
    pub(crate) async fn has(&self, store: StoreCode, hash: &InfoHash) -> bool {
        self.fresh(store, hash).await.is_some_and(|known| known.cached)
    }

    /// Takes note that a store has a torrent with these files.
    pub(crate) async fn learn(&self, store: StoreCode, hash: InfoHash, files: &[StoreFile]) {
        let videos = files.iter().filter(|file| is_video(&file.path)).take(MOST_FILES).cloned();
        let known = Known { cached: true, files: videos.collect(), until: Instant::now() + HAS };
        self.known.insert((store, hash), Arc::new(known)).await;
    }

    async fn ask(&self, store: &Arc<dyn Store>, grant: &Grant, hashes: &[InfoHash]) -> Result<(), StoreError> {
        let code = store.code();
        let known = self.look_up(code, hashes).await;
        let unknown: Vec<InfoHash> =
            hashes.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(hash, _)| *hash).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let has = store.cached(grant.key(), &unknown).await?;
        for torrent in &has {
            self.learn(code, torrent.hash, &torrent.files).await;
        }
        for hash in unknown.iter().filter(|hash| !has.iter().any(|torrent| torrent.hash == **hash)) {
            let known = Known { cached: false, files: Vec::new(), until: Instant::now() + HAS_NOT };
            self.known.insert((code, *hash), Arc::new(known)).await;
        }
        Ok(())
    }

    async fn look_up(&self, store: StoreCode, hashes: &[InfoHash]) -> Vec<Option<Arc<Known>>> {
        let mut found = Vec::with_capacity(hashes.len());
        for hash in hashes {
            found.push(self.fresh(store, hash).await);
        }
        found
    }

    async fn fresh(&self, store: StoreCode, hash: &InfoHash) -> Option<Arc<Known>> {
        self.known.get(&(store, *hash)).await.filter(|known| known.until > Instant::now())
    }
}
