//! Where the server listens, and what the world calls it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::Url;

use super::{Reader, Role};

/// Addresses and the public URL.
#[derive(Clone, Debug)]
pub(crate) struct ListenSection {
    /// Viewers, edges and the API.
    pub address: SocketAddr,
    /// Prometheus, on a port of its own; none when `off`.
    pub metrics: Option<SocketAddr>,
    /// Whether the operator chose the metrics address: then it failing to bind is fatal.
    pub metrics_chosen: bool,
    /// The public URL used in links; without it each request's own.
    pub base_url: Option<Url>,
}

const METRICS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9465);

impl ListenSection {
    /// Reads `STREMTHRU_LISTEN_ADDR`, `PORT`, `CHILLPROXY_METRICS_ADDR` and `STREMTHRU_BASE_URL`.
    pub(crate) fn read(reader: &mut Reader<'_>, role: Role) -> Self {
        let default = if role == Role::Control { 3000 } else { 8080 };
        let port = reader.number("PORT", default, 0..=65_535_u16);
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        let metrics = match reader.text("CHILLPROXY_METRICS_ADDR") {
            Some("off") => None,
            Some(_) => reader.address("CHILLPROXY_METRICS_ADDR"),
            None => Some(METRICS),
        };
        Self {
            address: reader.address("STREMTHRU_LISTEN_ADDR").unwrap_or(any),
            metrics,
            metrics_chosen: reader.text("CHILLPROXY_METRICS_ADDR").is_some(),
            base_url: reader.url("STREMTHRU_BASE_URL"),
        }
    }

    /// The URL that links carry when no request says better.
    pub(crate) fn link_base(&self) -> String {
        match &self.base_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", self.address.port()),
        }
    }
}
