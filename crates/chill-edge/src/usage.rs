//! Usage: written down before a viewer's bytes leave, delivered until the control plane has counted it.

use std::sync::Arc;
use std::time::Duration;

use chill_core::clock::millis;
use chill_core::{
    Action, Chance, Clock, ControlError, ControlPlane, DeviceId, EventId, InfoHash, Outcome, Spool, SpoolError,
    UsageEvent,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::lease::{Asker, Held};

/// Events per delivery; the control plane takes up to 1,000.
const BATCH: usize = 500;
/// Events that happen close together are delivered together.
const GATHER: Duration = Duration::from_millis(200);
/// A spool left by another process is looked at this often.
const IDLE: Duration = Duration::from_secs(60);
/// A delivery that takes longer is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One thing done with a leased key.
#[derive(Clone, Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) asker: &'a Asker,
    pub(crate) held: &'a Held,
    pub(crate) action: &'static str,
    pub(crate) hash: Option<InfoHash>,
    pub(crate) cached: Option<bool>,
    pub(crate) bytes: u64,
    pub(crate) outcome: Outcome,
}

/// Writes usage down and delivers it.
pub(crate) struct Usage {
    control: Arc<dyn ControlPlane>,
    spool: Arc<dyn Spool>,
    clock: Clock,
    chance: Chance,
    wake: Notify,
}

impl Usage {
    pub(crate) fn new(control: Arc<dyn ControlPlane>, spool: Arc<dyn Spool>, clock: Clock, chance: Chance) -> Self {
        Self { control, spool, clock, chance, wake: Notify::new() }
    }

    /// Keeps what was done where a crash cannot reach it.
    pub(crate) async fn keep(&self, deed: &Deed<'_>) -> Result<(), SpoolError> {
        let event = self.event(deed)?;
        self.spool.append(&[event]).await?;
        self.wake.notify_one();
        Ok(())
    }

    fn event(&self, deed: &Deed<'_>) -> Result<UsageEvent, SpoolError> {
        let at = self.clock.now();
        let id = EventId::new(at, &self.chance).map_err(|error| SpoolError(error.to_string()))?;
        let device: DeviceId = deed.asker.device.clone();
        Ok(UsageEvent {
            id,
            link: deed.asker.link,
            key: deed.held.lease.key_id.clone(),
            device: Some(device),
            action: Action::known(deed.action),
            hash: deed.hash,
            cached: deed.cached,
            bytes: deed.bytes,
            outcome: deed.outcome,
            at,
        })
    }

    /// Delivers what is in the spool until `token` is cancelled.
    pub(crate) async fn deliver(&self, token: &CancellationToken) {
        let mut pause = FIRST_PAUSE;
        // A delivery that is left in the middle is repeated, and counted once.
        while let Some(delivered) = token.run_until_cancelled(self.deliver_batch()).await {
            match delivered {
                Ok(true) => pause = FIRST_PAUSE,
                Ok(false) => {
                    pause = FIRST_PAUSE;
                    let _ = token.run_until_cancelled(tokio::time::timeout(IDLE, self.wake.notified())).await;
                    let _ = token.run_until_cancelled(tokio::time::sleep(GATHER)).await;
                }
                Err(Undelivered { why, retry_after }) => {
                    tracing::warn!(error = why, "usage could not be delivered; it waits in the spool");
                    let jitter = Duration::from_millis(self.chance.below(millis(pause).unsigned_abs().max(1)));
                    let wait = (pause / 2 + jitter / 2).max(retry_after.unwrap_or_default()).min(LONGEST_PAUSE);
                    let _ = token.run_until_cancelled(tokio::time::sleep(wait)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Delivers what is left, as long as it goes well.
    pub(crate) async fn deliver_rest(&self) {
        while matches!(self.deliver_batch().await, Ok(true)) {}
    }

    /// Delivers one batch; false when there was none.
    async fn deliver_batch(&self) -> Result<bool, Undelivered> {
        let events = self.spool.oldest(BATCH).await?;
        if events.is_empty() {
            return Ok(false);
        }
        let recorded = tokio::time::timeout(PATIENCE, self.control.record(&events)).await;
        recorded.unwrap_or_else(|_| Err(ControlError::unavailable("no answer in time")))?;
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        self.spool.forget(&ids).await?;
        Ok(true)
    }
}

/// Why a batch is still in the spool, and when to try again where that was said.
struct Undelivered {
    why: String,
    retry_after: Option<Duration>,
}

impl From<SpoolError> for Undelivered {
    fn from(error: SpoolError) -> Self {
        Self { why: error.to_string(), retry_after: None }
    }
}

impl From<ControlError> for Undelivered {
    fn from(error: ControlError) -> Self {
        Self { why: error.to_string(), retry_after: error.retry_after() }
    }
}
