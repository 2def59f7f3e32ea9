//! Cinemeta, Stremio's own catalogue: what a film or series is called (`/meta/{type}/{id}.json` of the addon protocol).
//!
//! For: titles and years by IMDb id. Refuses: anything else Cinemeta knows. Start at [`Cinemeta`].

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use chill_core::{Clock, ContentId, Millis, Secret, SourceError, Title, Titles, clock};
use http::StatusCode;
use moka::future::Cache;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::http_client::Http;

const NAME: &str = "Cinemeta";
const DEADLINE: Duration = Duration::from_secs(5);
const BODY_CAP: usize = 2 << 20;
/// Titles kept.
const KEPT: u64 = 20_000;
const KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);
const UNKNOWN_FOR: Duration = Duration::from_secs(5 * 60);
/// So that a Cinemeta in trouble is not asked by every request.
const FAILED_FOR: Duration = Duration::from_secs(15);
/// The longest name, in characters.
const LONGEST: usize = 300;

/// Cinemeta as a place that knows titles. Answers are kept, and asked for once however many want them.
#[derive(Debug)]
pub struct Cinemeta {
    /// Without a slash at the end.
    base: String,
    http: Http,
    clock: Clock,
    kept: Cache<(&'static str, String), Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    title: Result<Option<Title>, String>,
    until: Millis,
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
}

impl Cinemeta {
    /// Where everybody's Cinemeta is.
    pub const PUBLIC_URL: &str = "https://v3-cinemeta.strem.io";

    /// The one at `url`, reached through the shared client.
    #[must_use]
    pub fn new(url: &Url, http: Http, clock: Clock) -> Self {
        let base = url.as_str().trim_end_matches('/').to_owned();
        let kept = Cache::builder().max_capacity(KEPT).time_to_live(KNOWN_FOR).build();
        Self { base, http, clock, kept }
    }

    async fn ask(&self, kind: &str, imdb: &str) -> Kept {
        let title = self.answer(kind, imdb).await;
        let lasts = match &title {
            Ok(Some(_)) => KNOWN_FOR,
            Ok(None) => UNKNOWN_FOR,
            Err(_) => FAILED_FOR,
        };
        Kept { title, until: self.clock.now().saturating_add(clock::millis(lasts)) }
    }

    async fn answer(&self, kind: &str, imdb: &str) -> Result<Option<Title>, String> {
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
        Ok(answer.meta.and_then(Meta::into_title))
    }
}

#[async_trait]
impl Titles for Cinemeta {
    async fn title(&self, content: &ContentId) -> Result<Option<Title>, SourceError> {
        let of = (content.kind(), content.imdb().to_owned());
        let now = self.clock.now();
        let asked = self.ask(content.kind(), content.imdb());
        let kept = self.kept.entry(of).or_insert_with_if(asked, |kept| kept.until <= now).await;
        kept.into_value().title.map_err(|message| SourceError { origin: NAME.to_owned(), message })
    }
}

impl Meta {
    fn into_title(self) -> Option<Title> {
        let name = self.name?;
        let name: String =
            name.split(char::is_control).collect::<Vec<_>>().join(" ").trim().chars().take(LONGEST).collect();
        let year = [&self.release_info, &self.year, &self.released].into_iter().find_map(first_year);
        (!name.is_empty()).then_some(Title { name, year })
    }
}

/// The first year in `1968`, `1955–1960`, `2021-`, a date, or a number.
fn first_year(value: &Value) -> Option<u16> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let mut runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 4);
    runs.find_map(|run| run.parse().ok().filter(|year| (1870..=2200).contains(year)))
}
