//! Torznab: the search protocol of Jackett, Prowlarr and many indexers (`https://torznab.github.io/spec-1.3-draft/`).
//!
//! For: turning a wish into an indexer's queries and whatever it answers into torrents.
//! Refuses: more than two pages per query, and showing an indexer's key or address to anybody.
//!
//! Start at [`TorznabSource`]; `caps` is what an indexer can do, `query` what it is asked, `feed` what it answers, `links`
//! what the `.torrent` files say that it leads to.

mod caps;
pub mod doors;
mod feed;
mod indexers;
mod links;
mod own;
mod query;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::{Found, InfoHash, Secret, Source, SourceError, Wanted};
use futures_util::future::join_all;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use url::Url;

use crate::http_client::{Http, Page, Reach};
use caps::Caps;
use feed::{Feed, Item};
use links::{Asked, Links};
use query::Query;

pub use indexers::{IndexersError, parse_indexers};
pub use own::OwnIndexers;

/// A body is read this far; what was complete until there is used.
const BODY_CAP: usize = 5_000_000;
/// Torrents kept of one search.
const FOUND: usize = 1_000;
/// What an indexer can do is asked for this seldom.
const CAPS_FOR: Duration = Duration::from_secs(6 * 3600);
/// An indexer that could not say what it can do is left alone for so long.
const NO_CAPS_FOR: Duration = Duration::from_secs(60);
/// Queries running at once at one indexer; the others wait for their turn within their budget.
const AT_ONCE: usize = 8;
/// The part of the budget that is left to the one who asked, to make use of what was found.
const LEFT: u32 = 20;

/// One indexer of the operator's.
#[derive(Clone, Debug)]
pub struct TorznabConfig {
    /// The operator's name for it.
    pub name: String,
    /// The address people copy from Jackett or Prowlarr, or an indexer's own; with or without `/api` at its end.
    pub url: Url,
    /// Its key; may be empty.
    pub apikey: Secret,
}

/// One indexer as a source of torrents.
#[derive(Debug)]
pub struct TorznabSource {
    name: String,
    /// Ends in `/api`.
    endpoint: Url,
    apikey: Secret,
    http: Http,
    reach: Reach,
    links: Arc<Links>,
    caps: Mutex<Option<Known>>,
    turns: Semaphore,
    /// It gives the first page whatever page is asked for.
    repeats: AtomicBool,
}

#[derive(Debug)]
struct Known {
    caps: Result<Arc<Caps>, String>,
    until: Instant,
}

impl TorznabSource {
    /// An indexer, reached through the shared client.
    #[must_use]
    pub fn new(config: TorznabConfig, http: Http) -> Self {
        Self::reaching(config, http, Reach::Anywhere)
    }

    fn reaching(config: TorznabConfig, http: Http, reach: Reach) -> Self {
        let TorznabConfig { name, url, apikey } = config;
        let endpoint = endpoint(url);
        let links = Arc::new(Links::new(endpoint.clone(), apikey.clone(), http.clone(), reach));
        let (caps, turns, repeats) = (Mutex::new(None), Semaphore::new(AT_ONCE), AtomicBool::new(false));
        Self { name, endpoint, apikey, http, reach, links, caps, turns, repeats }
    }

    /// Asks for the capabilities and for one torrent, which takes the key; says how it searches.
    async fn try_out(&self, end: Instant) -> Result<String, SourceError> {
        let caps = self.caps(end).await.map_err(|e| self.error(&e))?;
        let function = match caps.search.available {
            true => "search",
            false => "tvsearch",
        };
        let one = [("t", function.to_owned()), ("limit", "1".to_owned())];
        self.page(&one, end).await.map_err(|e| self.error(&e))?;
        let by_id = caps.movie.takes("imdbid") || caps.series.takes("imdbid");
        let how = if by_id { "by IMDb id" } else { "by title" };
        Ok(format!("It answers, and searches {how}."))
    }

    fn error(&self, message: &str) -> SourceError {
        SourceError { origin: self.name.clone(), message: xml::printable(message, &self.apikey) }
    }

