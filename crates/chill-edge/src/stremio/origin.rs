//! A playback's file as the relay sees it: a link, and a fresh one when that fails, with another key where it helps.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use chill_core::{Secret, StoreError, StoreErrorKind};

use super::seat::{purpose, take, take_with};
use crate::access::Grant;
use crate::edge::Edge;
use crate::playbacks::{Playback, Seat};
use crate::refusal::Refusal;
use crate::relay::{Origin, OriginError, OriginErrorKind};

/// How often a link is asked for, with whatever right, before it is given up.
const MOST_TRIES: usize = 4;

/// The file of a playback.
pub(crate) struct StoreOrigin {
    pub(crate) edge: Arc<Edge>,
    pub(crate) playback: Arc<Playback>,
    /// Who fetches the bytes when it is not us.
    pub(crate) viewer: Option<IpAddr>,
}

#[async_trait]
impl Origin for StoreOrigin {
    async fn link(&self, fresh: bool) -> Result<Secret, OriginError> {
        let mut fresh = fresh;
        let mut failure = None;
        for _ in 0..MOST_TRIES {
            let seat = self.playback.seat();
            let Some(store) = self.edge.stores.get(&seat.store) else {
                return Err(OriginError::new(
                    OriginErrorKind::Refused { code: "service_unknown" },
                    "no such store here",
                ));
            };
            match store.link(seat.grant.key(), &seat.item, seat.file, self.viewer, fresh).await {
                Ok(link) => return Ok(link),
                Err(error) => {
                    self.move_on(&seat, &error, failure.is_some()).await?;
                    failure = Some(error);
                    fresh = true;
                }
            }
        }
        Err(failure.map_or_else(|| OriginError::new(OriginErrorKind::LinkBroken, "no link"), OriginError::from))
    }
}

impl StoreOrigin {
    /// Gets another seat after a failure, unless another request of this playback did so already.
    async fn move_on(&self, failed: &Seat, error: &StoreError, again: bool) -> Result<(), OriginError> {
        let mut ways = self.playback.ways.lock().await;
        let now = self.playback.seat();
        if !now.grant.is(&failed.grant) || now.item != failed.item {
            return Ok(());
        }
        let click = &self.playback.key.click;
        let gone = error.kind == StoreErrorKind::NotFound && !again;
        let taken = match self.edge.stores.get(&failed.store).filter(|_| gone) {
            // Somebody took the torrent out of the account: it is put back, once.
            Some(store) => take_with(&self.edge, store, failed.grant.clone(), click).await?.map_err(|r| refused(&r))?,
            None => {
                let told = ways.failed(&self.edge, &failed.grant, purpose(click), error).await;
                told.map_err(|_| OriginError::from(error.clone()))?;
                take(&self.edge, &mut ways, click).await.map_err(|refusal| refused(&refusal))?
            }
        };
        self.playback.sit(taken.seat.clone());
        if let Grant::Pool { asker, held } = &taken.seat.grant
            && !self.edge.leases.stands(asker, held)
        {
            self.edge.playbacks.end(&self.playback);
        }
        Ok(())
    }
}

fn refused(refusal: &Refusal) -> OriginError {
    OriginError::new(OriginErrorKind::Refused { code: refusal.code.as_str() }, refusal.why.clone())
}
