//! The file behind a stream, and the hints a player reads.

use chill_core::KnownFile;
use chill_core::store::StoreFile;

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
