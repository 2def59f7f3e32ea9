//! Cache check, `mylist` with its cache and paging, control, queue, and what is not an endpoint.

use std::time::Duration;

use chill_sim::{Behaviour, Torrent, TorrentState};
use serde_json::{Value, json};

use crate::client::{KEY, world};

#[tokio::test]
async fn the_cache_check_has_two_methods_and_two_formats() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let pack = Torrent::new("Pack", [("a.mkv", 10), ("b.mkv", 20)]);
    let (pack, other) = (world.torbox().add_torrent(pack), world.torbox().add_torrent(Torrent::single("c.mkv", 5)));
    let uncached = Torrent::single("d.mkv", 5).state(TorrentState::Downloadable { bytes_per_s: 1 });
    let uncached = world.torbox().add_torrent(uncached);
    let path = format!("torrents/checkcached?hash={},{uncached}&hash={other}", pack.to_uppercase());
    let object = client.torbox(&path).await?.json()?;
    assert_eq!(object["data"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(object["data"][&pack], json!({"name": "Pack", "size": 30, "hash": pack}));
    let body = json!({"hashes": [pack, uncached]}).to_string();
    let path = "torrents/checkcached?format=list&list_files=true";
    let list = client.post(path, "application/json", body.clone()).await?.json()?;
    let files = json!([{"name": "Pack/b.mkv", "size": 20}, {"name": "Pack/a.mkv", "size": 10}]);
    assert_eq!(list["data"], json!([{"name": "Pack", "size": 30, "hash": pack, "files": files}]));
    assert!(world.torbox().items(KEY).is_empty(), "nothing is added");

    let miss = format!("torrents/checkcached?format=list&hash={uncached}");
    assert_eq!(client.torbox(&miss).await?.json()?["data"], Value::Null);
    world.torbox().set_behaviour(Behaviour { null_when_uncached: false, ..Behaviour::default() });
    assert_eq!(client.torbox(&miss).await?.json()?["data"], json!([]));
    assert_eq!(client.torbox(&format!("torrents/checkcached?hash={uncached}")).await?.json()?["data"], json!({}));

    assert_eq!(client.post(path, "text/plain", body).await?.status, 422);
    assert_eq!(client.post(path, "application/json", "{}").await?.status, 422);
    assert_eq!(client.torbox("torrents/checkcached").await?.json()?["error"], "MISSING_REQUIRED_OPTION");
    assert_eq!(client.torbox(&format!("{miss}&list_files=True")).await?.status, 422);
    Ok(())
}

#[tokio::test]
async fn the_list_is_ten_minutes_old_unless_asked_past_its_cache() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.clock().freeze();
    let empty = client.torbox("torrents/mylist").await?;
    assert_eq!(empty.status, 404);
    let empty = empty.json()?;
    assert_eq!(
        (&empty["success"], &empty["error"], &empty["data"]),
        (&json!(true), &json!("ITEM_NOT_FOUND"), &Value::Null)
    );
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 5));
    let id = client.create(&hash, "").await?.json()?["data"]["torrent_id"].clone();
    world.clock().advance(Duration::from_secs(599));
    assert_eq!(client.torbox("torrents/mylist").await?.status, 404);
    assert_eq!(client.torbox(&format!("torrents/mylist?id={id}")).await?.status, 404);
    let fresh = client.torbox(&format!("torrents/mylist?id={id}&bypass_cache=true")).await?.json()?;
    assert_eq!((&fresh["data"]["id"], &fresh["data"]["hash"]), (&id, &json!(hash)));
    assert_eq!(client.torbox("torrents/mylist?bypass_cache=true").await?.json()?["data"][0]["id"], id);
    world.clock().advance(Duration::from_secs(1));
    assert_eq!(client.torbox("torrents/mylist").await?.json()?["data"][0]["id"], id);
    assert_eq!(client.torbox("torrents/mylist?id=1&bypass_cache=true").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn pages_are_newest_first_and_one_longer_than_asked() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    for name in ["a", "b", "c", "d"] {
        let hash = world.torbox().add_torrent(Torrent::single(name, 5));
        client.create(&hash, "").await?;
    }
    let page = async |query: &str| {
        let page = client.torbox(&format!("torrents/mylist?bypass_cache=true&{query}")).await?;
        let Ok(page) = page.json() else { return anyhow::Ok(Vec::new()) };
        let items = page["data"].as_array().cloned().unwrap_or_default();
        Ok(items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect())
    };
    assert_eq!(page("limit=2").await?, ["d", "c", "b"]);
    assert_eq!(page("limit=2&offset=3").await?, ["a"]);
    assert!(page("offset=4").await?.is_empty());
    world.torbox().set_behaviour(Behaviour { one_more_than_asked: false, ..Behaviour::default() });
    assert_eq!(page("limit=2").await?, ["d", "c"]);
    assert_eq!(client.torbox("torrents/mylist?id=abc").await?.status, 422);
    Ok(())
}

