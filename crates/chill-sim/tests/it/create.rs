//! Every result `createtorrent` is known to give.

use chill_sim::{Behaviour, Duplicate, Plan, Torrent, TorrentState, WhenFull};
use serde_json::{Value, json};

use crate::client::{KEY, world};

const MULTIPART: &str = "--Xb\r\nContent-Disposition: form-data; name=\"magnet\"\r\n\r\nMAGNET\r\n--Xb\r\n\
    Content-Disposition: form-data; name=\"seed\"\r\n\r\n3\r\n--Xb--\r\n";

fn fetched(name: &str) -> Torrent {
    Torrent::single(name, 10_000_000).state(TorrentState::Downloadable { bytes_per_s: 1_000_000 })
}

#[tokio::test]
async fn a_cached_torrent_is_added_by_form_and_by_multipart_with_and_without_boundary() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let [first, second, third] = ["a.mkv", "b.mkv", "c.mkv"].map(|name| Torrent::single(name, 5));
    for torrent in [&first, &second, &third] {
        world.torbox().add_torrent(torrent.clone());
    }
    let by_form = client.create(&first.hash, "").await?.json()?;
    assert_eq!(by_form["success"], true);
    assert!(by_form["detail"].as_str().is_some_and(|detail| detail.starts_with("Found Cached Torrent")));
    for (torrent, kind) in [(&second, "multipart/form-data; boundary=Xb"), (&third, "multipart/form-data")] {
        let body = MULTIPART.replace("MAGNET", &torrent.magnet());
        let added = client.post("torrents/asynccreatetorrent", kind, body).await?.json()?;
        assert_eq!(added["data"]["hash"], torrent.hash);
    }
    let held = world.torbox().items(KEY);
    assert_eq!(held.len(), 3);
    assert!(held.iter().all(|item| item.present));
    Ok(())
}

#[tokio::test]
async fn nonsense_is_refused_with_the_vendors_codes() -> anyhow::Result<()> {
    let (_world, client) = world().await?;
    let form = "application/x-www-form-urlencoded";
    let file = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n<html>\r\n--X--\r\n";
    let both = format!("{}{}", MULTIPART.replace("--Xb--\r\n", "").replace("Xb", "X"), file);
    let cases = [
        (form, "seed=3".to_owned(), json!(true)),
        ("multipart/form-data", both, json!(true)),
        ("application/json", json!({"magnet": "magnet:?"}).to_string(), json!(true)),
        (form, "magnet=hello".to_owned(), json!("INVALID_HASH")),
        ("multipart/form-data", file.to_owned(), json!("BOZO_TORRENT")),
        (form, format!("magnet=magnet:?xt%3Durn:btih:{}", "a".repeat(39)), json!("INVALID_HASH")),
        (form, format!("magnet=magnet:?xt%3Durn:btih:{}&seed=4", "a".repeat(40)), json!("INVALID_OPTION")),
    ];
    for (kind, body, error) in cases {
        let refused = client.post("torrents/createtorrent", kind, body.clone()).await?;
        assert_eq!((refused.status.as_u16(), &refused.json()?["error"]), (400, &error), "{body}");
    }
    let capital = client.create(&"a".repeat(40), "&as_queued=True").await?;
    assert_eq!(capital.status, 422, "booleans are lower case");
    assert!(capital.json()?["detail"].is_array());
    Ok(())
}

#[tokio::test]
async fn what_the_account_has_is_given_again_or_refused() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 5));
    let first = client.create(&hash, "").await?.json()?;
    let again = client.create(&hash, "").await?.json()?;
    assert_eq!(again["data"]["torrent_id"], first["data"]["torrent_id"]);
    for (duplicate, code) in [(Duplicate::Refused, "DUPLICATE_ITEM"), (Duplicate::DiffIssue, "DIFF_ISSUE")] {
        world.torbox().set_behaviour(Behaviour { duplicate, ..Behaviour::default() });
        let refused = client.create(&hash, "").await?;
        assert_eq!((refused.status.as_u16(), refused.json()?["error"].as_str()), (400, Some(code)));
    }
    assert_eq!(world.torbox().items(KEY).len(), 1);
    Ok(())
}

