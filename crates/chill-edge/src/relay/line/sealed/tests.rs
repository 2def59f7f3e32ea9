//! What an origin may do on a sealed connection, by the other half of rustls.

use std::sync::Arc;

use rustls::crypto::cipher::{InboundOpaqueMessage, MessageDecrypter, MessageEncrypter};
use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring;
use rustls::kernel::KernelConnection;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{
    ClientConfig, ConnectionTrafficSecrets, ContentType, ProtocolVersion, RootCertStore, ServerConfig,
    SupportedCipherSuite, SupportedProtocolVersion,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const CERTIFICATE: &[u8] = include_bytes!("../../tests/tls/origin.crt.der");
const KEY: &[u8] = include_bytes!("../../tests/tls/origin.key.der");

/// The origin's half, with its keys in our hands.
struct Origin {
    tcp: TcpStream,
    suite: SupportedCipherSuite,
    kept: KernelConnection<ServerConnectionData>,
    sealer: (Box<dyn MessageEncrypter>, u64),
    opener: (Box<dyn MessageDecrypter>, u64),
}

fn encrypter(suite: SupportedCipherSuite, secrets: ConnectionTrafficSecrets) -> Box<dyn MessageEncrypter> {
    match (suite, secrets) {
        (
            SupportedCipherSuite::Tls13(suite),
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } | ConnectionTrafficSecrets::Aes256Gcm { key, iv },
        ) => suite.aead_alg.encrypter(key, iv),
        _ => panic!("not what ring prefers"),
    }
}

fn decrypter(suite: SupportedCipherSuite, secrets: ConnectionTrafficSecrets) -> Box<dyn MessageDecrypter> {
    match (suite, secrets) {
        (
            SupportedCipherSuite::Tls13(suite),
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } | ConnectionTrafficSecrets::Aes256Gcm { key, iv },
        ) => suite.aead_alg.decrypter(key, iv),
        _ => panic!("not what ring prefers"),
    }
}

impl Origin {
    async fn accept(mut tcp: TcpStream) -> Self {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
            .unwrap();
        config.enable_secret_extraction = true;
        let mut tls = UnbufferedServerConnection::new(Arc::new(config)).unwrap();
        let (mut heard, mut said, mut done) = (Vec::new(), Vec::new(), false);
        while !done {
            let UnbufferedStatus { discard, state } = tls.process_tls_records(&mut heard);
            let mut blocked = false;
            match state.unwrap() {
                ConnectionState::EncodeTlsData(mut words) => {
                    let mut room = vec![0; 16 * 1024];
                    let written = words.encode(&mut room).unwrap();
                    said.extend_from_slice(&room[..written]);
                }
                ConnectionState::TransmitTlsData(transmit) => transmit.done(),
                ConnectionState::BlockedHandshake => blocked = true,
                ConnectionState::WriteTraffic(_) => done = true,
                other => panic!("{other:?}"),
            }
            heard.drain(..discard);
            if blocked || done {
                tcp.write_all(&std::mem::take(&mut said)).await.unwrap();
            }
            if blocked {
                assert_ne!(tcp.read_buf(&mut heard).await.unwrap(), 0);
            }
        }
        let suite = tls.negotiated_cipher_suite().unwrap();
        let (secrets, kept) = tls.dangerous_into_kernel_connection().unwrap();
        let (sealer, opener) = (encrypter(suite, secrets.tx.1), decrypter(suite, secrets.rx.1));
        Self { tcp, suite, kept, sealer: (sealer, secrets.tx.0), opener: (opener, secrets.rx.0) }
    }

    fn record(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let payload = OutboundChunks::Single(payload);
        let plain = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        self.sealer.1 += 1;
        self.sealer.0.encrypt(plain, self.sealer.1 - 1).unwrap().encode()
    }

    async fn send(&mut self, typ: ContentType, payload: &[u8]) {
        let record = self.record(typ, payload);
        self.tcp.write_all(&record).await.unwrap();
    }

    /// The type and content of the next record.
    async fn hear(&mut self) -> (ContentType, Vec<u8>) {
        let mut head = [0; 5];
        self.tcp.read_exact(&mut head).await.unwrap();
        let mut sealed = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        self.tcp.read_exact(&mut sealed).await.unwrap();
        let sealed = InboundOpaqueMessage::new(head[0].into(), ProtocolVersion::TLSv1_2, &mut sealed);
        self.opener.1 += 1;
        let plain = self.opener.0.decrypt(sealed, self.opener.1 - 1).unwrap();
        (plain.typ, plain.payload.to_vec())
    }
}

fn trusting(versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    Arc::new(config)
}

async fn connected() -> (Sealed, Origin) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let host = ServerName::try_from("127.0.0.1").unwrap();
    let ours = handshake(Tcp::new(tcp, None, false), trusting(&[&rustls::version::TLS13]), host);
    let theirs = async { Origin::accept(listener.accept().await.unwrap().0).await };
    let (ours, theirs) = tokio::join!(ours, theirs);
    (ours.unwrap(), theirs)
}

/// What is read next, and at most once.
async fn next(sealed: &mut Sealed, most: usize) -> io::Result<Vec<u8>> {
    std::future::poll_fn(|cx| {
        let mut buffer = BytesMut::new();
        sealed.poll_read(cx, &mut buffer, most).map_ok(|_| buffer.to_vec())
    })
    .await
}

