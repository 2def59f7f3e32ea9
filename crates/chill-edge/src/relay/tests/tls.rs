//! Origins over TLS, as nearly all stores' CDNs are.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::Secret;
use http::Method;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{
    ALL_VERSIONS, HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

use super::odd_origins::{FixedLink, answer, bytes};
use super::stage::{Reply, ask, film, listen, quick};
use crate::relay::{AllowList, Carries, Destinations, Link, Origin, OriginError, Relay, RelayConfig};

/// Self-signed for 127.0.0.1, valid for a hundred years, trusted by nobody but these tests.
const CERTIFICATE: &[u8] = include_bytes!("tls/origin.crt.der");
const KEY: &[u8] = include_bytes!("tls/origin.key.der");

/// How long an origin may take to tell how a connection began; it does once the client has closed it.
const SOON: Duration = Duration::from_secs(10);

/// An origin that gives each connection the next answer and then drops it, without TLS's goodbye. Returns its link.
fn origin(answers: Vec<Vec<u8>>) -> String {
    origin_in_pieces(answers, usize::MAX)
}

/// The same, with new keys after every so many bytes: records of all lengths, and such as have no byte of the film.
fn origin_in_pieces(answers: Vec<Vec<u8>>, piece: usize) -> String {
    origin_that(config(ALL_VERSIONS), answers, piece).0
}

/// The same, as a configuration wants it; tells how each connection began.
fn origin_that(
    config: ServerConfig,
    answers: Vec<Vec<u8>>,
    piece: usize,
) -> (String, Receiver<(ProtocolVersion, HandshakeKind)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let link = format!("https://{}/film", listener.local_addr().unwrap());
    let (config, (tell, told)) = (Arc::new(config), channel());
    std::thread::spawn(move || {
        for answer in answers {
            let (tcp, _) = listener.accept().unwrap();
            if let Some(began) = serve(tcp, config.clone(), &answer, piece) {
                let _nobody_asks = tell.send(began);
            }
        }
    });
    (link, told)
}

fn config(versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    config_by(ring::default_provider(), versions)
}

fn config_by(provider: CryptoProvider, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .unwrap()
}

/// None when the client leaves before its request, as one does that does not trust the certificate.
fn serve(
    tcp: TcpStream,
    config: Arc<ServerConfig>,
    answer: &[u8],
    piece: usize,
) -> Option<(ProtocolVersion, HandshakeKind)> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let began = (stream.conn.protocol_version()?, stream.conn.handshake_kind()?);
    for piece in answer.chunks(piece) {
        stream.write_all(piece).unwrap();
        stream.flush().unwrap();
        if piece.len() < answer.len() && began.0 == ProtocolVersion::TLSv1_3 {
            stream.conn.refresh_traffic_keys().unwrap();
        }
    }
    stream.flush().unwrap();
    stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
    // Closing with unread bytes would reset the connection and lose the answer.
    let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
    Some(began)
}

async fn relayed(link: &str, config: RelayConfig) -> Reply {
    let (address, _stop) = listen(Relay::new(config), film(Arc::new(FixedLink(link.to_owned())))).await;
    ask(address, &Method::GET, &[]).await
}

fn trusting() -> RelayConfig {
    RelayConfig { roots: vec![CertificateDer::from(CERTIFICATE)], ..quick() }
}

#[tokio::test]
async fn a_film_comes_over_tls_and_goes_on_after_a_break() {
    for plain in [false, true] {
        comes_over_tls(RelayConfig { plain, ..trusting() }).await;
    }
}

async fn comes_over_tls(config: RelayConfig) {
    let whole = bytes(0, 500_000);
    let cut = answer("200 OK\nContent-Length: 500000\nETag: \"v1\"", &whole[..321_000]);
    let head = "206 Partial Content\nContent-Range: bytes 321000-499999/500000\nETag: \"v1\"\nContent-Length: 179000";
    let link = origin(vec![cut, answer(head, &whole[321_000..])]);
    let reply = relayed(&link, config).await;
    assert!(reply.status == 200 && reply.whole && reply.body == whole);
}

#[tokio::test]
async fn records_of_any_length_and_without_a_byte_of_the_film_stop_nothing() {
    let whole = bytes(0, 700_000);
    for piece in [5_000, 16_384, 16_385, 50_000, 131_072, 400_000] {
        let film = answer("200 OK\nContent-Length: 700000\nETag: \"v1\"", &whole);
        let reply = relayed(&origin_in_pieces(vec![film], piece), trusting()).await;
        assert!(reply.status == 200 && reply.whole && reply.body == whole, "{piece}");
    }
}

