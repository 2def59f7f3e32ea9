//! The internal HTTP API between edges and a control plane: `get-key`, `log-usage` and the change feed over any
//! [`ControlPlane`].
//!
//! For: reading requests field by field, so that each mistake is named; bearer keys; the answers of the contract. The
//! shapes on the wire live here alone.
//!
//! Refuses: decisions. Start reading at [`internal_api`].

mod access;
mod answer;
mod events;
mod fields;
pub(crate) mod frame;
mod get_key;
mod log_usage;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use chill_core::{Chance, Clock, ControlPlane};
use tokio::sync::Semaphore;

pub(crate) use access::EDGE;
pub use access::{InternalKeys, InvalidInternalKey};

/// What the routes share.
struct Api {
    control: Arc<dyn ControlPlane>,
    keys: InternalKeys,
    clock: Clock,
    chance: Chance,
    /// Places for readers of the change feed.
    sockets: Arc<Semaphore>,
}

/// The routes `POST /api/v1/internal/pool/get-key`, `…/log-usage` and `GET …/events`, closed to everyone without one of the keys. Without
/// any key they are closed to all. Clock and chance date and name usage events that come without.
pub fn internal_api(control: Arc<dyn ControlPlane>, keys: InternalKeys, clock: Clock, chance: Chance) -> Router {
    let sockets = Arc::new(Semaphore::new(events::MOST_SOCKETS));
    let api = Arc::new(Api { control, keys, clock, chance, sockets });
    Router::new()
        .route("/api/v1/internal/pool/get-key", post(get_key::get_key))
        .route("/api/v1/internal/pool/log-usage", post(log_usage::log_usage))
        .route("/api/v1/internal/pool/events", get(events::events))
        .route_layer(from_fn_with_state(api.clone(), access::check))
        .with_state(api)
}
