//! What an operator sets about the proxy.

use std::time::Duration;

use chill_core::address::TrustedProxies;
use chill_core::device::Fingerprint;
use chill_core::{Chance, Clock, Secret};
use url::Url;

use super::{ConnectionLimits, ProxyUsers};
use crate::playbacks::PATIENCE;
use crate::relay::{AllowList, RelayConfig};

/// Fewer bytes of a secret than the keys derived from it would be guessed before they are.
pub const SHORTEST_SECRET: usize = 32;

/// The settings of a [`Proxy`](super::Proxy).
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Who may make links, and whose links open. `STREMTHRU_AUTH`.
    pub users: ProxyUsers,
    /// What links are signed and sealed with, by keys derived from it; at least 32 bytes, the same on every node and after
    /// every restart. Links end with it, unless it is kept among the former ones.
    pub secret: Secret,
    /// What links were made with before; they open as long as theirs is here.
    pub former_secrets: Vec<Secret>,
    /// The public address in links; without it, the one a request was sent to. `STREMTHRU_BASE_URL`.
    pub base_url: Option<Url>,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// Whose secret names addresses where they are counted, the same as the addon's.
    pub fingerprint: Fingerprint,
    /// Destinations that links may lead to although they are not public.
    pub allow: AllowList,
    /// How many films each user's links may carry at once. `STREMTHRU_CONTENT_PROXY_CONNECTION_LIMIT`.
    pub limits: ConnectionLimits,
    /// How long a film over the limit waits for another one to end: a player that zaps opens the new one first.
    pub patience: Duration,
    /// The byte path; its `destinations` are replaced by public ones and `allow`, its `redirects` by StremThru's ten.
    pub relay: RelayConfig,
    /// The time of day, for expiry.
    pub clock: Clock,
    /// Nonces and request ids.
    pub chance: Chance,
}

impl ProxyConfig {
    /// The settings of production, with no user's limit and no exception from public destinations.
    #[must_use]
    pub fn new(users: ProxyUsers, secret: Secret) -> Self {
        Self {
            users,
            secret,
            former_secrets: Vec::new(),
            base_url: None,
            trusted_proxies: TrustedProxies::default(),
            fingerprint: Fingerprint::default(),
            allow: AllowList::default(),
            limits: ConnectionLimits::default(),
            patience: PATIENCE,
            relay: RelayConfig::default(),
            clock: Clock::System,
            chance: Chance::System,
        }
    }
}

/// Settings a proxy cannot work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxyConfig {
    /// Links could be forged.
    #[error("the secret of proxy links is shorter than 32 bytes: give it more, at random")]
    ShortSecret,
}
