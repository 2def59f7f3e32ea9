//! The control plane: users, devices, leases, and who may call its internal API.

use std::time::Duration;

use chill_control::ExtraRoots;
use chill_control::wire::InternalKeys;
use chill_core::Secret;

use super::Reader;

/// Users, devices, leases, internal API.
#[derive(Clone, Debug)]
pub(crate) struct ControlSection {
    /// Devices a user may have unless his own limit says otherwise.
    pub max_devices: u32,
    /// A device unseen for so long frees its place.
    pub device_idle: Duration,
    /// At most so many TorBox keys; 0 is unlimited.
    pub torbox_pool_size: u32,
    /// How long an edge may cache a lease while the change feed is connected.
    pub lease_ttl: Duration,
    /// How long running films go on after the control plane is lost.
    pub lease_grace: Duration,
    /// Keys that edges may present; none closes the internal API.
    pub internal_keys: InternalKeys,
    /// Whether there is any such key.
    pub internal_api: bool,
    /// Master keys as text, the first seals; none means the file in the data directory.
    pub master_key: Option<Secret>,
    /// The control plane of an edge: its addresses.
    pub remote_urls: Vec<url::Url>,
    /// The key an edge presents.
    pub remote_key: Option<Secret>,
    /// Authorities besides the public ones for `https` addresses of the control plane.
    pub remote_roots: ExtraRoots,
}

const REMOTE: &str = "http://localhost:3000";

impl ControlSection {
    /// Reads the control plane's settings.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let idle_days = reader.number("CHILLPROXY_DEVICE_IDLE_DAYS", 30, 1..=3_650_u64);
        Self {
            max_devices: reader.number("CHILLPROXY_MAX_DEVICES_PER_USER", 3, 1..=1_000),
            device_idle: Duration::from_secs(idle_days * 86_400),
            torbox_pool_size: reader.number("TORBOX_POOL_SIZE", 10, 0..=100_000),
            lease_ttl: reader.duration("CHILLPROXY_LEASE_TTL", Duration::from_secs(300)),
            lease_grace: reader.duration("CHILLPROXY_LEASE_GRACE", Duration::from_secs(60)),
            internal_keys: internal_keys(reader),
            internal_api: reader.text("INTERNAL_API_KEY").is_some(),
            master_key: master_key(reader),
            remote_roots: remote_roots(reader),
            remote_urls: remote_urls(reader),
            remote_key: reader.secret("CHILLSTREAMS_API_KEY"),
        }
    }
}

fn internal_keys(reader: &mut Reader<'_>) -> InternalKeys {
    let text = reader.secret("INTERNAL_API_KEY").unwrap_or_else(|| Secret::new(""));
    InternalKeys::parse(&text).unwrap_or_else(|why| {
        reader.fault("INTERNAL_API_KEY", why.to_string());
        InternalKeys::default()
    })
}

fn master_key(reader: &mut Reader<'_>) -> Option<Secret> {
    let key = reader.secret("CHILLPROXY_MASTER_KEY")?;
    if let Err(why) = chill_control::MasterKeys::parse(&key) {
        reader.fault("CHILLPROXY_MASTER_KEY", why.to_string());
    }
    Some(key)
}

fn remote_urls(reader: &mut Reader<'_>) -> Vec<url::Url> {
    let text = reader.text("CHILLSTREAMS_API_URL").unwrap_or(REMOTE);
    let parsed: Vec<_> = list(Some(text)).iter().map(|one| url::Url::parse(one.trim_end_matches('/'))).collect();
    let plain = |u: &url::Url| u.username().is_empty() && u.password().is_none() && u.query().is_none();
    let good = parsed.iter().all(|url| url.as_ref().is_ok_and(|u| matches!(u.scheme(), "http" | "https") && plain(u)));
    if !good || parsed.is_empty() {
        reader.fault(
            "CHILLSTREAMS_API_URL",
            "each address must be a URL such as http://control.internal:3000, without user or query",
        );
    }
    parsed.into_iter().filter_map(Result::ok).collect()
}

/// The certificates of `SSL_CERT_FILE`, where an address of the control plane needs any.
fn remote_roots(reader: &mut Reader<'_>) -> ExtraRoots {
    let urls = reader.text("CHILLSTREAMS_API_URL").unwrap_or(REMOTE);
    let Some(path) = reader.text("SSL_CERT_FILE").filter(|_| urls.contains("https://")) else {
        return ExtraRoots::default();
    };
    let read = std::fs::read(path).map_err(|error| format!("`{path}` cannot be read: {error}"));
    let parsed = read.and_then(|pem| ExtraRoots::parse(&pem).map_err(|why| format!("`{path}`: {why}")));
    parsed.unwrap_or_else(|what| {
        reader.fault("SSL_CERT_FILE", what);
        ExtraRoots::default()
    })
}

fn list(text: Option<&str>) -> Vec<&str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}
