//! The id of one request in answers and error envelopes, as StremThru names it: `Request-ID`.

use chill_core::Chance;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header, in requests and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// A longer id of a caller's is replaced by ours.
const LONGEST: usize = 64;

/// The caller's own id where it is short and plain, else a new one of 20 letters and digits.
#[must_use]
pub fn request_id(headers: &HeaderMap, chance: &Chance) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        let id = id.as_bytes();
        let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        !id.is_empty() && id.len() <= LONGEST && id.iter().all(sound)
    };
    let made = || {
        let id = data_encoding::BASE32HEX_NOPAD.encode(&chance.bytes::<12>().unwrap_or_default());
        HeaderValue::try_from(id.to_ascii_lowercase()).unwrap_or_else(|_| HeaderValue::from_static("none"))
    };
    headers.get(REQUEST_ID).filter(plain).map_or_else(made, Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_id_is_kept_and_any_other_replaced() {
        let of = |given: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(REQUEST_ID, given.parse().unwrap());
            }
            request_id(&headers, &Chance::System).to_str().unwrap().to_owned()
        };
        assert_eq!(of(Some("abc-1.2:3_x")), "abc-1.2:3_x");
        let made: Vec<String> =
            [None, Some(""), Some("a b"), Some("<x>"), Some(&"x".repeat(65))].into_iter().map(of).collect();
        for (at, id) in made.iter().enumerate() {
            assert!(id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
            assert!(!made[..at].contains(id));
        }
    }
}
