//! The headers a link's maker wants its origin to see.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Most headers of one link.
const MOST: usize = 32;
/// Longest header, in bytes of its value.
const LONGEST: usize = 4_096;

/// Never taken: what belongs to one connection (RFC 9110 §7.6.1), what frames a message, what the relay decides (ranges,
/// conditions and codings), and what says where a request came from.
const REFUSED: [&str; 28] = [
    "accept-encoding",
    "cf-connecting-ip",
    "cf-pseudo-ipv4",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "do-connecting-ip",
    "expect",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "host",
    "http2-settings",
    "keep-alive",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
    "x-appengine-user-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-real-ip",
];
const REFUSED_FAMILIES: [&str; 3] = ["if-", "proxy-", "x-forwarded-"];

/// Reads `Name: value` lines. A line that is none, or whose header is never taken, is passed over; of a name that comes
/// twice the last one counts.
pub(super) fn from_lines(text: &str) -> HeaderMap {
    from_pairs(text.lines().filter_map(|line| line.split_once(": ")))
}

/// The headers of these pairs that may go upstream. None of them shows in a log.
pub(super) fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let Some((name, value)) = header(name, value) else { continue };
        if headers.len() < MOST || headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    headers
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    let known = name.as_str();
    let refused =
        REFUSED.binary_search(&known).is_ok() || REFUSED_FAMILIES.iter().any(|start| known.starts_with(start));
    if refused || value.len() > LONGEST {
        return None;
    }
    let mut value = HeaderValue::from_bytes(value.trim().as_bytes()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// The lines [`from_lines`] reads.
pub(super) fn to_lines(headers: &HeaderMap) -> String {
    let lines = headers.iter().map(|(name, value)| format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_connection_or_a_viewer_never_goes_up() {
        assert!(REFUSED.is_sorted());
        let text = "Referer: https://site.example/\nHost: evil\ncontent-length: 5\nConnection: close\nTE: trailers\n\
            X-Forwarded-For: 1.2.3.4\nX-FORWARDED-HOST: a\nForwarded: for=1\nRange: bytes=0-1\nIf-Range: x\nExpect: 100\n\
            Proxy-Authorization: Basic x\nX-Real-IP: 1.1.1.1\nTransfer-Encoding: chunked\nUpgrade: h2c\nVia: 1.1 a\n\
            no colon\nBad Name: x\n: empty\nNoSpace:x\nCookie: a=b\nUser-Agent: One/1\r\nuser-agent: Two/2\n";
        let headers = from_lines(text);
        let mut seen: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        seen.sort_unstable();
        assert_eq!(seen, ["cookie=a=b", "referer=https://site.example/", "user-agent=Two/2"]);
        assert_eq!(from_lines(&to_lines(&headers)), headers);
        assert!(!format!("{headers:?}").contains("a=b"));
    }

    #[test]
    fn there_are_only_so_many() {
        let text: String = (0..200).map(|n| format!("x-{n}: {n}\n")).collect();
        assert_eq!(from_lines(&text).len(), MOST);
        assert!(from_lines(&format!("x: {}", "y".repeat(LONGEST + 1))).is_empty());
    }
}
