//! Kitsu's API, as far as names go: `/api/edge/anime/{id}` and `/api/edge/mappings` by another catalogue's id
//! (`https://kitsu.docs.apiary.io`, JSON:API).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calls::{Call, Calls};
use crate::clock::lock;
use crate::fault::{Fault, FaultRule, Faults};
use crate::front::{Front, answer};

const JSON_API: &str = "application/vnd.api+json; charset=utf-8";

/// An anime Kitsu knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anime {
    /// Kitsu's number.
    pub id: u32,
    /// MyAnimeList's number, when there is a mapping.
    #[serde(default)]
    pub mal: Option<u32>,
    /// The most common name.
    pub canonical_title: String,
    /// Names by language, such as `en`, `en_jp`, `ja_jp`.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// First shown, such as `2013-04-07`.
    pub start_date: String,
}

impl Anime {
    /// One with a canonical name alone.
    pub fn new(id: u32, canonical_title: &str, start_date: &str) -> Self {
        let (canonical_title, start_date) = (canonical_title.to_owned(), start_date.to_owned());
        Self { id, mal: None, canonical_title, titles: BTreeMap::new(), start_date }
    }

    /// The same with MyAnimeList's number.
    #[must_use]
    pub fn at_mal(mut self, mal: u32) -> Self {
        self.mal = Some(mal);
        self
    }

    /// The same with a name in a language.
    #[must_use]
    pub fn named(mut self, language: &str, name: &str) -> Self {
        self.titles.insert(language.to_owned(), name.to_owned());
        self
    }

    fn shown(&self) -> Value {
        json!({"id": self.id.to_string(), "type": "anime", "links": {"self": format!("/api/edge/anime/{}", self.id)},
            "attributes": {"canonicalTitle": self.canonical_title, "titles": self.titles, "abbreviatedTitles": [],
                "startDate": self.start_date, "subtype": "TV", "episodeCount": null},
            "relationships": {}})
    }
}

/// Handle on the simulated Kitsu.
#[derive(Clone, Debug, Default)]
pub struct Kitsu {
    known: Arc<Mutex<BTreeMap<u32, Anime>>>,
    calls: Calls,
    faults: Faults,
}

impl Kitsu {
    /// Makes an anime known; replaces one of the same number.
    pub fn add_anime(&self, anime: Anime) {
        lock(&self.known).insert(anime.id, anime);
    }

    /// Lets `fault` happen on the next `times` calls.
    pub fn fault(&self, fault: Fault, times: u32) {
        self.faults.add(FaultRule::new("", fault).times(times));
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.all()
    }

    pub(crate) fn router(&self) -> Router {
        let front = Front { calls: self.calls.clone(), faults: self.faults.clone(), content_type: JSON_API };
        Router::new()
            .route("/api/edge/anime/{id}", get(anime))
            .route("/api/edge/mappings", get(mappings))
            .layer(axum::middleware::from_fn_with_state(front, crate::front::front))
            .with_state(self.clone())
    }
}

async fn anime(State(kitsu): State<Kitsu>, Path(id): Path<String>) -> Response {
    let known = lock(&kitsu.known);
    match id.parse::<u32>().ok().and_then(|id| known.get(&id)) {
        Some(anime) => answer(StatusCode::OK, JSON_API, json!({"data": anime.shown()}).to_string()),
        None => {
            let error = json!({"title": "Record not found", "detail": "The record could not be found.", "code": "404",
                "status": "404"});
            answer(StatusCode::NOT_FOUND, JSON_API, json!({"errors": [error]}).to_string())
        }
    }
}

/// `filter[externalSite]`, `filter[externalId]`, and the anime beside the mapping when `include=item` asks for it.
async fn mappings(State(kitsu): State<Kitsu>, Query(asked): Query<BTreeMap<String, String>>) -> Response {
    let known = lock(&kitsu.known);
    let text = |key: &str| asked.get(key).map_or("", String::as_str);
    let (site, wanted) = (text("filter[externalSite]"), text("filter[externalId]"));
    let found = known
        .values()
        .find(|anime| site == "myanimelist/anime" && anime.mal.is_some_and(|mal| mal.to_string() == wanted));
    let body = match found {
        None => json!({"data": [], "meta": {"count": 0}}),
        Some(anime) => {
            let item = json!({"data": {"type": "anime", "id": anime.id.to_string()}});
            let mapping = json!({"id": "1", "type": "mappings", "relationships": {"item": item},
                "attributes": {"externalSite": site, "externalId": wanted}});
            let mut body = json!({"data": [mapping], "meta": {"count": 1}});
            if text("include") == "item" {
                body["included"] = json!([anime.shown()]);
            }
            body
        }
    };
    answer(StatusCode::OK, JSON_API, body.to_string())
}
