//! `/v0/proxy` on this process's own relay.

use axum::Router;
use chill_core::Secret;
use chill_edge::proxy::{self, Proxy, ProxyConfig};

use crate::config::Config;

/// The content proxy, when somebody may use it. `secret` signs its links, and is the same on every node.
pub(super) fn router(config: &Config, secret: Secret) -> anyhow::Result<Router> {
    let section = &config.proxy;
    if section.users.is_empty() {
        return Ok(Router::new());
    }
    let proxy = Proxy::new(ProxyConfig {
        base_url: config.listen.base_url.clone(),
        trusted_proxies: config.edge.trusted_proxies.clone(),
        allow: section.allow.clone(),
        limits: section.limits.clone(),
        relay: super::edge::relay(&config.edge),
        ..ProxyConfig::new(section.users.clone(), secret)
    })?;
    Ok(proxy::router(proxy))
}
