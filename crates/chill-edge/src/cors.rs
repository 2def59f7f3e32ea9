//! Stremio runs addons' answers in a browser of another origin: every addon route says that this is fine.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// What scripts of another origin may read beside the body.
const EXPOSED: &str =
    "Content-Length, Content-Range, Accept-Ranges, Retry-After, X-Chillproxy-Refusal, X-Chillproxy-Support";

/// Lets every origin read an answer. Nothing here rests on cookies, so `*` gives nobody more than the link does.
pub(crate) fn allow_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// The answer to a browser's question before the real request (Fetch standard, "CORS-preflight request").
pub(crate) fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    allow_all(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*, Range, Content-Type, Accept"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// Whether a request is such a question.
pub(crate) fn is_preflight(method: &Method) -> bool {
    method == Method::OPTIONS
}
