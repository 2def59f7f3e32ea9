//! Where this process counts viewers' requests and streams, and edges' calls: in its own memory, or in the Redis all nodes share.

use std::sync::Arc;

use chill_core::{Places, Rates};
use chill_db::{LocalRates, SharedPlaces, SharedRates};

use crate::config::LimitsSection;

/// The counters of this process.
#[derive(Clone)]
pub(super) struct Counters {
    /// For both planes.
    pub(super) port: Arc<dyn Rates>,
    /// Streams; none: each edge counts its own.
    pub(super) places: Option<Arc<dyn Places>>,
    /// The shared ones, for readiness.
    pub(super) redis: Option<Arc<SharedRates>>,
}

/// Opens the counters. Redis may be away: then it is a warning, and this node counts alone.
pub(super) async fn open(section: &LimitsSection) -> anyhow::Result<Counters> {
    let Some(url) = &section.redis else {
        return Ok(Counters { port: Arc::new(LocalRates::new(section.rates)), places: None, redis: None });
    };
    let shared = Arc::new(SharedRates::open(url, section.rates)?);
    if shared.is_there().await {
        tracing::info!("limits are shared through Redis");
    }
    let places: Arc<dyn Places> = Arc::new(SharedPlaces::beside(&shared));
    Ok(Counters { port: shared.clone(), places: Some(places), redis: Some(shared) })
}
