//! Following the control plane's changes: a revoked viewer's film stops within a second.

use std::time::Duration;

use chill_core::clock::millis;
use chill_core::control::{Act, Subject};
use chill_core::{Chance, Change, Clock, ControlPlane, Epoch, FeedItem};
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
    clock: &Clock,
    chance: &Chance,
    token: &CancellationToken,
) {
    let mut last: Option<Epoch> = None;
    let mut pause = FIRST_PAUSE;
    while !token.is_cancelled() {
        let mut feed = control.watch(last);
        while let Some(Some(item)) = token.run_until_cancelled(feed.next()).await {
            match item {
                Ok(FeedItem::Connected { .. }) => leases.hear(),
                Ok(FeedItem::Alive) => {
                    leases.hear();
                    pause = FIRST_PAUSE;
                }
                Ok(FeedItem::Change(change)) => {
                    apply(leases, playbacks, &change, clock).await;
                    leases.hear();
                    last = Some(change.epoch);
                    pause = FIRST_PAUSE;
                }
                Err(error) => {
                    tracing::warn!(%error, "the feed of changes broke; leases are short until it is back");
                    break;
                }
            }
        }
        leases.deafen();
        let jitter = Duration::from_millis(chance.below(millis(pause).unsigned_abs().max(1)));
        let _ = token.run_until_cancelled(tokio::time::sleep(pause / 2 + jitter / 2)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Drops what the change overtakes, then cuts: in this order no film can start on a dropped lease unseen.
async fn apply(leases: &Leases, playbacks: &Playbacks, change: &Change, clock: &Clock) {
    let lag = age(change, clock);
    let heard = Instant::now();
    leases.changed(change).await;
    if let Some(lag) = lag {
        metrics::histogram!("chillproxy_feed_lag_seconds").record(lag.as_secs_f64());
    }
    if change.act == Act::Revoke {
        let cut = playbacks.cut(change);
        let since = lag.unwrap_or_default() + heard.elapsed();
        metrics::histogram!("chillproxy_revocation_seconds").record(since.as_secs_f64());
        tracing::info!(epoch = change.epoch, cut, "a right was revoked");
    }
    if change.subject == Subject::Everything {
        playbacks.doubt();
    }
}

/// How long ago a change was made, by this node's clock; nothing when its maker's clock is ahead.
fn age(change: &Change, clock: &Clock) -> Option<Duration> {
    let ago = clock.now().saturating_sub(change.at?);
    Some(Duration::from_millis(u64::try_from(ago).unwrap_or(0)))
}
