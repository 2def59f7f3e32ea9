//! What is answered from the first millisecond on: health, and "starting" for everything else until the planes are wired.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chill_edge::Edge;
use serde_json::json;
use tower::ServiceExt;

use super::front::Front;
use super::layers;

/// The way into the planes: closed until [`Gate::open`]. Clones are the same gate.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    planes: OnceLock<Front>,
    waiting: Router,
}

impl Default for Inner {
    fn default() -> Self {
        Self { planes: OnceLock::new(), waiting: layers::named(health().fallback(async || starting())) }
    }
}

impl Gate {
    /// These routes and nothing else, for a listener beside the planes.
    pub(super) fn only(routes: Router) -> Self {
        Self(Arc::new(Inner { planes: OnceLock::new(), waiting: routes }))
    }

    /// From now on requests go to the edge's addon and the planes' routes. A second call changes nothing.
    pub(super) fn open(&self, edge: Option<Arc<Edge>>, routes: Router) {
        if self.0.planes.set(Front::new(edge, routes.merge(health()))).is_err() {
            tracing::debug!("the gate was open already");
        }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Body>) -> Response {
        match self.0.planes.get() {
            Some(planes) => planes.answer(request).await,
            None => self.0.waiting.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
        }
    }
}

/// That the process lives.
fn health() -> Router {
    Router::new()
        .route("/health", get(|| async { axum::Json(json!({"status": "ok"})) }))
        .route("/v0/health", get(|| async { axum::Json(json!({"data": {"status": "ok"}})) }))
        .route("/livez", get(|| async { axum::Json(json!({"status": "ok"})) }))
}

fn starting() -> Response {
    let body = json!({"error": {"code": "starting", "message": "The server is starting. Try again in a second."}});
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(gate: &Gate, path: &str) -> StatusCode {
        gate.answer(Request::builder().uri(path).body(Body::empty()).unwrap()).await.status()
    }

    #[tokio::test]
    async fn health_answers_before_the_planes_do() {
        let gate = Gate::default();
        assert_eq!(status(&gate, "/health").await, StatusCode::OK);
        assert_eq!(status(&gate, "/planes").await, StatusCode::SERVICE_UNAVAILABLE);
        gate.open(None, Router::new().route("/planes", get(|| async { "open" })));
        for path in ["/planes", "/health", "/v0/health", "/livez"] {
            assert_eq!(status(&gate, path).await, StatusCode::OK, "{path}");
        }
        assert_eq!(status(&gate, "/stremio/torz/manifest.json").await, StatusCode::NOT_FOUND);
    }
}
