//! Where a link leads.

use chill_core::Secret;
use http::HeaderMap;
use url::Url;

use super::request_headers;

/// Longest URL of a link, in bytes.
const LONGEST_URL: usize = 8_192;

/// A URL, with the headers its origin wants to see.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: Secret,
    pub(super) headers: HeaderMap,
}

/// Not a text that could be a link's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidTarget;

impl Target {
    /// Takes any text that is not plainly wrong: the URL is judged when it is used.
    pub(super) fn new(url: &str, headers: HeaderMap) -> Result<Self, InvalidTarget> {
        let other_scheme = Url::parse(url).is_ok_and(|url| !matches!(url.scheme(), "http" | "https"));
        let odd = url.is_empty() || url.len() > LONGEST_URL || url.chars().any(char::is_control);
        if odd || other_scheme { Err(InvalidTarget) } else { Ok(Self { url: Secret::new(url), headers }) }
    }

    /// What is sealed into a token: the URL, and a line for each header.
    pub(super) fn to_text(&self) -> Secret {
        Secret::new(self.url.expose().to_owned() + &request_headers::to_lines(&self.headers))
    }

    /// Reads [`to_text`](Self::to_text)'s form.
    pub(super) fn from_text(text: &str) -> Result<Self, InvalidTarget> {
        let (url, headers) = text.split_once('\n').unwrap_or((text, ""));
        Self::new(url, request_headers::from_lines(headers).map_err(|_| InvalidTarget)?)
    }

    /// Whether it can be fetched at all; where it leads is the relay's to judge.
    pub(super) fn is_http(&self) -> bool {
        Url::parse(self.url.expose()).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    }

    /// The last segment of its path, decoded.
    pub(super) fn file_name(&self) -> Option<String> {
        let url = self.url.expose();
        let url = url.split(['?', '#']).next().unwrap_or_default();
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?.1,
            None => url,
        };
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        (!name.is_empty()).then(|| name.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(url, HeaderMap::new()).unwrap()
    }

    #[test]
    fn a_target_is_told_in_lines() {
        let headers = request_headers::from_lines("Referer: https://site.example/").unwrap();
        let target = Target::new("https://files.example/movie.mkv", headers).unwrap();
        assert_eq!(target.to_text().expose(), "https://files.example/movie.mkv\nreferer: https://site.example/");
        let again = Target::from_text(target.to_text().expose()).unwrap();
        assert_eq!((again.url.expose(), &again.headers), (target.url.expose(), &target.headers));
        assert!(!format!("{target:?}").contains("example"));
    }

    #[test]
    fn a_file_is_named_after_its_path() {
        for (url, name) in [
            ("https://a.example/b/A%20Film.mkv?x=/y#/z", Some("A Film.mkv")),
            ("https://a.example/b%2Fc.mkv", Some("b/c.mkv")),
            ("https://a.example/", None),
            ("https://a.example", None),
            ("https://a.example?u=/b", None),
            ("u", Some("u")),
        ] {
            assert_eq!(target(url).file_name().as_deref(), name, "{url}");
        }
    }

    #[test]
    fn only_http_is_ever_fetched() {
        for wrong in
            ["", "file:///etc/passwd", "ftp://a.example/b", "data:,x", "http://a/\nCookie: x", &"u".repeat(9_000)]
        {
            assert!(Target::new(wrong, HeaderMap::new()).is_err(), "{wrong}");
        }
        assert!(target("HTTPS://a.example/b").is_http());
        assert!(!target("u").is_http() && !target("//a.example/b").is_http() && !target("http://").is_http());
    }
}
