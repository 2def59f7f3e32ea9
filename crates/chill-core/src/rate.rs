//! How often one viewer and one address may ask: the port behind which requests are counted, by one node or by all.
//!
//! A bucket holds `burst` tokens and gains one every `1 / per_second`; a request takes one (the generic cell rate
//! algorithm, ITU-T I.371 annex A). Buckets are named by a digest, so no counter knows an address or a link id.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::address::household;
use crate::{LinkId, Secret};

/// What is counted by a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The requests of one user: of one link id, or of one token of a viewer's own.
    User,
    /// The requests of one client address.
    Address,
    /// The `get-key` calls of the edges that present one internal key.
    Edge,
}

impl Scope {
    /// A word for metrics and names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Address => "address",
            Self::Edge => "edge",
        }
    }
}

/// How much a bucket of a scope gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Tokens gained per second.
    pub per_second: NonZeroU32,
    /// Tokens at most.
    pub burst: NonZeroU32,
}

impl Limit {
    /// So many per second, and twice that at once; none for 0, which is no limit.
    #[must_use]
    pub fn of(per_second: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let twice = NonZeroU32::MIN.saturating_add(1);
        Some(Self { per_second, burst: per_second.saturating_mul(twice) })
    }
}

/// The limits of all scopes; a scope without one is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of one user.
    pub user: Option<Limit>,
    /// Of one address.
    pub address: Option<Limit>,
    /// Of the edges with one internal key.
    pub edge: Option<Limit>,
}

impl Limits {
    /// The limit of a scope.
    #[must_use]
    pub fn of(&self, scope: Scope) -> Option<Limit> {
        match scope {
            Scope::User => self.user,
            Scope::Address => self.address,
            Scope::Edge => self.edge,
        }
    }
}

/// One counted thing, by a digest of its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    scope: Scope,
    digest: [u8; 16],
}

impl Bucket {
    /// The bucket of a user's link. With a secret the digest is keyed; nodes that count together must share it.
    #[must_use]
    pub fn link(link: LinkId, secret: Option<&Secret>) -> Self {
        Self::named(Scope::User, "link", &link.to_string(), secret)
    }

    /// The bucket of a viewer's own token.
    #[must_use]
    pub fn token(token: &Secret, secret: Option<&Secret>) -> Self {
        Self::named(Scope::User, "token", token.expose(), secret)
    }

    /// The bucket of an address; all of one IPv6 /64 share one.
    #[must_use]
    pub fn address(address: IpAddr, secret: Option<&Secret>) -> Self {
        Self::named(Scope::Address, "address", &household(address).to_string(), secret)
    }

    /// Edges that one internal key may count as: what an edge calls itself is cut down to one of so many buckets, so that whoever
    /// holds the key cannot widen the limit without bound.
    pub const EDGES: u8 = 32;

    /// The bucket of an edge, by the digest of the internal key that it presents and by what it calls itself. Edges that call
    /// themselves nothing share one.
    #[must_use]
    pub fn edge(key: &[u8; 32], edge: Option<&str>) -> Self {
        let place = edge.map(|edge| Sha256::digest(edge.as_bytes())[0] % Self::EDGES);
        let place = place.map_or_else(String::new, |place| format!("|{place}"));
        Self::named(Scope::Edge, "edge", &(data_encoding::HEXLOWER.encode(key) + &place), None)
    }

    /// What it counts.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Its digest as 32 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.digest)
    }

    fn named(scope: Scope, kind: &str, name: &str, secret: Option<&Secret>) -> Self {
        Self { scope, digest: digest(&format!("rate|{kind}|{name}"), secret) }
    }
}

/// Half of a text's SHA-256, or of its HMAC with a secret.
pub(crate) fn digest(text: &str, secret: Option<&Secret>) -> [u8; 16] {
    // An HMAC takes a key of any length; the plain digest stands in for the error that cannot come.
    let keyed = secret.and_then(|secret| Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok());
    let whole: [u8; 32] = match keyed {
        Some(mac) => mac.chain_update(text.as_bytes()).finalize().into_bytes().into(),
        None => Sha256::digest(text.as_bytes()).into(),
    };
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.scope.as_str())
    }
}

/// What a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was counted.
    Allowed,
    /// A bucket is empty.
    Refused {
        /// Whose.
        scope: Scope,
        /// When it holds a token again.
        retry_after: Duration,
    },
}

/// Where requests are counted.
#[async_trait]
pub trait Rates: Send + Sync + 'static {
    /// Takes one token of each bucket, in their order. The first empty one ends it: those before it have given theirs,
    /// those after it are left alone. Never fails: counters that cannot be reached refuse nobody.
    async fn take(&self, buckets: &[Bucket]) -> Verdict;
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

#[async_trait]
impl Rates for Unlimited {
    async fn take(&self, _: &[Bucket]) -> Verdict {
        Verdict::Allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "11111111-2222-4333-8444-555555555555";

    fn link() -> LinkId {
        LINK.parse().unwrap()
    }

    #[test]
    fn a_rate_of_nothing_is_no_limit() {
        assert_eq!(Limit::of(0), None);
        let limit = Limit::of(10).unwrap();
        assert_eq!((limit.per_second.get(), limit.burst.get()), (10, 20));
        assert_eq!(Limit::of(u32::MAX).unwrap().burst.get(), u32::MAX);
    }

    #[test]
    fn names_show_neither_address_nor_link_nor_token() {
        let bucket = Bucket::link(link(), None);
        assert!(!format!("{bucket:?} {}", bucket.digest()).contains("1111"));
        assert_eq!(bucket.digest().len(), 32);
        let token = Bucket::token(&Secret::new(LINK), None);
        assert_ne!(bucket, token, "a token that looks like a link is another bucket");
        let keyed = Bucket::link(link(), Some(&Secret::new("k")));
        assert_ne!(bucket, keyed);
        assert_eq!(keyed, Bucket::link(link(), Some(&Secret::new("k"))));
    }

    #[test]
    fn one_household_is_one_address() {
        let bucket = |text: &str| Bucket::address(text.parse().unwrap(), None);
        assert_eq!(bucket("2001:db8::1"), bucket("2001:db8::ffff:1"));
        assert_ne!(bucket("2001:db8::1"), bucket("2001:db8:0:1::1"));
        assert_eq!(bucket("::ffff:192.0.2.1"), bucket("192.0.2.1"));
        assert_ne!(bucket("192.0.2.1"), bucket("192.0.2.2"));
    }
}
