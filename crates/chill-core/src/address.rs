//! Whose address a request comes from, when it may have passed through the operator's own proxies; and which addresses are
//! public.

mod public;

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

pub use public::is_public;

/// The proxies whose forwarding headers are believed. Empty by default: then only the socket's address counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// The forwarding headers of one request, as received. Repeated headers are joined with commas by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forwarding<'a> {
    /// `X-Forwarded-For`.
    pub x_forwarded_for: Option<&'a str>,
    /// `Forwarded` (RFC 7239).
    pub forwarded: Option<&'a str>,
    /// `X-Real-IP`.
    pub x_real_ip: Option<&'a str>,
}

/// A text in the trusted-proxy list that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address nor a network such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

impl TrustedProxies {
    /// Reads a comma-separated list of addresses and networks.
    ///
    /// # Errors
    /// [`InvalidNetwork`] names the first entry that is neither.
    pub fn parse(list: &str) -> Result<Self, InvalidNetwork> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(parse_network).collect::<Result<_, _>>().map(Self)
    }

    /// The client's address: the rightmost hop that is not a trusted proxy. Headers count only when `peer`, the
    /// socket's address, is itself trusted; a hop that is not an address ends the walk at the last good one.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: Forwarding<'_>) -> IpAddr {
        let peer = canonical(peer);
        if !self.contains(peer) {
            return peer;
        }
        let hops: Vec<&str> = match (headers.x_forwarded_for, headers.forwarded, headers.x_real_ip) {
            (Some(list), _, _) => list.split(',').collect(),
            (None, Some(list), _) => list.split(',').map(forwarded_for).collect(),
            (None, None, Some(one)) => vec![one],
            (None, None, None) => return peer,
        };
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let Some(address) = parse_hop(hop) else { break };
            client = address;
            if !self.contains(address) {
                break;
            }
        }
        client
    }

    /// Whether what `peer` says of the request it forwards is believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.contains(canonical(peer))
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// An IPv4-mapped IPv6 address as the IPv4 address it is; any other unchanged.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The address as it enters a fingerprint: IPv4 whole, IPv6 cut to its /64, since players change the lower half daily.
#[must_use]
pub fn household(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| InvalidNetwork(text.chars().take(64).collect()))
}

/// The value of `for=` in one element of a `Forwarded` header, quotes and all; empty when there is none.
fn forwarded_for(element: &str) -> &str {
    element
        .split(';')
        .find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value)
        })
        .unwrap_or_default()
}

/// `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `"[2001:db8::1]:567"`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inside, _)| inside);
    let text = bare.unwrap_or(hop);
    let parsed = text.parse::<IpAddr>().ok();
    parsed.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip())).map(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn xff(list: &str) -> Forwarding<'_> {
        Forwarding { x_forwarded_for: Some(list), ..Forwarding::default() }
    }

    #[test]
    fn headers_from_strangers_are_ignored() {
        let none = TrustedProxies::default();
        assert_eq!(none.client(ip("203.0.113.9"), xff("1.1.1.1")), ip("203.0.113.9"));
        let some = TrustedProxies::parse("10.0.0.0/8").unwrap();
        assert_eq!(some.client(ip("203.0.113.9"), xff("1.1.1.1")), ip("203.0.113.9"));
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        let proxies = TrustedProxies::parse("10.0.0.0/8, 192.168.1.1").unwrap();
        let client = |list| proxies.client(ip("10.0.0.1"), xff(list));
        assert_eq!(client("6.6.6.6, 203.0.113.9"), ip("203.0.113.9"));
        assert_eq!(client("6.6.6.6, 203.0.113.9, 192.168.1.1, 10.2.3.4"), ip("203.0.113.9"));
        assert_eq!(client("10.9.9.9"), ip("10.9.9.9"));
        assert_eq!(client("203.0.113.9, unknown"), ip("10.0.0.1"));
        assert_eq!(client("203.0.113.9:4711"), ip("203.0.113.9"));
    }

    #[test]
    fn forwarded_and_real_ip_are_read_when_there_is_nothing_else() {
        let proxies = TrustedProxies::parse("::1").unwrap();
        let rfc = Forwarding {
            forwarded: Some("for=6.6.6.6;proto=https, For=\"[2001:db8::7]:80\""),
            ..Forwarding::default()
        };
        assert_eq!(proxies.client(ip("::1"), rfc), ip("2001:db8::7"));
        let real = Forwarding { x_real_ip: Some("203.0.113.9"), ..Forwarding::default() };
        assert_eq!(proxies.client(ip("::1"), real), ip("203.0.113.9"));
    }

    #[test]
    fn a_household_is_a_v4_address_or_a_v6_prefix() {
        assert_eq!(household(ip("::ffff:1.2.3.4")), ip("1.2.3.4"));
        assert_eq!(household(ip("2001:db8:1:2:aaaa:bbbb:cccc:dddd")), ip("2001:db8:1:2::"));
    }

    #[test]
    fn bad_networks_are_named() {
        assert_eq!(TrustedProxies::parse("10.0.0.0/8,nonsense").unwrap_err(), InvalidNetwork("nonsense".into()));
        assert_eq!(TrustedProxies::parse(" ").unwrap(), TrustedProxies::default());
    }
}
