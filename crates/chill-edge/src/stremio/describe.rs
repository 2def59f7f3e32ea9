//! The words a viewer reads in a stream list, and the hints a player reads.

use chill_core::store::StoreFile;
use chill_core::{KnownFile, StoreCode};
use chill_release::{Language, Release};

use super::catalogue::Candidate;

/// The file a stream would play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    /// The torrent holds other videos too.
    pub(crate) packed: bool,
}

impl Pick {
    pub(crate) fn of(path: &str, size: Option<u64>, packed: bool) -> Self {
        Self { name: path.rsplit('/').next().unwrap_or(path).to_owned(), size, packed }
    }
}

/// Path and size, as both kinds of files have them.
pub(crate) fn facts<'a>(known: &'a [KnownFile], listed: &'a [StoreFile]) -> Vec<(&'a str, Option<u64>)> {
    if listed.is_empty() {
        known.iter().map(|file| (file.path.as_str(), file.size)).collect()
    } else {
        listed.iter().map(|file| (file.path.as_str(), file.size)).collect()
    }
}

/// Three short lines: whether it starts at once and where, the addon, the picture.
pub(crate) fn name(candidate: &Candidate, store: StoreCode, cached: bool) -> String {
    let mark = if cached { "⚡️" } else { "⏳" };
    let lock = if candidate.found.private { " 🔑" } else { "" };
    let code = store.as_str().to_uppercase();
    let mut name = format!("{mark} [{code}]{lock}\nTorz");
    if let Some(resolution) = candidate.release.resolution {
        name.push('\n');
        name.push_str(&resolution.to_string());
    }
    name
}

