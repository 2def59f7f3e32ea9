//! Readiness by part: 503 while this process cannot serve, with the part that is missing by its name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chill_control::{Control, RemoteControl};
use chill_core::Clock;
use chill_core::pool::Serving;
use chill_db::SharedRates;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The parts this process needs.
#[derive(Clone)]
pub(super) struct Parts {
    /// The control plane of this process, with its database and its pool.
    pub control: Option<Control>,
    /// The control plane of another process.
    pub remote: Option<Remote>,
    /// The shared counters, when there are any.
    pub redis: Option<Arc<SharedRates>>,
}

/// A control plane elsewhere, asked at most once a second however often readiness is.
#[derive(Clone)]
pub(super) struct Remote {
    control: RemoteControl,
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

/// How long an answer of the remote control plane is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(2);

impl Remote {
    /// Nothing is asked yet.
    pub(super) fn new(control: RemoteControl) -> Self {
        Self { control, last: Arc::default() }
    }

    async fn is_reachable(&self) -> bool {
        let mut last = self.last.lock().await;
        match *last {
            Some((at, reachable)) if at.elapsed() < BELIEVED => reachable,
            _ => {
                let reached = self.control.reach(PATIENCE).await;
                if let Err(error) = &reached {
                    tracing::debug!(%error, "not ready");
                }
                *last = Some((Instant::now(), reached.is_ok()));
                reached.is_ok()
            }
        }
    }
}

/// `GET /readyz`.
pub(super) fn router(parts: Parts) -> Router {
    Router::new().route("/readyz", get(readyz)).with_state(parts)
}

async fn readyz(State(parts): State<Parts>) -> Response {
    let mut report = BTreeMap::new();
    let mut ready = true;
    if let Some(control) = &parts.control {
        let database = control.db().ping().await.is_ok();
        report.insert("database", word(database, "ok", "not reachable"));
        let serving = if database { serving_keys(control).await } else { 0 };
        // An empty pool is not a reason to take the server out: viewers with their own token are served without it.
        report.insert("pool", word(serving > 0, "ok", "no key serves; add one with `chillproxy key add`"));
        ready &= database;
    }
    if let Some(remote) = &parts.remote {
        let reachable = remote.is_reachable().await;
        let advice = "not reachable, or it refuses the key; see CHILLSTREAMS_API_URL and CHILLSTREAMS_API_KEY";
        report.insert("control_plane", word(reachable, "ok", advice));
        ready &= reachable;
    }
    if let Some(redis) = &parts.redis {
        // Without it each node counts alone, so it is no reason to take the server out.
        report.insert("redis", word(redis.is_there().await, "ok", "away: this node counts requests and streams alone"));
    }
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
