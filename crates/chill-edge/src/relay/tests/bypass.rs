//! Bytes that go past this process, and what must not become of them.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use chill_sim::Torrent;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::stage::{Stage, quick};
use crate::relay::bypass::{of_this_thread, stand_in};
use crate::relay::fuzz::carried;
use crate::relay::{ConnectionCut, RelayConfig, Wire};

const SIZE: u64 = 3_000_000;

async fn comes_whole(config: RelayConfig) {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
    for (first, last) in [(0, SIZE - 1), (0, 65_535), (70_000, 70_000), (65_536, 600_000), (1_000_003, 2_999_990)] {
        let reply = stage.get(&[("range", &format!("bytes={first}-{last}"))]).await;
        let count = usize::try_from(last - first + 1).unwrap();
        assert!(reply.whole && reply.body == stage.bytes(first, count), "{first}-{last}");
    }
}

#[tokio::test]
async fn a_film_over_http_need_not_be_read() {
    comes_whole(quick()).await;
    assert!(of_this_thread::used());
}

#[tokio::test]
async fn a_film_is_copied_where_the_kernel_gives_no_pipe() {
    of_this_thread::refuse();
    comes_whole(quick()).await;
    assert!(!of_this_thread::used());
}

#[tokio::test]
async fn the_plain_client_copies() {
    comes_whole(RelayConfig { plain: true, ..quick() }).await;
    assert!(!of_this_thread::used());
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, connected)
}

async fn wire() -> (Wire, TcpStream) {
    let (tcp, player) = pair().await;
    (Wire::new(tcp, ConnectionCut::new(), Duration::from_secs(60)), player)
}

#[tokio::test]
async fn a_stand_in_is_never_sent_for_what_it_stands_for() {
    let (mut wire, mut player) = wire().await;
    let error = wire.write_all(&stand_in(10)).await.unwrap_err();
    assert_eq!(error.to_string(), "what is written is not what was read");
    drop(wire);
    let mut came = Vec::new();
    player.read_to_end(&mut came).await.expect_err("a reset: the film has not ended");
    assert!(came.is_empty());
}

#[tokio::test]
async fn bytes_on_their_way_are_not_overtaken() {
    let ((mut wire, mut player), (mut origin, from)) = (wire().await, pair().await);
    origin.write_all(b"the film").await.unwrap();
    let bypass = wire.bypass();
    assert_eq!(poll_fn(|cx| bypass.poll_fill(cx, &from, 100).unwrap()).await, 8);
    assert!(poll_fn(|cx| Poll::Ready(bypass.poll_fill(cx, &from, 100))).await.is_none(), "one piece at a time");
    for wrong in [&b"others"[..], &stand_in(7), &stand_in(9)] {
        wire.write_all(wrong).await.unwrap_err();
    }
    wire.write_all(&stand_in(8)).await.unwrap();
    let mut came = [0; 8];
    player.read_exact(&mut came).await.unwrap();
    assert_eq!((&came, bypass.holds()), (b"the film", 0));
}

#[test]
fn what_a_narrow_player_does_not_take_is_read_and_comes_in_its_place() {
    for script in [[255; 40], std::array::from_fn(|step| (step * 37 % 256) as u8)] {
        let (film, came) = carried(&script).unwrap();
        assert!(film.len() > 1_000_000 && film == came);
    }
    assert!(of_this_thread::used());
}

#[tokio::test]
async fn an_end_is_no_bytes_and_a_break_is_left_to_be_read() {
    let bypass = wire().await.0.bypass();
    for breaks in [false, true] {
        let (origin, mut from) = pair().await;
        if breaks {
            origin.set_zero_linger().unwrap();
        }
        drop(origin);
        let filled = poll_fn(|cx| bypass.poll_fill(cx, &from, 100).map_or(Poll::Ready(None), |poll| poll.map(Some)));
        assert_eq!(filled.await, (!breaks).then_some(0));
        assert!(bypass.holds() == 0 && of_this_thread::used(), "the pipe serves the next one");
        assert_eq!(from.read(&mut [0]).await.ok(), Some(0));
    }
}
