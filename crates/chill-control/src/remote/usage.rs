//! `log-usage` from the delivering end: in one list, or one by one to a control plane that reads no lists.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use chill_core::control::Recorded;
use chill_core::{ControlError, EventId, Outcome, UsageEvent};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Remote;
use super::call::{Answer, Route};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    user_id: String,
    pool_key_id: &'a str,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<bool>,
    bytes: u64,
    event_id: String,
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "is_ok")]
    outcome: &'static str,
}

fn is_ok(outcome: &&'static str) -> bool {
    *outcome == Outcome::Ok.as_str()
}

/// A control plane that counts nothing answers without numbers.
#[derive(Default, Deserialize)]
struct Counted {
    accepted: Option<usize>,
    duplicates: Option<usize>,
}

/// Events of the list in delivery that a control plane without event ids has taken already.
#[derive(Default)]
pub(super) struct Singles(Mutex<HashSet<EventId>>);

impl Singles {
    fn with<T>(&self, act: impl FnOnce(&mut HashSet<EventId>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Delivers a list.
///
/// # Errors
/// [`ControlError::Unavailable`]: deliver the same list again.
pub(super) async fn deliver(remote: &Remote, events: &[UsageEvent]) -> Result<Recorded, ControlError> {
    if events.is_empty() {
        return Ok(Recorded::default());
    }
    let list: Vec<_> = events.iter().map(event).collect();
    let answer = post(remote, &list).await?;
    if answer.status.is_success() {
        return Ok(counted(&answer, events.len()));
    }
    one_by_one(remote, events).await
}

/// A list that was not understood: each of its events alone. One that is refused alone too can never be delivered.
async fn one_by_one(remote: &Remote, events: &[UsageEvent]) -> Result<Recorded, ControlError> {
    let mut recorded = Recorded::default();
    for one in events {
        if remote.singles.with(|taken| taken.contains(&one.id)) {
            recorded.accepted += 1;
            continue;
        }
        let answer = post(remote, &event(one)).await?;
        if answer.status.is_success() {
            let counted = counted(&answer, 1);
            recorded.accepted += counted.accepted;
            recorded.duplicates += counted.duplicates;
        } else if lasting(answer.status) {
            tracing::error!(event = %one.id, status = answer.status.as_u16(), "the control plane refuses a usage event; it is not counted");
        } else {
            return Err(ControlError::unavailable(format!("it answered with status {}", answer.status.as_u16())));
        }
        remote.singles.with(|taken| taken.insert(one.id));
    }
    remote.singles.with(HashSet::clear);
    Ok(recorded)
}

/// Whether the same event would be refused again.
fn lasting(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 413 | 422)
}

async fn post(remote: &Remote, body: &impl Serialize) -> Result<Answer, ControlError> {
    let body = serde_json::to_vec(body).map_err(|_| ControlError::unavailable("no JSON"))?;
    let end = Instant::now() + remote.deadlines.call;
    remote.calls.post(&remote.nodes, Route::LogUsage, &body, end).await
}

fn counted(answer: &Answer, all: usize) -> Recorded {
    let counted: Counted = serde_json::from_slice(&answer.body).unwrap_or_default();
    let duplicates = counted.duplicates.unwrap_or(0).min(all);
    Recorded { accepted: counted.accepted.unwrap_or(all - duplicates), duplicates }
}

fn event(event: &UsageEvent) -> Event<'_> {
    Event {
        user_id: event.link.to_string(),
        pool_key_id: event.key.as_str(),
        action: event.action.as_str(),
        hash: event.hash.map(|hash| hash.to_string()),
        cached: event.cached,
        bytes: event.bytes,
        event_id: event.id.to_string(),
        at: event.at,
        device_id: event.device.as_ref().map(chill_core::DeviceId::as_str),
        outcome: event.outcome.as_str(),
    }
}