    /// What the indexer can do. Everybody who asks meanwhile waits for the one call that finds out.
    async fn caps(&self, end: Instant) -> Result<Arc<Caps>, String> {
        let mut known = self.caps.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.until > Instant::now()) {
            return known.caps.clone();
        }
        let page = self.get(&[("t", "caps".to_owned())], end).await;
        let caps = page.and_then(|page| Caps::read(&page)).map(Arc::new);
        let lasts = if caps.is_ok() { CAPS_FOR } else { NO_CAPS_FOR };
        *known = Some(Known { caps: caps.clone(), until: Instant::now() + lasts });
        caps
    }

    /// One query: its first page and, when that is full, one more. The files its items lead to are fetched meanwhile.
    async fn ask(&self, query: &Query, asked: &Asked, end: Instant) -> Result<Vec<Found>, String> {
        let turn = tokio::time::timeout_at(end, self.turns.acquire()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or("too many searches at once, none left in time")?;
        let first = self.page(&query.parameters, end).await?;
        let next = first.next(query.limit).filter(|_| !self.repeats.load(Ordering::Relaxed));
        let head = first.items.first().cloned();
        let more = async {
            let more = match next {
                Some(offset) => self.next_page(query, offset, head, turn, end).await,
                None => Vec::new(),
            };
            self.links.resolve(more, asked, end).await
        };
        let (first, more) = tokio::join!(self.links.resolve(first.items, asked, end), more);
        let items = first.into_iter().chain(more);
        Ok(items.filter_map(|item| item.into_found(&self.name, query.exact)).collect())
    }

    /// The items of the second page; none when there is no such page.
    async fn next_page(
        &self,
        query: &Query,
        offset: usize,
        head: Option<Item>,
        _turn: SemaphorePermit<'_>,
        end: Instant,
    ) -> Vec<Item> {
        let mut parameters = query.parameters.clone();
        parameters.push(("offset", offset.to_string()));
        let items = match self.page(&parameters, end).await {
            Ok(page) => page.items,
            Err(message) => {
                tracing::debug!(failure = %self.error(&message), "an indexer gave no second page");
                return Vec::new();
            }
        };
        if head.zip(items.first()).is_some_and(|(head, first)| head.resembles(first)) {
            self.repeats.store(true, Ordering::Relaxed);
            return Vec::new();
        }
        items
    }

    async fn page(&self, parameters: &[(&'static str, String)], end: Instant) -> Result<Feed, String> {
        let feed = Feed::read(&self.get(parameters, end).await?)?;
        if feed.useless > 0 || feed.cut {
            let (skipped, cut) = (feed.useless, feed.cut);
            tracing::debug!(
                source = self.name,
                skipped,
                cut,
                "items without hash and link were skipped, or the answer was cut"
            );
        }
        Ok(feed)
    }

    async fn get(&self, parameters: &[(&'static str, String)], end: Instant) -> Result<Page, String> {
        let mut url = self.endpoint.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        if !self.apikey.is_empty() {
            url.query_pairs_mut().append_pair("apikey", self.apikey.expose());
        }
        let page = self.http.get_within(self.reach, &Secret::new(url), BODY_CAP, end).await;
        page.map_err(|fault| fault.to_string())
    }
}

#[async_trait]
impl Source for TorznabSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, SourceError> {
        let end = Instant::now() + (wanted.budget - wanted.budget / LEFT);
        let waited = tokio::time::timeout_at(end, self.caps(end)).await;
        let caps = waited.unwrap_or_else(|_| Err("no answer in time".to_owned())).map_err(|e| self.error(&e))?;
        let queries = query::queries(&caps, wanted).map_err(|e| self.error(e))?;
        let asked = Asked::default();
        let answers = join_all(queries.iter().map(|query| self.ask(query, &asked, end))).await;
        let (mut found, mut failure) = (Vec::new(), None);
        for answer in answers {
            match answer {
                Ok(some) => found.push(some),
                Err(message) => failure = Some(self.error(&message)),
            }
        }
        match failure {
            Some(failure) if found.is_empty() => return Err(failure),
            Some(failure) => tracing::warn!(%failure, "an indexer answered in part"),
            None => {}
        }
        Ok(merged(found.into_iter().flatten()))
    }
}

/// One of each hash; what was found exactly stays exact.
fn merged(found: impl Iterator<Item = Found>) -> Vec<Found> {
    let mut places: HashMap<InfoHash, usize> = HashMap::new();
    let mut merged: Vec<Found> = Vec::new();
    for new in found {
        match places.get(&new.hash) {
            Some(&place) => {
                merged[place].exact |= new.exact;
                merged[place].private |= new.private;
            }
            None if merged.len() < FOUND => {
                places.insert(new.hash, merged.len());
                merged.push(new);
            }
            None => break,
        }
    }
    merged
}

/// The address that answers `?t=…`: what is given, with `/api` at its end.
fn endpoint(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = if path.ends_with("/api") { path.to_owned() } else { format!("{path}/api") };
    url.set_path(&path);
    url
}