#[tokio::test]
async fn both_versions_of_tls_carry_a_film_and_the_second_connection_begins_where_the_first_was() {
    let whole = bytes(0, 300_000);
    for version in ALL_VERSIONS {
        let cut = answer("200 OK\nContent-Length: 300000\nETag: \"v1\"", &whole[..200_000]);
        let head = "206 Partial Content\nContent-Range: bytes 200000-299999/300000\nETag: \"v1\"";
        let answers = vec![cut, answer(head, &whole[200_000..])];
        let (link, began) = origin_that(config(&[version]), answers, usize::MAX);
        let reply = relayed(&link, trusting()).await;
        assert!(reply.whole && reply.body == whole, "{version:?}");
        assert_eq!(began.recv_timeout(SOON).unwrap(), (version.version, HandshakeKind::Full));
        assert_eq!(began.recv_timeout(SOON).unwrap(), (version.version, HandshakeKind::Resumed));
    }
}

#[tokio::test]
async fn every_cipher_that_is_offered_carries_a_film() {
    let whole = bytes(0, 100_000);
    let mut tried = 0;
    // The certificate's key is none of RSA.
    for suite in ring::ALL_CIPHER_SUITES.iter().filter(|suite| !format!("{suite:?}").contains("_RSA_")) {
        let provider = CryptoProvider { cipher_suites: vec![*suite], ..ring::default_provider() };
        let config = config_by(provider, &[suite.version()]);
        let film = answer("200 OK\nContent-Length: 100000\nETag: \"v1\"", &whole);
        let (link, _) = origin_that(config, vec![film], 30_000);
        let reply = relayed(&link, trusting()).await;
        assert!(reply.whole && reply.body == whole, "{suite:?}");
        tried += 1;
    }
    assert_eq!(tried, 6);
}

#[tokio::test]
async fn an_origin_that_wants_another_key_exchange_is_asked_again() {
    let whole = bytes(0, 100_000);
    let provider = CryptoProvider { kx_groups: vec![ring::kx_group::SECP384R1], ..ring::default_provider() };
    let film = answer("200 OK\nContent-Length: 100000\nETag: \"v1\"\nConnection: close", &whole);
    let (link, began) = origin_that(config_by(provider, ALL_VERSIONS), vec![film], usize::MAX);
    let reply = relayed(&link, trusting()).await;
    assert!(reply.whole && reply.body == whole);
    assert_eq!(began.recv_timeout(SOON).unwrap().1, HandshakeKind::FullWithHelloRetryRequest);
}

#[tokio::test]
async fn neither_client_connects_where_the_relay_may_not() {
    for plain in [false, true] {
        for link in ["http://127.0.0.1:9/film", "https://localhost:9/film"] {
            let destinations = Destinations::Public { allow: AllowList::default() };
            let reply = relayed(link, RelayConfig { plain, destinations, ..quick() }).await;
            assert!(reply.text().contains("Refused"), "{plain} {link}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn a_connection_that_just_ends_is_not_the_end_of_the_film() {
    let cut = answer("200 OK\nContent-Length: 500000\nETag: \"v1\"", &bytes(0, 1_000));
    let link = origin(vec![cut]);
    let reply = relayed(&link, trusting()).await;
    assert!(!reply.whole && reply.body == bytes(0, 1_000));
}

/// A link to any file.
struct Anything(String);

#[async_trait]
impl Origin for Anything {
    async fn link(&self, _fresh: bool) -> Result<Link, OriginError> {
        Ok(Link::lasting(Secret::new(&*self.0)))
    }

    fn carries(&self) -> Carries {
        Carries::AnyFile
    }
}

#[tokio::test]
async fn a_file_of_unknown_length_is_whole_only_after_a_goodbye() {
    for plain in [false, true] {
        let link = origin(vec![answer("200 OK\nContent-Type: text/plain", &bytes(0, 1_000))]);
        let relay = Relay::new(RelayConfig { plain, ..trusting() });
        let (address, _stop) = listen(relay, film(Arc::new(Anything(link)))).await;
        let reply = ask(address, &Method::GET, &[]).await;
        assert_eq!((reply.status, reply.header("content-type"), reply.whole), (200, "text/plain", false), "{plain}");
    }
}

#[tokio::test]
async fn an_origin_nobody_vouches_for_is_not_spoken_to() {
    let film = answer("200 OK\nContent-Length: 3", b"abc");
    let link = origin(vec![film.clone(), film]);
    assert_eq!(relayed(&link, quick()).await.text(), "Unreachable");
}
