//! Cinemeta, Stremio's own catalogue: what a film or series is called (`/meta/{type}/{id}.json` of the addon protocol).
//!
//! For: titles and years by IMDb id, and how long seasons are. Refuses: anything else Cinemeta knows. Start at [`Cinemeta`].

mod seasons;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use chill_core::{Clock, ContentId, Secret, SourceError, Title, Titles};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::http_client::Http;
use crate::kept::Keeper;
use seasons::{Seasons, Video};

const NAME: &str = "Cinemeta";
const DEADLINE: Duration = Duration::from_secs(5);
const BODY_CAP: usize = 2 << 20;
/// The longest name, in characters.
const LONGEST: usize = 300;

/// Cinemeta as a place that knows titles. Answers are kept, and asked for once however many want them.
#[derive(Debug)]
pub struct Cinemeta {
    /// Without a slash at the end.
    base: String,
    http: Http,
    kept: Keeper<Known>,
}

/// What is kept of an answer.
#[derive(Clone, Debug)]
struct Known {
    title: Title,
    seasons: Seasons,
}

#[derive(Deserialize)]
struct Answer {
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    name: Option<String>,
    #[serde(default, rename = "releaseInfo")]
    release_info: Value,
    #[serde(default)]
    year: Value,
    #[serde(default)]
    released: Value,
    #[serde(default)]
    videos: Value,
    #[serde(default)]
    genres: Value,
    #[serde(default)]
    country: Value,
}

impl Cinemeta {
    /// Where everybody's Cinemeta is.
    pub const PUBLIC_URL: &str = "https://v3-cinemeta.strem.io";

    /// The one at `url`, reached through the shared client.
    #[must_use]
    pub fn new(url: &Url, http: Http, clock: Clock) -> Self {
        let base = url.as_str().trim_end_matches('/').to_owned();
        Self { base, http, kept: Keeper::new(NAME, clock) }
    }

    async fn answer(&self, kind: &str, imdb: &str) -> Result<Option<Known>, String> {
        let url = Secret::new(format!("{}/meta/{kind}/{imdb}.json", self.base));
        let page = self.http.get(&url, BODY_CAP, Instant::now() + DEADLINE).await.map_err(|e| e.to_string())?;
        if page.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let status = page.status.as_u16();
        if !page.status.is_success() {
            return Err(format!("it answered with HTTP {status}"));
        }
        let answer: Answer = serde_json::from_slice(&page.body)
            .map_err(|_| format!("HTTP {status}: it answered with something that is no title"))?;
        Ok(answer.meta.and_then(Meta::into_known))
    }
}

#[async_trait]
impl Titles for Cinemeta {
    async fn title(&self, content: &ContentId) -> Result<Option<Title>, SourceError> {
        let Some(imdb) = content.imdb() else { return Ok(None) };
        let kind = content.kind();
        let known = self.kept.get(format!("{kind}/{imdb}"), self.answer(kind, imdb)).await?;
        Ok(known.map(|Known { title, seasons }| match content {
            ContentId::Episode { season, episode, .. } => {
                Title { numbers: seasons.numbers(*season, *episode), ..title }
            }
            _ => title,
        }))
    }
}

impl Meta {
    fn into_known(self) -> Option<Known> {
        let name = self.name?;
        let name: String =
            name.split(char::is_control).collect::<Vec<_>>().join(" ").trim().chars().take(LONGEST).collect();
        let year = [&self.release_info, &self.year, &self.released].into_iter().find_map(first_year);
        // One by one, so that an odd episode costs only itself.
        let videos = match self.videos {
            Value::Array(videos) => videos.into_iter().filter_map(|video| Video::deserialize(video).ok()).collect(),
            _ => Vec::new(),
        };
        let is_anime = says(&self.genres, "Anime") || says(&self.genres, "Animation") && says(&self.country, "Japan");
        let title = Title { is_anime, ..Title::new(name, year) };
        (!title.name.is_empty()).then(|| Known { title, seasons: Seasons::of(&videos) })
    }
}

/// Whether a word is in a list, or in a text of words between commas.
fn says(value: &Value, wanted: &str) -> bool {
    let is = |text: &str| text.split(',').any(|word| word.trim().eq_ignore_ascii_case(wanted));
    match value {
        Value::String(text) => is(text),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).any(is),
        _ => false,
    }
}

/// The first year in `1968`, `1955–1960`, `2021-`, a date, or a number.
pub(crate) fn first_year(value: &Value) -> Option<u16> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let mut runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 4);
    runs.find_map(|run| run.parse().ok().filter(|year| (1870..=2200).contains(year)))
}
