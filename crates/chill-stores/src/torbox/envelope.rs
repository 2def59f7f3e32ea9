//! TorBox's envelope, and everything that comes instead of it, sorted into an answer or a [`Refusal`].
//!
//! Read in two steps: first `success`, `error` and `detail`, whose types vary; then `data`, only when it is a success,
//! because on failures its type is another one.

use std::time::Duration;

use chill_core::{Clock, StoreErrorKind};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{Answer, rate_reset, retry_after, rfc3339, until};

/// TorBox said no, or something that cannot be understood. The text is the vendor's own, not yet fit for a log.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: StoreErrorKind,
    pub(super) status: StatusCode,
    /// The machine code, when there is one.
    pub(super) code: Option<String>,
    pub(super) text: String,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    success: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    detail: Value,
}

#[derive(Deserialize)]
struct Body<T> {
    data: Option<T>,
}

/// The `data` of a success; none when it is null or missing.
///
/// # Errors
/// [`Refusal`]: the vendor's failure, or an answer that is not the vendor's.
pub(super) fn decode<T: DeserializeOwned>(answer: &Answer, clock: &Clock) -> Result<Option<T>, Refusal> {
    let head: Option<Head> = serde_json::from_slice(&answer.body).ok();
    let Some(head) = head else { return Err(not_json(answer, clock)) };
    let code = code(&head.error);
    let went_well = head.success == Value::Bool(true) && code.is_none() && answer.status.is_success();
    if !went_well {
        return Err(refused(answer, &head, code, clock));
    }
    serde_json::from_slice::<Body<T>>(&answer.body).map(|body| body.data).map_err(|e| Refusal {
        kind: StoreErrorKind::Unavailable,
        status: answer.status,
        code: None,
        // serde's own words may quote the data.
        text: format!("the answer has another shape than documented (line {}, column {})", e.line(), e.column()),
    })
}

/// Codes are words in capitals. The texts `"null"` and booleans stand there too, and mean nothing.
fn code(error: &Value) -> Option<String> {
    let text = error.as_str()?;
    let is_code = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_code.then(|| text.to_owned())
}

fn refused(answer: &Answer, head: &Head, code: Option<String>, clock: &Clock) -> Refusal {
    let mut text = text_of(&head.detail);
    if let (Value::String(error), None) = (&head.error, &code) {
        text = format!("{error} {text}");
    }
    if text.is_empty() && code.is_none() {
        text = "no reason given".to_owned();
    }
    let data: Value =
        serde_json::from_slice::<Body<Value>>(&answer.body).ok().and_then(|body| body.data).unwrap_or_default();
    let kind = limit(&data, clock)
        .or_else(|| legal(answer.status, &text))
        .or_else(|| limited(answer, code.as_deref(), clock))
        .or_else(|| code.as_deref().and_then(kind_of_code))
        .unwrap_or_else(|| kind_of_status(answer.status, true));
    Refusal { kind, status: answer.status, code, text }
}

fn not_json(answer: &Answer, clock: &Clock) -> Refusal {
    let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(4096)]);
    let text = match body.trim() {
        "" => "an empty answer".to_owned(),
        page if page.starts_with('<') => "a web page instead of an answer".to_owned(),
        json if json.starts_with(['{', '[']) => "a broken answer".to_owned(),
        text => text.to_owned(),
    };
    let kind = legal(answer.status, &body)
        .or_else(|| limited(answer, None, clock))
        .unwrap_or_else(|| kind_of_status(answer.status, false));
    Refusal { kind, status: answer.status, code: None, text }
}

