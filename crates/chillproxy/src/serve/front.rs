//! The way of a request to what answers it. Nearly all of them are for the addon, and take a short one: past the router,
//! which would match, copy and box its way to the same function.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use chill_edge::{ADDON_ROUTE, Edge, addon, is_addon};
use futures_util::FutureExt;
use tower::ServiceExt;

use super::layers;

/// Everything this process answers once its planes are wired.
pub(super) struct Front {
    edge: Option<Arc<Edge>>,
    router: Router,
}

impl Front {
    /// The addon of this process's edge, if it has one, and its other routes.
    pub(super) fn new(edge: Option<Arc<Edge>>, routes: Router) -> Self {
        Self { edge, router: layers::wrap(routes) }
    }

    /// Answers one request; never fails.
    pub(super) async fn answer(&self, request: Request) -> Response {
        match &self.edge {
            Some(edge) if is_addon(request.uri().path()) => addon_answer(edge, request).await,
            _ => self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
        }
    }
}

/// The addon, surrounded as the routes are by [`layers::wrap`].
async fn addon_answer(edge: &Arc<Edge>, request: Request) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    // What a panic leaves half done belongs to this request alone; shared state is behind locks that notice.
    let answered = AssertUnwindSafe(addon(edge, request)).catch_unwind().await;
    let response = answered.unwrap_or_else(layers::panicked);
    layers::record(&method, ADDON_ROUTE, response.status(), start.elapsed());
    response
}