#[tokio::test]
async fn a_download_passes_through_every_phase_on_the_clock() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.clock().freeze();
    let torrent = Torrent::new("Pack", [("a.mkv", 6_000_000), ("b.mkv", 4_000_000)]);
    let hash = world.torbox().add_torrent(torrent.state(TorrentState::Downloadable { bytes_per_s: 1_000_000 }));
    let id = client.create(&hash, "&seed=3").await?.json()?["data"]["torrent_id"].clone();
    let item = async || {
        let path = format!("torrents/mylist?id={id}&bypass_cache=true");
        anyhow::Ok(client.torbox(&path).await?.json()?["data"].clone())
    };
    let link = async || client.torbox(&format!("torrents/requestdl?token={KEY}&torrent_id={id}")).await;
    let seen = item().await?;
    assert_eq!(
        (seen["download_state"].as_str(), &seen["size"], &seen["files"]),
        (Some("metaDL"), &json!(0), &json!([]))
    );
    world.clock().advance(Duration::from_secs(7));
    let seen = item().await?;
    assert_eq!(
        (seen["download_state"].as_str(), &seen["progress"], &seen["eta"]),
        (Some("downloading"), &json!(0.5), &json!(5))
    );
    assert_eq!((&seen["download_finished"], &seen["active"]), (&json!(false), &json!(true)));
    assert_eq!(link().await?.json()?["error"], "DOWNLOAD_SERVER_ERROR");
    world.clock().advance(Duration::from_secs(5));
    let seen = item().await?;
    assert_eq!((&seen["download_finished"], &seen["download_present"]), (&json!(true), &json!(false)));
    assert_eq!(link().await?.status, 500);
    world.clock().advance(Duration::from_secs(3));
    let seen = item().await?;
    assert_eq!((&seen["download_finished"], &seen["download_present"]), (&json!(true), &json!(true)));
    assert_eq!((&seen["active"], &seen["files"][1]["name"]), (&json!(false), &json!("Pack/b.mkv")));
    let url = link().await?.json()?["data"].as_str().unwrap_or_default().to_owned();
    assert_eq!(client.get(&url).await?.body.len(), 6_000_000, "file 0 is the default");
    Ok(())
}

#[tokio::test]
async fn what_nobody_seeds_never_arrives_and_seeding_holds_a_slot() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.clock().freeze();
    let dead = world.torbox().add_torrent(Torrent::single("dead", 5).state(TorrentState::Dead));
    let quick = Torrent::single("quick", 5).state(TorrentState::Downloadable { bytes_per_s: 500 });
    let quick = world.torbox().add_torrent(quick);
    for hash in [&dead, &quick, &"e".repeat(40)] {
        assert_eq!(client.create(hash, "").await?.json()?["success"], true);
    }
    world.clock().advance(Duration::from_secs(3600));
    let list = client.torbox("torrents/mylist?bypass_cache=true").await?.json()?;
    let seen = |place: usize, field: &str| list["data"][place][field].clone();
    assert_eq!((seen(0, "download_state"), seen(0, "download_finished")), (json!("stalled (no seeds)"), json!(false)));
    assert_eq!((seen(1, "download_present"), seen(1, "active")), (json!(true), json!(true)), "seeds on");
    assert_eq!(seen(2, "download_state"), "stalled (no seeds)");
    let quick_id = seen(1, "id");
    client.control_torrent(json!({"torrent_id": quick_id, "operation": "stop_seeding"})).await?;
    let item = client.torbox(&format!("torrents/mylist?bypass_cache=true&id={quick_id}")).await?.json()?;
    assert_eq!(item["data"]["active"], false);
    Ok(())
}