fn text_of(detail: &Value) -> String {
    match detail {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // FastAPI's validation errors: [{"loc": ["query", "torrent_id"], "msg": "field required", …}].
        Value::Array(faults) => faults.iter().take(3).map(fastapi).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn fastapi(fault: &Value) -> String {
    let place: Vec<&str> = fault["loc"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{}: {}", place.join("."), fault["msg"].as_str().unwrap_or("invalid"))
}

/// Limits are known by their data, because the official examples carry no code.
fn limit(data: &Value, clock: &Clock) -> Option<StoreErrorKind> {
    if data.get("active_limit").is_some() || data.get("monthly_limit").is_some() {
        return Some(StoreErrorKind::DownloadsClosed { retry_after: None });
    }
    let date = |name: &str| data.get(name).and_then(Value::as_str).and_then(rfc3339);
    let ends = data.get("cooldown_until")?;
    let now = date("current_time").unwrap_or(clock.now());
    let retry_after = ends.as_str().and_then(rfc3339).map(|ends| until(ends, now));
    Some(StoreErrorKind::DownloadsClosed { retry_after })
}

fn legal(status: StatusCode, text: &str) -> Option<StoreErrorKind> {
    let said = status.as_u16() >= 400 && text.to_ascii_lowercase().contains("infring");
    (said || status == StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS).then_some(StoreErrorKind::LegalReasons)
}

fn limited(answer: &Answer, code: Option<&str>, clock: &Clock) -> Option<StoreErrorKind> {
    let said = matches!(code, Some("RATE_LIMIT" | "RATE_LIMIT_EXCEEDED"));
    (said || answer.status == StatusCode::TOO_MANY_REQUESTS)
        .then(|| StoreErrorKind::TooManyRequests { retry_after: when_again(answer, clock) })
}

/// When the vendor says that more calls are possible.
pub(super) fn when_again(answer: &Answer, clock: &Clock) -> Option<Duration> {
    let header = |name| answer.headers.get(name);
    let retry = header("retry-after").and_then(|value| retry_after(value, clock.now()));
    retry.or_else(|| header("x-ratelimit-reset").and_then(|value| rate_reset(value, clock.now())))
}

/// The vendor's table of codes. None for codes it does not have.
fn kind_of_code(code: &str) -> Option<StoreErrorKind> {
    Some(match code {
        "NO_AUTH" | "BAD_TOKEN" | "OAUTH_VERIFICATION_ERROR" => StoreErrorKind::Unauthorized,
        "PLAN_RESTRICTED_FEATURE" => StoreErrorKind::PaymentRequired,
        "NOT_ALLOWED" | "NOT_OWNER" => StoreErrorKind::Forbidden,
        "ACTIVE_LIMIT" | "MONTHLY_LIMIT" | "COOLDOWN_LIMIT" => StoreErrorKind::DownloadsClosed { retry_after: None },
        "TOO_MUCH_DATA" | "DOWNLOAD_TOO_LARGE" => StoreErrorKind::Unprocessable,
        "DUPLICATE_ITEM" | "DIFF_ISSUE" => StoreErrorKind::Conflict,
        "ITEM_NOT_FOUND" | "NOT_FOUND" => StoreErrorKind::NotFound,
        "BOZO_TORRENT" | "BOZO_FILE" => StoreErrorKind::MagnetInvalid,
        // A wrong path is a fault of the address we were given: what we call exists.
        "ENDPOINT_NOT_FOUND" | "VENDOR_DISABLED" | "LINK_OFFLINE" | "UNSUPPORTED_SITE" | "TEMPORARILY_DISABLED" => {
            StoreErrorKind::Unavailable
        }
        "INVALID_OPTION"
        | "MISSING_REQUIRED_OPTION"
        | "TOO_MANY_OPTIONS"
        | "INVALID_INPUT"
        | "INVALID_HASH"
        | "INVALID_LINK"
        | "NAME_TOO_LONG"
        | "NAME_TOO_SHORT"
        | "NO_CHANGES" => StoreErrorKind::BadRequest,
        // By the vendor's rule, codes that end so are faults of its own side.
        _ if code.ends_with("ERROR") => StoreErrorKind::Unavailable,
        _ => return None,
    })
}

/// What a status says by itself. A refusal of the vendor's own is believed about the key; a web page in front of it, such
/// as a firewall's, is not.
fn kind_of_status(status: StatusCode, from_vendor: bool) -> StoreErrorKind {
    match status.as_u16() {
        401 => StoreErrorKind::Unauthorized,
        403 if from_vendor => StoreErrorKind::Unauthorized,
        403 => StoreErrorKind::Forbidden,
        402 => StoreErrorKind::PaymentRequired,
        404 | 410 if from_vendor => StoreErrorKind::NotFound,
        409 => StoreErrorKind::Conflict,
        408 => StoreErrorKind::Timeout,
        413 => StoreErrorKind::Unprocessable,
        400..=499 if from_vendor => StoreErrorKind::BadRequest,
        _ => StoreErrorKind::Unavailable,
    }
}
