//! Links to files, kept for as long as the vendor lets a transfer start, and asked for once however many want them.

use std::sync::Arc;
use std::time::Duration;

use chill_core::{Clock, Millis, Secret, StoreError, clock};
use moka::future::Cache;

use super::KeyDigest;

/// Links kept at once.
const KEPT: u64 = 10_000;
/// A link asked for anew serves everybody who asks anew within this time: all range requests of a playback find out
/// about a dead link at once, and vendors freeze accounts that ask in a loop.
const NEW_FOR: Duration = Duration::from_secs(5);

/// Which file of which item, seen with which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LinkOf {
    pub(crate) key: KeyDigest,
    pub(crate) item: u64,
    pub(crate) file: u64,
}

#[derive(Clone)]
struct Kept {
    link: Secret,
    made_at: Millis,
}

/// The links of one vendor.
pub(crate) struct LinkCache {
    kept: Cache<LinkOf, Kept>,
    renewed: Cache<LinkOf, Kept>,
    lifetime: Duration,
    clock: Clock,
}

impl LinkCache {
    /// Keeps links for `lifetime`.
    pub(crate) fn new(lifetime: Duration, clock: Clock) -> Self {
        let kept = Cache::builder().max_capacity(KEPT).time_to_live(lifetime).build();
        let renewed = Cache::builder().max_capacity(KEPT).time_to_live(NEW_FOR).build();
        Self { kept, renewed, lifetime, clock }
    }

    /// The link at hand, else the one that `ask` brings. `fresh` asks even when there is one at hand.
    ///
    /// # Errors
    /// What `ask` says.
    pub(crate) async fn get<F>(&self, of: LinkOf, fresh: bool, ask: F) -> Result<Secret, StoreError>
    where
        F: Future<Output = Result<Secret, StoreError>>,
    {
        let asked = async { ask.await.map(|link| Kept { link, made_at: self.clock.now() }) };
        let kept = if fresh {
            let renewed = self.renewed.try_get_with(of, asked).await;
            if let Ok(kept) = &renewed {
                self.kept.insert(of, kept.clone()).await;
            }
            renewed
        } else {
            if self.kept.get(&of).await.is_some_and(|kept| self.is_over(&kept)) {
                self.kept.invalidate(&of).await;
            }
            self.kept.try_get_with(of, asked).await
        };
        kept.map(|kept| kept.link).map_err(Arc::unwrap_or_clone)
    }

    fn is_over(&self, kept: &Kept) -> bool {
        self.clock.now().saturating_sub(kept.made_at) >= clock::millis(self.lifetime)
    }
}
