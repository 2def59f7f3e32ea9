//! Names that lead to public addresses only, for links that indexers write and the operator never saw.
//!
//! What a name resolves to is checked and then connected to, so a name that changes in between
//! gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Names, resolved to those of their addresses that are public.
#[derive(Clone, Debug)]
pub(crate) struct PublicNames {
    names: GaiResolver,
    public: fn(IpAddr) -> bool,
}

impl PublicNames {
    /// `public` says which addresses count as public.
    pub(crate) fn new(public: fn(IpAddr) -> bool) -> Self {
        Self { names: GaiResolver::new(), public }
    }
}

impl Service<Name> for PublicNames {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.names.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, public) = (self.names.call(name), self.public);
        Box::pin(async move {
            let found: Vec<_> = resolving.await?.filter(|at| public(at.ip())).collect();
            if found.is_empty() { Err("no public address".into()) } else { Ok(found.into_iter()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use chill_core::address::is_public;

    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_has_no_public_address() {
        let localhost: Name = "localhost".parse().unwrap();
        assert!(PublicNames::new(is_public).call(localhost.clone()).await.is_err());
        assert!(PublicNames::new(|_| true).call(localhost).await.unwrap().next().is_some());
    }
}
