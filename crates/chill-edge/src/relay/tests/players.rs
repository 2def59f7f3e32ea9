//! Players that leave, dawdle, or never read.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chill_sim::{CdnFault, CdnFaultRule, Torrent};
use http::Method;
use http_body_util::BodyExt as _;

use super::cuts::stalled;
use super::stage::{Player, Stage, WRITE_IDLE, ask, quick, until};
use crate::relay::RelayConfig;
use crate::relay::bypass::of_this_thread;

const SIZE: u64 = 256 * 1024 * 1024;

#[tokio::test]
async fn a_player_that_leaves_ends_the_request_to_the_origin() {
    let config = RelayConfig { stall_timeout: Duration::from_secs(600), ..quick() };
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
    // While bytes flow, while the player does not read, and while the origin is silent.
    for silent in [None, Some(0), Some(300_000)] {
        if let Some(bytes) = silent {
            stage.world.cdn().fault(CdnFault::StallAt { bytes }, 1);
        }
        let mut player = Player::narrow(stage.address).await;
        let body = player.start(&Method::GET, &[]).await.into_body();
        until("the film", || stage.world.cdn().open_streams() == 1 && stage.film.meter.open() == 1).await;
        let begun = Instant::now();
        drop((player, body));
        until("the origin's end", || stage.world.cdn().open_streams() == 0).await;
        assert_eq!(stage.film.meter.open(), 0, "{silent:?}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{silent:?} {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_player_that_leaves_before_the_head_ends_the_request_to_the_origin() {
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().fault(CdnFault::Hang, 1);
    let mut player = Player::connect(stage.address).await;
    let left = tokio::time::timeout(Duration::from_millis(200), player.start(&Method::GET, &[])).await;
    assert!(left.is_err());
    assert_eq!(stage.film.meter.open(), 1);
    drop(player);
    until("the end of the request", || stage.film.meter.open() == 0).await;
}

#[tokio::test]
async fn a_slow_player_slows_the_origin() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::narrow(stage.address).await;
    let mut body = player.start(&Method::GET, &[]).await.into_body();
    stalled(&stage).await;
    let taken = stage.film.meter.bytes();
    let sent = stage.world.cdn().calls()[0].bytes_sent;
    // Beyond what was handed on, the relay holds a read or two; the rest is in the kernels' socket buffers.
    assert!(taken < SIZE / 4 && sent < SIZE / 4, "taken {taken}, sent {sent}");
    // Reading what the kernels hold makes room, and the film goes on.
    let mut read = 0;
    while stage.film.meter.bytes() == taken {
        assert!(read < SIZE / 4, "{read}");
        read += body.frame().await.unwrap().unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(stage.world.cdn().calls().len(), 1, "a slow player is not a silent origin");
}

#[tokio::test]
async fn a_pause_of_the_player_is_not_the_origin_s_silence() {
    let config = RelayConfig { stall_timeout: Duration::from_millis(100), ..quick() };
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
    let mut player = Player::narrow(stage.address).await;
    let mut body = player.start(&Method::GET, &[]).await.into_body();
    stalled(&stage).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut read = 0;
    while read < 1_000_000 {
        read += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    assert_eq!(stage.world.cdn().calls().len(), 1);
}

#[tokio::test]
async fn a_player_that_never_reads_is_let_go() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::narrow(stage.address).await;
    let _body = player.start(&Method::GET, &[]).await.into_body();
    stalled(&stage).await;
    tokio::time::pause();
    tokio::time::sleep(WRITE_IDLE - Duration::from_secs(5)).await;
    assert_eq!(stage.film.meter.open(), 1, "a pause of the player is allowed");
    tokio::time::sleep(Duration::from_secs(6)).await;
    tokio::time::resume();
    until("the end of the request", || stage.film.meter.open() == 0).await;
    until("the origin's end", || stage.world.cdn().open_streams() == 0).await;
}

#[tokio::test]
async fn a_player_that_never_reads_is_let_go_though_its_origin_is_silent() {
    of_this_thread::refuse();
    let fills = {
        let stage = Stage::of_size(SIZE).await;
        let mut player = Player::narrow(stage.address).await;
        let _body = player.start(&Method::GET, &[]).await.into_body();
        stalled(&stage).await;
        stage.film.meter.bytes()
    };
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::StallAt { bytes: fills }));
    let mut player = Player::narrow(stage.address).await;
    let _body = player.start(&Method::GET, &[]).await.into_body();
    stalled(&stage).await;
    tokio::time::pause();
    tokio::time::sleep(2 * WRITE_IDLE).await;
    tokio::time::resume();
    until("the end of the request", || stage.film.meter.open() == 0).await;
}

#[tokio::test]
async fn a_meter_tells_when_the_playback_is_over() {
    let stage = Stage::of_size(SIZE).await;
    let mut players = Vec::new();
    for _ in 0..3 {
        let mut player = Player::narrow(stage.address).await;
        let body = player.start(&Method::GET, &[]).await.into_body();
        players.push((player, body));
    }
    assert_eq!(stage.film.meter.open(), 3);
    let meter = stage.film.meter.clone();
    let over = tokio::spawn(async move { meter.closed().await });
    while let Some(leaving) = players.pop() {
        assert!(!over.is_finished());
        drop(leaving);
        until("one request less", || stage.film.meter.open() == players.len()).await;
    }
    over.await.unwrap();
}

#[tokio::test]
async fn a_film_waits_for_a_connection_when_its_origin_has_as_many_as_it_may() {
    for plain in [false, true] {
        let config = RelayConfig { sockets_per_origin: 1, plain, ..quick() };
        let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
        let mut first = Player::narrow(stage.address).await;
        let body = first.start(&Method::GET, &[]).await.into_body();
        let refused = stage.get(&[("range", "bytes=0-9")]).await;
        assert_eq!((refused.status, refused.text()), (502, "Unreachable"), "{plain}");
        assert_eq!(stage.world.cdn().calls().len(), 1, "{plain}");
        if !plain {
            assert_eq!(stage.links.fresh.load(Ordering::SeqCst), 0, "neither the link's fault nor the key's");
        }
        drop((first, body));
        let second = stage.get(&[("range", "bytes=0-9")]).await;
        assert!(second.status == 206 && second.body == stage.bytes(0, 10), "{plain}");
    }
}

#[tokio::test]
async fn a_film_that_ends_leaves_its_connection_to_the_one_that_waits() {
    let config = RelayConfig { sockets_per_origin: 1, head_timeout: Duration::from_secs(60), ..quick() };
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE).throttled(2_000_000), config).await;
    let address = stage.address;
    let mut first = Player::connect(address).await;
    let mut body = first.start(&Method::GET, &[("range", "bytes=0-999999")]).await.into_body();
    let second = tokio::spawn(async move { ask(address, &Method::GET, &[("range", "bytes=7-9")]).await });
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!(read, 1_000_000);
    let second = tokio::time::timeout(Duration::from_secs(10), second).await.unwrap().unwrap();
    assert!(second.whole && second.body == stage.bytes(7, 3));
    assert_eq!(stage.world.cdn().connections(), 1);
}
