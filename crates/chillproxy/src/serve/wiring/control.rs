//! The control plane of this process, and the door through which edges of other processes ask it.

use std::sync::Arc;

use axum::Router;
use chill_control::{Control, wire};
use chill_core::{Chance, Clock};

use super::rates::Counters;
use crate::config::Config;
use crate::wiring::{self, Opened};

/// Opens the control plane; says what to back up when a master key was made.
pub(super) async fn open(config: &Config) -> anyhow::Result<Opened> {
    let opened = wiring::open_control(config).await?;
    if opened.made_master_key {
        tracing::warn!("{}", wiring::backup_advice(config));
    }
    Ok(opened)
}

/// `get-key`, `log-usage` and the change feed.
pub(super) fn internal_api(config: &Config, control: &Control, counters: &Counters) -> Router {
    let keys = config.control.internal_keys.clone().counted_by(Arc::clone(&counters.port));
    wire::internal_api(Arc::new(control.clone()), keys, Clock::System, Chance::System)
}
