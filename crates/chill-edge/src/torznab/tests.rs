//! The endpoint as Prowlarr and Sonarr ask it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use chill_core::{InfoHash, Listed};
use http::{Request, request};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::proxy::ProxyUsers;
use crate::tests::fakes::{MemoryLibrary, lock};
use crate::tests::stage::Stage;

const KEY: &str = "apikey=alice:s3cret";

fn listed(n: u8, name: &str, content: &str) -> Listed {
    Listed {
        hash: InfoHash::from_bytes([n; 20]),
        name: name.to_owned(),
        size: Some(1_000_000_000 * u64::from(n)),
        seeders: Some(u32::from(n)).filter(|n| *n > 1),
        content: content.parse().unwrap(),
        seen_at: 1_136_214_245_000,
    }
}

fn fill(library: &Arc<MemoryLibrary>) {
    lock(&library.listed).extend([
        listed(1, "Quiet.Hills.1968.1080p.BluRay.x264-GRP", "tt1"),
        listed(2, "Quiet <Hills> & \"more\" 1968 \u{1} 2160p", "tt1"),
        listed(3, "Harbour.Lights.S02E05.1080p.WEB-GRP", "tt2:2:5"),
        listed(4, "Harbour.Lights.S02.720p.WEB-GRP", "tt2:2:5"),
        listed(5, "Harbour.Lights.S01E01.480p.WEB-GRP", "tt2:1:1"),
        listed(6, "[Grp] Tidal Blades - 137 [1080p]", "kitsu:12:137"),
    ]);
    let called = [("quiet hills", "tt1"), ("harbour lights", "tt2"), ("tidal blades", "kitsu:12")];
    lock(&library.called).extend(called.map(|(name, work)| (name.to_owned(), work.to_owned())));
}

struct Indexer {
    stage: Stage,
    users: ProxyUsers,
}

impl Indexer {
    fn new() -> Self {
        let stage = Stage::new();
        fill(&stage.library);
        Self { stage, users: ProxyUsers::parse("alice:s3cret").unwrap() }
    }

