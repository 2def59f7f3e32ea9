//! One call: a POST to the first node that answers it, within one deadline, with a bounded answer.

use std::time::Duration;

use bytes::Bytes;
use chill_core::{Chance, Clock, ControlError, Secret};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};
use zeroize::Zeroizing;

use super::InvalidRemote;
use super::complaint::Complaint;
use super::nodes::{Node, Nodes};
use super::roots::ExtraRoots;
use crate::wire::EDGE;

/// Bytes of an answer.
const MOST: usize = 64 * 1_024;
/// Shorter than servers close idle connections after.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_CONNECTIONS: usize = 64;
/// A wait that a full node asks for is taken at most this long, once.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const JITTER_MS: u64 = 250;
const AGENT: &str = concat!("chillproxy-edge/", env!("CARGO_PKG_VERSION"));

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    GetKey,
    LogUsage,
}

impl Route {
    fn path(self) -> &'static str {
        match self {
            Self::GetKey => "/api/v1/internal/pool/get-key",
            Self::LogUsage => "/api/v1/internal/pool/log-usage",
        }
    }
}

/// A node's answer, to be read by who asked. It may hold a key, so its bytes are zeroed with it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// The HTTP client and the key it presents.
pub(super) struct Calls {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    bearer: HeaderValue,
    /// What this edge calls itself: made anew at each start, and said to nobody else.
    edge: Option<HeaderValue>,
    chance: Chance,
    forbidden: Complaint,
}

/// Why a node's answer is none.
enum Problem {
    /// The connection or the answer broke.
    Broken,
    /// It is full and says how long.
    Full(Duration),
    /// Another node may do better: what is the matter with this one.
    Elsewhere(String),
    /// It cannot decide now and says when to ask again.
    Busy(Duration),
    /// It does not take our key.
    Forbidden,
}

impl Problem {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Full(wait) | Self::Busy(wait) => Some(*wait),
            Self::Broken | Self::Elsewhere(_) | Self::Forbidden => None,
        }
    }
}

impl Calls {
    pub(super) fn new(key: &Secret, roots: &ExtraRoots, clock: Clock, chance: Chance) -> Result<Self, InvalidRemote> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|_| InvalidRemote::Key)?;
        if key.is_empty() {
            return Err(InvalidRemote::Key);
        }
        bearer.set_sensitive(true);
        let edge = chance.bytes::<16>().ok().map(|name| data_encoding::HEXLOWER.encode(&name));
        let edge = edge.and_then(|name| HeaderValue::from_str(&name).ok());
        Ok(Self { http: client(roots), bearer, edge, chance, forbidden: Complaint::new(clock) })
    }

    /// Asks one node after the other until one answers, until `end`.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`], whose text names nodes by host and port alone.
    pub(super) async fn post(
        &self,
        nodes: &Nodes,
        route: Route,
        body: &[u8],
        end: Instant,
    ) -> Result<Answer, ControlError> {
        let body = Bytes::copy_from_slice(body);
        let mut turn = nodes.in_turn();
        // A connection may have ended just as it was used; with one node alone that deserves a second try.
        let mut again = turn.len() == 1;
        let mut waited = false;
        let (mut said, mut soonest) = (Vec::new(), None);
        turn.reverse();
        while let Some(node) = turn.pop() {
            let share = share(end, turn.len());
            match self.ask(&node, route, body.clone(), share).await {
                Ok(answer) => {
                    nodes.worked(&node);
                    return Ok(answer);
                }
                Err(Problem::Full(wait)) if !waited && wait <= LONGEST_WAIT && Instant::now() + wait < end => {
                    waited = true;
                    sleep(wait + Duration::from_millis(self.chance.below(JITTER_MS))).await;
                    turn.push(node);
                }
                Err(Problem::Broken) if again => {
                    again = false;
                    turn.push(node);
                }
                Err(problem) => {
                    nodes.failed(&node);
                    soonest = [soonest, problem.retry_after()].into_iter().flatten().min();
                    said.push(self.sentence(&node, &problem));
                }
            }
        }
        said.dedup();
        Err(ControlError::Unavailable { why: said.join("; "), retry_after: soonest })
    }

    async fn ask(&self, node: &Node, route: Route, body: Bytes, end: Instant) -> Result<Answer, Problem> {
        let uri = node.uri(route.path()).ok_or_else(|| Problem::Elsewhere("its address cannot be used".to_owned()))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(edge) = &self.edge {
            request.headers_mut().insert(EDGE, edge.clone());
        }
        let response = self.send(request, end).await?;
        let (head, body) = response.into_parts();
        let body = read(body, end).await?;
        judge(head.status, &head.headers, body)
    }

    /// Sends a request with our key; an upgrade's answer comes back as it is.
    pub(super) async fn open(
        &self,
        node: &Node,
        request: Request<Full<Bytes>>,
        end: Instant,
    ) -> Result<Response<Incoming>, ControlError> {
        self.send(request, end).await.map_err(|problem| ControlError::unavailable(self.sentence(node, &problem)))
    }

    /// What an operator is told when a node does not take the key; logged once a minute.
    pub(super) fn refused(&self, node: &Node) -> ControlError {
        ControlError::unavailable(self.sentence(node, &Problem::Forbidden))
    }

    async fn send(&self, mut request: Request<Full<Bytes>>, end: Instant) -> Result<Response<Incoming>, Problem> {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.bearer.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        match timeout_at(end, self.http.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            // The library's own text is left out: it may quote the address.
            Ok(Err(error)) if error.is_connect() => Err(Problem::Elsewhere("could not connect".to_owned())),
            Ok(Err(_)) => Err(Problem::Broken),
            Err(_) => Err(Problem::Elsewhere("no answer in time".to_owned())),
        }
    }

    fn sentence(&self, node: &Node, problem: &Problem) -> String {
        match problem {
            Problem::Broken => format!("{node}: the connection ended before the answer did"),
            Problem::Full(wait) => format!("{node}: too many calls; try again in {} s", wait.as_secs()),
            Problem::Elsewhere(what) => format!("{node}: {what}"),
            Problem::Busy(wait) => format!("{node}: it cannot decide now; try again in {} s", wait.as_secs()),
            Problem::Forbidden => {
                let said =
                    format!("{node} refuses the key in CHILLSTREAMS_API_KEY; it must be one of its INTERNAL_API_KEY");
                if self.forbidden.due() {
                    tracing::error!("{said}");
                }
                said
            }
        }
    }
}

