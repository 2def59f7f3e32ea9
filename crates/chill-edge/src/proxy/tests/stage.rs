//! Who plays in the tests: a listener with the proxy, a player, and a server that links lead to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use bytes::Bytes;
use chill_core::address::TrustedProxies;
use chill_core::rate::Unlimited;
use chill_core::{Chance, Clock, Rates, Secret};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::proxy::{ConnectionLimits, Proxy, ProxyConfig, ProxyUsers, router};
use crate::relay::{AllowList, RelayConfig};

pub(super) const NOW: i64 = 1_700_000_000_000;
pub(super) const ALICE: (&str, &str) = ("x-stremthru-authorization", "Basic YWxpY2U6czNjcmV0");

/// Something that listens on a loopback address until it is dropped.
pub(super) struct Listening {
    pub(super) at: SocketAddr,
    task: AbortHandle,
}

impl Listening {
    pub(super) async fn on(host: &str, app: Router) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        Self { at, task: tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }).abort_handle() }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A proxy whose users are alice and bob, and which may go to loopback addresses.
pub(super) struct Stage {
    pub(super) clock: Clock,
    front: Listening,
}

pub(super) fn config() -> ProxyConfig {
    let users = ProxyUsers::parse("alice:s3cret,bob:hunter2").unwrap();
    ProxyConfig {
        allow: AllowList::parse("127.0.0.0/8").unwrap(),
        clock: Clock::fixed(NOW),
        patience: Duration::from_millis(200),
        relay: RelayConfig { chance: Chance::seeded(1), ..RelayConfig::default() },
        trusted_proxies: TrustedProxies::parse("127.0.0.1").unwrap(),
        ..ProxyConfig::new(users, Secret::new("a secret of the tests, long enough"))
    }
}

pub(super) fn limited(limits: &str) -> ProxyConfig {
    ProxyConfig { limits: ConnectionLimits::parse(limits).unwrap(), ..config() }
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(super) async fn with(config: ProxyConfig) -> Self {
        Self::counted(config, Arc::new(Unlimited)).await
    }

    pub(super) async fn counted(config: ProxyConfig, rates: Arc<dyn Rates>) -> Self {
        let clock = config.clock.clone();
        let proxy = Proxy::new(config, rates).unwrap();
        Self { clock, front: Listening::on("127.0.0.1", router(proxy)).await }
    }

    /// Where it listens.
    pub(super) fn at(&self) -> SocketAddr {
        self.front.at
    }

    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let started = self.start(method, path, headers, body).await;
        Reply::read(started).await
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask("GET", path, headers, "").await
    }

    /// The head of an answer, whose body nobody reads yet.
    pub(super) async fn start(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> http::Response<Incoming> {
        request(self.front.at, method, path, headers, body).await
    }

    /// The path of a link that alice makes.
    pub(super) async fn link(&self, url: &str, more: &str) -> String {
        let made = self.get(&format!("/v0/proxy?url={}{more}", encoded(url)), &[ALICE]).await;
        let link =
            made.json()["data"]["items"][0].as_str().unwrap_or_else(|| panic!("no link: {}", made.text())).to_owned();
        self.path(&link)
    }

    /// What comes after this stage's own address.
    pub(super) fn path(&self, link: &str) -> String {
        link.strip_prefix(&format!("http://{}", self.front.at)).unwrap_or_else(|| panic!("not ours: {link}")).to_owned()
    }
}

pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// One request on a connection of its own.
pub(super) async fn request(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> http::Response<Incoming> {
    let mut request = http::Request::builder().method(method).uri(path);
    if headers.iter().all(|(name, _)| *name != "host") {
        request = request.header("host", at.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let tcp = TcpStream::connect(at).await.unwrap();
    let (mut sender, connection) = client::handshake(TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await.unwrap()
}

/// What somebody got.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The body ended as its head promised.
    pub(super) whole: bool,
}

impl Reply {
    pub(super) async fn read(response: http::Response<Incoming>) -> Self {
        let (head, mut incoming) = response.into_parts();
        let (mut body, mut whole) = (Vec::new(), true);
        while let Some(frame) = incoming.frame().await {
            match frame {
                Ok(frame) => body.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => whole = false,
            }
        }
        Self { status: head.status.as_u16(), headers: head.headers, body, whole }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Status and message of a refusal.
    pub(super) fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["error"]["message"].as_str().unwrap_or_default().to_owned())
    }
}

/// A server that links lead to.
#[derive(Clone, Default)]
pub(super) struct Origin(Arc<Mutex<Vec<(Method, String, HeaderMap)>>>);

impl Origin {
    /// Listens on one of the loopback addresses. Its URL has no slash at the end.
    pub(super) async fn on(host: &str) -> (Self, Listening, String) {
        let origin = Self::default();
        let app = Router::new().route("/{what}", any(answer)).with_state(origin.clone());
        let listening = Listening::on(host, app).await;
        let url = format!("http://{}", listening.at);
        (origin, listening, url)
    }

    /// What it was asked, in order.
    pub(super) fn asked(&self) -> Vec<(Method, String, HeaderMap)> {
        self.0.lock().unwrap().clone()
    }
}

/// `/film.mkv`: a film of ten bytes; `/slow`: half of it, and no more; `/to?u`: a redirect to `u`; `/hop3`: to the film after
/// three redirects; `/chunked`: of unknown length; a number: that status.
async fn answer(State(origin): State<Origin>, Path(what): Path<String>, query: RawQuery, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    origin.0.lock().unwrap().push((parts.method, parts.uri.to_string(), parts.headers));
    if let Ok(status) = what.parse::<u16>() {
        return (StatusCode::from_u16(status).unwrap(), "the origin's own words").into_response();
    }
    if let Some(hops) = what.strip_prefix("hop").and_then(|hops| hops.parse::<u32>().ok()) {
        let next = if hops == 1 { "film.mkv".to_owned() } else { format!("hop{}", hops - 1) };
        return (StatusCode::FOUND, [("location", next)]).into_response();
    }
    match what.as_str() {
        "chunked" => {
            let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"0123456789"))]);
            Body::from_stream(pieces).into_response()
        }
        "to" => (StatusCode::FOUND, [("location", query.0.unwrap_or_default())]).into_response(),
        "slow" => {
            let half = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"01234"))]);
            let never = futures_util::stream::pending();
            let body = Body::from_stream(futures_util::StreamExt::chain(half, never));
            ([("content-length", "10"), ("etag", "\"v1\"")], body).into_response()
        }
        _ => {
            let headers = [
                ("content-type", "video/x-matroska"),
                ("set-cookie", "tracked=1"),
                ("access-control-allow-origin", "https://theirs.example"),
                ("server", "theirs"),
            ];
            (headers, "0123456789").into_response()
        }
    }
}
