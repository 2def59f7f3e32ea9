//! What is answered from the first millisecond on: health, and "starting" for everything else until the planes are wired.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tower::ServiceExt;

/// The way into the planes: closed until [`Gate::open`].
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<OnceLock<Router>>);

impl Gate {
    /// From now on requests go to `planes`. A second call changes nothing.
    pub(super) fn open(&self, planes: Router) {
        if self.0.set(planes).is_err() {
            tracing::debug!("the gate was open already");
        }
    }

    /// The router to listen with.
    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/health", get(|| async { axum::Json(json!({"status": "ok"})) }))
            .route("/v0/health", get(|| async { axum::Json(json!({"data": {"status": "ok"}})) }))
            .route("/livez", get(|| async { axum::Json(json!({"status": "ok"})) }))
            .fallback(through)
            .with_state(self.clone())
    }
}

async fn through(State(gate): State<Gate>, request: Request<Body>) -> Response {
    match gate.0.get() {
        Some(planes) => planes.clone().oneshot(request).await.into_response(),
        None => starting(),
    }
}

fn starting() -> Response {
    let body = json!({"error": {"code": "starting", "message": "The server is starting. Try again in a second."}});
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(router: &Router, path: &str) -> StatusCode {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn health_answers_before_the_planes_do() {
        let gate = Gate::default();
        let router = gate.router();
        assert_eq!(status(&router, "/health").await, StatusCode::OK);
        assert_eq!(status(&router, "/planes").await, StatusCode::SERVICE_UNAVAILABLE);
        gate.open(Router::new().route("/planes", get(|| async { "open" })));
        assert_eq!(status(&router, "/planes").await, StatusCode::OK);
    }
}
