//! The vendors this build knows, ready to use.

use std::sync::Arc;
use std::time::Duration;

use chill_core::{Chance, Clock, Store};
use url::Url;

use crate::client::Transport;
use crate::torbox::TorBox;

/// How the stores are reached.
#[derive(Clone, Debug)]
pub struct StoresConfig {
    /// Scheme and host of TorBox's API; the vendor's own when absent. The client adds `/v1/api`.
    pub torbox_url: Option<Url>,
    /// The longest a call may take, its retries included.
    pub deadline: Duration,
    /// What the stores see as `User-Agent`.
    pub user_agent: String,
    /// The time of day, for dates in vendors' answers and for the age of links.
    pub clock: Clock,
    /// Jitter between retries.
    pub chance: Chance,
}

impl Default for StoresConfig {
    fn default() -> Self {
        Self {
            torbox_url: None,
            deadline: Duration::from_secs(20),
            user_agent: concat!("chillproxy/", env!("CARGO_PKG_VERSION")).to_owned(),
            clock: Clock::System,
            chance: Chance::System,
        }
    }
}

/// Every store this build can talk to. They share one HTTP client; call it once per process.
#[must_use]
pub fn stores(config: &StoresConfig) -> Vec<Arc<dyn Store>> {
    let transport = Transport::new(&config.user_agent);
    vec![Arc::new(TorBox::new(transport, config))]
}
