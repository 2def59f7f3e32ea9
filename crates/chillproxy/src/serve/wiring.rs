//! Both planes in one process: the control plane and the edge, joined by the ports alone.

use std::sync::Arc;

use axum::Router;
use chill_control::{Control, wire};
use chill_core::{Chance, Clock, Source, Store};
use chill_db::{SqliteSpool, TorrentLibrary};
use chill_edge::{Edge, EdgeConfig, Ports};
use chill_sources::{Cinemeta, Http, TorznabSource};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ready;
use crate::config::{Config, EdgeSection, ListenSection, Role, StoresSection};
use crate::wiring;

/// Usage that was not delivered yet.
const SPOOL_FILE: &str = "spool.db";

/// What indexers and Cinemeta see.
const USER_AGENT: &str = concat!("chillproxy/", env!("CARGO_PKG_VERSION"));

/// The planes of this process.
pub(super) struct Planes {
    control: Control,
    edge: Option<Arc<Edge>>,
    spool: SqliteSpool,
    internal: Router,
}

/// Builds what the role asks for.
pub(super) async fn wire(config: &Config) -> anyhow::Result<Planes> {
    let opened = wiring::open_control(config).await?;
    if opened.made_master_key {
        tracing::warn!("{}", wiring::backup_advice(config));
    }
    let control = opened.control;
    let spool = SqliteSpool::open(&config.data.file(SPOOL_FILE)).await?;
    let edge =
        (config.role != Role::Control).then(|| edge(config, &control, opened.stores, spool.clone())).transpose()?;
    let keys = config.control.internal_keys.clone().with_rate(config.control.get_key_rate);
    let internal = wire::internal_api(Arc::new(control.clone()), keys, Clock::System, Chance::System);
    Ok(Planes { control, edge, spool, internal })
}

impl Planes {
    /// Everything that is answered once the planes are wired.
    pub(super) fn router(&self) -> Router {
        let ready = ready::router(ready::Parts { control: self.control.clone() });
        let both = self.internal.clone().merge(ready);
        match &self.edge {
            Some(edge) => both.merge(chill_edge::router(Arc::clone(edge))),
            None => both,
        }
    }

    /// Starts the work in the background; it ends after `stop`.
    pub(super) fn start(&self, stop: CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let control = self.control.clone();
        let token = stop.clone();
        tasks.spawn(async move { control.background(token).await });
        if let Some(edge) = self.edge.clone() {
            tasks.spawn(async move { edge.background(stop).await });
        }
        tasks
    }

    /// Waits for the work in the background, which delivers the last usage, and closes what is open.
    pub(super) async fn finish(&self, mut background: JoinSet<()>) {
        while let Some(ended) = background.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task ended badly");
            }
        }
        self.spool.close().await;
        self.control.db().close().await;
    }
}

fn edge(
    config: &Config,
    control: &Control,
    stores: Vec<Arc<dyn Store>>,
    spool: SqliteSpool,
) -> anyhow::Result<Arc<Edge>> {
    let cinemeta = config.stores.cinemeta.clone().map_or_else(|| Cinemeta::PUBLIC_URL.parse(), Ok)?;
    let http = Http::new(USER_AGENT);
    let library = TorrentLibrary::new(control.db().clone(), Clock::System);
    let ports = Ports {
        control: Arc::new(control.clone()),
        stores,
        sources: sources(&config.stores, &http),
        titles: Arc::new(Cinemeta::new(&cinemeta, http, Clock::System)),
        library: Arc::new(library),
        spool: Arc::new(spool),
        clock: Clock::System,
        chance: Chance::System,
    };
    Ok(Edge::new(ports, settings(&config.listen, &config.edge)))
}

fn sources(section: &StoresSection, http: &Http) -> Vec<Arc<dyn Source>> {
    let torznab = section.indexers.iter().map(|indexer| {
        let source: Arc<dyn Source> = Arc::new(TorznabSource::new(indexer.clone(), http.clone()));
        source
    });
    torznab.collect()
}

fn settings(listen: &ListenSection, section: &EdgeSection) -> EdgeConfig {
    EdgeConfig {
        base_url: listen.base_url.clone(),
        pool: section.pool_auth,
        delivery: section.delivery,
        trusted_proxies: section.trusted_proxies.clone(),
        fingerprint: section.fingerprint.clone(),
        ..EdgeConfig::default()
    }
}