/// What an origin sends that is no film.
type Break = fn(&mut Origin) -> Vec<u8>;

const KEY_UPDATE: [u8; 4] = [24, 0, 0, 1];

#[tokio::test]
async fn an_origin_that_wants_new_keys_gets_them_with_the_next_request() {
    let (mut ours, mut origin) = connected().await;
    for round in 0..3_u8 {
        origin.send(ContentType::Handshake, &[KEY_UPDATE.as_slice(), &[1]].concat()).await;
        let (sent, secrets) = origin.kept.update_tx_secret().unwrap();
        origin.sealer = (encrypter(origin.suite, secrets), sent);
        origin.send(ContentType::ApplicationData, &[round; 100]).await;
        assert_eq!(next(&mut ours, 1_000).await.unwrap(), [round; 100]);
        ours.say(b"next").await.unwrap();
        assert_eq!(origin.hear().await, (ContentType::Handshake, [KEY_UPDATE.as_slice(), &[0]].concat()));
        let (heard, secrets) = origin.kept.update_rx_secret().unwrap();
        origin.opener = (decrypter(origin.suite, secrets), heard);
        assert_eq!(origin.hear().await, (ContentType::ApplicationData, b"next".to_vec()));
    }
}

#[tokio::test]
async fn a_goodbye_is_an_end_and_what_stands_behind_it_is_nothing() {
    let (mut ours, mut origin) = connected().await;
    let mut wire = origin.record(ContentType::ApplicationData, b"the end");
    wire.extend(origin.record(ContentType::Alert, &[1, 0]));
    wire.extend(origin.record(ContentType::ApplicationData, b"more"));
    origin.tcp.write_all(&wire).await.unwrap();
    assert_eq!(next(&mut ours, 1_000).await.unwrap(), b"the end");
    for _ in 0..2 {
        assert_eq!(next(&mut ours, 1_000).await.unwrap(), b"");
    }
    assert!(!ours.is_quiet());
}

#[tokio::test]
async fn what_came_before_a_break_is_given_out_and_then_the_break() {
    let update = [24, 0, 0, 1, 0];
    let breaks: [(&str, Break); 6] = [
        ("a changed bit", |origin| {
            let mut record = origin.record(ContentType::ApplicationData, b"changed");
            record[9] ^= 1;
            record
        }),
        ("an alert", |origin| origin.record(ContentType::Alert, &[2, 20])),
        ("a message of a handshake", |origin| origin.record(ContentType::Handshake, &[1, 0, 0, 0])),
        ("a film within a message", |origin| {
            let mut wire = origin.record(ContentType::Handshake, &[4, 0, 0]);
            wire.extend(origin.record(ContentType::ApplicationData, b"within"));
            wire
        }),
        ("a record that is too long", |_| vec![23, 3, 3, 0xff, 0xff]),
        ("no record", |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    for (what, broken) in breaks {
        let (mut ours, mut origin) = connected().await;
        let mut wire = origin.record(ContentType::ApplicationData, b"before");
        wire.extend(broken(&mut origin));
        wire.extend(origin.record(ContentType::Handshake, &update));
        origin.tcp.write_all(&wire).await.unwrap();
        assert_eq!(next(&mut ours, 1_000).await.unwrap(), b"before", "{what}");
        for _ in 0..2 {
            let broken = next(&mut ours, 1_000).await.unwrap_err();
            assert_eq!(broken.kind(), io::ErrorKind::InvalidData, "{what}");
        }
    }
    let (mut ours, mut origin) = connected().await;
    let record = origin.record(ContentType::ApplicationData, b"cut in the middle");
    origin.tcp.write_all(&record[..20]).await.unwrap();
    drop(origin);
    assert_eq!(next(&mut ours, 1_000).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn an_origin_that_talks_about_the_connection_for_ever_is_left() {
    let (mut ours, mut origin) = connected().await;
    let mut wire = Vec::new();
    for _ in 0..100 {
        wire.extend(origin.record(ContentType::ApplicationData, b""));
    }
    origin.tcp.write_all(&wire).await.unwrap();
    assert!(next(&mut ours, 1_000).await.is_err());
}

#[tokio::test]
async fn reads_end_with_a_record_and_keep_nothing() {
    let (mut ours, mut origin) = connected().await;
    let film: Vec<u8> = (0..40 * 16_384_u32).map(|at| at.to_le_bytes()[usize::from(at % 5 == 0)]).collect();
    let (mut got, mut kept) = (Vec::new(), 0);
    let (send, receive) = (
        async {
            for piece in film.chunks(16_384) {
                origin.send(ContentType::ApplicationData, piece).await;
            }
        },
        async {
            while got.len() < film.len() {
                let piece = next(&mut ours, 100_000).await.unwrap();
                assert!(piece.len() <= 100_000);
                got.extend(piece);
                kept += usize::from(!ours.records.is_quiet());
            }
        },
    );
    tokio::join!(send, receive);
    assert!(got == film && ours.is_quiet());
    assert!(kept <= 20, "{kept} reads ended within a record");
}
