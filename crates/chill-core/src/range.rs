//! Byte ranges: what a player asks for and what an origin answers (RFC 9110 §14).

use std::fmt;

/// Larger numbers in a request are read as this one: no content is so long, and many an origin counts in signed 64 bits.
pub const FARTHEST: u64 = i64::MAX.unsigned_abs();

/// A request's single range, before the length of the content is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// `bytes=first-` or `bytes=first-last`, both ends included.
    From {
        /// First byte.
        first: u64,
        /// Last byte, included; none means to the end.
        last: Option<u64>,
    },
    /// `bytes=-n`: the last `n` bytes.
    Suffix(u64),
}

/// A range of known content: `first..=last` of `length` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub first: u64,
    /// Last byte, included.
    pub last: u64,
    /// Length of the whole content.
    pub length: u64,
}

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeRequest {
    /// One range.
    One(ByteRange),
    /// Nothing to honour: another unit, several ranges or bad syntax. RFC 9110 §14.2 lets a server answer 200.
    Ignore,
}

impl RangeRequest {
    /// Reads a `Range` header's value.
    #[must_use]
    pub fn parse(value: &str) -> Self {
        parse_single(value).map_or(Self::Ignore, Self::One)
    }
}

impl ByteRange {
    /// The bytes of content `length` bytes long, or `None` when the range cannot be satisfied (416).
    #[must_use]
    pub fn resolve(self, length: u64) -> Option<Span> {
        let end = length.checked_sub(1)?;
        match self {
            Self::From { first, .. } if first > end => None,
            Self::From { first, last } => Some(Span { first, last: last.unwrap_or(end).min(end), length }),
            Self::Suffix(0) => None,
            Self::Suffix(n) => Some(Span { first: length.saturating_sub(n), last: end, length }),
        }
    }
}

impl fmt::Display for ByteRange {
    /// The value of a `Range` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From { first, last: Some(last) } => write!(f, "bytes={first}-{last}"),
            Self::From { first, last: None } => write!(f, "bytes={first}-"),
            Self::Suffix(n) => write!(f, "bytes=-{n}"),
        }
    }
}

impl Span {
    /// How many bytes it covers; never 0.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Reads a `Content-Range` header of a 206: `bytes first-last/length`. `None` for an unknown length, another unit or
    /// numbers that contradict each other.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (range, length) = strip_unit(value, ' ')?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let span = Self { first: number(first)?, last: number(last)?, length: number(length)? };
        (span.first <= span.last && span.last < span.length).then_some(span)
    }
}

impl fmt::Display for Span {
    /// The value of a `Content-Range` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{}/{}", self.first, self.last, self.length)
    }
}

fn parse_single(value: &str) -> Option<ByteRange> {
    let (first, last) = strip_unit(value.trim(), '=')?.trim().split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", n) => place(n).map(ByteRange::Suffix),
        (first, "") => Some(ByteRange::From { first: place(first)?, last: None }),
        (first, last) => {
            let (first, last) = (place(first)?, place(last)?);
            (first <= last).then_some(ByteRange::From { first, last: Some(last) })
        }
    }
}

fn strip_unit(value: &str, separator: char) -> Option<&str> {
    let (unit, rest) = value.split_once(separator)?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(rest)
}

/// Digits only: `parse` alone would take a leading `+`.
fn number(text: &str) -> Option<u64> {
    is_number(text).then(|| text.parse().ok()).flatten()
}

/// A place in a request: beyond [`FARTHEST`] all are the same.
fn place(text: &str) -> Option<u64> {
    is_number(text).then(|| text.parse().unwrap_or(FARTHEST).min(FARTHEST))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(value: &str) -> Option<ByteRange> {
        match RangeRequest::parse(value) {
            RangeRequest::One(range) => Some(range),
            RangeRequest::Ignore => None,
        }
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        assert_eq!(one("bytes=0-499"), Some(ByteRange::From { first: 0, last: Some(499) }));
        assert_eq!(one("Bytes = 500- "), Some(ByteRange::From { first: 500, last: None }));
        assert_eq!(one("bytes=-500"), Some(ByteRange::Suffix(500)));
        for ignored in ["bytes=0-1,5-6", "bytes=5-1", "items=0-1", "bytes=", "bytes=-", "bytes=+1-2", "bytes=a-b", ""] {
            assert_eq!(one(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn a_number_beyond_everything_is_beyond_the_end() {
        let beyond = "9".repeat(30);
        assert_eq!(one(&format!("bytes={beyond}-")).unwrap().resolve(1_000), None);
        let whole = Some(Span { first: 0, last: 999, length: 1_000 });
        assert_eq!(one(&format!("bytes=0-{beyond}")).unwrap().resolve(1_000), whole);
        assert_eq!(one(&format!("bytes=-{beyond}")).unwrap().resolve(1_000), whole);
        assert_eq!(one(&format!("bytes={beyond}-")).unwrap().to_string(), "bytes=9223372036854775807-");
    }

    #[test]
    fn content_ranges_must_agree_with_themselves() {
        assert_eq!(Span::parse("bytes 0-0/1"), Some(Span { first: 0, last: 0, length: 1 }));
        for bad in ["bytes 5-4/10", "bytes 0-10/10", "bytes */10", "bytes 0-1/*", "items 0-1/2", "0-1/2"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_resolved_range_lies_inside_the_content(first in any::<u64>(), last in any::<Option<u64>>(), length in any::<u64>()) {
            if let Some(span) = (ByteRange::From { first, last: last.map(|l| l.max(first)) }).resolve(length) {
                prop_assert!(span.first <= span.last && span.last < length);
                prop_assert_eq!(span.first, first);
                prop_assert_eq!(Span::parse(&span.to_string()), Some(span));
            } else {
                prop_assert!(first >= length);
            }
        }

        #[test]
        fn a_suffix_is_the_end_of_the_content(n in any::<u64>(), length in any::<u64>()) {
            match ByteRange::Suffix(n).resolve(length) {
                Some(span) => {
                    prop_assert_eq!(span.last, length - 1);
                    prop_assert_eq!(span.count(), n.min(length));
                }
                None => prop_assert!(n == 0 || length == 0),
            }
        }

        #[test]
        fn what_is_written_is_read_back(first in 0..FARTHEST / 2, extra in proptest::option::of(0..FARTHEST / 2)) {
            let range = ByteRange::From { first, last: extra.map(|e| first + e) };
            prop_assert_eq!(one(&range.to_string()), Some(range));
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = RangeRequest::parse(&text);
            let _ = Span::parse(&text);
        }
    }
}
