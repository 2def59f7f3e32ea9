//! What an operator or a test may set about the relay.

use std::time::Duration;

use chill_core::Chance;
use rustls::pki_types::CertificateDer;

use super::Destinations;

/// Times and bounds of a [`Relay`](super::Relay). The default is what production runs with.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// TCP connect, to each address of a name. Finding those counts against `head_timeout` alone.
    pub connect_timeout: Duration,
    /// From the request to the origin's response head, with connecting and TLS.
    pub head_timeout: Duration,
    /// How long a store may take to give a link; its own client gives up earlier.
    pub link_timeout: Duration,
    /// How long an origin may send no byte, while the player wants some, before it counts as broken.
    pub stall_timeout: Duration,
    /// How long an unused connection to an origin is kept.
    pub idle_timeout: Duration,
    /// Unused connections kept per origin host.
    pub idle_per_host: usize,
    /// Connections to one origin host at a time; who wants another one waits for at most `head_timeout`.
    pub sockets_per_origin: usize,
    /// Where connections may lead; checked for each of them, redirects included.
    pub destinations: Destinations,
    /// Whether hyper's client speaks to origins instead of ours.
    pub plain: bool,
    /// Redirects of an origin that are followed.
    pub redirects: u8,
    /// Attempts to go on after a break, without progress in between.
    pub resumes: u32,
    /// Pause before the third attempt; doubles with each further one. The first two come at once and almost at once.
    pub resume_pause: Duration,
    /// Certificates trusted instead of Mozilla's, when there are any: origins in a private network, or in a test.
    pub roots: Vec<CertificateDer<'static>>,
    /// The `User-Agent` origins see.
    pub user_agent: &'static str,
    /// Where the jitter of the pauses comes from.
    pub chance: Chance,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(15),
            link_timeout: Duration::from_secs(45),
            stall_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            idle_per_host: 512,
            sockets_per_origin: 1_000,
            destinations: Destinations::Any,
            plain: false,
            redirects: 3,
            resumes: 5,
            resume_pause: Duration::from_millis(500),
            roots: Vec::new(),
            user_agent: concat!("Chillproxy/", env!("CARGO_PKG_VERSION")),
            chance: Chance::System,
        }
    }
}