/// A line each for picture, sound, size, languages, origin and file; empty ones vanish.
pub(crate) fn description(candidate: &Candidate, pick: Option<&Pick>) -> String {
    let Candidate { found, release, .. } = candidate;
    let last = match pick {
        Some(pick) => format!("📄 {}", pick.name),
        None => format!("📁 {}", found.name),
    };
    let lines = [picture(release), sound(release), size(candidate, pick), languages(release), origin(candidate), last];
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn picture(release: &Release) -> String {
    let quality = release.quality.map(|quality| format!("💿 {quality}"));
    let codec = release.codec.map(|codec| format!("🎞️ {}", codec.family()));
    join([quality, codec], " ")
}

fn sound(release: &Release) -> String {
    let list = |values: Vec<String>, separator: &str| Some(values.join(separator)).filter(|text| !text.is_empty());
    let hdr = list(release.hdr.iter().map(|hdr| hdr.to_string()).collect(), " ").map(|text| format!("📺 {text}"));
    let audio = list(release.audio.iter().map(|audio| audio.to_string()).collect(), ", ");
    let channels = list(release.channels.iter().map(|channels| channels.to_string()).collect(), ", ");
    let heard = Some(join([audio, channels], " | ")).filter(|text| !text.is_empty()).map(|text| format!("🎧 {text}"));
    join([hdr, heard], " ")
}

fn size(candidate: &Candidate, pick: Option<&Pick>) -> String {
    let whole = candidate.found.size.map(bytes);
    let file = pick.and_then(|pick| pick.size).map(bytes).filter(|file| whole.as_ref() != Some(file));
    let seeders = candidate.found.seeders.filter(|n| *n > 0).map(|n| format!("👤 {n}"));
    join([file.map(|size| format!("💾 {size}")), whole.map(|size| format!("📦 {size}")), seeders], " ")
}

fn languages(release: &Release) -> String {
    let flags: Vec<&str> = release.languages.iter().map(Language::flag).collect();
    if flags.is_empty() { String::new() } else { format!("🌐 {}", flags.join(" ")) }
}

fn origin(candidate: &Candidate) -> String {
    let group = candidate.release.group.as_ref().map(|group| format!("⚙️ {group}"));
    let source = Some(&candidate.found.source).filter(|source| !source.is_empty());
    join([group, source.map(|source| format!("🔍 {source}"))], " ")
}

fn join<const N: usize>(parts: [Option<String>; N], separator: &str) -> String {
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(separator)
}

/// `950 MB`, `1.4 GB`, `12 GB`: steps of 1024, one decimal below ten.
fn bytes(size: u64) -> String {
    const UNITS: [(&str, u128); 5] = [("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];
    let size = u128::from(size);
    let fits = |(_, unit): &&(&str, u128)| size + *unit / 2 < 1024 * *unit;
    let (name, unit) = UNITS.iter().find(fits).unwrap_or(&UNITS[4]);
    let tenths = (size * 10 + unit / 2) / unit;
    if *unit > 1 && tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", (size + unit / 2) / unit)
    }
}

/// Streams of equal groups follow each other when one episode ends: the same pack, else the same kind of release.
pub(crate) fn binge_group(candidate: &Candidate, pick: Option<&Pick>) -> String {
    let Candidate { found, release, .. } = candidate;
    let packed = pick.is_some_and(|pick| pick.packed) || (!release.seasons.is_empty() && release.episodes.is_empty());
    if packed {
        return format!("torz:{}", found.hash);
    }
    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned()).to_lowercase();
    format!(
        "torz:{}|{}|{}|{}",
        word(release.resolution.map(|resolution| resolution.to_string())),
        word(release.quality.map(|quality| quality.to_string())),
        word(release.hdr.iter().next().map(|hdr| hdr.to_string())),
        word(release.group.clone()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_core::Found;
    use chill_release::parse;

    fn candidate(name: &str) -> Candidate {
        let found = Found {
            hash: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            name: name.to_owned(),
            size: Some(15_032_385_536),
            seeders: Some(12),
            source: "my indexer".to_owned(),
            private: false,
            exact: true,
        };
        Candidate { release: parse(name), found, files: Vec::new() }
    }

    #[test]
    fn a_viewer_reads_it_at_a_glance() {
        let candidate = candidate("Quiet.Hills.2019.2160p.WEB-DL.DV.DDP5.1.Atmos.H.265-GRP");
        let pick = Pick::of("/Quiet.Hills.2019.mkv", Some(14_000_000_000), false);
        assert_eq!(name(&candidate, StoreCode::TorBox, true), "⚡️ [TB]\nTorz\n4k");
        assert_eq!(name(&candidate, StoreCode::RealDebrid, false), "⏳ [RD]\nTorz\n4k");
        let text = description(&candidate, Some(&pick));
        for part in [
            "💿 WEB-DL",
            "🎞️ HEVC",
            "📺 DV",
            "Atmos",
            "5.1",
            "💾 13 GB",
            "📦 14 GB",
            "👤 12",
            "⚙️ GRP",
            "🔍 my indexer",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.ends_with("📄 Quiet.Hills.2019.mkv"));
    }

    #[test]
    fn a_name_that_says_nothing_makes_no_empty_lines() {
        let mut bare = candidate("Quiet Hills");
        bare.found.seeders = Some(0);
        bare.found.size = None;
        bare.found.source = String::new();
        assert_eq!(description(&bare, None), "📁 Quiet Hills");
        assert_eq!(name(&bare, StoreCode::TorBox, true), "⚡️ [TB]\nTorz");
    }

    #[test]
    fn sizes_are_short() {
        let cases = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_536, "1.5 KB"),
            (734_003_200, "700 MB"),
            (1_073_741_824, "1.0 GB"),
            (1_503_238_553, "1.4 GB"),
            (68_719_476_736, "64 GB"),
            (u64::MAX, "16777216 TB"),
        ];
        for (size, text) in cases {
            assert_eq!(bytes(size), text, "{size}");
        }
    }

    #[test]
    fn the_next_episode_is_of_the_same_release() {
        let group = |name: &str, packed| {
            let pick = Pick::of("/x.mkv", None, packed);
            binge_group(&candidate(name), Some(&pick))
        };
        let first = group("Harbour.Lights.S01E01.1080p.WEB-DL.x264-GRP", false);
        assert_eq!(first, group("Harbour.Lights.S01E02.1080p.WEB-DL.x264-GRP", false));
        assert_ne!(first, group("Harbour.Lights.S01E02.720p.WEB-DL.x264-GRP", false));
        assert!(group("Harbour.Lights.S01.1080p.WEB-DL.x264-GRP", true).ends_with("01234567"));
    }
}
