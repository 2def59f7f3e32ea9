//! How often viewers may ask, and the Redis in which nodes count together.

use chill_core::rate::{Limit, Limits};
use chill_db::RedisUrl;

use super::Reader;

/// Rates, and where they are counted.
#[derive(Clone, Debug)]
pub(crate) struct LimitsSection {
    /// Requests per user and per address, and `get-key` calls per edge.
    pub rates: Limits,
    /// Where all nodes count together; none: each by itself.
    pub redis: Option<RedisUrl>,
}

impl LimitsSection {
    /// Reads `CHILLPROXY_RATE_PER_USER`, `CHILLPROXY_RATE_PER_IP`, `CHILLPROXY_GET_KEY_RATE` (0: no limit) and `REDIS_URI`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let rates = Limits {
            user: Limit::of(reader.number("CHILLPROXY_RATE_PER_USER", 10, 0..=1_000_000)),
            address: Limit::of(reader.number("CHILLPROXY_RATE_PER_IP", 50, 0..=1_000_000)),
            edge: Limit::of(reader.number("CHILLPROXY_GET_KEY_RATE", 100, 0..=1_000_000)),
        };
        let redis = match reader.text("REDIS_URI").map(str::parse::<RedisUrl>) {
            Some(Err(why)) => {
                reader.fault("REDIS_URI", why.to_string());
                None
            }
            Some(Ok(url)) => Some(url),
            None => None,
        };
        Self { rates, redis }
    }
}
