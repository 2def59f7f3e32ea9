//! The HTTP client of all sources: GET alone, a deadline, a body that is read up to a cap, redirects only to the same host.

use std::time::Duration;

use bytes::BytesMut;
use chill_core::Secret;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const IDLE_CONNECTIONS: usize = 16;
const REDIRECTS: usize = 3;

/// A client for HTTP and HTTPS that all sources share. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    user_agent: HeaderValue,
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
}

impl Http {
    /// A client that introduces itself as `user_agent`.
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        #[expect(clippy::expect_used, reason = "fails only when ring lacks TLS 1.2 and 1.3, whatever the input")]
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("ring speaks TLS 1.2 and 1.3");
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(tls.https_or_http().enable_http1().wrap_connector(tcp));
        let user_agent = HeaderValue::from_str(user_agent).unwrap_or(HeaderValue::from_static("chillproxy"));
        Self { client, user_agent }
    }

    /// Gets a page, whose address may carry a key, until `end`. Of a body that is too long or too slow, what came until
    /// then is kept.
    ///
    /// # Errors
    /// [`Fault`], when there is not even the beginning of a body.
    pub(crate) async fn get(&self, url: &Secret, cap: usize, end: Instant) -> Result<Page, Fault> {
        let mut url = Url::parse(url.expose()).map_err(|_| Fault::Malformed)?;
        for _ in 0..=REDIRECTS {
            let asked = tokio::time::timeout_at(end, self.client.request(self.request(&url)?)).await;
            let answer = asked.map_err(|_| Fault::Timeout)?;
            let answer = answer.map_err(|e| if e.is_connect() { Fault::Connect } else { Fault::Broken })?;
            let (head, body) = answer.into_parts();
            if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
                url = redirect(&url, &head.headers).ok_or(Fault::Redirect)?;
            } else {
                return read(head.status, body, cap, end).await;
            }
        }
        Err(Fault::Redirect)
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

/// Where to go on: the same host, and never from HTTPS back to plain HTTP, because the address may carry a key.
fn redirect(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let to = from.join(headers.get(header::LOCATION)?.to_str().ok()?).ok()?;
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
        let go = |from: &str, to: &'static str| {
            let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(to))]);
            redirect(&Url::parse(from).unwrap(), &headers).map(String::from)
        };
        assert_eq!(go("http://a/api?apikey=k", "https://a/api?apikey=k").unwrap(), "https://a/api?apikey=k");
        assert_eq!(go("http://a:80/x", "/y").unwrap(), "http://a/y");
        assert_eq!(go("https://a/x", "http://a/x"), None);
        assert_eq!(go("http://a/x", "http://b/x"), None);
        assert_eq!(go("http://a/x", "//b/x"), None);
        assert_eq!(go("http://a/x", "magnet:?xt=urn:btih:1"), None);
        assert_eq!(go("http://a/x", "file:///etc/passwd"), None);
    }
}
