//! Bodies that end early, slow down, stall, or are abandoned by their reader.

use std::time::{Duration, Instant};

use axum::body::Body;
use chill_sim::{CdnFault, CdnFaultRule, Torrent};
use http::Request;
use http_body_util::BodyExt as _;

use crate::client::{Client, world};

/// Body bytes that arrived, and whether the body ended as promised.
async fn read(client: &Client, link: &str, range: &str) -> anyhow::Result<(u64, bool)> {
    let request = Request::get(link).header("range", range).body(Body::empty())?;
    let mut body = client.open(request).await?.into_body();
    let mut arrived = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Ok((arrived, false)) };
        arrived += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok((arrived, true))
}

/// Waits until the simulator has noticed; it is told by the operating system, which takes a moment.
async fn until(what: impl Fn() -> bool) -> bool {
    for _ in 0..500 {
        if what() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_cut_comes_after_exactly_the_bytes_it_was_told() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 5_000_000_000));
    let link = client.link(&hash, 0).await?;
    for bytes in [0, 1, 65_536, 1_000_003, 20_000_000] {
        world.cdn().fault(CdnFault::CutAt { bytes }, 1);
        assert_eq!(read(&client, &link, "bytes=1000-").await?, (bytes, false));
        assert_eq!(world.cdn().calls().last().map(|call| call.bytes_sent), Some(bytes));
    }
    assert_eq!(read(&client, &link, "bytes=1000-1999").await?, (1000, true), "the next request is whole again");
    Ok(())
}

#[tokio::test]
async fn a_cut_beyond_the_end_changes_nothing_and_faults_can_be_for_one_torrent() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let [first, second] = ["a.mkv", "b.mkv"].map(|name| world.torbox().add_torrent(Torrent::single(name, 100)));
    let [first_link, second_link] = [client.link(&first, 0).await?, client.link(&second, 0).await?];
    world.cdn().fault(CdnFault::CutAt { bytes: 100 }, 1);
    assert_eq!(read(&client, &first_link, "bytes=0-").await?, (100, true));
    world.cdn().add_fault(CdnFaultRule::new(CdnFault::CutAt { bytes: 10 }).for_torrent(&second).after(1).times(1));
    assert_eq!(read(&client, &first_link, "bytes=0-").await?, (100, true));
    assert_eq!(read(&client, &second_link, "bytes=0-").await?, (100, true));
    assert_eq!(read(&client, &second_link, "bytes=0-").await?, (10, false));
    world.cdn().fault(CdnFault::Reset, 1);
    assert!(client.get(&first_link).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_slow_transfer_takes_its_time() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 100_000).throttled(400_000));
    let link = client.link(&hash, 0).await?;
    let started = Instant::now();
    assert_eq!(read(&client, &link, "bytes=0-").await?, (100_000, true));
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    world.cdn().fault(CdnFault::Slow { bytes_per_s: 40_000 }, 1);
    let started = Instant::now();
    assert_eq!(read(&client, &link, "bytes=0-9999").await?, (10_000, true));
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_stalled_body_stays_open_until_its_reader_leaves() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 1_000_000));
    let link = client.link(&hash, 0).await?;
    world.cdn().fault(CdnFault::StallAt { bytes: 70_000 }, 1);
    let mut body = client.open(Request::get(&link).body(Body::empty())?).await?.into_body();
    let mut arrived = 0;
    while arrived < 70_000 {
        let Some(frame) = body.frame().await.transpose()? else { break };
        arrived += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
    assert_eq!(arrived, 70_000);
    assert!(tokio::time::timeout(Duration::from_millis(200), body.frame()).await.is_err(), "no more comes");
    assert_eq!(world.cdn().open_streams(), 1);
    drop(body);
    assert!(until(|| world.cdn().open_streams() == 0).await, "the reader left");
    Ok(())
}

#[tokio::test]
async fn a_world_that_is_shut_down_answers_no_more() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 5_000_000_000).throttled(1_000_000));
    let link = client.link(&hash, 0).await?;
    let mut body = client.open(Request::get(&link).body(Body::empty())?).await?.into_body();
    world.shutdown().await;
    let mut broken = false;
    while let Some(frame) = body.frame().await {
        broken = frame.is_err();
        if broken {
            break;
        }
    }
    assert!(broken, "the transfer ends with its server");
    assert!(client.get(&link).await.is_err());
    Ok(())
}