    async fn ask(&self, request: request::Builder) -> Response {
        let router = super::router(self.stage.edge.clone(), self.users.clone());
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn get(&self, query: &str) -> String {
        let request = Request::builder().uri(format!("/v0/torznab/api?{query}")).header("host", "edge.example");
        text(self.ask(request).await, "application/xml; charset=utf-8").await
    }

    /// The numbers of the torrents in an answer.
    async fn found(&self, query: &str) -> Vec<u8> {
        let text = self.get(&format!("{query}&{KEY}")).await;
        let guids = text.split("<guid isPermaLink=\"false\">").skip(1);
        guids.map(|guid| guid[..40].parse::<InfoHash>().unwrap().as_bytes()[0]).collect()
    }
}

async fn text(answer: Response, kind: &str) -> String {
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &kind.parse().unwrap()));
    String::from_utf8(axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_capabilities_are_what_is_offered() {
    let expected = concat!(
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        "\n",
        r#"<caps><server title="Chillproxy" version=""#,
        env!("CARGO_PKG_VERSION"),
        r#"" url="http://edge.example"/><limits max="100" default="100"/><searching>"#,
        r#"<search available="yes" supportedParams="q"/>"#,
        r#"<tv-search available="yes" supportedParams="q,imdbid,season,ep"/>"#,
        r#"<movie-search available="yes" supportedParams="q,imdbid,year"/>"#,
        r#"<audio-search available="no" supportedParams="q"/><book-search available="no" supportedParams="q"/>"#,
        r#"</searching><categories><category id="2000" name="Movies"><subcat id="2030" name="Movies/SD"/>"#,
        r#"<subcat id="2040" name="Movies/HD"/><subcat id="2045" name="Movies/UHD"/></category>"#,
        r#"<category id="5000" name="TV"><subcat id="5030" name="TV/SD"/><subcat id="5040" name="TV/HD"/>"#,
        r#"<subcat id="5045" name="TV/UHD"/><subcat id="5070" name="TV/Anime"/></category></categories></caps>"#,
        "\n",
    );
    assert_eq!(Indexer::new().get("t=caps").await, expected);
}

#[tokio::test]
async fn an_item_says_everything_and_escapes_it() {
    let text = Indexer::new().get(&format!("t=movie&imdbid=tt1&offset=1&limit=1&{KEY}")).await;
    let hash = "02".repeat(20);
    let magnet =
        format!("magnet:?xt=urn:btih:{hash}&amp;dn=Quiet%20%3CHills%3E%20%26%20%22more%22%201968%20%01%202160p");
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:newznab=\"http://www.newznab.com/DTD/2010/feeds/attributes/\" \
         xmlns:torznab=\"http://torznab.com/schemas/2015/feed\"><channel><title>Chillproxy</title>\
         <description>Known torrents</description><link>http://edge.example</link>\
         <newznab:response offset=\"1\" total=\"2\"/><item>\
         <title>Quiet &lt;Hills&gt; &amp; &quot;more&quot; 1968  2160p</title><guid isPermaLink=\"false\">{hash}</guid>\
         <link>{magnet}</link><pubDate>Mon, 02 Jan 2006 15:04:05 GMT</pubDate><size>2000000000</size>\
         <category>2000</category><category>2045</category><enclosure url=\"{magnet}\" length=\"2000000000\" \
         type=\"application/x-bittorrent;x-scheme-handler/magnet\"/><torznab:attr name=\"category\" value=\"2000\"/>\
         <torznab:attr name=\"category\" value=\"2045\"/><torznab:attr name=\"imdb\" value=\"1\"/>\
         <torznab:attr name=\"imdbid\" value=\"tt1\"/><torznab:attr name=\"infohash\" value=\"{hash}\"/>\
         <torznab:attr name=\"magneturl\" value=\"{magnet}\"/><torznab:attr name=\"seeders\" value=\"2\"/>\
         <torznab:attr name=\"peers\" value=\"2\"/><torznab:attr name=\"size\" value=\"2000000000\"/>\
         <torznab:attr name=\"resolution\" value=\"4k\"/><torznab:attr name=\"year\" value=\"1968\"/></item>\
         </channel></rss>\n"
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn searches_find_what_they_name() {
    let indexer = Indexer::new();
    for (query, found) in [
        ("t=search", [1, 2, 3, 4, 5, 6].as_slice()),
        ("t=search&cat=2000", &[1, 2]),
        ("t=search&cat=2045", &[2]),
        ("t=search&cat=5030,5070", &[5, 6]),
        ("t=search&cat=3000", &[]),
        ("t=search&offset=4", &[5, 6]),
        ("t=search&offset=1&limit=2", &[2, 3]),
        ("t=search&limit=0", &[]),
        ("t=search&q=quiet+hills", &[1, 2]),
        ("t=search&q=Quiet+Hills+1968", &[1, 2]),
        ("t=search&q=Quiet+Hills+1999", &[]),
        ("t=search&q=Harbour+Lights+S02E05", &[3, 4]),
        ("t=search&q=Tidal+Blades+137", &[6]),
        ("t=search&q=nobody+knows", &[]),
        ("t=movie", &[1, 2]),
        ("t=movie&imdbid=1", &[1, 2]),
        ("t=movie&imdbid=tt2", &[]),
        ("t=tvsearch&imdbid=tt2&season=2&ep=5", &[3, 4]),
        ("t=tvsearch&imdbid=tt2&season=2", &[3, 4]),
        ("t=tvsearch&imdbid=tt2&season=1", &[5]),
        ("t=tvsearch&imdbid=tt2", &[3, 4, 5]),
        ("t=tvsearch&q=Harbour+Lights&season=2&ep=6", &[4]),
        ("t=tvsearch&q=Tidal+Blades&ep=137", &[6]),
        ("t=tvsearch&imdbid=tt9", &[]),
    ] {
        assert_eq!(indexer.found(query).await, found, "{query}");
    }
}

#[tokio::test]
async fn an_empty_library_is_a_valid_empty_feed() {
    let indexer = Indexer::new();
    lock(&indexer.stage.library.listed).clear();
    for query in ["t=search", "t=tvsearch", "t=movie", "t=search&q=x", "t=movie&imdbid=tt1"] {
        let text = indexer.get(&format!("{query}&{KEY}")).await;
        assert!(text.ends_with("<newznab:response offset=\"0\" total=\"0\"/></channel></rss>\n"), "{text}");
    }
}

#[tokio::test]
async fn only_users_search() {
    let indexer = Indexer::new();
    for key in ["", "&apikey=", "&apikey=alice:wrong", "&apikey=s3cret", "&apikey=YWxpY2U6d3Jvbmc="] {
        let text = indexer.get(&format!("t=search{key}")).await;
        assert!(text.contains("<error code=\"100\" description=\"Incorrect user credentials"), "{key}: {text}");
    }
    assert!(indexer.get("t=search&apikey=YWxpY2U6czNjcmV0").await.contains("<rss"));
    let closed = Indexer { users: ProxyUsers::default(), ..Indexer::new() };
    assert!(closed.get(&format!("t=search&{KEY}")).await.contains("code=\"100\""));
    for (query, code) in [("t=details", 201), ("t=search&cat=x", 201), ("t=caps&o=yaml", 201)] {
        assert!(indexer.get(query).await.contains(&format!("<error code=\"{code}\"")), "{query}");
    }
}

#[tokio::test]
async fn a_program_on_this_machine_needs_no_key_and_a_wrong_one_is_wrong() {
    let indexer = Indexer { users: ProxyUsers::default(), ..Indexer::new() };
    let peer = ConnectInfo("127.0.0.1:40000".parse::<SocketAddr>().unwrap());
    let ask = |query: &str, name: &str, value: &str| {
        let request =
            Request::builder().uri(format!("/v0/torznab/api?t=search{query}")).header("host", "localhost:8080");
        indexer.ask(request.header(name, value).extension(peer))
    };
    let xml = "application/xml; charset=utf-8";
    assert!(text(ask("", "accept", "*/*").await, xml).await.contains("total=\"6\"/>"));
    assert!(text(ask("&apikey=", "accept", "*/*").await, xml).await.contains("total=\"6\"/>"));
    assert!(text(ask("&apikey=x", "accept", "*/*").await, xml).await.contains("code=\"100\""));
    assert!(text(ask("", "x-forwarded-for", "203.0.113.9").await, xml).await.contains("code=\"100\""));
}

#[tokio::test]
async fn without_a_function_the_capabilities_are_shown() {
    for query in ["", "?apikey=x", "?t="] {
        let request = Request::builder().uri(format!("/v0/torznab/api{query}"));
        let answer = Indexer::new().ask(request).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (307, &"?t=caps".parse().unwrap()));
    }
}

#[tokio::test]
async fn json_says_the_same() {
    let indexer = Indexer::new();
    let get = async |query: &str| -> Value {
        let request = Request::builder().uri(format!("/v0/torznab/api?o=json&{query}")).header("host", "edge.example");
        serde_json::from_str(&text(indexer.ask(request).await, "application/json").await).unwrap()
    };
    let caps = get("t=caps").await;
    assert_eq!(caps["searching"]["tv-search"]["@attributes"]["supportedParams"], "q,imdbid,season,ep");
    assert_eq!(caps["categories"]["category"][1]["@attributes"]["id"], 5000);
    let feed = get(&format!("t=tvsearch&imdbid=tt2&season=1&{KEY}")).await;
    let item = &feed["channel"]["items"][0];
    assert_eq!(item["title"], "Harbour.Lights.S01E01.480p.WEB-GRP");
    assert_eq!(item["guid"], "05".repeat(20));
    assert!(item["enclosure"]["@attributes"]["url"].as_str().unwrap().starts_with("magnet:?xt=urn:btih:0505"));
    let attributes = item["attr"].as_array().unwrap();
    let of = |name: &str| {
        let found = attributes.iter().find(|attribute| attribute["@attributes"]["name"] == name).unwrap();
        found["@attributes"]["value"].clone()
    };
    assert_eq!((of("imdbid"), of("resolution"), of("seeders")), ("tt2".into(), "480p".into(), "5".into()));
    assert_eq!(get("t=search").await["error"]["@attributes"]["code"], 100);
}
