//! Readiness by part: 503 while this process cannot serve, with the part that is missing by its name.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chill_control::Control;
use chill_core::Clock;
use chill_core::pool::Serving;
use serde_json::json;

/// The parts this process needs.
#[derive(Clone)]
pub(super) struct Parts {
    /// The control plane, with its database and its pool.
    pub control: Control,
}

/// `GET /readyz`.
pub(super) fn router(parts: Parts) -> Router {
    Router::new().route("/readyz", get(readyz)).with_state(parts)
}

async fn readyz(State(parts): State<Parts>) -> Response {
    let mut report = BTreeMap::new();
    let database = parts.control.db().ping().await;
    report.insert("database", word(database.is_ok(), "ok", "not reachable"));
    let serving = match database {
        Ok(()) => serving_keys(&parts.control).await,
        Err(_) => 0,
    };
    // An empty pool is not a reason to take the server out: viewers with their own token are served without it.
    report.insert("pool", word(serving > 0, "ok", "no key serves; add one with `chillproxy key add`"));
    let ready = database.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({"ready": ready, "parts": report}))).into_response()
}

async fn serving_keys(control: &Control) -> usize {
    let now = Clock::System.now();
    let keys = control.keys().list().await.unwrap_or_default();
    keys.iter().filter(|key| key.state.serving(now) != Serving::Nobody).count()
}

fn word(good: bool, yes: &'static str, no: &'static str) -> &'static str {
    if good { yes } else { no }
}
