//! The relay alone behind a listener like the product's: every request is for the file at the URL that the first word
//! names; the second word may name a certificate (DER) to trust. Prints where it listens; `cargo xtask bench relay`
//! measures it.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use chill_core::{Clock, Secret};
use chill_edge::relay::{
    ConnectionCut, Film, Link, Meter, Origin, OriginError, Relay, RelayConfig, VIEWER_BUFFER, Wire,
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

/// As the product's listener has them.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_PLAYER: Duration = Duration::from_secs(60);

/// Hundreds of players may come at the same moment; as many as the rivals are told to let wait.
const BACKLOG: u32 = 4096;

/// A link that never changes.
struct Fixed(Secret);

#[async_trait]
impl Origin for Fixed {
    async fn link(&self, _: bool) -> Result<Link, OriginError> {
        Ok(Link::lasting(self.0.clone()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let url = words.next().ok_or("name the URL of a file: relay URL [CERTIFICATE.der]")?;
    let roots = words.next().map(std::fs::read).transpose()?.map(CertificateDer::from);
    let relay = Relay::new(RelayConfig { roots: roots.into_iter().collect(), ..RelayConfig::default() });
    let origin: Arc<dyn Origin> = Arc::new(Fixed(Secret::new(url)));
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    #[expect(clippy::print_stdout, reason = "tells the caller where it listens")]
    {
        println!("listening on {}", listener.local_addr()?);
    }
    loop {
        let (tcp, _) = listener.accept().await?;
        tokio::spawn(converse(tcp, relay.clone(), origin.clone()));
    }
}

/// One player: one playback.
async fn converse(tcp: TcpStream, relay: Relay, origin: Arc<dyn Origin>) {
    let cut = ConnectionCut::new();
    let wire = Wire::new(tcp, cut.clone(), IDLE_PLAYER);
    let film = Film {
        origin,
        meter: Arc::new(Meter::new(Clock::System)),
        cut: CancellationToken::new(),
        file_name: "film.mkv".to_owned(),
    };
    let followed = cut.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (relay, film, cut) = (relay.clone(), film.clone(), followed.clone());
        async move {
            let response = relay.respond(request.method(), request.headers(), film).await;
            let response = response.unwrap_or_else(|error| refused(&error));
            cut.follow(&response);
            Ok::<_, Infallible>(response)
        }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(VIEWER_BUFFER);
    tokio::select! {
        // A player that goes away in the middle is no fault of ours.
        _ended = server.serve_connection(TokioIo::new(wire), service) => {}
        () = cut.due() => {}
    }
}

fn refused(error: &OriginError) -> Response<Body> {
    let mut response = Response::new(Body::from(error.to_string()));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
