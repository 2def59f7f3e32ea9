//! `POST /api/v1/internal/pool/log-usage`: usage events, one or up to 1,000, each counted once.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chill_core::{EventId, Millis, Outcome, UsageEvent};
use serde::Serialize;
use serde_json::Value;

use super::Api;
use super::answer::{Refusal, private};
use super::fields::{Fields, json};
use crate::Actor;

/// Bytes of a batch: 1,000 events of some 1,200 bytes, three times what ours take.
const MOST: usize = 1_200 * 1_024;
/// Events in a batch.
const EVENTS: usize = 1_000;

#[derive(Serialize)]
struct Counted {
    success: bool,
    accepted: usize,
    duplicates: usize,
}

pub(super) async fn log_usage(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    body: Body,
) -> Result<Response, Refusal> {
    let objects = match json(body, MOST).await? {
        Value::Array(list) if list.len() > EVENTS => {
            return Err(Refusal::malformed("body", format!("at most {EVENTS} events at once")));
        }
        Value::Array(list) => {
            list.into_iter().enumerate().map(|(n, one)| Fields::of(one, format!("[{n}]"))).collect::<Result<_, _>>()?
        }
        one => vec![Fields::of(one, "")?],
    };
    let now = api.clock.now();
    let events = objects.iter().map(|fields| event(&api, fields, now)).collect::<Result<Vec<_>, _>>()?;
    let recorded = actor.asks(api.control.record(&events)).await;
    let recorded = recorded.map_err(|error| Refusal::Unavailable(error.retry_after()))?;
    let counted = Counted { success: true, accepted: recorded.accepted, duplicates: recorded.duplicates };
    Ok(private(Json(counted).into_response()))
}

fn event(api: &Api, fields: &Fields, now: Millis) -> Result<UsageEvent, Refusal> {
    let id = match fields.parsed("eventId")? {
        Some(id) => id,
        None => EventId::new(now, &api.chance).map_err(|_| Refusal::Unavailable(None))?,
    };
    let at = fields.number("at")?.map_or(now, |at| Millis::try_from(at).unwrap_or(now));
    Ok(UsageEvent {
        id,
        link: fields.required("userId")?,
        key: fields.required("poolKeyId")?,
        device: fields.parsed("deviceId")?,
        action: fields.required("action")?,
        hash: fields.parsed("hash")?,
        cached: fields.flag("cached")?,
        bytes: fields.number("bytes")?.unwrap_or(0),
        outcome: fields.text("outcome")?.map_or(Outcome::Ok, Outcome::from_word),
        at,
    })
}
