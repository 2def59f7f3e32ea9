//! Viewers: how bytes reach them, whose forwarding headers are believed, how a device is recognised.

use chill_core::address::TrustedProxies;
use chill_core::control::Delivery;
use chill_core::device::{Fingerprint, FingerprintMode};

use super::Reader;

/// Delivery, proxies, fingerprint, rates.
#[derive(Clone, Debug)]
pub(crate) struct EdgeSection {
    /// For pool users, unless a user's own says otherwise.
    pub delivery: Delivery,
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
            pool_auth: reader.flag("ENABLE_CHILLSTREAMS_AUTH", true),
            trusted_proxies,
            fingerprint: Fingerprint {
                mode: reader.choice("CHILLPROXY_DEVICE_FINGERPRINT", FingerprintMode::Player, &modes),
                secret: reader.secret("CHILLPROXY_DEVICE_SECRET"),
            },
        }
    }
}
