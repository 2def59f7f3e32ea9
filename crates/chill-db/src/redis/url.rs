//! Where a Redis is. The text may hold a password, so it never shows itself.

use std::fmt;
use std::str::FromStr;

use chill_core::Secret;

/// A Redis' address: `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS.
#[derive(Clone)]
pub struct RedisUrl(Secret);

/// A text that is no Redis address. It is not repeated here, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Redis address is not valid: expected redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS")]
pub struct InvalidRedisUrl;

impl RedisUrl {
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for RedisUrl {
    type Err = InvalidRedisUrl;
    fn from_str(text: &str) -> Result<Self, InvalidRedisUrl> {
        let text = text.trim();
        redis::Client::open(text).map(|_| Self(Secret::new(text))).map_err(|_| InvalidRedisUrl)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(redis://…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_passwords_never_shown() {
        for text in ["redis://127.0.0.1", "redis://:hunter2@cache:6379/1", "rediss://user:hunter2@cache.example:6380"] {
            let url: RedisUrl = text.parse().unwrap();
            assert!(!format!("{url:?}").contains("hunter2"));
        }
        for text in ["", "cache:6379", "http://cache", "postgres://cache/x", "redis://cache/one"] {
            assert_eq!(text.parse::<RedisUrl>().unwrap_err(), InvalidRedisUrl, "{text}");
        }
    }
}
