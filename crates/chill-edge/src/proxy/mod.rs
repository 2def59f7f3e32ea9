//! `/v0/proxy`: links that carry any HTTP file through the relay, in StremThru's protocol.
//!
//! For: users named in `STREMTHRU_AUTH`, who make links, and players, who open them. A link is signed and sealed with a
//! key of this server, so it tells neither where it leads nor anything about its maker's password, and ends with its
//! expiry or its maker's account. Links made by StremThru open as long as their maker exists and their password is his.
//!
//! Refuses: to fetch anything for somebody who is not a user; to connect to addresses that are not public, unless the
//! operator allows them; to pass a viewer's headers on, or more of the origin's head than the relay does.
//!
//! Start reading at [`router`]: `create` makes links, `access` opens them, `token` is what is in them.

mod access;
mod config;
mod create;
mod envelope;
mod expiry;
mod form;
mod limits;
mod link;
mod request_headers;
mod target;
mod throttle;
mod token;
mod users;
mod viewings;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use chill_core::{Chance, Clock, Rates};

pub use config::{InvalidProxyConfig, ProxyConfig, SHORTEST_SECRET};
pub use limits::{ConnectionLimits, InvalidLimits};
#[doc(hidden)]
pub use token::doors as fuzz;
pub use users::{InvalidUsers, ProxyUsers};

use crate::edge::EdgeConfig;
use crate::relay::{Destinations, Relay, RelayConfig};
use throttle::Throttle;
use token::KeyRing;
use viewings::Viewings;

/// Redirects that are followed, as many as StremThru follows: links lead to any server and not to a store's alone.
const REDIRECTS: u8 = 10;

/// Everything behind `/v0/proxy`.
#[derive(Debug)]
pub struct Proxy {
    users: ProxyUsers,
    keys: KeyRing,
    viewings: Viewings,
    throttle: Throttle,
    relay: Relay,
    /// What [`crate::viewer`] needs to tell a request's sender and the public address he reached.
    reached: EdgeConfig,
    clock: Clock,
    chance: Chance,
}

impl Proxy {
    /// A proxy with its own relay, whose connections are guarded. `rates` counts who makes links and who tries in vain.
    ///
    /// # Errors
    /// [`InvalidProxyConfig`] when a secret is too short to be one.
    pub fn new(config: ProxyConfig, rates: Arc<dyn Rates>) -> Result<Arc<Self>, InvalidProxyConfig> {
        let keys = KeyRing::derive(&config.secret, &config.former_secrets)?;
        let destinations = Destinations::Public { allow: config.allow };
        Ok(Arc::new(Self {
            viewings: Viewings::new(config.limits, config.patience, config.clock.clone()),
            throttle: Throttle::new(rates),
            users: config.users,
            keys,
            relay: Relay::new(RelayConfig { destinations, redirects: REDIRECTS, ..config.relay }),
            reached: EdgeConfig {
                base_url: config.base_url,
                trusted_proxies: config.trusted_proxies,
                fingerprint: config.fingerprint,
                ..EdgeConfig::default()
            },
            clock: config.clock,
            chance: config.chance,
        }))
    }

    /// Ends all that links carry now.
    pub fn cut(&self) {
        self.viewings.cut();
    }

    /// Scheme and host of links and redirects, without a slash at the end.
    fn base(&self, parts: &http::request::Parts) -> String {
        crate::viewer::Viewer::of(&self.reached, parts).base
    }
}

/// The proxy's routes. The listener must provide `axum::extract::ConnectInfo<SocketAddr>` and follow
/// [`crate::relay::ConnectionCut`]; viewers over their limit are sent to a clip of [`crate::router`].
pub fn router(proxy: Arc<Proxy>) -> Router {
    Router::new()
        .route("/v0/proxy", any(create::answer))
        .route("/v0/proxy/{token}", any(access::answer))
        .route("/v0/proxy/{token}/{filename}", any(access::answer))
        .with_state(proxy)
}
