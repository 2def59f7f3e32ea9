//! Configuration: read once, parsed into types, every fault named at once. Nothing else reads the environment.
//!
//! Start reading at [`Config`]; one section a file. The names stand in [`names`].

mod control;
mod data;
mod edge;
mod limits;
mod listen;
mod log;
pub(crate) mod names;
mod proxy;
mod reader;
mod settings;
mod stores;

pub(crate) use control::ControlSection;
pub(crate) use data::DataSection;
pub(crate) use edge::EdgeSection;
pub(crate) use limits::LimitsSection;
pub(crate) use listen::ListenSection;
pub(crate) use log::{LogFormat, LogSection};
pub(crate) use proxy::ProxySection;
pub(crate) use reader::Reader;
pub(crate) use settings::{Fault, Settings};
pub(crate) use stores::{OwnIndexersMode, StoresSection};

use chill_core::Secret;
use chill_edge::proxy::SHORTEST_SECRET;

/// Which of the two planes a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Both, in one process.
    All,
    /// The data plane alone.
    Edge,
    /// The control plane alone.
    Control,
}

/// Everything an operator can set, as types.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Which planes run here.
    pub role: Role,
    /// Addresses and the public URL.
    pub listen: ListenSection,
    /// Where data lies.
    pub data: DataSection,
    /// Users, devices, leases, internal API.
    pub control: ControlSection,
    /// Viewers: delivery, proxies, fingerprint.
    pub edge: EdgeSection,
    /// How often viewers may ask.
    pub limits: LimitsSection,
    /// The content proxy.
    pub proxy: ProxySection,
    /// Stores and sources.
    pub stores: StoresSection,
    /// Logging.
    pub log: LogSection,
    /// Settings that are set and change nothing, since nothing here uses them.
    pub without_effect: Vec<&'static str>,
}

/// Names of other programs and of stores to come: taken, so that an environment written for them is no error.
const WITHOUT_EFFECT: &[&str] = &[
    "CHILLPROXY_REALDEBRID_URL",
    "CHILLPROXY_ALLDEBRID_URL",
    "CHILLPROXY_PREMIUMIZE_URL",
    "CHILLPROXY_DEBRIDLINK_URL",
    "CHILLPROXY_OFFCLOUD_URL",
    "CHILLPROXY_PIKPAK_URL",
    "CHILLPROXY_EASYDEBRID_URL",
    "CHILLPROXY_DEBRIDER_URL",
    "CHILLPROXY_TORRIN_URL",
    "STREMTHRU_FEATURE",
    "STREMTHRU_FEATURE_TORZ",
    "STREMTHRU_STORE_AUTH",
    "STREMTHRU_TUNNEL",
    "STREMTHRU_HTTP_PROXY",
];

