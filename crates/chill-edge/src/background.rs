//! What an edge does while nobody asks: hear of changes, confirm rights, write down bytes, deliver usage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chill_core::usage::Outcome;
use chill_core::{Action, ControlError, DenialCode};
use futures_util::StreamExt;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::edge::Edge;
use crate::lease::{Purpose, watch};
use crate::playbacks::{Carried, Playback, Rule};
use crate::usage::Deed;

/// How often playbacks are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Bytes of a running playback are written down this often; of an ended one at once.
const REPORT: Duration = Duration::from_secs(30);
/// While changes cannot be heard, a running playback's right is asked for this often.
const CONFIRM: Duration = Duration::from_secs(5);
/// The least time an answer is given, when the grace is over already.
const SHORTEST_ASK: Duration = Duration::from_secs(1);
/// How many rights are confirmed at once.
const CONFIRM_TOGETHER: usize = 16;
/// How long the last delivery may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Runs until `token` is cancelled, then says goodbye.
pub(crate) async fn run(edge: &Arc<Edge>, token: &CancellationToken) {
    let follow = watch::follow(&*edge.control, &edge.leases, &edge.playbacks, &edge.clock, &edge.chance, token);
    tokio::join!(follow, edge.usage.deliver(token), tend(edge, token), edge.playbacks.keep_places(token));
    report(edge, Duration::ZERO).await;
    if tokio::time::timeout(FAREWELL, edge.usage.deliver_rest()).await.is_err() {
        tracing::warn!("usage was left in the spool; it will be delivered after the next start");
    }
}

async fn tend(edge: &Edge, token: &CancellationToken) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let _ = token.run_until_cancelled(confirm(edge)).await;
        edge.playbacks.retire_idle();
        report(edge, if edge.is_draining() { Duration::ZERO } else { REPORT }).await;
        edge.playbacks.forget_left();
    }
}

/// Asks again for the rights that a missed change may have ended. While the control plane is away a film goes on until
/// the grace of its lease ends.
async fn confirm(edge: &Edge) {
    let deaf_since = edge.leases.deaf_since();
    let away = AtomicBool::new(false);
    let due = edge.playbacks.running().into_iter().filter_map(|playback| {
        let since = playback.unconfirmed_since(deaf_since)?;
        Some((playback, since))
    });
    futures_util::stream::iter(due)
        .for_each_concurrent(CONFIRM_TOGETHER, |(playback, since)| confirm_one(edge, playback, since, &away))
        .await;
}

async fn confirm_one(edge: &Edge, playback: Arc<Playback>, since: Instant, away: &AtomicBool) {
    let Some(Rule { asker, held, by_key }) = playback.rule() else { return };
    let mut unavailable = away.load(Ordering::Relaxed);
    if !unavailable && (since.elapsed() >= CONFIRM || playback.is_doubted()) {
        let purpose = Purpose { action: Action::STREAM_SERVED, hash: Some(playback.key.click.hash) };
        // An answer that comes after the grace is none, and must not let the film run on while it is waited for.
        let left = held.lease.grace.saturating_sub(since.elapsed()).max(SHORTEST_ASK);
        let asked = tokio::time::timeout(left, edge.leases.get(&asker, playback.seat().store, purpose, &[])).await;
        match asked.unwrap_or_else(|_| Err(ControlError::unavailable("no answer within the grace of the lease"))) {
            Ok(now) if !by_key || now.lease.key_id == held.lease.key_id => return playback.renew(&asker, now),
            // Every key rests, but the viewer himself is welcome.
            Err(ControlError::Exhausted { .. }) => return playback.confirm(),
            Ok(_) => return end(edge, &playback, "its key was replaced while changes could not be heard"),
            // No key is free, but none carries it any more.
            Err(ControlError::Denied(denial)) if !by_key && is_about_keys(denial.code) => return playback.confirm(),
            Err(ControlError::Denied(denial)) => return end(edge, &playback, denial.code.as_str()),
            Err(ControlError::Unavailable { .. }) => {
                away.store(true, Ordering::Relaxed);
                unavailable = true;
            }
        }
    }
    if unavailable && since.elapsed() >= held.lease.grace {
        end(edge, &playback, "the control plane was away for longer than the grace of the lease");
    }
}

/// Whether a denial says nothing against the viewer himself.
fn is_about_keys(code: DenialCode) -> bool {
    matches!(code, DenialCode::NoKey | DenialCode::KeysExhausted | DenialCode::ServiceUnknown)
}

fn end(edge: &Edge, playback: &Arc<Playback>, why: &str) {
    tracing::info!(playback = %playback.id, why, "a playback was cut");
    edge.playbacks.end(playback);
}

/// Writes down the bytes served since the last time, where that is longer ago than `age`, each under the key that it came by.
/// Nobody else does, so nothing is written twice.
async fn report(edge: &Edge, age: Duration) {
    for playback in edge.playbacks.all() {
        for carried in playback.owes(age) {
            if let Err(error) = edge.usage.keep(&served(&playback, &carried)).await {
                tracing::warn!(%error, "served bytes could not be written down; they are tried again");
                return;
            }
            playback.written(&carried);
        }
    }
}

fn served<'a>(playback: &Playback, carried: &'a Carried) -> Deed<'a> {
    Deed {
        asker: &carried.asker,
        held: &carried.held,
        action: Action::STREAM_SERVED,
        hash: Some(playback.key.click.hash),
        cached: None,
        bytes: carried.bytes,
        outcome: Outcome::Ok,
    }
}
