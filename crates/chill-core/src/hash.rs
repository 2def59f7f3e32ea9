//! The BitTorrent v1 info hash, by which a torrent is known everywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::InvalidId;

/// SHA-1 of a torrent's info dictionary (BEP 3). Text form: 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InfoHash([u8; 20]);

impl InfoHash {
    /// From its 20 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Its 20 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The hash in a magnet link's first `xt=urn:btih:` (BEP 9), hexadecimal or base32.
    #[must_use]
    pub fn from_magnet(magnet: &str) -> Option<Self> {
        let query = magnet.strip_prefix("magnet:?")?;
        query.split('&').find_map(|pair| {
            let value = pair.strip_prefix("xt=")?;
            let value = value.strip_prefix("urn:btih:").or_else(|| value.strip_prefix("urn%3Abtih%3A"))?;
            value.parse().ok()
        })
    }

    /// A magnet link with nothing but the hash.
    #[must_use]
    pub fn magnet(&self) -> String {
        format!("magnet:?xt=urn:btih:{self}")
    }
}

impl FromStr for InfoHash {
    type Err = InvalidId;
    /// Accepts 40 hexadecimal digits in any case, or 32 base32 characters.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let decoded = match text.len() {
            40 => data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
            32 => data_encoding::BASE32.decode(text.to_ascii_uppercase().as_bytes()).ok(),
            _ => None,
        };
        decoded
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidId { what: "the info hash", expected: "40 hexadecimal digits" })
    }
}

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 40];
        data_encoding::HEXLOWER.encode_mut(&self.0, &mut text);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHash({self})")
    }
}

impl Serialize for InfoHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InfoHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567";

    #[test]
    fn upper_case_and_base32_are_the_same_hash() {
        let hash: InfoHash = HEX.parse().unwrap();
        assert_eq!(HEX.to_uppercase().parse::<InfoHash>().unwrap(), hash);
        let base32 = data_encoding::BASE32.encode(hash.as_bytes());
        assert_eq!(base32.to_lowercase().parse::<InfoHash>().unwrap(), hash);
        assert_eq!(hash.to_string(), HEX);
    }

    #[test]
    fn magnets_give_their_hash() {
        let hash: InfoHash = HEX.parse().unwrap();
        let magnet = format!("magnet:?dn=A%20Film&xt=urn:btih:{}&tr=udp://x", HEX.to_uppercase());
        assert_eq!(InfoHash::from_magnet(&magnet), Some(hash));
        assert_eq!(InfoHash::from_magnet("magnet:?dn=x"), None);
        assert_eq!(InfoHash::from_magnet(HEX), None);
        assert_eq!(InfoHash::from_magnet(&hash.magnet()), Some(hash));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "xyz", &HEX[1..], "zf1e2d3c4b5a69788796a5b4c3d2e1f001234567"] {
            assert!(text.parse::<InfoHash>().is_err(), "{text}");
        }
    }
}
