//! Where a viewer lands who asks how to begin: a plain page.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Chillproxy Torz</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}</style>
<h1>Chillproxy Torz</h1>
<p>This server plays films in Stremio for the people its operator has invited.</p>
<p>To install it you need a link of your own. Ask the person who runs this server for one, open it on the device where
you use Stremio, and press <b>Install</b>.</p>
<p>If you run this server: <code>chillproxy user add --name \"A name\"</code> prints such a link.</p>
</html>
";

/// `/stremio/torz/` leads to the page.
pub(crate) fn from_root() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, HeaderValue::from_static("/stremio/torz/configure"))]).into_response()
}

/// The page.
pub(crate) fn page() -> Response {
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, Html(PAGE)).into_response()
}
