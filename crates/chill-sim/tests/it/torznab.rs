//! The indexer's capabilities, searches and kinds.

use chill_sim::{Fault, Indexer, Release, Torrent};

use crate::client::{Client, world};

const FILM: &str = "tt0063350";
const SERIES: &str = "tt0047706";

/// The searched world: two films of which one has an odd name, an episode, another one, and a pack.
async fn stocked() -> anyhow::Result<(chill_sim::World, Client)> {
    let (world, client) = world().await?;
    let torrent = |name: &str| Torrent::single(name, 1_000_000);
    let releases = [
        Release::movie(&torrent("Night.of.the.Living.Dead.1968.1080p"), FILM, 10),
        Release::movie(&torrent("Tom & Jerry's <Best> \"Film\" 720p"), "tt0000001", 4),
        Release::episode(&torrent("Robin.Hood.S01E02.720p"), SERIES, 1, Some(2), 5),
        Release::episode(&torrent("Robin.Hood.S01E03.720p"), SERIES, 1, Some(3), 5),
        Release::episode(&torrent("Robin.Hood.S01.1080p"), SERIES, 1, None, 50),
    ];
    for release in releases {
        world.torznab().add_release(release);
    }
    Ok((world, client))
}

/// Titles of the items a query gives.
async fn found(world: &chill_sim::World, client: &Client, query: &str) -> anyhow::Result<Vec<String>> {
    let url = format!("{}/api?apikey={}&{query}", world.torznab_url(), world.torznab().api_key());
    let feed = client.get(&url).await?.text();
    let items = feed.split("<item><title>").skip(1).map(|item| item.split("</title>").next().unwrap_or_default());
    Ok(items.map(str::to_owned).collect())
}

#[tokio::test]
async fn searches_find_by_id_by_episode_by_words_and_by_category() -> anyhow::Result<()> {
    let (world, client) = stocked().await?;
    let night = "Night.of.the.Living.Dead.1968.1080p";
    let cases: [(&str, &[&str]); 10] = [
        ("t=movie&imdbid=tt0063350", &[night]),
        ("t=movie&imdbid=0063350", &[night]),
        ("t=tvsearch&imdbid=tt0047706&season=1&ep=2", &["Robin.Hood.S01E02.720p"]),
        (
            "t=tvsearch&imdbid=tt0047706&season=1",
            &["Robin.Hood.S01E02.720p", "Robin.Hood.S01E03.720p", "Robin.Hood.S01.1080p"],
        ),
        ("t=tvsearch&imdbid=tt0047706&season=2", &[]),
        ("t=search&q=night%20living%20DEAD%201968", &[night]),
        ("t=search&q=robin+hood+s01e02", &["Robin.Hood.S01E02.720p"]),
        ("t=search&cat=2000&limit=1", &[night]),
        ("t=search&cat=5040&offset=2", &["Robin.Hood.S01.1080p"]),
        ("t=movie&q=robin", &[]),
    ];
    for (query, titles) in cases {
        assert_eq!(found(&world, &client, query).await?, titles, "{query}");
    }
    world.torznab().set_indexer(Indexer { packs_match_episode: true, ..Indexer::default() });
    assert_eq!(found(&world, &client, "t=tvsearch&imdbid=tt0047706&season=1&ep=2").await?.len(), 2);
    assert_eq!(world.torznab().calls_to("tvsearch"), 4);
    Ok(())
}

