//! Viewers: how bytes reach them, how many films at once and how patiently, whose forwarding headers are believed, how a device is recognised.

use std::time::Duration;

use chill_core::address::TrustedProxies;
use chill_core::control::Delivery;
use chill_core::device::{Fingerprint, FingerprintMode};

use super::Reader;

/// Delivery, proxies, fingerprint, rates.
#[derive(Clone, Debug)]
pub(crate) struct EdgeSection {
    /// For pool users, unless a user's own says otherwise.
    pub delivery: Delivery,
    /// Most films of one install link at once; none: no limit.
    pub max_streams_per_user: Option<usize>,
    /// Most films this node carries at once; none: no limit.
    pub max_streams: Option<usize>,
    /// How long an origin may send nothing before the film goes on elsewhere.
    pub stall_timeout: Duration,
    /// Whether hyper's client fetches films instead of the relay's own.
    pub relay_plain: bool,
    /// How long an origin may take until it begins to answer.
    pub origin_timeout: Duration,
    /// How long a player may take no byte that waits for it.
    pub player_timeout: Duration,
    /// Whether install links may name a user.
    pub pool_auth: bool,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// How a device is recognised.
    pub fingerprint: Fingerprint,
}

impl EdgeSection {
    /// Reads the viewers' settings.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let trusted = TrustedProxies::parse(reader.text("CHILLPROXY_TRUSTED_PROXIES").unwrap_or_default());
        let trusted_proxies = trusted.unwrap_or_else(|why| {
            reader.fault("CHILLPROXY_TRUSTED_PROXIES", why.to_string());
            TrustedProxies::default()
        });
        let modes = [("player", FingerprintMode::Player), ("exact", FingerprintMode::Exact)];
        let deliveries = [("relay", Delivery::Relay), ("redirect", Delivery::Redirect)];
        Self {
            delivery: reader.choice("CHILLPROXY_DELIVERY", Delivery::Relay, &deliveries),
            max_streams_per_user: most(reader, "CHILLPROXY_MAX_STREAMS_PER_USER"),
            max_streams: most(reader, "CHILLPROXY_MAX_STREAMS"),
            stall_timeout: patience(reader, "CHILLPROXY_STALL_TIMEOUT", 10),
            relay_plain: reader.flag("CHILLPROXY_RELAY_PLAIN", false),
            origin_timeout: patience(reader, "CHILLPROXY_ORIGIN_TIMEOUT", 15),
            player_timeout: patience(reader, "CHILLPROXY_PLAYER_TIMEOUT", 60),
            pool_auth: reader.flag("ENABLE_CHILLSTREAMS_AUTH", true),
            trusted_proxies,
            fingerprint: Fingerprint {
                mode: reader.choice("CHILLPROXY_DEVICE_FINGERPRINT", FingerprintMode::Player, &modes),
                secret: reader.secret("CHILLPROXY_DEVICE_SECRET"),
            },
        }
    }
}

/// A limit; 0 is none.
fn most(reader: &mut Reader<'_>, name: &'static str) -> Option<usize> {
    Some(reader.number(name, 0, 0..=1_000_000)).filter(|most| *most > 0)
}

/// A time to wait, at least a second: less would break films that only pause for breath.
fn patience(reader: &mut Reader<'_>, name: &'static str, seconds: u64) -> Duration {
    let usual = Duration::from_secs(seconds);
    let given = reader.duration(name, usual);
    if given < Duration::from_secs(1) {
        reader.fault(name, "less than a second would break films; give at least 1s");
        return usual;
    }
    given
}
