//! Scripted players through a real server, with the limits on: zapping, seeking, pausing, falling asleep, crashing. What a
//! player leaves idle is told by the clock, which moves only as the script says.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use chill_core::{LeaseRequest, StoreErrorKind};
use chill_sim::CdnFault;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

use super::fakes::{lease, lock};
use super::stage::{Cdn, Stage, click, pool, segment, until};
use crate::EdgeConfig;
use crate::relay::{ConnectionCut, VIEWER_BUFFER, Wire};

const FILM: u64 = 20_000_000;
const SOFA: &str = "Sofa/1.0";
const KITCHEN: &str = "Kitchen/1.0";

/// A server on a port, and the film behind it.
struct Server {
    stage: Stage,
    address: SocketAddr,
    cdn: Cdn,
    _stop: DropGuard,
}

impl Server {
    async fn with(config: EdgeConfig) -> Self {
        let (stage, cdn) = (Stage::with(config).with_film(), Cdn::with_film_of(FILM).await);
        lock(&stage.torbox.link).clone_from(&cdn.link);
        stage.control.decide(|_| Ok(lease("key-1", 1)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, router, stop) = (listener.local_addr().unwrap(), stage.router(), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Some(Ok((tcp, _))) = stopped.run_until_cancelled(listener.accept()).await {
                connections.spawn(converse(tcp, router.clone()));
            }
        });
        Self { stage, address, cdn, _stop: stop.drop_guard() }
    }

    /// One film at once for each user.
    async fn for_one_film() -> Self {
        Self::with(EdgeConfig { max_streams_per_user: Some(1), ..EdgeConfig::default() }).await
    }

    /// One film at once for all.
    async fn for_one_viewer() -> Self {
        Self::with(EdgeConfig { max_streams: Some(1), ..EdgeConfig::default() }).await
    }

    async fn play(&self, path: &str, player: &'static str) -> Answer {
        self.seek(path, player, 0).await
    }

    async fn seek(&self, path: &str, player: &'static str, first: u64) -> Answer {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(16 * 1024).unwrap();
        // A connection that is dropped ends with a reset, as that of a player that was killed.
        #[expect(deprecated, reason = "nothing waits here: what lingers is discarded at once")]
        tcp.set_linger(Some(Duration::ZERO)).unwrap();
        let tcp = tcp.connect(self.address).await.unwrap();
        let (mut sender, connection) = client::handshake(TokioIo::new(tcp)).await.unwrap();
        let connection = tokio::spawn(connection).abort_handle();
        let request = Request::get(path).header("host", "edge.example").header("user-agent", player);
        let request = request.header("range", format!("bytes={first}-")).body(Empty::<Bytes>::new()).unwrap();
        Answer { response: sender.send_request(request).await.unwrap(), connection }
    }

    fn pass(&self, time: Duration) {
        self.stage.edge.clock.advance(time);
    }

    /// Requests that carry bytes now.
    fn open(&self) -> usize {
        self.stage.edge.playbacks.all().iter().map(|playback| playback.meter.open()).sum()
    }

    fn bytes(&self) -> u64 {
        self.stage.edge.playbacks.all().iter().map(|playback| playback.meter.bytes()).sum()
    }

    /// Waits until nobody takes a byte, since all buffers on the way are full.
    async fn stands_still(&self) {
        let (mut before, mut same) = (self.bytes(), 0);
        while same < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = self.bytes();
            same = if now == before { same + 1 } else { 0 };
            before = now;
        }
    }
}

async fn converse(tcp: TcpStream, router: Router) {
    let cut = ConnectionCut::new();
    let wire = Wire::new(tcp, cut.clone(), Duration::from_secs(60));
    let followed = cut.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, cut) = (router.clone(), followed.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 9], 4711))));
            let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            cut.follow(&response);
            Ok::<_, Infallible>(response)
        }
    });
    let mut server = server::Builder::new();
    server.max_buf_size(VIEWER_BUFFER);
    tokio::select! {
        _ = server.serve_connection(TokioIo::new(wire), service) => {}
        () = cut.due() => {}
    }
}