#[tokio::test]
async fn control_deletes_and_checks_what_it_is_told() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a", 5));
    let id = client.create(&hash, "").await?.json()?["data"]["torrent_id"].clone();
    let dance = client.control_torrent(json!({"torrent_id": id, "operation": "dance"})).await?;
    assert_eq!((dance.status.as_u16(), dance.json()?["error"].as_str()), (400, Some("INVALID_OPTION")));
    assert_eq!(client.control_torrent(json!({"operation": "delete"})).await?.status, 422);
    assert_eq!(client.control_torrent(json!({"torrent_id": 1, "operation": "delete"})).await?.status, 404);
    assert_eq!(client.control_torrent(json!({"torrent_id": id, "operation": "delete"})).await?.status, 200);
    assert!(world.torbox().items(KEY).is_empty());
    client.create(&hash, "").await?;
    assert_eq!(client.control_torrent(json!({"operation": "delete", "all": true})).await?.status, 200);
    assert!(world.torbox().items(KEY).is_empty());
    Ok(())
}

#[tokio::test]
async fn queued_downloads_can_be_started_and_deleted_under_both_paths() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let torrent = Torrent::single(name, 5).state(TorrentState::Downloadable { bytes_per_s: 1 });
        let hash = world.torbox().add_torrent(torrent);
        // Slots are free, so what is queued starts with the next call: fill them first.
        for number in 0..10 {
            client.create(&format!("{number:040x}"), "&seed=3").await?;
        }
        let queued = client.create(&hash, "&as_queued=true").await?.json()?;
        ids.push((queued["data"]["queued_id"].clone(), hash));
    }
    let legacy = client.torbox("torrents/getqueued?bypass_cache=true").await?.json()?;
    assert_eq!(legacy["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(client.torbox("queued/getqueued?type=usenet&bypass_cache=true").await?.json()?["data"], json!([]));
    let control = async |path: &str, body: Value| client.post(path, "application/json", body.to_string()).await;
    let start = json!({"queued_id": ids[0].0, "operation": "start"});
    assert_eq!(control("torrents/controlqueued", start.clone()).await?.status, 200);
    assert!(world.torbox().items(KEY).iter().any(|item| item.hash == ids[0].1));
    assert_eq!(control("queued/controlqueued", start).await?.status, 404);
    let start_all = json!({"all": true, "operation": "start"});
    assert_eq!(control("queued/controlqueued", start_all).await?.json()?["error"], "INVALID_OPTION");
    let delete = json!({"queued_id": ids[1].0, "operation": "delete"});
    assert_eq!(control("queued/controlqueued", delete).await?.status, 200);
    assert!(world.torbox().queue(KEY).is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_no_endpoint_says_so() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let unknown = client.torbox("torrents/nothing").await?;
    assert_eq!((unknown.status.as_u16(), unknown.json()?["error"].as_str()), (404, Some("ENDPOINT_NOT_FOUND")));
    assert_eq!(client.get(&format!("{}/api/user/me", world.torbox_url())).await?.status, 404);
    let wrong_verb = client.post("torrents/mylist", "application/json", "{}").await?;
    assert_eq!((wrong_verb.status.as_u16(), wrong_verb.json()?), (405, json!({"detail": "Method Not Allowed"})));
    for path in ["torrents/requestdl", "torrents/requestdl?token=x", "torrents/requestdl?token=x&torrent_id=y"] {
        let invalid = client.torbox(path).await?;
        assert_eq!(invalid.status, 422, "{path}");
        assert!(invalid.json()?["detail"][0]["loc"].is_array());
    }
    assert_eq!(client.torbox(&format!("torrents/torrentinfo?hash={}", "d".repeat(40))).await?.status, 500);
    Ok(())
}
