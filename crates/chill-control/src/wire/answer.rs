//! Answers that are no answer: the error envelope, with its status and `Retry-After`.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// Why a request was not understood or not served.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A field is missing or wrong: its name, and what was expected.
    Malformed { field: String, message: String },
    /// No key, or a wrong one.
    Forbidden,
    /// The body is larger than so many bytes.
    TooLarge(usize),
    /// The body did not arrive in time.
    TooSlow,
    /// Too many calls.
    TooMany(Duration),
    /// The database is away; when to ask again, where that is known.
    Unavailable(Option<Duration>),
}

#[derive(Serialize)]
struct Envelope {
    error: Body,
}

#[derive(Serialize)]
struct Body {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// How long a caller waits before it asks an unavailable control plane again, in seconds.
const PAUSE: u64 = 2;

impl Refusal {
    pub(super) fn malformed(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Malformed { field: field.into(), message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message, field, wait) = match self {
            Self::Malformed { field, message } => {
                (StatusCode::BAD_REQUEST, "bad_request", format!("{field}: {message}"), Some(field), None)
            }
            Self::Forbidden => {
                let said = "present one of the control plane's internal API keys as a bearer token";
                (StatusCode::FORBIDDEN, "forbidden", said.to_owned(), None, None)
            }
            Self::TooLarge(most) => {
                let said = format!("the body is larger than {most} bytes");
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", said, None, None)
            }
            Self::TooSlow => {
                let said = "the body did not arrive in time";
                (StatusCode::REQUEST_TIMEOUT, "too_slow", said.to_owned(), None, None)
            }
            Self::TooMany(wait) => {
                let seconds = wait.as_secs().saturating_add(1);
                (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many calls".to_owned(), None, Some(seconds))
            }
            Self::Unavailable(wait) => {
                let said = "the control plane cannot decide now; try again soon";
                let seconds = wait.map_or(PAUSE, |wait| wait.as_secs().max(1));
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", said.to_owned(), None, Some(seconds))
            }
        };
        let mut response = (status, Json(Envelope { error: Body { code, message, field } })).into_response();
        if let Some(seconds) = wait {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        private(response)
    }
}

/// Marks an answer as nobody else's: it may hold a key.
pub(super) fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
