//! The planes of this process, by its role: both joined by the ports alone, or one of them.

mod control;
mod edge;
mod proxy;
mod rates;

use std::sync::Arc;

use axum::Router;
use chill_control::Control;
use chill_core::ControlPlane;
use chill_edge::Edge;
use chill_edge::proxy::Proxy;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ready::{self, Parts};
use crate::config::{Config, Role};
use crate::wiring;
use edge::EdgePlane;

/// The planes of this process.
pub(super) struct Planes {
    control: Option<Control>,
    edge: Option<EdgePlane>,
    proxy: Option<Arc<Proxy>>,
    router: Router,
}

/// Builds what the role asks for.
pub(super) async fn wire(config: &Config) -> anyhow::Result<Planes> {
    match config.role {
        Role::All => both(config).await,
        Role::Control => control_alone(config).await,
        Role::Edge => edge_alone(config).await,
    }
}

async fn both(config: &Config) -> anyhow::Result<Planes> {
    let opened = control::open(config).await?;
    let control = opened.control;
    let port: Arc<dyn ControlPlane> = Arc::new(control.clone());
    let counters = rates::open(&config.limits).await?;
    let edge = EdgePlane::new(config, port, opened.stores, control.db().clone(), &counters).await?;
    let ready = ready::router(Parts { control: Some(control.clone()), remote: None, redis: counters.redis.clone() });
    let proxy = proxy::open(config, opened.link_secrets, counters.port.clone())?;
    let router = control::internal_api(config, &control, &counters).merge(ready).merge(edge.router());
    let router = router.merge(proxy::router(proxy.as_ref()));
    Ok(Planes { control: Some(control), edge: Some(edge), proxy, router })
}

async fn control_alone(config: &Config) -> anyhow::Result<Planes> {
    let control = control::open(config).await?.control;
    if !config.control.internal_api {
        tracing::warn!(
            "INTERNAL_API_KEY is not set: the internal API is closed, and no edge can use this control plane"
        );
    }
    let counters = rates::open(&config.limits).await?;
    let ready = ready::router(Parts { control: Some(control.clone()), remote: None, redis: counters.redis.clone() });
    let router = control::internal_api(config, &control, &counters).merge(ready);
    Ok(Planes { control: Some(control), edge: None, proxy: None, router })
}

async fn edge_alone(config: &Config) -> anyhow::Result<Planes> {
    wiring::make_data_dir(config)?;
    let remote = edge::remote(config)?;
    let library = wiring::open_library(config).await?;
    let stores = wiring::stores(&config.stores);
    let (counters, control) = (rates::open(&config.limits).await?, Arc::new(remote.clone()));
    let edge = EdgePlane::new(config, control, stores, library.clone(), &counters).await?.with_library(library);
    let ready =
        ready::router(Parts { control: None, remote: Some(ready::Remote::new(remote)), redis: counters.redis.clone() });
    // All edges of a control plane share its key, so links made by one open on each.
    let secrets = config.control.remote_key.clone().into_iter().collect();
    let proxy = proxy::open(config, secrets, counters.port.clone())?;
    let router = edge.router().merge(ready).merge(proxy::router(proxy.as_ref()));
    Ok(Planes { control: None, edge: Some(edge), proxy, router })
}

impl Planes {
    /// Everything that is answered once the planes are wired.
    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    /// The edge, when this process is one.
    pub(super) fn addon(&self) -> Option<Arc<Edge>> {
        self.edge.as_ref().map(EdgePlane::addon)
    }

    /// Starts the work in the background; it ends after `end`.
    pub(super) fn start(&self, end: &CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if let Some(control) = self.control.clone() {
            let token = end.clone();
            tasks.spawn(async move { control.background(token).await });
        }
        if let Some(edge) = &self.edge {
            edge.start(&mut tasks, end);
        }
        tasks
    }

    /// The process will end soon; films that run may end.
    pub(super) fn drain(&self) {
        if let Some(edge) = &self.edge {
            edge.addon().drain();
        }
    }

    /// Ends the films that still run.
    pub(super) fn cut(&self) {
        if let Some(edge) = &self.edge {
            edge.addon().cut();
        }
        if let Some(proxy) = &self.proxy {
            proxy.cut();
        }
    }

    /// Waits for the work in the background, which delivers the last usage, and closes what is open.
    pub(super) async fn finish(&self, mut background: JoinSet<()>) {
        while let Some(ended) = background.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task ended badly");
            }
        }
        if let Some(edge) = &self.edge {
            edge.close().await;
        }
        if let Some(control) = &self.control {
            control.db().close().await;
        }
    }
}
