//! Cinemeta's `/meta/{type}/{id}.json`: names, years and episodes by IMDb id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calls::{Call, Calls};
use crate::clock::lock;
use crate::fault::{Fault, FaultRule, Faults};
use crate::front::{Front, answer};

/// Film or series, as in the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TitleKind {
    /// `movie`
    Movie,
    /// `series`
    Series,
}

/// One episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Season; 0 for specials.
    pub season: u32,
    /// Episode.
    pub episode: u32,
    /// Its name.
    pub name: String,
    /// First shown, RFC 3339.
    pub released: String,
}

/// A film or series Cinemeta knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// Film or series.
    pub kind: TitleKind,
    /// IMDb id with `tt`.
    pub id: String,
    /// Name.
    pub name: String,
    /// `1968`, `1955–1960`, `2021–`.
    pub release_info: String,
    /// Episodes, for series.
    #[serde(default)]
    pub videos: Vec<Video>,
    /// Such as `Animation`.
    #[serde(default)]
    pub genres: Vec<String>,
    /// Such as `Japan` or `Japan, United States`.
    #[serde(default)]
    pub country: Option<String>,
}

impl Title {
    /// A film.
    pub fn movie(id: &str, name: &str, year: u32) -> Self {
        let release_info = year.to_string();
        let (id, name) = (id.to_owned(), name.to_owned());
        Self { kind: TitleKind::Movie, id, name, release_info, videos: Vec::new(), genres: Vec::new(), country: None }
    }

    /// A series with episodes given as (season, episode, name).
    pub fn series(id: &str, name: &str, release_info: &str, episodes: &[(u32, u32, &str)]) -> Self {
        let released = format!("{}-09-26T00:00:00.000Z", release_info.get(..4).unwrap_or("2000"));
        let videos = episodes.iter().map(|(season, episode, name)| Video {
            season: *season,
            episode: *episode,
            name: (*name).to_owned(),
            released: released.clone(),
        });
        let (id, name, release_info) = (id.to_owned(), name.to_owned(), release_info.to_owned());
        let videos = videos.collect();
        Self { kind: TitleKind::Series, id, name, release_info, videos, genres: Vec::new(), country: None }
    }

    /// The same of a genre and a country.
    #[must_use]
    pub fn made_in(mut self, genre: &str, country: &str) -> Self {
        self.genres.push(genre.to_owned());
        self.country = Some(country.to_owned());
        self
    }

    fn shown(&self) -> Value {
        let videos = self.videos.iter().map(|video| {
            json!({"id": format!("{}:{}:{}", self.id, video.season, video.episode), "name": video.name,
                "season": video.season, "number": video.episode, "episode": video.episode,
                "released": video.released, "firstAired": video.released})
        });
        let mut meta = json!({"id": self.id, "imdb_id": self.id, "name": self.name, "releaseInfo": self.release_info,
            "year": self.release_info, "type": self.kind, "description": "", "genres": self.genres, "genre": self.genres, "country": self.country, "runtime": "96 min"});
        if self.kind == TitleKind::Series {
            meta["videos"] = videos.collect();
        }
        json!({"meta": meta})
    }
}

#[derive(Debug, Default)]
struct Titles {
    known: HashMap<(TitleKind, String), Title>,
    unknown_is_404: bool,
}

/// Handle on the simulated Cinemeta.
#[derive(Clone, Debug, Default)]
pub struct Cinemeta {
    titles: Arc<Mutex<Titles>>,
    calls: Calls,
    faults: Faults,
}

impl Cinemeta {
    /// Makes a title known; replaces one of the same kind and id.
    pub fn add_title(&self, title: Title) {
        lock(&self.titles).known.insert((title.kind, title.id.clone()), title);
    }

    /// Whether an unknown title answers 404, or 200 with `{"meta":{}}` (the default).
    pub fn set_unknown_is_404(&self, unknown_is_404: bool) {
        lock(&self.titles).unknown_is_404 = unknown_is_404;
    }

    /// Lets `fault` happen on the next `times` calls whose path ends with `end` (`""` for all).
    pub fn fault(&self, end: &str, fault: Fault, times: u32) {
        self.faults.add(FaultRule::new(end, fault).times(times));
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

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.calls.forget();
    }

    pub(crate) fn router(&self) -> Router {
        let front = Front { calls: self.calls.clone(), faults: self.faults.clone(), content_type: "application/json" };
        Router::new()
            .route("/meta/{kind}/{file}", get(meta))
            .layer(axum::middleware::from_fn_with_state(front, crate::front::front))
            .with_state(self.clone())
    }
}

async fn meta(State(cinemeta): State<Cinemeta>, Path((kind, file)): Path<(String, String)>) -> Response {
    let kind = match kind.as_str() {
        "movie" => Some(TitleKind::Movie),
        "series" => Some(TitleKind::Series),
        _ => None,
    };
    let titles = lock(&cinemeta.titles);
    let title = kind.zip(file.strip_suffix(".json")).and_then(|(kind, id)| titles.known.get(&(kind, id.to_owned())));
    match title {
        Some(title) => answer(StatusCode::OK, "application/json", title.shown().to_string()),
        None if titles.unknown_is_404 => answer(StatusCode::NOT_FOUND, "text/plain", "Not Found"),
        None => answer(StatusCode::OK, "application/json", json!({"meta": {}}).to_string()),
    }
}
