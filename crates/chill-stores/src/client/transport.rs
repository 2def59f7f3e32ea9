//! One HTTP call: connection reuse, TLS, a deadline, a cap on the body. Redirects are answers like any other.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chill_core::Secret;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const IDLE_CONNECTIONS: usize = 32;

/// One call of a vendor's API.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Our name for it, for the log.
    pub(crate) endpoint: &'static str,
    pub(crate) method: Method,
    /// May carry a key in its query, so it is never shown.
    pub(crate) url: Secret,
    /// Sent as `Authorization: Bearer`.
    pub(crate) bearer: Option<&'a Secret>,
    /// Content type and body.
    pub(crate) body: Option<(&'static str, Bytes)>,
    /// The longest body that is read.
    pub(crate) cap: usize,
    /// Whether doing it twice is the same as doing it once.
    pub(crate) repeatable: bool,
    /// Another deadline than the client's own.
    pub(crate) deadline: Option<Duration>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer. Holds no text of the HTTP library: that could quote the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Nothing was sent.
    #[error("could not connect")]
    Connect,
    #[error("no answer in time")]
    Timeout,
    #[error("the connection ended before the answer did")]
    Broken,
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// Nothing was sent: the address or a header cannot be built from what was given.
    #[error("the request could not be built; check the store's address and the key")]
    Malformed,
}

/// The HTTP client all vendors share. Clones share the connections.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    user_agent: HeaderValue,
}

impl Transport {
    pub(crate) fn new(user_agent: &str) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        #[expect(clippy::expect_used, reason = "fails only when ring lacks TLS 1.2 and 1.3, whatever the input")]
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("ring speaks TLS 1.2 and 1.3");
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        let user_agent = HeaderValue::from_str(user_agent).unwrap_or(HeaderValue::from_static("chillproxy"));
        Self { http, user_agent }
    }

    /// Sends one call once and reads the answer, all within `patience`.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) async fn send(&self, call: &Call<'_>, patience: Duration) -> Result<Answer, Fault> {
        let request = self.request(call).ok_or(Fault::Malformed)?;
        let exchange = async {
            let answer = self.http.request(request).await;
            let answer = answer.map_err(|e| if e.is_connect() { Fault::Connect } else { Fault::Broken })?;
            let (head, body) = answer.into_parts();
            let body = read(body, call.cap).await?;
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(patience, exchange).await.unwrap_or(Err(Fault::Timeout))
    }

    fn request(&self, call: &Call<'_>) -> Option<Request<Full<Bytes>>> {
        let uri: Uri = call.url.expose().parse().ok()?;
        let (content_type, body) = call.body.clone().unzip();
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(bearer) = call.bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", bearer.expose())).ok()?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        Some(request)
    }
}

async fn read(mut body: Incoming, cap: usize) -> Result<Bytes, Fault> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > cap {
        return Err(Fault::TooLong(cap));
    }
    let mut bytes = BytesMut::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > cap {
            return Err(Fault::TooLong(cap));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}
