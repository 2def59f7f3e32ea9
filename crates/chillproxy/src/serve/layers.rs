//! What surrounds every route: a request log without secrets, a last resort for panics, an envelope for unknown paths.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use chill_core::Chance;
use chill_edge::{REQUEST_ID, request_id};
use metrics::{Counter, Histogram};
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

/// Wraps the planes' routes.
pub(super) fn wrap(planes: Router) -> Router {
    let safe = planes.fallback(unknown_path).layer(CatchPanicLayer::custom(panicked));
    named(safe).layer(middleware::from_fn(log))
}

/// Gives each answer of these routes its request's id.
pub(super) fn named(routes: Router) -> Router {
    routes.layer(middleware::from_fn(name))
}

async fn name(request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &Chance::System);
    let mut response = next.run(request).await;
    response.headers_mut().entry(REQUEST_ID).or_insert(id);
    response
}

/// One line a request: method, the route's pattern (never the path, which holds the link id), status, milliseconds.
async fn log(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = matched
        .as_ref()
        .or_else(|| response.extensions().get::<MatchedPath>())
        .map_or("(no route)", MatchedPath::as_str);
    record(&method, route, response.status(), start.elapsed());
    response
}

/// Logs and counts one answered request.
pub(super) fn record(method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
    count(status, elapsed);
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::error!(%method, route, status = status.as_u16(), ms, "request failed");
    } else if status.is_client_error() {
        tracing::info!(%method, route, status = status.as_u16(), ms, "request refused");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), ms, "request");
    }
}

/// Most answers are of one kind, whose handles are looked up once; the recorder is there before the first request.
fn count(status: StatusCode, elapsed: Duration) {
    static SECONDS: LazyLock<Histogram> = LazyLock::new(|| metrics::histogram!("chillproxy_request_seconds"));
    static OK: LazyLock<Counter> = LazyLock::new(|| counter(StatusCode::OK));
    SECONDS.record(elapsed.as_secs_f64());
    if status == StatusCode::OK { OK.increment(1) } else { counter(status).increment(1) }
}

fn counter(status: StatusCode) -> Counter {
    metrics::counter!("chillproxy_requests_total", "status" => status.as_u16().to_string())
}

async fn unknown_path() -> Response {
    envelope(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address. Check the link.")
}

/// The panic's own text may hold anything, so it goes nowhere; the hook in `main` logs the place.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    envelope(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server made a mistake. It has been logged.")
}

fn envelope(status: StatusCode, code: &str, message: &str) -> Response {
    (status, axum::Json(json!({"error": {"code": code, "message": message}}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_is_an_envelope_and_nothing_of_its_text_leaves() {
        async fn broken() -> &'static str {
            panic!("canary-key")
        }
        let app = wrap(Router::new().route("/", get(broken)));
        let response = app.oneshot(Request::builder().uri("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("canary-key"));
    }

    #[tokio::test]
    async fn unknown_paths_answer_with_the_envelope() {
        let response =
            wrap(Router::new()).oneshot(Request::builder().uri("/x").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn answers_carry_the_requests_id() {
        let request = Request::builder().uri("/x").header("request-id", "abc").body(Body::empty()).unwrap();
        let response = wrap(Router::new()).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["request-id"], "abc");
    }
}
