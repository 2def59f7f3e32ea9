//! The pool of connections to origins, and one request over it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chill_core::Secret;
use data_encoding::BASE64;
use http::header::{self, AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnectorBuilder};
use percent_encoding::{CONTROLS, percent_decode_str, percent_encode};
use rustls::crypto::CryptoProvider;
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use url::Url;
use zeroize::Zeroizing;

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
    /// Neither the link's fault nor the origin's: no connection became free in time.
    #[error("as many connections to the origin as are allowed are open")]
    Busy,
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
        let tls = tls(&config);
        let plain = config.plain.then(|| {
            let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1();
            Plain::new(https.wrap_connector(tcp.clone()), config.idle_timeout, config.idle_per_host)
        });
        Self { lines: Lines::new(tcp, tls, config.idle_timeout, config.idle_per_host), plain, config }
    }

    /// Sends a request to `link` and follows its redirects; the response's status is none of 301, 302, 303, 307, 308.
    pub(super) async fn send(
        &self,
        method: &Method,
        link: &Secret,
        headers: &HeaderMap,
    ) -> Result<Response<OriginBody>, Failure> {
        let mut step = Step::new(http_url(Url::parse(link.expose()))?, headers.clone());
        for _ in 0..=self.config.redirects {
            let response = self.send_once(method, &step.url, step.headers()).await?;
            match redirect(&response) {
                Some(location) => step = step.to(&location)?,
                None => return Ok(response),
            }
        }
        Err(Failure::Redirects)
    }

    async fn send_once(&self, method: &Method, url: &Url, headers: HeaderMap) -> Result<Response<OriginBody>, Failure> {
        let uri = url.as_str().parse::<Uri>().map_err(|_| Failure::BadLink)?;
        let limit = self.config.head_timeout;
        let sending = async {
            let Some(plain) = &self.plain else {
                let entry = tokio::time::timeout(limit, self.lines.enter(&uri)).await.map_err(|_| Failure::Busy)?;
                let entry = entry.ok_or(Failure::BadLink)?;
                return Ok(tokio::time::timeout(limit, self.lines.send(entry, method, &uri, &headers)).await);
            };
            Ok(tokio::time::timeout(limit, plain.send(method, &uri, &headers)).await)
        };
        match sending.await? {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(NoAnswer::Connect(error))) if is_refused(&*error) => Err(Failure::Refused),
            Ok(Err(NoAnswer::Connect(_))) => Err(Failure::Connect),
            Ok(Err(NoAnswer::Broken)) => Err(Failure::Broken),
            Err(_) => Err(Failure::Timeout),
        }
    }
}

/// Where a request goes next, and with what.
struct Step {
    /// Without a user: what keeps connections apart must not hold a password.
    url: Url,
    headers: HeaderMap,
    /// What the URL said of a user, for its own origin alone.
    user: Option<HeaderValue>,
}

impl Step {
    fn new(mut url: Url, headers: HeaderMap) -> Self {
        let user = take_user(&mut url);
        Self { url, headers, user }
    }

    /// A header that was asked for says more than the URL does.
    fn headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        if let Some(user) = self.user.as_ref().filter(|_| !headers.contains_key(AUTHORIZATION)) {
            headers.insert(AUTHORIZATION, user.clone());
        }
        headers
    }

    /// Follows a redirect. Within an origin the user stays who he was, unless the redirect names another one.
    fn to(mut self, location: &str) -> Result<Self, Failure> {
        let mut next = http_url(self.url.join(location))?;
        if next.origin() != self.url.origin() {
            strip(&mut self.headers);
            self.user = None;
        }
        let user = take_user(&mut next).or(self.user);
        Ok(Self { url: next, headers: self.headers, user })
    }
}

/// Takes user and password out of a URL, as the `Authorization` of RFC 7617 that other clients send for them.
fn take_user(url: &mut Url) -> Option<HeaderValue> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return None;
    }
    let mut credential = Zeroizing::new(percent_decode_str(url.username()).collect::<Vec<u8>>());
    credential.push(b':');
    credential.extend(percent_decode_str(password));
    // They fail only for URLs without a host, which are none of http.
    let _gone = (url.set_username(""), url.set_password(None));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(&credential))).ok()?;
    value.set_sensitive(true);
    Some(value)
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

/// ring, with the ciphers of 128 bits first, as browsers ask for them: origins mostly take the first, and the longer key costs
/// both sides two fifths more rounds for every byte of a film.
fn crypto() -> CryptoProvider {
    let mut ring = rustls::crypto::ring::default_provider();
    ring.cipher_suites.sort_by_key(|suite| !AES_128.contains(&suite.suite()));
    ring
}

const AES_128: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// ring is named explicitly: with none installed as the process's default, rustls would panic at the first handshake.
#[expect(clippy::expect_used, reason = "ring has TLS 1.2 and 1.3; nothing from outside can change that")]
fn tls(config: &RelayConfig) -> ClientConfig {
    let tls = ClientConfig::builder_with_provider(Arc::new(crypto()))
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

/// Where a response redirects to. Some servers write its bytes as they are, instead of percent-encoded.
fn redirect<B>(response: &Response<B>) -> Option<String> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| redirects)?;
    Some(percent_encode(location.as_bytes(), CONTROLS).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_taken_out_of_a_url_and_shown_nowhere() {
        for (url, left, credential) in [
            ("https://a%40b:c%3Ad@a.example:8443/f?x=u:p@h", "https://a.example:8443/f?x=u:p@h", "a@b:c:d"),
            ("http://user@[2001:db8::1]/", "http://[2001:db8::1]/", "user:"),
            ("http://:p@a.example/", "http://a.example/", ":p"),
        ] {
            let mut url = Url::parse(url).unwrap();
            let user = take_user(&mut url).unwrap();
            assert_eq!(
                (url.as_str(), user.to_str().unwrap()),
                (left, &*format!("Basic {}", BASE64.encode(credential.as_bytes())))
            );
            assert!(!format!("{user:?}").contains("Basic"));
        }
        let mut url = Url::parse("http://@a.example/f").unwrap();
        assert_eq!((take_user(&mut url), url.as_str()), (None, "http://a.example/f"));
    }

    #[test]
    fn a_location_in_any_bytes_is_followed() {
        let from = |location: &[u8]| {
            let location = HeaderValue::from_bytes(location).unwrap();
            redirect(&Response::builder().status(302).header(LOCATION, location).body(()).unwrap())
        };
        assert_eq!(from("/Amélie%20 1".as_bytes()).unwrap(), "/Am%C3%A9lie%20 1");
        assert_eq!(from(b"/Am\xe9lie").unwrap(), "/Am%E9lie");
        let step = Step::new(Url::parse("http://a.example/").unwrap(), HeaderMap::new());
        let named = from("http://bücher.example/ü".as_bytes()).unwrap();
        assert_eq!(step.to(&named).unwrap().url.as_str(), "http://xn--bcher-kva.example/%C3%BC");
    }
}
