//! A playback's file as the relay sees it: a link, and a fresh one when that fails, with another key where it helps.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chill_core::{Secret, StoreError, StoreErrorKind};

use super::seat::{purpose, take, take_with};
use crate::access::{Grant, Ways};
use crate::edge::Edge;
use crate::lease::{Asker, Held};
use crate::playbacks::{Lack, Playback, Seat};
use crate::refusal::{Code, Refusal};
use crate::relay::{Link, Origin, OriginError, OriginErrorKind};

/// How often a link is asked for, with whatever right, before it is given up.
const MOST_TRIES: usize = 4;
/// Fewer bytes than this since the last fresh link are no progress: it did not help.
const PROGRESS: u64 = 64 * 1024;

/// The file of a playback, for one request.
pub(crate) struct StoreOrigin {
    edge: Arc<Edge>,
    playback: Arc<Playback>,
    /// The last fresh link: with which right, and how many bytes had moved by then.
    renewed: Mutex<Option<(Grant, u64)>>,
}

#[async_trait]
impl Origin for StoreOrigin {
    async fn link(&self, fresh: bool) -> Result<Link, OriginError> {
        if fresh && self.is_fruitless() && self.leave(Ways::fruitless).await {
            tracing::info!(playback = %self.playback.id, "its links bring nothing; it goes on with another key");
        }
        let link = self.link_for(None, fresh).await?;
        link.ok_or_else(|| OriginError::new(OriginErrorKind::LinkBroken, "no link"))
    }

    fn falls_back(&self) -> bool {
        true
    }
}

impl StoreOrigin {
    pub(crate) fn new(edge: &Arc<Edge>, playback: &Arc<Playback>) -> Self {
        Self { edge: edge.clone(), playback: playback.clone(), renewed: Mutex::default() }
    }

    /// A link for the viewer himself, at that address; none where the right at hand is to be relayed.
    pub(crate) async fn link_to_hand_out(&self, viewer: IpAddr) -> Result<Option<Secret>, OriginError> {
        Ok(self.link_for(Some(viewer), false).await?.map(|link| link.url))
    }

    /// A link of the right at hand, or of another one when that fails. `viewer`: who fetches the bytes, when it is not us; he
    /// gets none of a right that is to be relayed, and none is asked for.
    async fn link_for(&self, viewer: Option<IpAddr>, fresh: bool) -> Result<Option<Link>, OriginError> {
        let (mut fresh, mut failure) = (fresh, None);
        for _ in 0..MOST_TRIES {
            let (seat, replaced) = self.playback.sitting();
            if viewer.is_some() && seat.grant.is_proxied(self.edge.config.delivery) {
                return Ok(None);
            }
            let Some(store) = self.edge.stores.get(&seat.store) else {
                return Err(OriginError::new(
                    OriginErrorKind::Refused { code: "service_unknown" },
                    "no such store here",
                ));
            };
            let asked = store.link(seat.grant.key(), &seat.item, seat.file, viewer, fresh);
            let answered = tokio::select! {
                biased;
                // A link that is handed out is good for hours.
                () = self.playback.cut.cancelled() => return Err(OriginError::cut()),
                answered = asked => answered,
            };
            match answered {
                Ok(url) => {
                    if fresh {
                        *self.renewed() = Some((seat.grant, self.playback.meter.bytes()));
                    }
                    return Ok(Some(Link { url, replaced }));
                }
                Err(error) => {
                    self.move_on(&seat, &error, failure.is_some()).await?;
                    failure = Some(error);
                    fresh = true;
                }
            }
        }
        Err(failure.map_or_else(|| OriginError::new(OriginErrorKind::LinkBroken, "no link"), OriginError::from))
    }

    fn renewed(&self) -> MutexGuard<'_, Option<(Grant, u64)>> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the right in use was given a fresh link already and nothing came of it.
    fn is_fruitless(&self) -> bool {
        let moved = self.playback.meter.bytes();
        let now = self.playback.seat().grant;
        self.renewed().as_ref().is_some_and(|(grant, then)| grant.is(&now) && moved.saturating_sub(*then) < PROGRESS)
    }

