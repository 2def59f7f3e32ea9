//! `.torrent` links of items that do not tell their hash: each is fetched once, and the hash computed from the bytes.
//!
//! For: turning a link into a hash, for everybody who meets the link within six hours. Refuses: to send an indexer's key
//! to another host, to go where only this server can go (but for the indexer's own door, where the operator put it), and
//! more than a search's share. A fetch that was begun is finished even when the search cannot wait for it.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chill_core::{InfoHash, Secret};
use futures_util::future::join_all;
use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::feed::Item;
use crate::http_client::{Fault, Hop, Http, Page, REDIRECTS, Reach};
use crate::torrent::{Torrent, TorrentError};

/// The largest file that is read.
const BODY_CAP: usize = 1 << 20;
/// A file comes within this time, redirects included.
const DEADLINE: Duration = Duration::from_secs(10);
/// Links one search may have fetched.
const PER_SEARCH: usize = 40;
/// Fetches running at once at one indexer, so that a slow one leaves turns to the others.
const AT_ONCE: usize = 8;
/// Fetches running or waiting for their turn at one indexer.
const WAITING: usize = 200;
/// Links remembered of one indexer.
const KEPT: u64 = 5_000;
const KNOWN_FOR: Duration = Duration::from_secs(6 * 3600);
const FAILED_FOR: Duration = Duration::from_secs(600);

/// A link by its hash: what is remembered of it holds no key.
type LinkId = [u8; 32];

/// The links of one indexer.
#[derive(Debug)]
pub(super) struct Links {
    /// The indexer's address as the operator wrote it.
    home: Url,
    apikey: Secret,
    http: Http,
    /// Where the indexer's own door may be.
    at_home: Reach,
    kept: Cache<LinkId, Kept>,
    turns: Semaphore,
    waiting: Arc<Semaphore>,
}

/// What a link turned out to be, or why that is not known.
#[derive(Clone, Copy, Debug)]
struct Kept {
    told: Result<Told, Failure>,
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    hash: InfoHash,
    /// Not told by a magnet.
    size: Option<u64>,
    private: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Http(#[from] Fault),
    #[error(transparent)]
    Torrent(#[from] TorrentError),
    #[error("it answered with HTTP {0}")]
    Status(u16),
    #[error("it is larger than 1 MiB, or ended early")]
    NotWhole,
    #[error("it redirects to a magnet link without a hash of version 1")]
    Magnet,
    #[error("it would carry the indexer's key to another host")]
    Key,
}

/// The links one search has asked for.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<HashSet<LinkId>>);

impl Asked {
    /// Whether this one is within the search's share.
    fn admits(&self, id: LinkId) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.contains(&id) || asked.len() < PER_SEARCH && asked.insert(id)
    }
}

impl Links {
    pub(super) fn new(home: Url, apikey: Secret, http: Http, at_home: Reach) -> Self {
        let kept = Cache::builder().max_capacity(KEPT).time_to_live(KNOWN_FOR).build();
        let (turns, waiting) = (Semaphore::new(AT_ONCE), Arc::new(Semaphore::new(WAITING)));
        Self { home, apikey, http, at_home, kept, turns, waiting }
    }

    /// Gives items their hashes, and what else their files say, as far as that can be found out until `end`. What was
    /// computed wins over what an item says; an item that says its hash costs no fetch. The best seeded come first.
    pub(super) async fn resolve(self: &Arc<Self>, mut items: Vec<Item>, asked: &Asked, end: Instant) -> Vec<Item> {
        items.sort_by_key(|item| Reverse(item.seeders));
        join_all(items.into_iter().map(|item| self.one(item, asked, end))).await
    }

    async fn one(self: &Arc<Self>, mut item: Item, asked: &Asked, end: Instant) -> Item {
        let Some(link) = &item.link else { return item };
        let told = match self.known(link).await {
            Some(told) => told,
            None if item.hash.is_some() => return item,
            None => self.fetched(link.clone(), asked, end).await,
        };
        if let Some(told) = told {
            item.hash = Some(told.hash);
            item.size = told.size.or(item.size);
            item.private |= told.private;
        }
        item
    }

    /// What is known about a link; inside, nothing when it failed.
    async fn known(&self, link: &Secret) -> Option<Option<Told>> {
        let kept = self.kept.get(&id(link)).await.filter(|kept| kept.until > Instant::now())?;
        Some(kept.told.ok())
    }

    async fn fetched(self: &Arc<Self>, link: Secret, asked: &Asked, end: Instant) -> Option<Told> {
        let place = self.waiting.clone().try_acquire_owned().ok()?;
        if !asked.admits(id(&link)) {
            return None;
        }
        // On its own, so that what comes too late for this search is there for the next one.
        let fetching = tokio::spawn(self.clone().learn(link, place));
        timeout_at(end, fetching).await.ok()?.ok()?
    }

    async fn learn(self: Arc<Self>, link: Secret, _place: OwnedSemaphorePermit) -> Option<Told> {
        let entry = self.kept.entry(id(&link));
        let kept = entry.or_insert_with_if(self.ask(&link), |kept| kept.until <= Instant::now()).await;
        kept.into_value().told.ok()
    }

