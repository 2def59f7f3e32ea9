//! `/v0/proxy` on this process's own relay.

use std::sync::Arc;

use axum::Router;
use chill_core::{Rates, Secret};
use chill_edge::proxy::{self, Proxy, ProxyConfig};

use crate::config::Config;

/// The content proxy, when somebody may use it. The first of the `secrets` signs its links, each opens those it signed;
/// they are the same on every node. `rates` counts who tries them.
pub(super) fn open(config: &Config, secrets: Vec<Secret>, rates: Arc<dyn Rates>) -> anyhow::Result<Option<Arc<Proxy>>> {
    let section = &config.proxy;
    if section.users.is_empty() {
        return Ok(None);
    }
    let mut secrets = secrets.into_iter();
    let secret = secrets.next().unwrap_or_else(|| Secret::new(""));
    let settings = ProxyConfig {
        base_url: config.listen.base_url.clone(),
        trusted_proxies: config.edge.trusted_proxies.clone(),
        fingerprint: config.edge.fingerprint.clone(),
        allow: section.allow.clone(),
        limits: section.limits.clone(),
        relay: super::edge::relay(&config.edge),
        former_secrets: secrets.collect(),
        ..ProxyConfig::new(section.users.clone(), secret)
    };
    Ok(Some(Proxy::new(settings, rates)?))
}

/// What it answers.
pub(super) fn router(proxy: Option<&Arc<Proxy>>) -> Router {
    proxy.map_or_else(Router::new, |proxy| proxy::router(Arc::clone(proxy)))
}
