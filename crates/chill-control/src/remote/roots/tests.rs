//! A control plane behind TLS with a certificate of a private authority.

use std::sync::Arc;
use std::time::Duration;

use chill_core::pool::Terms;
use chill_core::{Chance, Clock, ControlError, ControlPlane, FeedItem, Secret};
use chill_db::trial;
use futures_util::StreamExt;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{ExtraRoots, InvalidRoots};
use crate::remote::{Deadlines, RemoteConfig, RemoteControl};
use crate::tests::suite::{KEY, serve};
use crate::tests::{NOW, ask, world};

/// An authority's certificate, one of its certificates for 127.0.0.1, and that one's key. They are valid from 2000 to 2099 and
/// open nothing but the listeners of these tests.
const AUTHORITY: &str = include_str!("authority.pem");
const SERVER: &str = include_str!("server.pem");
const SERVER_KEY: &str = include_str!("server_key.pem");

fn tls() -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let certificate = CertificateDer::from_pem_slice(SERVER.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY.as_bytes()).unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()))
}

/// TLS in front of a plain address.
async fn in_front_of(plain: &str, tls: TlsAcceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let plain = plain.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, plain) = (tls.clone(), plain.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = tls.accept(stream).await else { return };
                let mut server = TcpStream::connect(plain).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut stream, &mut server).await);
            });
        }
    });
    address
}

fn remote(url: &str, roots: ExtraRoots) -> RemoteControl {
    let deadlines = Deadlines { call: Duration::from_secs(2), ..Deadlines::default() };
    let (urls, key) = (vec![url.parse().unwrap()], Secret::new(KEY));
    RemoteControl::new(RemoteConfig { urls, key, roots, clock: Clock::fixed(NOW), chance: Chance::System, deadlines })
        .unwrap()
}

#[tokio::test]
async fn a_private_authority_is_believed_when_it_is_named() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.key("one", Terms::Household, None).await;
        let (plain, server) = serve(Arc::new(world.control.clone())).await;
        let url = in_front_of(&plain, tls()).await;
        let named = remote(&url, ExtraRoots::parse(AUTHORITY.as_bytes()).unwrap());
        named.lease(&ask(anna.link, "tv")).await.unwrap();
        assert_eq!(
            named.watch(Some(0)).next().await.unwrap().unwrap(),
            FeedItem::Connected { epoch: 0 },
            "its socket too"
        );
        let unnamed = remote(&url, ExtraRoots::default());
        let Err(ControlError::Unavailable { why, .. }) = unnamed.lease(&ask(anna.link, "tv")).await else {
            panic!("a key went through TLS with nobody known")
        };
        assert!(why.contains("could not connect"), "{why}");
        assert!(unnamed.watch(Some(0)).next().await.unwrap().is_err());
        server.abort();
    })
    .await;
}

#[test]
fn a_file_without_a_certificate_is_refused() {
    for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(ExtraRoots::parse(pem.as_bytes()).map(|_| ()), Err(InvalidRoots), "{pem}");
    }
    let among = format!("a comment\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{AUTHORITY}");
    assert!(ExtraRoots::parse(among.as_bytes()).is_ok());
}
