//! The order of a stream list: keys such as `-resolution,-quality,-size`, the first that differs decides.

use super::candidate::Candidate;
use super::rank;

/// What an empty text means.
pub const DEFAULT: &str = "-resolution,-quality,-size";
/// Longest text, in bytes.
pub const LONGEST: usize = 200;

const KEYS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Resolution,
    Quality,
    Size,
    Hdr,
    Seeders,
}

const NAMES: [(&str, Key); KEYS] = [
    ("resolution", Key::Resolution),
    ("quality", Key::Quality),
    ("size", Key::Size),
    ("hdr", Key::Hdr),
    ("seeders", Key::Seeders),
];

/// A text that names no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SortError {
    /// A key that nobody knows.
    #[error(
        "“{0}” is no sort key; use resolution, quality, size, hdr or seeders, with a - in front for the greatest first, \
         as in {DEFAULT}"
    )]
    Unknown(String),
    /// More than [`LONGEST`] bytes.
    #[error("the sort text is longer than {LONGEST} characters; name each key once, as in {DEFAULT}")]
    Oversized,
}

/// How streams are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Key, and whether the greatest comes first; each key once.
    keys: Vec<(Key, bool)>,
}

/// What one stream is ordered by: the smaller comes first. Keys of different orders do not compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey([i64; KEYS]);

impl Default for Order {
    fn default() -> Self {
        Self { keys: vec![(Key::Resolution, true), (Key::Quality, true), (Key::Size, true)] }
    }
}

impl Order {
    /// Reads keys separated by commas; a `-` puts the greatest first. An empty text means [`DEFAULT`].
    ///
    /// # Errors
    /// [`SortError`] names the key that is unknown.
    pub fn parse(text: &str) -> Result<Self, SortError> {
        if text.len() > LONGEST {
            return Err(SortError::Oversized);
        }
        let mut keys: Vec<(Key, bool)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name.trim_start(), true));
            let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let (_, key) = known.ok_or_else(|| SortError::Unknown(part.chars().take(40).collect()))?;
            // A key named before has decided already.
            if !keys.iter().any(|(earlier, _)| earlier == key) {
                keys.push((*key, descending));
            }
        }
        Ok(if keys.is_empty() { Self::default() } else { Self { keys } })
    }

    /// What the candidate is ordered by, for `sort_by_cached_key`.
    #[must_use]
    pub fn key(&self, candidate: &Candidate<'_>) -> SortKey {
        let mut parts = [0; KEYS];
        for (part, (key, descending)) in parts.iter_mut().zip(&self.keys) {
            let rank = key.rank(candidate);
            *part = if *descending { -rank } else { rank };
        }
        SortKey(parts)
    }

    /// Orders items by the candidates they stand for; equal ones keep their order.
    pub fn sort<'a, T>(&self, items: &mut [T], candidate: impl Fn(&T) -> Candidate<'a>) {
        items.sort_by_cached_key(|item| self.key(&candidate(item)));
    }
}

impl Key {
    fn rank(self, candidate: &Candidate<'_>) -> i64 {
        match self {
            Self::Resolution => rank::Ranked::Resolution.of(candidate),
            Self::Quality => rank::Ranked::Quality.of(candidate),
            Self::Size => rank::known(candidate.file.size.or_else(|| rank::total(candidate))),
            Self::Hdr => rank::hdr(candidate.release.hdr),
            Self::Seeders => candidate.seeders.map_or(-1, i64::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::trial;
    use chill_release::{Release, parse};
    use proptest::prelude::*;

    const NAMES: [(&str, u64, u32); 6] = [
        ("A.2019.1080p.WEB-DL.x264", 4, 7),
        ("B.2019.2160p.WEBRip.HDR.x265", 12, 3),
        ("C.2019.1080p.BluRay.x264", 9, 3),
        ("D.2019.720p.WEB-DL.x264", 2, 90),
        ("E.2019.2160p.WEBRip.DV.HDR.x265", 11, 3),
        ("F.2019.CAM", 1, 7),
    ];

    fn sorted(order: &str) -> String {
        let releases: Vec<(Release, u64, u32)> =
            NAMES.iter().map(|(name, size, seeders)| (parse(name), *size, *seeders)).collect();
        let mut items: Vec<&(Release, u64, u32)> = releases.iter().collect();
        Order::parse(order).unwrap().sort(&mut items, |(release, size, seeders)| Candidate {
            size: Some(*size << 30),
            seeders: Some(*seeders),
            ..trial::bare(release)
        });
        items.iter().map(|(release, _, _)| release.title.as_str()).collect()
    }

    #[test]
    fn each_key_in_both_directions() {
        let cases = [
            ("", "BECADF"),
            (" , ", "BECADF"),
            ("size,", "FDACEB"),
            ("-resolution,-quality,-size", "BECADF"),
            ("-resolution", "BEACDF"),
            ("resolution", "FDACBE"),
            ("-quality", "CADBEF"),
            ("size", "FDACEB"),
            ("-size", "BECADF"),
            ("-hdr", "EBACDF"),
            ("hdr,-size", "CADFBE"),
            ("-seeders", "DAFBCE"),
            ("-seeders,size", "DFACEB"),
            (" - resolution , size ", "EBACDF"),
            ("-Resolution,SIZE", "EBACDF"),
            ("-size,size,-size", "BECADF"),
        ];
        for (order, expected) in cases {
            assert_eq!(sorted(order), expected, "{order:?}");
        }
    }

    #[test]
    fn the_files_size_counts_before_the_torrents_and_unknown_is_least() {
        let release = trial::film();
        let order = Order::parse("size").unwrap();
        let full = trial::candidate(&release);
        let unknown = trial::bare(&release);
        let mut small = full;
        small.file.size = Some(1);
        assert!(order.key(&unknown) < order.key(&small));
        assert!(order.key(&small) < order.key(&full));
        assert!(Order::parse("-size").unwrap().key(&full) < Order::parse("-size").unwrap().key(&unknown));
    }

    #[test]
    fn unknown_keys_are_named() {
        for (order, named) in [("colour", "colour"), ("-size,-rating", "-rating"), ("-", "“-”"), ("--size", "--size")]
        {
            let sentence = Order::parse(order).unwrap_err().to_string();
            assert!(sentence.contains(named) && sentence.contains("seeders"), "{order}: {sentence}");
        }
        assert_eq!(Order::parse(&"size,".repeat(1_000)), Err(SortError::Oversized));
        assert!(Order::parse(&"x".repeat(150)).unwrap_err().to_string().len() < 250);
    }

    #[test]
    fn the_default_is_what_its_text_says() {
        assert_eq!(Order::parse(DEFAULT).unwrap(), Order::default());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-,a-zé ]{0,220}") {
            let _ = Order::parse(&text);
        }
    }
}
