//! How many connections one origin gets at a time: a provider bans who opens hundreds, and each is a socket of ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::Uri;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Where a connection leads: a scheme, a host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place(String);

impl Place {
    /// None when the URL names no host.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, host) = (uri.scheme_str()?, uri.host()?);
        let own = if scheme == "https" { 443 } else { 80 };
        Some(Self(format!("{scheme}://{}:{}", host.to_ascii_lowercase(), uri.port_u16().unwrap_or(own))))
    }
}

/// The leave to have one connection, until it is dropped.
pub(super) type Leave = Option<OwnedSemaphorePermit>;

/// All origins that have connections now.
#[derive(Debug)]
pub(super) struct Sockets {
    most: usize,
    origins: Mutex<HashMap<Option<Place>, Weak<Semaphore>>>,
}

impl Sockets {
    pub(super) fn new(most: usize) -> Self {
        Self { most, origins: Mutex::default() }
    }

    /// Waits until the place of this URL has fewer than the most.
    pub(super) async fn leave(&self, origin: &Uri) -> Leave {
        // Nobody closes them.
        self.of(Place::of(origin)).acquire_owned().await.ok()
    }

    fn of(&self, origin: Option<Place>) -> Arc<Semaphore> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = origins.get(&origin).and_then(Weak::upgrade) {
            return known;
        }
        // Providers have thousands of hosts.
        origins.retain(|_, sockets| sockets.strong_count() > 0);
        let new = Arc::new(Semaphore::new(self.most));
        origins.insert(origin, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn each_origin_has_its_own_and_those_without_are_forgotten() {
        let sockets = Sockets::new(2);
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let first = sockets.leave(&uri("https://a.example/1")).await;
        let second = sockets.leave(&uri("https://a.example/2")).await;
        assert!(first.is_some() && second.is_some());
        assert!(sockets.leave(&uri("https://a.example/3")).now_or_never().is_none(), "two are enough");
        assert!(sockets.leave(&uri("https://b.example/1")).now_or_never().is_some());
        assert!(sockets.leave(&uri("https://a.example:8443/1")).now_or_never().is_some());
        assert!(sockets.leave(&uri("http://a.example/1")).now_or_never().is_some());
        assert!(sockets.leave(&uri("https://u@A.example:443/1")).now_or_never().is_none(), "the same place");
        drop(second);
        assert!(sockets.leave(&uri("https://a.example/3")).now_or_never().is_some());
        assert_eq!(sockets.origins.lock().unwrap().len(), 2, "of those that have none only the newest is still known");
    }
}
