//! What a browser may do with the page and its two files.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

const STYLE: &str = include_str!("configure.css");
const SCRIPT: &str = include_str!("configure.js");

/// Only what this server sends, no frames around it, forms only back to it.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// `/stremio/_/configure.css`
pub(crate) async fn style() -> Response {
    file(STYLE, "text/css; charset=utf-8")
}

/// `/stremio/_/configure.js`
pub(crate) async fn script() -> Response {
    file(SCRIPT, "text/javascript; charset=utf-8")
}

fn file(text: &'static str, media_type: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // The page names the server's version in the address, so an update is seen at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Nobody keeps the page, and no address of it is told to others: a link is in it.
pub(super) fn guard(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
}

/// `/stremio/torz/` leads to the page.
pub(crate) fn from_root() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, HeaderValue::from_static("/stremio/torz/configure"))]).into_response()
}
