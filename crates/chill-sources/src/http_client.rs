//! The HTTP client of all sources: GET alone, a deadline, a body that is read up to a cap, redirects only to the same host.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use chill_core::Secret;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::{Host, Url};

use crate::public::PublicNames;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const IDLE_CONNECTIONS: usize = 16;
/// Redirects followed, at most.
pub(crate) const REDIRECTS: usize = 3;
/// Files of any indexer fetched at once.
const DOWNLOADS: usize = 20;

/// A client for HTTP and HTTPS that all sources share. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    /// Its connections lead to public addresses alone.
    outward: Client<HttpsConnector<HttpConnector<PublicNames>>, Empty<Bytes>>,
    public: fn(IpAddr) -> bool,
    downloads: Arc<Semaphore>,
    user_agent: HeaderValue,
}

/// Where a call may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To an address the operator wrote.
    Anywhere,
    /// To an address somebody else wrote: never into the operator's own network.
    Public,
}

/// What one call gave.
#[derive(Debug)]
pub(crate) enum Hop {
    /// An answer.
    Page(Page),
    /// Where to ask instead, as it was told.
    Redirect(String),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    /// At most as many bytes as asked for.
    pub(crate) body: Vec<u8>,
    /// False when the body was longer, or ended early, or the time was over.
    pub(crate) whole: bool,
}

/// Why nothing came back. Holds no text of the HTTP library: that could quote the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("could not connect")]
    Connect,
    #[error("no answer in time")]
    Timeout,
    #[error("the connection ended before the answer did")]
    Broken,
    #[error("it redirects too often, or to another host, which is not followed")]
    Redirect,
    #[error("its address cannot be used")]
    Malformed,
    #[error("it leads to an address that is not public, or to a port of another protocol")]
    NotPublic,
}

impl Http {
    /// A client that introduces itself as `user_agent`.
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        Self::with(user_agent, chill_core::address::is_public)
    }

    /// One to which every address is a public one, for tests, whose servers are all on this machine.
    #[cfg(test)]
    pub(crate) fn all_public() -> Self {
        Self::with("chillproxy/test", |_| true)
    }

    fn with(user_agent: &str, public: fn(IpAddr) -> bool) -> Self {
        let outward = client(HttpConnector::new_with_resolver(PublicNames::new(public)));
        let user_agent = HeaderValue::from_str(user_agent).unwrap_or(HeaderValue::from_static("chillproxy"));
        let downloads = Arc::new(Semaphore::new(DOWNLOADS));
        Self { client: client(HttpConnector::new()), outward, public, downloads, user_agent }
    }

    /// The turns of those who fetch files.
    pub(crate) fn downloads(&self) -> &Semaphore {
        &self.downloads
    }

    /// Gets a page, whose address may carry a key, until `end`. Of a body that is too long or too slow, what came until
    /// then is kept.
    ///
    /// # Errors
    /// [`Fault`], when there is not even the beginning of a body.
    pub(crate) async fn get(&self, url: &Secret, cap: usize, end: Instant) -> Result<Page, Fault> {
        self.get_within(Reach::Anywhere, url, cap, end).await
    }

    /// The same, where the address may be a stranger's.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) async fn get_within(&self, reach: Reach, url: &Secret, cap: usize, end: Instant) -> Result<Page, Fault> {
        let mut url = Url::parse(url.expose()).map_err(|_| Fault::Malformed)?;
        for _ in 0..=REDIRECTS {
            match self.hop(&url, reach, cap, end).await? {
                Hop::Page(page) => return Ok(page),
                Hop::Redirect(to) => url = same_host(&url, &to).ok_or(Fault::Redirect)?,
            }
        }
        Err(Fault::Redirect)
    }

    /// One call, whose redirect is told and not followed.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) async fn hop(&self, url: &Url, reach: Reach, cap: usize, end: Instant) -> Result<Hop, Fault> {
        let request = self.request(url)?;
        let asked = match reach {
            Reach::Anywhere => tokio::time::timeout_at(end, self.client.request(request)).await,
            Reach::Public if !self.is_outward(url) => return Err(Fault::NotPublic),
            Reach::Public => tokio::time::timeout_at(end, self.outward.request(request)).await,
        };
        let answer = asked.map_err(|_| Fault::Timeout)?;
        let answer = answer.map_err(|e| if e.is_connect() { Fault::Connect } else { Fault::Broken })?;
        let (head, body) = answer.into_parts();
        if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
            let to = head.headers.get(header::LOCATION).ok_or(Fault::Redirect)?;
            return Ok(Hop::Redirect(String::from_utf8_lossy(to.as_bytes()).into_owned()));
        }
        read(head.status, body, cap, end).await.map(Hop::Page)
    }

    /// What can be said before a name is resolved: the port, and an address that needs no resolving.
    fn is_outward(&self, url: &Url) -> bool {
        let port = url.port_or_known_default().is_some_and(|port| matches!(port, 80 | 443 | 1024..));
        port && match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(address)) => (self.public)(address.into()),
            Some(Host::Ipv6(address)) => (self.public)(address.into()),
            None => false,
        }
    }

    fn request(&self, url: &Url) -> Result<Request<Empty<Bytes>>, Fault> {
        let uri: Uri = url.as_str().parse().map_err(|_| Fault::Malformed)?;
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::USER_AGENT, self.user_agent.clone());
        Ok(request)
    }
}