    /// Goes on with another key where the one at hand has no place for it, as after a pause; else with the one at hand. True
    /// when it changed.
    pub(crate) async fn find_room(&self) -> bool {
        let grant = self.playback.seat().grant;
        let lacks = self.edge.playbacks.has_room(&grant, self.playback.id).await;
        lacks == Err(Lack::Key) && self.leave(|ways, grant| ways.full(grant, Lack::Key)).await
    }

    /// Goes on with another right, when there is one that has the film; else with the one at hand. True when it changed.
    async fn leave(&self, note: impl FnOnce(&mut Ways, &Grant) + Send) -> bool {
        let seat = self.playback.seat();
        let mut ways = self.playback.ways.lock().await;
        if !self.playback.seat().grant.is(&seat.grant) {
            return true;
        }
        if ways.were_tried_lately() {
            return false;
        }
        // Where nothing comes of it, it stays where it is and may look again later.
        let mut tried = ways.clone();
        note(&mut tried, &seat.grant);
        let taken = take(&self.edge, &mut tried, &self.playback.key.click, self.playback.id, false).await;
        let sits = match taken {
            Ok(taken) => self.sit(taken.seat).await.is_ok(),
            Err(refusal) => {
                tracing::info!(playback = %self.playback.id, why = refusal.why, "no other key to go on with");
                false
            }
        };
        match sits {
            true => *ways = tried,
            false => ways.lead_nowhere(),
        }
        sits
    }

    /// Gets another seat after a failure, unless another request of this playback did so already.
    async fn move_on(&self, failed: &Seat, error: &StoreError, again: bool) -> Result<(), OriginError> {
        let mut ways = self.playback.ways.lock().await;
        let now = self.playback.seat();
        if !now.grant.is(&failed.grant) || now.item != failed.item {
            return Ok(());
        }
        if let Some((asker, newer)) = self.rotated(failed, error).await {
            self.playback.renew(&asker, newer);
            return Ok(());
        }
        let click = &self.playback.key.click;
        let gone = error.kind == StoreErrorKind::NotFound && !again;
        let taken = match self.edge.stores.get(&failed.store).filter(|_| gone) {
            // Somebody took the torrent out of the account: it is put back, once.
            Some(store) => {
                self.edge.items.forget(failed.store, failed.grant.key(), &click.hash);
                take_with(&self.edge, store, failed.grant.clone(), click).await?.map_err(|r| refused(&r))?
            }
            None => {
                let told = ways.failed(&self.edge, &failed.grant, purpose(click), error).await;
                told.map_err(|_| OriginError::from(error.clone()))?;
                take(&self.edge, &mut ways, click, self.playback.id, true).await.map_err(|refusal| refused(&refusal))?
            }
        };
        self.sit(taken.seat).await
    }

    /// A newer lease of the same key, whose old secret the store rejects.
    async fn rotated(&self, failed: &Seat, error: &StoreError) -> Option<(Asker, Arc<Held>)> {
        let (asker, held) = failed.grant.lease().filter(|_| error.kind == StoreErrorKind::Unauthorized)?;
        let now = self.edge.leases.get(&asker, failed.store, purpose(&self.playback.key.click), &[]).await.ok()?;
        let is_newer = now.lease.key_id == held.lease.key_id && now.lease.key.expose() != held.lease.key.expose();
        is_newer.then_some((asker, now))
    }

    async fn sit(&self, seat: Seat) -> Result<(), OriginError> {
        let grant = seat.grant.clone();
        if !self.edge.playbacks.move_to(&self.playback, seat).await {
            let full = Refusal::new(Code::StreamLimit, "another stream took the last place of the key");
            return Err(refused(&full));
        }
        if let Grant::Pool { asker, held } = &grant
            && !self.edge.leases.stands(asker, held)
        {
            self.edge.playbacks.end(&self.playback);
            return Err(OriginError::cut());
        }
        Ok(())
    }
}

fn refused(refusal: &Refusal) -> OriginError {
    OriginError::new(OriginErrorKind::Refused { code: refusal.code.as_str() }, refusal.why.clone())
}
