//! Indexers that viewers name in their links. Their addresses are strangers' words: unless the operator says otherwise, only
//! public ones are asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chill_core::Source;
use chill_core::source::{Indexers, OwnIndexer};
use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use url::Url;

use super::indexers::address;
use super::{TorznabConfig, TorznabSource};
use crate::http_client::{Http, Reach};

/// Indexers whose capabilities are remembered.
const KEPT: u64 = 1_000;
const KEPT_FOR: Duration = Duration::from_secs(2 * 3600);
/// How long somebody who types an address waits for the indexer's word.
const CHECK: Duration = Duration::from_secs(10);
/// The longest name shown, in characters.
const NAME: usize = 64;

/// Opens viewers' own indexers.
#[derive(Debug)]
pub struct OwnIndexers {
    http: Http,
    reach: Reach,
    kept: Cache<[u8; 32], Arc<TorznabSource>>,
}

impl OwnIndexers {
    /// `private`: whether they may be in the operator's own network.
    #[must_use]
    pub fn new(http: Http, private: bool) -> Self {
        let reach = if private { Reach::Anywhere } else { Reach::Public };
        Self { http, reach, kept: Cache::builder().max_capacity(KEPT).time_to_idle(KEPT_FOR).build() }
    }

    async fn source(&self, own: &OwnIndexer) -> Result<Arc<TorznabSource>, String> {
        let url = read(&own.kind, &own.url)?;
        let mut id = Sha256::new();
        for part in [url.as_str(), own.apikey.expose()] {
            id.update((part.len() as u64).to_le_bytes());
            id.update(part);
        }
        let name = name(&own.kind, &url);
        let make = async {
            let config = TorznabConfig { name, url, apikey: own.apikey.clone() };
            Arc::new(TorznabSource::reaching(config, self.http.clone(), self.reach))
        };
        Ok(self.kept.get_with(id.finalize().into(), make).await)
    }
}

#[async_trait]
impl Indexers for OwnIndexers {
    async fn open(&self, own: &OwnIndexer) -> Result<Arc<dyn Source>, String> {
        let source: Arc<dyn Source> = self.source(own).await?;
        Ok(source)
    }

    async fn check(&self, own: &OwnIndexer) -> Result<String, String> {
        let end = Instant::now() + CHECK;
        // Not one that is kept, so that what was put right is seen at once.
        let url = read(&own.kind, &own.url)?;
        let config = TorznabConfig { name: name(&own.kind, &url), url, apikey: own.apikey.clone() };
        let source = TorznabSource::reaching(config, self.http.clone(), self.reach);
        source.try_out(end).await.map_err(|error| error.message)
    }
}

/// The address of an indexer in one of the forms that links have: a URL; for Jackett also `scheme:host:port::indexer` and
/// `indexer:::URL`.
fn read(kind: &str, text: &str) -> Result<Url, String> {
    let short = (kind == "jackett").then(|| short_jackett(text)).flatten();
    let url = address(short.as_deref().unwrap_or(text.trim()));
    url.map_err(|problem| {
        problem.replace("the address after the =", "the address").replace("; the key stands behind a |", "")
    })
}

fn short_jackett(text: &str) -> Option<String> {
    let (base, id) = if let Some((id, base)) = text.split_once(":::") {
        (base.to_owned(), id)
    } else {
        let (place, id) = text.split_once("::")?;
        let (scheme, host) = place.split_once(':')?;
        (format!("{scheme}://{}", host.trim_start_matches('/')), id)
    };
    let id = if id.is_empty() { "all" } else { id };
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    plain.then(|| format!("{}/api/v2.0/indexers/{id}/results/torznab", base.trim_end_matches('/')))
}

/// What a viewer's list calls it: Jackett's word for the indexer, else the host.
fn name(kind: &str, url: &Url) -> String {
    let mut segments = url.path_segments().into_iter().flatten();
    let jackett =
        (kind == "jackett").then(|| segments.by_ref().skip_while(|part| *part != "indexers").nth(1)).flatten();
    let name = jackett.filter(|id| !id.is_empty() && *id != "all").or(url.host_str()).unwrap_or("indexer");
    name.chars().take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use chill_core::Secret;

    use super::*;

    #[test]
    fn addresses_have_several_forms() {
        const TORZNAB: &str = "/api/v2.0/indexers/all/results/torznab";
        for (kind, text, url, called) in [
            ("generic", "https://tz.example/1", "https://tz.example/1".to_owned(), "tz.example"),
            ("prowlarr", " http://p.example:9696/3/api ", "http://p.example:9696/3/api".to_owned(), "p.example"),
            ("jackett", "https:j.example:9117::all", format!("https://j.example:9117{TORZNAB}"), "j.example"),
            ("jackett", "https:j.example::", format!("https://j.example{TORZNAB}"), "j.example"),
            ("jackett", "all:::https://j.example/base/", format!("https://j.example/base{TORZNAB}"), "j.example"),
            (
                "jackett",
                &format!("https://j.example{}", TORZNAB.replace("all", "my-one")),
                format!("https://j.example{}", TORZNAB.replace("all", "my-one")),
                "my-one",
            ),
        ] {
            let read = read(kind, text).unwrap();
            assert_eq!((read.as_str(), name(kind, &read).as_str()), (url.as_str(), called), "{text}");
        }
        for (text, says) in [
            ("", "the address is no URL"),
            ("ftp://x/", "must start with http"),
            ("https://x/?apikey=s3cret", "must have no query"),
            ("https://u:s3cret@x/", "must have no query"),
        ] {
            let error = read("generic", text).unwrap_err();
            assert!(error.contains(says) && !error.contains("s3cret") && !error.contains('|'), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_private_address_is_asked_only_where_the_operator_allows_it() {
        let world = chill_sim::World::start().await.unwrap();
        world.torznab().set_indexer(chill_sim::Indexer { api_key: "k3y".to_owned(), ..chill_sim::Indexer::default() });
        let film = chill_sim::Torrent::single("Film.2020.1080p.mkv", 5_000);
        world.torznab().add_release(chill_sim::Release::movie(&film, "tt1", 12));
        let own =
            |key: &str| OwnIndexer { kind: "generic".to_owned(), url: world.torznab_url(), apikey: Secret::new(key) };
        let wanted = chill_core::Wanted { content: "tt1".parse().unwrap(), title: None, budget: CHECK };
        let guarded = OwnIndexers::new(Http::new("chillproxy/test"), false);
        let error = guarded.open(&own("k3y")).await.unwrap().search(&wanted).await.unwrap_err();
        assert!(error.message.contains("not public"), "{error}");
        assert!(guarded.check(&own("k3y")).await.unwrap_err().contains("not public"));
        assert_eq!(world.torznab().calls().len(), 0, "nobody was asked");
        let open = OwnIndexers::new(Http::new("chillproxy/test"), true);
        let found = open.open(&own("k3y")).await.unwrap().search(&wanted).await.unwrap();
        assert_eq!((found.len(), found[0].source.as_str()), (1, "127.0.0.1"));
        assert_eq!(open.check(&own("k3y")).await.unwrap(), "It answers, and searches by IMDb id.");
        let refused = open.check(&own("wr0ng")).await.unwrap_err();
        assert!(refused.contains("Invalid API Key") && !refused.contains("wr0ng"), "{refused}");
        let lists = world.torznab().calls_to("caps");
        open.open(&own("k3y")).await.unwrap().search(&wanted).await.unwrap();
        assert_eq!(world.torznab().calls_to("caps"), lists, "capabilities are remembered for the next list");
    }
}