fn client<R>(mut tcp: HttpConnector<R>) -> Client<HttpsConnector<HttpConnector<R>>, Empty<Bytes>>
where
    HttpConnector<R>: Connect + Clone,
    HttpsConnector<HttpConnector<R>>: Connect + Clone,
{
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    #[expect(clippy::expect_used, reason = "fails only when ring lacks TLS 1.2 and 1.3, whatever the input")]
    let tls = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .expect("ring speaks TLS 1.2 and 1.3");
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(tls.https_or_http().enable_http1().wrap_connector(tcp))
}

/// Where to go on: the same host, and never from HTTPS back to plain HTTP, because the address may carry a key.
fn same_host(from: &Url, to: &str) -> Option<Url> {
    let to = from.join(to).ok()?;
    let scheme = matches!((from.scheme(), to.scheme()), ("http" | "https", "https") | ("http", "http"));
    (scheme && to.host_str() == from.host_str()).then_some(to)
}

async fn read(status: StatusCode, mut body: Incoming, cap: usize, end: Instant) -> Result<Page, Fault> {
    let mut bytes = BytesMut::new();
    let page = |bytes: BytesMut, whole| Ok(Page { status, body: bytes.into(), whole });
    loop {
        let fault = match tokio::time::timeout_at(end, body.frame()).await {
            Ok(None) => return page(bytes, true),
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                let room = cap - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    return page(bytes, false);
                }
                continue;
            }
            Ok(Some(Err(_))) => Fault::Broken,
            Err(_) => Fault::Timeout,
        };
        return if bytes.is_empty() { Err(fault) } else { page(bytes, false) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_at_the_host_and_never_lose_tls() {
        let go = |from: &str, to: &str| same_host(&Url::parse(from).unwrap(), to).map(String::from);
        assert_eq!(go("http://a/api?apikey=k", "https://a/api?apikey=k").unwrap(), "https://a/api?apikey=k");
        assert_eq!(go("http://a:80/x", "/y").unwrap(), "http://a/y");
        assert_eq!(go("https://a/x", "http://a/x"), None);
        assert_eq!(go("http://a/x", "http://b/x"), None);
        assert_eq!(go("http://a/x", "//b/x"), None);
        assert_eq!(go("http://a/x", "magnet:?xt=urn:btih:1"), None);
        assert_eq!(go("http://a/x", "file:///etc/passwd"), None);
    }
}
