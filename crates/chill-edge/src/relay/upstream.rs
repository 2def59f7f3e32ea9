//! The pool of connections to origins, and one request over it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chill_core::Secret;
use http::header::{self, LOCATION};
use http::{HeaderMap, HeaderName, Method, Response, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnectorBuilder};
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::RelayConfig;
use super::destinations;
use super::guard::Guard;
use super::line::{Lines, NoAnswer, OriginBody, Plain};

/// Unanswered TCP keep-alives end a connection whose origin vanished.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Why a request brought no response head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Not an http or https URL, from the store or in a redirect.
    #[error("the link is not an http URL")]
    BadLink,
    /// Name, TCP or TLS.
    #[error("no connection to the origin")]
    Connect,
    /// No response head in time.
    #[error("the origin did not answer in time")]
    Timeout,
    /// The connection ended, or spoke something that is not HTTP.
    #[error("the origin broke the connection")]
    Broken,
    /// The link or a redirect leads where the relay may not connect.
    #[error("the destination is not allowed")]
    Refused,
    /// More redirects than are followed.
    #[error("the origin redirects in circles")]
    Redirects,
}

/// The client side of the relay.
#[derive(Debug)]
pub(super) struct Upstream {
    lines: Lines,
    /// Used instead, where the operator wants it.
    plain: Option<Plain>,
    pub(super) config: RelayConfig,
}

impl Upstream {
    pub(super) fn new(config: RelayConfig) -> Self {
        let tcp = Guard::new(config.destinations.clone(), config.sockets_per_origin, |tcp| {
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(config.connect_timeout));
            tcp.set_keepalive(Some(KEEP_ALIVE));
        });
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls(&config))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let plain = config.plain.then(|| Plain::new(https.clone(), config.idle_timeout, config.idle_per_host));
        Self { lines: Lines::new(https, config.idle_timeout, config.idle_per_host), plain, config }
    }

    /// Sends a request to `link` and follows its redirects; the response's status is none of 301, 302, 303, 307, 308.
    pub(super) async fn send(
        &self,
        method: &Method,
        link: &Secret,
        headers: &HeaderMap,
    ) -> Result<Response<OriginBody>, Failure> {
        let mut url = http_url(Url::parse(link.expose()))?;
        let mut headers = headers.clone();
        for _ in 0..=self.config.redirects {
            let response = self.send_once(method, &url, headers.clone()).await?;
            match redirect(&response) {
                Some(location) => {
                    let next = http_url(url.join(location))?;
                    if next.origin() != url.origin() {
                        strip(&mut headers);
                    }
                    url = next;
                }
                None => return Ok(response),
            }
        }
        Err(Failure::Redirects)
    }

    async fn send_once(&self, method: &Method, url: &Url, headers: HeaderMap) -> Result<Response<OriginBody>, Failure> {
        let uri = url.as_str().parse::<Uri>().map_err(|_| Failure::BadLink)?;
        let sending = async {
            match &self.plain {
                Some(plain) => plain.send(method, &uri, &headers).await,
                None => self.lines.send(method, &uri, &headers).await,
            }
        };
        match tokio::time::timeout(self.config.head_timeout, sending).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(NoAnswer::Connect(error))) if is_refused(&*error) => Err(Failure::Refused),
            Ok(Err(NoAnswer::Connect(_))) => Err(Failure::Connect),
            Ok(Err(NoAnswer::Broken)) => Err(Failure::Broken),
            Err(_) => Err(Failure::Timeout),
        }
    }
}

/// What may follow a redirect to another origin; anything else could be a secret between the link and its own.
const TRAVELS: [HeaderName; 12] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::ORIGIN,
    header::RANGE,
    header::REFERER,
    header::USER_AGENT,
];

fn strip(headers: &mut HeaderMap) {
    let strays: Vec<HeaderName> = headers.keys().filter(|name| !TRAVELS.contains(name)).cloned().collect();
    for stray in strays {
        headers.remove(stray);
    }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<destinations::Refused>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// ring is named explicitly: with none installed as the process's default, rustls would panic at the first handshake.
#[expect(clippy::expect_used, reason = "ring has TLS 1.2 and 1.3; nothing from outside can change that")]
fn tls(config: &RelayConfig) -> ClientConfig {
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring offers rustls' default protocol versions");
    if config.roots.is_empty() {
        return tls.with_webpki_roots().with_no_client_auth();
    }
    let mut roots = RootCertStore::empty();
    let (_, unreadable) = roots.add_parsable_certificates(config.roots.iter().cloned());
    if unreadable > 0 {
        tracing::warn!(unreadable, "certificates to trust could not be read; their origins will not be reached");
    }
    tls.with_root_certificates(roots).with_no_client_auth()
}

fn http_url(url: Result<Url, url::ParseError>) -> Result<Url, Failure> {
    let mut url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(Failure::BadLink)?;
    // Never sent, and hyper's `Uri` would carry it into the request.
    url.set_fragment(None);
    Ok(url)
}

fn redirect<B>(response: &Response<B>) -> Option<&str> {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| response.headers().get(LOCATION)?.to_str().ok())
        .flatten()
}
