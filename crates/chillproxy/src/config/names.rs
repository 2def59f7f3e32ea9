//! Every setting's name, its older spellings, and whether it is a secret (then `NAME_FILE` is read too).

/// One setting.
pub(crate) struct Name {
    /// Its main name.
    pub name: &'static str,
    /// Older or foreign spellings of the same.
    pub aliases: &'static [&'static str],
    /// Whether its value must never be shown, and may come from a file.
    pub secret: bool,
}

impl Name {
    /// The main name, then the aliases.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

const fn plain(name: &'static str) -> Name {
    Name { name, aliases: &[], secret: false }
}

const fn secret(name: &'static str) -> Name {
    Name { name, aliases: &[], secret: true }
}

/// The table.
pub(crate) const NAMES: &[Name] = &[
    Name { name: "PORT", aliases: &["STREMTHRU_PORT"], secret: false },
    plain("STREMTHRU_LISTEN_ADDR"),
    plain("STREMTHRU_BASE_URL"),
    plain("CHILLPROXY_METRICS_ADDR"),
    Name { name: "CHILLPROXY_DATA_DIR", aliases: &["STREMTHRU_DATA_DIR"], secret: false },
    Name { name: "DATABASE_URL", aliases: &["STREMTHRU_DATABASE_URI"], secret: true },
    Name { name: "REDIS_URI", aliases: &["STREMTHRU_REDIS_URI"], secret: true },
    plain("CHILLSTREAMS_API_URL"),
    secret("CHILLSTREAMS_API_KEY"),
    plain("SSL_CERT_FILE"),
    plain("ENABLE_CHILLSTREAMS_AUTH"),
    secret("INTERNAL_API_KEY"),
    secret("CHILLPROXY_MASTER_KEY"),
    Name { name: "CHILLPROXY_MAX_DEVICES_PER_USER", aliases: &["TORBOX_MAX_DEVICES_PER_USER"], secret: false },
    plain("TORBOX_POOL_SIZE"),
    plain("CHILLPROXY_DELIVERY"),
    plain("CHILLPROXY_MAX_STREAMS_PER_USER"),
    plain("CHILLPROXY_MAX_STREAMS"),
    plain("CHILLPROXY_RELAY_PLAIN"),
    plain("CHILLPROXY_STALL_TIMEOUT"),
    plain("CHILLPROXY_ORIGIN_TIMEOUT"),
    plain("CHILLPROXY_PLAYER_TIMEOUT"),
    plain("CHILLPROXY_TRUSTED_PROXIES"),
    plain("CHILLPROXY_RATE_PER_USER"),
    plain("CHILLPROXY_RATE_PER_IP"),
    plain("CHILLPROXY_GET_KEY_RATE"),
    plain("CHILLPROXY_LEASE_TTL"),
    plain("CHILLPROXY_LEASE_GRACE"),
    secret("CHILLPROXY_DEVICE_SECRET"),
    plain("CHILLPROXY_DEVICE_FINGERPRINT"),
    plain("CHILLPROXY_DEVICE_IDLE_DAYS"),
    plain("CHILLPROXY_TORBOX_URL"),
    plain("CHILLPROXY_REALDEBRID_URL"),
    plain("CHILLPROXY_ALLDEBRID_URL"),
    plain("CHILLPROXY_PREMIUMIZE_URL"),
    plain("CHILLPROXY_DEBRIDLINK_URL"),
    plain("CHILLPROXY_OFFCLOUD_URL"),
    plain("CHILLPROXY_PIKPAK_URL"),
    plain("CHILLPROXY_EASYDEBRID_URL"),
    plain("CHILLPROXY_DEBRIDER_URL"),
    plain("CHILLPROXY_TORRIN_URL"),
    plain("CHILLPROXY_CINEMETA_URL"),
    plain("CHILLPROXY_KITSU_URL"),
    secret("CHILLPROXY_INDEXERS"),
    plain("CHILLPROXY_OWN_INDEXERS"),
    plain("STREMTHRU_FEATURE"),
    plain("STREMTHRU_FEATURE_TORZ"),
    Name { name: "STREMTHRU_AUTH", aliases: &["STREMTHRU_PROXY_AUTH"], secret: true },
    secret("STREMTHRU_AUTH_ADMIN"),
    secret("STREMTHRU_STORE_AUTH"),
    plain("STREMTHRU_TUNNEL"),
    secret("STREMTHRU_HTTP_PROXY"),
    plain("STREMTHRU_CONTENT_PROXY_CONNECTION_LIMIT"),
    plain("CHILLPROXY_PROXY_ALLOW"),
    plain("STREMTHRU_LOG_LEVEL"),
    plain("STREMTHRU_LOG_FORMAT"),
    plain("RUST_LOG"),
];

/// Whether a name, or a secret's name with `_FILE`, is in the table.
pub(crate) fn known(name: &str) -> bool {
    NAMES.iter().any(|known| {
        known.spellings().any(|spelling| {
            name == spelling || (known.secret && name.strip_suffix("_FILE").is_some_and(|stem| stem == spelling))
        })
    })
}
