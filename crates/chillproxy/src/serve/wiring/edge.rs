//! The edge of this process over a control plane that is here or elsewhere. Elsewhere, it opens two files of its own: the
//! spool, and a library of known torrents.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chill_control::{Deadlines, RemoteConfig, RemoteControl};
use chill_core::clock::millis;
use chill_core::source::Indexers;
use chill_core::{Chance, Clock, ControlPlane, Secret, Source, Store, Titles};
use chill_db::{AnimeMap, Db, DbError, ImdbTitles, SqliteSpool, TorrentLibrary};
use chill_edge::proxy::ProxyUsers;
use chill_edge::relay::RelayConfig;
use chill_edge::{Edge, EdgeConfig, Ports};
use chill_sources::{AnimeTitles, Cinemeta, FirstOf, Http, Kitsu, OwnIndexers, TorznabSource};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::rates::Counters;
use crate::config::{Config, EdgeSection, ListenSection, OwnIndexersMode, StoresSection};

/// Usage that was not delivered yet.
const SPOOL_FILE: &str = "spool.db";
/// How long an edge's own library remembers a torrent that no search found again, and how often it forgets.
const REMEMBERED: Duration = Duration::from_secs(90 * 86_400);
const FORGET: Duration = Duration::from_secs(3_600);

/// What indexers and Cinemeta see.
const USER_AGENT: &str = concat!("chillproxy/", env!("CARGO_PKG_VERSION"));

/// The edge and what it alone has open.
pub(super) struct EdgePlane {
    edge: Arc<Edge>,
    users: ProxyUsers,
    spool: SqliteSpool,
    library: Option<Db>,
}

/// The control plane of another process.
pub(super) fn remote(config: &Config) -> anyhow::Result<RemoteControl> {
    let section = &config.control;
    Ok(RemoteControl::new(RemoteConfig {
        urls: section.remote_urls.clone(),
        roots: section.remote_roots.clone(),
        key: section.remote_key.clone().unwrap_or_else(|| Secret::new("")),
        clock: Clock::System,
        chance: Chance::System,
        deadlines: Deadlines::default(),
    })?)
}

impl EdgePlane {
    /// An edge that asks `control` and remembers torrents in `library`.
    pub(super) async fn new(
        config: &Config,
        control: Arc<dyn ControlPlane>,
        stores: Vec<Arc<dyn Store>>,
        library: Db,
        counters: &Counters,
    ) -> anyhow::Result<Self> {
        let spool = SqliteSpool::open(&config.data.file(SPOOL_FILE)).await?;
        let http = Http::new(USER_AGENT);
        let ports = Ports {
            control,
            stores,
            sources: sources(&config.stores, &http),
            indexers: own_indexers(config.stores.own_indexers, &http),
            titles: titles(&config.stores, library.clone(), &http)?,
            library: Arc::new(TorrentLibrary::new(library, Clock::System)),
            spool: Arc::new(spool.clone()),
            rates: Arc::clone(&counters.port),
            places: counters.places.clone(),
            clock: Clock::System,
            chance: Chance::System,
        };
        Ok(Self {
            edge: Edge::new(ports, settings(&config.listen, &config.edge)),
            users: config.proxy.users.clone(),
            spool,
            library: None,
        })
    }

    /// The library is this edge's own: it forgets by itself, and is closed with the edge.
    pub(super) fn with_library(self, library: Db) -> Self {
        Self { library: Some(library), ..self }
    }

    /// What answers the addon's viewers.
    pub(super) fn addon(&self) -> Arc<Edge> {
        Arc::clone(&self.edge)
    }

    /// What viewers ask.
    pub(super) fn router(&self) -> Router {
        let torznab = chill_edge::torznab::router(Arc::clone(&self.edge), self.users.clone());
        chill_edge::router(Arc::clone(&self.edge)).merge(torznab)
    }

    /// Starts what is done while nobody asks.
    pub(super) fn start(&self, tasks: &mut JoinSet<()>, end: &CancellationToken) {
        let (edge, token) = (Arc::clone(&self.edge), end.clone());
        tasks.spawn(async move { edge.background(token).await });
        if let Some(library) = self.library.clone() {
            let token = end.clone();
            tasks.spawn(async move {
                let _ = token.run_until_cancelled(keep_forgetting(&library)).await;
            });
        }
    }

    /// Closes the files.
    pub(super) async fn close(&self) {
        self.spool.close().await;
        if let Some(library) = &self.library {
            library.close().await;
        }
    }
}

async fn keep_forgetting(library: &Db) {
    loop {
        if let Err(error) = forget_old(library).await {
            tracing::warn!(%error, "old torrents could not be forgotten; trying again");
        }
        tokio::time::sleep(FORGET).await;
    }
}

async fn forget_old(library: &Db) -> Result<(), DbError> {
    let before = Clock::System.now().saturating_sub(millis(REMEMBERED));
    loop {
        let mut tx = library.write().await?;
        let forgotten = tx.known_forget(before).await?;
        tx.commit().await?;
        if forgotten == 0 {
            return Ok(());
        }
    }
}

/// Viewers' own indexers, as far as the operator lets them be asked.
fn own_indexers(own: OwnIndexersMode, http: &Http) -> Option<Arc<dyn Indexers>> {
    let private = match own {
        OwnIndexersMode::Off => return None,
        OwnIndexersMode::Public => false,
        OwnIndexersMode::Any => true,
    };
    Some(Arc::new(OwnIndexers::new(http.clone(), private)))
}

/// What was imported first; Cinemeta for the rest. Anime by its own catalogues' ids is joined from all of them.
fn titles(section: &StoresSection, imported: Db, http: &Http) -> anyhow::Result<Arc<dyn Titles>> {
    let cinemeta = section.cinemeta.clone().map_or_else(|| Cinemeta::PUBLIC_URL.parse(), Ok)?;
    let kitsu = section.kitsu.clone().map_or_else(|| Kitsu::PUBLIC_URL.parse(), Ok)?;
    let kitsu = Kitsu::new(&kitsu, http.clone(), Clock::System);
    let map = Arc::new(AnimeMap::new(imported.clone()));
    let by_imdb: Vec<Arc<dyn Titles>> =
        vec![Arc::new(ImdbTitles::new(imported)), Arc::new(Cinemeta::new(&cinemeta, http.clone(), Clock::System))];
    let anime: Arc<dyn Titles> = Arc::new(AnimeTitles::new(map, by_imdb.clone(), kitsu));
    Ok(Arc::new(FirstOf(std::iter::once(anime).chain(by_imdb).collect())))
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
        max_streams_per_user: section.max_streams_per_user,
        max_streams: section.max_streams,
        relay: relay(section),
        ..EdgeConfig::default()
    }
}

/// The byte path, of films as of the content proxy.
pub(super) fn relay(section: &EdgeSection) -> RelayConfig {
    RelayConfig {
        stall_timeout: section.stall_timeout,
        head_timeout: section.origin_timeout,
        plain: section.relay_plain,
        ..RelayConfig::default()
    }
}
