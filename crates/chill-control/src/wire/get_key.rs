//! `POST /api/v1/internal/pool/get-key`: a lease, or why not. HTTP 200 whenever the question was understood.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chill_core::control::Delivery;
use chill_core::{ControlError, Denial, DenialCode, Lease, LeaseRequest, StoreCode};
use serde::Serialize;

use super::Api;
use super::access::CallerId;
use super::answer::{Refusal, private};
use super::fields::{Fields, json};
use crate::Actor;

/// Bytes of a question.
const MOST: usize = 64 * 1_024;

/// `grace`, `delivery` and `maxStreams` are ours, for edges that know them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Granted<'a> {
    allowed: bool,
    pool_key: &'a str,
    pool_key_id: &'a str,
    device_count: u32,
    service: &'static str,
    ttl: u64,
    epoch: u64,
    grace: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_streams: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Denied {
    allowed: bool,
    message: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

pub(super) async fn get_key(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<CallerId>,
    Extension(actor): Extension<Actor>,
    body: Body,
) -> Result<Response, Refusal> {
    if let Some(wait) = api.keys.wait(&caller).await {
        return Err(Refusal::TooMany(wait));
    }
    let fields = Fields::of(json(body, MOST).await?, "")?;
    let ask = match question(&fields)? {
        Ok(ask) => ask,
        Err(denial) => return Ok(denied(denial, None)),
    };
    match actor.asks(api.control.lease(&ask)).await {
        Ok(lease) => Ok(granted(&lease)),
        Err(ControlError::Denied(denial)) => Ok(denied(denial, None)),
        Err(ControlError::Exhausted { retry_after }) => {
            let seconds = retry_after.as_secs().max(1);
            let message = format!("All keys are resting. Try again in {seconds} s.");
            let denial = Denial { code: DenialCode::KeysExhausted, message, device_count: None };
            Ok(denied(denial, Some(seconds)))
        }
        Err(ControlError::Unavailable { retry_after, .. }) => Err(Refusal::Unavailable(retry_after)),
    }
}

/// The question, or the refusal of a store that nobody knows.
fn question(fields: &Fields) -> Result<Result<LeaseRequest, Denial>, Refusal> {
    let link = fields.required("userId")?;
    let device = fields.required("deviceId")?;
    let action = fields.required("action")?;
    let hash = fields.parsed("hash")?;
    let exclude = fields.list("exclude", LeaseRequest::MAX_EXCLUDED)?;
    let device_label = fields.text("deviceLabel")?.map(|label| label.chars().take(40).collect());
    let Ok(store) = fields.text("service")?.unwrap_or("tb").parse::<StoreCode>() else {
        let message = "This service is not known here.".to_owned();
        return Ok(Err(Denial { code: DenialCode::ServiceUnknown, message, device_count: None }));
    };
    Ok(Ok(LeaseRequest { link, device, device_label, action, hash, store, exclude }))
}

fn granted(lease: &Lease) -> Response {
    let delivery = lease.delivery.map(|delivery| match delivery {
        Delivery::Relay => "relay",
        Delivery::Redirect => "redirect",
    });
    let answer = Granted {
        allowed: true,
        pool_key: lease.key.expose(),
        pool_key_id: lease.key_id.as_str(),
        device_count: lease.device_count,
        service: lease.store.as_str(),
        ttl: lease.ttl.as_secs(),
        epoch: lease.epoch,
        grace: lease.grace.as_secs(),
        delivery,
        max_streams: lease.max_streams,
    };
    private(Json(answer).into_response())
}

fn denied(denial: Denial, retry_after: Option<u64>) -> Response {
    let Denial { code, message, device_count } = denial;
    private(Json(Denied { allowed: false, message, code: code.as_str(), device_count, retry_after }).into_response())
}
