//! How good a resolution, a source or a size is, for comparing.

use chill_release::{Hdr, Resolution, Set, size_bytes};

use super::candidate::Candidate;

/// What is compared by rank instead of by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranked {
    Resolution,
    Quality,
    Size,
    FileSize,
}

/// The rank of an unknown size: below every size.
const NO_SIZE: i64 = -1;

impl Ranked {
    /// The rank a candidate has.
    pub(crate) fn of(self, candidate: &Candidate<'_>) -> i64 {
        match self {
            Self::Resolution => candidate.release.resolution.map_or(0, |resolution| i64::from(resolution.rank())),
            Self::Quality => candidate.release.quality.map_or(0, |quality| i64::from(quality.rank())),
            Self::Size => known(total(candidate)),
            Self::FileSize => known(candidate.file.size),
        }
    }

    /// The rank a text means; a text that means nothing ranks lowest.
    pub(crate) fn of_text(self, text: &str) -> i64 {
        match self {
            Self::Resolution => resolution(text),
            Self::Quality => quality(text),
            Self::Size | Self::FileSize => known(size_bytes(text)),
        }
    }

    /// As a viewer writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Resolution => "Resolution",
            Self::Quality => "Quality",
            Self::Size => "Size",
            Self::FileSize => "File.Size",
        }
    }

    /// Something it may be compared with.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Resolution => "\"1080p\"",
            Self::Quality => "\"WEB-DL\"",
            Self::Size | Self::FileSize => "\"1.5 GB\"",
        }
    }
}

/// Bytes of the torrent: as the source said, else as the name says.
pub(crate) fn total(candidate: &Candidate<'_>) -> Option<u64> {
    candidate.size.or_else(|| size_bytes(candidate.release.size.as_deref()?))
}

pub(crate) fn known(size: Option<u64>) -> i64 {
    size.map_or(NO_SIZE, |size| i64::try_from(size).unwrap_or(i64::MAX))
}

/// How good a picture's dynamic range is: Dolby Vision before HDR10+, each better with a fallback that every screen shows.
pub(crate) fn hdr(tags: Set<Hdr>) -> i64 {
    let base = match (tags.contains(Hdr::TenPlus), tags.contains(Hdr::High), tags.contains(Hdr::Standard)) {
        (true, _, _) => 4,
        (_, true, _) => 3,
        (_, _, true) => 1,
        _ => 0,
    };
    if tags.contains(Hdr::DolbyVision) { base + 5 } else { base }
}

fn resolution(text: &str) -> i64 {
    if let Some(known) = Resolution::from_text(text) {
        return i64::from(known.rank());
    }
    let thousands = text.trim().strip_suffix(['k', 'K']).and_then(|number| number.parse::<u16>().ok());
    thousands.map_or(0, |number| i64::from(number) * 1000)
}

/// The first that a lower-cased text contains decides.
const QUALITIES: &[(&str, i64)] = &[("cam", 40), ("remux", 100), ("mux", 99), ("bluray", 98)];
const LESSER: &[(&str, i64)] = &[("dvd", 60), ("sat", 59), ("tv", 57), ("ppv", 55), ("tele", 30), ("scr", 20)];

fn quality(text: &str) -> i64 {
    let text = text.to_lowercase();
    let has = |part: &str| text.contains(part);
    let first = |table: &[(&str, i64)]| table.iter().find(|(part, _)| has(part)).map(|(_, rank)| *rank);
    if let Some(rank) = first(QUALITIES) {
        return rank;
    }
    match () {
        () if has("web") && has("dl") => 89,
        () if has("web") && has("rip") => 85,
        () if has("web") => 80,
        () if has("br") => 96,
        () if has("bd") => 94,
        () if has("uhd") => 92,
        () if has("hd") && has("rip") => 79,
        () if has("hd") => 75,
        () if text == "r5" => 50,
        () => first(LESSER).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_release::{Member, Quality};

    #[test]
    fn a_source_ranks_as_its_text_does() {
        for quality in Quality::ALL {
            assert_eq!(Ranked::Quality.of_text(quality.as_str()), i64::from(quality.rank()), "{quality}");
        }
    }

    #[test]
    fn texts_of_sources_need_not_be_exact() {
        let cases = [
            ("web", 80),
            ("WEBDL", 89),
            ("web-dl", 89),
            ("WebRip", 85),
            ("remux", 100),
            ("webmux", 99),
            ("bluray", 98),
            ("HDCAM", 40),
            ("camrip", 40),
            ("Blu-ray", 0),
            ("PPVRip", 55),
            ("foo", 0),
            ("", 0),
        ];
        for (text, rank) in cases {
            assert_eq!(Ranked::Quality.of_text(text), rank, "{text}");
        }
    }

    #[test]
    fn texts_of_resolutions_and_sizes() {
        let cases = [
            ("4k", 4000),
            ("4K", 4000),
            ("2160p", 4000),
            ("2k", 2000),
            ("1080p", 1080),
            ("8k", 8000),
            ("6k", 6000),
            ("?", 0),
        ];
        for (text, rank) in cases {
            assert_eq!(Ranked::Resolution.of_text(text), rank, "{text}");
        }
        let cases = [("1 GB", 1 << 30), ("1.5 GiB", 3 << 29), ("700mb", 700 << 20), ("12", 12), ("much", -1), ("", -1)];
        for (text, rank) in cases {
            assert_eq!(Ranked::Size.of_text(text), rank, "{text}");
        }
    }

    #[test]
    fn dynamic_ranges_from_worst_to_best() {
        let sets: [&[Hdr]; 8] = [
            &[],
            &[Hdr::Standard],
            &[Hdr::High],
            &[Hdr::TenPlus],
            &[Hdr::DolbyVision],
            &[Hdr::DolbyVision, Hdr::Standard],
            &[Hdr::DolbyVision, Hdr::High],
            &[Hdr::DolbyVision, Hdr::High, Hdr::TenPlus],
        ];
        let ranks = sets.map(|tags| hdr(tags.iter().copied().collect()));
        assert!(ranks.is_sorted_by(|worse, better| worse < better), "{ranks:?}");
    }
}