/// When this try must end, so that the tries after it have their share of the time.
fn share(end: Instant, after: usize) -> Instant {
    let now = Instant::now();
    let tries = u32::try_from(after).unwrap_or(u32::MAX).saturating_add(1);
    now + end.saturating_duration_since(now) / tries
}

fn client(roots: &ExtraRoots) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let tls = HttpsConnectorBuilder::new().with_tls_config(roots.client_config());
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(tls.https_or_http().enable_http1().wrap_connector(tcp))
}

async fn read(mut body: Incoming, end: Instant) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 * 1_024));
    loop {
        match timeout_at(end, body.frame()).await {
            Ok(None) => return Ok(bytes),
            Ok(Some(Ok(frame))) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            Ok(Some(Err(_))) => return Err(Problem::Broken),
            Err(_) => return Err(Problem::Elsewhere("no answer in time".to_owned())),
        }
        if bytes.len() > MOST {
            return Err(Problem::Elsewhere(format!("its answer is larger than {MOST} bytes")));
        }
    }
}

/// Some control planes refuse a user with a status of their own; the body says that it is an answer.
#[derive(Deserialize)]
struct Decided {
    allowed: bool,
}

fn judge(status: StatusCode, headers: &HeaderMap, body: Zeroizing<Vec<u8>>) -> Result<Answer, Problem> {
    let wait = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let wait = Duration::from_secs(wait.unwrap_or(1).clamp(1, 3_600));
    let decided = || serde_json::from_slice::<Decided>(&body).is_ok_and(|answer| !answer.allowed);
    match status.as_u16() {
        200..=299 => Ok(Answer { status, body }),
        400..=499 if status != StatusCode::TOO_MANY_REQUESTS && decided() => Ok(Answer { status, body }),
        401 | 403 => Err(Problem::Forbidden),
        429 => Err(Problem::Full(wait.max(Duration::from_millis(1)))),
        300..=399 => {
            Err(Problem::Elsewhere("it redirects, which is not followed; see CHILLSTREAMS_API_URL".to_owned()))
        }
        404 | 405 => {
            Err(Problem::Elsewhere("there is no internal API at this address; see CHILLSTREAMS_API_URL".to_owned()))
        }
        400..=499 => Ok(Answer { status, body }),
        503 => Err(Problem::Busy(wait)),
        other => Err(Problem::Elsewhere(format!("it answered with status {other}"))),
    }
}
