//! The CDN's links, ranges and validators.

use std::time::Duration;

use axum::body::Body;
use chill_sim::{CdnFault, Torrent, content_bytes, content_sha256};
use http::Request;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::client::{KEY, world};

const SIZE: u64 = 200_000;

#[tokio::test]
async fn a_file_is_its_content_whole_and_in_every_kind_of_range() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let torrent = Torrent::new("Pack", [("a.mkv", 10), ("b.mkv", SIZE)]);
    let seed = torrent.seed(1);
    let hash = world.torbox().add_torrent(torrent);
    let link = client.link(&hash, 1).await?;
    let whole = client.get(&link).await?;
    assert_eq!(whole.status, 200);
    assert_eq!(data_encoding::HEXLOWER.encode(&Sha256::digest(&whole.body)), content_sha256(seed, SIZE));
    assert_eq!((whole.header("accept-ranges"), whole.header("content-type")), ("bytes", "video/x-matroska"));
    assert!(whole.header("etag").starts_with('"'), "a strong validator");
    let ranges = [
        ("bytes=0-99", 0, 100),
        ("bytes=199990-", 199_990, 10),
        ("bytes=-7", 199_993, 7),
        ("bytes=70000-140000", 70_000, 70_001),
    ];
    for (range, offset, len) in ranges {
        let part = client.get_with(&link, &[("range", range)]).await?;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {offset}-{}/{SIZE}", offset + len - 1));
        assert_eq!(part.body, content_bytes(seed, offset, usize::try_from(len)?), "{range}");
    }
    let beyond = client.get_with(&link, &[("range", "bytes=200000-")]).await?;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */200000"));
    assert_eq!(world.cdn().connections(), 1, "one connection carried all of it");
    Ok(())
}

#[tokio::test]
async fn if_range_needs_the_same_validator_and_head_has_no_body() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", SIZE));
    let link = client.link(&hash, 0).await?;
    let head = client.send(Request::head(&link).body(Body::empty())?).await?;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "200000", 0));
    let (etag, modified) = (head.header("etag"), head.header("last-modified"));
    let status = async |validator: &str| {
        let headers = [("range", "bytes=5-9"), ("if-range", validator)];
        anyhow::Ok(client.get_with(&link, &headers).await?.status.as_u16())
    };
    assert_eq!(status(etag).await?, 206);
    assert_eq!(status(modified).await?, 206);
    assert_eq!(status("\"another\"").await?, 200);
    assert_eq!(status(&format!("W/{etag}")).await?, 200, "a weak validator never matches");
    Ok(())
}

#[tokio::test]
async fn links_expire_for_opening_but_not_for_what_runs_and_die_with_their_item() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let (first, second) = (Torrent::single("a.mkv", 4_000_000).throttled(8_000_000), Torrent::single("b.mkv", 9));
    let (first, second) = (world.torbox().add_torrent(first), world.torbox().add_torrent(second));
    let link = client.link(&first, 0).await?;
    assert!(!link.contains(KEY));
    let running = client.open(Request::get(&link).body(Body::empty())?).await?;
    world.clock().advance(Duration::from_secs(3 * 3600));
    assert_eq!(client.get(&link).await?.status, 403);
    let read = axum::body::to_bytes(Body::new(running.into_body()), 5_000_000).await?;
    assert_eq!(read.len(), 4_000_000);

    world.cdn().set_link_window(Duration::from_secs(60));
    let link = client.link(&second, 0).await?;
    assert_eq!(client.get(&link).await?.status, 200);
    assert_eq!(client.get(&link.replace("token=", "token=0")).await?.status, 403);
    world.clock().advance(Duration::from_secs(60));
    assert_eq!(client.get(&link).await?.status, 403);

    let link = client.link(&second, 0).await?;
    client.control_torrent(json!({"operation": "delete", "all": true})).await?;
    assert_eq!(client.get(&link).await?.status, 410);
    assert_eq!(client.get(&format!("{}/dld/none/a?token=b", world.cdn_url())).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn requests_can_be_refused_or_their_range_ignored_or_their_etag_changed() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", SIZE));
    let link = client.link(&hash, 0).await?;
    for status in [403, 410, 500] {
        world.cdn().fault(CdnFault::Status { status }, 1);
        assert_eq!(client.get(&link).await?.status, status);
    }
    world.cdn().fault(CdnFault::IgnoreRange, 1);
    let whole = client.get_with(&link, &[("range", "bytes=0-0")]).await?;
    assert_eq!((whole.status.as_u16(), whole.body.len()), (200, 200_000));
    let etag = client.get(&link).await?.header("etag").to_owned();
    world.cdn().fault(CdnFault::WrongEtagAfter { answers: 3 }, 5);
    assert_eq!(client.get(&link).await?.header("etag"), etag);
    assert_ne!(client.get(&link).await?.header("etag"), etag);
    Ok(())
}

#[tokio::test]
async fn a_link_to_the_zip_of_everything_is_as_large_as_everything() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::new("Pack", [("a.mkv", 10), ("b.mkv", 20)]));
    let id = client.create(&hash, "").await?.json()?["data"]["torrent_id"].clone();
    let path = format!("torrents/requestdl?token={KEY}&torrent_id={id}");
    let zip = client.torbox(&format!("{path}&zip_link=true")).await?.json()?;
    let zip = client.get(zip["data"].as_str().unwrap_or_default()).await?;
    assert_eq!((zip.body.len(), zip.header("content-type")), (30, "application/zip"));
    assert_eq!(client.torbox(&format!("{path}&file_id=2")).await?.status, 404);
    let redirect = client.torbox(&format!("{path}&file_id=1&redirect=true")).await?;
    assert_eq!(redirect.status, 307);
    assert_eq!(client.get(redirect.header("location")).await?.body.len(), 20);
    Ok(())
}
