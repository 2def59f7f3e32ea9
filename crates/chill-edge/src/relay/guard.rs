//! The connector of origins: every connection, of a link as of a redirect, passes the [`Destinations`] here.
//!
//! A name is resolved once, and what was checked is what is connected to, so that a name which changes its address
//! between the check and the connection gains nothing.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tower::Service;

use super::destinations::{Destinations, Refused};
use super::line::Tcp;
use super::receive_buffer::ReceiveBuffer;
use super::sockets::{Leave, Sockets};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// TCP connections to allowed destinations.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    tcp: HttpConnector<Lookup<GaiResolver>>,
    destinations: Arc<Destinations>,
    sockets: Arc<Sockets>,
    buffer: ReceiveBuffer,
}

impl Guard {
    /// `most`: connections to one origin at a time. `set` adjusts the TCP connector.
    pub(super) fn new(
        destinations: Destinations,
        most: usize,
        set: impl FnOnce(&mut HttpConnector<Lookup<GaiResolver>>),
    ) -> Self {
        let destinations = Arc::new(destinations);
        let lookup = Lookup { names: GaiResolver::new(), destinations: destinations.clone() };
        let mut tcp = HttpConnector::new_with_resolver(lookup);
        set(&mut tcp);
        Self { tcp, destinations, sockets: Arc::new(Sockets::new(most)), buffer: ReceiveBuffer::of_system() }
    }

    /// Waits for the leave to open a connection to this URL's host.
    pub(super) async fn leave(&self, origin: &Uri) -> Leave {
        self.sockets.leave(origin).await
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// [`Refused`], or why there is none.
    pub(super) async fn connect(&self, origin: &Uri, leave: Leave) -> Result<Tcp, BoxError> {
        self.check(origin)?;
        let mut tcp = self.tcp.clone();
        std::future::poll_fn(|cx| tcp.poll_ready(cx)).await?;
        let begun = Instant::now();
        let tcp = tcp.call(origin.clone()).await?.into_inner();
        let bounded = self.buffer.bound(&tcp, begun.elapsed());
        Ok(Tcp::new(tcp, leave, bounded))
    }

    /// What can be said before a name is resolved: the port, and an address that needs no resolving.
    fn check(&self, origin: &Uri) -> Result<(), Refused> {
        let port = origin.port_u16().unwrap_or(if origin.scheme_str() == Some("https") { 443 } else { 80 });
        self.destinations.check_port(port)?;
        let host = origin.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse() {
            Ok(address) => self.destinations.check(None, address),
            Err(_) => Ok(()),
        }
    }
}

impl Service<Uri> for Guard {
    type Response = TokioIo<Tcp>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move {
            // Before the wait: what is refused needs no leave.
            guard.check(&origin)?;
            let leave = guard.leave(&origin).await;
            Ok(TokioIo::new(guard.connect(&origin, leave).await?))
        })
    }
}

/// Names, resolved to the addresses among theirs that are allowed.
#[derive(Clone, Debug)]
pub(super) struct Lookup<R> {
    names: R,
    destinations: Arc<Destinations>,
}

impl<R> Service<Name> for Lookup<R>
where
    R: Service<Name, Response: Iterator<Item = SocketAddr>, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.names.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let destinations = self.destinations.clone();
        let resolving = self.names.call(name.clone());
        Box::pin(async move {
            let found = resolving.await.map_err(Into::into)?;
            let allowed = |at: &SocketAddr| destinations.check(Some(name.as_str()), at.ip()).is_ok();
            let (allowed, refused): (Vec<_>, Vec<_>) = found.partition(allowed);
            if allowed.is_empty() && !refused.is_empty() {
                return Err(Refused.into());
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::destinations::AllowList;
    use super::*;

    fn public() -> Arc<Destinations> {
        Arc::new(Destinations::Public { allow: AllowList::parse("10.0.0.1").unwrap() })
    }

    #[tokio::test]
    async fn a_name_is_only_as_good_as_what_it_resolves_to_now() {
        let answers =
            ["93.184.216.34:0", "127.0.0.1:0", "93.184.216.34:0 127.0.0.1:0 10.0.0.1:0", "[::1]:0 [fe80::1]:0", ""];
        let asked = Arc::new(AtomicUsize::new(0));
        let names = tower::service_fn(move |_: Name| {
            let answer = answers[asked.fetch_add(1, Ordering::SeqCst)];
            let found: Vec<SocketAddr> = answer.split_whitespace().map(|at| at.parse().unwrap()).collect();
            std::future::ready(Ok::<_, Infallible>(found.into_iter()))
        });
        let mut lookup = Lookup { names, destinations: public() };
        let mut resolved = Vec::new();
        for _ in 0..5 {
            let found = lookup.call("films.example".parse().unwrap()).await;
            resolved.push(match found {
                Ok(found) => found.map(|at| at.ip().to_string()).collect::<Vec<_>>().join(" "),
                Err(error) => format!("refused: {}", error.is::<Refused>()),
            });
        }
        assert_eq!(resolved, ["93.184.216.34", "refused: true", "93.184.216.34 10.0.0.1", "refused: true", ""]);
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_dialled() {
        let inside = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        inside.set_nonblocking(true).unwrap();
        let origin: Uri = format!("http://localhost:{}/f", inside.local_addr().unwrap().port()).parse().unwrap();
        for (allow, dials) in [("10.0.0.1", false), ("127.0.0.1", true)] {
            let destinations = Destinations::Public { allow: AllowList::parse(allow).unwrap() };
            let guard = Guard::new(destinations, 1, |_| {});
            let connected = guard.connect(&origin, guard.leave(&origin).await).await;
            assert_eq!((connected.is_ok(), inside.accept().is_ok()), (dials, dials), "{allow}");
        }
    }

    #[test]
    fn addresses_in_links_are_checked_without_a_lookup() {
        let guard = Guard::new(Arc::unwrap_or_clone(public()), 1, |_| {});
        for (origin, passes) in [
            ("http://93.184.216.34/f", true),
            ("http://10.0.0.1/f", true),
            ("http://10.0.0.1:22/f", false),
            ("https://93.184.216.34:25/f", false),
            ("http://127.0.0.1/f", false),
            ("https://[::1]:8443/f", false),
            ("http://[::ffff:7f00:1]/f", false),
            ("http://[2606:4700::1111]/f", true),
            ("http://localhost/f", true),
        ] {
            assert_eq!(guard.check(&origin.parse().unwrap()).is_ok(), passes, "{origin}");
        }
    }
}
