//! What every vendor's client stands on: one HTTP client, deadlines, retries, rate limits, redaction.
//!
//! Refuses to know any vendor, to follow redirects (a redirect could carry a key to a stranger), and to put a URL, a key
//! or an unbounded text into an error. Start reading at [`Client::call`].

mod date;
mod limit;
mod link_cache;
mod redact;
mod retry;
mod transport;

use std::time::Duration;

use chill_core::{Chance, Clock, Secret, StoreError};
use tokio::time::Instant;

pub(crate) use date::{rate_reset, retry_after, rfc3339, until};
pub(crate) use limit::{KeyDigest, LimitRates, Limits, Rate};
pub(crate) use link_cache::{LinkCache, LinkOf};
pub(crate) use redact::printable;
pub(crate) use transport::{Answer, Call, Fault, Transport};

/// Answers of lists may be this long.
pub(crate) const LIST_CAP: usize = 4 << 20;
/// All other answers may be this long.
pub(crate) const ANSWER_CAP: usize = 64 << 10;

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Not sent: the key's budget is used up for this long.
    #[error("too many calls with this key; the next one is possible in {} s", .0.as_secs().max(1))]
    OverBudget(Duration),
    /// Sent or not, nothing usable came back.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// One vendor's HTTP client: the shared transport, and this vendor's budgets per key.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Transport,
    limits: Limits,
    deadline: Duration,
    clock: Clock,
    chance: Chance,
}

impl Client {
    pub(crate) fn new(
        transport: Transport,
        rates: &LimitRates,
        deadline: Duration,
        clock: Clock,
        chance: Chance,
    ) -> Self {
        Self { transport, limits: Limits::new(rates), deadline, clock, chance }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Makes a call within the key's budget and the deadline, again when that is harmless and may help.
    ///
    /// # Errors
    /// [`NoAnswer`]; an answer of any status is a success here.
    pub(crate) async fn call(&self, key: &Secret, call: &Call<'_>) -> Result<Answer, NoAnswer> {
        let digest = KeyDigest::of(key);
        let started = Instant::now();
        let end = started + call.deadline.unwrap_or(self.deadline);
        let mut tried = 0;
        loop {
            self.limits.admit(&digest, end).await.map_err(NoAnswer::OverBudget)?;
            let patience = retry::patience(call.repeatable, end);
            let outcome = self.transport.send(call, patience).await;
            tried += 1;
            log(call, &outcome, started);
            let pause = retry::pause(call.repeatable, tried, &outcome, &self.chance);
            match pause {
                Some(pause) if Instant::now() + pause < end => tokio::time::sleep(pause).await,
                _ => return outcome.map_err(NoAnswer::Fault),
            }
        }
    }
}

/// Counts an error on its way out of a vendor's client.
pub(crate) fn counted(error: StoreError) -> StoreError {
    let (store, kind) = (error.store.as_str(), error.kind.word());
    metrics::counter!("chillproxy_store_errors_total", "store" => store, "kind" => kind).increment(1);
    error
}

/// The endpoint's name is a constant of ours; nothing of the URL or the body is logged.
fn log(call: &Call<'_>, outcome: &Result<Answer, Fault>, started: Instant) {
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(answer) => {
            tracing::debug!(endpoint = call.endpoint, status = answer.status.as_u16(), elapsed_ms, "store answered");
        }
        Err(fault) => tracing::debug!(endpoint = call.endpoint, %fault, elapsed_ms, "store did not answer"),
    }
}
