//! Following the control plane's changes: a revoked viewer's film stops within a second.

use std::time::Duration;

use chill_core::clock::millis;
use chill_core::control::{Act, Subject};
use chill_core::{Chance, Change, ControlPlane, Epoch};
use futures_util::StreamExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Leases;
use crate::playbacks::Playbacks;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Follows changes until `token` is cancelled, and comes back to the feed whenever it ends.
pub(crate) async fn follow(
    control: &dyn ControlPlane,
    leases: &Leases,
    playbacks: &Playbacks,
    chance: &Chance,
    token: &CancellationToken,
) {
    let mut last: Option<Epoch> = None;
    let mut pause = FIRST_PAUSE;
    while !token.is_cancelled() {
        // One change is heard twice: a feed only proves that it is connected by its first item.
        let since = last.filter(|epoch| *epoch > 0).map(|epoch| epoch - 1);
        let mut feed = control.watch(since);
        while let Some(Some(item)) = token.run_until_cancelled(feed.next()).await {
            match item {
                Ok(change) => {
                    apply(leases, playbacks, &change).await;
                    leases.hear(true);
                    last = Some(change.epoch);
                    pause = FIRST_PAUSE;
                }
                Err(error) => {
                    tracing::warn!(%error, "the feed of changes broke; leases are short until it is back");
                    break;
                }
            }
        }
        leases.hear(false);
        let jitter = Duration::from_millis(chance.below(millis(pause).unsigned_abs().max(1)));
        let _ = token.run_until_cancelled(tokio::time::sleep(pause / 2 + jitter / 2)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Drops what the change overtakes, then cuts: in this order no film can start on a dropped lease unseen.
async fn apply(leases: &Leases, playbacks: &Playbacks, change: &Change) {
    let heard = Instant::now();
    leases.changed(change).await;
    if change.act == Act::Revoke {
        let cut = playbacks.cut(change);
        metrics::histogram!("chillproxy_revocation_seconds").record(heard.elapsed().as_secs_f64());
        tracing::info!(epoch = change.epoch, cut, "a right was revoked");
    }
    if change.subject == Subject::Everything {
        playbacks.doubt();
    }
}
