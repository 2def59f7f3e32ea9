//! The control API, and the demo's world through it.

use chill_sim::World;
use serde_json::{Value, json};

use crate::client::{Client, world};

async fn told(client: &Client, path: &str, body: Value) -> anyhow::Result<Value> {
    let answer = client.tell("POST", path, &body).await?;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    Ok(answer.json().unwrap_or(Value::Null))
}

#[tokio::test]
async fn everything_can_be_set_from_another_process() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    told(&client, "/accounts", json!({"key": "k", "plan": "standard", "extra_slots": 2})).await?;
    let file = json!([{"path": "a.mkv", "size": 100}]);
    let torrents = json!([
        {"name": "a.mkv", "files": file},
        {"name": "b", "files": file, "state": {"kind": "downloadable", "bytes_per_s": 10}, "cdn_bytes_per_s": 1000},
    ]);
    let hashes = told(&client, "/catalogue", torrents).await?;
    let first = hashes[0].as_str().unwrap_or_default();
    told(&client, "/catalogue/state", json!({"hash": hashes[1], "state": {"kind": "infringing"}})).await?;
    assert_eq!(client.create_as("k", hashes[1].as_str().unwrap_or_default(), "").await?.status, 451);
    told(&client, "/behaviour", json!({"infringing_status": 503, "when_full": "active_limit"})).await?;
    assert_eq!(client.create_as("k", hashes[1].as_str().unwrap_or_default(), "").await?.status, 503);
    told(
        &client,
        "/faults",
        json!({"server": "torbox", "endpoint": "user/me", "times": 1,
        "fault": {"kind": "rate_limited", "shape": "error", "retry_after": 3}}),
    )
    .await?;
    assert_eq!(client.torbox_as("k", "user/me").await?.header("retry-after"), "3");
    told(&client, "/faults", json!({"server": "cdn", "fault": {"kind": "status", "status": 410}})).await?;
    let link = client.link(first, 0).await?;
    assert_eq!(client.get(&link).await?.status, 410);
    assert_eq!(client.tell("DELETE", "/faults", &Value::Null).await?.status, 200);
    assert_eq!(client.get(&link).await?.status, 200);
    told(&client, "/links/expire", Value::Null).await?;
    assert_eq!(client.get(&link).await?.status, 403);
    told(&client, "/accounts/cooldown", json!({"key": "k", "seconds": 60})).await?;
    told(&client, "/accounts/rotate", json!({"old": "k", "new": "n"})).await?;
    assert_eq!(client.torbox_as("n", "user/me").await?.json()?["data"]["plan"], 3);
    told(&client, "/titles", json!({"kind": "movie", "id": "tt1", "name": "One", "release_info": "2001"})).await?;
    told(&client, "/indexer", json!({"api_key": "x"})).await?;
    let release = json!({"title": "One.2001", "hash": first, "size": 1, "categories": [2000]});
    told(&client, "/releases", release).await?;
    let url = format!("{}/api?t=search&q=one&apikey=x", world.torznab_url());
    assert!(client.get(&url).await?.text().contains("<title>One.2001</title>"));
    Ok(())
}

#[tokio::test]
async fn calls_and_the_clock_are_told() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    client.torbox("user/me").await?;
    client.torbox("torrents/mylist").await?;
    let calls = client.tell("GET", "/calls?server=torbox&endpoint=mylist", &Value::Null).await?.json()?;
    assert_eq!(calls.as_array().map(Vec::len), Some(1));
    assert_eq!((&calls[0]["path"], &calls[0]["status"]), (&json!("/v1/api/torrents/mylist"), &json!(404)));
    client.tell("DELETE", "/calls", &Value::Null).await?;
    assert!(world.torbox().calls().is_empty());
    assert_eq!(client.tell("GET", "/calls?server=none", &Value::Null).await?.status, 400);
    told(&client, "/clock/freeze", Value::Null).await?;
    told(&client, "/clock/set", json!({"ms": 1_000_000})).await?;
    told(&client, "/clock/advance", json!({"ms": 500})).await?;
    assert_eq!(client.tell("GET", "/clock", &Value::Null).await?.json()?["ms"], 1_000_500);
    told(&client, "/clock/resume", Value::Null).await?;
    let urls = client.tell("GET", "/", &Value::Null).await?.json()?;
    assert_eq!(urls["torbox"], world.torbox_url());
    assert_eq!(client.tell("GET", "/cdn", &Value::Null).await?.json()?["links_issued"], 0);
    Ok(())
}

#[tokio::test]
async fn the_demo_has_a_film_and_a_series_to_play() -> anyhow::Result<()> {
    let demo: World = chill_sim::demo_world("demo").await?;
    let (world, client) = world().await?;
    told(&client, "/seed/demo", json!({"key": "demo"})).await?;
    for world in [&demo, &world] {
        let feed = |query: String| format!("{}/api?apikey={}&{query}", world.torznab_url(), world.torznab().api_key());
        let film = client.get(&feed("t=movie&imdbid=tt0063350".to_owned())).await?.text();
        assert_eq!(film.matches("<item>").count(), 8);
        let series = client.get(&feed("t=tvsearch&imdbid=tt0047706&season=1".to_owned())).await?.text();
        assert_eq!(series.matches("<item>").count(), 5);
        let hashes: Vec<String> =
            film.split("\"infohash\" value=\"").skip(1).filter_map(|item| item.get(..40)).map(str::to_owned).collect();
        let url = format!("{}/v1/api/torrents/checkcached?format=list&hash={}", world.torbox_url(), hashes.join(","));
        let answer = client.get_with(&url, &[("authorization", "Bearer demo")]).await?.json()?;
        let cached = answer["data"].as_array().cloned().unwrap_or_default();
        assert_eq!(cached.len(), 6, "two of eight have to be fetched");
        assert!(cached.iter().any(|item| item["size"] == 4_000_000_000_u64));
        let title = client.get(&format!("{}/meta/series/tt0047706.json", world.cinemeta_url())).await?.json()?;
        assert_eq!(title["meta"]["videos"][1]["name"], "The Moneylender");
    }
    Ok(())
}