#[tokio::test]
async fn items_carry_escaped_names_and_their_attributes() -> anyhow::Result<()> {
    let (world, client) = stocked().await?;
    let key = world.torznab().api_key();
    let url = format!("{}/api?t=search&q=jerrys&apikey={key}", world.torznab_url());
    let feed = client.get(&url).await?;
    assert!(feed.header("content-type").starts_with("application/rss+xml"));
    let text = feed.text();
    let hash = Torrent::single("Tom & Jerry's <Best> \"Film\" 720p", 1_000_000).hash;
    for part in [
        "<title>Tom &amp; Jerry&apos;s &lt;Best&gt; &quot;Film&quot; 720p</title>",
        &format!("<torznab:attr name=\"infohash\" value=\"{hash}\" />"),
        &format!("<torznab:attr name=\"magneturl\" value=\"magnet:?xt=urn:btih:{hash}&amp;dn="),
        "<torznab:attr name=\"seeders\" value=\"4\" />",
        "<torznab:attr name=\"peers\" value=\"5\" />",
        "<torznab:attr name=\"size\" value=\"1000000\" />",
        "<torznab:attr name=\"category\" value=\"2040\" />",
        "total=\"1\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let without =
        Indexer { magnets: false, infohash: false, content_type: "text/xml".to_owned(), ..Indexer::default() };
    world.torznab().set_indexer(without);
    let feed = client.get(&url).await?;
    assert_eq!(feed.header("content-type"), "text/xml");
    assert!(!feed.text().contains("magnet:") && !feed.text().contains("infohash"));
    let download = client.get(&format!("{}/download/{hash}", world.torznab_url())).await?;
    assert!(download.status == 302 && download.header("location").starts_with("magnet:?xt=urn:btih:"));
    Ok(())
}

#[tokio::test]
async fn files_are_given_to_those_with_the_key() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let film = Torrent::new("A Film", [("a & b.mkv", 50_000_000)]).private().with_own_hash();
    world.torznab().add_release(Release::movie(&film, FILM, 10).with_file(&film));
    let without = Indexer { magnets: false, infohash: false, ..Indexer::default() };
    world.torznab().set_indexer(without);
    let key = world.torznab().api_key();
    let feed = client.get(&format!("{}/api?t=movie&apikey={key}", world.torznab_url())).await?.text();
    let link = feed.split("<link>").nth(1).and_then(|rest| rest.split("</link>").next()).unwrap_or_default();
    let link = link.replace("&amp;", "&");
    let file = client.get(&link).await?;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), "application/x-bittorrent");
    assert_eq!(file.body, film.metainfo());
    assert!(file.body.starts_with(b"d8:announce") && file.header("content-disposition").contains("A%20Film.torrent"));
    assert_eq!(client.get(&link.replace("apikey=", "apikey=x")).await?.status, 401);
    assert_eq!(client.get(&link.replace(&film.hash, "00")).await?.status, 404);
    assert_eq!(world.torznab().calls_to("download"), 3);
    Ok(())
}

#[tokio::test]
async fn keys_functions_and_parameters_are_checked() -> anyhow::Result<()> {
    let (world, client) = stocked().await?;
    let base = world.torznab_url();
    let key = world.torznab().api_key();
    let error = async |query: String| {
        let answer = client.get(&format!("{base}/api?{query}")).await?;
        assert_eq!(answer.status, 200);
        anyhow::Ok(answer.text().split("code=\"").nth(1).and_then(|code| code.get(..3)).map(str::to_owned))
    };
    assert_eq!(error("t=search&apikey=wrong".to_owned()).await?.as_deref(), Some("100"));
    assert_eq!(error("t=search".to_owned()).await?.as_deref(), Some("100"));
    assert_eq!(error(format!("apikey={key}")).await?.as_deref(), Some("200"));
    assert_eq!(error(format!("t=movie&limit=x&apikey={key}")).await?.as_deref(), Some("201"));
    assert_eq!(error(format!("t=music&apikey={key}")).await?.as_deref(), Some("202"));
    world.torznab().set_indexer(Indexer { tv_search: false, imdbid: false, ..Indexer::default() });
    assert_eq!(error(format!("t=tvsearch&apikey={key}")).await?.as_deref(), Some("203"));
    let caps = client.get(&format!("{base}/api?t=caps")).await?.text();
    assert!(caps.contains("<tv-search available=\"no\""));
    assert!(!caps.contains("imdbid"));
    assert!(caps.contains("<limits max=\"100\" default=\"100\" />"));
    world.torznab().set_indexer(Indexer { searching_in_caps: false, ..Indexer::default() });
    assert!(!client.get(&format!("{base}/api?t=caps")).await?.text().contains("<searching>"));
    let jackett = format!("{base}/api/v2.0/indexers/all/results/torznab/api?t=caps");
    assert_eq!(client.get(&jackett).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn an_indexer_can_misbehave() -> anyhow::Result<()> {
    let (world, client) = stocked().await?;
    world.torznab().fault("movie", Fault::ManyItems { count: 10_000 }, 1);
    assert_eq!(found(&world, &client, "t=movie&imdbid=tt0063350").await?.len(), 10_000);
    assert_eq!(found(&world, &client, "t=movie&imdbid=tt0063350").await?.len(), 1);
    let url = format!("{}/api?t=search&apikey={}", world.torznab_url(), world.torznab().api_key());
    world.torznab().fault("search", Fault::HugeBody { bytes: 50_000_000 }, 1);
    assert_eq!(client.get(&url).await?.body.len(), 50_000_000);
    world.torznab().fault("search", Fault::ErrorDocument { code: 900, description: "Down & out".to_owned() }, 1);
    assert!(client.get(&url).await?.text().contains("<error code=\"900\" description=\"Down &amp; out\" />"));
    world.torznab().fault("search", Fault::Garbage, 1);
    assert!(String::from_utf8(client.get(&url).await?.body.to_vec()).is_err());
    world.torznab().fault("search", Fault::HtmlPage, 1);
    assert_eq!(client.get(&url).await?.header("content-type"), "text/html");
    Ok(())
}
