//! A request as TorBox's endpoints read it: key, query with strict booleans, body; and the envelope of the answers.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{Account, Provider, Torbox};
use crate::clock::lock;
use crate::front::{Refused, answer, envelope, rate_limited};

/// What an endpoint gives: an answer, or one that ended it early.
pub(super) type Answer = Result<Response, Refused>;

pub(super) struct Asked {
    bearer: Option<String>,
    query: Vec<(String, String)>,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
        let content_type = text(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query = query.into_owned().collect();
        let request = Request::from_parts(parts, body);
        let body = Bytes::from_request(request, state).await.map_err(|error| Refused::from(error.into_response()))?;
        Ok(Self { bearer, query, content_type, body })
    }
}

impl Asked {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn params<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A lower-case boolean; anything else is a validation error.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.param(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(invalid("query", name, "value could not be parsed to a boolean", "type_error.bool")),
        }
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        let parsed = self.param(name).map(str::parse).transpose();
        parsed.map_err(|_| invalid("query", name, "value is not a valid integer", "type_error.integer"))
    }

    /// The JSON object in the body.
    pub(super) fn json(&self) -> Result<Value, Refused> {
        if !self.content_type.starts_with("application/json") {
            return Err(invalid("body", "", "value is not a valid dict", "type_error.dict"));
        }
        let value: Result<Value, _> = serde_json::from_slice(&self.body);
        value
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| invalid("body", "", "value is not a valid dict", "type_error.dict"))
    }

    /// Runs `work` on the caller's account after key and per-minute limit were checked.
    pub(super) fn on_account(&self, torbox: &Torbox, work: impl FnOnce(&mut Provider, &str, i64) -> Answer) -> Answer {
        torbox.authorised(self.bearer.as_deref(), work)
    }
}

impl Torbox {
    /// Checks a key and counts the call against its minute before `work` runs.
    pub(super) fn authorised(
        &self,
        key: Option<&str>,
        work: impl FnOnce(&mut Provider, &str, i64) -> Answer,
    ) -> Answer {
        let now = self.clock.now_ms();
        let mut provider = lock(&self.state);
        let refused = StatusCode::from_u16(provider.behaviour.bad_key_status).unwrap_or(StatusCode::FORBIDDEN);
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return Err(failure(refused, &json!("NO_AUTH"), "You must provide an API key."));
        };
        let behaviour = provider.behaviour.clone();
        let Some(account) = provider.account(key, now) else {
            return Err(failure(refused, &json!("BAD_TOKEN"), "The key is not accepted."));
        };
        if !account.minute.spend(now) {
            let retry_after = behaviour.retry_after.then(|| seconds_until(account.minute.ends_at(), now));
            let limit = format!("{} per 1 minute", account.minute.limit);
            return Err(rate_limited(behaviour.rate_body, &limit, retry_after).into());
        }
        work(&mut provider, key, now)
    }
}

pub(super) fn seconds_until(later: i64, now: i64) -> u64 {
    u64::try_from((later - now).max(0)).unwrap_or(0).div_ceil(1000)
}

/// The account of a key that was just checked.
pub(super) fn account_of<'a>(provider: &'a mut Provider, key: &str) -> Result<&'a mut Account, Refused> {
    let gone = || failure(StatusCode::FORBIDDEN, &json!("BAD_TOKEN"), "The key is not accepted.");
    provider.accounts.get_mut(key).ok_or_else(gone)
}

/// A good answer.
pub(super) fn success(detail: &str, data: &Value) -> Answer {
    let body = json!({"success": true, "error": null, "detail": detail, "data": data});
    Ok(answer(StatusCode::OK, "application/json", body.to_string()))
}

/// A refusal without data.
pub(super) fn failure(status: StatusCode, error: &Value, detail: &str) -> Refused {
    envelope(status, error, detail).into()
}

/// A refusal with data beside its code.
pub(super) fn refusal(status: StatusCode, error: &Value, detail: &str, data: &Value) -> Refused {
    let body = json!({"success": false, "error": error, "detail": detail, "data": data});
    answer(status, "application/json", body.to_string()).into()
}

/// HTTP 404 that is no failure: nothing (more) in a list.
pub(super) fn empty_list() -> Refused {
    let body = json!({"success": true, "error": "ITEM_NOT_FOUND", "detail": "Nothing was found.", "data": null});
    answer(StatusCode::NOT_FOUND, "application/json", body.to_string()).into()
}

/// FastAPI's validation error: `detail` is an array, and there is no envelope.
pub(super) fn invalid(place: &str, name: &str, message: &str, kind: &str) -> Refused {
    let location = if name.is_empty() { json!([place]) } else { json!([place, name]) };
    let body = json!({"detail": [{"loc": location, "msg": message, "type": kind}]});
    answer(StatusCode::UNPROCESSABLE_ENTITY, "application/json", body.to_string()).into()
}

/// A required parameter that is not there.
pub(super) fn missing(place: &str, name: &str) -> Refused {
    invalid(place, name, "field required", "value_error.missing")
}