#[tokio::test]
async fn full_slots_queue_and_a_free_slot_starts_the_queued_under_a_new_id() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.torbox().add_account("small", Plan::Essential, 0);
    world.clock().freeze();
    let mut ids = Vec::new();
    for name in ["a.mkv", "b.mkv", "c.mkv"] {
        let hash = world.torbox().add_torrent(fetched(name));
        let added = client.create_as("small", &hash, "&seed=3").await?.json()?;
        ids.push(added["data"]["torrent_id"].as_u64());
    }
    assert!(ids.iter().all(Option::is_some));
    let hash = world.torbox().add_torrent(fetched("d.mkv"));
    let queued = client.create_as("small", &hash, "&seed=3").await?;
    assert_eq!(queued.status, 200);
    let queued = queued.json()?;
    assert_eq!((&queued["success"], &queued["data"]["torrent_id"]), (&json!(true), &Value::Null));
    let queued_id = queued["data"]["queued_id"].as_u64();
    assert!(queued_id.is_some());
    let listed = client.torbox_as("small", "queued/getqueued?type=torrent&bypass_cache=true").await?.json()?;
    assert_eq!(
        (listed["data"][0]["id"].as_u64(), listed["data"][0]["hash"].as_str()),
        (queued_id, Some(hash.as_str()))
    );

    world.clock().advance(std::time::Duration::from_secs(2 + 10 + 3));
    let started = world.torbox().items("small");
    let started = started.iter().find(|item| item.hash == hash);
    assert!(started.is_some_and(|item| Some(item.id) != queued_id && !ids.contains(&Some(item.id))));
    assert!(world.torbox().queue("small").is_empty());
    Ok(())
}

#[tokio::test]
async fn full_slots_can_also_refuse_or_queue_as_a_failure() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.torbox().add_account("small", Plan::Essential, 1);
    for name in ["a", "b", "c", "d"] {
        let hash = world.torbox().add_torrent(fetched(name));
        client.create_as("small", &hash, "&seed=3").await?;
    }
    let hash = world.torbox().add_torrent(fetched("e"));
    for (limit_codes, error) in [(true, json!("ACTIVE_LIMIT")), (false, Value::Null)] {
        let when_full = WhenFull::ActiveLimit;
        world.torbox().set_behaviour(Behaviour { when_full, limit_codes, ..Behaviour::default() });
        let refused = client.create_as("small", &hash, "&seed=3").await?;
        assert_eq!(refused.status, 200);
        let refused = refused.json()?;
        assert_eq!((&refused["success"], &refused["error"]), (&json!(false), &error));
        assert_eq!(refused["data"], json!({"active_limit": 4, "current_active_downloads": 4}));
    }
    assert!(world.torbox().queue("small").is_empty());
    world.torbox().set_behaviour(Behaviour { when_full: WhenFull::QueueAsFailure, ..Behaviour::default() });
    let odd = client.create_as("small", &hash, "&seed=3").await?.json()?;
    assert_eq!(odd["success"], false);
    assert!(odd["detail"].as_str().is_some_and(|detail| detail.contains("queued")));
    assert_eq!(world.torbox().queue("small"), [hash]);
    Ok(())
}

#[tokio::test]
async fn only_cached_torrents_are_added_when_asked_so() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(fetched("a.mkv"));
    let refused = client.create(&hash, "&add_only_if_cached=true").await?;
    assert_eq!((refused.status.as_u16(), refused.json()?["success"].clone()), (400, json!(false)));
    assert!(world.torbox().items(KEY).is_empty());
    world.torbox().set_torrent_state(&hash, TorrentState::Cached);
    assert_eq!(client.create(&hash, "&add_only_if_cached=true").await?.json()?["success"], true);
    Ok(())
}

#[tokio::test]
async fn torrents_can_be_infringing_or_too_large() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.torbox().add_account("free", Plan::Free, 0);
    let infringing = world.torbox().add_torrent(Torrent::single("i", 5).state(TorrentState::Infringing));
    let oversize = world.torbox().add_torrent(Torrent::single("o", 5).state(TorrentState::Oversize));
    let big = world.torbox().add_torrent(Torrent::single("b", (10 << 30) + 1));
    let blocked = client.create(&infringing, "").await?;
    assert_eq!(blocked.status, 451);
    assert!(blocked.text().contains("infringing"));
    world.torbox().set_behaviour(Behaviour { infringing_status: 503, ..Behaviour::default() });
    assert_eq!(client.create(&infringing, "").await?.status, 503);
    assert_eq!(client.create(&oversize, "").await?.json()?["error"], "DOWNLOAD_TOO_LARGE");
    assert_eq!(client.create_as("free", &big, "").await?.json()?["error"], "DOWNLOAD_TOO_LARGE");
    assert_eq!(client.create(&big, "").await?.json()?["success"], true, "Pro takes up to 500 GiB");
    Ok(())
}
