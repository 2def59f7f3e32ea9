//! Stores, titles and the operator's indexers.

use chill_sources::TorznabConfig;
use url::Url;

use super::Reader;

/// Which indexers viewers may name in their links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnIndexersMode {
    /// None.
    Off,
    /// Those at public addresses.
    Public,
    /// Also those in this server's own network.
    Any,
}

/// Where stores and sources are.
#[derive(Clone, Debug)]
pub(crate) struct StoresSection {
    /// TorBox, when not at the vendor's own address.
    pub torbox: Option<Url>,
    /// Cinemeta, when not the public one.
    pub cinemeta: Option<Url>,
    /// Kitsu, when not the public one.
    pub kitsu: Option<Url>,
    /// The operator's Torznab indexers.
    pub indexers: Vec<TorznabConfig>,
    /// Which of their own viewers may have.
    pub own_indexers: OwnIndexersMode,
}

impl StoresSection {
    /// Reads the addresses of stores and sources.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let indexers = chill_sources::parse_indexers(reader.text("CHILLPROXY_INDEXERS").unwrap_or_default());
        let modes = [("off", OwnIndexersMode::Off), ("public", OwnIndexersMode::Public), ("any", OwnIndexersMode::Any)];
        Self {
            own_indexers: reader.choice("CHILLPROXY_OWN_INDEXERS", OwnIndexersMode::Public, &modes),
            torbox: reader.url("CHILLPROXY_TORBOX_URL"),
            cinemeta: reader.url("CHILLPROXY_CINEMETA_URL"),
            kitsu: reader.url("CHILLPROXY_KITSU_URL"),
            indexers: indexers.unwrap_or_else(|why| {
                reader.fault("CHILLPROXY_INDEXERS", why.to_string());
                Vec::new()
            }),
        }
    }
}
