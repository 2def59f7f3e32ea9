//! Who asks: the viewer's address, his device, and the public address he reached us at.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use chill_core::DeviceId;
use chill_core::address::{Forwarding, TrustedProxies, canonical};
use chill_core::device::Player;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, header};

use crate::edge::EdgeConfig;

/// A longer `User-Agent` is cut before it is looked at.
const LONGEST_AGENT: usize = 512;

/// One request's sender.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) address: IpAddr,
    pub(crate) device: DeviceId,
    pub(crate) label: String,
    /// Scheme and host of links made for him, without a slash at the end.
    pub(crate) base: String,
}

impl Viewer {
    /// Reads a request's head. The socket's address comes from [`ConnectInfo`], which the listener must provide.
    pub(crate) fn of(config: &EdgeConfig, parts: &Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let address = client(&config.trusted_proxies, peer, &parts.headers);
        let agent = text(&parts.headers, header::USER_AGENT.as_str()).unwrap_or_default();
        let agent = agent.get(..agent.floor_char_boundary(LONGEST_AGENT)).unwrap_or_default();
        let player = Player::of(agent);
        Self {
            address,
            device: config.fingerprint.device(address, &player),
            label: player.label(),
            base: base(config, peer, parts),
        }
    }

    /// Puts the device beside what is logged about this viewer; `device list` shows the same id.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::info_span!("viewer", device = self.device.as_str())
    }
}

fn client(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !proxies.trusts(peer) {
        return canonical(peer);
    }
    let (list, forwarded) = (joined(headers, "x-forwarded-for"), joined(headers, "forwarded"));
    let forwarding = Forwarding {
        x_forwarded_for: list.as_deref(),
        forwarded: forwarded.as_deref(),
        x_real_ip: text(headers, "x-real-ip"),
    };
    proxies.client(peer, forwarding)
}

/// The configured address, else the one the request was sent to, as a trusted proxy or the request itself names it.
fn base(config: &EdgeConfig, peer: IpAddr, parts: &Parts) -> String {
    if let Some(base) = &config.base_url {
        return base.as_str().trim_end_matches('/').to_owned();
    }
    let proxied = config.trusted_proxies.trusts(peer);
    let forwarded = |name| proxied.then(|| text(&parts.headers, name)).flatten().map(first);
    let scheme = match forwarded("x-forwarded-proto") {
        Some("https") => "https",
        _ => "http",
    };
    let host = forwarded("x-forwarded-host")
        .and_then(authority)
        .or_else(|| text(&parts.headers, header::HOST.as_str()).and_then(authority))
        .or_else(|| parts.uri.authority().cloned());
    format!("{scheme}://{}", host.as_ref().map_or("localhost", Authority::as_str))
}

/// Whether a program on this machine asks by itself: over the loopback, by a name of the loopback (a page in a browser
/// would be of another host), and not through a proxy.
pub(crate) fn is_local(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| canonical(info.0.ip()));
    let host = text(&parts.headers, header::HOST.as_str()).and_then(authority);
    let named = host.is_some_and(|host| {
        let host = host.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    let forwarded = |name: &http::HeaderName| {
        let name = name.as_str();
        name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-real-ip" | "via")
    };
    peer.is_some_and(|peer| peer.is_loopback()) && named && !parts.headers.keys().any(forwarded)
}

/// A host that is only a host: no user, no path, no quotes.
fn authority(host: &str) -> Option<Authority> {
    let authority: Authority = host.parse().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    authority.as_str().bytes().all(plain).then_some(authority)
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A header that may be repeated, as one list.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).take(16).collect();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(peer: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        request.into_parts().0
    }

    #[test]
    fn only_a_program_on_this_machine_is_local() {
        for (peer, host, more, local) in [
            ("127.0.0.1:1", "127.0.0.1:8080", ("accept", "*/*"), true),
            ("127.0.0.1:1", "localhost", ("accept", "*/*"), true),
            ("[::1]:1", "[::1]:8080", ("accept", "*/*"), true),
            ("127.0.0.1:1", "films.example", ("accept", "*/*"), false),
            ("192.168.1.2:1", "localhost", ("accept", "*/*"), false),
            ("127.0.0.1:1", "localhost", ("x-forwarded-for", "203.0.113.7"), false),
            ("127.0.0.1:1", "localhost", ("x-forwarded-proto", "https"), false),
            ("127.0.0.1:1", "localhost", ("via", "1.1 proxy"), false),
        ] {
            assert_eq!(is_local(&parts(peer, &[("host", host), more])), local, "{peer} {host} {more:?}");
        }
    }

    #[test]
    fn forwarding_headers_of_strangers_change_nothing() {
        let config = EdgeConfig::default();
        let spoofed = [
            ("host", "films.example:8443"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        let viewer = Viewer::of(&config, &parts("203.0.113.7:1", &spoofed));
        assert_eq!(viewer.address.to_string(), "203.0.113.7");
        assert_eq!(viewer.base, "http://films.example:8443");
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let config =
            EdgeConfig { trusted_proxies: TrustedProxies::parse("10.0.0.0/8").unwrap(), ..EdgeConfig::default() };
        let headers = [
            ("host", "inside:8080"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "films.example"),
        ];
        let viewer = Viewer::of(&config, &parts("10.1.1.1:1", &headers));
        assert_eq!(viewer.address.to_string(), "203.0.113.7");
        assert_eq!(viewer.base, "https://films.example");
    }

    #[test]
    fn a_configured_base_wins_and_odd_hosts_are_refused() {
        let fixed = EdgeConfig { base_url: Some("https://films.example/".parse().unwrap()), ..EdgeConfig::default() };
        assert_eq!(Viewer::of(&fixed, &parts("10.1.1.1:1", &[("host", "a")])).base, "https://films.example");
        for odd in ["a\"b", "user@host", "a b", ""] {
            assert_eq!(
                Viewer::of(&EdgeConfig::default(), &parts("1.1.1.1:1", &[("host", odd)])).base,
                "http://localhost"
            );
        }
    }
}
