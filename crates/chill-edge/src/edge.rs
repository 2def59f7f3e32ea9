//! What an edge is made of, and its two faces: the router for players and the work in the background.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use chill_core::address::TrustedProxies;
use chill_core::control::Delivery;
use chill_core::device::Fingerprint;
use chill_core::source::Indexers;
use chill_core::{Chance, Clock, ControlPlane, Library, Places, Rates, Source, Spool, Store, StoreCode, Titles};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::lease::Leases;
use crate::limit::Limiter;
use crate::playbacks::{Across, Limits, Playbacks};
use crate::relay::{Relay, RelayConfig};
use crate::stremio::configure::{self, TokenChecks};
use crate::stremio::{
    self, cached::StoreCaches, catalogue::Catalogue, choices::ChosenCache, items::Items, links::Links, start::Starts,
};
use crate::usage::Usage;

/// What an edge needs from the outside.
pub struct Ports {
    /// Who may use which key.
    pub control: Arc<dyn ControlPlane>,
    /// The debrid services, one of each code.
    pub stores: Vec<Arc<dyn Store>>,
    /// The indexers.
    pub sources: Vec<Arc<dyn Source>>,
    /// Makes sources of viewers' own indexers; none: links may name some, but they are not asked.
    pub indexers: Option<Arc<dyn Indexers>>,
    /// What films and series are called.
    pub titles: Arc<dyn Titles>,
    /// Torrents known from before.
    pub library: Arc<dyn Library>,
    /// Usage on its way.
    pub spool: Arc<dyn Spool>,
    /// How often viewers may ask.
    pub rates: Arc<dyn Rates>,
    /// Where streams are counted together with those of other edges; none: this edge counts its own.
    pub places: Option<Arc<dyn Places>>,
    /// The time of day.
    pub clock: Clock,
    /// Ids and jitter.
    pub chance: Chance,
}

/// What an operator sets.
#[derive(Clone, Debug)]
pub struct EdgeConfig {
    /// The version manifests show, as semantic versioning writes it.
    pub version: String,
    /// The public address in links; without it, the one a request was sent to.
    pub base_url: Option<Url>,
    /// Whether links may use the pool; without it only viewers' own tokens work. `ENABLE_CHILLSTREAMS_AUTH`.
    pub pool: bool,
    /// How bytes reach users of the pool, where a lease does not say otherwise.
    pub delivery: Delivery,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// How devices are recognised.
    pub fingerprint: Fingerprint,
    /// How long a stream list waits for titles and indexers.
    pub search_budget: Duration,
    /// How long a stream list waits for one store to say what it has.
    pub check_budget: Duration,
    /// Most streams in one list.
    pub list_limit: usize,
    /// Most films one install link plays through this node at once, or through all that count together; none: no limit. A
    /// film that is redirected to its store is not counted, and a key's own limit is in its lease.
    pub max_streams_per_user: Option<usize>,
    /// Most films this node carries at once; none: no limit.
    pub max_streams: Option<usize>,
    /// The byte path.
    pub relay: RelayConfig,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            base_url: None,
            pool: true,
            delivery: Delivery::Relay,
            trusted_proxies: TrustedProxies::default(),
            fingerprint: Fingerprint::default(),
            search_budget: Duration::from_secs(8),
            check_budget: Duration::from_secs(8),
            list_limit: 100,
            max_streams_per_user: None,
            max_streams: None,
            relay: RelayConfig::default(),
        }
    }
}

/// One edge: its ports, its settings, and what it remembers.
pub struct Edge {
    pub(crate) config: EdgeConfig,
    pub(crate) control: Arc<dyn ControlPlane>,
    pub(crate) stores: HashMap<StoreCode, Arc<dyn Store>>,
    pub(crate) library: Arc<dyn Library>,
    pub(crate) indexers: Option<Arc<dyn Indexers>>,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) leases: Leases,
    pub(crate) limiter: Limiter,
    pub(crate) usage: Usage,
    pub(crate) playbacks: Playbacks,
    pub(crate) starts: Starts,
    pub(crate) catalogue: Catalogue,
    pub(crate) caches: StoreCaches,
    pub(crate) items: Items,
    pub(crate) links: Links,
    pub(crate) chosen: ChosenCache,
    pub(crate) token_checks: TokenChecks,
    pub(crate) relay: Relay,
    /// Whether the process will end soon.
    draining: AtomicBool,
}

impl Edge {
    /// An edge that has not spoken to anybody yet.
    #[must_use]
    pub fn new(ports: Ports, config: EdgeConfig) -> Arc<Self> {
        let usage = Usage::new(ports.control.clone(), ports.spool, ports.clock.clone(), ports.chance.clone());
        let catalogue = Catalogue::new(
            ports.sources,
            ports.titles,
            ports.library.clone(),
            config.search_budget,
            ports.chance.clone(),
        );
        let limits = Limits { per_user: config.max_streams_per_user, per_node: config.max_streams };
        let across = ports.places.map(|places| Across::new(places, config.fingerprint.secret.clone()));
        Arc::new(Self {
            leases: Leases::new(ports.control.clone()),
            limiter: Limiter::new(ports.rates),
            usage,
            playbacks: Playbacks::new(limits, ports.clock.clone(), across),
            starts: Starts::new(),
            catalogue,
            caches: StoreCaches::new(),
            items: Items::new(),
            links: Links::new(),
            chosen: ChosenCache::new(),
            token_checks: TokenChecks::new(),
            relay: Relay::new(config.relay.clone()),
            draining: AtomicBool::new(false),
            stores: ports.stores.into_iter().map(|store| (store.code(), store)).collect(),
            library: ports.library,
            indexers: ports.indexers,
            control: ports.control,
            clock: ports.clock,
            chance: ports.chance,
            config,
        })
    }

    /// Follows changes, confirms running playbacks and delivers usage, until `token` is cancelled; then writes down what
    /// was served and delivers what it can within a few seconds. Must run beside [`router`], once.
    pub async fn background(self: &Arc<Self>, token: CancellationToken) {
        crate::background::run(self, &token).await;
    }

    /// The process will end soon: what films carry from now on is written down within a second, since nobody knows when it
    /// is killed.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Ends all films at once.
    pub fn cut(&self) {
        self.playbacks.end_all();
    }
}

/// The edge's routes: everything below `/stremio/`. The listener must provide
/// `axum::extract::ConnectInfo<SocketAddr>`, and follow [`crate::relay::ConnectionCut`] in responses' extensions.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/stremio/torz", any(stremio::answer))
        .route("/stremio/torz/", any(stremio::answer))
        .route(stremio::ADDON_ROUTE, any(stremio::answer))
        .route("/stremio/_/clips/{name}", any(stremio::clip::answer))
        .route("/stremio/_/configure.css", get(configure::style))
        .route("/stremio/_/configure.js", get(configure::script))
        .with_state(edge)
}
