//! Whether two answers are about the same bytes.

use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};

/// Longest validator that is kept and handed on.
const LONGEST: usize = 256;

/// What an origin's head says about which version of a file it is (RFC 9110 §8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Validator {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

/// The outcome of comparing two [`Validator`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// The same file.
    Same,
    /// Another file.
    Changed,
    /// The heads do not say; the bytes must.
    Unknown,
}

impl Validator {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let kept = |name| headers.get(name).filter(|value: &&HeaderValue| value.len() <= LONGEST).cloned();
        Self { etag: kept(ETAG), last_modified: kept(LAST_MODIFIED) }
    }

    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if let Some(etag) = &self.etag {
            headers.insert(ETAG, etag.clone());
        }
        if let Some(date) = &self.last_modified {
            headers.insert(LAST_MODIFIED, date.clone());
        }
    }

    /// Whether it says anything that a later answer can be held to.
    pub(super) fn is_telling(&self) -> bool {
        self.strong_etag().is_some() || self.last_modified.is_some()
    }

    /// Compares heads of answers whose lengths are already known to agree.
    pub(super) fn agreement(&self, other: &Self) -> Agreement {
        let pair = match (self.strong_etag(), other.strong_etag()) {
            (Some(mine), Some(theirs)) => Some((mine, theirs)),
            // Weak tags may agree for other bytes, but not differ for the same ones on the same day.
            _ if self.opaque().zip(other.opaque()).is_some_and(|(mine, theirs)| mine != theirs) => {
                return Agreement::Changed;
            }
            _ => self.last_modified.as_ref().zip(other.last_modified.as_ref()),
        };
        match pair {
            Some((mine, theirs)) if mine == theirs => Agreement::Same,
            Some(_) => Agreement::Changed,
            None => Agreement::Unknown,
        }
    }

    /// Whether a part of this version may be joined to what `if_range` is about (RFC 9110 §13.1.5), as far as the head says.
    pub(super) fn meets(&self, if_range: &HeaderValue) -> bool {
        // Whatever it is: the player has it from us.
        if self.etag.as_ref() == Some(if_range) {
            return true;
        }
        let own = if if_range.as_bytes().starts_with(b"\"") { self.strong_etag() } else { self.last_modified.as_ref() };
        own.is_none_or(|own| own == if_range)
    }

    /// The tag itself, strong or weak.
    fn opaque(&self) -> Option<&[u8]> {
        let etag = self.etag.as_ref()?.as_bytes();
        Some(etag.strip_prefix(b"W/").unwrap_or(etag)).filter(|tag| tag.len() > 2 && tag.starts_with(b"\""))
    }

    fn strong_etag(&self) -> Option<&HeaderValue> {
        self.etag.as_ref().filter(|etag| {
            let etag = etag.as_bytes();
            etag.len() > 2 && etag.starts_with(b"\"") && etag.ends_with(b"\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validator(etag: &'static str, date: &'static str) -> Validator {
        let mut headers = HeaderMap::new();
        if !etag.is_empty() {
            headers.insert(ETAG, HeaderValue::from_static(etag));
        }
        if !date.is_empty() {
            headers.insert(LAST_MODIFIED, HeaderValue::from_static(date));
        }
        Validator::read(&headers)
    }

    #[test]
    fn strong_tags_decide_then_dates_then_bytes() {
        use Agreement::{Changed, Same, Unknown};
        for (mine, theirs, expected) in [
            (("\"a\"", "Mon"), ("\"a\"", "Tue"), Same),
            (("\"a\"", "Mon"), ("\"b\"", "Mon"), Changed),
            (("W/\"a\"", "Mon"), ("W/\"a\"", "Mon"), Same),
            (("W/\"a\"", "Mon"), ("W/\"a\"", "Tue"), Changed),
            (("W/\"a\"", ""), ("W/\"a\"", ""), Unknown),
            (("W/\"a\"", "Mon"), ("W/\"b\"", "Mon"), Changed),
            (("\"a\"", "Mon"), ("W/\"b\"", "Mon"), Changed),
            (("W/\"a\"", "Mon"), ("\"a\"", "Mon"), Same),
            (("\"a\"", "Mon"), ("", "Mon"), Same),
            (("\"a\"", "Mon"), ("", ""), Unknown),
            (("unquoted", ""), ("unquoted", ""), Unknown),
            (("", ""), ("", ""), Unknown),
        ] {
            assert_eq!(validator(mine.0, mine.1).agreement(&validator(theirs.0, theirs.1)), expected, "{mine:?}");
        }
    }
}
