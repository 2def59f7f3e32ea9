//! Which addresses a relay may connect to, when its links come from people and not from stores.
//!
//! Without this, a link could make the server fetch what only the server can reach: itself, its private network, its
//! cloud's metadata service.

use std::net::IpAddr;

use chill_core::address::is_public;
use ipnet::IpNet;

/// Where a relay may connect to.
#[derive(Clone, Debug, Default)]
pub enum Destinations {
    /// Anywhere: its links come from stores.
    #[default]
    Any,
    /// Only public addresses and usual ports, and what an operator allows beside them.
    Public {
        /// Exceptions from "public"; ports stay guarded.
        allow: AllowList,
    },
}

/// Hosts and networks that may be reached although they are not public. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    networks: Vec<IpNet>,
    /// Lower case, without a dot at the end.
    hosts: Vec<String>,
}

/// A text in the allow list that is neither an address, a network nor a host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address, a network such as 10.0.0.0/8, nor a host name")]
pub struct InvalidDestination(String);

/// This destination may not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the destination is not a public one")]
pub(super) struct Refused;

impl AllowList {
    /// Reads a comma-separated list of addresses, networks and host names. A host name allows whatever it resolves to.
    ///
    /// # Errors
    /// [`InvalidDestination`] names the first entry that is none of them.
    pub fn parse(list: &str) -> Result<Self, InvalidDestination> {
        let mut allow = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => allow.networks.push(canonical(network)),
                Err(_) if is_host(entry) => allow.hosts.push(plain(entry)),
                Err(_) => return Err(InvalidDestination(entry.chars().take(64).collect())),
            }
        }
        Ok(allow)
    }

    fn has_host(&self, host: &str) -> bool {
        let host = plain(host);
        self.hosts.contains(&host)
    }

    fn has_address(&self, address: IpAddr) -> bool {
        let address = chill_core::address::canonical(address);
        self.networks.iter().any(|network| network.contains(&address))
    }
}

impl Destinations {
    /// Whether a connection to this address may be made, when it was reached by this name. An address in a URL has no
    /// name.
    pub(super) fn check(&self, host: Option<&str>, address: IpAddr) -> Result<(), Refused> {
        let Self::Public { allow } = self else { return Ok(()) };
        let named = host.is_some_and(|host| allow.has_host(host));
        if named || allow.has_address(address) || is_public(address) { Ok(()) } else { Err(Refused) }
    }

    /// Whether this port may be connected to.
    pub(super) fn check_port(&self, port: u16) -> Result<(), Refused> {
        match self {
            Self::Public { .. } if BAD_PORTS.binary_search(&port).is_ok() => Err(Refused),
            Self::Any | Self::Public { .. } => Ok(()),
        }
    }
}

/// A network of IPv4 addresses that was written as one of IPv6, as addresses are compared.
fn canonical(network: IpNet) -> IpNet {
    let mapped = |network: ipnet::Ipv6Net| {
        let prefix = network.prefix_len().checked_sub(96)?;
        ipnet::Ipv4Net::new(network.addr().to_ipv4_mapped()?, prefix).ok()
    };
    match network {
        IpNet::V6(wide) => mapped(wide).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    }
}

fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    // A name that ends in a number is an address to every URL parser, so it would never match as a name.
    let numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && !numeric && text.split('.').all(label)
}

/// Ports of protocols that a request line could be smuggled into (Fetch standard §2.10, "bad port").
const BAD_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_allowed_is_allowed_and_nothing_else() {
        let allow =
            AllowList::parse(" 10.1.0.0/16, ::1, Films.lan. ,::ffff:192.168.1.7,::ffff:172.16.0.0/108").unwrap();
        let guard = Destinations::Public { allow };
        for (host, inner, allowed) in [
            (None, "10.1.2.3", true),
            (None, "::ffff:10.1.2.3", true),
            (None, "10.2.2.3", false),
            (None, "::1", true),
            (None, "127.0.0.1", false),
            (Some("films.lan"), "127.0.0.1", true),
            (Some("FILMS.LAN."), "10.9.9.9", true),
            (Some("evil.films.lan"), "10.9.9.9", false),
            (Some("films.lan.evil.example"), "10.9.9.9", false),
            (Some("public.example"), "192.168.1.7", true),
            (Some("public.example"), "192.168.1.8", false),
            (None, "172.16.9.9", true),
            (Some("public.example"), "8.8.8.8", true),
        ] {
            assert_eq!(guard.check(host, address(inner)).is_ok(), allowed, "{host:?} {inner}");
            assert!(Destinations::Any.check(host, address(inner)).is_ok());
        }
    }

    #[test]
    fn entries_that_cannot_match_are_named() {
        for wrong in ["10.0.0.0/33", "a b", "http://films.lan", "films.lan:80", "1.2.3", "*"] {
            assert_eq!(AllowList::parse(wrong).unwrap_err(), InvalidDestination(wrong.to_owned()));
        }
        assert_eq!(AllowList::parse(" , ").unwrap(), AllowList::default());
    }

    #[test]
    fn ports_of_other_protocols_are_refused() {
        assert!(BAD_PORTS.is_sorted());
        let guard = Destinations::Public { allow: AllowList::default() };
        assert!([80, 443, 8080, 8443, 3000, 65535].iter().all(|port| guard.check_port(*port).is_ok()));
        assert!([0, 22, 25, 587, 6667].iter().all(|port| guard.check_port(*port).is_err()));
        assert!(Destinations::Any.check_port(22).is_ok());
    }
}
