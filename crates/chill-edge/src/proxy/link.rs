//! How a link is written: the token, and the file's name for players that look at it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::relay::VIEWER_BUFFER;

/// All but RFC 3986's unreserved characters, so that a name is one segment whatever is in it.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longest name in a link, in bytes before it is encoded.
const LONGEST_NAME: usize = 255;

/// Longest path of a link, in bytes. The listener takes a head of twice that ([`VIEWER_BUFFER`]), and a player sends more
/// than the path.
const LONGEST_PATH: usize = VIEWER_BUFFER / 2;

/// A link that would not open: its request would be refused for its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// `<base>/v0/proxy/<token>[/<name>]`.
pub(super) fn url(base: &str, token: &str, name: Option<&str>) -> Result<String, TooLong> {
    let name = name.map(|name| &name[..name.floor_char_boundary(LONGEST_NAME)]);
    let link = match name.map(str::trim) {
        // Clients take these two, encoded or not, for steps up the path.
        None | Some("" | "." | "..") => format!("{base}{}/{token}", super::create::PATH),
        Some(name) => format!("{base}{}/{token}/{}", super::create::PATH, utf8_percent_encode(name, &SEGMENT)),
    };
    if link.len() - base.len() > LONGEST_PATH { Err(TooLong) } else { Ok(link) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_or_none() {
        for (name, link) in [
            (None, "http://a/v0/proxy/t"),
            (Some("A Film (1968).mkv"), "http://a/v0/proxy/t/A%20Film%20%281968%29.mkv"),
            (Some("a/../b?c#d%2f"), "http://a/v0/proxy/t/a%2F..%2Fb%3Fc%23d%252f"),
            (Some(".."), "http://a/v0/proxy/t"),
            (Some(" . "), "http://a/v0/proxy/t"),
            (Some("é"), "http://a/v0/proxy/t/%C3%A9"),
        ] {
            assert_eq!(url("http://a", "t", name).as_deref(), Ok(link));
        }
        assert_eq!(url("", "t", Some(&"é".repeat(300))).unwrap().matches("%C3%A9").count(), 127);
    }
}