/// What a player got.
struct Answer {
    response: Response<Incoming>,
    connection: AbortHandle,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Answer {
    fn plays(&self) -> bool {
        let refusal = self.response.headers().get("x-chillproxy-refusal");
        match (self.response.status().as_u16(), refusal.map(|code| code.to_str().unwrap())) {
            (206, None) => true,
            (302, Some("stream_limit")) => false,
            other => panic!("{other:?}"),
        }
    }

    /// Reads on; false when the film broke off.
    async fn watch(&mut self, bytes: usize) -> bool {
        let mut had = 0;
        while had < bytes {
            match self.response.body_mut().frame().await {
                Some(Ok(frame)) => had += frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) => return false,
                None => panic!("the film is longer"),
            }
        }
        true
    }

    /// Reads a film to its end, or where it breaks off: false.
    async fn watch_all(&mut self) -> bool {
        while let Some(frame) = self.response.body_mut().frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    }
}

fn film() -> String {
    click(&pool())
}

fn other_film() -> String {
    click(&pool()).replace("Quiet.Hills.1968.mkv", "")
}

fn somebody_elses() -> String {
    click(&segment(r#"{"stores":[{"c":"tb","auth":"22222222-2222-4333-8444-555555555555"}]}"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zap_plays_as_soon_as_the_player_closes_the_film_before() {
    let server = Server::for_one_film().await;
    let mut film_before = server.play(&film(), SOFA).await;
    assert!(film_before.plays() && film_before.watch(100_000).await);
    let path = other_film();
    let closes = async {
        drop(film_before);
        until("its connection is gone", || server.open() == 0).await;
        server.pass(Duration::from_millis(500));
    };
    let (mut zapped, ()) = tokio::join!(server.play(&path, SOFA), closes);
    assert!(zapped.plays() && zapped.watch(100_000).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zap_plays_at_once_when_the_player_has_stopped_reading() {
    let server = Server::for_one_film().await;
    let mut film_before = server.play(&film(), SOFA).await;
    assert!(film_before.plays() && film_before.watch(100_000).await);
    server.stands_still().await;
    server.pass(Duration::from_secs(3));
    let mut zapped = server.play(&other_film(), SOFA).await;
    assert!(zapped.plays() && zapped.watch(100_000).await);
    assert!(!film_before.watch_all().await, "cut, not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_televisions_do_not_cut_each_others_films() {
    let server = Server::for_one_film().await;
    let mut first = server.play(&film(), SOFA).await;
    assert!(first.plays() && first.watch(100_000).await);
    for _ in 0..2 {
        assert!(!server.play(&other_film(), SOFA).await.plays());
    }
    assert!(first.watch_all().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_waited_for_its_place_still_has_other_keys() {
    let server = Server::for_one_film().await;
    let of_key = |ask: &LeaseRequest| if ask.exclude.is_empty() { "key-1" } else { "key-2" };
    server.stage.control.decide(move |ask| Ok(lease(of_key(ask), 1)));
    let mut film_before = server.play(&film(), SOFA).await;
    assert!(film_before.plays() && film_before.watch(100_000).await);
    server.stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    let path = film();
    let closes = async {
        until("the other device asks", || server.stage.control.asked() == 2).await;
        drop(film_before);
        until("its connection is gone", || server.open() == 0).await;
        server.pass(Duration::from_secs(2));
    };
    let (mut zapped, ()) = tokio::join!(server.play(&path, KITCHEN), closes);
    assert!(zapped.plays() && zapped.watch(100_000).await);
    assert_eq!(server.stage.torbox.calls().last().unwrap(), "link key-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_whose_origin_is_silent_is_not_left() {
    let server = Server::for_one_film().await;
    server.cdn.world.cdn().fault(CdnFault::StallAt { bytes: 1_000_000 }, 1);
    let mut film_before = server.play(&film(), SOFA).await;
    assert!(film_before.plays() && film_before.watch(1_000_000).await);
    server.pass(Duration::from_secs(8));
    assert!(!server.play(&other_film(), SOFA).await.plays(), "its player waits for more");
    assert!(!server.play(&film(), KITCHEN).await.plays());
    assert!(film_before.watch_all().await, "and gets it from where it broke off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_starts_slowly_is_not_taken_over() {
    let server = Server::for_one_film().await;
    *lock(&server.stage.torbox.link_takes) = Duration::from_secs(5);
    let (path, other) = (film(), film());
    let first = server.play(&path, SOFA);
    let second = async {
        until("a link is asked for", || server.stage.torbox.calls().iter().any(|call| call == "link key-1")).await;
        server.play(&other, KITCHEN).await
    };
    let (mut first, second) = tokio::join!(first, second);
    assert!(first.plays() && !second.plays(), "it is about to be watched");
    assert!(first.watch(100_000).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_seeks_keeps_its_place() {
    let server = Server::for_one_film().await;
    let path = film();
    let mut old = Some(server.play(&path, SOFA).await);
    let storm = async {
        for seek in 0.. {
            // A player opens the new request now before, now after it closes the old one.
            old = old.take().filter(|_| seek % 2 == 0);
            let mut new = server.seek(&path, SOFA, seek * 1_000 % FILM).await;
            assert!(new.plays() && new.watch(20_000).await, "seek {seek}");
            old = Some(new);
        }
    };
    let refused = tokio::select! {
        refused = server.play(&path, KITCHEN) => refused,
        () = storm => unreachable!("it has no end"),
    };
    assert!(!refused.plays(), "another device waited, and never got in between");
    assert_eq!(server.stage.control.asked(), 2, "one question for each device's start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_paused_for_ten_minutes_goes_on_when_nobody_wanted_its_place() {
    let server = Server::for_one_film().await;
    let mut paused = server.play(&film(), SOFA).await;
    assert!(paused.plays() && paused.watch(100_000).await);
    server.pass(Duration::from_secs(600));
    assert!(paused.watch_all().await);
    let mut again = server.play(&film(), SOFA).await;
    assert!(again.plays() && again.watch(100_000).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_film_is_taken_over_and_waits_when_it_comes_back() {
    let server = Server::for_one_film().await;
    let mut paused = server.play(&film(), SOFA).await;
    assert!(paused.plays() && paused.watch(100_000).await);
    server.stands_still().await;
    server.pass(Duration::from_secs(10));
    let asked = tokio::time::Instant::now();
    let mut other = server.play(&film(), KITCHEN).await;
    assert!(other.plays() && other.watch(100_000).await);
    assert!(asked.elapsed() >= Duration::from_secs(3), "not before it has waited for one that closes");
    assert!(!paused.watch_all().await, "cut, not ended");
    assert!(!server.play(&film(), SOFA).await.plays(), "now the other one is watched");
    assert!(other.watch(100_000).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_a_player_that_fell_asleep_is_anybodys_after_a_minute() {
    let server = Server::for_one_viewer().await;
    let mut asleep = server.play(&film(), SOFA).await;
    assert!(asleep.plays() && asleep.watch(100_000).await);
    server.stands_still().await;
    server.pass(Duration::from_secs(50));
    assert!(!server.play(&somebody_elses(), KITCHEN).await.plays());
    server.pass(Duration::from_secs(10));
    let mut other = server.play(&somebody_elses(), KITCHEN).await;
    assert!(other.plays() && other.watch(100_000).await);
    assert!(!asleep.watch_all().await, "and should it wake, it carries nothing beyond the limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_a_player_that_crashed_is_free_when_it_is_no_seek() {
    let server = Server::for_one_viewer().await;
    let mut crashed = server.play(&film(), SOFA).await;
    assert!(crashed.plays() && crashed.watch(100_000).await);
    drop(crashed);
    until("its connection is gone", || server.open() == 0).await;
    server.pass(Duration::from_secs(2));
    let mut other = server.play(&somebody_elses(), KITCHEN).await;
    assert!(other.plays() && other.watch(100_000).await);
}