    async fn ask(&self, link: &Secret) -> Kept {
        // The semaphores are never closed.
        let _turns = (self.turns.acquire().await, self.http.downloads().acquire().await);
        let told = self.fetch(link).await;
        if let Err(failure) = &told {
            tracing::debug!(%failure, "a link to a .torrent file leads to none");
        }
        let lasts = if told.is_ok() { KNOWN_FOR } else { FAILED_FOR };
        Kept { told, until: Instant::now() + lasts }
    }

    async fn fetch(&self, link: &Secret) -> Result<Told, Failure> {
        let end = Instant::now() + DEADLINE;
        let mut url = Url::parse(link.expose()).map_err(|_| Fault::Malformed)?;
        for _ in 0..=REDIRECTS {
            match self.http.hop(&url, self.reach(&url)?, BODY_CAP, end).await? {
                Hop::Page(page) => return read(&page),
                Hop::Redirect(to) if to.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("magnet:")) => {
                    let hash = InfoHash::from_magnet(&to).ok_or(Failure::Magnet)?;
                    return Ok(Told { hash, size: None, private: false });
                }
                Hop::Redirect(to) => url = next(&url, &to)?,
            }
        }
        Err(Fault::Redirect.into())
    }

    /// Where a link may lead: to the indexer's own door wherever that is, else to public addresses, without the key.
    fn reach(&self, url: &Url) -> Result<Reach, Failure> {
        if is_home(&self.home, url) {
            return Ok(self.at_home);
        }
        let key = self.apikey.expose();
        let carries =
            !key.is_empty() && (url.as_str().contains(key) || url.query_pairs().any(|(_, value)| value == key));
        if carries { Err(Failure::Key) } else { Ok(Reach::Public) }
    }
}

/// The same host at the same port; the web's own two ports are one door.
fn is_home(home: &Url, url: &Url) -> bool {
    let ports = (home.port_or_known_default(), url.port_or_known_default());
    let same = ports.0 == ports.1 || matches!(ports, (Some(80), Some(443)) | (Some(443), Some(80)));
    home.host() == url.host() && same
}

/// Where to go on: to the web, and at one host never from HTTPS back to plain HTTP.
fn next(from: &Url, to: &str) -> Result<Url, Fault> {
    let to = from.join(to).map_err(|_| Fault::Redirect)?;
    let weaker = from.scheme() == "https" && to.scheme() == "http" && from.host() == to.host();
    if matches!(to.scheme(), "http" | "https") && !weaker { Ok(to) } else { Err(Fault::Redirect) }
}

fn read(page: &Page) -> Result<Told, Failure> {
    if !page.status.is_success() {
        return Err(Failure::Status(page.status.as_u16()));
    }
    if !page.whole {
        return Err(Failure::NotWhole);
    }
    let torrent = Torrent::read(&page.body)?;
    Ok(Told { hash: torrent.hash, size: Some(torrent.size), private: torrent.private })
}

fn id(link: &Secret) -> LinkId {
    Sha256::digest(link.expose()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_indexers_own_door_is_host_and_port() {
        for (home, link, expected) in [
            ("http://jackett:9117/api", "http://jackett:9117/dl/1", true),
            ("http://jackett:9117/api", "http://jackett:6379/", false),
            ("http://jackett:9117/api", "http://jackett/", false),
            ("https://jackett.example/api", "http://jackett.example/dl", true),
            ("http://192.168.1.5:9696/1/api", "http://192.168.1.5:9696/1/download", true),
            ("http://192.168.1.5:9696/1/api", "http://192.168.1.6:9696/1/download", false),
            ("http://jackett/api", "http://jackett.evil.example/", false),
            ("http://jackett/api", "http://jackett@evil.example/", false),
        ] {
            assert_eq!(is_home(&url(home), &url(link)), expected, "{home} {link}");
        }
    }

    #[test]
    fn redirects_lead_to_the_web_and_keep_tls_at_a_host() {
        let go = |from: &str, to: &str| next(&url(from), to).map(String::from).ok();
        assert_eq!(go("http://a/x", "/y").unwrap(), "http://a/y");
        assert_eq!(go("https://a/x", "http://b/y").unwrap(), "http://b/y");
        assert_eq!(go("https://a/x", "http://a/y"), None);
        assert_eq!(go("https://a/x", "file:///etc/passwd"), None);
        assert_eq!(go("https://a/x", "http://"), None);
    }

    #[test]
    fn the_key_stays_at_home_however_it_is_written() {
        let links = Links::new(url("http://a/api"), Secret::new("k e+y"), Http::all_public(), Reach::Anywhere);
        assert_eq!(links.reach(&url("http://a/dl?apikey=k%20e%2By")), Ok(Reach::Anywhere));
        assert_eq!(links.reach(&url("http://b/dl?apikey=other")), Ok(Reach::Public));
        for carrying in ["http://b/dl?apikey=k+e%2By", "http://b/dl?x=k%20e%2By"] {
            assert_eq!(links.reach(&url(carrying)), Err(Failure::Key), "{carrying}");
        }
    }
}
