//! StremThru's envelope for errors on these routes, and what every answer of theirs carries.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use chill_core::Chance;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::cors;
use crate::request_id::{REQUEST_ID, request_id};

const AUTHENTICATE: HeaderName = HeaderName::from_static("x-stremthru-authenticate");

/// A request that was not answered with what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    status: StatusCode,
    kind: &'static str,
    message: &'static str,
    authenticate: bool,
    retry_after: Option<HeaderValue>,
}

impl Failure {
    fn ours(status: StatusCode, message: &'static str) -> Self {
        Self { status, kind: "api_error", message, authenticate: false, retry_after: None }
    }

    pub(super) fn bad_request(message: &'static str) -> Self {
        Self::ours(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::ours(StatusCode::UNAUTHORIZED, "unauthorized")
    }

    /// A credential that makes no links; the answer names the scheme.
    pub(super) fn not_a_user() -> Self {
        Self { authenticate: true, ..Self::ours(StatusCode::FORBIDDEN, "forbidden") }
    }

    pub(super) fn forbidden_destination() -> Self {
        Self::ours(StatusCode::FORBIDDEN, "the destination is not allowed here")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::ours(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
    }

    /// Asked too often; welcome again after this.
    pub(super) fn too_many(after: Duration) -> Self {
        let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1);
        Self { retry_after: Some(seconds.into()), ..Self::ours(StatusCode::TOO_MANY_REQUESTS, "too many requests") }
    }

    pub(super) fn internal() -> Self {
        Self::ours(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
    }

    /// The origin could not be had.
    pub(super) fn bad_gateway() -> Self {
        Self::ours(StatusCode::BAD_GATEWAY, "failed to request url")
    }

    /// The origin answered with an error; the status is passed on where a player can make sense of it, and with it when to
    /// come again.
    pub(super) fn upstream(status: u16, retry_after: Option<HeaderValue>) -> Self {
        let passed = StatusCode::from_u16(status).ok().filter(|status| {
            (status.is_client_error() || status.is_server_error())
                && *status != StatusCode::PROXY_AUTHENTICATION_REQUIRED
        });
        match passed {
            Some(status) => {
                Self { kind: "upstream_error", retry_after, ..Self::ours(status, "the url's server refused") }
            }
            None => Self::bad_gateway(),
        }
    }
}

/// What is known of a request before it is answered.
#[derive(Debug)]
pub(super) struct Frame {
    id: HeaderValue,
    method: Method,
    /// Never with a token in it.
    path: &'static str,
}

impl Frame {
    pub(super) fn of(parts: &Parts, path: &'static str, chance: &Chance) -> Self {
        Self { id: request_id(&parts.headers, chance), method: parts.method.clone(), path }
    }

    /// The answer as it leaves: errors in their envelope, readable by any origin, with the request's id.
    pub(super) fn finish(&self, answered: Result<Response, Failure>) -> Response {
        let mut response = answered.unwrap_or_else(|failure| self.envelope(&failure));
        let headers = response.headers_mut();
        cors::allow_all(headers);
        headers.insert(REQUEST_ID, self.id.clone());
        response
    }

    fn envelope(&self, failure: &Failure) -> Response {
        let mut error = json!({
            "request_id": self.id.to_str().unwrap_or_default(),
            "type": failure.kind,
            "message": failure.message,
            "method": self.method.as_str(),
            "path": self.path,
            "status_code": failure.status.as_u16(),
        });
        if let (Some(code), Some(error)) = (code(failure.status), error.as_object_mut()) {
            error.insert("code".to_owned(), code.into());
        }
        let mut response = (failure.status, axum::Json(json!({ "error": error }))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = &failure.retry_after {
            headers.insert(header::RETRY_AFTER, after.clone());
        }
        if failure.authenticate {
            headers.insert(AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        if failure.status == StatusCode::METHOD_NOT_ALLOWED && failure.kind == "api_error" {
            let allowed = if self.path == super::create::PATH { "GET, POST, OPTIONS" } else { "GET, HEAD, OPTIONS" };
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

/// StremThru's word for a status; some have none.
fn code(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        402 => "PAYMENT_REQUIRED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_ALLOWED",
        409 => "CONFLICT",
        410 => "GONE",
        415 => "UNSUPPORTED_MEDIA_TYPE",
        422 => "UNPROCESSABLE_ENTITY",
        429 => "TOO_MANY_REQUESTS",
        451 => "UNAVAILABLE_FOR_LEGAL_REASONS",
        500 => "INTERNAL_SERVER_ERROR",
        501 => "NOT_IMPLEMENTED",
        502 => "BAD_GATEWAY",
        503 => "SERVICE_UNAVAILABLE",
        _ => return None,
    })
}
