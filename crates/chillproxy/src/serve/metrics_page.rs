//! `GET /metrics` on an address of its own, loopback unless the operator says otherwise.

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::accept;
use super::gate::Gate;
use crate::config::ListenSection;

/// Scrapers served at once.
const CONNECTIONS: usize = 64;
/// Whoever takes no byte of the page for so long is gone.
const UNREAD: Duration = Duration::from_secs(60);
/// How often old histogram samples are folded away.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts serving metrics. A default address that is taken is only a warning; one the operator chose is an error.
pub(super) async fn start(
    section: &ListenSection,
    recorder: PrometheusHandle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Some(address) = section.metrics else { return Ok(()) };
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) if section.metrics_chosen => {
            return Err(error).with_context(|| format!("cannot serve metrics on {address} (CHILLPROXY_METRICS_ADDR)"));
        }
        Err(error) => {
            tracing::warn!(%address, %error, "metrics are not served: the default address is taken; CHILLPROXY_METRICS_ADDR chooses another");
            return Ok(());
        }
    };
    tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
    let page = recorder.clone();
    let app = Router::new().route("/metrics", get(move || std::future::ready(page.render())));
    let bounds = accept::Bounds { connections: CONNECTIONS, player: UNREAD, drain: Duration::ZERO };
    tokio::spawn(accept::serve(listener, Gate::only(app), stop.clone(), bounds));
    tokio::spawn(async move {
        while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
            recorder.run_upkeep();
        }
    });
    Ok(())
}
