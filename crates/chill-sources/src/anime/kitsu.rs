//! Kitsu's public API: what an anime is called (`https://kitsu.docs.apiary.io`, JSON:API).

use std::time::Duration;

use chill_core::{AnimeId, AnimeSite, Clock, Secret, SourceError};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use crate::cinemeta::first_year;
use crate::http_client::Http;
use crate::kept::Keeper;

const NAME: &str = "Kitsu";
const DEADLINE: Duration = Duration::from_secs(5);
const BODY_CAP: usize = 1 << 20;
/// The longest name, in characters.
const LONGEST: usize = 300;
/// Names read of one anime.
const NAMES: usize = 12;

/// Kitsu as a place that knows names of anime. Answers are kept, and asked for once however many want them.
#[derive(Debug)]
pub struct Kitsu {
    /// Without a slash at the end.
    base: String,
    http: Http,
    kept: Keeper<Names>,
}

/// Names of an anime, the most common one first, and its first year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    pub(super) year: Option<u16>,
}

/// `data` for one anime, `included` for what a search by another catalogue's id leads to.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    included: Vec<Value>,
}

#[derive(Deserialize)]
struct Anime {
    #[serde(rename = "type")]
    kind: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    #[serde(default)]
    canonical_title: Value,
    #[serde(default)]
    titles: Map<String, Value>,
    #[serde(default)]
    start_date: Value,
}

impl Kitsu {
    /// Where everybody's Kitsu is.
    pub const PUBLIC_URL: &str = "https://kitsu.app";

    /// The one at `url`, reached through the shared client.
    #[must_use]
    pub fn new(url: &Url, http: Http, clock: Clock) -> Self {
        Self { base: url.as_str().trim_end_matches('/').to_owned(), http, kept: Keeper::new(NAME, clock) }
    }

    /// Names of an anime; none when Kitsu does not know it.
    ///
    /// # Errors
    /// [`SourceError`] when Kitsu cannot be asked.
    pub(super) async fn names(&self, id: AnimeId) -> Result<Option<Names>, SourceError> {
        self.kept.get(id.to_string(), self.ask(id)).await
    }

    async fn ask(&self, id: AnimeId) -> Result<Option<Names>, String> {
        let (base, number) = (&self.base, id.number);
        let url = match id.site {
            AnimeSite::Kitsu => format!("{base}/api/edge/anime/{number}"),
            AnimeSite::Mal => format!(
                "{base}/api/edge/mappings?filter%5BexternalSite%5D=myanimelist%2Fanime\
                 &filter%5BexternalId%5D={number}&include=item"
            ),
        };
        let page = self.http.get(&Secret::new(url), BODY_CAP, Instant::now() + DEADLINE).await;
        let page = page.map_err(|e| e.to_string())?;
        let status = page.status.as_u16();
        if page.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !page.status.is_success() {
            return Err(format!("it answered with HTTP {status}"));
        }
        let answer: Answer = serde_json::from_slice(&page.body)
            .map_err(|_| format!("HTTP {status}: it answered with something that is no anime"))?;
        let mut told = std::iter::once(answer.data).chain(answer.included);
        let anime = told.find_map(|value| Anime::deserialize(value).ok().filter(|anime| anime.kind == "anime"));
        Ok(anime.and_then(|anime| anime.attributes.into_names()))
    }
}

impl Attributes {
    fn into_names(self) -> Option<Names> {
        // Latin letters are what releases are named with, so those come before the others.
        let known = ["en_jp", "en", "en_us"];
        let latin = known.iter().filter_map(|key| self.titles.get(*key));
        let others = self.titles.iter().filter(|(key, _)| !known.contains(&key.as_str())).map(|(_, name)| name);
        let mut names = Vec::new();
        for name in std::iter::once(&self.canonical_title).chain(latin).chain(others).filter_map(Value::as_str) {
            let name: String = name.split(char::is_control).collect::<Vec<_>>().join(" ");
            let name: String = name.trim().chars().take(LONGEST).collect();
            if names.len() < NAMES {
                super::names::add(&mut names, &name);
            }
        }
        (!names.is_empty()).then(|| Names { names, year: first_year(&self.start_date) })
    }
}
