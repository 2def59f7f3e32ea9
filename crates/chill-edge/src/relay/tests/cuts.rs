//! A revoked playback ends at once, whatever the player and the origin are doing.

use std::time::{Duration, Instant};

use chill_sim::{CdnFault, Torrent};
use http::Method;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use super::stage::{Player, Stage, ask, quick, until};
use crate::relay::RelayConfig;

const SIZE: u64 = 64 * 1024 * 1024;

/// Far below the second that is promised from the revocation to the last byte.
const AT_ONCE: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_film_being_read_is_cut() {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE).throttled(4_000_000), quick()).await;
    let mut player = Player::connect(stage.address).await;
    let mut body = player.start(&Method::GET, &[]).await.into_body();
    body.frame().await.unwrap().unwrap();
    let begun = Instant::now();
    stage.film.cut.cancel();
    while let Some(Ok(_)) = body.frame().await {}
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    until("the origin's end", || stage.world.cdn().open_streams() == 0).await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(stage.film.meter.open(), 0);
    assert!(stage.film.meter.bytes() < SIZE);
}

#[tokio::test]
async fn a_player_that_does_not_read_is_cut() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::narrow(stage.address).await;
    let mut body = player.start(&Method::GET, &[]).await.into_body();
    stalled(&stage).await;
    let begun = Instant::now();
    stage.film.cut.cancel();
    until("the end of the request", || stage.film.meter.open() == 0).await;
    until("the origin's end", || stage.world.cdn().open_streams() == 0).await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    // The connection was reset, so what the server's kernel still held never arrives.
    let mut late = 0;
    while let Some(Ok(frame)) = body.frame().await {
        late += frame.into_data().unwrap().len();
    }
    assert!(late < 256 * 1024, "{late}");
}

#[tokio::test]
async fn a_film_whose_origin_is_silent_is_cut() {
    let config = RelayConfig { stall_timeout: Duration::from_secs(600), ..quick() };
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
    stage.world.cdn().fault(CdnFault::StallAt { bytes: 100_000 }, 1);
    let mut player = Player::connect(stage.address).await;
    let mut body = player.start(&Method::GET, &[]).await.into_body();
    until("the stall", || stage.film.meter.bytes() == 100_000).await;
    let begun = Instant::now();
    stage.film.cut.cancel();
    while let Some(Ok(_)) = body.frame().await {}
    until("the origin's end", || stage.world.cdn().open_streams() == 0).await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_film_between_two_attempts_is_cut() {
    let config = RelayConfig { resume_pause: Duration::from_secs(600), ..quick() };
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
    stage.world.cdn().fault(CdnFault::CutAt { bytes: 100_000 }, 1);
    stage.world.cdn().add_fault(chill_sim::CdnFaultRule::new(CdnFault::Status { status: 500 }).after(1));
    let mut player = Player::connect(stage.address).await;
    let mut body = player.start(&Method::GET, &[]).await.into_body();
    until("the first failed attempt", || stage.world.cdn().calls().len() == 2).await;
    let begun = Instant::now();
    stage.film.cut.cancel();
    while let Some(Ok(_)) = body.frame().await {}
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(stage.film.meter.open(), 0);
}

#[tokio::test]
async fn nothing_begins_after_the_cut() {
    let stage = Stage::of_size(SIZE).await;
    stage.film.cut.cancel();
    for method in [Method::GET, Method::HEAD] {
        let mut player = Player::connect(stage.address).await;
        assert_eq!(player.start(&method, &[]).await.status(), 502);
    }
    assert!(stage.world.cdn().calls().is_empty());
}

#[tokio::test]
async fn a_connection_that_carries_no_byte_is_told_and_not_cut() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::connect(stage.address).await;
    assert_eq!(player.start(&Method::HEAD, &[]).await.status(), 200);
    stage.film.cut.cancel();
    assert_eq!(player.start(&Method::HEAD, &[]).await.status(), 502, "on the same connection");
}

#[tokio::test]
async fn a_connection_that_has_carried_all_that_was_asked_is_told_and_not_cut() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::connect(stage.address).await;
    let reply = player.ask(&Method::GET, &[("range", "bytes=0-999999")]).await;
    assert!(reply.whole && reply.body.len() == 1_000_000);
    stage.film.cut.cancel();
    // The listener's task has time to drop the connection, if it would.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(player.start(&Method::GET, &[]).await.status(), 502, "on the same connection");
}

#[tokio::test]
async fn what_the_kernel_holds_of_a_film_that_was_handed_over_whole_never_arrives() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::narrow(stage.address).await;
    let mut body = player.start(&Method::GET, &[("range", "bytes=0-199999")]).await.into_body();
    until("the whole part handed over", || stage.film.meter.bytes() == 200_000).await;
    stage.film.cut.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut late = 0;
    while let Some(Ok(frame)) = body.frame().await {
        late += frame.into_data().unwrap().len();
    }
    assert!(late < 128 * 1024, "{late}");
}

#[tokio::test]
async fn nor_does_it_when_the_player_asks_for_something_else_before_it_has_read_it() {
    let stage = Stage::of_size(SIZE).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut player = socket.connect(stage.address).await.unwrap();
    let range = "GET /film HTTP/1.1\r\nhost: edge.example\r\nrange: bytes=0-199999\r\n\r\n";
    let head = "HEAD /film HTTP/1.1\r\nhost: edge.example\r\n\r\n";
    player.write_all(format!("{range}{head}").as_bytes()).await.unwrap();
    until("the other request is answered", || stage.world.cdn().calls().len() == 2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    stage.film.cut.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut late = Vec::new();
    let end = player.read_to_end(&mut late).await;
    assert!(end.is_err() && late.len() < 128 * 1024, "{end:?} after {} bytes", late.len());
}

#[tokio::test]
async fn a_cut_while_the_origin_is_asked_ends_the_asking() {
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().fault(CdnFault::Hang, 1);
    let asked = tokio::spawn(async move { ask(stage.address, &Method::GET, &[]).await.status });
    until("the request", || stage.world.cdn().calls().len() == 1).await;
    let begun = Instant::now();
    stage.film.cut.cancel();
    assert_eq!(asked.await.unwrap(), 502);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

/// Waits until no byte moves any more, because every buffer on the way is full.
pub(super) async fn stalled(stage: &Stage) {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = stage.film.meter.bytes();
        if now == before && now > 0 {
            return;
        }
        before = now;
    }
}
