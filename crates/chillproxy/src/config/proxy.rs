//! `/v0/proxy`: who may make links, where they may lead, how many connections a user's links may have.

use chill_edge::proxy::{ConnectionLimits, ProxyUsers};
use chill_edge::relay::AllowList;

use super::Reader;

/// Users, destinations, limits of the content proxy.
#[derive(Clone, Debug)]
pub(crate) struct ProxySection {
    /// Who may make links; nobody closes the proxy.
    pub users: ProxyUsers,
    /// Destinations that are allowed although they are not public.
    pub allow: AllowList,
    /// Connections per user.
    pub limits: ConnectionLimits,
}

impl ProxySection {
    /// Reads `STREMTHRU_AUTH`, `STREMTHRU_AUTH_ADMIN`, `CHILLPROXY_PROXY_ALLOW` and
    /// `STREMTHRU_CONTENT_PROXY_CONNECTION_LIMIT`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let allow = AllowList::parse(reader.text("CHILLPROXY_PROXY_ALLOW").unwrap_or_default());
        let limits = reader.text("STREMTHRU_CONTENT_PROXY_CONNECTION_LIMIT").unwrap_or_default();
        let limits = ConnectionLimits::parse(limits);
        Self {
            users: users(reader),
            allow: allow.unwrap_or_else(|why| {
                reader.fault("CHILLPROXY_PROXY_ALLOW", why.to_string());
                AllowList::default()
            }),
            limits: limits.unwrap_or_else(|why| {
                reader.fault("STREMTHRU_CONTENT_PROXY_CONNECTION_LIMIT", why.to_string());
                ConnectionLimits::default()
            }),
        }
    }
}

/// An administrator with a password of his own is a user too; a bare name stands for one of the users.
fn users(reader: &mut Reader<'_>) -> ProxyUsers {
    let mut list = reader.text("STREMTHRU_AUTH").unwrap_or_default().to_owned();
    for admin in reader.text("STREMTHRU_AUTH_ADMIN").unwrap_or_default().split(',').filter(|name| name.contains(':')) {
        list.push(',');
        list.push_str(admin);
    }
    let list = zeroize::Zeroizing::new(list);
    ProxyUsers::parse(&list).unwrap_or_else(|why| {
        reader.fault("STREMTHRU_AUTH", why.to_string());
        ProxyUsers::default()
    })
}
