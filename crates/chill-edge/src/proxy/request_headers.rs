//! The headers a link's maker wants its origin to see.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Most headers of one link.
const MOST: usize = 32;
/// Longest header, in bytes of its name and of its value.
const LONGEST_NAME: usize = 256;
const LONGEST_VALUE: usize = 4_096;
/// Longest text with headers, in bytes: more does not fit into any link.
const LONGEST_TEXT: usize = 32 * 1024;

/// These are more, or longer, than a link may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutOfBounds {
    #[error("too many request headers")]
    Many,
    #[error("a request header is too long")]
    Long,
    #[error("the request headers are too long together")]
    Text,
}

impl OutOfBounds {
    /// What the links' maker is told.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Many => "too many request headers, max allowed 32",
            Self::Long => "a request header is too long, max allowed 256 bytes of name and 4096 of value",
            Self::Text => "the request headers are too long, max allowed 32768 bytes together",
        }
    }
}

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
pub(super) fn from_lines(text: &str) -> Result<HeaderMap, OutOfBounds> {
    if text.len() > LONGEST_TEXT {
        return Err(OutOfBounds::Text);
    }
    from_pairs(text.lines().filter_map(|line| line.split_once(": ")))
}

/// The headers of these pairs that may go upstream. None of them shows in a log.
pub(super) fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<HeaderMap, OutOfBounds> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Some((name, value)) = header(name.trim(), value.trim())? {
            headers.insert(name, value);
        }
        if headers.len() > MOST {
            return Err(OutOfBounds::Many);
        }
    }
    Ok(headers)
}

fn header(name: &str, value: &str) -> Result<Option<(HeaderName, HeaderValue)>, OutOfBounds> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return Ok(None) };
    let known = name.as_str();
    let refused =
        REFUSED.binary_search(&known).is_ok() || REFUSED_FAMILIES.iter().any(|start| known.starts_with(start));
    let Some(mut value) = HeaderValue::from_bytes(value.as_bytes()).ok().filter(|_| !refused) else { return Ok(None) };
    if known.len() > LONGEST_NAME || value.len() > LONGEST_VALUE {
        return Err(OutOfBounds::Long);
    }
    value.set_sensitive(true);
    Ok(Some((name, value)))
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
        let headers = from_lines(text).unwrap();
        let mut seen: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        seen.sort_unstable();
        assert_eq!(seen, ["cookie=a=b", "referer=https://site.example/", "user-agent=Two/2"]);
        assert_eq!(from_lines(&to_lines(&headers)).as_ref(), Ok(&headers));
        assert!(!format!("{headers:?}").contains("a=b"));
    }

    #[test]
    fn there_are_only_so_many() {
        let many = |count: usize| (0..count).map(|n| format!("x-{n}: {n}\n")).collect::<String>();
        assert_eq!(from_lines(&many(MOST)).map(|headers| headers.len()), Ok(MOST));
        for (text, why) in [
            (many(MOST + 1), OutOfBounds::Many),
            (format!("x: {}", "y".repeat(LONGEST_VALUE + 1)), OutOfBounds::Long),
            (format!("{}: y", "x".repeat(LONGEST_NAME + 1)), OutOfBounds::Long),
            ("\n".repeat(LONGEST_TEXT + 1), OutOfBounds::Text),
        ] {
            assert_eq!(from_lines(&text), Err(why));
        }
    }
}
