//! Who plays in the tests: the store's origin, the listener, the player.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chill_core::{Chance, Clock, Secret, StoreErrorKind};
use chill_sim::{Plan, Torrent, World, content_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::relay::{
    ConnectionCut, Film, Link, Meter, Origin, OriginError, OriginErrorKind, Relay, RelayConfig, VIEWER_BUFFER, Wire,
};

pub(super) const KEY: &str = "11111111-2222-3333-4444-555555555555";

/// How long the tests' listener lets a player take no byte.
pub(super) const WRITE_IDLE: Duration = Duration::from_secs(60);

/// Times short enough for tests on the real clock, and pauses that repeat.
pub(super) fn quick() -> RelayConfig {
    RelayConfig {
        stall_timeout: Duration::from_millis(300),
        head_timeout: Duration::from_secs(2),
        resume_pause: Duration::from_millis(1),
        chance: Chance::seeded(1),
        ..RelayConfig::default()
    }
}

/// A film at the simulated TorBox, a relay in front of it, and one playback of it.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) film: Film,
    pub(super) links: Arc<StoreLinks>,
    pub(super) address: SocketAddr,
    pub(super) seed: u64,
    _stop: DropGuard,
}

impl Stage {
    pub(super) async fn of_size(size: u64) -> Self {
        Self::new(Torrent::single("A Film (1968).mkv", size), quick()).await
    }

    pub(super) async fn new(torrent: Torrent, config: RelayConfig) -> Self {
        let world = World::start().await.unwrap();
        world.torbox().add_account(KEY, Plan::Pro, 0);
        let (seed, magnet) = (torrent.seed(0), torrent.magnet());
        world.torbox().add_torrent(torrent);
        let links = Arc::new(StoreLinks::new(&world.torbox_url(), &magnet).await);
        let film = film(links.clone());
        let (address, _stop) = listen(Relay::new(config), film.clone()).await;
        Self { world, film, links, address, seed, _stop }
    }

    /// The film's bytes in a range.
    pub(super) fn bytes(&self, first: u64, count: usize) -> Vec<u8> {
        content_bytes(self.seed, first, count)
    }

    pub(super) async fn get(&self, headers: &[(&str, &str)]) -> Reply {
        ask(self.address, &Method::GET, headers).await
    }

    /// The statuses the CDN answered with, in order.
    pub(super) fn cdn_statuses(&self) -> Vec<u16> {
        self.world.cdn().calls().iter().map(|call| call.status).collect()
    }
}

/// A playback of what `origin` has.
pub(super) fn film(origin: Arc<dyn Origin>) -> Film {
    Film {
        origin,
        meter: Arc::new(Meter::new(Clock::System)),
        cut: CancellationToken::new(),
        file_name: "A Film (1968).mkv".to_owned(),
    }
}

/// Links of one file, asked of the simulated store and kept until a fresh one is wanted.
pub(super) struct StoreLinks {
    request: String,
    kept: tokio::sync::Mutex<Option<Secret>>,
    pub(super) fresh: AtomicU32,
}

impl StoreLinks {
    async fn new(torbox: &str, magnet: &str) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("magnet", magnet).finish();
        let request = Request::post(format!("{torbox}/v1/api/torrents/createtorrent"))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/x-www-form-urlencoded");
        let created = json(request.body(Full::new(Bytes::from(form))).unwrap()).await;
        let id = &created["data"]["torrent_id"];
        let request = format!("{torbox}/v1/api/torrents/requestdl?token={KEY}&torrent_id={id}&file_id=0");
        Self { request, kept: tokio::sync::Mutex::default(), fresh: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Origin for StoreLinks {
    async fn link(&self, fresh: bool) -> Result<Link, OriginError> {
        let mut kept = self.kept.lock().await;
        self.fresh.fetch_add(u32::from(fresh), Ordering::SeqCst);
        if let Some(link) = kept.as_ref().filter(|_| !fresh) {
            return Ok(Link::lasting(link.clone()));
        }
        let answer = json(Request::get(&self.request).body(Full::default()).unwrap()).await;
        let link = answer["data"].as_str().map(Secret::new);
        *kept = link.clone();
        let none = || OriginError::new(OriginErrorKind::Store(StoreErrorKind::Unavailable), "no link");
        link.map(Link::lasting).ok_or_else(none)
    }
}

async fn json(request: Request<Full<Bytes>>) -> serde_json::Value {
    let tcp = TcpStream::connect(request.uri().authority().unwrap().as_str()).await.unwrap();
    let (mut sender, connection) = client::handshake(TokioIo::new(tcp)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let body = sender.send_request(request).await.unwrap().into_body();
    serde_json::from_slice(&axum::body::to_bytes(Body::new(body), 1 << 20).await.unwrap()).unwrap()
}

/// A listener as the product runs it; stops when the guard is dropped.
pub(super) async fn listen(relay: Relay, film: Film) -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Some(Ok((tcp, _))) = stopped.run_until_cancelled(listener.accept()).await {
            connections.spawn(converse(tcp, relay.clone(), film.clone()));
        }
    });
    (address, stop.drop_guard())
}

async fn converse(tcp: TcpStream, relay: Relay, film: Film) {
    let cut = ConnectionCut::new();
    let wire = Wire::new(tcp, cut.clone(), WRITE_IDLE);
    let followed = cut.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (relay, film, cut) = (relay.clone(), film.clone(), followed.clone());
        async move {
            let answered = relay.respond(request.method(), request.headers(), film).await;
            let response = answered.unwrap_or_else(|error| refused(&error));
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

/// What the tests' listener sends where the product sends a clip: the error's sentence.
fn refused(error: &OriginError) -> Response {
    let mut response = Response::new(Body::from(format!("{:?}", error.kind)));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

/// What a player got.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The body ended as its head promised.
    pub(super) whole: bool,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One request on a connection of its own, read to its end.
pub(super) async fn ask(address: SocketAddr, method: &Method, headers: &[(&str, &str)]) -> Reply {
    let mut player = Player::connect(address).await;
    player.ask(method, headers).await
}

/// A player's connection.
pub(super) struct Player {
    sender: client::SendRequest<Empty<Bytes>>,
}

impl Player {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    /// A player whose kernel takes little, so that what it does not read stays where it was.
    pub(super) async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        Self::over(socket.connect(address).await.unwrap()).await
    }

    async fn over(tcp: TcpStream) -> Self {
        let mut builder = client::Builder::new();
        builder.max_buf_size(8 * 1024);
        let (sender, connection) = builder.handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    pub(super) async fn start(&mut self, method: &Method, headers: &[(&str, &str)]) -> http::Response<Incoming> {
        let mut request = Request::builder().method(method).uri("/film").header("host", "edge.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await.unwrap();
        self.sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap()
    }

    pub(super) async fn ask(&mut self, method: &Method, headers: &[(&str, &str)]) -> Reply {
        let (head, mut incoming) = self.start(method, headers).await.into_parts();
        let (mut body, mut whole) = (Vec::new(), true);
        while let Some(frame) = incoming.frame().await {
            match frame {
                Ok(frame) => body.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => whole = false,
            }
        }
        Reply { status: head.status.as_u16(), headers: head.headers, body, whole }
    }
}

/// Waits until something holds, and fails after a while if it does not.
pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited).await.unwrap_or_else(|_| panic!("{what} never happened"));
}
