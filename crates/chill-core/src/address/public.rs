//! Which addresses are public. A link from a stranger must not make the server ask what only the server can reach: itself,
//! its private network, its cloud's metadata service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks whose packets do not leave for the internet at large, by IANA's special-purpose registry (RFC 6890), and one
/// address (the last) that a cloud answers inside its machines' network.
const INNER_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([168, 63, 129, 16], 32),
];

/// The same inside 2000::/3, the only unicast there is: protocol assignments with Teredo, documentation twice, and 6to4,
/// which hides an IPv4 address.
const INNER_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether packets to this address leave for the internet at large, by IANA's special-purpose registries (RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match super::canonical(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match translated(address) {
            Some(address) => is_public_v4(address),
            None => {
                let within = |&(net, bits): &(Ipv6Addr, u32)| (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0;
                address.to_bits() >> 125 == 1 && !INNER_V6.iter().any(within)
            }
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within =
        |&(net, bits): &([u8; 4], u32)| (address.to_bits() ^ Ipv4Addr::from(net).to_bits()) >> (32 - bits) == 0;
    !INNER_V4.iter().any(within)
}

/// The IPv4 address behind a NAT64 prefix (RFC 6052 §2.1), as IPv6-only networks resolve IPv4 hosts.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else { return None };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_public_addresses_are_public() {
        for public in ["8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.0.0.1"]
        {
            assert!(is_public(address(public)), "{public}");
        }
        for public in ["2606:4700::1111", "2a01:4f8::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:200::1"] {
            assert!(is_public(address(public)), "{public}");
        }
        for inner in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(address(inner)), "{inner}");
        }
    }
}
