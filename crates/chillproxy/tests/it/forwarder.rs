//! A piece of network between two processes that can be cut and healed: while it is cut nothing passes and nobody is told,
//! as when a cable is pulled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a client says when it opens the events socket, on a connection that may have served calls before.
const SOCKET: &[u8] = b"GET /api/v1/internal/pool/events";

/// What does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Nothing,
    Socket,
    Everything,
}

/// Forwards TCP connections to one address for as long as the test's runtime lives.
pub(crate) struct Forwarder {
    pub(crate) address: SocketAddr,
    cut: watch::Sender<Cut>,
}

impl Forwarder {
    /// The way to `target`, a host and a port.
    pub(crate) async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = watch::Sender::new(Cut::Nothing);
        let (seen, target) = (cut.subscribe(), target.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, target.clone(), seen.clone()));
            }
        });
        Self { address, cut }
    }

    /// The way to the host of a URL, and the URL that leads there through it.
    pub(crate) async fn before(url: &str) -> (Self, String) {
        let mut url = url::Url::parse(url).unwrap();
        let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
        let forwarder = Self::to(&format!("{host}:{port}")).await;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(forwarder.address.port())).unwrap();
        (forwarder, url.to_string().trim_end_matches('/').to_owned())
    }

    pub(crate) fn cut(&self) {
        self.cut.send_replace(Cut::Everything);
    }

    /// Cuts the events socket alone; calls go on.
    pub(crate) fn cut_socket(&self) {
        self.cut.send_replace(Cut::Socket);
    }

    /// What waited goes on, as TCP does after a partition.
    pub(crate) fn heal(&self) {
        self.cut.send_replace(Cut::Nothing);
    }
}

async fn connection(client: TcpStream, target: String, mut cut: watch::Receiver<Cut>) {
    if cut.wait_for(|cut| *cut != Cut::Everything).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let socket = Arc::new(AtomicBool::new(false));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, cut.clone(), Arc::clone(&socket));
    let down = pump(from_server, to_client, cut, socket);
    tokio::select! { () = up => {} () = down => {} }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut cut: watch::Receiver<Cut>,
    socket: Arc<AtomicBool>,
) {
    let mut piece = vec![0; 16 * 1_024];
    loop {
        let Ok(count @ 1..) = from.read(&mut piece).await else { return };
        if piece[..count].windows(SOCKET.len()).any(|window| window == SOCKET) {
            socket.store(true, Ordering::SeqCst);
        }
        let passes = |cut: &Cut| match cut {
            Cut::Nothing => true,
            Cut::Socket => !socket.load(Ordering::SeqCst),
            Cut::Everything => false,
        };
        if cut.wait_for(passes).await.is_err() || to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}
