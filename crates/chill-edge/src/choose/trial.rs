//! Streams for the tests of this folder.

use chill_core::StoreCode;
use chill_release::{Language, Release, parse};

use super::candidate::{AtStore, Candidate, Category, ChosenFile, Kind};

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";
const FILM: &str = "Quiet.Hills.2019.MULTi.2160p.WEB-DL.DV.HDR10+.DDP5.1.Atmos.H.265-GRP";
const FILE: &str = "Quiet.Hills.2019.2160p.WEB-DL.mkv";

/// A film whose name says much.
pub(crate) fn film() -> Release {
    let mut release = parse(FILM);
    release.languages = [Language::English, Language::Czech].into_iter().collect();
    release.group = Some("GRP".to_owned());
    release
}

/// The film, cached at TorBox and proxied.
pub(crate) fn candidate(release: &Release) -> Candidate<'_> {
    Candidate {
        addon: "Torz",
        category: Category::Movie,
        kind: Kind::Torz,
        wanted: None,
        release,
        hash: HASH.parse().unwrap(),
        title: FILM,
        size: Some(15_032_385_536),
        seeders: Some(12),
        indexer: "my indexer",
        private: false,
        file: ChosenFile { index: Some(0), name: Some(FILE), size: Some(14_000_000_000) },
        store: Some(AtStore { code: StoreCode::TorBox, cached: true, proxied: true }),
        bit_rate: None,
        subtitles: chill_release::Set::EMPTY,
    }
}

/// A torrent of which nothing is known but its name.
pub(crate) fn bare(release: &Release) -> Candidate<'_> {
    Candidate {
        size: None,
        seeders: None,
        indexer: "",
        title: "Quiet Hills",
        file: ChosenFile::default(),
        store: None,
        ..candidate(release)
    }
}

/// One episode.
pub(crate) fn episode(release: &Release) -> Candidate<'_> {
    Candidate { category: Category::Series, wanted: Some((2, 5)), ..bare(release) }
}
