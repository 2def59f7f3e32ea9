//! Two made-up streams, one of which everything is known and one of which nothing is, to try a template on.

use chill_core::{InfoHash, StoreCode};
use chill_release::{Language, Release, Set, parse};

use crate::choose::candidate::{AtStore, Candidate, Category, ChosenFile, Kind};

const NAME: &str = "Harbour.Lights.S01E02.2160p.WEB-DL.DV.HDR.DDP5.1.Atmos.H.265-GROUP";

/// Tries both; stops at the first failure.
pub(super) fn each<E>(check: impl Fn(&Candidate<'_>) -> Result<(), E>) -> Result<(), E> {
    let mut release = parse(NAME);
    release.languages = [Language::English, Language::DualAudio].into_iter().collect();
    let rich = Candidate {
        addon: "Torz",
        category: Category::Series,
        kind: Kind::Torz,
        wanted: Some((1, 2)),
        release: &release,
        hash: InfoHash::from_bytes([1; 20]),
        title: NAME,
        size: Some(8 << 30),
        seeders: Some(40),
        indexer: "indexer",
        private: true,
        file: ChosenFile { index: Some(0), name: Some("Harbour.Lights.S01E02.mkv"), size: Some(7 << 30) },
        store: Some(AtStore { code: StoreCode::TorBox, cached: true, proxied: true }),
        bit_rate: Some(20_000_000),
        subtitles: release.languages,
    };
    let nothing = Release::default();
    let poor = Candidate {
        category: Category::Movie,
        wanted: None,
        release: &nothing,
        title: "name",
        size: None,
        seeders: None,
        indexer: "",
        private: false,
        file: ChosenFile::default(),
        store: None,
        bit_rate: None,
        subtitles: Set::EMPTY,
        ..rich
    };
    check(&rich)?;
    check(&poor)
}
