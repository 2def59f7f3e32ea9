//! Starting a playback: twenty requests of one tap become one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chill_core::PlaybackId;
use sha2::{Digest, Sha256};

use super::route::Click;
use super::seat::{Taken, take};
use super::user_data::UserData;
use crate::access::{Grant, Ways};
use crate::edge::Edge;
use crate::playbacks::{Opening, Playback, PlaybackKey};
use crate::refusal::{Code, Refusal};
use crate::relay::Meter;
use crate::viewer::Viewer;

/// Starts that run or ran just now.
const CAPACITY: u64 = 10_000;
/// A start is only remembered so that requests at the same moment share it.
const LIFE: Duration = Duration::from_secs(60);
/// A start that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(45);

type Started = Result<Arc<Playback>, Refusal>;

/// The starts that run now. The number beside an outcome tells who waited for it: whoever took a lower one.
pub(crate) struct Starts {
    outcomes: moka::future::Cache<PlaybackKey, (u64, Started)>,
    turns: AtomicU64,
}

impl Starts {
    pub(crate) fn new() -> Self {
        let outcomes = moka::future::Cache::builder().max_capacity(CAPACITY).time_to_live(LIFE).build();
        Self { outcomes, turns: AtomicU64::new(0) }
    }

    /// The playback of a click: the one that runs, or a new one. Concurrent requests share one start and its failure.
    pub(crate) async fn get(&self, edge: &Arc<Edge>, viewer: &Viewer, data: &UserData, click: Click) -> Started {
        let key = PlaybackKey { holder: holder(data), device: viewer.device.clone(), click };
        if let Some(playback) = edge.playbacks.get(&key) {
            return Ok(playback);
        }
        let turn = self.turn();
        let begin = Box::pin(async {
            let started = begin(edge, viewer, data, key.clone()).await;
            (self.turn(), started)
        });
        let serves = |(made, started): &(u64, Started)| match started {
            Err(_) => *made > turn,
            Ok(playback) => edge.playbacks.get(&key).is_some_and(|running| Arc::ptr_eq(&running, playback)),
        };
        let entry = self.outcomes.entry_by_ref(&key).or_insert_with_if(begin, |outcome| !serves(outcome)).await;
        entry.into_value().1
    }

    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::SeqCst)
    }
}

/// SHA-256 of the rights a link gives: two links are never one playback.
pub(crate) fn holder(data: &UserData) -> [u8; 32] {
    let mut hash = Sha256::new();
    for entry in &data.stores {
        hash.update(entry.store.as_str());
        let auth = entry.auth.map(|link| link.to_string()).unwrap_or_default();
        let token = entry.token.as_ref().map(chill_core::Secret::expose).unwrap_or_default();
        for part in [auth.as_bytes(), token.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

/// Gets the file ready at the store of the click, else at another store of the link that is known to have it.
async fn find(
    edge: &Edge,
    viewer: &Viewer,
    data: &UserData,
    click: &Click,
    id: PlaybackId,
) -> Result<(Ways, Taken), Refusal> {
    let mut ways = Ways::new(edge, viewer, &data.stores, click.store)?;
    let refusal = match take(edge, &mut ways, click, id, true).await {
        Ok(taken) => return Ok((ways, taken)),
        Err(refusal) => refusal,
    };
    let mut others = Vec::new();
    for store in data.stores.iter().map(|entry| entry.store) {
        if helps_elsewhere(refusal.code) && store != click.store && !others.contains(&store) {
            others.push(store);
        }
    }
    for store in others {
        if edge.caches.has(store, &click.hash).await
            && let Ok(mut ways) = Ways::new(edge, viewer, &data.stores, store)
            && let Ok(taken) = take(edge, &mut ways, click, id, true).await
        {
            return Ok((ways, taken));
        }
    }
    Err(refusal)
}

/// Whether the fault lies with the right or the store, so that another store may do.
fn helps_elsewhere(code: Code) -> bool {
    !matches!(code, Code::Downloading | Code::NoMatchingFile | Code::StreamLimit)
}

async fn begin(edge: &Arc<Edge>, viewer: &Viewer, data: &UserData, key: PlaybackKey) -> Started {
    if let Some(playback) = edge.playbacks.get(&key) {
        return Ok(playback);
    }
    let late = || Refusal::new(Code::StoreUnavailable, "getting the file ready took too long");
    let id = PlaybackId::new(edge.clock.now(), &edge.chance)
        .map_err(|error| Refusal::new(Code::StoreUnavailable, error.to_string()))?;
    let found = tokio::time::timeout(PATIENCE, find(edge, viewer, data, &key.click, id)).await;
    let (ways, taken) = found.map_err(|_| late())??;
    let redirect = !taken.seat.grant.is_proxied(edge.config.delivery);
    let (grant, store) = (taken.seat.grant.clone(), taken.seat.store);
    let playback = Arc::new(Playback::new(Opening {
        id,
        key,
        file_name: taken.file_name,
        cached: taken.cached,
        meter: Arc::new(Meter::new(edge.clock.clone())),
        ways,
        seat: taken.seat,
    }));
    edge.playbacks.add(&playback);
    // A change may have overtaken the lease before the playback could be found and cut.
    if let Grant::Pool { asker, held } = &grant
        && !edge.leases.stands(asker, held)
    {
        edge.playbacks.end(&playback);
    }
    tracing::info!(playback = %playback.id, store = %store, redirect, "a playback starts");
    Ok(playback)
}
