//! `get-key` from the asking end: the question, and an answer that may hold every field or only the founding ones.

use std::time::Duration;

use chill_core::control::Delivery;
use chill_core::{ControlError, Denial, DenialCode, KeyId, Lease, LeaseRequest, Secret, StoreCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::Answer;
use super::guess;

/// Life of a lease whose answer names none: such a control plane tells no changes either.
const SHORT: Duration = Duration::from_secs(5);
const LONGEST_TTL: u64 = 86_400;
/// How long a running film goes on without its control plane, unless the answer says.
const GRACE: u64 = 60;
const LONGEST_GRACE: u64 = 3_600;
/// A rest whose end nobody names.
const REST: u64 = 30;
/// Characters of a message that a viewer is shown.
const MESSAGE: usize = 300;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    user_id: String,
    device_id: &'a str,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    service: &'static str,
    #[serde(skip_serializing_if = "<[KeyId]>::is_empty")]
    exclude: &'a [KeyId],
    #[serde(skip_serializing_if = "Option::is_none")]
    device_label: Option<&'a str>,
}

pub(super) fn question(ask: &LeaseRequest) -> String {
    let exclude = ask.exclude.get(..LeaseRequest::MAX_EXCLUDED).unwrap_or(&ask.exclude);
    let question = Question {
        user_id: ask.link.to_string(),
        device_id: ask.device.as_str(),
        action: ask.action.as_str(),
        hash: ask.hash.map(|hash| hash.to_string()),
        service: ask.store.as_str(),
        exclude,
        device_label: ask.device_label.as_deref(),
    };
    // Texts and lists always serialise.
    serde_json::to_string(&question).unwrap_or_default()
}

/// Numbers and ids are read as leniently as they are written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    allowed: bool,
    pool_key: Option<String>,
    pool_key_id: Option<Value>,
    device_count: Option<Value>,
    service: Option<String>,
    ttl: Option<Value>,
    epoch: Option<Value>,
    grace: Option<Value>,
    delivery: Option<String>,
    max_streams: Option<Value>,
    message: Option<String>,
    code: Option<String>,
    retry_after: Option<Value>,
}

/// Reads an answer.
///
/// # Errors
/// Its refusal, or [`ControlError::Unavailable`] for an answer that is none.
pub(super) fn read(ask: &LeaseRequest, answer: &Answer) -> Result<Lease, ControlError> {
    if !answer.status.is_success() && !answer.status.is_client_error() {
        return Err(strange("its answer is not one"));
    }
    let given: Given = serde_json::from_slice(&answer.body).map_err(|_| {
        strange(if answer.status.is_success() {
            "its answer is not the expected JSON"
        } else {
            "it did not understand the question"
        })
    })?;
    if given.allowed { granted(ask, given) } else { Err(refused(&given)) }
}

fn granted(ask: &LeaseRequest, given: Given) -> Result<Lease, ControlError> {
    let key = given.pool_key.map(Secret::new).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| strange("it allowed the user but gave no key"))?;
    // A control plane without a word for services knows TorBox alone.
    let store = match given.service.as_deref().unwrap_or("tb").parse::<StoreCode>() {
        Ok(store) if store == ask.store => store,
        _ => {
            let message = "The control plane offers no keys for this service.".to_owned();
            return Err(ControlError::Denied(Denial { code: DenialCode::ServiceUnknown, message, device_count: None }));
        }
    };
    let delivery = match given.delivery.as_deref() {
        Some("relay") => Some(Delivery::Relay),
        Some("redirect") => Some(Delivery::Redirect),
        _ => None,
    };
    Ok(Lease {
        key,
        key_id: key_id(given.pool_key_id.as_ref())?,
        store,
        device_count: number(given.device_count.as_ref()).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        ttl: number(given.ttl.as_ref()).map_or(SHORT, |ttl| Duration::from_secs(ttl.min(LONGEST_TTL))),
        grace: Duration::from_secs(number(given.grace.as_ref()).unwrap_or(GRACE).min(LONGEST_GRACE)),
        epoch: number(given.epoch.as_ref()).unwrap_or(0),
        delivery,
        max_streams: number(given.max_streams.as_ref()).and_then(|n| u32::try_from(n).ok()),
    })
}

fn refused(given: &Given) -> ControlError {
    let words = given.message.as_deref().unwrap_or_default();
    let message: String = words.chars().filter(|c| !c.is_control()).take(MESSAGE).collect();
    let code = given.code.as_deref().and_then(DenialCode::from_word).unwrap_or_else(|| guess::code(&message));
    if code == DenialCode::KeysExhausted {
        let seconds = number(given.retry_after.as_ref()).unwrap_or(REST).clamp(1, LONGEST_TTL);
        return ControlError::Exhausted { retry_after: Duration::from_secs(seconds) };
    }
    let message =
        if message.trim().is_empty() { "The control plane refused without a reason.".to_owned() } else { message };
    let device_count = number(given.device_count.as_ref()).and_then(|n| u32::try_from(n).ok());
    ControlError::Denied(Denial { code, message, device_count })
}

fn key_id(value: Option<&Value>) -> Result<KeyId, ControlError> {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    text.parse().map_err(|_| strange("it gave a key without an id"))
}

/// A whole number, also as text.
fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn strange(what: &str) -> ControlError {
    ControlError::unavailable(what.to_owned())
}
