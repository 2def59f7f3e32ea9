//! A Torznab indexer: capabilities, searches over its releases, and the ways real indexers differ.

mod caps;
mod feed;
mod release;
mod search;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use serde::{Deserialize, Serialize};

pub(crate) use feed::error_document;
pub use release::Release;

use crate::calls::{Call, Calls};
use crate::clock::{SimClock, lock};
use crate::fault::{Fault, FaultRule, Faults};
use crate::front::Front;

/// Releases kept at once.
const RELEASES: usize = 20_000;

/// What kind of indexer it is; the default can do everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Indexer {
    /// Server title in the capabilities and the feed.
    pub title: String,
    /// The key it accepts. Capabilities are open.
    pub api_key: String,
    /// `t=search` is available.
    pub search: bool,
    /// `t=tvsearch` is available.
    pub tv_search: bool,
    /// `t=movie` is available.
    pub movie_search: bool,
    /// `imdbid` is a supported parameter of both.
    pub imdbid: bool,
    /// `season` and `ep` are supported parameters of `tvsearch`.
    pub season_and_episode: bool,
    /// An episode search also gives the packs of its season (most indexers do not).
    pub packs_match_episode: bool,
    /// Items carry `magneturl`, and enclosure and link are magnets; otherwise they lead to a download address.
    pub magnets: bool,
    /// Items carry `infohash`.
    pub infohash: bool,
    /// The capabilities have a `<searching>` element.
    pub searching_in_caps: bool,
    /// Largest page, told as `limits max`.
    pub limit_max: usize,
    /// Page when no limit was asked for.
    pub limit_default: usize,
    /// `application/rss+xml`, `application/xml` or `text/xml`.
    pub content_type: String,
}

impl Default for Indexer {
    fn default() -> Self {
        Self {
            title: "Sim Indexer".to_owned(),
            api_key: "sim-indexer-key".to_owned(),
            search: true,
            tv_search: true,
            movie_search: true,
            imdbid: true,
            season_and_episode: true,
            packs_match_episode: false,
            magnets: true,
            infohash: true,
            searching_in_caps: true,
            limit_max: 100,
            limit_default: 100,
            content_type: "application/rss+xml; charset=utf-8".to_owned(),
        }
    }
}

#[derive(Debug, Default)]
struct Shelf {
    indexer: Indexer,
    releases: Vec<Release>,
}

/// Handle on the simulated Torznab indexer.
#[derive(Clone, Debug)]
pub struct Torznab {
    shelf: Arc<Mutex<Shelf>>,
    base: String,
    clock: SimClock,
    calls: Calls,
    faults: Faults,
}

impl Torznab {
    pub(crate) fn new(clock: SimClock, base: String) -> Self {
        let (shelf, calls, faults) = Default::default();
        Self { shelf, base, clock, calls, faults }
    }

    /// The key the indexer accepts.
    pub fn api_key(&self) -> String {
        lock(&self.shelf).indexer.api_key.clone()
    }

    /// What kind of indexer it is now.
    pub fn indexer(&self) -> Indexer {
        lock(&self.shelf).indexer.clone()
    }

    /// Turns it into another kind of indexer; its releases stay.
    pub fn set_indexer(&self, indexer: Indexer) {
        lock(&self.shelf).indexer = indexer;
    }

    /// Adds a release; beyond 20,000 the oldest is dropped.
    pub fn add_release(&self, release: Release) {
        let mut shelf = lock(&self.shelf);
        if shelf.releases.len() == RELEASES {
            shelf.releases.remove(0);
        }
        shelf.releases.push(release);
    }

    /// Removes every release.
    pub fn clear_releases(&self) {
        lock(&self.shelf).releases.clear();
    }

    /// Lets `fault` happen on the next `times` calls of `function` (`caps`, `search`, `tvsearch`, `movie`, `download`; `""`
    /// for all).
    pub fn fault(&self, function: &str, fault: Fault, times: u32) {
        self.faults.add(FaultRule::new(function, fault).times(times));
    }

    /// Adds a script of misbehaviour.
    pub fn add_fault(&self, rule: FaultRule) {
        self.faults.add(rule);
    }

    /// Ends all misbehaviour.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.all()
    }

    /// Number of calls of this function (`""` for all).
    pub fn calls_to(&self, function: &str) -> usize {
        self.calls.to(function)
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.calls.forget();
    }

    /// Answers under `/api`, and under the path Jackett gives its indexers.
    pub(crate) fn router(&self) -> Router {
        let front =
            Front { calls: self.calls.clone(), faults: self.faults.clone(), content_type: "application/rss+xml" };
        Router::new()
            .route("/api", get(search::api))
            .route("/api/v2.0/indexers/{indexer}/results/torznab/api", get(search::api))
            .route("/download/{hash}", get(search::download))
            .route("/{indexer}/download", get(search::file))
            .layer(axum::middleware::from_fn_with_state(front, crate::front::front))
            .with_state(self.clone())
    }
}