impl Config {
    /// Reads all sections. Without a role it is `edge` when a control plane's key is set, else `all`.
    pub(crate) fn read(settings: &Settings, role: Option<Role>) -> Result<Self, Vec<Fault>> {
        let given_key = settings.get("CHILLSTREAMS_API_KEY").is_some();
        let role = role.unwrap_or(if given_key { Role::Edge } else { Role::All });
        let mut reader = Reader::new(settings);
        let config = Self {
            role,
            listen: ListenSection::read(&mut reader, role),
            data: DataSection::read(&mut reader),
            control: ControlSection::read(&mut reader),
            edge: EdgeSection::read(&mut reader),
            limits: LimitsSection::read(&mut reader),
            proxy: ProxySection::read(&mut reader),
            stores: StoresSection::read(&mut reader),
            log: LogSection::read(&mut reader),
            without_effect: WITHOUT_EFFECT.iter().copied().filter(|name| settings.get(name).is_some()).collect(),
        };
        if role == Role::Edge && !given_key {
            reader.fault("CHILLSTREAMS_API_KEY", "an edge needs it: one of the control plane's INTERNAL_API_KEY");
        }
        let short = |key: &Secret| key.expose().len() < SHORTEST_SECRET;
        if role == Role::Edge && !config.proxy.users.is_empty() && config.control.remote_key.as_ref().is_some_and(short)
        {
            let why = "it signs proxy links and is shorter than 32 characters; take a longer one, or leave STREMTHRU_AUTH out";
            reader.fault("CHILLSTREAMS_API_KEY", why);
        }
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Vec<Fault>> {
        let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Config::read(&Settings::collect(pairs, None)?, None)
    }

    #[test]
    fn nothing_set_is_a_working_configuration() {
        let config = read(&[]).unwrap();
        assert_eq!(config.role, Role::All);
        assert_eq!(config.listen.address.port(), 8080);
        assert_eq!(config.control.max_devices, 3);
        assert_eq!(config.edge.delivery, chill_core::control::Delivery::Relay);
    }

    #[test]
    fn streams_and_patience_are_the_operators() {
        let usual = read(&[("CHILLPROXY_MAX_STREAMS", "0")]).unwrap().edge;
        assert_eq!((usual.max_streams_per_user, usual.max_streams), (None, None));
        assert_eq!(
            [usual.stall_timeout, usual.origin_timeout, usual.player_timeout].map(|t| t.as_secs()),
            [10, 15, 60]
        );
        let own = read(&[
            ("CHILLPROXY_MAX_STREAMS_PER_USER", "2"),
            ("CHILLPROXY_MAX_STREAMS", "500"),
            ("CHILLPROXY_RELAY_PLAIN", "true"),
            ("CHILLPROXY_STALL_TIMEOUT", "3s"),
            ("CHILLPROXY_PLAYER_TIMEOUT", "10m"),
        ]);
        let own = own.unwrap().edge;
        assert_eq!((own.max_streams_per_user, own.max_streams), (Some(2), Some(500)));
        assert!(own.relay_plain && !usual.relay_plain);
        assert_eq!([own.stall_timeout, own.player_timeout].map(|t| t.as_secs()), [3, 600]);
        assert!(read(&[("CHILLPROXY_STALL_TIMEOUT", "10ms")]).is_err());
    }

    #[test]
    fn a_control_planes_key_makes_an_edge() {
        assert_eq!(read(&[("CHILLSTREAMS_API_KEY", &"k".repeat(32))]).unwrap().role, Role::Edge);
    }

    #[test]
    fn a_key_too_short_to_sign_proxy_links_is_refused_before_an_edge_starts() {
        let short = ("CHILLSTREAMS_API_KEY", "a foreign control plane's");
        assert!(read(&[short]).is_ok());
        let faults = read(&[short, ("STREMTHRU_AUTH", "alice:s3cret")]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].to_string().contains("CHILLSTREAMS_API_KEY"));
    }

    #[test]
    fn an_edge_without_a_key_is_refused_before_it_starts() {
        let settings = Settings::collect(std::iter::empty(), None).ok().unwrap();
        let faults = Config::read(&settings, Some(Role::Edge)).unwrap_err();
        assert!(faults[0].to_string().contains("CHILLSTREAMS_API_KEY"));
        assert_eq!(Config::read(&settings, Some(Role::Control)).unwrap().listen.address.port(), 3_000);
    }

    #[test]
    fn a_file_of_authorities_is_read_where_it_is_needed() {
        let secure = ("CHILLSTREAMS_API_URL", "http://one:3000,https://two");
        let missing = ("SSL_CERT_FILE", "/nowhere/authorities.pem");
        let faults = read(&[secure, missing]).unwrap_err();
        assert!(
            faults[0].to_string().contains("SSL_CERT_FILE: `/nowhere/authorities.pem` cannot be read"),
            "{faults:?}"
        );
        assert!(read(&[missing]).is_ok(), "plain addresses need no authority");
        let file = tempfile::NamedTempFile::new().unwrap();
        let empty = ("SSL_CERT_FILE", file.path().to_str().unwrap());
        assert!(read(&[secure, empty]).unwrap_err()[0].to_string().contains("no certificate"));
    }

    #[test]
    fn every_fault_is_named_at_once_and_no_secret_is_shown() {
        let faults = read(&[
            ("PORT", "eighty"),
            ("CHILLPROXY_LEASE_TTL", "soon"),
            ("CHILLPROXY_TRUSTED_PROXIES", "everyone"),
            ("INTERNAL_API_KEY", "short-secret"),
            ("CHILLPROXY_MASTER_KEY", "not-a-key"),
            ("CHILLPROXY_DELIVERY", "carrier-pigeon"),
            ("DATABASE_URL", "mysql://root:hunter2@db/x"),
            ("CHILLPROXY_INDEXERS", "nonsense-secret"),
        ])
        .unwrap_err();
        let text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(faults.len(), 8, "{text}");
        for secret in ["short-secret", "not-a-key", "hunter2", "nonsense-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
